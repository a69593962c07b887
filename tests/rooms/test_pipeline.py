"""The hallway: everything heard comes out as an item or in a count, and nothing stops it."""

from __future__ import annotations

import time

import msgspec
import pytest

from gateway.correlate.floods import FRAGMENTS_FIRST
from gateway.correlate.incidents import Incidents
from gateway.correlate.register import Register
from gateway.ear import Ear
from gateway.framing import HALF_SAID_NS
from gateway.framing.nmea import Nmea
from gateway.model.entry import Lane, lane_of
from gateway.model.inbound import (
    Chunk,
    Detail,
    Draft,
    Moment,
    Reading,
    Refused,
    Ruling,
    Tick,
    Unread,
)
from gateway.model.incident import IncidentNote
from gateway.model.plan import CraftPlan, PortPlan, Profile, RegisterPlan
from gateway.model.words import Confidence, Fault, Kind, Relation, Urgency
from gateway.normalise import Place
from gateway.pipeline import NOBODY, Pipeline, hallway

RMC = b"$GPRMC,042504.900,A,4012.1002,N,00440.4650,E,0.00,334.28,110321,,,A*6D"
SIMULATOR = b"GPGGA,101010,5000.00,N,00100.00,W,8,04,1.0,1.0,M,1.0,M,,"
GLL = b"$LCGLL,4728.31,N,12254.25,W,091342,A,A*4C\r\n"
END = b"\r\n"
REFUSAL_S_MAX = 0.005
"""What one bad sentence may cost."""
CHUNK_BYTES = 65_536
"""More than any port hands over at once."""


def bad_inputs():
    """Yield the NMEA part of the list of inputs that broke others."""
    yield "a megabyte", b"$GPTXT," + b"A" * 10**6
    yield "longer than 82", Nmea.wrap(b"$GPTXT," + b"A" * 90)[:-2]
    yield "tag block without end", b"\\s:rx1,c:1700000000*1A" + RMC
    yield "checksum absent", RMC[:-3]
    yield "checksum wrong", RMC[:-2] + b"00"
    yield "overflow of old", b"$RAWPL,5200.00,N,0600.00,E,000000000000000000000HELLOWORLD*4e"
    yield "format string", Nmea.wrap(b"$PGRMT,%n%s%x")[:-2]
    yield "corrupt yet proven", RMC.replace(b"4012", b'401"').replace(b",110321", b"<110321")
    yield "NUL", Nmea.wrap(b"$GPRMC,\x00")[:-2]
    yield "0xFF", Nmea.wrap(b"$GPRMC,\xff")[:-2]
    yield "UTF-8", Nmea.wrap("$GPRMC,né".encode())[:-2]
    for field in (b"9100.00", b"4060.00", b"9" * 21, b"1e309", b"nan", b"-1", b""):
        body = b"$GPGLL,%b,N,00440.4650,E,042504,A,A" % field
        yield f"latitude {field.decode()!r}", Nmea.wrap(body)[:-2]
    for field in (b"000000", b"310221", b"1103211", b"0"):
        yield f"date {field.decode()!r}", Nmea.wrap(RMC[:-3].replace(b"110321", field))[:-2]
    yield "year 0", Nmea.wrap(b"$GPZDA,010101,01,01,0000,,")[:-2]
    yield "an address alone", Nmea.wrap(b"$GPRMC")[:-2]


BAD = dict(bad_inputs())
HARMLESS = {
    "latitude ''",  # an empty field is absent
    "tag block without end",  # the sentence behind it is whole
    "longer than 82",  # the other three are whole sentences in nobody's language
    "overflow of old",
    "format string",
}
"""Not refused whole, and nothing more is made of them than they say."""


def one_port(*radio):
    profile = Profile(
        title="test", radio=radio, framing="nmea", channel="16", freq_hz=156_800_000, proven="test"
    )
    return hallway("home", [PortPlan(name="p", device="tape:", modem="m", profile=profile)])


