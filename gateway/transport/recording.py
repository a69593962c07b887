"""The recorder in a thread of its own: a card that hangs costs records, never the watch."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from queue import Full, Queue
from threading import Thread

from msgspec.structs import replace

from gateway.model.asked import Taped
from gateway.model.bounds import Bound
from gateway.model.inbound import Chunk
from gateway.points import reached
from gateway.transport.recorder import Recorder

WAITING_MAX = 4_096
"""Chunks and ticks that wait for the disk: 16 MB at the most, and minutes of any serial line."""

CLOSE_S_MAX = 1.0
"""A disk that has not taken what waits by then is not waited for when the watch ends."""


class Recording:
    """Hands what was heard to the recorder, in the order in which the rooms hear it."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._waiting: Queue[Taped | None] = Queue(WAITING_MAX)
        self._lost = 0
        self._missed: set[str] = set()
        """Ports of which the last chunk is not on tape, so that the next one is marked."""
        self._error: str | None = None
        self._faults = 0
        self._fault: str | None = None
        """The last fault of ours, for a person to see until the next start."""
        # A daemon: what a hanging disk has not taken must not keep the program from ending.
        self._thread = Thread(target=self._run, name="recorder", daemon=True)
        self._thread.start()

    @property
    def records_lost(self) -> int:
        """Chunks and ticks that were heard and are not on tape."""
        return self._lost + self._faults + self._recorder.records_lost

    @property
    def last_error(self) -> str | None:
        """Why what is heard now is not on tape; None when it is."""
        return self._error or self._recorder.last_error or self._fault

    def bounds(self) -> Iterator[Bound]:
        """Yield how much waits for the tape."""
        yield Bound(
            of="Recording._waiting",
            what="tape_backlog",
            held=self._waiting.qsize(),
            limit=WAITING_MAX,
            rule="what comes is not on tape; the next record of its port says so",
            evicted=self._lost,
        )

    def write(self, heard: Taped) -> None:
        """Have this put on tape; a disk that is too slow for it is counted, never waited for."""
        if self._waiting.empty():
            self._error = None
        is_gap = isinstance(heard, Chunk) and heard.port in self._missed
        try:
            self._waiting.put_nowait(replace(heard, gap=True) if is_gap else heard)
        except Full:
            self._lost += 1
            self._error = f"the disk is too slow: {WAITING_MAX} records wait for it"
            if isinstance(heard, Chunk):
                self._missed.add(heard.port)
        else:
            if isinstance(heard, Chunk):
                self._missed.discard(heard.port)

    def close(self) -> None:
        """End the tape with all that was heard on it, unless the disk hangs."""
        with suppress(Full):
            self._waiting.put(None, timeout=CLOSE_S_MAX)
        self._thread.join(CLOSE_S_MAX)

    def _run(self) -> None:
        while (heard := self._waiting.get()) is not None:
            try:
                self._recorder.write(heard)
                reached("tape.written")
            except Exception as error:  # noqa: BLE001  # a fault of ours costs a record, not the tape
                self._faults += 1
                self._fault = repr(error)
        self._recorder.close()
