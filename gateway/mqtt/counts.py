"""What went through the pumps of a link, counted."""

from __future__ import annotations

from msgspec import Struct


class PumpCount(Struct):
    """What went through the pumps of a link."""

    published: int = 0
    """Entries that the broker signed for."""
    resent: int = 0
    """Times that an entry was told again because its receipt had not come."""
    refused: int = 0
    """Times that the broker refused an entry."""
    unwritable: int = 0
    """Times that no record could be made of an entry. A fault of this program: 0, or report it."""
    errors: int = 0
    """Times that the outbox could not be read or struck out."""
