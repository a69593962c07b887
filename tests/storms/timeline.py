"""Time that passes only when nobody has anything to do: a loop, a clock and a calendar for both.

One thread, no sockets, no waiting: an hour takes as long as what happens in it. What happens in the
world around the gateway stands in the calendar, and goes on while the gateway is dead.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import math
import signal
import traceback
from contextlib import contextmanager

from gateway.clock import Clock
from gateway.model.inbound import CLOCK_FLOOR_UTC_NS, Moment
from gateway.model.words import ClockState

TURNS_MAX = 20_000
"""Turns of the loop without time passing: who takes more goes round in circles."""

BOOT_NS = 5 * 10**9
"""What the monotonic clock shows when the box has booted."""


STILL_S_MAX = 2.0
"""Of the processor, without time passing: somebody has not let others have a turn."""


class Gone(KeyboardInterrupt):
    """The process is no more: nothing in the house catches it."""


class Killed(Gone):
    """Somebody has killed it."""


class Stuck(Gone):
    """Nobody will ever have anything to do again, or somebody always has."""


@contextmanager
def moving(timeline):
    """Raise Stuck when time stands still in here for longer than anything may take."""
    seen_s = -1.0

    def look(_signal, frame):
        nonlocal seen_s
        if timeline.now_s == seen_s:
            where = "".join(traceback.format_stack(frame, limit=6))
            raise Stuck(where)
        seen_s = timeline.now_s

    before = signal.signal(signal.SIGVTALRM, look)
    signal.setitimer(signal.ITIMER_VIRTUAL, STILL_S_MAX, STILL_S_MAX)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0.0)
        signal.signal(signal.SIGVTALRM, before)


class Timeline:
    """What is due when, and what time it is."""

    def __init__(self):
        self.now_s = 0.0
        self._due = []
        self._count = 0

    def after(self, delay_s, call):
        """Have this called when so much time has passed; in the order of asking when at once."""
        self._count += 1
        heapq.heappush(self._due, (self.now_s + delay_s, self._count, call))

    def advance(self, until_s, roused=lambda: False):
        """Let time pass until then, or until somebody is roused by what happens."""
        while self._due and self._due[0][0] <= until_s:
            when_s, _, call = heapq.heappop(self._due)
            self.now_s = max(self.now_s, when_s)
            call()
            if roused():
                return
        if until_s == math.inf:
            everybody = "everybody waits for ever"
            raise Stuck(everybody)
        self.now_s = max(self.now_s, until_s)


class Numbered(asyncio.Task):
    """A task that stands in a set where its number puts it, and not where memory had room for it.

    Whoever cancels a group goes through a set; who comes first must not differ from run to run.
    """

    def __init__(self, number, *args, **words):
        self._number = number
        super().__init__(*args, **words)

    def __hash__(self):
        return self._number


class VirtualLoop(asyncio.BaseEventLoop):
    """An event loop without a selector: where others wait, it lets time pass."""

    def __init__(self, timeline):
        super().__init__()
        self.dead = False
        """Set when the process is no more: time stands still, and whoever is left may end."""
        self._timeline = timeline
        self._ghost_s = 0.0
        self._turns = 0
        self._selector = self  # all that is asked of one is select()
        self._clock_resolution = 1e-9
        numbers = itertools.count(1)
        self.set_task_factory(
            lambda loop, coro, **words: Numbered(next(numbers), coro, loop=loop, **words)
        )

    def time(self):
        return self._timeline.now_s + self._ghost_s

    def select(self, timeout):
        """Return at once when there is work; else let time pass until there is."""
        self._turns += 1
        if self._turns > TURNS_MAX:
            circles = "somebody goes round in circles"
            raise Stuck(circles)
        if timeout == 0:
            return ()
        if self.dead:
            self._ghost_s += timeout or 0.0
            return ()
        before_s = self._timeline.now_s
        until_s = math.inf if timeout is None else before_s + timeout
        self._timeline.advance(until_s, roused=lambda: bool(self._ready))
        if self._timeline.now_s > before_s:
            self._turns = 0
        return ()

    def run_in_executor(self, _executor, func, *args):
        """Do it in the next turn: there are no threads here."""
        done = self.create_future()

        def work():
            if done.cancelled():
                return
            try:
                done.set_result(func(*args))
            except Exception as error:  # noqa: BLE001  # whatever it is belongs to who asked
                done.set_exception(error)

        self.call_soon(work)
        return done

    def _process_events(self, _events):
        pass

    def _write_to_self(self):
        pass


class VirtualClock(Clock):
    """The clocks of the box: the monotonic one begins with each boot, the other may be stepped."""

    boot = "boot0001"
    """The name of this start of the box."""

    def __init__(self, timeline, utc_ns):
        self._boots = 1
        self._timeline = timeline
        self._last_ns = BOOT_NS
        self._boot_ns = 0
        self.ahead_ns = utc_ns - BOOT_NS
        """How far the time of day is ahead of the monotonic clock."""

    def now(self):
        """Return this moment; no two are alike, as on a real clock."""
        mono_ns = int(self._timeline.now_s * 1e9) - self._boot_ns + BOOT_NS
        self._last_ns = mono_ns = max(self._last_ns + 1, mono_ns)
        utc_ns = max(0, mono_ns + self.ahead_ns)
        state = ClockState.FREE if utc_ns >= CLOCK_FLOOR_UTC_NS else ClockState.UNSET
        return Moment(mono_ns=mono_ns, utc_ns=utc_ns, clock=state)

    def begin_anew(self):
        """Begin the monotonic clock anew; the time of day goes on, as on a box with a battery."""
        utc_ns = self.now().utc_ns
        self._boots += 1
        self.boot = f"boot{self._boots:04}"
        self._boot_ns = int(self._timeline.now_s * 1e9)
        self._last_ns = BOOT_NS
        self.ahead_ns = utc_ns - BOOT_NS

    def set(self, utc_ns):
        """Set the time of day."""
        self.ahead_ns = utc_ns - self.now().mono_ns
