"""Digital selective calling as symbols: what the vectors don't show, and that noise is no call."""

from __future__ import annotations

import os
import random
import time
import tomllib
from functools import reduce
from operator import xor
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from gateway.framing.nmea import Nmea
from gateway.framing.symbols import Symbols
from gateway.model.inbound import Chunk, Frame, Moment, Reading, Refused, Ruling, Unread
from gateway.model.plan import PortPlan, Profile
from gateway.model.words import Confidence, Integrity, Urgency
from gateway.pipeline import hallway
from gateway.radio.dsc import Dsc
from gateway.radio.dsc.air import Sequence
from gateway.radio.dsc.call import Illegible, read_call
from gateway.radio.dsc.figures import expansion_sets, expansion_symbols, raw_sentence
from gateway.radio.dsc.meaning import draft_of_call
from gateway.radio.dsc.send import write_pairs, write_printed, write_symbols
from gateway.radio.dsc.write import call_texts
from tests.rooms.spoken import without_notes

ROWS = tomllib.loads((Path(__file__).parents[2] / "vectors" / "dsc.toml").read_text("utf-8"))
SENTENCES = [
    (row["name"], wire.partition("*")[0])
    for row in ROWS["vector"]
    if "framing" not in row and not row.get("refused")
    for wire in row["wire"]
    if "DSC," in wire
]
EXPANSION = (("00", "12345678"), ("01", "020800"), ("04", "DARLING 7"), ("06", "0012"))
ALERT = "$CDDSC,12,3380400790,12,06,00,1423108312,2019,,,S,"
NOISE = int(os.environ.get("NOISE", "3000"))
MUTATED = 3000
INPUT_S_MAX = 0.05
"""Ten times what a single input may take: other work goes on on the machine of a test."""


class Ears:
    """A hallway with one modem at it, and a clock that only a test moves."""

    def __init__(self, framing: str) -> None:
        profile = Profile(title="test", radio=("dsc",), framing=framing, proven="test")
        port = PortPlan(name="a", device="tape:test", modem="test", profile=profile)
        self.pipeline = hallway("test", [port])
        self.now_ns = 0

    def hear(self, wire: bytes):
        self.now_ns += 10**9
        return without_notes(self.pipeline.inbound(Chunk("a", Moment(self.now_ns), wire)))

    def reports(self, *wires: bytes):
        items = [item for wire in wires for item in self.hear(wire)]
        return [item.sighting.report for item in items if isinstance(item, Ruling)]


def call_of(sentence: str):
    call = read_call(sentence.split(",")[1:])
    assert not isinstance(call, Illegible)
    return call


def heard_as_pairs(slots):
    return Ears("symbols").reports(write_pairs(slots))


def apart(slots):
    """Return the symbols of a transmission, by arithmetic that shares nothing with the decoder."""
    phasing = [125, 111, 125, 110, 125, 109, 125, 108, 125, 107, 125, 106]
    assert list(slots[:12]) == phasing
    assert (slots[13], slots[15]) == (105, 104)
    dx = list(slots[12::2])
    for at in range(len(dx) - 2):
        assert slots[12 + 2 * at + 5] == dx[at]
    end = next(at for at, symbol in enumerate(dx) if symbol in (117, 122, 127))
    assert dx[0] == dx[1]
    assert dx[end + 1] == reduce(xor, dx[1 : end + 1])
    assert dx[end + 2] == dx[end + 3] == dx[end]
    return dx[1 : end + 1]


def sendable():
    """Yield each sentence that symbols can say, and whose sender is in it."""
    for at, (name, sentence) in enumerate(SENTENCES):
        call = read_call(sentence.split(",")[1:])
        if isinstance(call, Illegible) or draft_of_call(call).doubts:
            continue
        if call.telecommand1_code != 122 and call.format_code != 102:
            yield pytest.param(sentence, id=f"{name}-{at}")


