"""Packets that somebody orders: an action to the message for the device that sends it.

    ToRadio     1 packet: MeshPacket
    MeshPacket  2 to, four bytes      4 decoded: Data      6 id, four bytes      10 want_ack
    Data        1 port: 1 text, 3 position      2 payload
    Position    1 latitude, 2 longitude in ten-millionths of a degree, four bytes with a sign
                5 source: 1 manual      23 precision: all 32 bits

The device puts in who sends, encrypts, and takes its own channel 0. Asked for an answer and told
nothing of hops, it takes the hops of its settings; whatever it hears nobody pass on it sends up to
twice more, as the same packet (firmware 2.x). The id is made from the order's name: the same order
is the same packet. Source: the field numbers of the project's mesh.proto and portnums.proto, 2.7.
Nothing here writes to a port.
"""

from __future__ import annotations

import re
from hashlib import blake2b

from gateway.codes.protobuf import write_field, write_fixed32
from gateway.model.transmission import Action, Beacon, CannotSay, Place, Saying, Text
from gateway.radio import Composer, check_words
from gateway.radio.meshtastic.reading import EVERYBODY, node_name
from gateway.radio.meshtastic.words import called_words

TEXT_BYTES_MAX = 200
"""What the project's own programs allow: as UTF-8, with a packet's headers and the longer of the
two encryptions, it fits into the 255 bytes that the radio takes."""

_FRAMING = "meshtastic"
_TEXT, _POSITION = 1, 3
_MANUAL = 1
_PRECISION_BITS = 32
_STEPS_A_DEGREE = 10_000_000
_NODE = re.compile(r"![0-9a-f]{8}")


def compose(saying: Saying) -> tuple[bytes, ...]:
    """Return the one message that orders this; raise CannotSay."""
    if saying.framing != _FRAMING:
        raise CannotSay(f"no packet can be ordered as {saying.framing}: {_FRAMING} can")
    action = saying.action
    to = _node(action.to, saying.own.node) if isinstance(action, Text) else EVERYBODY
    packet = (
        write_fixed32(2, to),
        write_field(4, _application(action)),
        write_fixed32(6, packet_id(saying.command_id)),
        write_field(10, 1),
    )
    return (write_field(1, b"".join(packet)),)


def packet_id(command_id: str) -> int:
    """Return the id of the packet that this command becomes; 0 would be none."""
    found = int.from_bytes(blake2b(command_id.encode(), digest_size=4).digest(), "big")
    return found or 1


def _application(action: Action) -> bytes:
    """Return for which application the packet is, and what it says to it (Data)."""
    if isinstance(action, Text):
        return write_field(1, _TEXT) + write_field(2, _words(action))
    if isinstance(action, Beacon):
        if action.words:
            raise CannotSay("a position of Meshtastic has no room for words: send them as a text")
        return write_field(1, _POSITION) + write_field(2, _place(action.place))
    raise CannotSay("Meshtastic has no words for that: text and position it has")


def _words(text: Text) -> bytes:
    if text.bulletin is not None:
        raise CannotSay("Meshtastic has no bulletins: leave it out")
    check_words(text.category, called_words(text.words))
    payload = text.words.encode("utf-8")
    if len(payload) > TEXT_BYTES_MAX:
        raise CannotSay(f"{len(payload)} bytes of UTF-8 are more than {TEXT_BYTES_MAX}")
    return payload


def _node(to: str | None, own: int | None) -> int:
    """Return the number of whom it is for."""
    if to is None:
        return EVERYBODY
    number = int(to[1:], 16) if _NODE.fullmatch(to) else 0
    if number in (0, EVERYBODY):
        why = f"{to} is no node: one is ! and eight hexadecimal digits, such as {node_name(0xABCD)}"
        raise CannotSay(f"{why}; for everybody leave `to` out")
    if number == own:
        raise CannotSay("a station can't write to itself")
    return number


def _place(place: Place) -> bytes:
    """Return where it is (Position)."""
    return b"".join(
        (
            write_fixed32(1, round(place.lat_deg * _STEPS_A_DEGREE)),
            write_fixed32(2, round(place.lon_deg * _STEPS_A_DEGREE)),
            write_field(5, _MANUAL),
            write_field(23, _PRECISION_BITS),
        )
    )


COMPOSER = Composer(says=("text", "position"), framings=(_FRAMING,), compose=compose)
