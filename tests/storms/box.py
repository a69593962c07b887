"""What is inside of the box: a disk that fails on order, and modems whose every byte is counted."""

from __future__ import annotations

import math
import sqlite3
from collections import deque

from gateway.journal.failed import JournalFailed
from gateway.journal.front import Journal
from gateway.journal.standing import RETRY_S
from gateway.journal.store import Disk
from gateway.journal.writer import Writer
from gateway.transport.memory import Modem

COMMIT_S = 0.002
"""What a commit takes when nothing is wrong."""

WORDS = ("disk I/O error", "database or disk is full", "attempt to write a readonly database")


class Troubles:
    """What is wrong with the disk."""

    def __init__(self, world):
        self._world = world
        self.point = None
        """Where each transaction fails."""
        self.times = 0
        """How often more; -1 until it is healed."""
        self.words = WORDS[0]
        self.unreadable = False
        self.slow_s = 0.0
        self.spans = []
        """From when to when something was wrong; the last span may be open."""
        self.busy_until_s = 0.0
        """When the transaction under way will be done: one that hangs outlives the trouble."""

    @property
    def well(self):
        return not (self.times or self.slow_s or self.unreadable)

    @property
    def last_s(self):
        """When something was last wrong."""
        return min(self.spans[-1][1], self._world.time.now_s) if self.spans else -1e9

    def ail(self, **signs):
        """Let the disk ail from now on."""
        self.heal()
        for sign, value in signs.items():
            setattr(self, sign, value)
        self.spans.append([self._world.time.now_s, math.inf])

    def heal(self):
        if self.spans and self.spans[-1][1] == math.inf:
            self.spans[-1][1] = max(self._world.time.now_s, self.busy_until_s)
        self.times, self.slow_s, self.unreadable = 0, 0.0, False

    def within(self, seconds):
        """Say whether something was wrong not longer ago than this."""
        return self._world.time.now_s - self.last_s <= seconds

    def ailed(self, first_s, last_s):
        """Say whether something was wrong in this time."""
        return any(begin_s <= last_s and first_s <= end_s for begin_s, end_s in self.spans)

    def reached(self, point):
        """Fail here, if this is where."""
        if self.times and point == self.point:
            self.times -= self.times > 0
            self._world.count("disk fails at " + point)
            raise sqlite3.OperationalError(self.words)


class SimDisk(Disk):
    """The file of the journal, and an eye on what is committed in it."""

    def __init__(self, plan, *, station, links, clock, world):
        self._world = world
        self._fresh, self._gone = [], []
        world.disks.append(self)
        if world.disk.unreadable:
            self._path = plan.path
            world.disk.busy_until_s = world.time.now_s + RETRY_S
            self.refuse(world.disk.words)
        super().__init__(plan, station=station, links=links, clock=clock)
        world.oracle.opened(self.epoch, self._db)

    def write(self, works):
        super().write(works)
        self._world.oracle.committed(self._fresh, self._gone)

    def _do(self, works):
        self._fresh, self._gone = [], []  # here: what finds no room is done twice
        super()._do(works)

    def append(self, rows):
        entries = super().append(rows)
        self._fresh += entries
        return entries

    def strike(self, link, numbers):
        super().strike(link, numbers)
        self._gone.append((link, self.epoch, tuple(numbers)))

    def _whole(self, ask):
        if self._world.disk.unreadable:
            raise JournalFailed(self._path, self._world.disk.words)
        return super()._whole(ask)

    def abandon(self):
        """Let go of the file as a kill does: what is not committed is gone."""
        held = getattr(self, "_held", None)
        if held is not None:
            held.close()


class SimWriter(Writer):
    """The writer, without a thread: a transaction is done when the disk's time for it is over."""

    world = None

    def __init__(self, disk, *, world):
        self.world = world
        self._armed = False
        super().__init__(disk)

    def _begin(self):
        self._inbox = _Inbox(self._inbox, self._arm)

    def _arm(self):
        if not self._armed:
            self._armed = True
            disk = self.world.disk
            if disk.slow_s:
                disk.busy_until_s = self.world.time.now_s + disk.slow_s
            self._loop.call_later(COMMIT_S + disk.slow_s, self._come_round)

    def _come_round(self):
        self._armed = False
        if not self.world.dead and not self._inbox.empty():
            self._round()

    async def stop(self):
        if not self.world.dead:
            await super().stop()


class _Inbox:
    """A queue that says when there is something in it."""

    def __init__(self, queue, arm):
        self._queue = queue
        self._arm = arm
        self.get = self.get_nowait = queue.get_nowait
        self.empty = queue.empty

    def put(self, errand):
        self._queue.put(errand)
        self._arm()


def opener_of(world):
    """Return what opens the journal in this world."""

    def opened(plan, *, station, links, clock):
        # As in service, the file is opened in a turn of its own; a slow disk takes its time.
        told = world.loop.create_future()

        def work():
            if told.cancelled():
                return
            try:
                disk = SimDisk(plan, station=station, links=links, clock=clock, world=world)
            except Exception as error:  # noqa: BLE001  # whatever it is belongs to who asked
                told.set_exception(error)
            else:
                told.set_result(Journal(disk, writer=lambda of: SimWriter(of, world=world)))

        if world.disk.slow_s:
            world.disk.busy_until_s = world.time.now_s + world.disk.slow_s
            world.loop.call_later(world.disk.slow_s, work)
        else:
            world.loop.call_soon(work)
        return told

    return opened


class SimModem(Modem):
    """A modem that knows which of its words have been read."""

    def __init__(self, world, port):
        super().__init__()
        self._world = world
        self.port = self._port = port
        self._saying = deque()
        self._fed_bytes = 0
        self._read_bytes = 0

    def say(self, data, said):
        """Say a piece; with the last one the whole of it is said."""
        if self.plugged:
            self.feed(data)
            self._fed_bytes += len(data)
            self._saying.append((self._fed_bytes, said))

    def hang_up(self):
        super().hang_up()
        self._saying.clear()
        self._read_bytes = self._fed_bytes

    async def heard(self, plug):
        data = await super().heard(plug)
        if data and not self._world.dead:
            self._read_bytes += len(data)
            self._world.oracle.read(self._port, len(data))
            while self._saying and self._saying[0][0] <= self._read_bytes:
                _, said = self._saying.popleft()
                if said is not None:
                    self._world.oracle.heard(said)
        return data
