"""Cut the power under the journal, thousands of times, and look what is left.

    make cuts                  ten thousand cuts
    make cuts CUTS=100000      more
    make cuts SEED=17          the cuts of one seed again: what a failure tells to do

Each seed is one life of a journal on a disk that remembers every write (platter.py): the product's
own code appends to all lanes, strikes, trims, sets aside, checkpoints, closes, opens and upgrades.
Then the power is cut at its operations, and what the cut left is opened by the product's own code
on the ordinary sqlite3. It must be what it was after the last transaction that was confirmed, or
after the one that was under way; and it must prove itself. A second life begins with what a cut
left, so that opening after a cut is cut as well.
"""

import argparse
import gzip
import random
import shutil
import sys
import tempfile
import time
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from platter import Op, Platter, Sqlite3, Temper

from gateway.journal import sql, store
from gateway.journal.beginning import begun
from gateway.journal.failed import JournalFailed
from gateway.journal.proving import proof_of
from gateway.journal.rows import row_of
from gateway.journal.shelves import RANKED
from gateway.journal.store import Disk
from gateway.model.entry import Item, Lane
from gateway.model.inbound import (
    CLOCK_FLOOR_UTC_NS,
    Heard,
    Moment,
    Refused,
    Report,
    Ruling,
    Sighting,
)
from gateway.model.plan import JournalPlan
from gateway.model.words import ClockState, Confidence, Integrity, Kind, Mode, Urgency

CUTS = 10_000
CUTS_A_LIFE = 125
STEPS_A_LIFE = 30
LINKS = ("shore", "local")
RING_ROWS_MAX = 8
RARE = 4
"""How much rather a cut falls on what is rarely asked for: edges of checkpoints and openings."""
CHECKPOINT_PAGES = 12
"""So that some checkpoints fall into each life."""
OLD = Path(__file__).parents[1] / "journal"
BEGINNINGS = ("new", "v1.db.gz", "v2.db.gz")
NAME = "journal.db"
ALL = 1_000_000


class Found(NamedTuple):
    """What a journal serves."""

    number_last: int
    link_last: str
    entries: dict[int, tuple[str, bytes]]
    owed: dict[str, frozenset[int]]


class Page(NamedTuple):
    """What the journal was after a transaction, and how much had been asked of the disk by then."""

    ops: int
    found: Found
    epoch: str


class Life(NamedTuple):
    """All that was asked of a disk while a journal lived on it, and what was promised when."""

    platter: Platter
    pages: list[Page]
    aside: int
    """Rows that were damaged on purpose."""


class Tally(NamedTuple):
    """What came of the cuts."""

    cuts: int
    faults: list[str]
    moments: Counter[str]
    anew: int
    """Cuts after which the end of the log could not be proven: a new journal was begun, which owes
    all that was owed."""
    seconds: float


class StillClock:
    """Time passes when it is told to."""

    def __init__(self) -> None:
        self.hours = 0.0

    def now(self) -> Moment:
        """Return the time as it stands."""
        ns = int(self.hours * 3600e9)
        return Moment(mono_ns=ns, utc_ns=CLOCK_FLOOR_UTC_NS + ns, clock=ClockState.FREE)


def main(arguments: list[str]) -> int:
    """Cut, and print what came of it; 1 when anything was lost or corrupt."""
    parser = argparse.ArgumentParser(description="Cut the power under the journal.")
    parser.add_argument("--cuts", type=int, default=CUTS)
    parser.add_argument("--seed", type=int, help="this seed alone")
    asked = parser.parse_args(arguments)
    seeds = range(asked.seed, asked.seed + 1) if asked.seed is not None else None
    tally = cut(asked.cuts, seeds=seeds)
    sys.stdout.write("\n".join((*tally.faults, words_of(tally))) + "\n")
    return 1 if tally.faults else 0


