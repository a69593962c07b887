"""What is at hand, and what only the disk knows: no entry is ever skipped."""

import random

import pytest
from msgspec.structs import replace

from gateway.model.entry import Entry, Lane
from gateway.mqtt.ahead import AHEAD_MAX, Ahead

LANE = Lane.DISTRESS


def entries(*numbers, follows=None):
    """Return entries of one lane, each behind the one before it."""
    made = []
    for number in numbers:
        made.append(Entry(number, "e1", LANE, None, b"", 1, follows))
        follows = number
    return made


def numbers(found):
    return None if found is None else [entry.number for entry in found]


@pytest.fixture
def ahead():
    return Ahead((LANE, Lane.SAFETY))


def test_only_the_disk_knows_what_stands_there_at_the_start(ahead):
    assert ahead.behind(LANE, 0, 10) is None


def test_where_the_disk_has_ended_what_follows_is_at_hand(ahead):
    ahead.read(LANE, 7)
    assert numbers(ahead.behind(LANE, 7, 10)) == []
    for entry in entries(9, 12, 13, follows=7):
        ahead.put(entry)
    assert numbers(ahead.behind(LANE, 7, 2)) == [9, 12]
    assert numbers(ahead.behind(LANE, 12, 2)) == [13]
    assert numbers(ahead.behind(LANE, 13, 2)) == []


def test_what_does_not_say_what_it_follows_is_read_from_the_disk(ahead):
    ahead.read(LANE, 7)
    ahead.put(entries(9)[0])
    assert ahead.behind(LANE, 7, 10) is None


def test_behind_a_missing_one_the_disk_is_asked(ahead):
    ahead.read(LANE, 7)
    for entry in (*entries(8, follows=7), *entries(10, follows=9)):
        ahead.put(entry)
    assert numbers(ahead.behind(LANE, 7, 10)) == [8]
    assert ahead.behind(LANE, 8, 10) is None


def test_what_the_disk_has_told_already_is_not_told_from_here(ahead):
    for entry in entries(8, 9, 10, follows=7):
        ahead.put(entry)
    assert numbers(ahead.behind(LANE, 9, 10)) == [10]


def test_who_begins_anew_begins_at_the_disk(ahead):
    ahead.read(LANE, 0)
    for entry in entries(8, 9, follows=7):
        ahead.put(entry)
    assert ahead.behind(LANE, 0, 10) is None
    assert ahead.behind(LANE, 0, 10) is None


def test_once_nothing_is_trusted_but_the_disk(ahead):
    ahead.read(LANE, 7)
    ahead.forget()
    assert ahead.behind(LANE, 7, 10) is None


def test_the_oldest_is_left_to_the_disk(ahead):
    ahead.read(LANE, 7)
    for entry in entries(*range(8, 9 + AHEAD_MAX), follows=7):
        ahead.put(entry)
    (bound,) = ahead.bounds()
    assert bound.held == bound.limit == AHEAD_MAX
    assert ahead.behind(LANE, 7, 10) is None


def test_lanes_know_nothing_of_each_other(ahead):
    ahead.read(LANE, 7)
    ahead.put(replace(entries(8, follows=3)[0], lane=Lane.SAFETY))
    assert numbers(ahead.behind(LANE, 7, 10)) == []
    assert ahead.behind(Lane.SAFETY, 0, 10) is None


class Disk:
    """An outbox, and somebody who should tell of each entry in it, and does so badly."""

    def __init__(self, dice, ahead):
        self.dice, self.ahead = dice, ahead
        self.rows, self.untold, self.number = [], [], 0

    def commit(self):
        self.number += self.dice.randint(1, 3)
        before = self.rows[-1] if self.rows else None
        self.rows.append(self.number)
        self.untold += entries(self.number, follows=before)

    def tell(self):
        """Tell of some of them: in order, out of order, or never."""
        while self.untold and self.dice.random() < 0.8:
            late = self.dice.random() < 0.1
            entry = self.untold.pop(-1 if late else 0)
            if self.dice.random() < 0.95:
                self.ahead.put(entry)

    def after(self, last, limit):
        return [number for number in self.rows if number > last][:limit]


def told_by(seed):
    """Have a pump go by what it is given; return how much of it never came from the disk."""
    dice, ahead = random.Random(seed), Ahead((LANE,))
    disk, last, taken, at_hand = Disk(dice, ahead), 0, [], 0
    for _ in range(400):
        for _ in range(dice.randint(0, 3)):
            disk.commit()
        disk.tell()
        if dice.random() < 0.02:
            last, taken = 0, []
        limit = dice.randint(1, 5)
        found = numbers(ahead.behind(LANE, last, limit))
        if found is None:
            found = disk.after(last, limit)
            disk.commit()  # while it was read, and told of before the answer
            disk.tell()
            if len(found) < limit:
                ahead.read(LANE, found[-1] if found else last)
        else:
            at_hand += len(found)
        taken += found
        last = taken[-1] if taken else 0
        assert len(found) <= limit
        assert taken == disk.after(0, len(taken)), seed
    return at_hand


def test_whatever_is_told_of_late_or_never_none_is_skipped_and_none_told_twice():
    at_hand = [told_by(seed) for seed in range(300)]
    assert sum(at_hand) > 30 * len(at_hand)
