"""The rigs by themselves: what is written to them is in their log, byte by byte, or it is not."""

import os
import select
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pyais
import pytest
from rigs import ROOT, host, rig

from gateway.framing import framer_named
from gateway.model.transmission import Acknowledge, Distress
from gateway.model.words import Nature
from gateway.radio import composer_named
from hardware.rig import ais_transponder, dsc_radio, kiss_tnc
from hardware.rig.bench import SENTENCE_BYTES_MAX, sentence
from tests.rooms.radio.sayings import reports, saying

ACK = sentence("$IIDSC,16,,12,10,00,9999999999,1203,2320011220,05,S,")
MAYDAY = "$CDDSC,12,3380400790,12,06,00,1423108312,2019,,,S,E"
PACKET = "M0ABC-1>APRS,WIDE1-1:!5000.00N/00500.00W-hi"
FRAME = kiss_tnc.packet(PACKET)
KISS = framer_named("kiss").wrap(b"\x00" + FRAME)
TO_ALL = sentence("!AIBBM,1,1,3,1,14,D89CP9CP,0")
TO_ONE = sentence("!AIABM,1,1,2,235001234,2,12,D89CP9CP,0")


def on_air(**said):
    """Return the bytes of an AIS message, made by a library of others."""
    *_, data, fill = pyais.encode_dict({"mmsi": "002190047", **said})[0].split("*")[0].split(",")
    bits = "".join(f"{ord(one) - 48 - 8 * (ord(one) > 88):06b}" for one in data)
    bits = bits[: len(bits) - int(fill)]
    bits += "0" * (-len(bits) % 8)
    return int(bits, 2).to_bytes(len(bits) // 8, "big")


CASES = {
    "dsc_radio": (ACK, ACK.strip()),
    "kiss_tnc": (KISS, FRAME),
    "ais_transponder": (TO_ALL, on_air(type=14, text="THIS IS ")),
}
HEARD = {
    "dsc_radio": (MAYDAY, b"$CDDSC,12,3380400790,12,06,00,1423108312,2019,,,S,E*6A\r\n"),
    "kiss_tnc": (PACKET, KISS),
    "ais_transponder": (
        "!AIVDM,1,1,,A,15RTgt0PAso;90TKcjM8h6g208CQ,0*4A",
        b"!AIVDM,1,1,,A,15RTgt0PAso;90TKcjM8h6g208CQ,0*4A\r\n",
    ),
}
KINDS = tuple(f"{name}.py" for name in CASES)


def heard_at(wire, size, limit_s=5.0):
    """Return so many bytes that a rig has said."""
    data, end_s = b"", time.monotonic() + limit_s
    while len(data) < size and time.monotonic() < end_s:
        if select.select([wire], [], [], 0.1)[0]:
            data += os.read(wire, 4096)
    return data


def once(radio):
    """Return what it has transmitted once there is any."""
    radio.until(lambda: radio.air)
    return radio.air


def fill(wire):
    """Write until the kernel keeps no more for who does not read."""
    with suppress(BlockingIOError):
        while os.write(wire, b"\xc0" * 4096):
            pass


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_written_goes_on_the_air_byte_by_byte_and_once(kind):
    wrote, transmitted = CASES[kind.removesuffix(".py")]
    begun_ns = time.monotonic_ns()
    with rig(kind, "--name", "002190047") as radio, host(radio.device) as wire:
        for byte in wrote:
            os.write(wire, bytes([byte]))
        once(radio)
        os.write(wire, wrote)
        radio.until(lambda: radio.air[1:])

    assert radio.air == [transmitted, transmitted]
    line = radio.lines("air")[0]
    assert begun_ns < line.mono_ns < time.monotonic_ns()
    assert line.words.startswith("002190047")


@pytest.mark.parametrize("kind", KINDS)
def test_half_of_it_does_not_until_the_rest_has_come(kind):
    wrote, transmitted = CASES[kind.removesuffix(".py")]
    with rig(kind, "--name", "002190047") as radio, host(radio.device) as wire:
        os.write(wire, wrote[:-1])
        radio.order("go on")
        time.sleep(0.1)
        assert not radio.air
        os.write(wire, wrote[-1:])

        assert once(radio) == [transmitted]


@pytest.mark.parametrize("kind", ["dsc_radio.py", "ais_transponder.py"])
def test_a_half_that_is_never_ended_spoils_nothing_behind_it(kind):
    """So does a gateway end that is killed: the next one begins anew."""
    wrote, transmitted = CASES[kind.removesuffix(".py")]
    with rig(kind, "--name", "002190047") as radio, host(radio.device) as wire:
        os.write(wire, wrote[:-9] + wrote)

        assert once(radio) == [transmitted]
        assert [one.words for one in radio.lines("bad")] == ["begun and never ended"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_stalled_rig_takes_nothing_and_goes_on_later(kind):
    wrote, transmitted = CASES[kind.removesuffix(".py")]
    with rig(kind, "--name", "002190047") as radio, host(radio.device) as wire:
        assert radio.order("stall") == "stalled"
        os.write(wire, wrote)
        fill(wire)
        time.sleep(0.1)
        assert not radio.air
        assert radio.order("go on") == "going"

        assert once(radio) == [transmitted]


@pytest.mark.parametrize("kind", KINDS)
def test_what_it_hears_on_the_air_it_tells(kind):
    text, told = HEARD[kind.removesuffix(".py")]
    with rig(kind) as radio, host(radio.device) as wire:
        radio.order(f"say {text}")
        assert heard_at(wire, len(told)) == told
        radio.order("raw 00ff0d")
        assert heard_at(wire, 3) == b"\x00\xff\x0d"

        assert [one.data for one in radio.lines("told")] == [told, b"\x00\xff\x0d"]


@pytest.mark.parametrize("kind", KINDS)
def test_it_may_become_another(kind):
    wrote, _ = CASES[kind.removesuffix(".py")]
    with rig(kind, "--name", "002190047") as radio, host(radio.device) as wire:
        assert radio.order("be 002190048") == "now 002190048"
        os.write(wire, wrote)

        assert once(radio)
        assert radio.lines("air")[0].words.startswith("002190048")


@pytest.mark.parametrize("kind", KINDS)
def test_a_host_that_is_killed_leaves_it_at_work(kind):
    """Whoever had its pty open is gone, without closing anything; the next one is heard."""
    wrote, transmitted = CASES[kind.removesuffix(".py")]
    program = "import os, sys, time; os.open(sys.argv[1], os.O_RDWR | os.O_NOCTTY); time.sleep(60)"
    with rig(kind, "--name", "002190047") as radio:
        killed = subprocess.Popen([sys.executable, "-c", program, radio.device])
        node = os.path.realpath(radio.device)
        end_s = time.monotonic() + 10
        while node not in opened_by(killed.pid):
            assert time.monotonic() < end_s
            time.sleep(0.01)
        killed.send_signal(signal.SIGKILL)
        killed.wait()
        assert os.path.realpath(radio.device) == node
        with host(radio.device) as wire:
            os.write(wire, wrote)

            assert once(radio) == [transmitted]


def opened_by(pid):
    """Return where the descriptors of a program lead to."""
    return {str(one.readlink()) for one in Path(f"/proc/{pid}/fd").iterdir()}


def test_it_dies_when_told_to_and_starts_again_at_the_same_place():
    with rig("dsc_radio.py") as radio:
        with host(radio.device) as wire:
            os.write(wire, ACK)
            once(radio)
            radio.tell("die")
            assert radio.running.wait(10) == -signal.SIGKILL
        radio.end()
        radio.start()
        with host(radio.device) as wire:
            os.write(wire, ACK)
            radio.until(lambda: radio.air[1:])

        assert radio.air == [ACK.strip()] * 2


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("be-quiet", "not ordered: there is no be-quiet"),
        ("raw zz", "not ordered: raw: non-hexadecimal"),
        ("say nothing", "not ordered: say: nothing"),
    ],
)
def test_an_order_that_it_does_not_know_is_told(words, said):
    with rig("dsc_radio.py") as radio:
        assert radio.order(words).startswith(said)


