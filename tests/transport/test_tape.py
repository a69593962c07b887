"""Tapes keep what was heard, and say so when they are damaged."""

import asyncio
import time
import zlib
from pathlib import Path

import msgpack
import pytest

from gateway.model.agreement import EventWord
from gateway.model.asked import Fact, Request
from gateway.model.inbound import Chunk, Moment, Tick
from gateway.model.listening import Availability
from gateway.model.place import Identity, Position
from gateway.model.plan import Profile
from gateway.model.words import ClockState, Mode, Urgency
from gateway.transport import READ_BYTES_MAX, WireEnded, WireLost
from gateway.transport.playing import TapeWay, play
from gateway.transport.recorder import RETRY_NS, Recorder
from gateway.transport.tape import (
    VERSION,
    TapeBroken,
    TapeHeader,
    TapePort,
    TapeWriter,
    is_tape,
    read_capture,
    read_tape,
)

PROFILE = Profile(
    title="bench", radio=("dsc",), framing="nmea", proven="these tests", channel="70", silence_s=1.5
)
HEADER = TapeHeader(station="st", ports={"one": TapePort("bench", PROFILE)})
UTC_NS = 1_793_600_000 * 10**9
HEARD = [
    Chunk("one", Moment(1, UTC_NS, ClockState.NTP), b"$GPZDA\r\n", gap=True),
    Tick(Moment(2, None, ClockState.UNSET)),
    Chunk("one", Moment(3, UTC_NS + 2, ClockState.FREE), bytes(range(256))),
    Chunk("two", Moment(4), b"", gap=True),
    Tick(Moment(5, UTC_NS + 4, ClockState.GNSS)),
    Fact(
        fact_id="f1",
        what=EventWord.SPOKEN,
        also=(EventWord.CALL,),
        at=Moment(6, UTC_NS + 5, ClockState.NTP, 20),
        person="Officer A",
        channel="vhf16",
        words="SEELONCE MAYDAY",
        fields=("position", "nature"),
        address=Identity(mmsi="211000001"),
        place=Position(lat_deg=51.5, lon_deg=-1.25),
        lasts_s=1.5,
    ),
    Request(
        request_id="q1",
        at=Moment(7),
        channel="vhf70",
        category=Urgency.DISTRESS,
        purpose="distress_ack",
        marked=Mode.EXERCISE,
        persons=("Officer A", "Officer B"),
        airborne=True,
    ),
]


@pytest.fixture
def tape(tmp_path) -> Path:
    path = tmp_path / "a.tape"
    writer = TapeWriter(path, HEADER)
    for heard in HEARD:
        writer.write(heard)
    writer.close()
    return path


def all_of(path: Path) -> list:
    """Read as far as it goes; the last item is the damage, if any."""
    found = []
    try:
        header, records = read_tape(path)
        found.append(header)
        found.extend(records)
    except TapeBroken as broken:
        found.append(broken)
    return found


def test_what_was_written_is_read(tape):
    assert all_of(tape) == [HEADER, *HEARD]
    assert is_tape(tape)


def test_a_tape_is_plain_msgpack_for_everyone(tape):
    with tape.open("rb") as file:
        header, *rows = msgpack.Unpacker(file)

    assert header["tape"] == "distress-gateway"
    assert header["ports"]["one"]["profile"]["radio"] == ["dsc"]
    assert rows[0][:-1] == ["c", "one", 1, UTC_NS, "ntp", None, True, b"$GPZDA\r\n"]
    assert rows[1][:-1] == ["t", 2, None, "unset", None]
    assert rows[5][:5] == ["s", 6, UTC_NS + 5, "ntp", 20]
    assert rows[5][5]["words"] == "SEELONCE MAYDAY"
    assert rows[6][:-1] == [
        *("q", 7, None, "unset", None),
        {
            "request_id": "q1",
            "channel": "vhf70",
            "category": "distress",
            "purpose": "distress_ack",
            "marked": "exercise",
            "persons": ["Officer A", "Officer B"],
            "airborne": True,
        },
    ]


