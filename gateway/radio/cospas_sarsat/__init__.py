"""Cospas-Sarsat 406 MHz distress beacons, first and second generation.

First generation (C/S T.001), 112 or 144 bits:

    bits  1-24   25  26  27-36  37-85                       86-106  107-132      133-144
          sync   F   P   MID    protocol, identity, place   BCH-1   finer place  BCH-2

Second generation (C/S T.018), 250 bits:

    bits  1-16  17-30   31-40  41-43  44-90  91-137  138-140  141-154  155-202   203-250
          TAC   serial  MID    flags  place  vessel  beacon   spare    rotating  BCH

Read from what receivers print (forms.py) or frame. Check digits are made anew, and up to 3, 2 and
6 errors are put right; more, and the message is kept unread. A self-test or a test protocol is a
test. A cancellation is looked for before any position. A ship security alert is covert.

    forms.py    from digits to bits          fgb.py fgb_identity.py fgb_place.py   T.001
    meaning.py  what it means to everybody   sgb.py                                T.018
    words.py    what it says                 write.py write_*.py   both, back, for exercises

Nothing here is ever sent: 406.0 to 406.1 MHz is kept for beacons in distress.
"""

from __future__ import annotations

from collections.abc import Iterator

from gateway.model.bounds import Bound
from gateway.model.inbound import Draft, Frame, Moment, Reading, Unread
from gateway.radio.cospas_sarsat.fgb import read_first
from gateway.radio.cospas_sarsat.forms import Burst, Illegible, message_in
from gateway.radio.cospas_sarsat.meaning import PROOF_BITS_MIN, draft_of, proof_bits
from gateway.radio.cospas_sarsat.sgb import read_second
from gateway.radio.cospas_sarsat.words import BeaconDetail
from gateway.radio.cospas_sarsat.write import CodingError, write_beacon

__all__ = ["RADIO", "BeaconDetail", "CodingError", "CospasSarsat", "write_beacon"]


class CospasSarsat:
    """Reads beacons as a receiver gives them. It remembers nothing."""

    name = "cospas_sarsat"

    receive_only = True
    """No profile that can key a transmitter may name it."""

    def bounds(self) -> Iterator[Bound]:
        """Yield nothing: nothing waits here."""
        return iter(())

    def read(self, frame: Frame) -> tuple[Reading | Unread, ...] | None:
        """Return what a line or a frame says; what holds nothing like a message is None."""
        said = _said(frame.body)
        if said is None:
            return None
        if isinstance(said, Illegible):
            return (Unread((frame,), said.reason, distress_like=True),)
        return (Reading((frame,), self.name, said, content_of(said)),)

    def report(self, reading: Reading) -> Draft:
        """Return what a beacon means to everybody."""
        if isinstance(reading.said, BeaconDetail):
            return draft_of(reading.said)
        raise TypeError(reading.said)

    def expire(self, _now: Moment) -> tuple[Reading | Unread, ...]:
        """Return nothing: each message stands for itself."""
        return ()

    def distress_like(self, frame: Frame) -> bool:
        """Say whether a broken line holds the remains of a message, or a whole frame all of one.

        Rows of hexadecimal digits are everywhere: in a frame of another language only one that
        proves itself is a message, and in half a sentence there is none.
        """
        if frame.fault is None:
            said = _said(frame.body)
            return isinstance(said, BeaconDetail) and proof_bits(said) >= PROOF_BITS_MIN
        is_text = frame.raw.isascii() and frame.raw.decode("ascii").isprintable()
        return is_text and frame.raw[:1] not in _SENTENCES and message_in(frame.raw) is not None


def _said(body: bytes) -> BeaconDetail | Illegible | None:
    message = message_in(body)
    if not isinstance(message, Burst):
        return message
    return read_first(message) if message.generation == 1 else read_second(message)


_SENTENCES = (b"$", b"!", b"\\")
"""What sentences and their TAG blocks begin with."""


def content_of(said: BeaconDetail) -> bytes:
    """Return what went over the air, errors put right; a self-test is not the same as its alert."""
    digits = said.sent_hex or said.hex_id
    return f"{said.generation}|{said.form}|{said.self_test:d}|{digits}".encode("ascii")


RADIO = CospasSarsat
