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
from contextvars import copy_context

from gateway.clock import Clock
from gateway.model.inbound import CLOCK_FLOOR_UTC_NS, Moment
from gateway.model.words import ClockState

TURNS_MAX = 20_000
"""Turns of the loop without time passing: who takes more goes round in circles."""

RESOLUTION_S = 1e-9
"""Timers that lie no farther apart than this come in one turn."""

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

    def advance(self, until_s, roused=()):
        """Let time pass until then, or until somebody is roused by what happens."""
        due = self._due
        while due and due[0][0] <= until_s:
            when_s, _, call = heapq.heappop(due)
            self.now_s = max(self.now_s, when_s)
            call()
            if roused:
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


class Call:
    """Something to be called, unless it is cancelled before."""

    __slots__ = ("_args", "_callback", "_context")

    def __init__(self, callback, args, context):
        self._callback = callback
        self._args = args
        self._context = context or copy_context()

    def cancel(self):
        self._callback = self._args = None

    def cancelled(self):
        return self._callback is None

    def run(self):
        """Call it, or not; what is raised is the loop's."""
        if self._callback is not None:
            self._context.run(self._callback, *self._args)


class VirtualLoop(asyncio.BaseEventLoop):
    """An event loop without a selector: where others wait, it lets time pass.

    Its turns are those of the loop of the library, with less on the way: no handle that tells where
    it was made, no selector, and timers whose order is decided without a call.
    """

    get_debug = staticmethod(bool)
    """False, and no frame of Python's for each future that asks."""

    def __init__(self, timeline):
        super().__init__()
        self.dead = False
        """Set when the process is no more: time stands still, and whoever is left may end."""
        self._timeline = timeline
        self._ghost_s = 0.0
        self._turns = 0
        self._timers = []
        """When, the how-manieth that was asked for, and what: those at once come in that order."""
        self._timers_count = 0
        numbers = itertools.count(1)
        self.set_task_factory(
            lambda loop, coro, **words: Numbered(next(numbers), coro, loop=loop, **words)
        )

    def time(self):
        return self._timeline.now_s + self._ghost_s

    def call_soon(self, callback, *args, context=None):
        if self._closed:
            closed = "the loop is closed"
            raise RuntimeError(closed)
        call = Call(callback, args, context)
        self._ready.append(call)
        return call

    call_soon_threadsafe = call_soon  # there are no threads here

    def call_later(self, delay, callback, *args, context=None):
        return self.call_at(self.time() + delay, callback, *args, context=context)

    def call_at(self, when, callback, *args, context=None):
        call = Call(callback, args, context)
        self._timers_count += 1
        heapq.heappush(self._timers, (when, self._timers_count, call))
        return call

    def _run_once(self):
        """Take one turn: let time pass if nobody has anything to do, then call all that is due."""
        ready, timers = self._ready, self._timers
        while timers and timers[0][2].cancelled():
            heapq.heappop(timers)
        self._turns += 1
        if self._turns > TURNS_MAX:
            circles = "somebody goes round in circles"
            raise Stuck(circles)
        if not (ready or self._stopping):
            self._pass_time(timers[0][0] if timers else math.inf)
        due_s = self.time() + RESOLUTION_S
        while timers and timers[0][0] < due_s:
            ready.append(heapq.heappop(timers)[2])
        for _ in range(len(ready)):
            try:
                ready.popleft().run()
            except Exception as error:  # noqa: BLE001  # as the loop of the library does
                self.call_exception_handler({"message": "a call failed", "exception": error})

    def _pass_time(self, until_s):
        if self.dead:
            self._ghost_s += max(0.0, until_s - self.time()) if until_s < math.inf else 0.0
            return
        before_s = self._timeline.now_s
        self._timeline.advance(until_s, roused=self._ready)
        if self._timeline.now_s > before_s:
            self._turns = 0

    def close(self):
        super().close()
        self._timers.clear()

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
        if mono_ns <= self._last_ns:
            mono_ns = self._last_ns + 1
        self._last_ns = mono_ns
        utc_ns = mono_ns + self.ahead_ns
        if utc_ns >= CLOCK_FLOOR_UTC_NS:
            return Moment(mono_ns, utc_ns, ClockState.FREE)
        return Moment(mono_ns, max(0, utc_ns), ClockState.UNSET)

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
