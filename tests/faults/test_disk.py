"""The disk fills up, fails, hangs: distress is told in time, and journaled when it can be."""

from __future__ import annotations

import asyncio
import functools
import json
import os
import random
import shutil
import subprocess
import sys
import time
import tty
from contextlib import asynccontextmanager, contextmanager, suppress

import msgspec
import pytest

from gateway.app import Service
from gateway.app.telling import JOURNAL_S_MAX, Teller
from gateway.clock import Clock
from gateway.health.board import Board
from gateway.journal import space, standing
from gateway.journal.front import Journal
from gateway.journal.proving import proof_of
from gateway.journal.standing import StandingJournal
from gateway.log import set_up
from gateway.model.inbound import Chunk
from gateway.model.incident import IncidentNote
from gateway.model.plan import JournalPlan, LinkPlan, LogPlan, PortPlan, StationPlan
from gateway.mqtt.subscriber import subscribe
from gateway.pipeline import hallway
from gateway.points import listening
from gateway.settings import profile_named
from gateway.verbs.embedded import LOOPBACK, embedded_broker

SHIP = b"!AIVDM,1,1,,A,15RTgt0PAso;90TKcjM8h6g208CQ,0*4A\r\n"

CALLS = 40
"""Of a child whose system calls are tampered with: some forty commits."""

OWED_S_MAX = 1.5
"""How long a child waits for its disk to take what it owes."""

RESERVE_MB = 8
DISK_MB = 40

ALARM_S_MAX = 5.0
TOLD_S_MAX = JOURNAL_S_MAX + 1.0
LAG_MS_MAX = 50.0

WAIT_S = 20.0


def mayday(ordinal):
    """Return a DSC distress call of a ship of its own, and the ship."""
    mmsi = f"33804{ordinal:04d}"
    body = f"CDDSC,12,{mmsi}0,12,06,00,1423108312,2019,,,S,E".encode()
    checksum = functools.reduce(lambda before, byte: before ^ byte, body)
    return b"$%b*%02X\r\n" % (body, checksum), mmsi


class Station:
    """A station on watch with one DSC and one AIS receiver, and what a subscriber reads."""

    def __init__(self, service, modems):
        self.service = service
        self.inbox = []
        self.said_s = {}
        self._modems = modems
        self._next = 0

    def call(self):
        """Have a ship of its own call for help; return it."""
        sentence, mmsi = mayday(self._next)
        self._next += 1
        self.said_s[mmsi] = time.monotonic()
        os.write(self._modems["dsc"], sentence)
        return mmsi

    def pass_by(self):
        os.write(self._modems["ais"], SHIP)

    def records(self, mmsi):
        """Return each record of a ship's distress, with how long after the call it came."""
        return [
            (came_s - self.said_s[mmsi], payload)
            for came_s, topic, payload in self.inbox
            if "/report/distress/" in topic and payload["report"]["sender"]["mmsi"] == mmsi
        ]

    def alert(self, name):
        """Return an alarm as it stands for the subscriber."""
        found = [payload for _, topic, payload in self.inbox if topic.endswith(f"/alert/{name}")]
        return found[-1] if found else {}

    async def until(self, found, what, *, within_s=WAIT_S):
        """Wait until something is so; return how long that took."""
        began = time.monotonic()
        while not found():
            assert time.monotonic() - began < within_s, what
            await asyncio.sleep(0.005)
        return time.monotonic() - began

    async def told(self, mmsi):
        await self.until(lambda: self.records(mmsi), "the MAYDAY")
        return self.records(mmsi)[0]

    @property
    def journal(self):
        return self.service.status().journal


@pytest.fixture(scope="module")
def broker():
    with embedded_broker() as listening_at:
        yield listening_at


