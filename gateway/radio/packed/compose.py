"""Orders to a packed modem: transmit this of another system, or give these bytes back.

    order  {t: order, id, until, radio, body}   SAY, its number the port's next
    test   sixteen bytes                        TEST

The profile's `dialect` names the system that the modem transmits; its own composer makes the body,
as a `raw` letter would carry it. The modem carries an order out once, whatever comes again under
its `id`, and answers with an `outcome`. Nothing here writes to a port.
"""

from __future__ import annotations

from hashlib import blake2b

from msgspec.structs import replace

from gateway.codes.bands import is_for_beacons
from gateway.codes.checksum import nmea_checksum
from gateway.model.transmission import Adjust, CannotSay, Saying
from gateway.radio import Composer, composer_named
from gateway.radio.packed.letters import Order, write_letter
from gateway.radio.packed.packet import (
    BODY_BYTES_MAX,
    NUMBERS,
    Packet,
    PacketKind,
    write_packet,
)

INSIDE = {"ais": "nmea", "aprs": "kiss", "dsc": "nmea"}
"""The systems that a packed modem may be told to transmit, and the form of their bodies."""

_NAME_BYTES = 16
"""As hexadecimal digits the 32 that the name of an order may have."""


def compose(saying: Saying) -> tuple[bytes, ...]:
    """Return the packets that order this, in turn; raise CannotSay."""
    if isinstance(saying.action, Adjust):
        return (_test(saying, saying.action),)
    return tuple(
        _order(saying, place, body) for place, body in enumerate(_bodies(saying, _inside(saying)))
    )


def order_name(command_id: str, place: int = 0) -> str:
    """Return the name of the order that this command becomes; of several, in their turn."""
    return blake2b(f"{command_id}/{place}".encode(), digest_size=_NAME_BYTES).hexdigest()


def _inside(saying: Saying) -> str:
    """Return the system that the modem transmits."""
    if saying.dialect not in INSIDE:
        raise CannotSay(f"the profile's dialect {_NAMES}")
    if saying.freq_hz is not None and is_for_beacons(saying.freq_hz):
        raise CannotSay("nobody but a beacon in distress transmits in 406.0 to 406.1 MHz")
    return saying.dialect


def _bodies(saying: Saying, system: str) -> tuple[bytes, ...]:
    composer = composer_named(system)
    if composer is None:
        raise CannotSay(f"{system} is never transmitted: {_CHOICE} may be")
    framing = INSIDE[system]
    bodies = composer.compose(replace(saying, framing=framing, dialect=None))
    if framing != "nmea":
        return bodies
    return tuple(b"%b*%02X" % (body, nmea_checksum(body[1:])) for body in bodies)


def _order(saying: Saying, place: int, body: bytes) -> bytes:
    order = Order(
        id=order_name(saying.command_id, place),
        until=saying.not_after_s,
        radio=saying.dialect or "",
        body=body,
    )
    number = (saying.number + place) % NUMBERS
    packet = write_packet(Packet(PacketKind.SAY, number, write_letter(order)))
    if len(packet) > BODY_BYTES_MAX:
        raise CannotSay(f"it makes {len(packet)} bytes, where a packet holds {BODY_BYTES_MAX}")
    return packet


def _test(saying: Saying, asked: Adjust) -> bytes:
    if asked.what != "link_test":
        raise CannotSay(f"the packed link has no words for a {asked.what}: link_test it has")
    payload = bytes.fromhex(order_name(saying.command_id))
    return write_packet(Packet(PacketKind.TEST, saying.number % NUMBERS, payload))


def _dialect_fault(dialect: str | None) -> str | None:
    return None if dialect in INSIDE else f"it {_NAMES}"


_CHOICE = ", ".join(INSIDE)
_NAMES = f"names what the modem transmits: {_CHOICE}"

COMPOSER = Composer(
    says=("ack", "relay", "call", "cancel", "text", "position", "modem"),
    framings=("cobs", "slip"),
    compose=compose,
    dialect_fault=_dialect_fault,
    carries=tuple(INSIDE),
)