@pytest.mark.parametrize("sentence", list(sendable()))
def test_a_raw_call_has_the_words_of_its_sentence(sentence):
    """What is sent of a sentence, and heard as symbols, is told like the sentence: a copy of it."""
    (told,) = Ears("nmea").reports(Nmea.wrap(sentence.encode("latin-1")))
    call = told.detail
    address = None if call.format_code in (112, 116) else "002320001"
    slots = write_symbols(replace(call, address_id=address))
    apart(slots)
    (raw,) = heard_as_pairs(slots)

    plain = replace(read_call(plain_texts(call)), address_id=address)
    assert replace(raw.detail, proof=None) == plain
    assert (raw.addressee and raw.addressee.mmsi) == address
    for name in ("kind", "urgency", "mode", "sender", "casualty", "nature", "position"):
        assert getattr(raw, name) == getattr(told, name), name
    assert (raw.text, raw.claimed_utc) == (told.text, told.claimed_utc)
    assert (raw.confidence, raw.integrity) == (Confidence.VERIFIED, Integrity.PARITY)


def plain_texts(call):
    """Return the fields of the call in the printed dialect, without the word of an expansion."""
    texts = call_texts(replace(call, expansion_announced=False))
    return [*texts[:2], texts[2] or "12", *texts[3:9], texts[9] or "S", ""]


def test_the_symbols_of_an_alert_are_those_of_the_standard():
    """M.493-15 table A1-4.1, place by place."""
    assert apart(write_symbols(call_of(ALERT))) == [
        *(112, 33, 80, 40, 7, 90, 106),
        *(14, 23, 10, 83, 12, 20, 19, 100, 127),
    ]


def test_a_raw_call_is_a_copy_of_its_sentence_heard_elsewhere():
    def plan(name, framing):
        profile = Profile(title="test", radio=("dsc",), framing=framing, proven="test")
        return PortPlan(name=name, device="tape:test", modem="test", profile=profile)

    pipeline = hallway("test", [plan("a", "nmea"), plan("b", "symbols")])
    pipeline.inbound(Chunk("a", Moment(0), Nmea.wrap(ALERT.encode())))
    wire = write_pairs(write_symbols(call_of(ALERT)))
    (item,) = without_notes(pipeline.inbound(Chunk("b", Moment(10**9), wire)))

    assert item.sighting.relation == "copy"


def test_an_expansion_refines_the_call_right_before_it():
    slots = write_symbols(call_of(ALERT), EXPANSION)
    first, second = heard_as_pairs(slots)

    assert second.refines == first.report_id
    assert first.position.resolution_m > 1 > second.position.resolution_m
    assert (second.persons_on_board, second.text) == (12, "DARLING 7")
    assert (second.position.source, second.position.datum) == ("gnss", "wgs84")
    assert second.detail.expansion.sets == EXPANSION
    assert second.detail.expansion_announced
    assert second.detail.proof.expansion_check == "right"
    assert second.confidence is Confidence.VERIFIED


def test_a_printed_expansion_is_told_with_its_call():
    slots = write_symbols(call_of(ALERT), EXPANSION)
    (whole,) = Ears("lines").reports(write_printed(slots) + b"\r\n")
    (together,) = Ears("lines").reports(write_printed(slots[12::2]) + b"\r\n")

    assert whole.persons_on_board == together.persons_on_board == 12
    assert whole.detail.expansion == together.detail.expansion


def test_an_expansion_may_follow_its_call_again_and_again():
    slots = write_symbols(call_of(ALERT), EXPANSION)
    alone = len(write_symbols(call_of(ALERT)))
    ears = Ears("symbols")
    first, _ = ears.reports(write_pairs(slots))
    for persons in ("0013", "0014"):
        more = write_symbols(call_of(ALERT), (("06", persons),))[alone:]
        (report,) = ears.reports(write_pairs(more))

        assert report.refines == first.report_id
        assert report.persons_on_board == int(persons)


def test_an_expansion_that_its_check_character_does_not_prove_says_so():
    slots = list(write_symbols(call_of(ALERT), EXPANSION))
    alone = len(write_symbols(call_of(ALERT)))
    slots[alone + 8] = slots[alone + 13] = 3
    first, second = heard_as_pairs(slots)

    assert first.confidence is Confidence.VERIFIED
    assert second.confidence is Confidence.TENTATIVE
    assert "the error-check character of its expansion does not prove it" in second.doubts