def plan_of(folder, broker, ports):
    return StationPlan(
        station="disk",
        ports=tuple(
            PortPlan(
                name=name,
                device=device,
                modem=f"generic-{name}",
                profile=profile_named(f"generic-{name}"),
            )
            for name, device in ports.items()
        ),
        links=(
            LinkPlan(
                name="local",
                host=LOOPBACK,
                port=broker.port_v311,
                version="3.1.1",
                client_id=f"gw-{folder.name}",
            ),
        ),
        journal=JournalPlan(path=str(folder / "journal.db"), reserve_mb=RESERVE_MB),
        record=None,
        log=LogPlan(level="error"),
    )


@asynccontextmanager
async def on_watch(folder, broker):
    """Run a station with its journal in this folder until the block ends."""
    pairs = {name: os.openpty() for name in ("dsc", "ais")}
    for _, inner in pairs.values():
        tty.setraw(inner)
    plan = plan_of(folder, broker, {name: os.ttyname(inner) for name, (_, inner) in pairs.items()})
    log = set_up(level="critical", as_json=True)
    service = Service(plan, clock=Clock(), log=log, dice=random.Random(1))
    station = Station(service, {name: outer for name, (outer, _) in pairs.items()})

    async def listen():
        topics = ("distress/v1/disk/#",)
        async for topic, payload, _ in subscribe(
            LOOPBACK, broker.port_v311, topics, version="3.1.1"
        ):
            decoded = msgspec.json.decode(payload) if payload else {}
            station.inbox.append((time.monotonic(), topic, decoded))

    with suppress(asyncio.CancelledError):
        async with asyncio.TaskGroup() as group:
            ears = group.create_task(listen())
            duty = group.create_task(service.run())
            await service.on_watch.wait()
            await station.until(lambda: service.status().links["local"].connected, "the broker")
            await station.until(lambda: station.inbox, "the subscriber")
            try:
                yield station
            finally:
                duty.cancel()
                with suppress(asyncio.CancelledError):
                    await duty
                ears.cancel()
    for pair in pairs.values():
        for end in pair:
            os.close(end)


@contextmanager
def mounted(folder, *words):
    """A file system of its own, which only root can make."""
    folder.mkdir()
    mount, umount = shutil.which("mount") or "mount", shutil.which("umount") or "umount"
    try:
        subprocess.run([mount, *words, str(folder)], capture_output=True, check=True)
    except (OSError, subprocess.CalledProcessError) as refusal:
        pytest.skip(f"needs the right to mount a file system: {refusal}")
    try:
        yield folder
    finally:
        subprocess.run([umount, str(folder)], check=True)


@contextmanager
def card(tmp_path, megabytes):
    """A card with ext4 on it, as a file."""
    image = tmp_path / "card.img"
    with image.open("wb") as file:
        file.truncate(megabytes * 1_000_000)
    mkfs = shutil.which("mkfs.ext4", path=f"{os.environ['PATH']}:/usr/sbin:/sbin")
    if mkfs is None:
        pytest.skip("needs mkfs.ext4")
    subprocess.run([mkfs, "-q", "-m", "0", str(image)], check=True)
    with mounted(tmp_path / "card", "-o", "loop", str(image)) as folder:
        yield folder


class Ballast:
    """Another program's file, which takes what room there is."""

    def __init__(self, folder):
        self._path = folder / "ballast"

    def leave(self, left_bytes):
        """Grow until no more than this is left."""
        with self._path.open("ab", buffering=0) as file, suppress(OSError):
            while True:
                found = os.statvfs(self._path.parent)
                room = found.f_bavail * found.f_frsize - left_bytes
                if room < 4096 and left_bytes:
                    return
                file.write(bytes(min(max(room, 4096), 1_000_000)))

    def go(self):
        self._path.unlink()


def entries_of(folder, station="disk"):
    """Return what stands in the journal of a gateway that has ended, and whether it holds."""
    plan = JournalPlan(path=str(folder / "journal.db"))

    async def read():
        journal = await Journal.open(plan, station=station, links=("local",), clock=Clock())
        try:
            return await journal.entries(limit=1_000_000)
        finally:
            await journal.close()

    holds = proof_of(plan.path).holds
    return [msgspec.msgpack.decode(entry.body) for entry in asyncio.run(read())], holds


