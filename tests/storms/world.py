"""One storm: the gateway as it is in service, and around it all that it knows of the world.

One seed is one storm: the same seed and the same length give the same events, one by one. What is
real in it is the house itself but for three doors: the lines to brokers (shore.py), the modems, and
the thread of the journal, whose file is a real one (box.py).
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import random
import shutil
import tempfile
from collections import Counter, deque
from dataclasses import dataclass, field
from functools import partial
from hashlib import blake2b
from pathlib import Path

from storms.box import SimModem, Troubles, opener_of
from storms.nemesis import Nemesis
from storms.oracle import Oracle
from storms.radio import PORTS, Air
from storms.shore import Broker, Consumer, Line
from storms.timeline import Gone, Killed, Stuck, Timeline, VirtualClock, VirtualLoop, moving

from gateway import health
from gateway.app import Service
from gateway.app.outside import Outside
from gateway.journal.proving import proof_of
from gateway.model.inbound import CLOCK_FLOOR_UTC_NS
from gateway.model.plan import JournalPlan, LinkPlan, LogPlan, PortPlan, StationPlan
from gateway.mqtt import routine
from gateway.mqtt.carrier import MqttBus
from gateway.points import listening
from gateway.settings import profile_named
from gateway.transport import supervisor

BEGIN_UTC_NS = CLOCK_FLOOR_UTC_NS + 30 * 86_400 * 10**9

LOOK_S = 5.0
"""How often the oracle looks into the gateway."""

LONG_S = 7200.0
"""A storm of some length: two hours with some hundred and sixty troubles."""

SHORT = {"length_s": 50.0, "every_s": 5.0, "haste": 5.0}
"""A storm that fits a test, a hundred times: short, and as busy as a bad day."""

EVERY_S = 45.0
"""Between two troubles, in the mean."""

CALM_S_MIN = 20.0
"""For the oracle to look at least a few times how things stand after the storm."""

CALM_S_MAX = 1200.0
"""After the storm all must be settled by then: poison is tried again after 300 s."""

KEEPALIVE_S = 15

REST_S = (0.3, 25.0)

TRACE_MAX = 400

COARSE = (
    (health, "LAG_PERIOD_S", 30.0),  # the lag of a loop without real time says nothing
    (routine, "FLUSH_S", 1.0),
    (supervisor, "CHECK_S", 2.5),
    (supervisor, "LOOK_S", 0.25),
)
"""Periods of the house that would take most of the processor, and decide nothing here."""

GAPS_S = {
    "routine": 7.0,
    "own_place": 12.0,
    "distress": 90.0,
    "urgency": 120.0,
    "safety": 120.0,
    "test": 150.0,
    "damaged": 200.0,
    "noise": 100.0,
}
"""Between two of a sort, in the mean."""

MEMORY = Path("/dev/shm")  # noqa: S108  # a folder of our own is made in it
"""Where the file of the journal is fastest; what a disk would make of it is no matter here."""


@dataclass
class Outcome:
    """What came of one storm."""

    seed: int
    virtual_s: float = 0.0
    lives: int = 0
    breaches: list = field(default_factory=list)
    troubles: Counter = field(default_factory=Counter)
    tally: Counter = field(default_factory=Counter)
    excused: Counter = field(default_factory=Counter)
    digest: str = ""
    trace: list = field(default_factory=list)


class Log:
    """A log that nobody reads but the oracle, when the program complains of itself."""

    def __init__(self, world):
        self._world = world

    def bind(self, **_words):
        return self

    def debug(self, event, **words):
        pass

    def info(self, event, **words):
        self._world.note(f"log {event} {words}" if self._world.verbose else event)
        if event in ("alarm_raised", "alarm_cleared"):
            self._world.oracle.alarmed(words["alarm"], event == "alarm_raised")

    warning = error = info

    def exception(self, event, **words):
        import traceback  # noqa: PLC0415  # only when something is wrong

        self._world.note(traceback.format_exc())
        self._world.oracle.fault_of_ours(f"{event} {words}: {traceback.format_exc(limit=-3)}")


class World:
    """All of one storm."""

    life = 0
    """Which life of the gateway this is, counted from 1."""
    dead = True
    over = False
    """Whether the storm is, and only calm is left."""
    loop = None
    began_s = 0.0
    """When this life began."""
    ended_s = math.inf
    """When the last life of the gateway was stopped."""
    rest_s = REST_S
    """For how long the gateway is dead, at the least and at the most."""
    _kill_at = None
    _reboots = False
    _leaving = False
    _ended = False
    _service = _running = _folder = None

    def __init__(  # what a storm is like, each with its usual value
        self,
        seed,
        *,
        length_s=LONG_S,
        every_s=EVERY_S,
        haste=1.0,
        calm_s_max=CALM_S_MAX,
        verbose=False,
    ):
        self.seed = seed
        self.verbose = verbose
        self.time = Timeline()
        self.clock = VirtualClock(self.time, BEGIN_UTC_NS)
        self.modems = {}
        self.disks = []
        self.disk = Troubles(self)
        self.outcome = Outcome(seed)
        self.length_s = length_s
        self._haste = haste
        self._calm_s_max = calm_s_max
        self._trace = deque(maxlen=TRACE_MAX)
        self._digest = blake2b(digest_size=8)
        self._dice = random.Random(f"{seed} world")
        self._plugged_s = dict.fromkeys(PORTS, 0.0)
        self._unplugged = set()
        self._busy_s = dict.fromkeys(PORTS, 0.0)
        self._troubled_s = {}
        self.air = Air(random.Random(f"{seed} air"))
        self.brokers = {
            name: Broker(self, name, random.Random(f"{seed} {name}")) for name in ("shore", "local")
        }
        self.oracle = Oracle(self, links=self.brokers, consumers=("shore",))
        shore = self.brokers["shore"]
        self.consumer = Consumer(
            self, shore, "distress/v1/alpha", random.Random(f"{seed} consumer")
        )
        shore.session = self.consumer
        dice = random.Random(f"{seed} nemesis")
        self._nemesis = None if every_s is None else Nemesis(self, dice, every_s=every_s)

    # -- what the parts of the world ask of each other ---------------------------------------------

    def note(self, words):
        """Note an event, for whoever has to find out what happened."""
        line = f"{self.time.now_s:12.6f} {words}"
        self._digest.update(line.encode())
        self._trace.append(line)

    def count(self, trouble):
        self.outcome.troubles[trouble] += 1
        self.note(trouble)

    def breached(self, *, enough):
        """Note the newest breach; when there are enough of them, let it be."""
        self.note(self.oracle.breaches[-1])
        if enough and not self._ended:
            self._ended = self.over = True
            self.time.after(0.0, lambda: self.kill("enough"))

    def troubled(self, link):
        """Note that something is or was wrong with a link."""
        self._troubled_s[link] = self.time.now_s

    def calm_s(self, link=None):
        """Return for how long nothing has been wrong: with a link, or with any."""
        if link is None:
            return min(self.calm_s(name) for name in self.brokers)
        consumer = self.consumer
        well = self.brokers[link].well and self.disk.well
        if link == "shore":
            well = well and not consumer.asleep and not consumer.loses
        if self.dead or not well:
            return 0.0
        since_s = max(self.began_s, self._troubled_s.get(link, 0.0), self.disk.last_s)
        return self.time.now_s - since_s

    def well_for_s(self, link):
        """Return for how long nothing has been wrong with a broker, whoever lives."""
        if not self.brokers[link].well:
            return 0.0
        return self.time.now_s - self._troubled_s.get(link, 0.0)

    def spoke_s(self):
        """Return for how long the disk has been well."""
        return self.time.now_s - self.disk.last_s

    def connection(self, link):
        """Return what names the present connection of the distress lane."""
        lines = self.brokers[link].lines.items()
        return next((line.serial for name, line in lines if name.startswith("gw-distress")), None)

    def tasks(self):
        return len(asyncio.all_tasks(self.loop))

    def plugged_for_s(self, port):
        """Return for how long a modem has been plugged in, in this life of the gateway."""
        if port in self._unplugged:
            return 0.0
        return self.time.now_s - max(self._plugged_s[port], self.began_s)

    def unplug(self, port):
        self._unplugged.add(port)
        self.modems[port].hang_up()

    def plug_in(self, port):
        self._unplugged.discard(port)
        self._plugged_s[port] = self.time.now_s
        if not self.modems[port].plugged:
            self.modems[port].plug_in()

    def say(self, several, *, whole=False):
        """Have modems say these, each byte after the one before, whole or in pieces."""
        for said in several:
            count = 0 if whole else self._dice.choice((0, 0, 1, 3))
            cuts = sorted(self._dice.randrange(len(said.wire)) for _ in range(count))
            # A sentence is whole with its checksum; its line end may come later.
            whole_at = len(said.wire.rstrip(b"\r\n"))
            pieces = [
                (said.wire[begin:end], said if begin < whole_at <= end else None)
                for begin, end in zip([0, *cuts], [*cuts, len(said.wire)], strict=True)
                if end > begin
            ]
            modem, plugs = self.modems[said.port], self.modems[said.port].plugs
            for piece, said_whole in pieces:
                busy_s = max(self._busy_s[said.port], self.time.now_s)
                busy_s += self._dice.uniform(0.001, 0.05)
                self._busy_s[said.port] = busy_s
                self.time.after(
                    busy_s - self.time.now_s, partial(self._hear, modem, plugs, piece, said_whole)
                )

    def _hear(self, modem, plugs, piece, said):
        # A word that began before the cable was pulled, or in an earlier life, is not whole.
        if modem.plugs == plugs and modem is self.modems[modem.port]:
            modem.say(piece, said)

    # -- deaths ------------------------------------------------------------------------------------

    def kill_at(self, point, times):
        """Have the process die when it comes to a point, or soon if it doesn't."""
        if self.dead:
            return
        self._kill_at = (point, times)
        life = self.life

        def instead():
            if self.life == life and not self.dead and self._kill_at == (point, times):
                self.kill("killed at any time")

        self.time.after(30.0, instead)

    def kill(self, words):
        """Have the process die now."""
        if not self.dead:
            self.count(words)
            raise Killed

    def reboot(self):
        """Have the box lose its power, and its monotonic clock begin anew."""
        if not self.dead:
            self._reboots = True
            self.kill("box rebooted")

    def stop(self):
        """Have the service stopped in order."""
        if not self.dead and self._running is not None:
            self.count("stopped in order")
            self._leaving = True
            self._running.cancel()

    def _reached(self, point):
        if self.dead:
            return
        self.disk.reached(point)
        if self._kill_at is not None and self._kill_at[0] == point:
            times = self._kill_at[1] - 1
            self._kill_at = (point, times)
            if times <= 0:
                self._kill_at = None
                self.kill(f"killed at {point}")

    # -- the storm ---------------------------------------------------------------------------------

    def run(self):
        """Have the storm, and the calm after it; return what came of it."""
        place = MEMORY if MEMORY.is_dir() else None
        self._folder = Path(tempfile.mkdtemp(prefix="storm-", dir=place))
        try:
            with contextlib.ExitStack() as held:
                for module, name, value in COARSE:
                    held.callback(setattr, module, name, getattr(module, name))
                    setattr(module, name, value)
                held.enter_context(listening(self._reached))
                self._begin()
                while not self._ended:
                    self._live()
                self.oracle.finish()
                self._prove()
        finally:
            shutil.rmtree(self._folder)
        outcome = self.outcome
        outcome.virtual_s = self.time.now_s
        outcome.lives = self.life
        outcome.breaches = self.oracle.breaches
        outcome.tally = self.oracle.tally
        outcome.excused = self.oracle.excused
        outcome.digest = self._digest.hexdigest()
        outcome.trace = list(self._trace)
        return outcome

    def _begin(self):
        self._plan = _plan_of(self.seed, self._folder)
        for port in PORTS:
            self._new_modem(port)
        for sort, gap_s in GAPS_S.items() if self._haste else ():
            self._again(sort, gap_s / self._haste)
        if self._nemesis is not None:
            self._nemesis.begin()
            self.consumer.ask_now_and_then()
        self.time.after(LOOK_S, self._look)
        self.time.after(self.length_s, self._calm)

    def _again(self, sort, gap_s):
        def speak():
            # In the calm after the storm only ships go on.
            if not self.over or sort in ("routine", "own_place"):
                self.say(getattr(self.air, sort)())
                self._again(sort, gap_s)

        self.time.after(self._dice.expovariate(1 / gap_s), speak)

    def _calm(self):
        """Heal everything; from now on only time is needed."""
        self.note("calm")
        self.over = True
        self._kill_at = None
        self.disk.heal()
        self.consumer.heal()
        for name, broker in self.brokers.items():
            broker.heal()
            self.troubled(name)
        for port in sorted(self._unplugged):
            self.plug_in(port)
        self.time.after(LOOK_S, self._look_for_end)

    def _look_for_end(self):
        late_s = self.time.now_s - self.length_s
        if (self.oracle.settled() and late_s > CALM_S_MIN) or late_s > self._calm_s_max:
            self._ended = True
            self.ended_s = self.time.now_s
            self.stop()
        else:
            self.time.after(LOOK_S, self._look_for_end)

    def _look(self):
        if not self.dead and not self._leaving and self._service.on_watch.is_set():
            self.oracle.look(self._service._watch)
        self.time.after(LOOK_S, self._look)

    def _live(self):
        """Have the gateway run until it dies, and then have it dead for a while."""
        self.life += 1
        self._wake_up()
        loop = self.loop = VirtualLoop(self.time)
        faults = []
        loop.set_exception_handler(lambda _loop, context: faults.append(context))
        self._service = Service(
            self._plan,
            clock=self.clock,
            log=Log(self),
            dice=random.Random(f"{self.seed} life {self.life}"),
            outside=Outside(
                carrier=partial(MqttBus, wire=self._line),
                modems=self.modems,
                opener=opener_of(self),
            ),
        )
        in_order = False
        try:
            with moving(self.time):
                self._running = loop.create_task(self._service.run())
                loop.run_until_complete(self._running)
        except Killed:
            pass
        except asyncio.CancelledError:
            in_order = True
        except Stuck as stuck:
            self._ended = True
            self.oracle.fault_of_ours(f"the gateway stands still: {stuck}")
        except Exception as error:  # noqa: BLE001  # whatever it is, the service ought to run
            self.oracle.fault_of_ours(f"the service ended by itself: {error!r}")
        self.note(f"dead {in_order}")
        self.dead = True
        self.oracle.died(in_order=in_order)
        self._bury(loop)
        for context in faults:
            if not isinstance(context.get("exception"), Gone):
                self.oracle.fault_of_ours(f"{context}")
        self._rest()

    def _wake_up(self):
        self.began_s = self.time.now_s
        self._kill_at = None
        self._leaving = False
        self.dead = False
        self.note(f"life {self.life}")
        self.oracle.began()
        for port in PORTS:
            self._new_modem(port)

    def _rest(self):
        """Let time pass over a dead gateway; it comes back, or the storm is over."""
        for broker in self.brokers.values():
            broker.cut("the process is gone")
        died_s = self.time.now_s
        if self._ended:
            return
        self.time.advance(died_s + self._dice.uniform(*self.rest_s))
        self.oracle.look_at_absence(self.time.now_s - died_s, 1.5 * KEEPALIVE_S)
        if self._reboots:
            self._reboots = False
            self.clock.begin_anew()

    def _bury(self, loop):
        """Let everything end that was left in the middle; none of it reaches anybody."""
        loop.dead = True
        while tasks := asyncio.all_tasks(loop):
            for task in tasks:
                task.cancel()
            with contextlib.suppress(Gone):
                loop.run_until_complete(_ended(tasks))
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()
        for disk in self.disks:
            disk.abandon()
        self.disks.clear()

    def _new_modem(self, port):
        """Put a modem behind a port that nobody has heard of anything yet."""
        self.modems[port] = SimModem(self, port)
        if port in self._unplugged:
            self.modems[port].hang_up()

    def _line(self, plan, **settings):
        return Line(self.brokers[plan.name], plan, **settings)

    def _prove(self):
        proof = proof_of(self._plan.journal.path)
        for finding in proof.findings:
            if not finding.holds:
                self.oracle.breach("I5", f"{finding.what}: {finding.faults}")


async def _ended(tasks):
    await asyncio.gather(*tasks, return_exceptions=True)


def _plan_of(seed, folder):
    dice = random.Random(f"{seed} plan")
    links = tuple(
        LinkPlan(
            name=name,
            host="127.0.0.1",
            port=1883,
            client_id="gw",
            keepalive_s=KEEPALIVE_S,
            receipts=receipts,
            payload=dice.choice(("json", "msgpack")),
            version=dice.choice(("5", "5", "3.1.1")),
            positions=dice.choice(("conflated", "every")),
        )
        for name, receipts in (("shore", "rcc"), ("local", "puback"))
    )
    ports = tuple(
        PortPlan(name=name, device=f"memory:{name}", modem=modem, profile=profile_named(modem))
        for name, modem in PORTS.items()
    )
    return StationPlan(
        station="alpha",
        ports=ports,
        links=links,
        journal=JournalPlan(path=str(folder / "journal.db"), routine_rows_max=1000),
        record=None,
        log=LogPlan(),
    )
