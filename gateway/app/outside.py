"""What a station meets outside: lines to brokers, modems, a disk. Tests hand in their own."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from msgspec import Struct, field

from gateway.health.notify import Notify
from gateway.journal.front import Journal
from gateway.journal.standing import Opener
from gateway.model.keys import KeyPlan
from gateway.mqtt.carrier import MqttBus
from gateway.mqtt.link import Carrier
from gateway.transport.memory import NO_MODEMS, Modem

KeysNow = Callable[[], tuple[KeyPlan, ...] | str]
"""Who may order transmissions now, the same tuple until that changes; or why nobody knows it."""


class Outside(Struct, frozen=True, kw_only=True):
    """The doors through which a station reaches the world; as they stand, the real ones."""

    carrier: Carrier = MqttBus
    """What makes the connections of a link."""
    modems: Mapping[str, Modem] = NO_MODEMS
    """The modems in memory (`memory:…`), by name."""
    opener: Opener = Journal.open
    """What opens the journal."""
    notify: Notify = field(default_factory=lambda: Notify(None))
    """Whoever started us, and is told that we live."""
    keys: KeysNow | None = None
    """None where those of the plan count."""
