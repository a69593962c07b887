"""What goes wrong in a storm, by the dice, and for how long.

Each trouble begins, lasts and is over; at the end of the storm all of them are. Two may come
together, and often do.
"""

from __future__ import annotations

from storms.box import WORDS

from gateway.mqtt.naming import TAKEN_OVER
from gateway.points import POINTS

NEVER = (
    *("port.write_begun", "port.written", "tape.written", "tape.rotated", "certificates.taken"),
)
"""Points that a station without transmitter, tape and TLS doesn't come to."""

DISK_POINTS = (
    "journal.begun",
    "journal.appended",
    "journal.struck",
    "journal.tidied",
    "journal.sealed",
)
"""Where the disk may say no: the last one stands for COMMIT itself."""

WELL = {"up": True, "half_open": False, "hole": False, "refuses": None} | {
    "slow_s": 0.0,
    "doubles": 0.0,
}
"""How a broker is when nothing is wrong with it."""

YEAR_NS = 365 * 86_400 * 10**9
WEEK_NS = 7 * 86_400 * 10**9

STEPS_NS = (56 * YEAR_NS, -3600 * 10**9, 1024 * WEEK_NS, -1024 * WEEK_NS, 10**9, -86_400 * 10**9)
"""From 1970 to now, an hour back, a week rollover there and back, a leap second, a day back."""


