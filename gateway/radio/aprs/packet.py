r"""Packets: AX.25 UI frames behind a KISS command, and the same as text.

    82 A0 A4 A6 40 40 60   9C 6C 82 86 96 40 63   03  F0   21 34 39 …
    DDDDDDDDDDDDDDDDDDDD   SSSSSSSSSSSSSSSSSSSS   CC  PP   IIIIIIIIII

    D  destination: six characters, each shifted left by one bit, and a byte 1RRSSSS0
    S  source, the same; up to eight repeaters may follow. The lowest bit of the last byte is 1.
       Of a repeater the highest bit says that it has repeated the packet; SSSS is its number
    C  control: 03 is an unnumbered information frame (UI)      P  protocol: F0 is none
    I  information

    N0CALL-7>APRS,WIDE1-1*:!4903.50N/07201.75W-

AX.25 2.2; APRS 1.0.1 chapters 3 and 17. What is no UI frame without a protocol (a connection, IP)
is no APRS. A third-party packet holds another one as text, behind a brace.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from gateway.radio.aprs.words import Packet

ADDRESSES_MAX = 10
"""Destination, source and eight repeaters (APRS 1.0.1 chapter 3)."""

THIRD_PARTY_MAX = 4
"""A packet passed on is passed on once; more than a few times is a loop, or made to hurt."""

_ADDRESS_BYTES = 7
_UI, _UI_POLL, _NO_PROTOCOL = 0x03, 0x13, 0xF0
_ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 "
_SHIFTED = bytes(
    byte >> 1 if not byte & 1 and byte >> 1 in _ALPHABET else ord("?") for byte in range(256)
)
_HEADER = re.compile(
    rb"([A-Za-z0-9-]{1,9})>([A-Za-z0-9]{1,6}(?:-[A-Za-z0-9]{1,2})?)"
    rb"((?:,[A-Za-z0-9-]{1,32}\*?){0,16}):"
)
_PRINTED = re.compile(rb"<0x([0-9A-Fa-f]{2})>")
"""What some programs print for what can't be printed."""


def packet_in(body: bytes) -> Packet | None:
    """Return the packet that a frame carries, as KISS or as text; None for anything else.

    The two can't be taken for each other: a shifted letter is no letter.
    """
    if body and not body[0] & 0x0F:
        found = _unnumbered(body)
        if found:
            return found
    return packet_of_text(body)


def packet_of_text(line: bytes) -> Packet | None:
    """Return the packet that is written here; None when its header is not one."""
    found = _HEADER.match(line)
    if found is None:
        return None
    source, to, path = (part.decode("ascii") for part in found.groups())
    inside = line[found.end() :]
    if b"<0x" in inside:
        inside = _PRINTED.sub(lambda digits: bytes.fromhex(digits[1].decode("ascii")), inside)
    return Packet(source, to, tuple(path[1:].split(",")) if path else (), inside)


def innermost(packet: Packet) -> tuple[Packet, tuple[str, ...]]:
    """Return the packet that began it, and who has passed it on, the last one first."""
    gates: tuple[str, ...] = ()
    while packet.body[:1] == b"}" and len(gates) < THIRD_PARTY_MAX:
        inner = packet_of_text(packet.body[1:])
        if inner is None:
            break
        gates = (*gates, packet.source)
        packet = Packet(inner.source, inner.to, inner.path, inner.body, packet.kiss_port)
    return packet, gates


def write_packet(packet: Packet) -> bytes:
    """Return what KISS carries: the command, and the UI frame without its check sequence.

    Raises:
        AddressError: a call sign that AX.25 has no place for, or too many repeaters.
    """
    names = (packet.to, packet.source, *packet.path)
    if len(names) > ADDRESSES_MAX:
        raise AddressError(packet.path[-1])
    addresses = b"".join(_written(name, place) for place, name in enumerate(names))
    command = (packet.kiss_port or 0) << 4
    last = addresses[-1] | 1
    return bytes((command, *addresses[:-1], last, _UI, _NO_PROTOCOL)) + packet.body


def write_text(packet: Packet) -> bytes:
    """Return the packet as a line of text."""
    head = ",".join((f"{packet.source}>{packet.to}", *packet.path))
    return head.encode("ascii") + b":" + packet.body


class AddressError(ValueError):
    """No address of AX.25. Only whoever composes a packet can cause it."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} is no address of AX.25")
        self.name = name


def _unnumbered(frame: bytes) -> Packet | None:
    names = tuple(_names(frame))
    at = 1 + _ADDRESS_BYTES * len(names)
    head = frame[at : at + 2]
    if len(names) <= 1 or len(head) <= 1 or head[0] not in (_UI, _UI_POLL):
        return None
    if head[1] != _NO_PROTOCOL:
        return None
    to, source, *path = names
    return Packet(
        source.rstrip("*"), to.rstrip("*"), tuple(path), frame[at + 2 :], kiss_port=frame[0] >> 4
    )


def _names(frame: bytes) -> Iterator[str]:
    """Yield each address behind the command; nothing more when one is none."""
    for at in range(1, _ADDRESS_BYTES * ADDRESSES_MAX, _ADDRESS_BYTES):
        call = frame[at : at + 6].translate(_SHIFTED).rstrip(b" ")
        if not call.isalnum() or len(frame) < at + _ADDRESS_BYTES:
            return
        last = frame[at + 6]
        number = last >> 1 & 0x0F
        name = f"{call.decode('ascii')}-{number}" if number else call.decode("ascii")
        yield f"{name}*" if last & 0x80 else name
        if last & 1:
            return


def _written(name: str, place: int) -> bytes:
    """Return an address; of destination and source the highest bits say that it is a command."""
    call, _, number = name.rstrip("*").partition("-")
    known = call.isalnum() and call.isascii() and call.upper() == call and len(call) <= 6
    if not known or not (number or "0").isdecimal() or int(number or 0) > 15:
        raise AddressError(name)
    repeated = 0x80 if place == 0 or name.endswith("*") else 0
    shifted = bytes(byte << 1 for byte in call.ljust(6).encode("ascii"))
    return shifted + bytes((0x60 | repeated | int(number or 0) << 1,))
