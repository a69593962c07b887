"""An entry as a subscriber would read it, where there is neither journal nor broker."""

from __future__ import annotations

from gateway.model.inbound import Item, Refused
from gateway.mqtt.payload import Record, RefusedRecord, Times

EPOCH = "replay"
"""No journal numbers these entries."""

_NEVER = Times(journaled_utc=None, published_utc=None)


def record_of(number: int, item: Item, station: str) -> Record | RefusedRecord:
    """Return the record of an entry; nothing of the time of day of this box gets into it."""
    if isinstance(item, Refused):
        return RefusedRecord(
            station=station,
            epoch=EPOCH,
            number=number,
            journaled=False,
            times=_NEVER,
            late=False,
            refused=item,
        )
    sighting = item.sighting
    return Record(
        station=station,
        epoch=EPOCH,
        number=number,
        journaled=False,
        times=_NEVER,
        late=False,
        relation=sighting.relation,
        first_id=sighting.first_id,
        witnesses=sighting.witnesses,
        verdicts=item.verdicts,
        report=sighting.report,
    )
