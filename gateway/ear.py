"""One port's end of the hallway: what is heard there, in the hands of its framer and its radios."""

from __future__ import annotations

from collections.abc import Iterable

from gateway.codes.rawtext import escape
from gateway.framing import Framer
from gateway.model.counts import PortCount
from gateway.model.inbound import Frame, Moment, Reading, Refused, Unread
from gateway.model.words import Fault, Mode
from gateway.normalise import Place, utc_of
from gateway.radio import Radio


class Ear:
    """A port with its framer, its radios, its place and its counts."""

    def __init__(
        self,
        place: Place,
        framer: Framer,
        radios: tuple[Radio, ...],
        strangers: tuple[Radio, ...] = (),
        *,
        played: bool = False,
    ) -> None:
        self.place = place
        self.framer = framer
        self.radios = radios
        self.strangers = strangers
        """Radio systems not expected here: asked only whether a call for help goes unread."""
        self.played = played
        """Whether a tape, or an exercise, is heard here as though it were now: then it tells nobody
        the time."""
        self.count = PortCount()

    def read(self, radio: Radio, frame: Frame) -> tuple[Reading | Unread, ...] | None:
        """Ask one radio; a fault of the decoder is kept like any refusal and loses nothing else."""
        try:
            return radio.read(frame)
        except Exception as error:  # noqa: BLE001  # no input may stop a port, whatever we did wrong
            return (Unread((frame,), self.blame(radio, error), distress_like=True),)

    def might_call(self, frame: Frame, radios: Iterable[Radio]) -> bool:
        """Ask whether this frame, which nobody could read, might be a call for help."""
        for radio in radios:
            try:
                if radio.distress_like(frame):
                    return True
            except Exception as error:  # noqa: BLE001  # see read
                self.blame(radio, error)
                return True
        return False

    def overdue(self, radio: Radio, now: Moment) -> tuple[Reading | Unread, ...]:
        """Ask one radio what has waited too long for its other half."""
        try:
            return radio.expire(now)
        except Exception as error:  # noqa: BLE001  # see read
            self.blame(radio, error)
            return ()

    def blame(self, radio: Radio, error: Exception) -> str:
        """Count a fault of a decoder; return it in words."""
        self.count.decoder_errors += 1
        return f"decoder {radio.name} failed: {type(error).__name__}"

    def kept(
        self, frames: tuple[Frame, ...], *, reason: str, door: str, distress_like: bool
    ) -> Refused:
        """Return frames that no report is made of, as they are kept."""
        heard = frames[-1].heard
        return Refused(
            port=self.place.port,
            mono_ns=heard.mono_ns,
            utc=utc_of(heard.utc_ns),
            clock=heard.clock,
            clock_error_ms=heard.error_ms,
            boot=self.place.boot,
            reason=reason,
            door=door,
            distress_like=distress_like,
            mode=Mode.EXERCISE if self.place.exercise else Mode.REAL,
            raw=tuple(escape(frame.raw) for frame in frames),
            span=sum(frame.span for frame in frames),
        )

    def take_in(self, frames: Iterable[Frame]) -> None:
        """Count what the framer has cut."""
        count = self.count
        for frame in frames:
            count.frames += frame.fault is not Fault.NOISE
            if frame.fault is None:
                count.bytes_decoded += frame.span
            elif frame.fault is Fault.NOISE:
                count.bytes_noise += frame.span
            else:
                count.bytes_refused += frame.span
        count.bytes_held = self.framer.held
