"""Copies: one transmission heard by several receivers, or over several ways.

Two reports are copies when the same system carried the same content, whole and byte for byte
(never a short hash, which lets real messages fall), within a window that is shorter than any
radio takes to say the same thing again on purpose. This file labels; it never holds back or
drops a report.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator

from gateway.model.bounds import Bound
from gateway.model.inbound import Reading, Report, Sighting, Witness
from gateway.model.words import Mode, Relation

COPY_WINDOW_NS = 10 * 10**9
"""Ways over a network come seconds late; the fastest deliberate repeat of one content, the text
of an AIS-SART, is in the same burst, and being called a copy costs it nothing."""

TRANSMISSIONS_MAX = 65_536
"""Contents remembered: six times what a receiver can hear in the window. The oldest goes first."""

WITNESSES_MAX = 16
"""Named on one sighting; beyond that they are only counted as copies."""


Key = tuple[str, Mode, bytes]
"""System, mode and content: what one port must take for real is no copy of another's test."""


class Copies:
    """What was heard lately, by content."""

    def __init__(self) -> None:
        self._seen: OrderedDict[Key, tuple[Witness, ...]] = OrderedDict()
        # Not a plain dict: finding its oldest key takes the longer the more have been deleted.
        self.evicted = 0

    def __len__(self) -> int:
        return len(self._seen)

    def bounds(self) -> Iterator[Bound]:
        """Yield how much is remembered."""
        yield Bound(
            of="Copies._seen",
            what="transmissions",
            held=len(self._seen),
            limit=TRANSMISSIONS_MAX,
            rule="the memory of the oldest goes, which has been told; another hearing of it counts "
            "as a first one",
            evicted=self.evicted,
        )

    def place(self, report: Report, reading: Reading) -> Sighting:
        """Return the report with its place in the story."""
        key = (report.system, report.mode, reading.content)
        witness = Witness(
            report_id=report.report_id,
            port=report.heard.port,
            mono_ns=report.heard.mono_ns,
            receiver=report.heard.receiver,
            rssi_dbm=report.heard.rssi_dbm,
        )
        earlier = self._seen.get(key)
        if earlier and witness.mono_ns - earlier[0].mono_ns <= COPY_WINDOW_NS:
            witnesses = (*earlier, witness)[:WITNESSES_MAX]
            self._seen[key] = witnesses
            return Sighting(
                report=report,
                content=reading.content,
                relation=Relation.COPY,
                first_id=earlier[0].report_id,
                witnesses=witnesses,
            )
        self._remember(key, witness)
        relation = Relation.REFINEMENT if report.refines else Relation.FIRST
        return Sighting(
            report=report, content=reading.content, relation=relation, witnesses=(witness,)
        )

    def _remember(self, key: Key, witness: Witness) -> None:
        self._seen.pop(key, None)
        self._seen[key] = (witness,)
        oldest = next(iter(self._seen))
        if witness.mono_ns - self._seen[oldest][0].mono_ns > COPY_WINDOW_NS:
            del self._seen[oldest]
        if len(self._seen) > TRANSMISSIONS_MAX:
            self._seen.popitem(last=False)
            self.evicted += 1
