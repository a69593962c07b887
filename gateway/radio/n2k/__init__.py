"""NMEA 2000, as far as a serial adapter hands it on: DSC calls and AIS of the equipment on a bus.

    parcel.py  adapters: lines and binary     groups.py  which parameter groups matter
    parts.py   fast packets, put together     dsc.py ais.py  a group, as the sentence that tells it

A call or a position on the bus has gone over the air, and most equipment tells it over NMEA 0183
too. So a group is read by way of that sentence: both have the same words, and the second is known
as a copy of the first. Reports are of the system that was on the air, `dsc` or `ais`.

What is proven: the bus checks each of its frames; the binary of an adapter has a checksum of its
own; its lines have nothing, so no report from lines is better than tentative. Other groups
(engines, tanks, wind) are counted among the unread and not kept: a bus says a thousand a second.
Remembered, for one port: messages that wait for a frame, and what the two systems remember.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec.structs import replace

from gateway.model.bounds import Bound
from gateway.model.inbound import Draft, Frame, Moment, Reading, Unread
from gateway.model.words import Confidence, Integrity
from gateway.radio import radio_named
from gateway.radio.n2k.ais import sentence_of
from gateway.radio.n2k.dsc import call_of
from gateway.radio.n2k.groups import AIS, DSC_CALL, WANTED, may_be_distress
from gateway.radio.n2k.parcel import parcel_of
from gateway.radio.n2k.parts import FastPackets, Whole

__all__ = ["RADIO", "N2k"]


class Told(Reading, frozen=True, kw_only=True):
    """What a system read out of the sentence; its frames are those of the wire."""

    inner: Reading
    doubts: tuple[str, ...] = ()


class N2k:
    """What one adapter hands on."""

    name = "n2k"
    hands_on = True

    def __init__(self) -> None:
        self._parts = FastPackets()
        self._systems = {system: radio_named(system)() for system in ("ais", "dsc")}

    def bounds(self) -> Iterator[Bound]:
        """Yield what waits for its parts, here and in the two systems."""
        yield from self._parts.bounds()
        for system in self._systems.values():
            yield from system.bounds()

    def read(self, frame: Frame) -> tuple[Reading | Unread, ...] | None:
        """Return the messages this frame completes, or shows will never be completed."""
        parcel = parcel_of(frame)
        if parcel is None:
            return (Unread((frame,), _BROKEN, distress_like=True),) if _calls(frame) else None
        if parcel.pgn not in WANTED:
            return (Unread((frame,), _OF_NO_RADIO, kept=False),)
        if parcel.whole:
            return (self._told(Whole((frame,), parcel.pgn, parcel.octets)),)
        return tuple(
            found if isinstance(found, Unread) else self._told(found)
            for found in self._parts.add(frame, parcel)
        )

    def report(self, reading: Reading) -> Draft:
        """Return what the message means to everybody."""
        if not isinstance(reading, Told):
            raise TypeError(reading)
        draft = self._systems[reading.system].report(reading.inner)
        doubts = reading.doubts
        if reading.frames[-1].integrity is Integrity.NONE:
            doubts = (_NOT_PROVEN, *doubts)
        if not doubts:
            return draft
        believed = draft.confidence is Confidence.VERIFIED
        return replace(
            draft,
            confidence=Confidence.TENTATIVE if believed else draft.confidence,
            doubts=(*doubts, *draft.doubts),
        )

    def expire(self, now: Moment) -> tuple[Reading | Unread, ...]:
        """Return the messages whose next frame is overdue; the two systems forget."""
        for system in self._systems.values():
            system.expire(now)
        return self._parts.expire(now)

    def distress_like(self, frame: Frame) -> bool:
        """Say whether a broken frame names a group that may be a call for help."""
        return _calls(frame)

    def _told(self, whole: Whole) -> Reading | Unread:
        pgn, octets, frames = whole.pgn, whole.octets, whole.frames
        if pgn == DSC_CALL:
            call = call_of(octets)
            bodies = [body for body in (call.call, call.expansion) if body is not None]
            return self._read_as("dsc", frames, bodies, call.doubts)
        sentence = sentence_of(pgn, octets) if pgn in AIS else None
        if sentence is not None:
            return self._read_as("ais", frames, [sentence], ())
        reason = "too short, or no identity in it" if pgn in AIS else f"group {pgn} is not read"
        return Unread(frames, reason, distress_like=may_be_distress(pgn, octets))

    def _read_as(
        self, system: str, frames: tuple[Frame, ...], bodies: list[bytes], doubts: tuple[str, ...]
    ) -> Reading | Unread:
        """Return what the system makes of the first sentence, and of one that adds to it."""
        inner: Reading | Unread = Unread(frames, "there is nothing in it", distress_like=True)
        first: Frame | None = None
        for body in bodies:
            sentence = replace(frames[-1], body=body)
            for found in self._systems[system].read(sentence) or ():
                if first is None or (isinstance(found, Reading) and found.refines == (first,)):
                    inner = found
            first = first or sentence
        if isinstance(inner, Unread):
            return replace(inner, frames=frames)
        return Told(
            frames=frames,
            system=system,
            said=inner.said,
            content=inner.content,
            inner=inner,
            doubts=doubts,
        )


_BROKEN = "a line of the bus that can't be read"
_OF_NO_RADIO = "a group of the bus that is of no radio"
_NOT_PROVEN = "nothing proves what the adapter says on its wire"
_MARKS = re.compile(
    rb"[ ][01][0-9A-F]F(?:B10|B09|B0A|101)|[ ]1F(?:B10|B09|B0A|101)"
    rb"|(?:\x10\x10|\x09|\x0a)\xfb\x01|\x01\xf1\x01",
    re.IGNORECASE,
)
"""Groups that may be a call, as identifiers, as numbers, and as octets."""


def _calls(frame: Frame) -> bool:
    return _MARKS.search(frame.raw) is not None


RADIO = N2k
