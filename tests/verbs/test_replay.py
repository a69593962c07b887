"""`replay`: what is on a tape or in a capture, entry by entry, the same each time."""

import argparse
import json
from pathlib import Path

import pytest

from gateway.model.inbound import Chunk, Moment, Refused, Ruling, Tick
from gateway.model.words import ClockState
from gateway.settings import BadSettings, profile_named
from gateway.transport.tape import TapeHeader, TapePort, TapeWriter
from gateway.verbs import replay as verb
from gateway.verbs.replay import Replay, replay
from tests.rooms.spoken import without_notes

MAYDAY = b"$CVDSC,12,3601234560,12,05,00,1474712519,0817,,,S,E,*51"
FINER = b"$CVDSE,1,1,A,3601234560,00,12345678*0C"
SHIP = b"!AIVDM,1,1,,A,13u?etPv2;0n:dDPwUM1U1Cb069D,0*24"
TEST = b"!AIVDM,1,1,,A,>>QK2khE0U8:1@E=@0,4*52"
PLACE = b"$GPRMC,042504.900,A,4012.1002,N,00440.4650,E,0.00,334.28,110321,,,A*6D"
BENT = b"$CDDSC,12,3380400790,12,06,00,1423108312,2019,,,S,E*6B"
SATELLITES = b"$GPGSV,1,1,00*79"

CAPTURE = b"".join(
    [
        b"# captured with another tool\n",
        b"2026-11-01T12:00:00Z " + MAYDAY + b"\r\n",
        b"12:00:01.2;" + FINER + b"\n",
        SHIP + b" 1700000000\r\n",
        b"\x00\xff\xfe" + TEST + b"\r\n",
        PLACE + b"\n",
        BENT + b"\r\n",
        SATELLITES + b"\r\n",
        SHIP.replace(b",A,", b",B,").replace(b"*24", b"*27"),
    ]
)


@pytest.fixture
def capture(tmp_path):
    path = tmp_path / "capture.log"
    path.write_bytes(CAPTURE)
    return path


@pytest.fixture
def tape(tmp_path):
    """Return a tape of two ports, with times and ticks on it."""
    path = tmp_path / "watch.tape"
    ports = {
        "vhf": TapePort("generic-dsc", profile_named("generic-dsc")),
        "ais": TapePort("generic-ais", profile_named("generic-ais")),
    }
    writer = TapeWriter(path, TapeHeader(station="cape-light", ports=ports))

    def at(tenths: int) -> Moment:
        utc_ns = 1_793_534_400 * 10**9 + tenths * 10**8
        return Moment(10**12 + tenths * 10**8, utc_ns, ClockState.NTP)

    for heard in (
        Chunk("vhf", at(0), MAYDAY + b"\r\n", gap=True),
        Chunk("ais", at(1), SHIP[:20]),
        Chunk("ais", at(2), SHIP[20:] + b"\r\n"),
        Tick(at(10)),
        Chunk("vhf", at(11), FINER + b"\r\n"),
    ):
        writer.write(heard)
    writer.close()
    return path


def run(path: Path, **given: object) -> int:
    options = {"file": str(path), "profile": None, "json": False, "station": None}
    options |= {"agreement": [], "register": None, **given}
    return verb.main(argparse.Namespace(**options))


def rows(page: str) -> list[str]:
    return [" ".join(line.split()) for line in page.splitlines()]


def test_a_capture_of_another_tool_comes_out_whole(capture):
    running = Replay(capture)
    numbers, items = zip(*running.entries(), strict=True)
    reports = [item.sighting.report for item in items if isinstance(item, Ruling)]
    count = running.count()

    assert numbers == tuple(range(1, len(items) + 1))
    assert [(report.system, str(report.kind), str(report.mode)) for report in reports] == [
        ("dsc", "alert", "real"),
        ("dsc", "alert", "real"),
        ("ais", "position", "real"),
        ("ais", "alert", "test"),
        ("gnss", "position", "real"),
        ("ais", "position", "real"),
    ]
    assert [item.reason for item in items if isinstance(item, Refused)] == ["wrong checksum", ""]
    assert count.bytes_in == len(CAPTURE)
    assert count.bytes_in == count.bytes_decoded + count.bytes_refused + count.bytes_noise