def test_it_keeps_on_without_orders():
    with rig("dsc_radio.py") as radio, host(radio.device) as wire:
        radio.running.stdin.close()
        os.write(wire, ACK)

        assert once(radio)


# ---- What each of them takes --------------------------------------------------------------------


def taken(radio, *data):
    return [event for piece in data for event in radio.take(piece)]


def test_a_call_that_the_gateway_composes_is_made_as_it_stands():
    told = Distress(mmsi="232001122", nature=Nature.SINKING, time="1203")
    (body,) = composer_named("dsc").compose(saying(Acknowledge(distress=told), "nmea"))
    (event,) = taken(dsc_radio.DscRadio("002191000"), framer_named("nmea").wrap(body))

    assert (event.what, event.data) == ("air", ACK.strip())
    assert event.words == (
        "002191000 to all ships: distress, acknowledgement of 232001122, nature 05"
    )


@pytest.mark.parametrize(
    ("wrote", "why"),
    [
        (ACK.replace(b"2320011220", b"2320011221"), "the wrong checksum"),
        (ACK[:-5] + b"\r\n", "no checksum"),
        (sentence(MAYDAY), "it tells of a call and orders none"),
        (sentence("$IIDSC,99,,12,10,00,,,,,S,"), "no call can be made of it"),
        (sentence("$IIDSC,16,,12"), "no call can be made of it"),
        (sentence("$GPZDA,120000,01,01,2026,,"), "no DSC sentence"),
        (b"what\r\n", "no sentence"),
        (b"$" * (SENTENCE_BYTES_MAX + 1), "a line without an end"),
    ],
)
def test_a_radio_makes_no_call_of_anything_else(wrote, why):
    (event,) = taken(dsc_radio.DscRadio("002191000"), wrote)

    assert event.what == "bad"
    assert event.words.startswith(why)


