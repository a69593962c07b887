"""Which shelf an item goes to, before anybody touches the disk."""

from __future__ import annotations

from msgspec import Struct

from gateway.model.entry import Item, Lane, encode_item, lane_of
from gateway.model.inbound import Refused

ENTRY = "entry"
"""The table of what is not routine: nothing is thrown out of it before its time."""

RANKED = (Lane.DISTRESS, Lane.URGENCY, Lane.SAFETY)
"""The lanes that are kept and sent until taken; the place here is the rank in the outbox."""

RINGS = ("routine", "refused", "unread")
"""The tables of which only the newest rows stay."""


class Row(Struct, frozen=True, gc=False):
    """An item on its way to the disk."""

    item: Item | None
    """None when all there is of it are the bytes, from a journal of before."""
    lane: Lane
    shelf: str
    """The table it goes to."""
    body: bytes


def row_of(item: Item) -> Row:
    """Return the item with its lane, its shelf and its bytes."""
    lane = lane_of(item)
    return Row(item, lane, _shelf(item) if lane is Lane.ROUTINE else ENTRY, encode_item(item))


def _shelf(item: Item) -> str:
    if not isinstance(item, Refused):
        return "routine"
    return "refused" if item.reason else "unread"