def ships_in(bodies):
    return [
        body["sighting"]["report"]["sender"]["mmsi"]
        for body in bodies
        if "sighting" in body and body["sighting"]["report"]["urgency"] == "distress"
    ]


async def routine_is_shed(station, ballast):
    """Leave less than the reserve's own size; return how long the alarm took."""
    await station.until(lambda: station.journal.reserve_bytes, "the reserve is made")
    ballast.leave(RESERVE_MB * 500_000)
    alarm_s = await station.until(lambda: station.alert("disk"), "alert/disk")
    shed_s = await station.until(lambda: station.journal.room == "short", "routine is shed")
    for _ in range(20):
        station.pass_by()
    await station.until(lambda: station.journal.shed, "routine is shed, and counted")
    assert alarm_s + shed_s <= ALARM_S_MAX
    assert not station.alert("journal"), "shedding is no failure"
    return alarm_s


async def the_reserve_is_used(station, ballast):
    """Leave nothing; return the ships that called all the same."""
    kept, ships = station.journal.rows["routine"], []
    ballast.leave(0)
    for _ in range(20):
        ships.append(station.call())
        took_s, record = await station.told(ships[-1])
        assert record["journaled"] is True
        assert took_s <= TOLD_S_MAX
        station.pass_by()
    await station.until(lambda: station.journal.reserve_bytes == 0, "the reserve is given up")
    full_s = await station.until(
        lambda: "reserve" in station.alert("disk").get("text", ""), "alert/disk says so"
    )
    assert full_s <= ALARM_S_MAX
    assert station.journal.rows["routine"] == kept, "the reserve is for distress alone"
    return ships


async def another_program_takes_it_all(station, ballast):
    """Leave nothing of the reserve either; return the ships that called all the same."""
    ballast.leave(0)
    ships, record = [], {}
    while not station.journal.waiting:
        ships.append(station.call())
        took_s, record = await station.told(ships[-1])
        assert took_s <= TOLD_S_MAX
    assert record["journaled"] is False
    await station.until(lambda: station.alert("journal"), "alert/journal", within_s=ALARM_S_MAX)
    return ships


async def there_is_room_again(station, ballast, ship):
    """Have it recover by itself; return how long it took until nothing was owed."""
    ballast.go()
    back_s = await station.until(lambda: not station.journal.waiting, "nothing is owed")
    await station.until(lambda: len(station.records(ship)) == 2, "told once more")
    (_, first), (_, again) = station.records(ship)
    assert first["report"]["report_id"] == again["report"]["report_id"]
    assert first["report"]["heard"] == again["report"]["heard"]
    assert (again["journaled"], again["late"], again["number"] > 0) == (True, True, True)
    await station.until(lambda: not station.alert("journal"), "alert/journal ends")
    await station.until(
        lambda: station.journal.room not in ("short", "full"), "routine again", within_s=WAIT_S
    )
    assert station.journal.reserve_bytes == RESERVE_MB * 1_000_000
    await station.until(lambda: not station.alert("disk"), "alert/disk ends")
    before = station.journal.rows["routine"]
    station.pass_by()
    await station.until(lambda: station.journal.rows["routine"] > before, "routine is journaled")
    return back_s


def test_a_full_disk_costs_routine_its_place_and_no_distress(
    tmp_path, broker, figure, whole, monkeypatch
):
    """Shed, reserve, memory, and back: every distress is told in time, and journaled in the end."""
    if not whole:
        monkeypatch.setattr(space, "SHED_NS", 5 * 10**8)

    async def story(folder):
        ballast = Ballast(folder)
        async with on_watch(folder, broker) as station:
            ships = [station.call()]
            _, record = await station.told(ships[0])
            assert record["journaled"] is True
            alarm_s = await routine_is_shed(station, ballast)
            ships += await the_reserve_is_used(station, ballast)
            ships += await another_program_takes_it_all(station, ballast)
            owed = station.journal.waiting
            back_s = await there_is_room_again(station, ballast, ships[-1])
            figure(
                "F12",
                f"alarm {alarm_s:.1f} s of {ALARM_S_MAX:g}; {len(ships)} distress told, all "
                f"journaled, {owed} of them afterwards ({back_s:.1f} s); {station.journal.shed} "
                "routine shed",
            )
            return ships

    with mounted(tmp_path / "disk", "-t", "tmpfs", "-o", f"size={DISK_MB}m", "tmpfs") as folder:
        ships = asyncio.run(story(folder))
        bodies, holds = entries_of(folder)

    assert sorted(ships_in(bodies)) == sorted(ships)
    assert holds