class Nemesis:
    """Sends troubles, one after the other, until the storm is over."""

    def __init__(self, world, dice, *, every_s):
        self._world = world
        self._dice = dice
        self._every_s = every_s
        self._steps_ns = 0
        self._troubles = (
            (4, self._cut),
            (2, self._away),
            (2, self._amnesia),
            (2, self._half_open),
            (1, self._hole),
            (1, self._forgetful),
            (1, self._unwilling),
            (2, self._slow_line),
            (2, self._doubles),
            (1, self._impostor),
            (2, self._sleeping_consumer),
            (1, self._lost_receipts),
            (3, self._unplug),
            (2, self._replug),
            (2, self._noise),
            (1, self._flood),
            (2, self._disk_fails),
            (2, self._disk_slow),
            (1, self._disk_hangs),
            (1, self._disk_unreadable),
            (3, self._clock_step),
            (1, self._clock_unset),
            (6, self._kill_at_a_point),
            (1, self._kill),
            (1, self._reboot),
            (1, self._stop),
        )

    def begin(self):
        """Send the first one soon."""
        self._world.time.after(self._dice.expovariate(1 / self._every_s), self._next)

    def _next(self):
        if self._world.over:
            return
        self.begin()  # first: the trouble may be the end of the process
        weights = [weight for weight, _ in self._troubles]
        self._dice.choices([trouble for _, trouble in self._troubles], weights)[0]()

    def _broker(self):
        return self._world.brokers[self._dice.choice(tuple(self._world.brokers))]

    def _for(self, shortest_s, longest_s, heal):
        """Have it over after a while: short ones are the most frequent."""
        share = self._dice.random() ** 3
        self._world.time.after(shortest_s + share * (longest_s - shortest_s), heal)

    def _ail(self, broker, name, **signs):
        """Let a broker ail for a while."""
        world = self._world
        world.count(name)
        for sign, value in signs.items():
            setattr(broker, sign, value)
        world.troubled(broker.name)

        def heal():
            for sign in signs:
                setattr(broker, sign, WELL[sign])
            world.troubled(broker.name)

        self._for(0.5, 400, heal)

    # -- links -------------------------------------------------------------------------------------

    def _cut(self):
        broker = self._broker()
        self._world.count("link cut")
        self._world.troubled(broker.name)
        broker.cut("reset by peer")

    def _away(self):
        broker = self._broker()
        broker.cut("reset by peer")
        self._ail(broker, "broker away", up=False)

    def _amnesia(self):
        broker = self._broker()
        broker.cut("reset by peer")
        broker.forget()
        self._ail(broker, "broker killed, memory lost", up=False)

    def _half_open(self):
        broker = self._broker()
        broker.stall()
        self._ail(broker, "line half open", half_open=True)
        broker.half_open = True

    def _hole(self):
        self._ail(self._broker(), "PUBACK swallowed", hole=True)

    def _forgetful(self):
        world, broker = self._world, self._world.brokers["shore"]  # who else would ever know
        world.count("PUBACK given, message lost, broker killed")
        world.troubled(broker.name)
        broker.forgets = True

        def die():
            broker.forgets = False
            broker.cut("reset by peer")
            broker.forget()
            world.troubled(broker.name)

        self._for(0.5, 30, die)

    def _unwilling(self):
        part = self._dice.choice(("/report/distress", "/report/", "/status", "/alert/", "/"))
        self._ail(self._broker(), "broker refuses", refuses=part)

    def _slow_line(self):
        self._ail(self._broker(), "line slow", slow_s=self._dice.uniform(0.2, 6))

    def _doubles(self):
        self._ail(self._broker(), "delivered twice", doubles=0.3)

    def _impostor(self):
        """Another client bears our name, and both throw each other out."""
        world, broker = self._world, self._broker()
        world.count("another client of our name")
        end_s = world.time.now_s + self._dice.uniform(5, 120)

        def come_back():
            world.troubled(broker.name)
            line = broker.lines.get("gw-distress")
            if line is not None:
                line.parting = TAKEN_OVER
                line.end("another client took over")
                broker.drop(line)
            if world.time.now_s < end_s and not world.over:
                world.time.after(self._dice.uniform(0.5, 5), come_back)

        come_back()

    # -- the consumer ------------------------------------------------------------------------------

    def _sleeping_consumer(self):
        world = self._world
        world.count("consumer asleep")
        world.troubled("shore")
        world.consumer.asleep = True

        def wake():
            world.consumer.wake()
            world.troubled("shore")

        self._for(5, 600, wake)

    def _lost_receipts(self):
        world = self._world
        world.count("receipts lost")
        world.troubled("shore")
        world.consumer.loses = 0.7

        def heal():
            world.consumer.loses = 0.0
            world.troubled("shore")

        self._for(5, 300, heal)

    # -- ports -------------------------------------------------------------------------------------

    def _unplug(self):
        world, port = self._world, self._dice.choice(tuple(self._world.modems))
        world.count("port lost")
        world.unplug(port)
        self._for(0.1, 120, lambda: world.plug_in(port))

    def _replug(self):
        port = self._dice.choice(tuple(self._world.modems))
        self._world.count("port taken up again at once")
        self._world.unplug(port)
        self._world.plug_in(port)

    def _noise(self):
        self._world.count("garbage")
        for _ in range(self._dice.randrange(1, 12)):
            self._world.say(self._world.air.noise())

    def _flood(self):
        """Many calls at once; all of them have to arrive."""
        self._world.count("flood of calls")
        for _ in range(self._dice.randrange(20, 80)):
            sort = self._dice.choice(("distress", "distress", "urgency", "safety", "damaged"))
            self._world.say(getattr(self._world.air, sort)())

    # -- the disk ----------------------------------------------------------------------------------

    def _disk_fails(self):
        disk = self._world.disk
        disk.ail(
            point=self._dice.choice(DISK_POINTS),
            words=self._dice.choice(WORDS),
            times=self._dice.choice((1, 2, 5, -1)),
        )
        self._for(0.5, 200, disk.heal)

    def _disk_slow(self):
        disk = self._world.disk
        self._world.count("disk slow")
        disk.ail(slow_s=self._dice.uniform(0.05, 1.5))
        self._for(5, 300, disk.heal)

    def _disk_hangs(self):
        disk = self._world.disk
        self._world.count("disk hangs")
        disk.ail(slow_s=self._dice.uniform(5, 40))
        self._for(10, 60, disk.heal)

    def _disk_unreadable(self):
        disk = self._world.disk
        self._world.count("disk can't be read")
        disk.ail(unreadable=True)
        self._for(1, 100, disk.heal)

    # -- the clock ---------------------------------------------------------------------------------

    def _clock_step(self):
        self._world.count("clock stepped")
        step_ns = self._dice.choice(STEPS_NS)
        self._world.clock.ahead_ns += step_ns
        self._steps_ns += step_ns

        def back():
            self._world.clock.ahead_ns -= step_ns

        self._for(10, 600, back)

    def _clock_unset(self):
        self._world.count("clock unset")
        clock, before_ns = self._world.clock, self._world.clock.ahead_ns
        clock.set(0)

        def back():
            clock.ahead_ns = before_ns

        self._for(10, 600, back)

    # -- the process -------------------------------------------------------------------------------

    def _kill_at_a_point(self):
        point = self._dice.choice([point for point in POINTS if point not in NEVER])
        self._world.kill_at(point, self._dice.choice((1, 1, 2, 5)))

    def _kill(self):
        self._world.kill("killed at any time")

    def _reboot(self):
        self._world.reboot()

    def _stop(self):
        self._world.stop()
