"""What was said, what was kept and what was told: the books of the fault rig."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from tests.faults.traffic import Sentence


class Said(Struct, frozen=True):
    """A sentence that the kernel has taken from a modem, whole."""

    sentence: Sentence
    at_ns: int
    """Just before it was handed over: the last byte can't have been earlier."""
    watched: bool
    """Whether a gateway was on watch then."""


class Told(Struct, frozen=True):
    """A record that the consumer read."""

    at_ns: int
    number: int
    epoch: str
    report_id: str
    lane: str
    heard_ns: int
    late: bool
    journaled: bool
    port: str


class Ledger:
    """What was said, what was kept, what was told; each by the identity in it."""

    def __init__(self) -> None:
        self.said: dict[str, Said] = {}
        self.spoken: dict[str, list[int]] | None = None
        """When each sentence was said, whatever is in it; only where somebody asks for it."""
        self.kept: dict[str, tuple[str, int]] = {}
        """Epoch and number in the journal's file."""
        self.told: dict[str, list[Told]] = {}
        self.noted: dict[str, int] = {}
        """When the consumer first read a note of an incident with this identity in it."""
        self.alerts: dict[str, list[tuple[int, bytes]]] = {}
        """What stood on each topic of an alert, and since when."""
        self.status: dict[str, object] = {}
        self.ports: dict[str, list[tuple[int, dict[str, object]]]] = {}

    def lost(self) -> set[str]:
        """Return who is on disk and was never read by the consumer. Never anybody."""
        return self.kept.keys() - self.told.keys()

    def unkept(self, *, watched: bool = True) -> dict[str, Said]:
        """Return who was said and is neither on disk nor told: it died with a process."""
        known = self.kept.keys() | self.told.keys()
        return {
            mmsi: said
            for mmsi, said in self.said.items()
            if mmsi not in known and said.watched is watched
        }

    def faults(self) -> Iterator[str]:
        """Yield each way in which what was told is not as was promised."""
        numbers: dict[tuple[str, int], str] = {}
        for mmsi, records in self.told.items():
            if len({record.report_id for record in records}) != 1:
                yield f"{mmsi} was told under several names"
            if mmsi not in self.said:
                yield f"{mmsi} was told and never said"
            for record in records:
                place = (record.epoch, record.number)
                if record.journaled and numbers.setdefault(place, mmsi) != mmsi:
                    yield f"number {record.number} was given to {mmsi} and to {numbers[place]}"
                if record.journaled and self.kept.get(mmsi) != place:
                    yield f"{mmsi} is on disk as {self.kept.get(mmsi)} and was told as {place}"
        yield from self._out_of_order()

    def _out_of_order(self) -> Iterator[str]:
        first = sorted((records[0].at_ns, records[0]) for records in self._first_told())
        newest: dict[tuple[str, str, str], int] = {}
        for _, record in first:
            lane = (record.epoch, record.lane, record.port)
            if record.number < newest.get(lane, 0):
                yield f"number {record.number} was told after {newest[lane]}"
            newest[lane] = max(record.number, newest.get(lane, 0))

    def _first_told(self) -> Iterator[list[Told]]:
        for records in self.told.values():
            if records[0].journaled:
                yield records

    def waits_ms(self) -> list[float]:
        """Return, ascending, how long it took from the last byte until the consumer had it."""
        return sorted(
            (records[0].at_ns - self.said[mmsi].at_ns) / 1e6
            for mmsi, records in self.told.items()
            if mmsi in self.said
        )
