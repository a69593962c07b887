"""The alarm board: told to every link, once for as long as it lasts, and listed."""

import ast
from pathlib import Path

import pytest
import structlog

import gateway
from gateway.clock import Clock
from gateway.health.board import Board
from gateway.model.inbound import Moment
from gateway.model.status import Alert, AlertName
from gateway.model.words import ClockState


class Link:
    """A link that notes what it is to let stand."""

    def __init__(self):
        self.told = []

    def retain(self, topic, payload):
        self.told.append((topic, payload))


class HandClock(Clock):
    """A clock that a test moves."""

    seconds = 0

    def now(self):
        utc_ns = (1_800_000_000 + self.seconds) * 10**9
        return Moment(mono_ns=self.seconds * 10**9, utc_ns=utc_ns, clock=ClockState.NTP)


@pytest.fixture
def clock():
    return HandClock()


@pytest.fixture
def links():
    return [Link(), Link()]


@pytest.fixture
def said():
    return structlog.testing.CapturingLogger()


@pytest.fixture
def board(links, clock, said):
    quiet = structlog.make_filtering_bound_logger(10)
    log = structlog.wrap_logger(said, processors=[], wrapper_class=quiet)
    return Board(links, clock=clock, log=log)


def levels(said):
    return [(call.method_name, call.kwargs["event"]) for call in said.calls]


def test_an_alarm_is_told_once_on_every_link_for_as_long_as_it_lasts(board, links, clock, said):
    for clock.seconds in range(5):
        board.alarm(AlertName.RECORD, "the disk is full")

    for link in links:
        [(topic, alert)] = link.told
        assert topic == "alert/record"
        assert (alert.name, alert.text) == ("record", "the disk is full")
        assert alert.since.timestamp() == 1_800_000_000
    assert levels(said) == [("error", "alarm_raised")]
    assert board.standing == {"record": links[0].told[0][1]}


def test_an_alarm_that_is_over_is_taken_off_once(board, links, said):
    board.alarm(AlertName.RECORD, "the disk is full")
    for _ in range(3):
        board.alarm(AlertName.RECORD, None)

    assert [alert for _, alert in links[0].told][1:] == [None]
    assert levels(said)[1:] == [("warning", "alarm_cleared")]
    assert board.standing == {}


def test_an_alarm_raised_anew_is_told_with_what_is_known_now(board, links, clock, said):
    for clock.seconds in range(2):
        board.alarm(AlertName.JOURNAL_DAMAGE, f"rows: {clock.seconds}", anew=True)

    assert [alert.text for _, alert in links[1].told] == ["rows: 0", "rows: 1"]
    assert levels(said) == [("error", "alarm_raised")] * 2


def test_an_alarm_that_grows_is_told_and_not_shouted(board, links, said):
    for count in (1, 1, 2):
        grown = Alert(name=AlertName.POISON, since=None, text="look", count=count)
        board.put(AlertName.POISON, grown)

    assert [alert.count for _, alert in links[0].told] == [1, 2]
    assert levels(said) == [("error", "alarm_raised"), ("debug", "alarm_raised")]


def test_what_an_earlier_run_left_is_taken_off_and_what_is_true_of_this_one_stays(
    board, links, said
):
    board.alarm(AlertName.JOURNAL, "no disk")
    board.put(AlertName.POISON, None)
    board.clear_what_is_not([AlertName.JOURNAL, AlertName.POISON, AlertName.RECORD])

    assert [(topic, alert is None) for topic, alert in links[0].told] == [
        ("alert/journal", False),
        ("alert/poison", True),
        ("alert/record", True),
    ]
    assert levels(said) == [("error", "alarm_raised")], "what was never raised here is no news"


def test_every_alarm_of_the_list_is_raised_somewhere_and_explained_to_the_officer():
    """An alarm that nobody raises, or that nobody can look up, would be worse than none."""
    root = Path(gateway.__file__).parent
    used = {
        node.attr
        for path in root.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "AlertName"
    }
    page = (root.parent / "docs/OPERATIONS.md").read_text("utf-8")

    assert used == {name.name for name in AlertName}
    assert not [name for name in AlertName if f"`alert/{name}`" not in page]
