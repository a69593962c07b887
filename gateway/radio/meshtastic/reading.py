"""From the bytes of a device to the words of a node. Nothing here is kept."""

from __future__ import annotations

import struct

from msgspec import Struct

from gateway.codes.protobuf import Value, fields_of, signed
from gateway.radio.meshtastic.words import MeshtasticDetail

EVERYBODY = 0xFFFFFFFF

_PORTS = {1: "text", 3: "position", 4: "user", 10: "sensor", 11: "alert"}
_TEXTS = frozenset({"text", "sensor", "alert"})
_LOCATION_SOURCES = {1: "manual", 2: "gnss", 3: "gnss"}
"""Typed in, the device's own receiver, another one's (LocSource)."""

Fields = dict[int, Value]
Told = dict[str, str | int | float | bool | None]
"""Fields of the detail by their names."""


class Illegible(Struct, frozen=True):
    """A packet that can't be read."""

    reason: str
    distress_like: bool = False


def read_message(body: bytes) -> MeshtasticDetail | Illegible | None:
    """Return what a FromRadio message says; None when it is of the device's own settings."""
    whole = fields_of(body)
    if whole is None:
        return Illegible("no message of the device", distress_like=True)
    packet, node = whole.get(2), whole.get(4)
    if isinstance(packet, bytes):
        return _packet(packet)
    if isinstance(node, bytes):
        return _node(node)
    return None


def content_of(said: MeshtasticDetail, body: bytes) -> bytes:
    """Return what went over the air: node and number name a packet, wherever it was heard."""
    if said.packet_id is None:
        return body
    return b"%b|%d|%b" % (str(said.node).encode(), said.packet_id, said.payload_hex.encode())


def node_name(number: int | None) -> str | None:
    """Return a node's name as the network writes it; 0 is none."""
    return f"!{number:08x}" if number else None


def _packet(packet: bytes) -> MeshtasticDetail | Illegible:
    found = fields_of(packet)
    if found is None:
        return Illegible("no packet of the mesh", distress_like=True)
    inner = _application(found.get(4))
    if isinstance(inner, Illegible):
        return inner
    port, payload = inner
    told = _payload(port, payload)
    if told is None:
        return Illegible(f"no {port} in the packet")
    to = _number(found, 2)
    hops = (_number(found, 15) or 0) - (_number(found, 9) or 0)
    return MeshtasticDetail(
        port=port,
        node=node_name(_number(found, 1)),
        to=None if to in (None, EVERYBODY) else node_name(to),
        packet_id=_number(found, 6) or None,
        payload_hex=payload.hex(),
        snr_db=_float(found, 8),
        rssi_dbm=_signed(found, 12, 64) or None,
        hops=hops if _number(found, 15) and hops >= 0 else None,
        over_internet=bool(_number(found, 14)),
        **told,  # type: ignore[arg-type]  # names and values of the same struct
    )


def _application(decoded: Value | None) -> tuple[str, bytes] | Illegible:
    """Return for which application a packet is, and what it says to it."""
    if not isinstance(decoded, bytes):
        return Illegible("encrypted with a key that the device does not have")
    data = fields_of(decoded)
    if data is None:
        return Illegible("no data in the packet", distress_like=True)
    number, payload = _number(data, 1) or 0, data.get(2, b"")
    port = _PORTS.get(number)
    if port is None:
        return Illegible(f"application {number} is not read here")
    if not isinstance(payload, bytes):
        return Illegible("no payload in the packet", distress_like=port == "alert")
    return port, payload


def _node(node: bytes) -> MeshtasticDetail | Illegible:
    found = fields_of(node)
    user, place = (b"", b"") if found is None else (found.get(2, b""), found.get(3, b""))
    told = _user(user) if isinstance(user, bytes) else None
    at = _position(place) if isinstance(place, bytes) else None
    if found is None or told is None or at is None:
        return Illegible("no node in the message")
    return MeshtasticDetail(
        port="node",
        node=node_name(_number(found, 1)),
        snr_db=_float(found, 4),
        heard_s=_number(found, 5) or None,
        over_internet=bool(_number(found, 8)),
        **{**told, **at},  # type: ignore[arg-type]  # names and values of the same struct
    )


def _payload(port: str, payload: bytes) -> Told | None:
    if port in _TEXTS:
        return {"text": payload.decode("utf-8", "replace")}
    return _position(payload) if port == "position" else _user(payload)


def _user(payload: bytes) -> Told | None:
    """Return who a node says it is (User)."""
    found = fields_of(payload)
    if found is None:
        return None
    return {
        "long_name": _text(found, 2),
        "short_name": _text(found, 3),
        "licensed": bool(_number(found, 6)),
    }


def _position(payload: bytes) -> Told | None:
    """Return where a node says it is (Position)."""
    found = fields_of(payload)
    if found is None:
        return None
    return {
        "lat7": _signed(found, 1, 32),
        "lon7": _signed(found, 2, 32),
        "altitude_m": _signed(found, 3, 64),
        "source": _LOCATION_SOURCES.get(_number(found, 5) or 0),
        "fixed_s": _number(found, 7) or _number(found, 4) or None,
        "ground_speed": _number(found, 15),
        "ground_track": _number(found, 16),
        "satellites": _number(found, 19),
        "precision_bits": _number(found, 23) or None,
    }


def _number(found: Fields, number: int) -> int | None:
    value = found.get(number)
    return value if isinstance(value, int) else None


def _signed(found: Fields, number: int, bits: int) -> int | None:
    value = _number(found, number)
    return None if value is None else signed(value, bits)


def _float(found: Fields, number: int) -> float | None:
    """Return four bytes as the floating number they are; what is none at all is None."""
    value = _number(found, number)
    if value is None or value >> 32:
        return None
    told: float = struct.unpack("<f", value.to_bytes(4, "little"))[0]
    return round(told, 3) if abs(told) < _DECIBELS_MAX else None


_DECIBELS_MAX = 1000.0
"""No radio tells more; neither infinity nor what is no number is less."""


def _text(found: Fields, number: int) -> str | None:
    value = found.get(number)
    return value.decode("utf-8", "replace") or None if isinstance(value, bytes) else None
