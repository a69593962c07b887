"""Fast packets: one message out of several CAN frames of one source, never out of two messages.

    SSSCCCCC LLLLLLLL b0…b5        the first frame, C = 0
    SSSCCCCC b6…b12                the next ones, C = 1, 2, …; the last one is filled up

    S  sequence, the same in each frame of a message     C  which frame     L  octets in all, to 223

NMEA 2000, fast packet protocol, as canboat has it. A source sends the frames of a message in order,
and the bus keeps the order: a frame that is missing or out of order ends its message, for sequences
come round after eight messages, and two messages would make one that nobody has sent.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct
from msgspec.structs import replace

from gateway.model.bounds import Bound
from gateway.model.inbound import Frame, Moment, Unread
from gateway.radio.n2k.groups import may_be_distress
from gateway.radio.n2k.parcel import Parcel

OPEN_MESSAGES_MAX = 64
"""Messages waiting for a frame: a bus has some fifty devices, of which few say one of these."""

SILENCE_NS = 2 * 10**9
"""A source sends the frames of a message within milliseconds; adapters over a network add some."""

OCTETS_MAX = 223
"""Six in the first of 32 frames, seven in the others."""

_FRAME_BYTES = 8


class Whole(Struct, frozen=True):
    """One whole message of the bus."""

    frames: tuple[Frame, ...]
    pgn: int
    octets: bytes


class Begun(Struct, frozen=True):
    """The frames of one message that are there, in order."""

    pgn: int
    total: int
    frames: tuple[Frame, ...]
    octets: bytes
    refused: bool = False
    """Whether it has been given up and told: its other parts say nothing new."""


Key = tuple[int, int, int]
"""Source, parameter group, sequence."""


class FastPackets:
    """The messages of one port that still wait for a frame."""

    def __init__(self) -> None:
        self._open: dict[Key, Begun] = {}
        self._evicted = 0

    def bounds(self) -> Iterator[Bound]:
        """Yield how many messages wait for a frame."""
        yield Bound(
            of="FastPackets._open",
            what="n2k_messages",
            held=len(self._open),
            limit=OPEN_MESSAGES_MAX,
            rule="the oldest comes out as refused, and is told if it may be a call for help",
            evicted=self._evicted,
        )

    def add(self, frame: Frame, parcel: Parcel) -> tuple[Whole | Unread, ...]:
        """Return what this frame completes, and what it shows will never be completed."""
        head = parcel.octets[0]
        key = (parcel.source, parcel.pgn, head >> 5)
        late = self.expire(frame.heard)
        waiting = self._open.pop(key, None)
        if head & 0x1F == 0:
            if waiting is not None and not waiting.refused:
                late = (*late, _given_up(waiting, "the next message began"))
            return (*late, *self._begun(frame, parcel, key))
        if waiting is None:
            reason = "a part of a message whose beginning was not heard"
            like = may_be_distress(parcel.pgn, b"")
            return (*late, Unread((frame,), reason, distress_like=like))
        if waiting.refused:
            self._open[key] = replace(waiting, frames=(frame,))
            return (*late, Unread((frame,), "a further part of a message that is incomplete"))
        waiting = replace(waiting, frames=(*waiting.frames, frame))
        if head & 0x1F != len(waiting.frames) - 1:
            self._open[key] = replace(waiting, frames=(frame,), refused=True)
            return (*late, _given_up(waiting, "a part of it was lost"))
        waiting = replace(waiting, octets=waiting.octets + parcel.octets[1:])
        return (*late, *self._further(key, waiting, full=len(parcel.octets) == _FRAME_BYTES))

    def expire(self, now: Moment) -> tuple[Unread, ...]:
        """Return the messages whose next frame is overdue."""
        due = [
            key
            for key, waiting in self._open.items()
            if now.mono_ns - waiting.frames[-1].heard.mono_ns > SILENCE_NS
        ]
        gone = [self._open.pop(key) for key in due]
        return tuple(_given_up(one, "nothing more came") for one in gone if not one.refused)

    def _begun(self, frame: Frame, parcel: Parcel, key: Key) -> tuple[Whole | Unread, ...]:
        total = parcel.octets[1] if len(parcel.octets) > 1 else 0
        waiting = Begun(parcel.pgn, total, (frame,), parcel.octets[2:])
        if not 0 < total <= OCTETS_MAX:
            return (_given_up(waiting, "its length can't be"),)
        found = self._further(key, waiting, full=len(parcel.octets) == _FRAME_BYTES)
        if len(self._open) > OPEN_MESSAGES_MAX:
            self._evicted += 1
            oldest = self._open.pop(next(iter(self._open)))
            if not oldest.refused:
                found = (*found, _given_up(oldest, "too many messages wait"))
        return found

    def _further(self, key: Key, waiting: Begun, *, full: bool) -> tuple[Whole | Unread, ...]:
        """Return the message when it is whole; otherwise it goes on waiting."""
        if len(waiting.octets) >= waiting.total:
            octets = waiting.octets[: waiting.total]
            return (Whole(waiting.frames, waiting.pgn, octets),)
        if not full:
            return (_given_up(waiting, "a part of it is too short"),)
        self._open[key] = waiting
        return ()


def _given_up(waiting: Begun, why: str) -> Unread:
    return Unread(
        waiting.frames,
        f"incomplete, {len(waiting.octets)} of {waiting.total} octets: {why}",
        distress_like=may_be_distress(waiting.pgn, waiting.octets),
    )