def with_radio(radio):
    ear = Ear(Place(station="home", port="p", modem="m"), Nmea(), (radio,))
    return Pipeline([ear], Incidents("home", carried=Register(NOBODY).carried), None), ear.count


def chunk(data, at=0, *, gap=False):
    return Chunk("p", Moment(at), data, gap=gap)


def assert_accounted(count):
    parts = count.bytes_decoded + count.bytes_refused + count.bytes_noise + count.bytes_held
    assert count.bytes_in == parts


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_refused_kept_and_counted(name):
    pipeline = one_port("gnss")
    items = pipeline.inbound(chunk(BAD[name] + END))
    count = pipeline.ears["p"].count

    if name not in HARMLESS:
        assert items
        assert all(isinstance(item, Refused) and item.reason for item in items)
        assert count.refused == len(items)
    assert all(
        len(text) <= 4096 for item in items if isinstance(item, Refused) for text in item.raw
    )
    assert count.decoder_errors == 0
    assert_accounted(count)


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_refused_quickly(name):
    """No chunk of it takes longer than its time; the best of three, for machines are busy."""
    took_s = []
    for _ in range(3):
        pipeline = one_port("gnss")
        longest_s = 0.0
        for at in range(0, len(BAD[name] + END), CHUNK_BYTES):
            begun = time.perf_counter()
            pipeline.inbound(chunk((BAD[name] + END)[at : at + CHUNK_BYTES]))
            longest_s = max(longest_s, time.perf_counter() - begun)
        took_s.append(longest_s)

    assert min(took_s) < REFUSAL_S_MAX


@pytest.mark.parametrize("name", BAD)
def test_bad_input_leaves_no_trace(name):
    """What comes behind bad input is heard as if the bad input had never been."""
    pipeline, clean = one_port("gnss"), one_port("gnss")
    pipeline.inbound(chunk(BAD[name] + END))
    heard = pipeline.inbound(chunk(GLL, 1))

    assert heard == clean.inbound(chunk(GLL, 1))


def test_same_input_gives_the_same_items_byte_for_byte():
    wire = END.join([*BAD.values(), RMC, RMC, b"noise"]) + END
    runs = []
    for _ in range(2):
        pipeline = one_port("gnss")
        items = pipeline.inbound(chunk(wire)) + pipeline.tick(Tick(Moment(10**12)))
        runs.append(msgspec.msgpack.encode(items))

    assert runs[0] == runs[1]


def test_sentence_walks_from_the_wire_to_its_ruling():
    pipeline = one_port("gnss")
    (item,) = pipeline.inbound(chunk(RMC + END, 7))
    report = item.sighting.report

    assert isinstance(item, Ruling)
    assert (report.system, report.kind, report.raw) == ("gnss", Kind.POSITION, (RMC.decode(),))
    assert (report.heard.station, report.heard.port, report.heard.modem) == ("home", "p", "m")
    assert (report.heard.channel, report.heard.freq_hz) == ("16", 156_800_000)
    assert lane_of(item) is Lane.ROUTINE
    count = pipeline.ears["p"].count
    assert (count.frames, count.reports, count.copies, count.refused) == (1, 1, 0, 0)
    assert count.bytes_in == count.bytes_decoded == len(RMC + END)


def test_copy_and_suspect_are_counted():
    pipeline = one_port("gnss")
    items = pipeline.inbound(chunk((RMC + END) * 2 + Nmea.wrap(b"$" + SIMULATOR)))
    count = pipeline.ears["p"].count

    assert [item.sighting.relation for item in items] == [
        Relation.FIRST,
        Relation.COPY,
        Relation.FIRST,
    ]
    assert items[2].sighting.report.confidence is Confidence.SUSPECT
    assert (count.reports, count.copies, count.suspect) == (3, 1, 1)


def test_language_that_nobody_speaks_is_kept_unread():
    pipeline = one_port("gnss")
    (item,) = pipeline.inbound(chunk(Nmea.wrap(b"$GPVTG,1,T")))
    count = pipeline.ears["p"].count

    assert (item.reason, item.door, item.distress_like) == ("", "radio", False)
    assert (count.unread, count.refused) == (1, 0)
    assert lane_of(item) is Lane.ROUTINE


