"""The judge is awake: a gateway that breaks a promise on purpose is caught, by the right name."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

import msgspec
import pytest
from msgspec.structs import replace
from storms import timeline
from storms.oracle import STATE_S_MAX, Oracle
from storms.world import World

from gateway import pipeline
from gateway.app import telling, watch
from gateway.ear import Ear
from gateway.framing import nmea
from gateway.health.board import Board
from gateway.journal.shelves import Shelves
from gateway.journal.store import Disk
from gateway.model.words import Mode
from gateway.mqtt import alarms, rounds
from gateway.mqtt.outbox import Pump
from gateway.mqtt.routine import Routine
from gateway.transport import supervisor

QUIET = {"length_s": 100.0, "every_s": None, "haste": 5.0, "calm_s_max": 40.0}


def around(owner, name, change):
    """Return what puts a changed function in the place of this one."""
    before = getattr(owner, name)
    return owner, name, change(before)


def told_before_it_is_on_disk():
    return telling, "JOURNAL_S_MAX", 0.0


def bytes_not_counted():
    return Ear, "take_in", lambda _ear, _frames: None


def every_fifth_call_dropped():
    seen = []

    def change(before):
        def keep(self, items):
            seen.append(items)
            if len(seen) % 5:
                before(self, items)

        return keep

    return around(telling.Teller, "keep", change)


def another_name_each_time():
    def change(before):
        def pending(self, *args, **words):
            found = before(self, *args, **words)
            return tuple(replace(entry, body=_renamed(entry.body)) for entry in found)

        return pending

    return around(Disk, "pending", change)


def _renamed(body):
    """Return the body with the last letter of the report's name exchanged."""
    at = body.find(b"report_id")
    if at < 0:
        return body
    last = at + len(b"report_id") + 2 + 31
    return body[:last] + (b"1" if body[last : last + 1] == b"0" else b"0") + body[last + 1 :]


def struck_out_at_the_broker_s_word():
    def change(before):
        def init(self, *args, **words):
            before(self, *args, **{**words, "receipts": False})

        return init

    return around(Pump, "__init__", change)


def a_number_left_out():
    def change(before):
        def append(self, rows, utc_ns):
            self.tally.head.number_last += 1
            return before(self, rows, utc_ns)

        return append

    return around(Shelves, "append", change)


def rows_thrown_away():
    def tidy(self):
        self._db.execute("DELETE FROM entry")

    return Disk, "_tidy", tidy


def nobody_wakes_the_pump():
    return Pump, "_stir", lambda _self: None


def nothing_routine():
    return Routine, "tell", lambda _self, _entry: None


def checksum_of_everything_holds():
    def change(_before):
        def checksum(_body):
            return _Whatever(0)

        return checksum

    return around(nmea, "nmea_checksum", change)


class _Whatever(int):
    """A number that is every number."""

    def __eq__(self, _other):
        return True

    def __ne__(self, _other):
        return False

    __hash__ = int.__hash__


def a_test_told_as_real():
    def change(before):
        return lambda *args: replace(before(*args), mode=Mode.REAL)

    return around(pipeline, "normalise", change)


def heard_at_another_time():
    def change(before):
        def normalise(*args):
            report = before(*args)
            return replace(
                report, heard=replace(report.heard, mono_ns=report.heard.mono_ns + 10**9)
            )

        return normalise

    return around(pipeline, "normalise", change)


def alarm_too_early():
    return alarms, "LIMITS_S", dict.fromkeys(alarms.LIMITS_S, 2.0)


def alarm_too_late():
    return alarms, "LIMITS_S", dict.fromkeys(alarms.LIMITS_S, 500.0)


def told_again_and_again():
    return rounds, "RESEND_S", 1.0


def port_never_opened_again():
    async def wait(self):
        if self._opened:
            await asyncio.Event().wait()

    return supervisor.Port, "_wait", wait


def alarms_told_to_nobody():
    def stand(self, name, alert, **_how):
        self._standing[name] = alert
        if alert is None:
            del self._standing[name]

    return Board, "_stand", stand


def a_failing_disk_told_to_nobody():
    def change(before):
        def alarm(self, name, trouble, **how):
            before(self, name, None if name == "journal" else trouble, **how)

        return alarm

    return around(Board, "alarm", change)


def says_that_it_is_there_when_it_is_not():
    return watch.Watch, "_absence", watch.Watch._next_status


