"""What has to happen by a time."""

import random

from gateway.rules import deadlines
from gateway.rules.deadlines import Deadline, Deadlines


def deadline(subject, until_ns):
    return Deadline(subject=subject, since_ns=0, until_ns=until_ns)


def test_what_is_over_comes_out_once_and_the_soonest_first():
    running = Deadlines()
    for subject, until_ns in (("c", 30), ("a", 10), ("b", 20)):
        running.begin(deadline(subject, until_ns))

    assert [one.subject for one in running.over(9)] == []
    assert [one.subject for one in running.over(20)] == ["a", "b"]
    assert [one.subject for one in running.over(20)] == []
    assert [one.subject for one in running] == ["c"]


def test_what_was_ended_or_moved_does_not_come_out_at_its_first_time():
    running = Deadlines()
    running.begin(deadline("a", 10))
    running.begin(deadline("b", 10))
    running.begin(deadline("b", 30))

    assert running.end("a") == deadline("a", 10)
    assert running.end("a") is None
    assert list(running.over(20)) == []
    assert list(running.over(30)) == [deadline("b", 30)]


def test_deadlines_are_bounded_and_the_one_soonest_over_gives_way(monkeypatch):
    monkeypatch.setattr(deadlines, "RUNNING_MAX", 2)
    running = Deadlines()

    pushed = [running.begin(deadline(name, until)) for name, until in (("a", 5), ("b", 3))]
    pushed.append(running.begin(deadline("c", 9)))

    assert pushed == [None, None, deadline("b", 3)]
    (bound,) = running.bounds()
    assert (bound.held, bound.limit, bound.evicted) == (2, 2, 1)


def test_it_remembers_no_more_than_twice_what_runs():
    running, dice = Deadlines(), random.Random(1)

    for number in range(10_000):
        running.begin(deadline(f"{dice.randrange(20)}", number))

    assert len(running) == 20
    assert len(running._soonest) <= 2 * 20 + 65
    over = [one.until_ns for one in running.over(10_000)]
    assert over == sorted(over)
    assert len(over) == 20


def test_what_was_kept_runs_on():
    running, anew = Deadlines(), Deadlines()
    running.begin(deadline("a", 10))

    anew.restore(running.keep())

    assert list(anew.over(10)) == [deadline("a", 10)]
