"""A few pieces of wire on their way through the rooms of one port, every coat kept to be looked at.

The service's own hallway drops each coat into the next; this one is for eyes, not for speed, and
a test holds the two to the same reports.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from gateway.correlate.copies import Copies
from gateway.framing import framer_named
from gateway.model.inbound import Chunk, Frame, Moment, Reading, Ruling, Unread
from gateway.model.plan import Profile
from gateway.model.words import Fault, Integrity
from gateway.normalise import Place, normalise
from gateway.radio import Radio, radio_named

STATION = "my-station"
PORT = "port"

SENTENCE_NS = 100 * 10**6
"""Between two sentences: short of every window in which halves are joined, longer than a copy."""

END_NS = 3600 * 10**9
"""After the last sentence: longer than any room waits for another half."""


class Wire(Struct, frozen=True):
    """What is to be explained, as it would come from a modem."""

    pieces: tuple[bytes, ...]
    end: bytes = b"\r\n"
    """Sent behind each piece; empty for bytes, which are sent as they are."""


class Made(Struct, frozen=True):
    """What one radio made of one or more frames."""

    radio: str
    found: Reading | Unread
    ruling: Ruling | None
    """None when it could not be read."""


class Step(Struct, frozen=True):
    """One frame and what was made of it; the last step, without a frame, is time running out."""

    frame: Frame | None
    made: tuple[Made, ...] = ()
    reader: str | None = None
    """The radio that knows this language; None when none does, or when none was asked."""
    distress_like: bool = False
    """Whether this broken frame, had it been whole, might have been a call for help."""


class Walk:
    """The pieces on their way through the rooms of one port."""

    def __init__(self, modem: str, profile: Profile, wire: Wire) -> None:
        self.modem = modem
        self.profile = profile
        self.wire = wire
        self.station = STATION
        self._place = Place(
            station=STATION,
            port=PORT,
            modem=modem,
            channel=profile.channel,
            freq_hz=profile.freq_hz,
        )
        self._radios: list[Radio] = [radio_named(name)() for name in profile.radio]
        self._copies = Copies()
        self.steps = list(self._steps())

    @property
    def rulings(self) -> list[Ruling]:
        """What was understood, in order."""
        return [made.ruling for made in self._made() if made.ruling]

    @property
    def refused(self) -> int:
        """How many frames were refused or could not be read."""
        return (
            self.broken
            + sum(isinstance(made.found, Unread) and made.found.kept for made in self._made())
            + self.unknown
        )

    @property
    def unknown(self) -> int:
        """How many whole frames no radio of this port knows the language of."""
        return sum(
            step.frame is not None and step.frame.fault is None and step.reader is None
            for step in self.steps
        )

    @property
    def faulty(self) -> int:
        """How often there was no whole message, or not even the start of one."""
        return sum(step.frame is not None and step.frame.fault is not None for step in self.steps)

    @property
    def broken(self) -> int:
        """How many messages were cut out of it that are not whole."""
        return sum(
            step.frame is not None and step.frame.fault not in (None, Fault.NOISE)
            for step in self.steps
        )

    @property
    def proven(self) -> int:
        """How many frames their framing has proven: by chance it is right about none."""
        return sum(
            step.frame is not None and step.frame.integrity is not Integrity.NONE
            for step in self.steps
        )

    @property
    def known(self) -> int:
        """How many whole frames are in the language of a radio of this port, readable or not."""
        return sum(step.reader is not None for step in self.steps)

    @property
    def messages(self) -> int:
        """How many messages were cut out of it, whole or not; the rest is noise."""
        return sum(
            step.frame is not None and step.frame.fault is not Fault.NOISE for step in self.steps
        )

    def _made(self) -> Iterator[Made]:
        for step in self.steps:
            yield from step.made

    def _steps(self) -> Iterator[Step]:
        framer = framer_named(self.profile.framing)()
        now = Moment(0)
        for place, piece in enumerate(self.wire.pieces):
            now = Moment(place * SENTENCE_NS)
            for frame in framer.split(Chunk(port=PORT, heard=now, data=piece + self.wire.end)):
                yield self._step(frame)
        late = Moment(now.mono_ns + END_NS)
        for frame in framer.expire(late):
            yield self._step(frame)
        left = [(radio, found) for radio in self._radios for found in radio.expire(late)]
        if left:
            yield Step(None, tuple(self._onward(radio, found) for radio, found in left))

    def _step(self, frame: Frame) -> Step:
        if frame.fault is not None:
            like = any(radio.distress_like(frame) for radio in self._radios)
            return Step(frame, distress_like=like and frame.fault is not Fault.NOISE)
        for radio in self._radios:
            found = radio.read(frame)
            if found is not None:
                return Step(frame, tuple(self._onward(radio, one) for one in found), radio.name)
        return Step(frame)

    def _onward(self, radio: Radio, found: Reading | Unread) -> Made:
        if isinstance(found, Unread):
            return Made(radio.name, found, None)
        report = normalise(radio.report(found), found, self._place)
        return Made(radio.name, found, Ruling(self._copies.place(report, found)))