def test_what_a_tnc_tells_of_is_what_was_on_the_air():
    """Its frames are read by the gateway, which shares nothing with it."""
    (report,) = reports("aprs", "kiss", kiss_tnc.KissTnc("TNC").heard(PACKET))

    assert report.system == "aprs"
    assert report.sender.callsign == "M0ABC-1"
    assert (report.position.lat_deg, report.position.lon_deg) == (50.0, -5.0)
    assert kiss_tnc.meant(FRAME) == PACKET


def test_a_tnc_transmits_frames_and_nothing_else():
    said = FRAME + b"\xc0\xdb\xdc"
    wrapped = framer_named("kiss").wrap(b"\x00" + said)
    wrote = b"x\xc0\x01\x20\xc0" + wrapped + b"\xc0\x00\xdbx\xc0\x00\xc0"

    assert [(one.what, one.data) for one in taken(kiss_tnc.KissTnc("TNC"), wrote)] == [
        ("bad", b"x"),
        ("set", b"\x01\x20"),
        ("air", said),
        ("bad", b"\x00\xdbx"),
        ("bad", b"\x00"),
    ]


def test_a_frame_without_an_end_is_given_up():
    tnc = kiss_tnc.KissTnc("TNC")
    (event,) = taken(tnc, b"\xc0" + bytes(kiss_tnc.FRAME_BYTES_MAX + 1))

    assert event.words == "a frame without an end"
    assert [one.what for one in taken(tnc, b"\x00", KISS)] == ["bad", "air"]


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("A>B", "A>B"),
        ("A:x", "A:x"),
        ("a>B:x", "a"),
        ("A>TOOLONG:x", "TOOLONG"),
        ("A-16>B:x", "A-16"),
        (f"A>B{',C' * 9}:x", "A>B"),
    ],
)
def test_a_packet_that_can_not_be_is_none(text, wrong):
    with pytest.raises(ValueError, match=f"^{wrong}"):
        kiss_tnc.packet(text)


@pytest.mark.parametrize(
    ("reach", "wrote", "answer"),
    [
        ("yes", TO_ONE, b"$AIABK,235001234,B,12,2,0"),
        ("no", TO_ONE, b"$AIABK,235001234,B,12,2,1"),
        ("no", TO_ALL, b"$AIABK,,A,14,3,3"),
    ],
)
def test_a_transponder_says_what_came_of_it(reach, wrote, answer):
    with rig("ais_transponder.py") as radio, host(radio.device) as wire:
        radio.order(f"reach {reach}")
        os.write(wire, wrote)

        assert heard_at(wire, len(answer) + 5)[:-5] == answer
        assert len(radio.air) == 1


def test_a_message_to_one_station_is_on_the_air_as_others_write_it():
    transponder = ais_transponder.AisTransponder("002190047")
    (event,) = taken(transponder, TO_ONE)

    wanted = on_air(type=12, dest_mmsi="235001234", seqno=2, text="THIS IS ")
    assert event.data == wanted
    assert event.words == '002190047 to 235001234 on B: message 12, "THIS IS "'


def test_a_message_of_several_sentences_is_one_and_none_without_all_of_them():
    parts = [
        sentence(f"!AIBBM,2,{at},7,1,{number},{'D89C' * 12},0") for at, number in [(1, 14), (2, "")]
    ]
    transponder = ais_transponder.AisTransponder("002190047")

    assert not taken(transponder, parts[0])
    assert [one.what for one in taken(transponder, parts[1], parts[1])] == ["air", "bad"]


@pytest.mark.parametrize(
    "said",
    ["!AIBBM,1,1,3,1,14,,0", "!AIBBM,1,1,3,1,,D8,0", f"!AIBBM,1,1,3,1,14,{'0' * 162},0"],
    ids=["nothing", "no message", "more than five slots"],
)
def test_what_can_not_be_transmitted_is_answered_so(said):
    (event,) = taken(ais_transponder.AisTransponder("002190047"), sentence(said))

    assert event.what == "bad"
    assert event.answer.split(b",")[5][:1] == b"2"


@pytest.mark.parametrize(
    "said", ["$AIBBM,1,1,3,1,14,D8,0", "!AIBBM,1,1,3,1,9,D8,0", "!AIABM,1,1,7,235001234,1,12,D8,0"]
)
def test_a_transponder_takes_nothing_else(said):
    (event,) = taken(ais_transponder.AisTransponder("002190047"), sentence(said))

    assert (event.what, event.answer) == ("bad", b"")


@pytest.mark.parametrize(
    "kind", [ais_transponder, dsc_radio, kiss_tnc], ids=lambda one: one.__name__
)
def test_a_rig_explains_itself(kind):
    name = kind.__name__.rpartition(".")[2]
    run = [sys.executable, "-m", f"hardware.rig.{name}", "--help"]
    said = subprocess.run(run, cwd=ROOT, capture_output=True, text=True, check=True).stdout

    assert "say " in said
    assert "--device" in said
