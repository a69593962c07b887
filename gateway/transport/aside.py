"""Calls that the kernel may hold up, made beside the loop so that no other port waits.

Opening a sick USB adapter takes seconds; closing a healthy one takes a tenth of a second, because
the kernel waits for the last character to leave. This is the only thread of the transport.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from queue import SimpleQueue
from typing import TypeVar

JOBS_MAX = 4
"""Closing the last wire and opening the next are two; more means that the kernel is stuck."""

T = TypeVar("T")


class Aside:
    """One thread for one port: its calls are made in order, one at a time."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._jobs: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._running = False
        self._closed = False

    @property
    def stuck(self) -> bool:
        """Whether so many calls wait that another one would only wait behind them."""
        return self._jobs.qsize() >= JOBS_MAX

    async def ask(self, call: Callable[[], T], *, undo: Callable[[T], None]) -> T:
        """Return what this call returns; a result that nobody waits for any more is undone."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[T] = loop.create_future()

        def settle(result: T) -> None:
            if answer.done():
                self.later(partial(undo, result))
            else:
                answer.set_result(result)

        def fail(error: Exception) -> None:
            if not answer.done():
                answer.set_exception(error)

        def job() -> None:
            try:
                result = call()
            except Exception as error:  # noqa: BLE001  # whatever it is belongs to who asked
                _on_loop(loop, partial(fail, error))
                return
            if not _on_loop(loop, partial(settle, result)):
                undo(result)

        self.later(job)
        return await answer

    def later(self, call: Callable[[], None]) -> None:
        """Make this call when those before it are done; nobody hears how it went."""
        self._jobs.put(call)
        if not self._running:
            # A daemon: a device that never answers must not keep the service from ending.
            threading.Thread(target=self._work, name=self._name, daemon=True).start()
            self._running = True
        if self._closed:
            self.close()

    def close(self) -> None:
        """End the thread once the calls before are made. Never blocks."""
        self._closed = True
        if self._running:
            self._jobs.put(None)
            self._running = False

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            job()


def _on_loop(loop: asyncio.AbstractEventLoop, call: Callable[[], None]) -> bool:
    """Make this call on the loop; False when the loop is no more."""
    with suppress(RuntimeError):
        loop.call_soon_threadsafe(call)
        return True
    return False
