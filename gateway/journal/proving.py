"""Does a journal hold what its chain promises? Read from end to end; nothing is changed.

What is proven is that the file is what a gateway wrote: whoever can write the file can also compute
a new chain. So the link of the newest row is told in `status`; kept elsewhere, it proves the rest.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec
from msgspec import Struct

from gateway.journal import outboxes, sql
from gateway.journal.chain import Kept, Trim, kept_of, seal_of, seed_of, trim_link_of
from gateway.journal.examining import Ask, refusals_of_kind
from gateway.journal.failed import JournalFailed
from gateway.journal.opening import (
    APPLICATION_ID,
    CHAINED_SINCE,
    LAYOUT_SINCE,
    head_in,
    shelves_in,
)
from gateway.journal.rows import ENTRY, RINGS
from gateway.journal.store import looked_into
from gateway.journal.wreck import Wreck

FAULTS_MAX = 20
"""Of one kind, told by number; the others are counted. A page is read, a thousand lines are not."""


class Finding(Struct, frozen=True):
    """One property that a journal has to have, and where it hasn't."""

    what: str
    proof: str
    """What was looked at, in words."""
    faults: tuple[str, ...] = ()
    """Each place where it doesn't hold; the last one counts those that are left out."""

    @property
    def holds(self) -> bool:
        """Whether it holds everywhere."""
        return not self.faults


class Proof(Struct, frozen=True):
    """What could be proven of one journal, and what could not."""

    path: str
    epoch: str
    station: str
    number_last: int
    rows: dict[str, int]
    """What it holds, by shelf."""
    gone: dict[str, int]
    """What it threw away when its time had come, by shelf."""
    link_last: str
    findings: tuple[Finding, ...]

    @property
    def holds(self) -> bool:
        """Whether all of it holds."""
        return all(finding.holds for finding in self.findings)


def proof_of(path: str) -> Proof:
    """Return what can be proven of this journal; raise JournalFailed when it can't be looked at."""
    try:
        return _proof_of(path)
    except JournalFailed as failed:
        if not failed.damaged:
            raise
        with Wreck(path) as wreck:
            count = len({kept.link for _, kept in wreck.entries()})
        reason = f"{failed.reason}; {count} entries in it prove themselves all the same"
        raise JournalFailed(path, reason) from failed


def _proof_of(path: str) -> Proof:
    with looked_into(path) as ask:
        refused = next(refusals_of_kind(ask), None)
        if refused is not None:
            raise JournalFailed(path, refused.reason, damaged=refused.damaged)
        reason = None
        if _first(ask, sql.APPLICATION) != APPLICATION_ID:
            reason = "it is empty"
        version = msgspec.convert(_first(ask, sql.VERSION), int)
        if reason is None and version < CHAINED_SINCE:
            reason = f"its rows have no links yet (version {version}); start the gateway on it once"
        if reason is not None:
            raise JournalFailed(path, reason)
        return _Walk(ask, version).proof(path)


