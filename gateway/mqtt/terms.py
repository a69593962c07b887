"""On which terms a broker lets us in: what its greeting, CONNACK, says of what it takes. Pure.

MQTT 3.1.1 has no words for this; there a broker takes all, or hangs up.
"""

from __future__ import annotations

from msgspec import Struct

from gateway.mqtt.bus import PAYLOAD_BYTES_MAX
from gateway.mqtt.limits import ENVELOPE_BYTES_MAX, WINDOW_MAX

RETAIN_NOT_SUPPORTED = 0x9A
QOS_NOT_SUPPORTED = 0x9B
"""Reason codes of MQTT 5 (section 3.2.2.2): it does not take our will, and so not us."""

UNSIGNED_TEXT = (
    "the broker signs for nothing (it takes QoS 0 only): no distress may go there; allow QoS 1"
)


class Terms(Struct, frozen=True, kw_only=True):
    """What one connection may be used for."""

    window: int
    """Publications unsigned at once."""
    payload_bytes_max: int
    retains: bool
    """Whether it keeps a retained state for who comes later."""
    refusal: str | None
    """Why nothing is told on it; None when it will do."""


def terms_of(reason_code: int, properties: object) -> Terms:
    """Return the terms of a greeting (MQTT 5, section 3.2.2.3)."""
    window = getattr(properties, "ReceiveMaximum", WINDOW_MAX)
    size = getattr(properties, "MaximumPacketSize", PAYLOAD_BYTES_MAX + ENVELOPE_BYTES_MAX)
    signs = getattr(properties, "MaximumQoS", 1) > 0 and reason_code != QOS_NOT_SUPPORTED
    retains = getattr(properties, "RetainAvailable", 1) > 0
    return Terms(
        window=max(1, min(window, WINDOW_MAX)),
        payload_bytes_max=min(PAYLOAD_BYTES_MAX, max(0, size - ENVELOPE_BYTES_MAX)),
        retains=retains and reason_code != RETAIN_NOT_SUPPORTED,
        refusal=None if signs else UNSIGNED_TEXT,
    )