def words_of(tally: Tally) -> str:
    """Return the figures in a line."""
    moments = ", ".join(f"{name} {count}" for name, count in sorted(tally.moments.items()))
    return (
        f"{tally.cuts} power cuts, {len(tally.faults)} lost or corrupt, "
        f"{tally.anew} after which a new journal was begun that owes the same; "
        f"at a {moments}; {tally.cuts / tally.seconds:.0f} cuts/s"
    )


def cut(
    cuts: int, *, synchronous: str = "FULL", seeds: range | None = None, faults_max: int = 20
) -> Tally:
    """Cut the power so many times, over as many lives as it takes."""
    seeds = seeds or range(-(-cuts // (2 * CUTS_A_LIFE)))
    faults: list[str] = []
    moments: Counter[str] = Counter()
    anew = 0

    def tally() -> Tally:
        seconds = time.perf_counter() - began
        return Tally(moments.total(), faults, moments, anew, seconds)

    began = time.perf_counter()
    with scratch() as folder:
        for seed in seeds:
            for moment, fault in lives(folder, seed, synchronous):
                moments[moment] += 1
                anew += any(folder.glob(f"after/{NAME}.damaged-*"))
                if fault:
                    faults.append(f"seed {seed}, at a {moment}: {fault}; make cuts SEED={seed}")
                if moments.total() == cuts or len(faults) == faults_max:
                    return tally()
    return tally()


@contextmanager
def scratch() -> Iterator[Path]:
    """Give a folder in memory, where there is one: only what we remember is the disk."""
    memory = Path("/dev/shm")  # noqa: S108  # a folder of its own is made in it
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:
        yield Path(folder)


def lives(folder: Path, seed: int, synchronous: str) -> Iterator[tuple[str, str | None]]:
    """Cut one life, then another that begins with what a cut has left; yield what came of each."""
    dice = random.Random(seed)
    files = beginning(BEGINNINGS[seed % len(BEGINNINGS)])
    for _ in range(2):
        life = live(folder / "disk", files, dice, synchronous)
        whole: list[dict[str, bytes]] = []
        for moment, left, fault in cuts_of(folder / "after", life, dice):
            yield moment, fault
            if fault is None and not any(folder.glob(f"after/{NAME}.damaged-*")):
                whole.append(left)
        files = dice.choice(whole or [files])


def beginning(name: str) -> dict[str, bytes]:
    """Return the files that a life begins with."""
    return {} if name == "new" else {NAME: gzip.decompress((OLD / name).read_bytes())}


# ---- A life ---------------------------------------------------------------------------------


def live(folder: Path, files: dict[str, bytes], dice: random.Random, synchronous: str) -> Life:
    """Let the product's code live on a disk that remembers; return what it asked and promised."""
    laid(folder, files)
    platter = Platter(folder)
    try:
        with patched(platter, synchronous):
            pages, aside = _Living(folder, platter, dice).lived()
    finally:
        platter.close()
    return Life(platter, pages, aside)


def laid(folder: Path, files: dict[str, bytes]) -> None:
    """Put these files, and no others, into the folder."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for name, content in files.items():
        (folder / name).write_bytes(content)


@contextmanager
def patched(platter: Platter, synchronous: str) -> Iterator[None]:
    """Put the journal on the disk that remembers."""
    before = store.sqlite3, sql.SET_UP
    store.sqlite3 = Sqlite3(platter)
    sql.SET_UP = (
        *(order for order in sql.SET_UP if "synchronous" not in order),
        f"PRAGMA synchronous = {synchronous}",
        f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}",
    )
    try:
        yield
    finally:
        store.sqlite3, sql.SET_UP = before


class _Living:
    """One life, step by step."""

    def __init__(self, folder: Path, platter: Platter, dice: random.Random) -> None:
        self._folder = folder
        self._platter = platter
        self._dice = dice
        self._clock = StillClock()
        self._disk = self._opened()
        self._pages: list[Page] = []
        self._aside = 0
        self._items = 0

    def lived(self) -> tuple[list[Page], int]:
        self._turn()  # which also finds what a cut of the life before has left damaged
        self._aside = self._disk.counts.quarantined
        steps: list[tuple[Callable[[], None], int]] = [
            (self._append, 10),
            (self._strike, 6),
            (self._age, 6),
            (self._damage, 1),
            (self._reopen, 2),
        ]
        acts, weights = zip(*steps, strict=True)
        for act in self._dice.choices(acts, weights, k=STEPS_A_LIFE):
            act()
            self._turn()
        self._disk.close()
        self._turn(self._pages[-1].found)
        return self._pages, self._aside

    def _opened(self) -> Disk:
        return opened(self._folder, self._clock)

    def _turn(self, found: Found | None = None) -> None:
        """Write down what holds from here on."""
        found = found or found_in(self._disk)
        self._pages.append(Page(len(self._platter.ops), found, self._disk.epoch))

    def _append(self) -> None:
        count = self._dice.choice((1, 1, 1, 2, 5, 12))
        rows = [row_of(self._item()) for _ in range(count)]
        before = self._pages[-1].found
        told = []
        self._disk.write([lambda: told.extend(self._disk.append(rows))])
        numbers = [entry.number for entry in told]
        kept = found_in(self._disk).entries

        assert numbers == list(range(before.number_last + 1, before.number_last + count + 1))
        for entry, row in zip(told, rows, strict=True):
            if row.lane is not Lane.ROUTINE:
                assert kept[entry.number] == (row.lane, row.body)

    def _strike(self) -> None:
        link = self._dice.choice(LINKS)
        owed = sorted(self._pages[-1].found.owed[link])
        numbers = self._dice.sample(owed, min(len(owed), self._dice.choice((1, 2, 10, 40))))
        self._disk.write([lambda: self._disk.strike(link, numbers)])

    def _age(self) -> None:
        self._clock.hours += 49
        self._disk.write([])

    def _damage(self) -> None:
        """Have a row that nobody is owed found damaged."""
        self._append()
        self._turn()
        db = self._disk._db
        number = db.execute("SELECT max(number) FROM refused").fetchone()[0]
        if number is not None:
            db.execute("UPDATE refused SET body = x'00' WHERE number = ?", (number,))
            self._aside += 1
            self._turn(found_in(self._disk))

    def _reopen(self) -> None:
        self._disk.close()
        self._disk = self._opened()

    def _item(self) -> Item:
        self._items += 1
        kind = self._dice.choice(("distress", "urgency", "safety", "routine", "refused", "unread"))
        raw = f"$CDDSC,{self._items}," + "0" * self._dice.choice((9, 9, 9, 300, 5_000, 9_000))
        if kind in ("refused", "unread"):
            reason = "wrong checksum" if kind == "refused" else ""
            return Refused(
                port="p1", mono_ns=1, reason=reason, door="framing",
                distress_like=self._dice.random() < 0.3, raw=(raw,), span=9,
            )  # fmt: skip
        heard = Heard(
            station="kust", port="p1", modem="generic-dsc", mono_ns=1, clock=ClockState.FREE
        )
        report = Report(
            report_id=f"{self._dice.getrandbits(128):032x}", schema=1, system="dsc",
            kind=Kind.CALL, urgency=Urgency(kind), mode=Mode.REAL, heard=heard,
            integrity=Integrity.CHECKSUM, confidence=Confidence.VERIFIED, raw=(raw,),
        )  # fmt: skip
        return Ruling(Sighting(report, content=b"x"))


def opened(folder: Path, clock: StillClock) -> Disk:
    """Open the journal in a folder, as the gateway does."""
    plan = JournalPlan(
        path=str(folder / NAME), routine_rows_max=RING_ROWS_MAX, refused_rows_max=RING_ROWS_MAX
    )
    return begun(plan, station="kust", links=LINKS, clock=clock).disk


def found_in(disk: Disk) -> Found:
    """Return all that a journal serves."""
    entries = disk.entries(first=1, limit=ALL)
    owed = {
        link: frozenset(entry.number for entry in disk.pending(link, RANKED, limit=ALL, after=None))
        for link in LINKS
    }
    counts = disk.counts
    return Found(
        counts.number_last,
        counts.link_last,
        {entry.number: (entry.lane, entry.body) for entry in entries},
        owed,
    )


# ---- Its cuts -------------------------------------------------------------------------------


def cuts_of(
    folder: Path, life: Life, dice: random.Random
) -> Iterator[tuple[str, dict[str, bytes], str | None]]:
    """Cut a life at many of its operations; yield where, what was left, and what is wrong."""
    ops = life.platter.ops
    folder_then = life.platter.folder()
    done = 0
    weights = [1 if op.kind == "write" else RARE for op in ops]
    for place in sorted(dice.choices(range(len(ops) + 1), [*weights, RARE], k=CUTS_A_LIFE)):
        for op in ops[done:place]:
            folder_then.take(op)
        done = place
        left = folder_then.left(Temper(dice))
        laid(folder, left)
        moment = _moment(ops[place]) if place < len(ops) else "end"
        yield moment, left, fault_of(folder, life, place)


def _moment(op: Op) -> str:
    file = op.name.removeprefix(NAME).removeprefix("-") or "file"
    return f"{op.kind} of the {file}"


def fault_of(folder: Path, life: Life, place: int) -> str | None:
    """Return what is wrong with what a cut has left; None when nothing is."""
    try:
        return _fault(folder, life, place)
    except JournalFailed as failed:
        return f"corrupt: {failed.reason}"


def _fault(folder: Path, life: Life, place: int) -> str | None:
    pages = life.pages
    confirmed = bisect_right(pages, place, key=lambda page: page.ops) - 1
    allowed = [page.found for page in pages[max(confirmed, 0) : confirmed + 2]]
    disk = opened(folder, StillClock())
    try:
        found, epoch, counts = found_in(disk), disk.epoch, disk.counts
        disk.write([lambda: disk.append([])])
    finally:
        disk.close()
    proof = proof_of(str(folder / NAME))
    if counts.aside:
        return _not_taken_over(found, allowed)
    if epoch != pages[0].epoch:
        if confirmed >= 0:
            return "corrupt: another epoch"
        allowed = [_empty(found.link_last)]  # the name was not safe: another, then
    if found not in allowed:
        before = [page.found for page in pages[: max(confirmed, 0)]]
        if found in before:
            return f"lost: as it was {len(before) - before.index(found)} transactions before"
        return _difference(found, allowed)
    wrong = [one for one in proof.findings if one.faults and one.what != "checksums"]
    if wrong or counts.quarantined > life.aside:
        return f"corrupt: {wrong or 'rows set aside'}"
    return None


def _not_taken_over(found: Found, allowed: list[Found]) -> str | None:
    """Return what a journal that was begun anew doesn't owe of what was owed."""
    for link in LINKS:
        owed = frozenset.intersection(*(one.owed[link] for one in allowed))
        bodies = {found.entries[number][1] for number in found.owed[link]}
        lost = [number for number in owed if allowed[0].entries[number][1] not in bodies]
        if lost:
            return f"lost: {len(lost)} that were owed to {link}, in a journal begun anew"
    return None


def _empty(link: str) -> Found:
    return Found(0, link, {}, dict.fromkeys(LINKS, frozenset()))


def _difference(found: Found, allowed: list[Found]) -> str:
    first = allowed[0]
    lost = [n for n in first.entries if all(n in one.entries for one in allowed)]
    lost = [number for number in lost if number not in found.entries]
    if lost:
        return f"lost: {len(lost)} entries that were confirmed, the first number {lost[0]}"
    unowed = [
        (link, number)
        for link in LINKS
        for number in first.owed[link] & allowed[-1].owed[link]
        if number not in found.owed[link]
    ]
    if unowed:
        return f"lost: {len(unowed)} that were owed, the first {unowed[0]}"
    return (
        f"corrupt: {found.number_last} numbers, neither as after the last transaction "
        f"({first.number_last}) nor as after the next ({allowed[-1].number_last})"
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