class _Walk:
    """One walk through a journal, row by row, and what was found on the way."""

    def __init__(self, ask: Ask, version: int) -> None:
        self._ask = ask
        self._version = version
        self._head = head_in(next(ask(sql.HEAD, ())))
        self._shelves = shelves_in(ask(sql.SHELVES, ()))
        self._rows = dict.fromkeys((ENTRY, *RINGS), 0)
        self._structure: list[str] = []
        self._damaged: list[str] = []
        self._broken: list[str] = []
        self._missing: list[str] = []
        self._trims = list(_trims(ask))
        self._edges = {shelf.number_gone: shelf.link_gone for shelf in self._shelves.values()}
        self._edges |= {trim.number_last: trim.anchor for trim, _ in self._trims}
        self._edges[self._head.chained_after] = seed_of(self._head.epoch)
        self._excused = self._excuses()
        self._ordinals = {name: shelf.ordinal_gone for name, shelf in self._shelves.items()}
        self._last: Kept | None = None

    def proof(self, path: str) -> Proof:
        """Walk, and return what was found."""
        head, shelves = self._head, self._shelves
        aside = [
            f"row {number} ({shelf}) was set aside"
            for shelf, number, _ in self._ask(sql.QUARANTINED, ())
        ]
        self._look_at_structure()
        try:
            for shelf, *found in self._ask(sql.ENTRIES, sql.ROWS_ALL):
                self._look_at(str(shelf), tuple(found))
        except JournalFailed as failure:
            self._structure.append(f"it can't be read to its end: {failure.reason}")
        self._look_at_ends()
        count = sum(self._rows.values())
        chained = f"{head.chained_after + 1} to {head.number_last}"
        findings = (
            _finding("structure", "the file, as SQLite checks it", self._structure),
            _finding("head", "what the file says of itself", self._head_faults()),
            _finding("checksums", f"{count} rows", [*self._damaged, *aside]),
            _finding("chain", f"numbers {chained}", self._broken),
            _finding("gaps", "whatever is not there was thrown away in its time", self._missing),
            _finding("trims", f"{len(self._trims)} records of entries thrown away", self._cut()),
            _finding("outboxes", "each link is owed what it was, and each is there", self._owed()),
        )
        trimmed = sum(trim.ordinal_last - max(trim.ordinal_first, 1) + 1 for trim, _ in self._trims)
        gone = {name: shelf.ordinal_gone for name, shelf in shelves.items()}
        return Proof(
            path=path,
            epoch=head.epoch,
            station=head.station,
            number_last=head.number_last,
            rows=self._rows,
            gone={**gone, ENTRY: trimmed},
            link_last=head.link_last.hex(),
            findings=findings,
        )

    def _look_at(self, shelf: str, found: tuple[object, ...]) -> None:
        self._rows[shelf] += 1
        kept = kept_of(found)
        if kept is None:
            self._damaged.append(f"row {found[0]} ({shelf}) is not as it was written")
            return
        last = self._last
        is_next = last is not None and last.ordinal and last.number == kept.number - 1
        before = last.link if last is not None and is_next else None
        for link in (before, self._edges.get(kept.number - 1)):
            if link is not None and kept.ordinal and link != kept.before:
                self._broken.append(f"row {kept.number} doesn't follow row {kept.number - 1}")
                break
        if kept.number <= self._head.chained_after:
            if kept.ordinal or kept.before != seed_of(self._head.epoch):
                self._broken.append(f"row {kept.number} is of before the chain, and says otherwise")
        else:
            self._look_between(shelf, kept.ordinal, f"before number {kept.number}")
        self._last = kept

    def _look_between(self, shelf: str, ordinal: int, where: str) -> None:
        """Note which rows are missing between the last one on this shelf and this one."""
        first, last = self._ordinals[shelf] + 1, ordinal - 1
        self._ordinals[shelf] = max(ordinal, first - 1)
        if ordinal < first:
            self._missing.append(f"row {ordinal} of {shelf} stands {where}, out of order")
        for start, end in _uncovered(first, last, self._excused.get(shelf, [])):
            rows = f"row {start}" if start == end else f"rows {start} to {end}"
            self._missing.append(f"{rows} of {shelf} missing, {where}")

    def _look_at_ends(self) -> None:
        head, last = self._head, self._last
        for name, shelf in self._shelves.items():
            self._look_between(name, shelf.ordinal_last + 1, "at the end")
        if last is not None and last.number > head.number_last:
            self._broken.append(f"row {last.number} stands behind the end")
        is_newest = last is not None and last.number == head.number_last > head.chained_after
        if last is not None and is_newest and last.link != head.link_last:
            self._broken.append(f"row {last.number} is not the end of the chain")
        counted = head.chained_after + sum(shelf.ordinal_last for shelf in self._shelves.values())
        if counted != head.number_last:
            self._missing.append(f"{head.number_last} numbers were given to {counted} rows")

    def _look_at_structure(self) -> None:
        try:
            said = [str(row[0]) for row in self._ask(sql.CHECK_ALL, ())]
        except JournalFailed as failure:
            said = [failure.reason]
        self._structure += [line for line in said if line != "ok"]

    def _head_faults(self) -> list[str]:
        seal = _first(self._ask, sql.SEAL)
        is_whole = seal == seal_of(self._head, self._shelves)
        return [] if is_whole else ["its checksum doesn't hold"]

    def _cut(self) -> list[str]:
        """Return where the chain of trim records doesn't hold."""
        faults: list[str] = []
        before = seed_of(self._head.epoch)
        for place, (trim, link) in enumerate(self._trims, 1):
            if (trim.place, trim.before, link) != (place, before, trim_link_of(trim)):
                faults.append(f"trim record {trim.place} doesn't hold")
            before = link
        if (len(self._trims), before) != (self._head.trim_last, self._head.trim_link):
            faults.append(f"there were {self._head.trim_last} trim records")
        return faults

    def _owed(self) -> list[str]:
        try:
            count = _first(self._ask, sql.LOOSE)
            faults = [f"{count} point to none"] if count else []
            if self._version >= LAYOUT_SINCE:
                wrong = sorted(outboxes.found_in(self._ask).wrong)
                faults += [f"that of {link} is not as it was written" for link in wrong]
        except JournalFailed as failure:
            return [f"they can't be read to their end: {failure.reason}"]
        return faults

    def _excuses(self) -> dict[str, list[tuple[int, int]]]:
        """Return the ordinals that may be missing: thrown away on record, or set aside."""
        excused: dict[str, list[tuple[int, int]]] = {
            ENTRY: [(trim.ordinal_first, trim.ordinal_last) for trim, _ in self._trims]
        }
        for shelf, _, ordinal in self._ask(sql.QUARANTINED, ()):
            if isinstance(ordinal, int):
                excused.setdefault(str(shelf), []).append((ordinal, ordinal))
        return {shelf: sorted(spans) for shelf, spans in excused.items()}


def _trims(ask: Ask) -> Iterator[tuple[Trim, bytes]]:
    """Yield each trim record and the link that stands beside it."""
    for *values, link in ask(sql.TRIMS, ()):
        named = dict(zip(Trim.__struct_fields__, values, strict=True))
        yield msgspec.convert(named, Trim), msgspec.convert(link, bytes)


def _first(ask: Ask, question: str) -> object:
    return next(ask(question, ()))[0]


def _finding(what: str, proof: str, faults: Iterable[str]) -> Finding:
    every = list(faults)
    told = every[:FAULTS_MAX]
    if len(every) > FAULTS_MAX:
        told.append(f"and {len(every) - FAULTS_MAX} more")
    return Finding(what, proof, tuple(told))


def _uncovered(
    first: int, last: int, excused: Iterable[tuple[int, int]]
) -> Iterator[tuple[int, int]]:
    """Yield each span from first to last that no excuse covers."""
    for start, end in [span for span in excused if first <= span[1] and span[0] <= last]:
        if start > first:
            yield first, start - 1
        first = end + 1
    if first <= last:
        yield first, last
