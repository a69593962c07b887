"""An entry as a subscriber would read it, where there is neither journal nor broker."""

from __future__ import annotations

from typing import TypedDict

from gateway.model.asked import Stated
from gateway.model.inbound import Inbound, Refused, Ruling
from gateway.model.incident import IncidentNote
from gateway.model.verdict import VerdictNote
from gateway.mqtt.payload import (
    ClockRecord,
    IncidentRecord,
    Record,
    RefusedRecord,
    RulingRecord,
    StatementRecord,
    Times,
)

EPOCH = "replay"
"""No journal numbers these entries."""

Replayed = Inbound | Stated
"""What comes out of a tape that walks the hallway again."""

_NEVER = Times(journaled_utc=None, published_utc=None)


class _Told(TypedDict):
    """What every record says of itself."""

    station: str
    epoch: str
    number: int
    journaled: bool
    times: Times
    late: bool


def record_of(
    number: int, item: Replayed, station: str
) -> Record | RefusedRecord | ClockRecord | IncidentRecord | RulingRecord | StatementRecord:
    """Return the record of an entry; nothing of the time of day of this box gets into it."""
    told = _Told(
        station=station, epoch=EPOCH, number=number, journaled=False, times=_NEVER, late=False
    )
    if isinstance(item, Refused):
        return RefusedRecord(**told, refused=item)
    if isinstance(item, Stated):
        return StatementRecord(**told, statement=item)
    if isinstance(item, VerdictNote):
        return RulingRecord(**told, note=item)
    if isinstance(item, IncidentNote):
        return IncidentRecord(
            **told,
            change=item.change,
            gone=item.gone,
            incident=item.incident,
        )
    if not isinstance(item, Ruling):
        return ClockRecord(**told, statement=item)
    sighting = item.sighting
    return Record(
        **told,
        relation=sighting.relation,
        first_id=sighting.first_id,
        witnesses=sighting.witnesses,
        verdicts=item.verdicts,
        report=sighting.report,
    )