@pytest.mark.parametrize("damage", [b"*6C", b"*00"], ids=["whole", "damaged"])
def test_call_for_help_at_a_port_that_does_not_expect_it_is_told(damage):
    """A DSC radio mixed into an AIS line is a wrong profile, and no reason to lose its MAYDAY."""
    pipeline = one_port("ais")
    (item,) = pipeline.inbound(
        chunk(b"$CDDSC,12,5031105200,,05,00,2380814428,1800,,,R,E" + damage + END)
    )

    assert isinstance(item, Refused)
    assert item.distress_like
    assert item.reason
    assert lane_of(item) is Lane.URGENCY


def test_damaged_calls_beyond_the_first_are_kept_and_a_whole_one_among_them_is_told():
    pipeline = one_port("dsc")
    damaged = chunk(b"$CDDSC,12,3380400790,12,06,00,1423108312,2019,,,S,E*00" + END)
    items = [item for _ in range(FRAGMENTS_FIRST + 3) for item in pipeline.inbound(damaged)]
    whole, note = pipeline.inbound(
        chunk(b"$CDDSC,12,3380400790,12,06,00,1423108312,2019,,,S,E*6A" + END)
    )

    lanes = [lane_of(item) for item in items]
    assert lanes == [Lane.URGENCY] * FRAGMENTS_FIRST + [Lane.ROUTINE] * 3
    assert [item.flood for item in items[-4:]] == [False, True, True, True]
    assert all(item.distress_like for item in items)
    assert lane_of(whole) is Lane.DISTRESS
    assert note.incident.incident_id == whole.sighting.incident


def test_half_a_sentence_is_told_when_its_sender_falls_silent():
    pipeline = one_port("dsc")
    pipeline.inbound(chunk(b"$CDDSC,12,3380400790,12,06,00,14231"))
    assert pipeline.tick(Tick(Moment(HALF_SAID_NS - 1))) == []

    (item,) = pipeline.tick(Tick(Moment(HALF_SAID_NS)))
    count = pipeline.ears["p"].count

    assert (item.reason, item.distress_like) == (Fault.CUT, True)
    assert (count.bytes_held, count.bytes_refused) == (0, count.bytes_in)


def test_a_proven_sentence_does_not_wait_behind_one_that_has_only_begun():
    """Two without a line end, the second cut off: the first goes out at once."""
    pipeline = one_port("gnss")
    (item,) = pipeline.inbound(chunk(RMC + b"$GPGGA,0425"))

    assert isinstance(item, Ruling)
    assert pipeline.ears["p"].count.bytes_held == len(b"$GPGGA,0425")


def test_a_tag_block_stays_with_the_sentence_that_has_only_begun():
    pipeline = one_port("gnss")
    tags = b"\\s:rx1*%02X\\" % 0x72
    (first,) = pipeline.inbound(chunk(RMC + tags + RMC[:20]))
    (second,) = pipeline.inbound(chunk(RMC[20:]))

    assert first.sighting.report.heard.receiver is None
    assert second.sighting.report.heard.receiver == "rx1"


def test_noise_is_counted_and_gives_no_item():
    pipeline = one_port("gnss")
    assert pipeline.inbound(chunk(b"\x00\xff noise" + END)) == []

    count = pipeline.ears["p"].count
    assert (count.bytes_noise, count.frames) == (len(b"\x00\xff noise" + END), 0)


def test_held_bytes_are_counted_until_they_are_told():
    pipeline = one_port("gnss")
    pipeline.inbound(chunk(RMC[:10]))
    count = pipeline.ears["p"].count

    assert count.bytes_held == 10
    (item,) = pipeline.inbound(chunk(b"", gap=True))
    assert item.reason == Fault.CUT
    assert count.bytes_held == 0
    assert_accounted(count)


