"""A journal that is damaged is set aside, and a new one takes over what it still owed."""

import errno
import gzip
import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from gateway.journal import aside, beginning
from gateway.journal.failed import JournalFailed
from gateway.journal.proving import proof_of
from gateway.journal.rows import RANKED
from gateway.journal.wreck import PAGE_BYTES
from gateway.model.plan import JournalPlan
from gateway.points import listening

ROWS = 30
STRUCK = [1, 4, 9]


@pytest.fixture
def plan(tmp_path):
    return JournalPlan(path=str(tmp_path / "journal.db"))


def items(house):
    """Return one of each lane in turn, so that number 1 is a distress; number 7 is a long one."""
    kinds = ["distress", "routine", "urgency", "safety"]
    made = [house.ruling(n, kinds[n % 4]) for n in range(ROWS)]
    made[6] = house.refusal(6, "x" * 20_000, distress_like=True)
    return made


@pytest.fixture
def begun(house, plan):
    """The path of a journal that owes shore less than local, as it is left by a power cut."""

    async def story():
        async with house.opened(plan) as journal:
            for item in items(house):
                await journal.append([item])
            await journal.strike("shore", STRUCK)
            await journal.strike("local", [9])
            for name in ("journal.db", "journal.db-wal"):
                shutil.copy(Path(plan.path).with_name(name), f"{plan.path}{name[10:]}.copy")

    house.run(story())
    for suffix in ("", "-wal"):
        Path(f"{plan.path}{suffix}.copy").replace(f"{plan.path}{suffix}")
    return plan.path


def settled(path):
    """Bring all of its log into the file."""
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()


def bent(path, place, value=None):
    """Let a byte of a file be another."""
    content = bytearray(Path(path).read_bytes())
    content[place] = content[place] ^ 1 if value is None else value
    Path(path).write_bytes(content)


def changed(path, order):
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute(order)


@pytest.fixture
def damaged(begun):
    """Have that journal be one that is set aside when it is opened; its outboxes hold."""
    settled(begun)
    changed(begun, "UPDATE journal SET number_last = 3")


@pytest.fixture
def taken_over(house, plan):
    """Open the journal; return the numbers of before that each link is owed, and what it counts."""

    def taken_over():
        names = {house.encode(item): n for n, item in enumerate(items(house), 1)}

        async def story():
            async with house.opened(plan) as journal:
                owed = {
                    link: [names[one.body] for one in await journal.pending(link, RANKED, limit=99)]
                    for link in house.links
                }
                return owed, journal.counts()

        return house.run(story())

    return taken_over


def in_order(numbers):
    """Return the numbers in the order of telling: distress, urgency, safety."""
    lanes = {1: 0, 3: 1, 0: 2}
    return sorted(numbers, key=lambda n: (1 if n == 7 else lanes[n % 4], n))


EVERY = in_order([n for n in range(1, ROWS + 1) if n % 4 != 2 or n == 7])
LOCAL = [n for n in EVERY if n != 9]
SHORE = [n for n in EVERY if n not in STRUCK]


def test_what_the_damaged_one_still_owed_is_told_by_the_new_one_in_order(begun, taken_over):
    """Its outboxes prove themselves, so each link is told what it was owed, and no more."""
    settled(begun)
    changed(begun, "UPDATE journal SET number_last = 3")

    owed, counts = taken_over()

    assert owed == {"shore": SHORE, "local": LOCAL}
    assert counts.aside == {"journal.db.damaged-1": len(LOCAL)}
    assert proof_of(begun).holds


@pytest.mark.parametrize("place", [0, 40, 100, 105, 2 * 4096])
def test_a_file_that_sqlite_cant_read_is_read_without_it(begun, taken_over, place):
    """Nobody knows then what was told, so all that is kept is told again."""
    settled(begun)
    content = bytearray(Path(begun).read_bytes())
    content[place : place + 60] = b"\xff" * 60
    Path(begun).write_bytes(content)

    owed, counts = taken_over()

    assert set(SHORE) <= set(owed["shore"])
    assert owed["local"] == EVERY
    assert counts.aside == {"journal.db.damaged-1": len(EVERY)}
    assert Path(f"{begun}.damaged-1").read_bytes() == content


def test_a_journal_without_its_first_page_is_known_by_its_rows(begun, taken_over):
    settled(begun)
    content = Path(begun).read_bytes()
    Path(begun).write_bytes(bytes(4096) + content[4096:])

    owed, _ = taken_over()

    assert owed == {"shore": EVERY, "local": EVERY}