def test_an_expansion_without_its_call_is_kept_and_told():
    slots = write_symbols(call_of(ALERT), EXPANSION)
    alone = len(write_symbols(call_of(ALERT)))
    (item,) = Ears("symbols").hear(write_pairs(slots[alone:]))

    assert isinstance(item, Refused)
    assert item.distress_like


@pytest.mark.parametrize("copy", [0, 5])
def test_either_copy_of_any_symbol_may_be_lost(copy):
    slots = write_symbols(call_of(ALERT))
    for at in range(12, len(slots) - 9, 2):
        bent = [*slots[: at + copy], None, *slots[at + copy + 1 :]]
        (report,) = heard_as_pairs(bent)

        assert report.confidence is Confidence.VERIFIED, at
        assert report.casualty.mmsi == "338040079"


def test_any_four_bits_bent_in_one_copy_are_put_right_and_counted():
    dice = random.Random(3)
    slots = write_symbols(call_of(ALERT))
    for _ in range(200):
        wire = bytearray(write_pairs(slots))
        for at in dice.sample(range(12, len(slots) - 9, 2), 4):
            wire[2 * at + 1] ^= 1 << dice.randrange(5)
        (report,) = Ears("symbols").reports(bytes(wire))

        assert report.confidence is Confidence.VERIFIED
        assert report.corrected_bits == 4
        assert report.casualty.mmsi == "338040079"


def test_of_two_copies_that_differ_the_error_check_character_takes_the_right_one():
    slots = list(write_symbols(call_of(ALERT)))
    slots[16] = 99
    (report,) = heard_as_pairs(slots)

    assert report.casualty.mmsi == "338040079"
    assert report.confidence is Confidence.VERIFIED


def test_a_distress_with_a_wrong_check_character_is_told_and_never_verified():
    slots = [
        slot if at not in (42, 47) else 3 for at, slot in enumerate(write_symbols(call_of(ALERT)))
    ]
    (report,) = heard_as_pairs(slots)

    assert report.urgency is Urgency.DISTRESS
    assert (report.confidence, report.integrity) == (Confidence.TENTATIVE, Integrity.NONE)
    assert "its error-check character is wrong" in report.doubts


def test_a_distress_without_its_check_character_is_told_and_says_so():
    slots = [
        slot if at not in (46, 51) else None
        for at, slot in enumerate(write_symbols(call_of(ALERT)))
    ]
    (report,) = heard_as_pairs(slots)

    assert report.urgency is Urgency.DISTRESS
    assert report.casualty.mmsi == "338040079"
    assert report.detail.proof.check == "missing"
    assert report.confidence is Confidence.TENTATIVE


def test_an_expansion_that_asks_or_has_nothing_is_written_and_read_back():
    asks, none = "C10", "C26"
    sets = (("00", asks), ("01", none), ("04", "DARLING'S 7/I"), ("03", "0450"), ("06", asks))
    symbols = expansion_symbols(sets)

    assert expansion_sets(Sequence(symbols, "right", 0, 0)) == sets
    assert symbols[:4] == (100, 110, 101, 126)
    assert symbols[-1] == 127
    told = raw_sentence("338040079", Sequence(symbols, "right", 0, 0))
    assert (told.flag, told.total, told.sets) == ("query", 1, sets)


def test_an_expansion_that_only_tells_asks_for_nothing():
    symbols = expansion_symbols(EXPANSION)
    told = raw_sentence("338040079", Sequence(symbols, "right", 0, 0))

    assert (told.flag, told.sets) == ("automatic", EXPANSION)


def test_a_letter_that_is_in_no_table_is_a_question_mark():
    assert expansion_sets(Sequence((104, 11, 41, 42, 99, 12, 127), "right", 0, 0)) == (
        ("04", "A ??B"),
    )


@pytest.mark.parametrize("code", [107, 99, None])
def test_an_expansion_with_a_code_of_no_table_can_not_be_cut(code):
    assert expansion_sets(Sequence((102, 4, 50, code, 1, 127), "right", 0, 0)) is None


def test_a_call_with_a_symbol_too_many_says_so():
    texts = write_symbols(call_of(ALERT))
    dx = [*texts[12::2]]
    longer = [*dx[:15], 88, *dx[15:]]
    (report,) = Ears("lines").reports(write_printed(longer) + b"\r\n")

    assert report.urgency is Urgency.DISTRESS
    assert "number of symbols" in report.detail.unreadable


