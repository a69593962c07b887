"""Modems that speak the packed link: our own open protocol, docs/LINK.md.

    VVVVKKKK NNNNNNNN MMMMMMMM…

    V  version of the link, 1        N  number of the packet, 0 to 255
    K  kind of packet: say, tell, ack, nak, test, echo
    M  a letter: one msgpack map, its kind under `t`

The framing (`cobs` or `slip`) has held the check. Such a modem either unpacks what it hears, and
says how it was proven on the air, or hands on the frame of another radio system, which is read here
as though it had come from a modem of that system. What proves the wire proves nothing of the air.

    packet.py   header and numbers             letters.py  the maps, read and written
    meaning.py  what a report means            words.py    what the modem says of itself
    compose.py  what it is ordered

Remembered, for one port: the next number, and the systems whose frames have come.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import asdict, replace

from gateway.codes.checksum import nmea_checksum
from gateway.model.bounds import Bound
from gateway.model.inbound import Draft, Frame, Moment, Reading, Tags, Unread
from gateway.model.words import Integrity, Kind, Urgency
from gateway.radio import Radio, radio_named, radio_names
from gateway.radio.packed.compose import COMPOSER
from gateway.radio.packed.letters import (
    Ask,
    Health,
    Hearing,
    Hello,
    Order,
    Outcome,
    Raw,
    Report,
    Said,
    read_letter,
    write_letter,
)
from gateway.radio.packed.meaning import PROVEN, draft_of, wrong_with
from gateway.radio.packed.packet import (
    HEADER_BYTES,
    NUMBERED,
    NUMBERS,
    Packet,
    PacketKind,
    read_packet,
    write_packet,
)
from gateway.radio.packed.words import PackedDetail

__all__ = [
    "COMPOSER",
    "RADIO",
    "Packed",
    "read_letter",
    "write_letter",
    "write_packet",
]


class Carried(Frame, frozen=True):
    """The frame of another system that came in a letter; its raw bytes are those of the wire."""

    rx: Hearing = Hearing()


class Packed:
    """What the modem at one port says, and what it hands on."""

    name = "packed"

    def __init__(self) -> None:
        self._systems: dict[str, Radio] = {}
        self._next: int | None = None
        self._start: int | None = None

    def bounds(self) -> Iterator[Bound]:
        """Yield what waits in the systems whose frames have come."""
        for system in self._systems.values():
            yield from system.bounds()

    def read(self, frame: Frame) -> tuple[Reading | Unread, ...] | None:
        """Return what a packet says; what no packed framing has cut is None."""
        if frame.integrity is not Integrity.CRC:
            return None
        packet = read_packet(frame.body)
        if packet is None:
            reason = "a packet of a version or kind that is not known here"
            return (Unread((frame,), reason, distress_like=True),)
        if packet.kind not in NUMBERED:
            return self._of_link(frame, packet)
        letter = read_letter(packet.payload)
        return (*self._gap(frame, packet, letter), *self._letter(frame, packet, letter))

    def report(self, reading: Reading) -> Draft:
        """Return what the reading means to everybody."""
        frame = reading.frames[-1]
        if isinstance(frame, Carried):
            return _as_heard(self._systems[reading.system].report(reading), frame.rx)
        if not isinstance(reading.said, PackedDetail):
            raise TypeError(reading.said)
        if reading.said.said == "report":
            letter = read_letter(frame.body[HEADER_BYTES:])
            if isinstance(letter, Report):
                return draft_of(letter)
        return Draft(kind=Kind.STATUS, urgency=Urgency.ROUTINE, text=_words_for(reading.said))

    def expire(self, now: Moment) -> tuple[Reading | Unread, ...]:
        """Return what the systems whose frames have come wait for no longer."""
        return tuple(found for system in self._systems.values() for found in system.expire(now))

    def distress_like(self, frame: Frame) -> bool:
        """Say whether a packet may hold a call: of a broken one, whether such words stand in it.

        Bare text holds such words everywhere, and is no packet: that has bytes beyond ASCII in it.
        """
        if frame.fault is None:
            packet = read_packet(frame.body) if frame.integrity is Integrity.CRC else None
            return packet is not None and packet.kind in NUMBERED and _calls(packet.payload)
        return not frame.raw.isascii() and _calls(frame.raw)

    def _of_link(self, frame: Frame, packet: Packet) -> tuple[Reading, ...]:
        """Return what is said about the link itself; that something has arrived is no report."""
        if packet.kind is PacketKind.ACK:
            return ()
        why = packet.payload[:_WHY_BYTES_MAX].decode("utf-8", "replace")
        said = PackedDetail(
            said=packet.kind.name.lower(),
            number=packet.number,
            why=why if packet.kind is PacketKind.NAK else None,
        )
        return (Reading((frame,), self.name, said, frame.body),)

    def _gap(self, frame: Frame, packet: Packet, letter: Said | str) -> tuple[Reading, ...]:
        """Return that packets before this one were lost, when their numbers say so."""
        expected, self._next = self._next, (packet.number + 1) % NUMBERS
        if isinstance(letter, Hello) and letter.start != self._start:
            self._start = letter.start
            return ()
        missing = 0 if expected is None else (packet.number - expected) % NUMBERS
        if missing >= NUMBERS // 2:
            self._next = expected  # an old number: said again, and not lost
            return ()
        if not missing:
            return ()
        said = PackedDetail(said="gap", number=packet.number, missing=missing)
        return (Reading((frame,), self.name, said, b"gap|%d|%d" % (packet.number, missing)),)

    def _letter(
        self, frame: Frame, packet: Packet, letter: Said | str
    ) -> tuple[Reading | Unread, ...]:
        if isinstance(letter, str):
            reason = f"its letter can't be read: {letter}"
            return (Unread((frame,), reason, distress_like=_calls(packet.payload)),)
        if isinstance(letter, Raw):
            return self._carried(frame, letter)
        if isinstance(letter, Ask | Order):
            return (Unread((frame,), "an order, which only a gateway gives"),)
        if isinstance(letter, Report):
            wrong = wrong_with(letter)
            if wrong is not None:
                return (Unread((frame,), wrong, distress_like=True),)
            content = b"report|" + write_letter(replace(letter, rx=None))
        else:
            content = frame.body
        return (Reading((frame,), self.name, _detail_of(letter, packet.number), content),)

    def _carried(self, frame: Frame, letter: Raw) -> tuple[Reading | Unread, ...]:
        """Read the frame of another system as though it had come from a modem of that system."""
        if letter.radio == self.name or letter.radio not in radio_names():
            reason = f"no radio system is called {letter.radio!r}"
            return (Unread((frame,), reason, distress_like=True),)
        if letter.radio not in self._systems:
            self._systems[letter.radio] = radio_named(letter.radio)()
        system = self._systems[letter.radio]
        rx = letter.rx or Hearing()
        body = letter.body
        integrity = PROVEN.get(rx.proof or "", Integrity.NONE)
        if body[:1] in _SENTENCES:
            sentence = _sentence(body)
            if sentence is None:
                reason = "the check of the sentence in it is wrong"
                return (Unread((frame,), reason, distress_like=True),)
            body, integrity = sentence, Integrity.CHECKSUM
        inner = Carried(
            port=frame.port,
            heard=frame.heard,
            body=body,
            raw=frame.raw,
            span=frame.span,
            ordinal=frame.ordinal,
            integrity=integrity,
            tags=Tags(time_ns=None if rx.at_ms is None else rx.at_ms * 10**6),
            rx=rx,
        )
        found = system.read(inner)
        if found is None:
            return (Unread((frame,), f"no frame of {letter.radio}", distress_like=True),)
        return found


_SENTENCES = (b"$", b"!")
_CHECK_BYTES = 3
"""An asterisk and two digits."""
_WHY_BYTES_MAX = 256
"""Why a packet was not taken is one line of text."""
_CALLS = (b"distress", b"alert", b"relay", b"raw")
"""Words of letters that may hold a call; in a broken packet one of several is left."""


def _calls(letter: bytes) -> bool:
    return any(word in letter for word in _CALLS)


def _sentence(body: bytes) -> bytes | None:
    """Return what stands between start mark and asterisk; None when the check is wrong."""
    text = body.rstrip(b"\r\n")
    inner, check = text[1:-_CHECK_BYTES], text[-_CHECK_BYTES:]
    return inner if check.upper() == b"*%02X" % nmea_checksum(inner) else None


def _as_heard(draft: Draft, rx: Hearing) -> Draft:
    """Return the draft with what the modem says of the channel."""
    return replace(
        draft,
        channel=draft.channel or rx.channel,
        freq_hz=draft.freq_hz or rx.freq_hz,
        rssi_dbm=rx.rssi_dbm,
    )


def _detail_of(letter: Report | Hello | Health | Outcome, number: int) -> PackedDetail:
    said = type(letter).__name__.lower()
    if isinstance(letter, Report):
        proof = letter.rx.proof if letter.rx else None
        return PackedDetail(said=said, number=number, nature=letter.nature, proof=proof)
    if isinstance(letter, Outcome):
        return PackedDetail(
            said=said, number=number, order=letter.id, done=letter.done, why=letter.why
        )
    return PackedDetail(said=said, number=number, **asdict(letter))


def _words_for(said: PackedDetail) -> str | None:
    if said.said == "gap":
        return f"{said.missing} packets of the modem before number {said.number} were lost"
    return None


RADIO = Packed
