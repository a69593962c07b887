"""The few properties of MQTT 5 that we state, as they go on the wire. Pure.

The library packs them anew for each publication, at several times its other cost.
"""

from __future__ import annotations

from gateway.mqtt.limits import INBOX_MAX, INCOMING_BYTES_MAX


def of_publication(
    *, expiry_s: int | None, content_type: str | None, correlation: bytes | None = None
) -> bytes:
    """Return the properties of a PUBLISH, or of a will (MQTT 5, sections 3.3.2.3 and 3.1.3.2)."""
    packed = b""
    if expiry_s is not None:
        packed += b"\x02" + expiry_s.to_bytes(4, "big")
    if content_type is not None:
        text = content_type.encode()
        packed += b"\x03" + len(text).to_bytes(2, "big") + text
    if correlation is not None:
        packed += b"\x09" + len(correlation).to_bytes(2, "big") + correlation
    return _measured(packed)


def of_connection(*, receive_max: int, packet_bytes_max: int) -> bytes:
    """Return the properties of a CONNECT: what we can take (MQTT 5, section 3.1.2.11)."""
    return _measured(
        b"\x21" + receive_max.to_bytes(2, "big") + b"\x27" + packet_bytes_max.to_bytes(4, "big")
    )


def _measured(packed: bytes) -> bytes:
    # A length under 128 is one byte (MQTT 5, section 1.5.5); what we state is a few words.
    return bytes((len(packed),)) + packed


GREETING = of_connection(receive_max=INBOX_MAX, packet_bytes_max=INCOMING_BYTES_MAX)
"""What we tell every broker."""
