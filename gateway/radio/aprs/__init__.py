r"""APRS, the automatic packet reporting system of radio amateurs, over AX.25 and as text.

    C0 00 | 82 A0 A4 A6 40 40 60  9C 60 86 82 98 98 63  03 F0 | =4903.50N/07201.75W- | C0
    KISS  | AX.25: destination, source, repeaters, UI, no PID | what is said           |

    N0CALL-7>SUQU5P,WIDE1-1*:`(_fn"Oj/                          the same kind of thing as text

A packet is read from a KISS frame or from a line of text, and says the same either way. Mic-E's
emergency is distress; symbols and words for one are distress of low confidence (meaning.py). A
packet that a gate has passed on is read as what its first sender said, and says whose word it is.

    packet.py   from bytes to a packet          content.py   what it says, by its first byte
    meaning.py  what it means to everybody      place.py mice.py   positions
    words.py    what it says                compose.py   packets that are ordered

APRS Protocol Reference 1.0.1 (2000) with its additions 1.1 and 1.2; AX.25 2.2.
"""

from __future__ import annotations

from collections.abc import Iterator

from gateway.model.bounds import Bound
from gateway.model.inbound import Draft, Frame, Moment, Reading, Unread
from gateway.model.words import Integrity, Urgency
from gateway.radio.aprs.compose import COMPOSER
from gateway.radio.aprs.content import said_of
from gateway.radio.aprs.meaning import alarm_of, draft_of
from gateway.radio.aprs.packet import innermost, packet_in
from gateway.radio.aprs.words import AprsDetail, Packet

__all__ = ["COMPOSER", "RADIO", "Aprs"]


class Aprs:
    """Reads packets. It remembers nothing."""

    name = "aprs"

    def bounds(self) -> Iterator[Bound]:
        """Yield nothing: nothing waits here."""
        return iter(())

    def read(self, frame: Frame) -> tuple[Reading | Unread, ...] | None:
        """Return what a frame or a line says; what is no packet of APRS is None."""
        packet = packet_in(frame.body)
        if packet is None:
            return None
        first, gates = innermost(packet)
        if not first.body:
            return (Unread((frame,), "a packet without contents"),)
        said = said_of(first, gates)
        return (Reading((frame,), self.name, said, content_key(first)),)

    def report(self, reading: Reading) -> Draft:
        """Return what a packet means to everybody."""
        if isinstance(reading.said, AprsDetail):
            proven = reading.frames[-1].integrity is not Integrity.NONE
            return draft_of(reading.said, proven=proven)
        raise TypeError(reading.said)

    def expire(self, _now: Moment) -> tuple[Reading | Unread, ...]:
        """Return nothing: each packet stands for itself."""
        return ()

    def distress_like(self, frame: Frame) -> bool:
        """Say whether what is left of a packet calls for help: its header comes first."""
        if frame.body[:1] in _SENTENCES:
            return False
        packet = packet_in(frame.body)
        if packet is None:
            return False
        first, gates = innermost(packet)
        if not first.body:
            return False
        alarm = alarm_of(said_of(first, gates))
        return alarm is not None and alarm.urgency is Urgency.DISTRESS


_SENTENCES = (b"$", b"!", b"\\")
"""What sentences and their TAG blocks begin with."""


def content_key(packet: Packet) -> bytes:
    """Return what was sent at first: repeaters and gates change the path, and say it again."""
    return f"{packet.source}>{packet.to}:".encode("ascii") + packet.body.rstrip(b"\r\n")


RADIO = Aprs