def test_a_tape_is_replayed_with_its_ports_its_station_and_its_times(tape):
    items = without_notes([item for _, item in replay(tape)])
    heard = [item.sighting.report.heard for item in items]

    assert [(one.station, one.port, one.modem) for one in heard] == [
        ("cape-light", "vhf", "generic-dsc"),
        ("cape-light", "ais", "generic-ais"),
        ("cape-light", "vhf", "generic-dsc"),
    ]
    assert heard[0].utc.isoformat() == "2026-11-01T12:00:00+00:00"
    assert items[2].sighting.report.refines == items[0].sighting.report.report_id


@pytest.mark.parametrize("kind", ["capture", "tape"])
def test_the_same_file_gives_the_same_bytes(kind, request, capsys):
    path = request.getfixturevalue(kind)
    pages = []
    for _ in range(2):
        assert run(path, json=True) == 0
        pages.append(capsys.readouterr().out)

    assert pages[0] == pages[1]
    assert len(pages[0].splitlines()) == sum(1 for _ in replay(path))


def test_json_is_one_published_record_a_line(tape, capsys):
    assert run(tape, json=True) == 0
    told = capsys.readouterr()
    records = [json.loads(line) for line in told.out.splitlines()]

    assert [record["number"] for record in records] == list(range(1, len(records) + 1))
    assert ["incident" in record for record in records[:2]] == [False, True]
    assert records[1]["incident"]["incident_id"] == records[0]["report"]["report_id"][:16]
    assert all(
        record["times"] == {"journaled_utc": None, "published_utc": None} for record in records
    )
    assert records[0]["report"]["urgency"] == "distress"
    assert "bytes" in told.err


def test_words_are_a_line_an_entry_and_a_summary(capture, capsys):
    assert run(capture) == 0
    told = rows(capsys.readouterr().out)
    page = [row for row in told if " == incident " not in row]

    assert page[0] == "0.1 !!! DISTRESS dsc alert: sinking 360123456 ship 47°47'N 125°19'W verified"
    assert told[1].startswith("0.1 == incident ")
    assert "incidents 2" in page
    assert "(refinement)" in page[1]
    assert (
        page[3] == '0.1 [TEST] ais alert: beacon emission 974570191 epirb ais "EPIRB TEST" verified'
    )
    assert page[5].startswith("0.1 ?? DISTRESS wrong checksum: $CDDSC")
    assert page[6] == "0.1 unread $GPGSV,1,1,00*79"
    for row in (
        f"{capture}, read as station replay by 0.1.0",
        "frames 8; refused 1, unread 1",
        "reports 6; copies 1, suspect 0",
        "2 distress dsc",
        "2 routine ais",
        "1 test ais",
        "1 routine gnss",
        "refused 1, distress-like 1",
        "1 wrong checksum",
        "unread 1 of 1 sentence types",
        "1 GSV",
    ):
        assert row in page
    (sums,) = (row for row in page if row.startswith("bytes "))
    total, decoded, refused, noise = (int(word) for word in sums.split() if word.isdigit())
    assert total == len(CAPTURE) == decoded + refused + noise


def test_a_profile_says_what_a_capture_is_read_as(capture):
    systems = {
        item.sighting.report.system
        for _, item in replay(capture, profile="generic-ais", station="cape-light")
        if isinstance(item, Ruling)
    }

    assert systems == {"ais"}


def test_a_long_silence_in_a_capture_passes_as_time(tmp_path):
    """What waits for its other half does not wait over hours of other bytes."""
    path = tmp_path / "long.log"
    part = b"!AIVDM,2,1,3,B,55P5TL01VIaAL@7WKO@mBplU@<PDhh000000001S;AJ::4A80?4i@E53,0*3E\r\n"
    path.write_bytes(part + (SATELLITES + b"\r\n") * 30_000 + SHIP + b"\r\n")
    reasons = [item.reason for _, item in replay(path) if isinstance(item, Refused)]

    assert any("never came" in reason for reason in reasons[:-1])


def test_an_empty_file_is_told(tmp_path, capsys):
    path = tmp_path / "empty"
    path.touch()

    assert run(path) == 1
    assert capsys.readouterr().err == f"{path}: nothing was ever heard on it\n"


@pytest.mark.parametrize("text", ["There is nothing on it.\n", "!AIVDM is no more than a name\n"])
def test_a_file_that_is_neither_tape_nor_capture_is_told(text, tmp_path, capsys):
    path = tmp_path / "words.txt"
    path.write_text(text)

    assert run(path) == 1
    told = capsys.readouterr()
    assert "0 decoded" in told.out
    assert told.err == f"{path}: is no tape, and nothing in it could be read\n"