def of_version(path: Path, version: int) -> None:
    """Rewrite a tape as a release of that version wrote it, or a later one would."""
    with path.open("rb") as file:
        header, *rows = msgpack.Unpacker(file)
    header = {**header, "version": version}
    del header["crc"]
    values = [{**header, "crc": crc_of(header)}]
    values += [[*row[:-1], crc_of(row[:-1])] for row in rows]
    path.write_bytes(b"".join(map(msgpack.packb, values)))


def crc_of(value) -> int:
    return zlib.crc32(msgpack.packb(value))


def test_a_tape_of_the_release_before_is_read_as_it_was(tmp_path):
    path = tmp_path / "old.tape"
    writer = TapeWriter(path, HEADER)
    for heard in HEARD[:5]:
        writer.write(heard)
    writer.close()
    of_version(path, 2)

    assert all_of(path) == [HEADER, *HEARD[:5]]


def test_a_tape_of_a_later_release_is_refused_with_the_versions_that_are_read(tape):
    """An earlier release says the same of this one's: it would leave out what people stated."""
    of_version(tape, VERSION + 1)

    (broken,) = all_of(tape)

    assert broken.reason == f"tape version {VERSION + 1}; this release reads 1 to {VERSION}"


def test_what_a_month_came_to_is_on_tape_as_the_rules_heard_it(tmp_path):
    month = Availability(month="2026-11", due_s=10.0, kept=0.7, unknown=0.1, enough=False)
    fact = Fact(
        fact_id="f",
        what=EventWord.WATCH_MONTH,
        at=Moment(6),
        about="coast/W1",
        words="station/vhf70",
        month=month,
    )
    writer = TapeWriter(tmp_path / "a.tape", HEADER)
    writer.write(fact)
    writer.close()

    assert all_of(tmp_path / "a.tape") == [HEADER, fact]


def test_a_statement_that_says_more_than_this_release_knows_is_not_read_as_less(tape):
    with tape.open("rb") as file:
        *values, fact, _request = msgpack.Unpacker(file)
    fact[5]["depth_m"] = 20
    values.append([*fact[:-1], crc_of(fact[:-1])])
    tape.write_bytes(b"".join(map(msgpack.packb, values)))

    *before, broken = all_of(tape)

    assert before == [HEADER, *HEARD[:5]]
    assert broken.reason == "not understood: unknown to this release: depth_m"


def test_a_tape_cut_at_any_byte_gives_all_before_the_cut_and_says_so(tape):
    whole = tape.read_bytes()
    ends = record_ends(tape)
    for length in range(len(whole)):
        tape.write_bytes(whole[:length])
        found = all_of(tape)
        kept = sum(end <= length for end in ends)
        if length in ends:
            assert found == [HEADER, *HEARD][:kept]
        else:
            *before, broken = found
            assert before == [HEADER, *HEARD][:kept]
            assert broken.offset == max((end for end in ends if end <= length), default=0)
            assert broken.reason == ("cut short" if length else broken.reason)


def test_a_byte_damaged_anywhere_never_tells_another_story(tape):
    """What comes before the damage is unchanged; nothing after it is believed."""
    whole = tape.read_bytes()
    ends = record_ends(tape)
    for place in range(len(whole)):
        for flip in (0x01, 0x80, 0xFF):
            tape.write_bytes(whole[:place] + bytes([whole[place] ^ flip]) + whole[place + 1 :])
            *before, broken = all_of(tape)

            assert isinstance(broken, TapeBroken)
            assert before == [HEADER, *HEARD][: sum(end <= place for end in ends)]


def record_ends(path: Path) -> list[int]:
    with path.open("rb") as file:
        unpacker = msgpack.Unpacker(file)
        return [unpacker.tell() for _ in unpacker]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"$GPZDA,1*00\r\n",
        bytes(1000),
        b"\xdf\xff\xff\xff\xff",  # a map of four thousand million entries
        b"\x85\xa4tape\xb0distress-gateway\xa7version\x02" + b"\xa1a\x01" * 3,
        b"\x81" * 2000,  # maps in maps in maps
        b"\xc6\xff\xff\xff\xff",
    ],
)
def test_what_is_no_tape_is_refused(tmp_path, content):
    path = tmp_path / "b.tape"
    path.write_bytes(content)

    (broken,) = all_of(path)

    assert isinstance(broken, TapeBroken)
    assert broken.offset == 0


