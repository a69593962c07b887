"""Have we met? The first never waits, a copy is labelled, and nothing is dropped."""

from __future__ import annotations

import pytest

from gateway.correlate import copies as room
from gateway.correlate.copies import COPY_WINDOW_NS, WITNESSES_MAX, Copies
from gateway.model.inbound import Detail, Frame, Heard, Moment, Reading, Report
from gateway.model.words import ClockState, Confidence, Integrity, Kind, Mode, Relation, Urgency


def hear(copies, content, at_ns=0, *, port="p", system="ais", refines=None):
    report = Report(
        report_id=f"{port}-{at_ns}-{content!r}",
        schema=1,
        system=system,
        kind=Kind.ALERT,
        urgency=Urgency.DISTRESS,
        mode=Mode.REAL,
        heard=Heard(station="s", port=port, modem="m", mono_ns=at_ns, clock=ClockState.UNSET),
        integrity=Integrity.CHECKSUM,
        confidence=Confidence.VERIFIED,
        refines=refines,
        raw=("x",),
    )
    frame = Frame(port, Moment(at_ns), content, content, len(content), 0)
    return copies.place(report, Reading((frame,), system, Detail(), content))


def test_first_passes_at_once_and_is_its_own_witness():
    sighting = hear(Copies(), b"A", 5)

    assert (sighting.relation, sighting.first_id) == (Relation.FIRST, None)
    assert [(w.port, w.mono_ns) for w in sighting.witnesses] == [("p", 5)]
    assert sighting.content == b"A"


def test_copy_names_the_first_and_every_witness():
    copies = Copies()
    first = hear(copies, b"A", 0, port="p")
    hear(copies, b"A", 1, port="q")
    third = hear(copies, b"A", 2, port="r")

    assert (third.relation, third.first_id) == (Relation.COPY, first.report.report_id)
    assert [witness.port for witness in third.witnesses] == ["p", "q", "r"]


@pytest.mark.parametrize(
    ("later_ns", "relation"),
    [
        (0, Relation.COPY),
        (COPY_WINDOW_NS, Relation.COPY),
        (COPY_WINDOW_NS + 1, Relation.FIRST),
    ],
)
def test_window_ends_a_copy(later_ns, relation):
    copies = Copies()
    hear(copies, b"A", 100)

    assert hear(copies, b"A", 100 + later_ns).relation is relation


def test_window_is_counted_from_the_first_and_not_stretched_by_copies():
    """A beacon that repeats itself without end is not one transmission without end."""
    copies = Copies()
    step_ns = COPY_WINDOW_NS // 2
    relations = [hear(copies, b"A", turn * step_ns).relation for turn in range(6)]

    assert relations == [Relation.FIRST, Relation.COPY, Relation.COPY] * 2


@pytest.mark.parametrize("other", [{"content": b"A" * 999 + b"C"}, {"system": "dsc"}])
def test_only_the_same_content_of_the_same_system_is_a_copy(other):
    """The whole content counts: no two messages share a key."""
    copies = Copies()
    hear(copies, b"A" * 999 + b"B")

    assert hear(copies, **{"content": b"A" * 999 + b"B", **other}).relation is Relation.FIRST


def test_refinement_is_called_so_and_its_copy_a_copy():
    copies = Copies()

    assert hear(copies, b"A", refines="earlier").relation is Relation.REFINEMENT
    assert hear(copies, b"A", 1, refines="earlier").relation is Relation.COPY


def test_witnesses_are_bounded_and_copies_beyond_still_told():
    copies = Copies()
    sightings = [hear(copies, b"A", turn, port=f"p{turn}") for turn in range(WITNESSES_MAX + 3)]

    assert len(sightings[-1].witnesses) == WITNESSES_MAX
    assert sightings[-1].relation is Relation.COPY
    assert sightings[-1].first_id == sightings[0].report.report_id


def test_memory_is_bounded_and_the_oldest_goes_first(monkeypatch):
    monkeypatch.setattr(room, "TRANSMISSIONS_MAX", 3)
    copies = Copies()
    for turn in range(4):
        hear(copies, b"%d" % turn, turn)

    assert (len(copies), copies.evicted) == (3, 1)
    assert hear(copies, b"0", 5).relation is Relation.FIRST
    assert hear(copies, b"3", 6).relation is Relation.COPY


def test_memory_forgets_what_is_too_old_to_be_copied():
    copies = Copies()
    for turn in range(100):
        hear(copies, b"%d" % turn, turn * (COPY_WINDOW_NS + 1))

    assert len(copies) <= 2
    assert copies.evicted == 0
