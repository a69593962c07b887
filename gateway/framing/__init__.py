"""Where one message ends and the next begins. One file per way of cutting a stream.

A framer never fails and never loses count: every byte it is given comes out in the span of
exactly one frame, or is still held. Nothing here knows what a message means.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from typing import Protocol

from gateway.model.bounds import Bound
from gateway.model.inbound import Chunk, Frame, Moment


class Framer(Protocol):
    """What every way of framing can do. One framer belongs to one port."""

    @property
    def held(self) -> int:
        """How many bytes wait for the rest of their message."""

    def bounds(self) -> Iterator[Bound]:
        """Yield each place where something waits, with its bound."""

    def split(self, chunk: Chunk) -> list[Frame]:
        """Return each frame completed by this chunk, in order."""

    def expire(self, now: Moment) -> list[Frame]:
        """Return what will never be completed, now that nothing has come for so long."""

    @staticmethod
    def wrap(body: bytes) -> bytes:
        """Return the bytes that carry this body over the wire."""


def framer_named(name: str) -> type[Framer]:
    """Return the framing kept in the file of that name."""
    found: type[Framer] = import_module(f"{__name__}.{name}").FRAMER
    return found
