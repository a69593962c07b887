"""How a link stands: what it says of itself to the station."""

from __future__ import annotations

from msgspec import Struct

from gateway.model.status import CertificateStatus
from gateway.mqtt.commands import CommandCount
from gateway.mqtt.exports import ExportCount
from gateway.mqtt.requests import RequestCount


class LinkState(Struct, frozen=True, kw_only=True):
    """How a link stands, for the station's status."""

    name: str
    distress_connected: bool
    routine_connected: bool
    receipts_connected: bool
    """Whether the consumer of record can be heard; true when none is named."""
    retains: bool
    """Whether the broker keeps the states for who comes later."""
    connects: int
    """Connections of the distress lane made since the start."""
    last_error: str | None
    down: tuple[str, ...]
    """The connections that have been down for DOWN_S and longer, by what they are for."""
    certificates: dict[str, CertificateStatus]
    certificates_replaced: int
    certificate_trouble: str | None
    """What is wrong with the certificates, or soon will be."""
    disputed: tuple[str, ...]
    """The names that connections go by because another client bears their own."""
    published: int
    """Entries that the broker signed for."""
    resent: int
    """Times that an entry was told again because its receipt had not come."""
    unsigned: int
    """Entries told that the consumer of record has yet to sign for."""
    oldest_unsigned_s: float | None
    """How long ago the first of them was told for the first time."""
    receipts: int
    receipts_refused: int
    requests: RequestCount
    commands: CommandCount
    exports: ExportCount
    poison: tuple[int, ...]
    """Entries that could not be told time and again."""
    refused: int
    """Times that the broker refused an entry or a state."""
    unwritable: int
    """Entries that no record could be made of. Always 0, or please report it."""
    outbox_errors: int
    """Times that the outbox could not be read or struck out."""
    offered: int
    """Routine records and places handed to the broker."""
    dropped: int
    """Routine records that the link was not up for, or could not keep up with."""
    throttled: int
    """Routine records over the rate of the link."""
    conflated: int
    """Places that a newer one of the same craft replaced before they were told."""
    overflowed: int
    """What was told to us with QoS 0 and found no room."""
    unjournaled_told: int
    unjournaled_waiting: int
    unjournaled_lost: int
    unjournaled_poison: tuple[bytes, ...]
    """The bodies of entries without a number that could not be told time and again."""