def test_half_an_alert_is_told_as_what_may_be_one():
    wire = write_pairs(write_symbols(call_of(ALERT))[:30])
    ears = Ears("symbols")
    (item,) = [*ears.hear(wire), *ears.hear(b"\r\n")]

    assert isinstance(item, Refused)
    assert item.distress_like


def test_an_alert_on_a_port_that_expects_something_else_is_told_as_one():
    profile = Profile(title="test", radio=("gnss",), framing="lines", proven="test")
    port = PortPlan(name="a", device="tape:test", modem="test", profile=profile)
    line = write_printed(write_symbols(call_of(ALERT))[12::2]) + b"\r\n"
    (item,) = without_notes(hallway("test", [port]).inbound(Chunk("a", Moment(0), line)))

    assert item.distress_like


def test_noise_is_no_distress():
    """Random slots, random numbers and random pieces of calls: none is verified distress.

    NOISE=1000000 makes as many of each kind.
    """
    dice = random.Random(5)
    slots = write_symbols(call_of(ALERT))
    verified, radio, framer = 0, Dsc(), Symbols()
    for _ in range(NOISE):
        kind = dice.randrange(4)
        if kind == 0:
            frames = framer.split(chunk(noise_pairs([dice.randrange(1024) for _ in slots])))
        elif kind == 1:
            frames = framer.split(chunk(write_pairs([dice.randrange(128) for _ in slots])))
        elif kind == 2:
            frames = [line(write_printed([dice.randrange(128) for _ in range(20)]))]
        else:
            frames = [line(write_printed([112, 112, *(dice.randrange(128) for _ in range(18))]))]
        for frame in frames:
            for found in radio.read(frame) or ():
                if isinstance(found, Reading):
                    draft = radio.report(found)
                    verified += (
                        draft.urgency is Urgency.DISTRESS
                        and draft.confidence is Confidence.VERIFIED
                    )

    assert verified == 0


def chunk(wire):
    return Chunk("a", Moment(0), wire)


def noise_pairs(values):
    return b"".join(bytes((0x80 | value >> 5, 0xC0 | value & 31)) for value in values)


def line(body):
    return Frame("a", Moment(0), body, body, len(body), 0)


def test_no_mutation_breaks_the_decoder_or_holds_it_up():
    """However symbols are dropped, doubled, swapped and bent: no exception, and soon done."""
    dice = random.Random(7)
    seeds = [write_symbols(call_of(ALERT), EXPANSION)]
    seeds += [write_symbols(call_of(said)) for _, said in SENTENCES if legible(said)]
    slowest, radio = 0.0, Dsc()
    for _ in range(MUTATED):
        slots = [*dice.choice(seeds)]
        for _ in range(dice.randrange(1, 6)):
            mutate(dice, slots)
        body = write_printed(slots) if dice.random() < 0.5 else write_pairs(slots)
        began = time.thread_time()
        for found in radio.read(line(body)) or ():
            assert isinstance(found, Unread) or radio.report(found)
        slowest = max(slowest, time.thread_time() - began)

    assert slowest < INPUT_S_MAX


def legible(said):
    call = read_call(said.split(",")[1:])
    return not isinstance(call, Illegible) and call.self_id and call.format_code != 102


def mutate(dice, slots):
    at = dice.randrange(len(slots))
    match dice.randrange(5):
        case 0:
            slots[at] = None
        case 1:
            slots[at] = dice.randrange(128)
        case 2:
            del slots[at : at + dice.randrange(1, 8)]
            slots += [dice.randrange(128)]
        case 3:
            slots[at:at] = slots[at : at + dice.randrange(1, 8)]
        case 4:
            other = dice.randrange(len(slots))
            slots[at], slots[other] = slots[other], slots[at]


def test_the_detail_of_a_raw_call_can_be_published():
    (report,) = heard_as_pairs(write_symbols(call_of(ALERT)))

    assert msgspec.json.decode(msgspec.json.encode(report))["detail"]["proof"]["check"] == "right"
