"""NAVTEX: what the vectors don't show. Nothing that was received of a message is ever lost."""

from __future__ import annotations

import os
import random
import time

import pytest

from gateway.framing.nmea import Nmea
from gateway.model.inbound import Chunk, Frame, Moment, Reading, Refused, Ruling, Tick, Unread
from gateway.model.plan import PortPlan, Profile
from gateway.model.words import Confidence, Nature, Urgency
from gateway.pipeline import hallway
from gateway.radio.navtex import (
    LINES_MAX,
    MESSAGES_MAX,
    PAUSE_NS,
    SENTENCE_PAUSE_NS,
    SENTENCES_MAX,
    Navtex,
)
from gateway.radio.navtex.meaning import MENTIONS_MAX, SUBJECTS, mentions_in
from gateway.radio.navtex.sentences import write_sentences
from tests.rooms.spoken import without_notes

NOISE = int(os.environ.get("NOISE", "3000"))
MUTATED = 3000
INPUT_S_MAX = 0.05
"""Ten times what a single input may take: other work goes on on the machine of a test."""
RESCUE = (
    "231830 UTC APR\nYACHT OVERDUE. LAST SEEN IN 54-28.0N 012-30.0E.\nKEEP LOOKOUT AND REPORT.\n"
)


class Ears:
    """A hallway with one receiver at it, and a clock that only a test moves."""

    def __init__(self, framing: str = "nmea", radio: str = "navtex") -> None:
        profile = Profile(title="test", radio=(radio,), framing=framing, proven="test")
        port = PortPlan(name="a", device="tape:test", modem="test", profile=profile)
        self.pipeline = hallway("test", [port])
        self.now_ns = 0

    def hear(self, *wires: bytes):
        items = []
        for wire in wires:
            self.now_ns += 10**8
            items += without_notes(self.pipeline.inbound(Chunk("a", Moment(self.now_ns), wire)))
        return items

    def reports(self, *wires: bytes):
        return [i.sighting.report for i in self.hear(*wires) if isinstance(i, Ruling)]

    def after(self, ns: int):
        self.now_ns += ns
        items = self.pipeline.tick(Tick(Moment(self.now_ns)))
        return [item.sighting.report for item in items if isinstance(item, Ruling)]


def told(message_id, text, **more):
    return [Nmea.wrap(body) for body in write_sentences(message_id, text, **more)]


def test_a_message_is_told_with_its_last_sentence():
    wires = told("TD12", RESCUE)
    ears = Ears()

    assert ears.reports(*wires[:-1]) == []
    (report,) = ears.reports(wires[-1])
    assert report.text == RESCUE
    assert (report.urgency, report.confidence) == (Urgency.URGENCY, Confidence.VERIFIED)
    assert len(report.raw) == len(wires)
    assert ears.after(PAUSE_NS) == []


@pytest.mark.parametrize("lost", [0, 1, 2])
def test_of_a_message_with_a_sentence_lost_the_rest_is_told(lost):
    wires = told("TD12", RESCUE)
    ears = Ears()
    found = ears.reports(*wires[:lost], *wires[lost + 1 :])
    (report,) = found or ears.after(SENTENCE_PAUSE_NS + 1)

    assert report.confidence is Confidence.TENTATIVE
    assert f"1 of its {len(wires)} sentences did not come" in report.doubts
    assert (report.urgency is Urgency.URGENCY) is bool(lost)


def test_two_messages_told_at_once_are_two():
    one, other = told("TD12", RESCUE, sequence=1), told("JA20", RESCUE * 2, sequence=2)
    mixed = [wire for pair in zip(one, other, strict=False) for wire in pair]
    found = Ears().reports(*mixed, *other[len(one) :])

    assert [report.detail.message_id for report in found] == ["TD12", "JA20"]
    assert [report.text for report in found] == [RESCUE, RESCUE * 2]


def test_a_message_begun_anew_leaves_what_came_before():
    wires = told("TD12", RESCUE)
    first, second = Ears().reports(*wires[:2], *wires)

    assert (first.detail.ended, second.detail.ended) == (False, True)
    assert second.text == RESCUE


def test_waiting_messages_are_bounded_and_the_oldest_is_told():
    ears = Ears()
    found = []
    for sequence in range(MESSAGES_MAX + 1):
        found += ears.reports(told("TD12", RESCUE, sequence=sequence)[0])

    assert len(found) == 1
    bounds = {bound.of: bound for bound in ears.pipeline.ears["a"].radios[0].bounds()}
    assert bounds["Navtex._begun"].held == bounds["Navtex._begun"].limit == MESSAGES_MAX
    assert bounds["Navtex._begun"].evicted == 1
    assert len(ears.after(SENTENCE_PAUSE_NS + 1)) == MESSAGES_MAX


def test_a_message_without_end_is_told_as_far_as_it_came():
    ears = Ears()
    (report,) = ears.reports(*told("JE12", "A" * 42 * (SENTENCES_MAX + 1))[:SENTENCES_MAX])

    assert report.confidence is Confidence.TENTATIVE
    assert not report.detail.ended


def test_printed_lines_are_bounded_and_told():
    ears = Ears("lines")
    (report,) = ears.reports(b"ZCZC TD12\r\n", *[b"LINE\r\n"] * (LINES_MAX - 1))

    assert report.urgency is Urgency.URGENCY
    assert "its end did not come" in report.doubts