@pytest.fixture
def unreadable(monkeypatch):
    """Have a part of a file be one that the disk doesn't give, to whoever reads it by hand."""

    def unreadable(path, first, last):
        whole = os.pread

        def pread(file, length, start):
            is_bad = first < start + length and start < last
            if is_bad and Path(f"/proc/self/fd/{file}").resolve() == Path(path):
                raise OSError(errno.EIO, "Input/output error")
            return whole(file, length, start)

        monkeypatch.setattr(os, "pread", pread)

    return unreadable


def test_of_a_damaged_file_with_a_bad_sector_all_else_is_told(begun, taken_over, unreadable):
    """A sector that the disk doesn't give ends no program, and costs the rows that stand there."""
    settled(begun)
    content = Path(begun).read_bytes()
    Path(begun).write_bytes(bytes(100) + content[100:])
    long = content.index(b"x" * 2000)  # of number 7, which has pages of its own
    first = long - long % PAGE_BYTES
    unreadable(f"{begun}.damaged-1", first, first + PAGE_BYTES)

    owed, counts = taken_over()

    lost = set(EVERY) - set(owed["local"])
    assert owed["shore"] == owed["local"] == [n for n in EVERY if n not in lost]
    assert lost == {7}
    assert counts.aside == {"journal.db.damaged-1": len(EVERY) - 1}


def test_a_log_that_can_t_be_read_to_its_end_is_no_log_to_go_on_with(
    begun, plan, house, unreadable
):
    """Nor one to be set aside: it may be whole, and the next try may read it."""
    log = Path(f"{begun}-wal")
    size = log.stat().st_size
    before = Path(begun).read_bytes()
    unreadable(log, size - 100, size)

    async def story():
        async with house.opened(plan):
            pytest.fail("it was opened")

    with pytest.raises(JournalFailed, match="Input/output error; look at the disk") as failed:
        house.run(story())

    assert not failed.value.foreign
    assert not failed.value.damaged
    assert Path(begun).read_bytes() == before
    assert not list(Path(begun).parent.glob("*.damaged-*"))