class Broken:
    """A radio with a fault of ours at every door."""

    name = "broken"

    def __init__(self, at):
        self.at = at

    def stumble(self, door):
        if self.at == door:
            raise RuntimeError(door)

    def read(self, frame):
        self.stumble("read")
        return (Reading((frame,), self.name, Detail(), frame.body),)

    def report(self, reading):  # noqa: ARG002  # the shape of a radio
        self.stumble("report")
        return Draft(kind=Kind.TEXT, urgency=Urgency.SAFETY)

    def expire(self, now):  # noqa: ARG002  # the shape of a radio
        self.stumble("expire")
        return ()

    def distress_like(self, frame):  # noqa: ARG002  # the shape of a radio
        self.stumble("distress_like")
        return False


@pytest.mark.parametrize("door", ["read", "report"])
def test_decoder_that_raises_loses_nothing(door):
    """The sentence is kept as what it might have been: a call for help."""
    pipeline, count = with_radio(Broken(door))
    (item,) = pipeline.inbound(chunk(RMC + END))

    assert item.reason == "decoder broken failed: RuntimeError"
    assert item.distress_like
    assert lane_of(item) is Lane.URGENCY
    assert (count.decoder_errors, count.refused, count.reports) == (1, 1, 0)


def test_doubt_that_raises_counts_as_distress():
    pipeline, count = with_radio(Broken("distress_like"))
    (item,) = pipeline.inbound(chunk(RMC[:-3] + END))

    assert (item.reason, item.distress_like) == (Fault.NO_CHECKSUM, True)
    assert (count.decoder_errors, count.refused) == (1, 1)


def test_time_that_raises_stops_nobody():
    pipeline, count = with_radio(Broken("expire"))

    assert pipeline.tick(Tick(Moment(1))) == []
    assert count.decoder_errors == 1


class Patient(Broken):
    """A radio that waits for a second half, and gives up when time passes."""

    def __init__(self):
        super().__init__(at="nowhere")
        self.held = []

    def read(self, frame):
        self.held.append(frame)
        return ()

    def expire(self, now):  # noqa: ARG002  # the shape of a radio
        held, self.held = self.held, []
        return tuple(Unread((frame,), "no second half", distress_like=True) for frame in held)


def test_what_waits_comes_out_when_time_passes():
    pipeline, count = with_radio(Patient())

    assert pipeline.inbound(chunk(RMC + END)) == []
    (item,) = pipeline.tick(Tick(Moment(1)))
    assert (item.reason, item.door, item.distress_like) == ("no second half", "radio", True)
    assert pipeline.tick(Tick(Moment(2))) == []
    assert count.refused == 1


CALL = b"$CDDSC,12,3380400790,12,06,00,1423108312,2019,,,S,E*6A" + END


def test_a_call_for_help_comes_out_before_the_incident_that_it_opens():
    ruling, note = one_port("dsc").inbound(chunk(CALL))

    assert (lane_of(ruling), lane_of(note)) == (Lane.DISTRESS, Lane.URGENCY)
    assert ruling.sighting.incident == note.incident.incident_id
    assert not note.gone


@pytest.mark.parametrize("error", [ValueError, AssertionError, RecursionError])
def test_a_fault_of_the_room_of_incidents_loses_no_call_and_is_counted(monkeypatch, error):
    def stumble(*_):
        raise error

    pipeline = one_port("dsc")
    monkeypatch.setattr(pipeline.incidents, "hear", stumble)
    monkeypatch.setattr(pipeline.incidents, "tick", stumble)
    (ruling,) = pipeline.inbound(chunk(CALL))

    assert lane_of(ruling) is Lane.DISTRESS
    assert ruling.sighting.incident is None
    assert pipeline.tick(Tick(Moment(10**9))) == []
    assert pipeline.incident_errors == 2


def fallen_silent(pipeline, from_s, upto_s):
    """Let time pass, a tick a second; return when it was told that all that called is silent."""
    for at_s in range(from_s, upto_s):
        notes = pipeline.tick(Tick(Moment(at_s * 10**9)))
        if any("fallen silent" in note.change for note in notes):
            return at_s
    return None


