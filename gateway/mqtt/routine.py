"""What is routine on one link: as it comes, or as the last known place of its craft.

It never waits in a queue. What the link is not up for, or can't keep up with, is dropped and
counted; a place that can't be told now is told later, or a newer one in its stead.
"""

from __future__ import annotations

from msgspec import MsgspecError, Struct

from gateway.clock import Clock
from gateway.log import Log
from gateway.model.entry import Entry
from gateway.model.inbound import Moment, Report, Ruling
from gateway.model.plan import LinkPlan
from gateway.model.transmission import TransmissionNote
from gateway.model.words import Kind, Mode, Relation
from gateway.mqtt.bucket import Bucket
from gateway.mqtt.bus import Bus, Outgoing
from gateway.mqtt.payload import Writer
from gateway.mqtt.positions import Positions
from gateway.mqtt.topics import TopicUnsafe, name_of
from gateway.points import reached

FLUSH_S = 0.1
"""How often last known places are told."""

FLUSH_MAX = 100
"""Places told each time: ten times what both AIS channels can carry (75 slots a second)."""


class RoutineCount(Struct):
    """What became of the routine."""

    offered: int = 0
    """Records and places handed to the broker."""
    dropped: int = 0
    """Records that the link was not up for, or could not keep up with."""
    throttled: int = 0
    """Records over the rate of the link."""
    unwritable: int = 0
    """Entries that no record could be made of."""


class Routine:
    """The routine of one link."""

    def __init__(
        self,
        plan: LinkPlan,
        *,
        station: str,
        bus: Bus,
        writer: Writer,
        clock: Clock,
        log: Log,
    ) -> None:
        self._station = station
        self.bus = bus
        self._writer = writer
        self._clock = clock
        self._log = log
        self._every = plan.positions == "every"
        # Nothing would ever take a place off a 3.1.1 broker again.
        self._retain = plan.version == "5"
        self._bucket = Bucket(plan.routine_per_s)
        self.places = Positions(plan.position_interval_s)
        self.count = RoutineCount()

    async def run(self) -> None:
        """Tell the newest place of each craft, no more often than the plan says, for ever."""
        while True:
            await self._clock.sleep(FLUSH_S)
            now = self._clock.now()
            if not self.bus.connected:
                continue
            for topic, entry in self.places.due(now.mono_ns, FLUSH_MAX):
                place = self._written(entry, topic, now)
                if place is None:  # not tried for ever: a newer one may be written
                    self.places.told(topic, now.mono_ns)
                    continue
                if not self._bucket.take(now.mono_ns) or not self.bus.offer(place):
                    break
                self.count.offered += 1
                self.places.told(topic, now.mono_ns)
                reached("place.offered")

    def tell(self, entry: Entry) -> None:
        """Tell a report as the place of its craft, or as it is, or both, as the plan says.

        Of orders to transmit those come here that were refused.
        """
        if isinstance(entry.item, TransmissionNote):
            self._offer(entry)
        if not isinstance(entry.item, Ruling):
            return
        sighting = entry.item.sighting
        first = sighting.relation is not Relation.COPY
        topic = self._place_of(sighting.report)
        if topic is not None and first:
            self.places.put(topic, entry)
        if self._every or (first and topic is None):
            self._offer(entry)

    def _place_of(self, report: Report) -> str | None:
        """Return the topic of the craft's last known place; None when this report states none."""
        if report.kind is not Kind.POSITION or report.mode is not Mode.REAL:
            return None
        name = self._station if report.system == "gnss" else name_of(report.sender)
        if name is None or report.position is None:
            return None
        try:
            return self._writer.topics.position(report.system, name)
        except TopicUnsafe:
            return None

    def _written(self, entry: Entry, topic: str, now: Moment) -> Outgoing | None:
        """Return the record of a place; None when none can be made, which is counted."""
        try:
            return self._writer.position(
                entry, topic, published_utc_ns=now.utc_ns, retain=self._retain
            )
        except (MsgspecError, TopicUnsafe):
            self.count.unwritable += 1
            self._log.exception("entry_unwritable", number=entry.number)
            return None

    def _offer(self, entry: Entry) -> None:
        now = self._clock.now()
        if not self.bus.connected:
            self.count.dropped += 1
            return
        if not self._bucket.take(now.mono_ns):
            self.count.throttled += 1
            return
        try:
            record = self._writer.record(entry, published_utc_ns=now.utc_ns, waited=False)
        except (MsgspecError, TopicUnsafe):
            self.count.unwritable += 1
            self._log.exception("entry_unwritable", number=entry.number)
            return
        if self.bus.offer(record):
            self.count.offered += 1
        else:
            self.count.dropped += 1