def tasks_without_end():
    async def tick(self):
        kept = []
        while True:
            kept += [asyncio.ensure_future(asyncio.Event().wait()) for _ in range(10)]
            await self._clock.sleep(1.0)

    return watch.Watch, "_tick", tick


def a_stage_that_stands_still():
    async def tick(self):
        self._tick_pulse.beat()
        await asyncio.Event().wait()

    return watch.Watch, "_tick", tick


def a_duty_that_fails():
    async def tick(_self):
        raise ValueError

    return watch.Watch, "_tick", tick


def one_that_lets_nobody_have_a_turn():
    async def tick(_self):
        while True:
            pass

    return watch.Watch, "_tick", tick


def asleep(world):
    world.consumer.asleep = True


def asleep_for_long(world):
    world.time.after(5.0, lambda: asleep(world))
    world.length_s = 200.0


def dies(world):
    world.rest_s = (30.0, 30.0)
    world.time.after(40.0, lambda: world.kill("killed"))


def unplugged_for_a_moment(world):
    world.time.after(30.0, lambda: world.unplug("ais1"))
    world.time.after(31.0, lambda: world.plug_in("ais1"))


def disk_fails(world):
    world.time.after(30.0, lambda: world.disk.ail(point="journal.begun", times=-1))


def nothing(_world):
    pass


SABOTAGES = [
    ("I1", told_before_it_is_on_disk, nothing),
    ("I2", bytes_not_counted, nothing),
    ("I3", every_fifth_call_dropped, dies),
    ("I3", another_name_each_time, nothing),
    ("I4", struck_out_at_the_broker_s_word, asleep),
    ("I5", a_number_left_out, nothing),
    ("I6", rows_thrown_away, dies),
    ("I7", nobody_wakes_the_pump, nothing),
    ("I8", tasks_without_end, nothing),
    ("I9", nothing_routine, nothing),
    ("I11", checksum_of_everything_holds, nothing),
    ("I12", a_test_told_as_real, nothing),
    ("I13", heard_at_another_time, nothing),
    ("I14", alarm_too_early, asleep),
    ("I14", alarm_too_late, asleep),
    ("I20", told_again_and_again, asleep),
    ("I21", port_never_opened_again, unplugged_for_a_moment),
    ("I22", alarms_told_to_nobody, asleep_for_long),
    ("I22", says_that_it_is_there_when_it_is_not, dies),
    ("I23", a_stage_that_stands_still, nothing),
    ("I24", a_failing_disk_told_to_nobody, disk_fails),
    ("OWN", a_duty_that_fails, nothing),
    ("OWN", one_that_lets_nobody_have_a_turn, nothing),
]


@pytest.mark.parametrize(
    ("invariant", "sabotage", "scene"),
    SABOTAGES,
    ids=[f"{invariant}-{sabotage.__name__}" for invariant, sabotage, _ in SABOTAGES],
)
def test_a_broken_promise_is_seen(invariant, sabotage, scene, monkeypatch):
    world = World(1, **QUIET)
    scene(world)
    monkeypatch.setattr(*sabotage())

    monkeypatch.setattr(timeline, "STILL_S_MAX", 0.5)

    outcome = world.run()

    assert outcome.tally[f"breach of {invariant}"], outcome.breaches


@pytest.mark.parametrize("scene", [nothing, asleep, dies, disk_fails, unplugged_for_a_moment])
def test_a_gateway_that_keeps_its_promises_is_left_alone(scene):
    world = World(1, **QUIET)
    scene(world)

    assert not world.run().breaches


def test_a_state_that_is_refused_in_the_next_trouble_too_has_its_time_anew():
    told = {"state": "online", "links": {"local": {"connected": True}}}
    retained = {"distress/v1/alpha/status": msgspec.json.encode(told)}
    calm = {}
    world = SimpleNamespace(
        time=SimpleNamespace(now_s=0.0),
        brokers={"local": SimpleNamespace(retained=retained)},
        calm_s=calm.get,
        breached=lambda **_words: None,
    )
    oracle = Oracle(world, links=("local",), consumers=())
    watch = SimpleNamespace(board=SimpleNamespace(standing={"link": "not on the broker"}))

    def look(now_s, calm_s):
        world.time.now_s, calm["local"] = now_s, calm_s
        oracle._look_at_brokers(watch)
        return oracle.breaches

    assert not look(100.0, 36.0)
    assert not look(101.0 + STATE_S_MAX, 36.0)
    assert look(101.0 + 2 * STATE_S_MAX, 36.0 + STATE_S_MAX)
