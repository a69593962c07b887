"""Every alarm is noted as it began and ended, and one that goes to and fro floods nobody."""

from __future__ import annotations

import pytest
import structlog

from gateway.clock import Clock
from gateway.health.board import Board
from gateway.health.logbook import NOTES_MAX, NOTES_S, Logbook
from gateway.model.inbound import Moment
from gateway.model.status import AlarmCleared, AlarmRaised, Alert, AlertName
from gateway.model.words import ClockState

BEGAN_NS = 1_800_000_000 * 10**9


class HandClock(Clock):
    """A clock that a test moves."""

    seconds = 0.0

    def now(self):
        ns = int(self.seconds * 1e9)
        return Moment(mono_ns=ns, utc_ns=BEGAN_NS + ns, clock=ClockState.NTP, error_ms=3)


@pytest.fixture
def clock():
    return HandClock()


@pytest.fixture
def board(clock):
    return Board(
        [],
        clock=clock,
        log=structlog.wrap_logger(structlog.testing.CapturingLogger(), processors=[]),
    )


def said(notes):
    return [(type(note), note.name, note.mono_ns // 10**9) for note in notes]


def test_what_is_noted_says_what_when_and_by_which_clock(board, clock):
    clock.seconds = 7
    board.put(AlertName.POISON, Alert(name="poison", since=None, text="look", count=2, number=9))
    clock.seconds = 9
    board.put(AlertName.POISON, None)

    raised, cleared = board.logbook.due()

    assert (raised.name, raised.text, raised.count, raised.number) == ("poison", "look", 2, 9)
    assert (raised.boot, raised.mono_ns, raised.clock_error_ms) == (clock.boot, 7 * 10**9, 3)
    assert raised.utc.timestamp() == 1_800_000_007
    assert said([raised, cleared]) == [(AlarmRaised, "poison", 7), (AlarmCleared, "poison", 9)]
    assert not board.logbook.due(), "each is noted once"


def test_only_what_is_news_is_noted(board, clock):
    for clock.seconds in range(3):
        board.alarm(AlertName.RECORD, "the disk is full")
    board.put(AlertName.POISON, Alert(name="poison", since=None, text="look", count=1))
    board.put(AlertName.POISON, Alert(name="poison", since=None, text="look", count=2))
    board.alarm(AlertName.LINK, "shore", anew=True)
    board.alarm(AlertName.LINK, "shore, local", anew=True)
    board.clear_what_is_not([AlertName.JOURNAL])

    assert said(board.logbook.due()) == [
        (AlarmRaised, "record", 0),
        (AlarmRaised, "poison", 2),
        (AlarmRaised, "link", 2),
        (AlarmRaised, "link", 2),
    ]


def test_an_alarm_that_goes_to_and_fro_costs_a_bounded_number_of_notes_and_none_of_another(
    board, clock
):
    changes, noted = 3600, []
    for change in range(1, changes + 1):
        clock.seconds = float(change)
        board.alarm(AlertName.LAG, "held up" if change % 2 else None)
        if change == 2000:
            board.alarm(AlertName.LINK, "shore")
        noted += board.logbook.due()

    lag = [note for note in noted if note.name == "lag"]
    assert len(lag) <= NOTES_MAX * (changes / NOTES_S + 1)
    noted_last = changes - NOTES_S
    assert sum(note.unsaid + 1 for note in lag) >= noted_last, "each change is noted or counted"
    assert lag[-1].mono_ns >= noted_last * 10**9, "the notes don't fall behind"
    assert said([note for note in noted if note.name == "link"]) == [(AlarmRaised, "link", 2000)]


def test_the_last_note_says_how_it_stands_however_fast_it_went(board, clock):
    noted = []
    for clock.seconds in range(1001):
        board.alarm(AlertName.LAG, None if clock.seconds % 2 else "held up")
        noted += board.logbook.due()
    clock.seconds += NOTES_S
    noted += board.logbook.due()

    assert said(noted)[-1] == (AlarmRaised, "lag", 1000)
    assert sum(note.unsaid + 1 for note in noted) == 1001


def test_at_the_end_all_is_noted_that_waits(clock):
    logbook = Logbook(clock)
    for clock.seconds in range(2 * NOTES_MAX):
        logbook.note(AlertName.LAG, None)
    logbook.due()
    logbook.note(AlertName.LINK, None)
    logbook.due()
    for clock.seconds in range(100, 100 + 3 * NOTES_MAX):
        logbook.note(AlertName.LAG, None)
        logbook.note(AlertName.LINK, None)

    left = logbook.last()

    assert [note.mono_ns for note in left] == sorted(note.mono_ns for note in left)
    assert {note.name for note in left} == {"lag", "link"}
    assert max(note.mono_ns for note in left) == int(clock.seconds * 1e9)
    assert not logbook.last()