def test_what_a_damaged_log_had_is_told_too_and_no_number_is_given_twice(begun, taken_over):
    """SQLite itself would say nothing, and go on where the log breaks off."""
    log = Path(f"{begun}-wal")
    whole = log.read_bytes()
    bent(log, len(whole) // 2)
    damaged = log.read_bytes()

    owed, counts = taken_over()

    assert owed == {"shore": EVERY, "local": EVERY}
    assert counts.aside == {"journal.db.damaged-1": len(EVERY)}
    assert Path(f"{begun}.damaged-1-wal").read_bytes() == damaged


def test_with_the_last_transaction_in_doubt_the_others_are_not_told_again(begun, taken_over):
    log = Path(f"{begun}-wal")
    bent(log, len(log.read_bytes()) - 100)

    owed, counts = taken_over()

    assert owed == {"shore": SHORE, "local": EVERY}  # of the last one, a strike, nothing is left
    assert list(counts.aside) == ["journal.db.damaged-1"]


@pytest.mark.parametrize("place", [3, 18])
def test_a_log_that_has_lost_its_beginning_is_damage(begun, taken_over, place):
    bent(f"{begun}-wal", place)

    owed, counts = taken_over()

    assert owed == {"shore": EVERY, "local": EVERY}
    assert counts.aside


def test_a_torn_end_of_the_log_is_none(begun, taken_over):
    """That is what a power cut leaves: it was never confirmed."""
    log = Path(f"{begun}-wal")
    log.write_bytes(log.read_bytes()[:-200])

    owed, counts = taken_over()

    assert owed == {"shore": SHORE, "local": EVERY}
    assert counts.aside == {}


def test_a_log_whose_file_somebody_moved_away_is_kept_and_told(begun, taken_over):
    """SQLite would delete it."""
    Path(begun).unlink()
    log = Path(f"{begun}-wal").read_bytes()

    owed, counts = taken_over()

    assert owed == {"shore": EVERY, "local": EVERY}
    assert list(counts.aside) == ["journal.db.damaged-1"]
    assert Path(f"{begun}.damaged-1-wal").read_bytes() == log


class Cut(BaseException):  # what happens, and nobody's error: nothing catches it
    """The power goes."""


@pytest.mark.parametrize(
    "point", ["journal.linked_aside", "journal.set_away", "journal.named", "journal.taken_over"]
)
def test_the_power_may_go_at_any_moment_of_it(begun, plan, house, taken_over, point):
    bent(f"{begun}-wal", len(Path(f"{begun}-wal").read_bytes()) // 2)
    files = [Path(f"{begun}{suffix}").read_bytes() for suffix in ("", "-wal")]

    def cut(reached):
        if reached == point:
            raise Cut

    async def story():
        async with house.opened(plan):
            pytest.fail("it was opened")

    with listening(cut), pytest.raises(Cut):
        house.run(story())
    owed, counts = taken_over()

    assert owed == {"shore": EVERY, "local": EVERY}
    assert counts.aside == {"journal.db.damaged-1": len(EVERY)}
    aside_files = [Path(f"{begun}.damaged-1{suffix}").read_bytes() for suffix in ("", "-wal")]
    assert aside_files == files

    again, counts = taken_over()

    assert again == owed  # and that was it
    assert list(counts.aside) == ["journal.db.damaged-1"]


def test_what_was_begun_and_damaged_before_it_had_taken_over_costs_nothing(
    begun, plan, house, taken_over
):
    """The power goes between the new journal and its take-over, and that one is damaged as well."""
    settled(begun)
    changed(begun, "UPDATE journal SET number_last = 3")

    def cut(reached):
        if reached == "journal.taken_over":
            raise Cut

    async def story():
        async with house.opened(plan):
            pytest.fail("it was opened")

    with listening(cut), pytest.raises(Cut):
        house.run(story())
    changed(begun, "UPDATE journal SET number_last = 3")
    owed, counts = taken_over()

    assert owed == {"shore": SHORE, "local": LOCAL}
    assert sum(counts.aside.values()) == len(LOCAL)
    assert Path(f"{begun}.damaged-2").exists()


class Refusal:
    """A disk that refuses the take-over, as long as it is told to."""

    def __init__(self):
        self.tries = 0
        self.refuses = True

    def __call__(self, point):
        if point == "journal.taken_over":
            self.tries += 1
            if self.refuses:
                raise OSError(errno.ENOSPC, "No space left on device")


@pytest.fixture
def refusal():
    refusal = Refusal()
    with listening(refusal):
        yield refusal


def bodies_owed(house, journal):
    async def asked():
        return {
            link: [one.body for one in await journal.pending(link, RANKED, limit=99)]
            for link in house.links
        }

    return asked()


@pytest.mark.usefixtures("damaged")
def test_a_take_over_that_fails_costs_no_journal_and_is_tried_again(
    plan, house, monkeypatch, refusal
):
    """The new one is used meanwhile; in the end all that was owed is, and once."""
    monkeypatch.setattr(beginning, "AGAIN_S", 0.0)
    call = house.ruling(99, "distress")

    async def story():
        async with house.opened(plan) as journal:
            [entry] = await journal.append([call])
            await journal.look()
            failed = journal.untaken, journal.counts().aside, await bodies_owed(house, journal)
            refusal.refuses = False
            await journal.look()
            taken = journal.untaken, journal.counts().aside, await bodies_owed(house, journal)
            await journal.look()
            return entry.number, failed, taken

    number, failed, taken = house.run(story())
    made, new = items(house), house.encode(call)
    shore, local = ([house.encode(made[n - 1]) for n in owed] for owed in (SHORE, LOCAL))

    assert number == 1
    assert failed[0].startswith("No space left on device")
    assert failed[1:] == ({}, {"shore": [new], "local": [new]})
    assert taken[:2] == (None, {"journal.db.damaged-1": len(LOCAL)})
    assert taken[2] == {"shore": [new, *shore], "local": [new, *local]}
    assert refusal.tries == 3
    assert proof_of(plan.path).holds


@pytest.mark.usefixtures("damaged")
def test_what_one_before_has_taken_over_already_is_not_looked_for_again(plan, taken_over):
    owed, _ = taken_over()
    changed(plan.path, "UPDATE journal SET number_last = 3")

    again, counts = taken_over()

    assert again == owed
    assert counts.aside == {"journal.db.damaged-2": len(LOCAL)}


@pytest.mark.usefixtures("damaged")
def test_a_take_over_that_failed_is_made_by_the_next_start(plan, house, refusal):
    async def begin():
        async with house.opened(plan) as journal:
            if refusal.refuses:
                await journal.append([house.ruling(99, "distress")])
            return journal.untaken, await bodies_owed(house, journal)

    untaken, _ = house.run(begin())
    refusal.refuses = False
    after, owed = house.run(begin())
    again, owed_again = house.run(begin())

    assert untaken
    assert (after, again) == (None, None)
    assert {link: len(bodies) for link, bodies in owed.items()} == {
        "shore": 1 + len(SHORE),
        "local": 1 + len(LOCAL),
    }
    assert owed_again == owed
    assert refusal.tries == 2


@pytest.mark.usefixtures("damaged")
def test_a_take_over_that_fails_is_tried_ever_more_rarely(plan, house, clock, refusal):
    """It holds the journal up; but each hour it is tried for as long as it takes."""
    pauses_min = []

    async def story():
        async with house.opened(plan, clock=clock) as journal:
            for _ in range(10):
                before, passed_s, step_s = refusal.tries, 0, 15
                while refusal.tries == before:
                    clock.pass_h(step_s / 3600)
                    passed_s += step_s
                    await journal.look()
                pauses_min.append(round(passed_s / 60))

    house.run(story())

    assert pauses_min == [1, 2, 4, 8, 16, 32, 60, 60, 60, 60]


def test_no_file_is_overwritten_and_none_is_deleted(begun, taken_over):
    settled(begun)
    other = Path(f"{begun}.damaged-1")
    other.write_text("of last year")
    changed(begun, "UPDATE journal SET number_last = 3")

    _, counts = taken_over()

    assert list(counts.aside) == ["journal.db.damaged-2"]
    assert other.read_text() == "of last year"


def test_so_many_are_kept_and_then_a_person_has_to_come(begun, plan, house):
    settled(begun)
    for number in range(1, aside.ASIDE_MAX + 1):
        Path(f"{begun}.damaged-{number}").touch()
    changed(begun, "UPDATE journal SET number_last = 3")
    before = Path(begun).read_bytes()

    async def story():
        async with house.opened(plan):
            pytest.fail("it was opened")

    with pytest.raises(JournalFailed, match="there are 8 damaged files beside it") as caught:
        house.run(story())

    assert not caught.value.foreign  # the watch begins, and tells unjournaled
    assert "what it says of itself is damaged" in caught.value.reason
    assert Path(begun).read_bytes() == before


def test_where_it_cant_be_set_aside_it_is_said_and_nothing_is_lost(begun, plan, house, monkeypatch):
    settled(begun)
    changed(begun, "UPDATE journal SET number_last = 3")
    before = Path(begun).read_bytes()

    def refused(_path, _name):
        raise PermissionError(1, "Operation not permitted")

    async def story():
        async with house.opened(plan):
            pytest.fail("it was opened")

    monkeypatch.setattr(os, "link", refused)
    with pytest.raises(JournalFailed, match="could not be set aside: Operation not permitted"):
        house.run(story())

    assert Path(begun).read_bytes() == before


@pytest.mark.parametrize("most", [1, 5])
def test_what_is_taken_over_is_bounded_and_the_urgent_comes_first(
    begun, taken_over, monkeypatch, most
):
    monkeypatch.setattr(beginning, "TAKEN_OVER_MAX", most)
    Path(begun).unlink()

    owed, counts = taken_over()

    assert owed["local"] == EVERY[:most]
    assert counts.aside == {"journal.db.damaged-1": most}


def test_once_it_has_been_moved_away_it_is_no_longer_told_of(begun, taken_over):
    Path(begun).unlink()
    taken_over()
    Path(f"{begun}.damaged-1-wal").unlink()

    owed, counts = taken_over()

    assert owed["local"] == EVERY
    assert counts.aside == {}


@pytest.mark.parametrize(("version", "told"), [(1, 0), (2, 25)])
def test_files_of_releases_before_are_set_aside_too(house, plan, version, told):
    """Rows of version 1 can't prove themselves."""
    old = gzip.decompress(Path(__file__).with_name(f"v{version}.db.gz").read_bytes())
    Path(plan.path).write_bytes(old[:100] + b"\xff" * 300 + old[400:])

    async def story():
        async with house.opened(plan) as journal:
            return journal.counts()

    counts = house.run(story())

    assert counts.aside == {"journal.db.damaged-1": told}


@pytest.mark.parametrize("version", [1, 2])
def test_a_file_of_a_release_before_that_is_another_station_s_is_left_alone(house, plan, version):
    old = gzip.decompress(Path(__file__).with_name(f"v{version}.db.gz").read_bytes())
    Path(plan.path).write_bytes(old)

    async def story():
        async with house.opened(plan, station="another"):
            pytest.fail("it was opened")

    with pytest.raises(JournalFailed, match="belongs to station") as failed:
        house.run(story())

    assert failed.value.foreign
    assert Path(plan.path).read_bytes() == old


def test_a_proof_of_one_that_was_set_aside_says_what_is_wrong(begun, taken_over):
    settled(begun)
    bent(begun, 60, 9)
    taken_over()

    with pytest.raises(JournalFailed) as caught:
        proof_of(f"{begun}.damaged-1")

    assert "what it says of its tables is damaged" in caught.value.reason
    assert f"{len(EVERY)} entries in it prove themselves all the same" in caught.value.reason