def test_a_printed_message_that_breaks_off_is_told_after_a_pause_or_when_the_next_begins():
    ears = Ears("lines")
    assert ears.reports(b"ZCZC TD12\r\nYACHT OVERDUE\r\n") == []
    (first,) = ears.reports(b"ZCZC JE12\r\nWIND\r\n")
    (second,) = ears.after(PAUSE_NS + 1)

    assert (first.text, second.text) == ("YACHT OVERDUE", "WIND")


def test_what_stands_between_printed_messages_is_none():
    assert Ears("lines").reports(b"---\r\nNNNN\r\n<05.05.2026 01:30:26>\r\n") == []


@pytest.mark.parametrize(
    ("message_id", "text", "urgency", "nature"),
    [
        ("TD01", "MAN OVERBOARD", Urgency.DISTRESS, Nature.MAN_OVERBOARD),
        ("TD01", "PIRATES HAVE HIJACKED M/V EXAMPLE", Urgency.DISTRESS, Nature.PIRACY_UNLAWFUL),
        ("TD01", "PIRACY. SUSPICIOUS CRAFT", Urgency.URGENCY, Nature.PIRACY_UNLAWFUL),
        ("TD01", "EPIRB SIGNAL RECEIVED", Urgency.URGENCY, Nature.BEACON_EMISSION),
        ("TD01", "TSUNAMI WARNING", Urgency.URGENCY, None),
        ("TA00", "CABLE SHIP AT WORK", Urgency.URGENCY, None),
        ("TA01", "BUOY SINKING ON FIRE", Urgency.SAFETY, None),
        ("TA01", "MAYDAY RELAY", Urgency.DISTRESS, None),
        ("TB01", "GALE", Urgency.SAFETY, None),
        ("TE01", "WIND", Urgency.ROUTINE, None),
        ("TZ01", "NO MESSAGES", Urgency.ROUTINE, None),
    ],
)
def test_how_urgent_a_message_is(message_id, text, urgency, nature):
    """Of search and rescue the words decide; what words alone say is never verified distress."""
    (report,) = Ears().reports(*told(message_id, text))

    assert (report.urgency, report.nature) == (urgency, nature)
    assert (report.confidence is Confidence.TENTATIVE) is (urgency is Urgency.DISTRESS)


def test_subjects_are_those_of_m540():
    assert set(SUBJECTS) == set("ABCDEFGHIJKLVWXYZ")
    assert SUBJECTS["D"] == "search_and_rescue"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("54-28.0N 012-30.0E", (54.466667, 12.5)),
        ("5428N 01230E", (54.466667, 12.5)),
        ("54-44,2S 014-02,9W", (-54.736667, -14.048333)),
        ("54 28.5N 012 30.1E", (54.475, 12.501667)),
        ("54-28-30N 012-30-15E", (54.475, 12.504167)),
        ("54-28.0N\n012-30.0E", (54.466667, 12.5)),
        ("54-28.0N/012-30.0E", (54.466667, 12.5)),
    ],
)
def test_places_are_found_where_they_stand(text, expected):
    (found,) = mentions_in(f"IN {text}.")

    assert (found.lat_deg, found.lon_deg) == pytest.approx(expected, abs=1e-6)
    assert f"IN {text}."[found.begin : found.end] == text


@pytest.mark.parametrize(
    "text",
    [
        "54-68.0N 012-30.0E",
        "94-28.0N 012-30.0E",
        "54-28.0N 192-30.0E",
        "54-2*.0N 012-30.0E",
        "154-28.0N 012-30.0E",
        "54-28.0N",
        "1730 UTC 0200 UTC",
    ],
)
def test_what_is_no_place_is_none(text):
    assert mentions_in(text) == ()


def test_no_more_places_are_listed_than_a_page_has():
    assert len(mentions_in("54-28.0N 012-30.0E " * (MENTIONS_MAX + 9))) == MENTIONS_MAX


def test_a_broken_sentence_of_search_and_rescue_is_told_as_what_may_be_a_call():
    body = Nmea.wrap(write_sentences("TD12", RESCUE)[0]).replace(b"YACHT", b"YACHX")
    (item,) = Ears().hear(body)

    assert isinstance(item, Refused)
    assert item.distress_like


def test_search_and_rescue_on_a_port_that_expects_something_else_is_told():
    (item,) = Ears(radio="gnss").hear(told("TD12", "YACHT OVERDUE")[0])

    assert item.distress_like


def test_no_mutation_breaks_the_decoder_holds_it_up_or_makes_a_verified_distress():
    """However sentences are bent, dropped and doubled: no exception, soon done, none believed."""
    dice = random.Random(11)
    seeds = [wire[:-5] for wire in (*told("TD00", "MAYDAY " + RESCUE), *told("JA01", RESCUE))]
    seeds += [b"ZCZC TD00", b"MAYDAY SINKING 54-28.0N 012-30.0E", b"NNNN"]
    radio, slowest = Navtex(), 0.0
    for turn in range(max(MUTATED, NOISE)):
        body = bytearray(dice.choice(seeds).removeprefix(b"$"))
        for _ in range(dice.randrange(4)):
            body[dice.randrange(len(body))] = dice.randrange(0x20, 0x7F)
        frame = Frame("a", Moment(turn * 10**9), bytes(body), bytes(body), len(body), 0)
        began = time.perf_counter()
        found = [*(radio.read(frame) or ()), *radio.expire(Moment(turn * 10**9))]
        drafts = [radio.report(one) for one in found if isinstance(one, Reading)]
        slowest = max(slowest, time.perf_counter() - began)
        assert all(isinstance(one, Reading | Unread) for one in found)
        assert not any(
            draft.urgency is Urgency.DISTRESS and draft.confidence is Confidence.VERIFIED
            for draft in drafts
        )

    assert slowest < INPUT_S_MAX