def test_a_file_that_can_t_be_read_is_told(tmp_path, capsys):
    assert run(tmp_path / "none") == 1
    assert run(tmp_path) == 1
    assert capsys.readouterr().err.splitlines() == [
        f"{tmp_path}/none: No such file or directory",
        f"{tmp_path}: Is a directory",
    ]


def test_a_tape_is_not_asked_what_it_was_read_with(tape):
    with pytest.raises(BadSettings) as refusal:
        run(tape, profile="nope")

    assert "a tape says itself" in str(refusal.value)


def test_a_damaged_byte_costs_its_record_and_the_rest_is_told(tape, capsys):
    whole = tape.read_bytes()
    tape.write_bytes(whole.replace(b"3601234560,12,05", b"3601234561,12,05", 1))
    status = run(tape)
    told = capsys.readouterr()

    assert status == 1
    assert "265547250 ship" in told.out
    assert "DISTRESS" not in told.out
    assert "wrong checksum; " in told.err
    assert "bytes are lost" in told.err


def test_what_was_heard_with_an_unset_clock_is_shown_when_it_really_was(tmp_path, capsys):
    path = tmp_path / "unset.tape"
    ports = {"vhf": TapePort("generic-dsc", profile_named("generic-dsc"))}
    writer = TapeWriter(path, TapeHeader(station="cape-light", ports=ports, boot="b00t"))
    true_ns = 1_793_534_400 * 10**9  # 2026-11-01 12:00:00
    for heard in (
        Tick(Moment(10 * 10**9, 10 * 10**9, ClockState.UNSET)),
        Chunk("vhf", Moment(11 * 10**9, 11 * 10**9, ClockState.UNSET), MAYDAY + b"\r\n"),
        Tick(Moment(12 * 10**9, true_ns + 12 * 10**9, ClockState.NTP, 5)),
    ):
        writer.write(heard)
    writer.close()
    in_words = (run(path), capsys.readouterr().out)
    in_json = (run(path, json=True), capsys.readouterr().out)
    records = [json.loads(line) for line in in_json[1].splitlines()]
    mayday, step, offset = (record for record in records if "incident" not in record)

    assert in_words[0] == in_json[0] == 0
    assert "12:00:11  !!! DISTRESS" in in_words[1]
    assert "(dated anew)" in in_words[1]
    assert "the clock was moved by +1793534400.000 s" in in_words[1]
    assert "2 statements about the time of day" in in_words[1]
    assert mayday["report"]["heard"]["utc"] == "1970-01-01T00:00:11Z"
    assert step["statement"]["what"] == "step"
    assert offset["statement"]["utc"] == "2026-11-01T12:00:12Z"


def test_a_damaged_tape_gives_what_is_before_the_damage_and_says_where_it_is(tape, capsys):
    whole = tape.read_bytes()
    tape.write_bytes(whole[:-3])

    assert run(tape) == 1
    told = capsys.readouterr()
    assert "!!! DISTRESS" in told.out
    assert "reports   2" in told.out
    assert f"{tape}: byte " in told.err
    assert "cut short" in told.err


def test_a_name_that_can_t_be_a_topic_is_refused(capture):
    with pytest.raises(BadSettings, match="is no good name"):
        run(capture, station="a/b")
    with pytest.raises(BadSettings, match="no profile has this name"):
        run(capture, profile="nothing")


def test_a_bar_is_drawn_for_long_files_on_a_terminal_only(tmp_path, monkeypatch, capsys):
    path = tmp_path / "long.log"
    path.write_bytes((SHIP + b"\r\n") * 300)
    monkeypatch.setattr(verb, "PROGRESS_BYTES_MIN", 1)
    monkeypatch.setattr(verb, "PROGRESS_CHUNKS", 1)
    assert run(path) == 0
    assert "%" not in capsys.readouterr().err

    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    assert run(path) == 0
    drawn = capsys.readouterr().err
    assert "100%  " in drawn
    assert drawn.endswith("\r\x1b[K")


def test_reasons_without_end_are_counted_within_bounds(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(verb, "REASONS_MAX", 1)
    path = tmp_path / "x.log"
    path.write_bytes(
        b"".join(b"$GP%s,1*00\r\n$GP%s,1\r\n" % (name, name) for name in (b"AAA", b"BBB"))
        + SHIP
        + b"\r\n"
    )

    assert run(path) == 0
    page = rows(capsys.readouterr().out)
    assert "2 wrong checksum" in page
    assert "2 others" in page