def test_an_existing_tape_is_never_overwritten(tape):
    before = tape.read_bytes()
    with pytest.raises(FileExistsError):
        TapeWriter(tape, HEADER)

    assert tape.read_bytes() == before


def test_a_capture_comes_at_the_speed_of_its_line(tmp_path):
    path = tmp_path / "log.nmea"
    path.write_bytes(bytes(10_000))

    *chunks, last = read_capture(path, "one", baud=4800)

    assert [len(chunk.data) for chunk in chunks] == [READ_BYTES_MAX] * 9 + [784]
    assert chunks[-1].heard.mono_ns == pytest.approx(10_000 / 480 * 1e9, rel=1e-6)
    assert {chunk.heard.utc_ns for chunk in chunks} == {None}
    assert (last.data, last.gap) == (b"", True)
    assert last.heard.mono_ns > chunks[-1].heard.mono_ns


def recorder_in(folder: Path, **limits) -> Recorder:
    limits = {"rotate_bytes": 2000, "keep_bytes": 10_000, **limits}
    return Recorder(folder, lambda: HEADER, **limits)


def test_the_recorder_keeps_the_newest_tapes_each_standing_alone(tmp_path):
    """Names sort in the order of recording, even when the clock is set back."""
    recorder = recorder_in(tmp_path)
    sent = [
        Chunk("one", Moment(i, UTC_NS - i * 10**12, ClockState.FREE), b"%06d" % i * 20)
        for i in range(300)
    ]
    for chunk in sent:
        recorder.write(chunk)
    recorder.close()
    tapes = sorted(tmp_path.iterdir())
    found = [all_of(path) for path in tapes]

    assert sum(path.stat().st_size for path in tapes) <= 10_000
    assert all(header == HEADER for header, *_ in found)
    kept = [chunk for _, *chunks in found for chunk in chunks]
    assert kept == sent[-len(kept) :]
    assert len(kept) > 20


def test_a_new_recorder_goes_on_after_the_last_tape(tmp_path):
    for _ in range(2):
        recorder = recorder_in(tmp_path)
        recorder.write(HEARD[0])
        recorder.close()

    assert [path.name for path in sorted(tmp_path.iterdir())] == [
        "00000001-20261102T061320Z.tape",
        "00000002-20261102T061320Z.tape",
    ]


def test_other_peoples_files_are_left_alone(tmp_path):
    other = tmp_path / "holiday.tape"
    other.write_bytes(bytes(50_000))
    recorder = recorder_in(tmp_path)
    for heard in HEARD * 100:
        recorder.write(heard)
    recorder.close()

    assert other.stat().st_size == 50_000


def test_a_broken_disk_costs_records_not_the_watch(tmp_path):
    """Counted, told, left alone for ten seconds, tried again with a new tape."""
    folder = tmp_path / "tapes"
    folder.write_text("a file where the folder should be")
    recorder = recorder_in(folder)
    for mono_ns in (0, 1, RETRY_NS - 1):
        recorder.write(Tick(Moment(mono_ns)))

    assert recorder.records_lost == 3
    assert recorder.last_error

    folder.unlink()
    recorder.write(Tick(Moment(RETRY_NS)))
    recorder.close()

    assert recorder.last_error is None
    assert recorder.records_lost == 3
    assert all_of(*folder.iterdir()) == [HEADER, Tick(Moment(RETRY_NS))]


def test_a_tape_that_the_disk_takes_half_of_is_ended(tmp_path):
    recorder = recorder_in(tmp_path)
    recorder.write(HEARD[0])

    class Full:
        closed = False

        def write(self, packed):
            return len(packed) // 2

        def close(self):
            self.closed = True

    full = Full()
    recorder._tape._file.close()
    recorder._tape._file = full
    recorder.write(HEARD[1])

    assert recorder.records_lost == 1
    assert "space" in recorder.last_error
    assert full.closed