def test_the_reserve_holds_thousands_of_distress_calls(tmp_path, figure, whole):
    """On ext4, where freed blocks have to come back; real calls, one commit each."""
    if not whole:
        pytest.skip("whole form only")

    async def story(folder):
        plan = JournalPlan(path=str(folder / "journal.db"), reserve_mb=RESERVE_MB)
        journal = await Journal.open(plan, station="disk", links=("local",), clock=Clock())
        await journal.look()
        Ballast(folder).leave(0)
        item, taken = one_call(), 0
        with suppress(Exception):
            while True:
                await journal.append((item,))
                taken += 1
        counts = journal.counts()
        await journal.close()
        return taken, counts

    with card(tmp_path, 64) as folder:
        taken, counts = asyncio.run(story(folder))
    figure("F12", f"{taken} distress calls of real size in a reserve of {RESERVE_MB} MB, on ext4")

    assert taken > 1000
    assert counts.room == "full"


def rooms():
    """Return the hallway of one DSC receiver."""
    profile = profile_named("generic-dsc")
    port = PortPlan(name="dsc", device="x", modem="generic-dsc", profile=profile)
    return hallway("disk", (port,))


def one_call():
    """Return a distress call as it leaves the hallway."""
    sentence, _ = mayday(1)
    (item,) = rooms().inbound(Chunk("dsc", Clock().now(), sentence))
    return item


# -- EIO, and a file system that turned read-only ----------------------------------------------


CHILD = """
import asyncio, json, runpy, sys

test = runpy.run_path(sys.argv[1])
asyncio.run(test["tells_in_a_child"](sys.argv[2], int(sys.argv[3])))
"""


def say(words):
    sys.stdout.write(json.dumps(words) + "\n")
    sys.stdout.flush()


class Printer:
    """A link that says what it is told, a line each."""

    def __init__(self):
        self.ships = set()

    def tell(self, entry):
        self._say(entry, "journaled")

    def tell_unjournaled(self, entry):
        self._say(entry, "unjournaled")

    def tell_afterwards(self, entry):
        self._say(entry, "afterwards")

    def retain(self, suffix, state):
        say({"alert": suffix, "stands": state is not None})

    def _say(self, entry, how):
        if isinstance(entry.item, IncidentNote):
            say({"how": how, "incident": entry.item.incident.incident_id})
            return
        report = entry.item.sighting.report
        self.ships.add(report.sender.mmsi)
        said = {"how": how, "number": entry.number, "ship": report.sender.mmsi}
        say(said | {"at_s": time.monotonic()})


async def tells_in_a_child(path, calls):
    """Hand that many distress calls to a journal and a teller; leave once nothing is owed."""
    standing.RETRY_S = 0.2
    clock, log = Clock(), set_up(level="critical", as_json=True)
    plan = JournalPlan(path=path, reserve_mb=RESERVE_MB)
    journal = StandingJournal(plan, station="disk", links=("local",), clock=clock)
    await journal.open()
    printer = Printer()
    board = Board((printer,), clock=clock, log=log)
    teller = Teller(journal, (printer,), board=board, clock=clock, log=log)
    heard = rooms()
    async with asyncio.TaskGroup() as group:
        duties = [
            group.create_task(duty())
            for duty in (journal.run, teller.run, teller.journal_afterwards)
        ]
        for ordinal in range(calls):
            sentence, mmsi = mayday(ordinal)
            say({"said": mmsi, "at_s": time.monotonic()})
            teller.keep(heard.inbound(Chunk("dsc", clock.now(), sentence)))
            await asyncio.sleep(0.01)
        while len(printer.ships) < calls:
            await asyncio.sleep(0.01)
        end_s = time.monotonic() + OWED_S_MAX
        while teller.owed and time.monotonic() < end_s:
            await asyncio.sleep(0.02)
        for duty in duties:
            duty.cancel()
    await teller.end()
    say({"owed": len(teller.owed)})
    await journal.close()


