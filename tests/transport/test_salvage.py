"""A damaged tape tells all that is whole, counts the rest, and tells no other story."""

from __future__ import annotations

import zlib

import msgpack
import pytest

from gateway.model.agreement import EventWord
from gateway.model.asked import Fact, Request
from gateway.model.inbound import Chunk, Moment, Tick
from gateway.model.plan import Profile
from gateway.model.words import ClockState, Urgency
from gateway.transport import salvage
from gateway.transport.salvage import Lost, Salvage
from gateway.transport.tape import TapeBroken, TapeHeader, TapePort, TapeWriter, read_tape

PROFILE = Profile(title="bench", radio=("dsc",), framing="nmea", proven="these tests")
HEADER = TapeHeader("st", {"one": TapePort("bench", PROFILE)}, boot="b00t")
HEARD = [
    Chunk("one", Moment(1, 10**18, ClockState.NTP, 7), b"$GPZDA\r\n", gap=True),
    Tick(Moment(2, None)),
    Chunk("one", Moment(3, 10**18 + 2, ClockState.FREE), bytes(range(256))),
    Tick(Moment(4, 10**18 + 4, ClockState.GNSS, 1)),
    Chunk("one", Moment(5), b"\x99\xa1c\x96\xa1t\x99\xa1c"),
    Tick(Moment(6)),
    Fact(fact_id="f", what=EventWord.ANSWER, at=Moment(7), words="ja"),
    Request(request_id="q", at=Moment(8), category=Urgency.ROUTINE, purpose="calling"),
    Tick(Moment(9)),
]
HEARD_OLD = 6
"""So many of them a tape of the first versions could hold: nothing was stated or asked on it."""


@pytest.fixture
def tape(tmp_path):
    path = tmp_path / "a.tape"
    writer = TapeWriter(path, HEADER)
    for heard in HEARD:
        writer.write(heard)
    writer.close()
    return path


def ends_of(path):
    with path.open("rb") as file:
        unpacker = msgpack.Unpacker(file)
        return [unpacker.tell() for _ in unpacker]


def told(path):
    """Return what is on a tape, without what only says that there was a gap; and what is lost."""
    running = Salvage(path)
    heard = [one for one in running.records() if not (isinstance(one, Chunk) and not one.data)]
    return heard, running.lost


def test_a_whole_tape_is_read_as_it_is(tape):
    assert Salvage(tape).header == HEADER
    assert told(tape) == (HEARD, [])
    assert list(read_tape(tape)[1]) == HEARD


def test_one_damaged_byte_costs_the_record_that_it_is_in(tape):
    whole, ends = tape.read_bytes(), ends_of(tape)
    for place in range(ends[0], len(whole)):
        struck = sum(end <= place for end in ends) - 1
        for flip in (0x01, 0x80, 0xFF):
            tape.write_bytes(whole[:place] + bytes([whole[place] ^ flip]) + whole[place + 1 :])
            heard, lost = told(tape)

            assert heard == HEARD[:struck] + HEARD[struck + 1 :]
            assert [(one.offset, one.span) for one in lost] == [
                (ends[struck], ends[struck + 1] - ends[struck])
            ]


def test_bytes_put_in_or_left_out_cost_what_they_hit(tape):
    whole, ends = tape.read_bytes(), ends_of(tape)
    tape.write_bytes(whole[: ends[2]] + b"\x00garbage" + whole[ends[2] :])
    put_in = told(tape)
    tape.write_bytes(whole[: ends[1] - 3] + whole[ends[1] + 2 :])
    left_out, lost = told(tape)

    assert put_in[0] == HEARD
    assert [one.span for one in put_in[1]] == [8]
    assert left_out == HEARD[2:]
    assert sum(one.span for one in lost) == ends[2] - ends[0] - 5


def test_a_tape_that_is_cut_gives_all_before_the_cut(tape):
    whole, ends = tape.read_bytes(), ends_of(tape)
    for length in range(ends[0], len(whole)):
        tape.write_bytes(whole[:length])
        heard, lost = told(tape)

        assert heard == HEARD[: sum(end <= length for end in ends) - 1]
        assert [one.reason for one in lost] == ([] if length in ends else ["cut short"])


def test_each_port_hears_of_the_gap_behind_the_damage(tape):
    whole, ends = tape.read_bytes(), ends_of(tape)
    tape.write_bytes(whole[: ends[2] + 9] + b"\xff" + whole[ends[2] + 10 :])

    assert list(Salvage(tape).records())[2:4] == [
        Chunk("one", HEARD[3].now, b"", gap=True),
        HEARD[3],
    ]


def test_a_damaged_header_leaves_the_tape_unread(tape):
    whole = tape.read_bytes()
    tape.write_bytes(whole[:40] + b"?" + whole[41:])

    with pytest.raises(TapeBroken):
        Salvage(tape)


def test_places_of_damage_are_bounded(tape, monkeypatch):
    monkeypatch.setattr(salvage, "LOST_MAX", 1)
    whole, ends = tape.read_bytes(), ends_of(tape)
    tape.write_bytes(
        whole[: ends[1] - 1] + b"?" + whole[ends[1] : ends[3] - 1] + b"?" + whole[ends[3] :]
    )
    heard, lost = told(tape)

    assert heard == [HEARD[1], *HEARD[3:]]
    assert lost == [Lost(ends[0], "damaged: wrong checksum", ends[1] - ends[0] + ends[3] - ends[2])]


def test_tapes_of_version_1_are_read_and_salvaged(tape):
    """They have neither a boot nor the error of the clock."""
    with tape.open("rb") as file:
        header, *rows = msgpack.Unpacker(file)
    del header["boot"], header["crc"]
    header["version"] = 1
    del rows[HEARD_OLD:]
    for row in rows:
        del row[5 if row[0] == "c" else 4], row[-1]
    packed = [crowned(header), *(crowned(row) for row in rows)]
    tape.write_bytes(b"".join(packed))
    old = read_tape(tape)
    read = list(old[1])
    tape.write_bytes(b"".join([packed[0], packed[1][:-1] + b"?", *packed[2:]]))

    assert old[0] == TapeHeader("st", HEADER.ports)
    assert [type(one) for one in read] == [type(one) for one in HEARD[:HEARD_OLD]]
    assert read[0] == Chunk("one", Moment(1, 10**18, ClockState.NTP), b"$GPZDA\r\n", gap=True)
    assert told(tape)[0] == read[1:]


def crowned(fields):
    """Return a value of a tape with its checksum, packed."""
    crc = zlib.crc32(msgpack.packb(fields))
    whole = {**fields, "crc": crc} if isinstance(fields, dict) else [*fields, crc]
    return msgpack.packb(whole)