LOST_S = 3 * 270
"""Three pauses between two calls of DSC."""


@pytest.mark.parametrize("awake", ["tick", "chunk"])
def test_no_silence_is_counted_while_the_process_stood_still(awake):
    """What is told is the silence of who calls, not that of the box; a busy second is no outage."""
    pipeline = one_port("dsc")
    pipeline.inbound(chunk(CALL, at=10**9))
    assert fallen_silent(pipeline, 2, 100) is None
    if awake == "chunk":
        pipeline.inbound(chunk(RMC + END, at=1100 * 10**9))
    assert fallen_silent(pipeline, 1100, 1100 + LOST_S) is None
    assert fallen_silent(pipeline, 1100 + LOST_S, 2000) == 1100 + LOST_S + 1
    assert fallen_silent(pipeline, 2001, 4000) is None


def test_no_silence_is_counted_while_no_process_was_there():
    before = one_port("dsc")
    (*_, note) = before.inbound(chunk(CALL, at=10**9))
    pipeline = one_port("dsc")
    assert pipeline.restore([note.incident], Moment(5000 * 10**9)) == []
    assert fallen_silent(pipeline, 5001, 5000 + LOST_S) is None
    assert fallen_silent(pipeline, 5000 + LOST_S, 7000) == 5000 + LOST_S + 1


def test_what_was_silent_before_the_process_stood_still_is_not_told_twice():
    pipeline = one_port("dsc")
    pipeline.inbound(chunk(CALL, at=10**9))
    assert fallen_silent(pipeline, 2, 1000) == 1 + LOST_S + 1
    for at_s in range(900, 5000):
        changes = [note.change for note in pipeline.tick(Tick(Moment((at_s + 5000) * 10**9)))]
        assert not any("calls again" in change or "silent" in change for change in changes)


MAYDAY = b"$CVDSC,12,3601234560,12,05,00,1474712519,0817,,,S,E,*51"
EPIRB = b"56E6804002202009655250"
"""The sample of C/S T.001 annex B1, which names no ship."""


@pytest.mark.parametrize(("beacons", "troubles"), [(("ADCD00800440401",), 1), ((), 2)])
def test_a_beacon_belongs_to_the_ship_that_the_register_says_carries_it(beacons, troubles):
    profiles = [
        Profile(title="test", radio=("dsc",), framing="nmea", proven="test"),
        Profile(title="test", radio=("cospas_sarsat",), framing="lines", proven="test"),
    ]
    ports = [
        PortPlan(name=name, device="tape:", modem="m", profile=profile)
        for name, profile in zip(("vhf", "406"), profiles, strict=True)
    ]
    craft = CraftPlan(key="ship", mmsi="360123456", beacons=beacons)
    pipeline = hallway("home", ports, register=RegisterPlan(craft=(craft,)))

    items = pipeline.inbound(Chunk("vhf", Moment(0), MAYDAY + END))
    items += pipeline.tick(Tick(Moment(10**10)))  # no other half of the call comes
    items += pipeline.inbound(Chunk("406", Moment(2 * 10**10), EPIRB + END))

    rulings = [item for item in items if isinstance(item, Ruling)]
    notes = [item.incident for item in items if isinstance(item, IncidentNote)]
    assert len(rulings) == 2
    assert len({ruling.sighting.incident for ruling in rulings}) == troubles
    assert {note.incident_id for note in notes} == {one.sighting.incident for one in rulings}


@pytest.mark.parametrize(("pause_s", "alarms"), [(300, True), (3600, False)])
def test_the_end_of_a_watch_is_no_time_in_which_an_alarm_was_not_heeded(pause_s, alarms):
    """The last tick calls out what waits, an hour ahead: whoever was alerted is not missing."""
    pipeline = one_port("dsc")
    pipeline.inbound(chunk(MAYDAY + END))
    pipeline.tick(Tick(Moment(10**9)))
    notes = pipeline.tick(Tick(Moment((1 + pause_s) * 10**9)))

    assert any(isinstance(item, IncidentNote) for item in notes) is alarms
