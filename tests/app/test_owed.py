"""What memory holds of what the disk has not taken: in order, bounded, distress last to go."""

import pytest

from gateway.app import owed as owed_module
from gateway.app.owed import Debt, Owed
from gateway.model.entry import Entry, Lane


def debt(name, lane=Lane.DISTRESS, *, since_ns=0, asked=False):
    return Debt(None, Entry(0, "none", lane, None, name.encode()), since_ns, asked)


def names(debts):
    return " ".join(one.entry.body.decode() for one in debts)


@pytest.fixture
def three_at_most(monkeypatch):
    monkeypatch.setattr(owed_module, "OWED_MAX", 3)


def test_it_is_asked_for_by_urgency_and_then_in_the_order_of_hearing():
    held = Owed()
    for one in (debt("s1", Lane.SAFETY), debt("d1"), debt("u1", Lane.URGENCY), debt("d2")):
        held.put(one)
    held.put(debt("d3", asked=True))

    assert names(held) == "d1 d2 d3 u1 s1"
    assert names(held.due(9)) == "d1 d2 u1 s1"
    assert names(held.due(1)) == "d1"
    assert [entry.body for entry, _ in held.distress()] == [b"d1", b"d2", b"d3"]


@pytest.mark.usefixtures("three_at_most")
def test_no_distress_gives_way_to_less_and_what_has_no_place_is_counted():
    held = Owed()
    for one in (debt("s1", Lane.SAFETY), debt("s2", Lane.SAFETY), debt("u1", Lane.URGENCY)):
        held.put(one)
    held.put(debt("d1"))
    assert (names(held), held.lost) == ("d1 u1 s1", 1)
    held.put(debt("s3", Lane.SAFETY))
    assert (names(held), held.lost) == ("d1 u1 s1", 2)
    held.put(debt("d2"))
    held.put(debt("d3"))
    held.put(debt("d4"))
    held.put(debt("u2", Lane.URGENCY))

    assert (names(held), held.lost, len(held)) == ("d1 d2 d3", 6, 3)


@pytest.mark.usefixtures("three_at_most")
def test_what_is_journaled_in_the_end_keeps_its_age_and_is_not_lost():
    held = Owed()
    debts = [debt(f"d{n}", since_ns=n) for n in range(5)]
    for one in debts:
        held.put(one)
    assert held.lost == 2
    entries = [Entry(n + 7, "e1", Lane.DISTRESS, None, b"") for n in range(5)]
    for one, entry in zip(debts, entries, strict=True):
        held.paid(one, entry)

    assert (len(held), held.lost) == (0, 0)
    assert [held.since_ns(entry) for entry in entries] == [None, None, 2, 3, 4]
    assert held.since_ns(Entry(10, "e2", Lane.DISTRESS, None, b"")) is None