def under_strace(folder, inject, *, calls=CALLS):
    """Run a child whose system calls are tampered with; return what it said."""
    strace = shutil.which("strace")
    if strace is None:
        pytest.skip("needs strace")
    name = inject.partition(":")[0]
    words = [
        *(strace, "-f", "-qq", "-o", os.devnull, "-e", f"trace={name}", "-e", f"inject={inject}"),
        *(sys.executable, "-c", CHILD, __file__, str(folder / "journal.db"), str(calls)),
    ]
    ran = subprocess.run(words, capture_output=True, text=True, timeout=120, check=False)
    if "ptrace" in ran.stderr:
        pytest.skip(f"needs the right to trace: {ran.stderr.strip()}")
    assert ran.returncode == 0, ran.stderr
    return [json.loads(line) for line in ran.stdout.splitlines()]


def judged(folder, said):
    """Hold a child's words against its journal: nothing claimed that is not there, nothing lost."""
    bodies, holds = entries_of(folder)
    in_journal = ships_in(bodies)
    claimed = [line["ship"] for line in said if "ship" in line and line["number"]]
    told = {line["ship"]: line["at_s"] for line in reversed(said) if "ship" in line}
    called = {line["said"]: line["at_s"] for line in said if "said" in line}
    owed = [line["owed"] for line in said if "owed" in line]

    assert set(told) == set(called), "each is told, whatever the disk does"
    assert set(claimed) <= set(in_journal), "nothing is claimed that is not there"
    assert len(claimed) == len(set(claimed))
    assert holds
    return (
        max(told[ship] - called[ship] for ship in called),
        sum(line.get("how") == "unjournaled" for line in said),
        owed[-1],
        in_journal,
    )


def test_no_failed_synchronisation_is_ever_taken_for_journaled(tmp_path, figure, whole):
    """Two in a row fail: what they were for is told without a number, then journaled anew.

    The first is of all that is written together, the second of the first of them by itself.
    """
    slowest_s, refused = 0.0, 0
    turns = range(1, 41) if whole else (20,)
    for turn in turns:
        folder = tmp_path / str(turn)
        folder.mkdir()
        said = under_strace(folder, f"fdatasync:error=EIO:when={turn}..{turn + 1}", calls=CALLS)
        took_s, unjournaled, owed, in_journal = judged(folder, said)
        assert owed == 0
        assert len(in_journal) == len(set(in_journal)) == sum("said" in line for line in said)
        slowest_s, refused = max(slowest_s, took_s), refused + unjournaled

        assert took_s < 1.0
    assert refused
    figure(
        "F13",
        f"fdatasync EIO twice, at each of {len(turns)} places: {refused} calls or notes refused, "
        f"all told within {slowest_s * 1e3:.0f} ms and journaled afterwards, none claimed before",
    )


def test_a_disk_that_fails_every_synchronisation_silences_nobody(tmp_path, figure):
    said = under_strace(tmp_path, "fdatasync:error=EIO:when=20+")
    took_s, unjournaled, owed, _ = judged(tmp_path, said)
    figure(
        "F13",
        f"fdatasync EIO for ever: {unjournaled} told without a number within "
        f"{took_s * 1e3:.0f} ms, {owed} owed at the end and named in the log",
    )

    assert unjournaled == owed > 0
    assert took_s < 1.0
    assert {"alert": "alert/journal", "stands": True} in said


