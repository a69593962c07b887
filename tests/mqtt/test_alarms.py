"""Distress that is not delivered, and poison: raised in time, on a clock that a test moves."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from types import SimpleNamespace

import pytest
import structlog
from msgspec.structs import replace

from gateway.health.board import Board
from gateway.model.words import ClockState
from gateway.mqtt import alarms
from gateway.mqtt.alarms import NONDELIVERY_S, UNDELIVERED_S, Ages, Alarms


class World:
    """Alarms over two links, `local` and `shore`, and what they are about."""

    def __init__(self, clock, outbox):
        self.clock = clock
        self.boxes = {"local": outbox(), "shore": outbox()}
        self.poison = {"local": (), "shore": ()}
        self.unjournaled_poison = {"local": (), "shore": ()}
        self.number_last = 0
        self.number_found = 0
        self.failing = False
        self.hanging = False
        self.owed = []
        """Distress that no disk has taken, and since when."""
        self.afterwards = {}
        """Since when, of what was journaled afterwards."""
        self.waiting = {"local": [], "shore": []}
        """What each link has yet to tell from memory; shore has a consumer of record."""
        self.looks = 0
        self.told = []
        self.taken_off = []
        self.standing = {}
        self.capture = structlog.testing.CapturingLogger()
        # Whatever level another test has set for the process.
        self.log = structlog.wrap_logger(
            self.capture, processors=[], wrapper_class=structlog.make_filtering_bound_logger(0)
        )
        self.epoch = "e1"

    def add(self, *entries, links=("local", "shore")):
        for name in links:
            self.boxes[name].add(*entries)
        self.number_last = max(self.number_last, *(entry.number for entry in entries))

    def end(self, *numbers):
        for box in self.boxes.values():
            for number in numbers:
                box.entries.pop(number)

    def events(self):
        return [call.kwargs["event"] for call in self.capture.calls]

    async def pending(self, link, lanes, *, limit):
        self.looks += link == "local"
        if self.failing:
            message = "disk I/O error"
            raise OSError(message)
        if self.hanging:
            await asyncio.Event().wait()
        return await self.boxes[link].pending(link, lanes, limit=limit)

    def retain(self, topic, alert):
        if alert is None and topic not in self.standing:
            self.taken_off.append(topic)
            return
        self.told.append((topic, alert))
        self.standing = {name: one for name, one in self.standing.items() if name != topic}
        if alert is not None:
            self.standing[topic] = alert

    async def pass_s(self, seconds):
        for _ in range(int(seconds)):
            self.clock.passed_s += 1.0
            looks = self.looks
            while self.looks < looks + 2:
                await asyncio.sleep(0.0005)

    async def run(self):
        links = {
            name: SimpleNamespace(
                poison=lambda name=name: self.poison[name],
                unjournaled_poison=lambda name=name: self.unjournaled_poison[name],
                unsigned=lambda owed, name=name: [
                    *(owed if name == "shore" else ()),
                    *self.waiting[name],
                ],
            )
            for name in self.poison
        }
        await Alarms(
            links,
            outbox=self,
            number_found=lambda: self.number_found,
            number_last=lambda: self.number_last,
            clock=self.clock,
            log=self.log,
            put=Board([self], clock=self.clock, log=self.log).put,
            owed=SimpleNamespace(
                distress=lambda: self.owed,
                since_ns=lambda entry: self.afterwards.get(entry.number),
            ),
        ).run()


@pytest.fixture
def watched(hand_clock, fake_outbox):
    """Return what runs a scene with alarms, over entries that an earlier run left behind."""

    def run(scene, *left, unset=False):
        at = World(hand_clock(), fake_outbox)
        if unset:
            moment = at.clock.now
            at.clock.now = lambda: _unset(moment())
        if left:
            at.add(*left)
            at.number_found = at.number_last

        async def play():
            running = asyncio.create_task(at.run())
            try:
                async with asyncio.timeout(8):
                    await scene(at)
            finally:
                running.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await running

        asyncio.run(play())
        return at

    return run


def _unset(moment):
    return type(moment)(mono_ns=moment.mono_ns, utc_ns=1000, clock=ClockState.UNSET)


def test_an_undelivered_distress_raises_the_alarm_after_60_s_and_the_notice_after_240(
    watched, make
):
    async def scene(at):
        await at.pass_s(30)
        at.add(make.mayday(7), links=("shore",))
        await at.pass_s(UNDELIVERED_S - 3)
        assert not at.told
        await at.pass_s(4)
        assert set(at.standing) == {"alert/undelivered"}
        await at.pass_s(NONDELIVERY_S - UNDELIVERED_S - 5)
        assert set(at.standing) == {"alert/undelivered"}
        await at.pass_s(6)
        assert set(at.standing) == {"alert/undelivered", "alert/nondelivery"}
        for alert in at.standing.values():
            assert (alert.count, alert.number, alert.since) == (1, 7, make.began)
            assert "link shore:" in alert.text
        at.boxes["shore"].entries.clear()
        await at.pass_s(3)
        assert not at.standing

    at = watched(scene)

    assert [topic for topic, _ in at.told] == [
        "alert/undelivered",
        "alert/nondelivery",
        "alert/undelivered",
        "alert/nondelivery",
    ]
    assert [(call.kwargs["event"], call.kwargs["alarm"]) for call in at.capture.calls] == [
        ("alarm_raised", "undelivered"),
        ("alarm_raised", "nondelivery"),
        ("alarm_cleared", "undelivered"),
        ("alarm_cleared", "nondelivery"),
    ]


@pytest.mark.parametrize(
    "leap_s", [-1, -3600, 3600, -86_400, 86_400 * 7 * 1024, -86_400 * 7 * 1024, 56 * 365 * 86_400]
)
def test_no_alarm_is_early_or_late_however_the_time_of_day_leaps(watched, make, leap_s):
    """It leaps to and fro, each second; to the monotonic clock nothing has happened."""

    async def scene(at):
        moment, asked = at.clock.now, itertools.count()

        def leaping():
            now = moment()
            off_ns = leap_s * 10**9 * (next(asked) % 2)
            return replace(now, utc_ns=now.utc_ns + off_ns)

        at.clock.now = leaping
        at.add(make.mayday(7))
        await at.pass_s(UNDELIVERED_S - 1)
        assert not at.standing
        await at.pass_s(2)
        assert set(at.standing) == {"alert/undelivered"}
        await at.pass_s(NONDELIVERY_S - UNDELIVERED_S - 2)
        assert set(at.standing) == {"alert/undelivered"}
        await at.pass_s(2)
        assert set(at.standing) == {"alert/undelivered", "alert/nondelivery"}

    watched(scene)


def test_what_an_earlier_run_left_standing_is_taken_off_once(watched):
    async def scene(at):
        await at.pass_s(5)

    at = watched(scene)

    assert at.taken_off == ["alert/undelivered", "alert/nondelivery", "alert/poison"]
    assert not at.events()


def test_what_is_delivered_in_time_or_is_no_distress_raises_nothing(watched, make):
    async def scene(at):
        for number in range(1, 10, 2):
            at.add(make.mayday(number), make.safety(number + 1))
            await at.pass_s(UNDELIVERED_S - 5)
            at.end(number)

    assert not watched(scene).told


def test_the_count_follows_and_the_oldest_is_named(watched, make):
    async def scene(at):
        at.add(make.mayday(1))
        await at.pass_s(20)
        at.add(make.mayday(2), links=("local",))
        await at.pass_s(UNDELIVERED_S + 3)
        alert = at.standing["alert/undelivered"]
        assert (alert.count, alert.number) == (2, 1)
        assert "link local, shore:" in alert.text
        at.end(1)
        await at.pass_s(3)
        alert = at.standing["alert/undelivered"]
        assert (alert.count, alert.number) == (1, 2)

    watched(scene)


def test_more_than_can_be_looked_at_do_not_grow_young_when_their_turn_comes(
    watched, make, monkeypatch
):
    monkeypatch.setattr(alarms, "LOOKED_MAX", 3)

    async def scene(at):
        at.add(*(make.mayday(number) for number in range(1, 11)))
        await at.pass_s(NONDELIVERY_S + 30)
        assert at.standing["alert/nondelivery"].count == 3
        at.end(*range(1, 9))
        await at.pass_s(3)
        assert at.standing["alert/nondelivery"].number == 9

    watched(scene)


def test_what_an_earlier_run_left_is_aged_by_the_time_of_day(watched, make):
    async def scene(at):
        await at.pass_s(3)

    def before(clock_s):
        entry = make.mayday(1)
        return type(entry)(
            entry.number, entry.epoch, entry.lane, None, entry.body, make.began_ns - clock_s * 10**9
        )

    assert set(watched(scene, before(70)).standing) == {"alert/undelivered"}
    assert set(watched(scene, before(250)).standing) == {"alert/undelivered", "alert/nondelivery"}
    assert not watched(scene, before(5)).standing
    assert not watched(scene, before(-3600)).standing


def test_without_the_time_of_day_what_was_left_is_aged_from_the_start(watched, make):
    async def scene(at):
        await at.pass_s(UNDELIVERED_S - 3)
        assert not at.standing
        await at.pass_s(5)
        assert at.standing["alert/undelivered"].number == 1

    watched(scene, make.mayday(1), unset=True)


def test_what_a_journal_holds_that_had_to_be_waited_for_is_no_younger_for_it(watched, make):
    """Distress of an earlier run, in a file that could not be opened at the start."""

    async def scene(at):
        await at.pass_s(40)
        at.add(make.mayday(7))  # journaled when this run began
        at.number_found = 7
        await at.pass_s(UNDELIVERED_S - 40 - 3)
        assert not at.standing
        await at.pass_s(5)
        assert at.standing["alert/undelivered"].number == 7

    watched(scene)


def test_a_failing_disk_clears_no_alarm_and_ends_no_watch(watched, make):
    async def scene(at):
        at.add(make.mayday(1))
        await at.pass_s(UNDELIVERED_S + 3)
        at.failing = True
        at.add(make.mayday(2))
        await at.pass_s(10)
        assert at.standing["alert/undelivered"].count == 1
        at.failing = False
        await at.pass_s(UNDELIVERED_S + 3)
        assert at.standing["alert/undelivered"].count == 2

    assert watched(scene).events().count("alarms_blind") == 1


def test_a_disk_that_hangs_blinds_no_alarm_for_what_it_had_when_it_last_answered(
    watched, make, monkeypatch
):
    monkeypatch.setattr(alarms, "ANSWER_S_MAX", 0.0005)

    async def scene(at):
        at.add(make.mayday(1))
        await at.pass_s(3)
        at.hanging = True
        await at.pass_s(UNDELIVERED_S - 1)
        alert = at.standing["alert/undelivered"]
        assert (alert.count, alert.number) == (1, 1)
        at.hanging = False
        at.end(1)
        await at.pass_s(3)
        assert not at.standing

    assert watched(scene).events().count("alarms_blind") == 1


def test_a_disk_that_does_not_say_for_a_minute_is_taken_for_the_worst(watched, monkeypatch):
    monkeypatch.setattr(alarms, "ANSWER_S_MAX", 0.0005)

    async def scene(at):
        at.hanging = True
        await at.pass_s(UNDELIVERED_S - 3)
        assert not at.standing
        await at.pass_s(5)
        assert set(at.standing) == {"alert/undelivered"}
        assert "has not said for 60 s" in at.standing["alert/undelivered"].text
        await at.pass_s(NONDELIVERY_S - UNDELIVERED_S)
        assert set(at.standing) == {"alert/undelivered", "alert/nondelivery"}
        at.hanging = False
        await at.pass_s(3)
        assert not at.standing

    watched(scene)


def test_distress_that_the_disk_has_not_taken_is_undelivered_like_any_other(watched, make):
    async def scene(at):
        entry = make.mayday(0)
        since_ns = at.clock.now().mono_ns
        at.waiting["local"] = [(entry, since_ns)]
        at.owed = [(entry, since_ns)]
        await at.pass_s(UNDELIVERED_S - 3)
        assert not at.standing
        await at.pass_s(5)
        alert = at.standing["alert/undelivered"]
        assert (alert.count, alert.number, alert.since) == (1, None, make.began)
        assert "link local, shore:" in alert.text
        at.waiting["local"] = []
        await at.pass_s(3)
        assert "link shore:" in at.standing["alert/undelivered"].text

    watched(scene)


def test_what_is_journaled_afterwards_keeps_its_age_and_its_alarm(watched, make):
    async def scene(at):
        entry = make.refused(0)  # no report, and no time of day with it
        since_ns = at.clock.now().mono_ns
        at.owed = [(entry, since_ns)]
        await at.pass_s(UNDELIVERED_S + 3)
        assert at.standing["alert/undelivered"].since is None
        at.owed, at.afterwards[9] = [], since_ns
        at.add(make.mayday(9))
        await at.pass_s(3)
        assert at.standing["alert/undelivered"].number == 9
        assert len([one for one in at.told if one[1] is None]) == 0

    watched(scene)


def test_poison_is_an_alert_that_clears_by_itself(watched):
    async def scene(at):
        at.poison["shore"] = (9, 4)
        at.poison["local"] = (9,)
        await at.pass_s(3)
        alert = at.standing["alert/poison"]
        since = alert.since
        assert (alert.count, alert.number) == (2, 4)
        at.poison["shore"] = ()
        await at.pass_s(3)
        alert = at.standing["alert/poison"]
        assert (alert.count, alert.number, alert.since) == (1, 9, since)
        at.poison["local"] = ()
        await at.pass_s(3)
        assert not at.standing

    watched(scene)


def test_poison_that_has_no_number_is_counted_once_whichever_links_it_is_for(watched):
    async def scene(at):
        at.unjournaled_poison = {"local": (b"one",), "shore": (b"one", b"two")}
        await at.pass_s(3)
        alert = at.standing["alert/poison"]
        assert (alert.count, alert.number) == (2, None)
        assert "link local, shore" in alert.text
        at.poison["local"] = (9,)
        await at.pass_s(3)
        assert (at.standing["alert/poison"].count, at.standing["alert/poison"].number) == (3, 9)
        at.poison = at.unjournaled_poison = {"local": (), "shore": ()}
        await at.pass_s(3)
        assert not at.standing

    watched(scene)


def test_the_ages_are_kept_in_bounded_memory(hand_clock):
    clock = hand_clock()
    ages = Ages(clock.now(), 0)
    for second in range(10_000):
        ages.mark(clock.now().mono_ns + second * 10**9, second)

    assert len(ages._marks) <= NONDELIVERY_S / alarms.LOOK_S + 2