async def played(way: TapeWay) -> tuple[bytes, str, float]:
    begun = time.monotonic()
    wire, _node = await way.open()
    data = b""
    try:
        while True:
            data += await wire.read()
    except WireEnded as ended:
        return data, ended.reason, time.monotonic() - begun


@pytest.mark.parametrize(
    ("asked", "least_s", "most_s"),
    [("", 0.2, 0.4), ("?speed=4", 0.05, 0.15), ("?speed=max", 0, 0.05)],
)
def test_a_tape_plays_at_the_speed_asked_for(tmp_path, clock, asked, least_s, most_s):
    path = tmp_path / "a.tape"
    writer = TapeWriter(path, HEADER)
    for i in range(5):
        writer.write(Chunk("one", Moment(10**15 + i * 5 * 10**7), b"%d" % i, gap=not i))
        writer.write(Chunk("two", Moment(10**15 + i * 5 * 10**7), b"x"))
    writer.close()

    data, reason, took_s = asyncio.run(played(TapeWay(f"tape:{path}{asked}", clock=clock, baud=1)))

    assert (data, reason) == (b"01234", "end of the tape")
    assert least_s <= took_s <= most_s


def test_a_tape_is_not_lost_to_a_cancelled_read(tmp_path, clock):
    path = tmp_path / "a.tape"
    writer = TapeWriter(path, HEADER)
    for i in range(3):
        writer.write(Chunk("one", Moment(i * 10**8), b"%d" % i))
    writer.close()

    async def story():
        wire, _node = await TapeWay(f"tape:{path}", clock=clock, baud=1).open()
        data = b""
        while len(data) < 3:
            try:
                data += await asyncio.wait_for(wire.read(), 0.03)
            except TimeoutError:
                continue
        return data

    assert asyncio.run(story()) == b"012"


def test_a_broken_tape_plays_up_to_the_damage_and_says_where(tape, clock):
    tape.write_bytes(tape.read_bytes()[:-1])

    data, reason, _ = asyncio.run(played(TapeWay(f"tape:{tape}?speed=max", clock=clock, baud=1)))

    assert data == HEARD[0].data + HEARD[2].data
    assert "cut short" in reason


def test_a_plain_capture_plays_as_a_modem_too(tmp_path, clock):
    path = tmp_path / "log.nmea"
    path.write_bytes(b"$GPZDA\r\n" * 1000)
    way = TapeWay(f"tape:{path}?speed=max", clock=clock, baud=4800)

    data, reason, _ = asyncio.run(played(way))

    assert (data, reason) == (path.read_bytes(), "end of the tape")


def test_a_tape_of_many_ports_must_be_told_which(tmp_path, clock):
    path = tmp_path / "a.tape"
    ports = {"one": HEADER.ports["one"], "two": HEADER.ports["one"]}
    TapeWriter(path, TapeHeader("st", ports)).close()

    with pytest.raises(WireLost, match="one, two"):
        asyncio.run(TapeWay(f"tape:{path}", clock=clock, baud=1).open())


def test_an_ended_tape_is_not_played_again_by_itself(tape, port_of):
    """It would tell old distress as new; a person may ask for it."""
    port = port_of(f"tape:{tape}?speed=max")

    async def story():
        chunks = port.chunks()
        seen = [await anext(chunks) for _ in range(3)]
        again = asyncio.ensure_future(anext(chunks))
        await asyncio.sleep(0.5)
        assert not again.done()
        assert (port.state.state, port.state.retry_at_mono_ns) == ("waiting", None)
        assert port.state.last_error == "end of the tape"
        port.retry_now()
        assert (await again).data == seen[0].data
        await chunks.aclose()

    asyncio.run(story())


def test_play_gives_everything_when_it_is_due(clock):
    async def story():
        begun = time.monotonic()
        return [
            (record, time.monotonic() - begun)
            async for record in play(
                [Tick(Moment(0)), Tick(Moment(10**9))], clock=clock, speed=10.0
            )
        ]

    (first, at_once), (second, later_s) = asyncio.run(story())

    assert [first, second] == [Tick(Moment(0)), Tick(Moment(10**9))]
    assert at_once < 0.05
    assert 0.1 <= later_s < 0.2