@pytest.mark.parametrize("call", ["pwrite64", "fdatasync"])
def test_a_disk_without_room_refuses_by_system_call_and_silences_nobody(tmp_path, whole, call):
    """The form for those who may not mount: writes fail for want of room from some point on."""
    if not whole:
        pytest.skip("whole form only")
    said = under_strace(tmp_path, f"{call}:error=ENOSPC:when=40+")
    took_s, unjournaled, owed, _ = judged(tmp_path, said)

    assert took_s < 1.0
    assert unjournaled == owed


def test_a_file_system_that_turned_read_only_silences_nobody(tmp_path, broker, figure):
    """As a kernel does with a card that fails: `errors=remount-ro`."""

    async def story(folder):
        async with on_watch(folder, broker) as station:
            took_s, record = await station.told(station.call())
            assert record["journaled"] is True
            mount = shutil.which("mount") or "mount"
            remount = [mount, "-o", "remount,abort", str(folder)]
            process = await asyncio.create_subprocess_exec(*remount)
            await process.wait()
            slowest_s = 0.0
            for _ in range(5):
                took_s, record = await station.told(station.call())
                slowest_s = max(slowest_s, took_s)
                assert record["journaled"] is False
            alarm_s = await station.until(lambda: station.alert("journal"), "alert/journal")
            return slowest_s, alarm_s, station.journal.waiting

    with card(tmp_path, 64) as folder:
        slowest_s, alarm_s, owed = asyncio.run(story(folder))
    figure(
        "F13",
        f"read-only (ext4 abort): told within {slowest_s * 1e3:.0f} ms, alarm {alarm_s:.1f} s "
        f"after the first, {owed} of 5 calls and 5 notes of incidents held in memory",
    )

    assert owed == 10
    assert slowest_s < 1.0
    assert alarm_s <= ALARM_S_MAX


# -- a disk that is slow -----------------------------------------------------------------------


@contextmanager
def slow_disk(seconds):
    """Each commit takes so long, in the thread that writes."""

    def wait(point):
        if point == "journal.sealed":
            time.sleep(seconds)

    with listening(wait):
        yield


@pytest.mark.parametrize("seconds", [0.3, 5.0], ids=["slow", "very-slow"])
def test_a_slow_disk_delays_a_mayday_by_two_seconds_at_most_and_nobodys_ears(
    tmp_path, broker, figure, whole, seconds
):
    calls = (40 if whole else 6) if seconds < 1 else (8 if whole else 3)
    if seconds > 1 and not whole:
        seconds = JOURNAL_S_MAX + 0.6

    async def story():
        async with on_watch(tmp_path, broker) as station:
            await station.told(station.call())
            lag = station.service._watch._lag
            before, lag.ms_max = list(lag.counts), 0.0
            with slow_disk(seconds):
                ships = []
                for _ in range(calls):
                    station.pass_by()
                    ships.append(station.call())
                    await asyncio.sleep(0.25 if seconds < 1 else 0.4)
                times = [(await station.told(ship))[0] for ship in ships]
            lag.counts[:] = [now - then for now, then in zip(lag.counts, before, strict=True)]
            lag_ms = lag.ms_at(0.99)
            alarmed = bool(station.alert("journal"))
            await station.until(lambda: not station.journal.waiting, "all are journaled")
            await station.until(lambda: not station.alert("journal"), "alert/journal ends")
            return times, lag_ms, lag.ms_max, alarmed, ships

    times, lag_ms, lag_ms_max, alarmed, ships = asyncio.run(story())
    bodies, holds = entries_of(tmp_path)
    figure(
        "F14",
        f"commits of {seconds:g} s: {calls} distress told within {max(times):.2f} s of "
        f"{TOLD_S_MAX:g}, loop lag p99 {lag_ms:g} ms, max {lag_ms_max:g} of {LAG_MS_MAX:g}",
    )

    assert set(ships) <= set(ships_in(bodies))
    assert holds
    assert max(times) <= TOLD_S_MAX
    assert lag_ms <= LAG_MS_MAX
    assert alarmed is (seconds > JOURNAL_S_MAX)
