"""F15: bits fall over in the journal, and it is cut short. Closed as it should be, and not."""

import random
import shutil
import tempfile
from collections import Counter
from contextlib import suppress
from pathlib import Path

import pytest

from gateway.clock import Clock
from gateway.journal.beginning import begun
from gateway.journal.failed import JournalFailed
from gateway.journal.rows import RANKED, row_of
from gateway.model.inbound import Heard, Refused, Report, Ruling, Sighting
from gateway.model.plan import JournalPlan
from gateway.model.words import ClockState, Confidence, Integrity, Kind, Mode, Urgency

LINKS = ("shore", "local")
NAME = "journal.db"
SHORT, WHOLE = 100, 5_000
"""Of each: bits of a closed journal, and of one that was not."""
LENGTHS_SHORT, LENGTHS_WHOLE = 30, 400
COMMITS = 40


def item(number):
    """Return something for each lane and shelf in turn; now and then a long one."""
    kind = ("distress", "routine", "urgency", "refused", "unread", "safety")[number % 6]
    raw = (f"$CDDSC,{number}," + "0" * (6_000 if number % 23 == 0 else 60),)
    if kind in ("refused", "unread"):
        reason = "wrong checksum" if kind == "refused" else ""
        return Refused(
            port="p1", mono_ns=1, reason=reason, door="framing", distress_like=False,
            raw=raw, span=9,
        )  # fmt: skip
    heard = Heard(station="kust", port="p1", modem="m", mono_ns=1, clock=ClockState.FREE)
    report = Report(
        report_id=f"{number:032x}", schema=1, system="dsc", kind=Kind.CALL, urgency=Urgency(kind),
        mode=Mode.REAL, heard=heard, integrity=Integrity.CHECKSUM,
        confidence=Confidence.VERIFIED, raw=raw,
    )  # fmt: skip
    return Ruling(Sighting(report, content=b"x"))


def opened(folder):
    plan = JournalPlan(path=str(folder / NAME), routine_rows_max=20, refused_rows_max=20)
    return begun(plan, station="kust", links=LINKS, clock=Clock()).disk


def read(disk):
    """Return every body that is served, by number, and those that are owed, by link."""
    with suppress(JournalFailed):
        served = {one.number: one.body for one in disk.entries(first=1, limit=9_999)}
        owed = {
            link: {one.body for one in disk.pending(link, RANKED, limit=9_999, after=None)}
            for link in LINKS
        }
        return served, owed
    return {}, {link: set() for link in LINKS}


@pytest.fixture(scope="module")
def folder():
    """A folder in memory: no disk has to be waited for thousands of times."""
    memory = Path("/dev/shm")  # noqa: S108  # a folder of its own is made in it
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as name:
        yield Path(name)


@pytest.fixture(scope="module")
def journals(folder):
    """The files of a journal that was closed and of the same one when it was not, and the truth."""
    made = folder / "made"
    made.mkdir()
    disk = opened(made)
    for commit in range(COMMITS):
        rows = [row_of(item(commit * 3 + n)) for n in range(3)]
        disk.write([lambda rows=rows: disk.append(rows)])
        if commit == COMMITS // 2:
            disk._db.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        if commit % 4 == 0:
            owed = [one.number for one in disk.pending("shore", RANKED, limit=5, after=None)]
            disk.write([lambda owed=owed: disk.strike("shore", owed)])
    truth = read(disk)
    open_files = {
        path.name: path.read_bytes() for path in made.iterdir() if "-shm" not in path.name
    }
    disk.close()
    return {"closed": {NAME: (made / NAME).read_bytes()}, "not closed": open_files}, truth


class Inquest:
    """What came of each damage."""

    def __init__(self, folder, truth):
        self.folder = folder / "after"
        self.served, self.owed = truth
        self.bodies = set(self.served.values())
        self.outcomes = Counter()
        self.silent = []
        self.refused = []
        """Without a journal: begun, and told unjournaled, until a person comes."""
        self.lost_max = 0

    def look(self, files, what):
        """Open these files, and compare what is served and owed with the truth."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir()
        for name, content in files.items():
            (self.folder / name).write_bytes(content)
        try:
            disk = opened(self.folder)
        except JournalFailed as failed:
            self.refused.append(f"{what}: {failed.reason}")
            return
        try:
            served, owed = read(disk)
            counts = disk.counts
            again = [row_of(item(999))]
            disk.write([lambda: disk.append(again)])
        finally:
            disk.close()
        self.judge(served, owed, counts, what)

    def judge(self, served, owed, counts, what):
        wrong = [body for body in served.values() if body not in self.bodies]
        if not counts.aside:
            wrong += [n for n, body in served.items() if self.served.get(n) != body]

        assert not wrong, what
        lost = set().union(*(self.owed[link] - owed[link] for link in LINKS))
        noticed = counts.aside or counts.quarantined
        if lost and not noticed:
            self.silent.append(what)
        self.lost_max = max(self.lost_max, len(lost))
        outcome = "begun anew" if counts.aside else "rows set aside" if noticed else "all served"
        self.outcomes[f"{outcome}, {'some' if lost else 'nothing'} owed lost"] += 1

    def words(self):
        return ", ".join(f"{name} {count}" for name, count in sorted(self.outcomes.items()))


@pytest.mark.parametrize("state", ["closed", "not closed"])
def test_no_fallen_bit_makes_a_wrong_row_or_loses_a_delivery_silently(
    journals, folder, whole, figure, state
):
    files, truth = journals[0][state], journals[1]
    inquest, dice = Inquest(folder, truth), random.Random(15)
    places = [(name, at) for name, content in files.items() for at in range(len(content))]
    for name, at in dice.sample(places, WHOLE if whole else SHORT):
        bit = dice.randrange(8)
        bent = bytearray(files[name])
        bent[at] ^= 1 << bit
        inquest.look({**files, name: bytes(bent)}, f"bit {bit} of byte {at} of {name}")
    figure("F15", f"a bit of a journal {state}: {inquest.words()}")

    assert inquest.silent == []
    assert inquest.lost_max <= 1  # the row that was hit, and no other
    assert inquest.refused == []


@pytest.mark.parametrize("state", ["closed", "not closed"])
def test_a_journal_cut_short_serves_nothing_wrong_and_is_begun_anew(
    journals, folder, whole, figure, state
):
    files, truth = journals[0][state], journals[1]
    inquest, dice = Inquest(folder, truth), random.Random(16)
    for _ in range(LENGTHS_WHOLE if whole else LENGTHS_SHORT):
        length = dice.randrange(1, len(files[NAME]))
        inquest.look({**files, NAME: files[NAME][:length]}, f"cut to {length} bytes")
    figure("F15", f"cut short, {state}: {inquest.words()}")

    assert inquest.silent == []
    assert inquest.refused == []


def test_the_first_pages_of_a_journal_are_hit_on_each_byte(journals, folder, whole, figure):
    """What the file says of itself and of its tables: there is the most to go wrong."""
    files, truth = journals[0]["closed"], journals[1]
    inquest, dice = Inquest(folder, truth), random.Random(17)
    for at in range(2 * 4096 if whole else 100):
        bent = bytearray(files[NAME])
        bent[at] ^= 1 << dice.randrange(8)
        inquest.look({NAME: bytes(bent)}, f"byte {at}")
    figure("F15", f"the first bytes, one by one: {inquest.words()}")

    assert inquest.silent == []
    assert inquest.refused == []
    assert inquest.lost_max == 0
