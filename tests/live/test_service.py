"""The whole service over real pseudo-terminals and a real broker: what an officer counts on."""

import asyncio
import functools
import os
import random
import sqlite3
import tty
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing, suppress
from pathlib import Path

import msgspec
import pytest

from gateway.app import Service
from gateway.app.telling import JOURNAL_S_MAX
from gateway.clock import Clock
from gateway.journal import beginning
from gateway.journal.failed import JournalFailed
from gateway.journal.front import Journal
from gateway.log import set_up
from gateway.model.entry import encode_item
from gateway.model.inbound import Refused
from gateway.model.plan import (
    JournalPlan,
    LinkPlan,
    LogPlan,
    PortPlan,
    RecordPlan,
    StationPlan,
)
from gateway.model.words import Fault
from gateway.mqtt.subscriber import subscribe
from gateway.pipeline import Pipeline
from gateway.points import listening
from gateway.settings import profile_named
from gateway.verbs.embedded import LOOPBACK, Listening, embedded_broker
from gateway.verbs.replay import replay

MAYDAY = b"$CDDSC,12,3380400790,12,06,00,1423108312,2019,,,S,E*6A\r\n"
DAMAGED_MAYDAY = b"$CDDSC,12,3380400790,12,05,00,1423108312,2019,,,S,E*6A\r\n"
EPIRB_TEST = b"!AIVDM,1,1,,A,>>QK2khE0U8:1@E=@0,4*52\r\n"
SHIP = b"!AIVDM,1,1,,A,15RTgt0PAso;90TKcjM8h6g208CQ,0*4A\r\n"
HALF_A_MESSAGE = b"!AIVDM,2,1,3,B,55P5TL01VIaAL@7WKO@mBplU@<PDhh000000001S;AJ::4A80?4i@E53,0*3E\r\n"
OWN_PLACE = b"$GPGLL,5503.00,N,01016.00,E,101530,A*29\r\n"

WAIT_S = 10.0


def on_loop(test):
    """Run a test on an event loop of its own."""

    @functools.wraps(test)
    def run(*args, **kwargs):
        asyncio.run(test(*args, **kwargs))

    return run


@pytest.fixture(scope="module")
def broker():
    with embedded_broker() as listening:
        yield listening


class Modem:
    """One end of a pseudo-terminal; the gateway opens the other by a stable name."""

    def __init__(self, folder: Path, name: str) -> None:
        self.link = folder / name
        self._ends: tuple[int, ...] = ()
        self.plug_in()

    def plug_in(self) -> None:
        modem_end, gateway_end = os.openpty()
        tty.setraw(gateway_end)
        os.set_blocking(modem_end, False)
        self._ends = (modem_end, gateway_end)
        fresh = self.link.with_suffix(".fresh")
        fresh.symlink_to(os.ttyname(gateway_end))
        fresh.replace(self.link)

    def unplug(self) -> None:
        self.link.unlink(missing_ok=True)
        for end in self._ends:
            os.close(end)
        self._ends = ()

    def say(self, data: bytes) -> int:
        try:
            return os.write(self._ends[0], data)
        except BlockingIOError:
            return 0


class Station:
    """A station on watch, and an ordinary subscriber's inbox."""

    def __init__(self, service: Service, modems: dict[str, Modem], plan: StationPlan) -> None:
        self.service = service
        self.modems = modems
        self.plan = plan
        self.inbox: list[tuple[str, dict[str, object]]] = []

    async def until(self, found: Callable[[], object], what: str) -> None:
        async with asyncio.timeout(WAIT_S):
            while not found():
                await asyncio.sleep(0.01)
        assert found(), what

    def told(self, part: str) -> list[dict[str, object]]:
        levels = f"{part.rstrip('/')}/"  # whole ones: alert/journal is not alert/journal_damage
        return [payload for topic, payload in self.inbox if levels in f"{topic}/"]


@asynccontextmanager
async def on_watch(
    folder: Path, broker: Listening, *ports: str, record: bool = False
) -> AsyncIterator[Station]:
    """Run a station with these ports (each named for its generic profile) until the block ends."""
    modems = {name: Modem(folder, name) for name in ports}
    station = f"test-{folder.name.replace('_', '-').lower()}"[:32]
    plan = StationPlan(
        station=station,
        ports=tuple(
            PortPlan(
                name=name,
                device=str(modems[name].link),
                modem=f"generic-{name.partition('-')[0]}",
                profile=profile_named(f"generic-{name.partition('-')[0]}"),
            )
            for name in ports
        ),
        links=(
            LinkPlan(
                name="local",
                host=LOOPBACK,
                port=broker.port_v311,
                version="3.1.1",
                client_id=f"gw-{station}",
            ),
        ),
        journal=JournalPlan(path=str(folder / "journal.db")),
        record=RecordPlan(directory=str(folder / "tapes")) if record else None,
        log=LogPlan(level="error"),
    )
    log = set_up(level="critical", as_json=True)
    service = Service(plan, clock=Clock(), log=log, dice=random.Random(1))
    held = Station(service, modems, plan)

    async def listen() -> None:
        topics = (f"distress/v1/{station}/#",)
        async for topic, payload, _ in subscribe(
            LOOPBACK, broker.port_v311, topics, version="3.1.1"
        ):
            held.inbox.append((topic, msgspec.json.decode(payload) if payload else {}))

    with suppress(asyncio.CancelledError):
        async with asyncio.TaskGroup() as group:
            ears = group.create_task(listen())
            duty = group.create_task(service.run())
            await service.on_watch.wait()
            await held.until(lambda: held.told("/status"), "the station says it is online")
            try:
                yield held
            finally:
                duty.cancel()
                with suppress(asyncio.CancelledError):
                    await duty
                await asyncio.sleep(0.1)
                ears.cancel()
    for modem in modems.values():
        modem.unplug()


@on_loop
async def test_each_radio_arrives_at_an_ordinary_subscriber(tmp_path, broker):
    async with on_watch(tmp_path, broker, "dsc", "ais", "gnss") as station:
        station.modems["dsc"].say(MAYDAY)
        station.modems["ais"].say(SHIP + EPIRB_TEST)
        station.modems["gnss"].say(OWN_PLACE)
        await station.until(lambda: station.told("/report/distress/dsc"), "the MAYDAY")
        await station.until(lambda: station.told("/report/test/distress/ais"), "the test")
        await station.until(lambda: station.told("/position/ais/371798000"), "the ship")
        await station.until(lambda: station.told("/position/gnss/"), "the own place")

        [record] = station.told("/report/distress/dsc")

        assert record["report"]["sender"]["mmsi"] == "338040079"
        assert record["report"]["nature"] == "disabled_adrift"
        assert record["report"]["raw"] == [MAYDAY.decode().strip()]
        assert record["journaled"] is True
        assert not station.told("/report/distress/ais"), "a marked test never pages as real"


@on_loop
async def test_a_damaged_call_for_help_is_told_as_refused_and_never_as_a_report(tmp_path, broker):
    async with on_watch(tmp_path, broker, "dsc") as station:
        station.modems["dsc"].say(DAMAGED_MAYDAY)
        await station.until(lambda: station.told("/refused/dsc"), "the damaged call")

        [record] = station.told("/refused/dsc")

        assert record["refused"]["raw"] == [DAMAGED_MAYDAY.decode().strip()]
        assert record["refused"]["reason"] == "wrong checksum"
        assert not station.told("/report/")
        assert station.service.status().ports["dsc"].refused == 1


@on_loop
async def test_a_port_that_is_yanked_again_and_again_costs_the_others_nothing(tmp_path, broker):
    async with on_watch(tmp_path, broker, "dsc", "ais") as station:
        for turn in range(5):
            station.modems["dsc"].unplug()
            station.modems["ais"].say(SHIP)
            before = station.service.status().ports["ais"].reports
            await station.until(
                lambda before=before: station.service.status().ports["ais"].reports > before,
                "the other port goes on",
            )
            station.modems["dsc"].plug_in()
            await station.until(
                lambda turn=turn: (
                    station.service.status().ports["dsc"].reopened > turn
                    and station.service.status().ports["dsc"].state == "open"
                ),
                "the port is back",
            )
        station.modems["dsc"].say(MAYDAY)
        await station.until(lambda: station.told("/report/distress/dsc"), "the MAYDAY")


@on_loop
async def test_a_garbage_flood_on_one_port_lets_the_others_reports_flow(tmp_path, broker):
    async with on_watch(tmp_path, broker, "ais", "dsc") as station:
        garbage = random.Random(1).randbytes(4000)
        loop = asyncio.get_running_loop()
        end = loop.time() + 2.0
        sent, next_s, waits = 0, 0.0, []
        while loop.time() < end:
            station.modems["ais"].say(garbage)
            if loop.time() >= next_s:
                next_s = loop.time() + 0.1
                minute = sent % 60
                body = b"CDDSC,12,3380400790,12,06,00,14231083%02d,2019,,,S,E" % minute
                station.modems["dsc"].say(_sentence(body))
                sent += 1
                began, before = loop.time(), len(station.told("/report/distress/dsc"))
                while len(station.told("/report/distress/dsc")) == before:
                    station.modems["ais"].say(garbage)
                    await asyncio.sleep(0.001)
                    assert loop.time() - began < WAIT_S
                waits.append(loop.time() - began)
            await asyncio.sleep(0)
        count = station.service.status().ports["ais"].bytes

        assert sent >= 10
        assert sorted(waits)[int(len(waits) * 0.9)] < 0.5, waits
        assert count.heard > 200_000
        assert count.heard == count.decoded + count.refused + count.noise + count.held
        assert station.service.status().ports["ais"].reports == 0


@on_loop
async def test_a_recorded_live_run_replays_to_the_same_entries(tmp_path, broker):
    async with on_watch(tmp_path, broker, "dsc", "ais", record=True) as station:
        wire = b"".join((MAYDAY, b"\xff\x00junk\r\n", DAMAGED_MAYDAY))
        for at in range(0, len(wire), 7):
            station.modems["dsc"].say(wire[at : at + 7])
            station.modems["ais"].say(SHIP[at % 20 :] + EPIRB_TEST)
            await asyncio.sleep(0.03)
        station.modems["dsc"].say(MAYDAY[:30])
        await station.until(lambda: station.told("/refused/dsc")[1:], "time ends half a MAYDAY")
        station.modems["ais"].say(HALF_A_MESSAGE)
        station.modems["dsc"].say(MAYDAY[:20])
        await asyncio.sleep(0.2)
        numbers = station.service.status().journal.number_last
        await station.until(
            lambda: station.service.status().journal.number_last >= numbers, "all on disk"
        )

    journal = await Journal.open(
        station.plan.journal, station=station.plan.station, links=("local",), clock=Clock()
    )
    try:
        live = [(entry.number, entry.body) for entry in await journal.entries(limit=10_000)]
    finally:
        await journal.close()
    [tape] = (tmp_path / "tapes").iterdir()
    again = [(number, encode_item(item)) for number, item in replay(tape)]

    assert len(live) > 20
    assert live == again
    reasons = [item.reason for _, item in replay(tape) if isinstance(item, Refused)]
    assert "incomplete: part 2 of 2 never came" in reasons, "the end of the watch is on it"
    assert reasons.count(Fault.NO_CHECKSUM) + reasons.count(Fault.CUT) >= 2


@on_loop
async def test_the_station_says_offline_when_it_leaves(tmp_path, broker):
    async with on_watch(tmp_path, broker, "dsc") as station:
        assert station.told("/status")[-1]["state"] == "online"

    assert station.told("/status")[-1]["state"] == "offline"


@on_loop
async def test_a_broken_disk_does_not_silence_a_mayday(tmp_path, broker, monkeypatch):
    async with on_watch(tmp_path, broker, "dsc") as station:
        whole = Journal.append

        def broken(_self, _items):
            told = asyncio.get_running_loop().create_future()
            told.set_exception(JournalFailed("journal.db", "disk I/O error"))
            return told

        monkeypatch.setattr(Journal, "append", broken)
        station.modems["dsc"].say(MAYDAY)
        await station.until(lambda: station.told("/report/distress/dsc"), "the MAYDAY all the same")
        await station.until(lambda: station.told("/alert/journal"), "the alarm for the disk")
        [record] = station.told("/report/distress/dsc")
        monkeypatch.setattr(Journal, "append", whole)
        station.modems["dsc"].say(MAYDAY.replace(b"2019", b"2020").replace(b"*6A", b"*60"))
        await station.until(lambda: len(station.told("/report/distress/dsc")) == 2, "the next one")
        await station.until(lambda: station.told("/alert/journal")[-1] == {}, "the all-clear")

        assert record["journaled"] is False
        assert record["number"] == 0
        assert station.told("/report/distress/dsc")[1]["journaled"] is True


@on_loop
async def test_a_disk_that_is_broken_from_the_start_does_not_keep_the_station_off_watch(
    tmp_path, broker
):
    (tmp_path / "journal.db").write_text("what a bad card made of it")
    async with on_watch(tmp_path, broker, "dsc") as station:
        station.modems["dsc"].say(MAYDAY)
        await station.until(lambda: station.told("/report/distress/dsc"), "the MAYDAY all the same")
        await station.until(lambda: station.told("/alert/journal"), "the alarm for the disk")

        assert station.told("/report/distress/dsc")[0]["journaled"] is False
        assert "move it away" in station.told("/alert/journal")[-1]["text"]


@on_loop
async def test_an_alarm_of_an_earlier_run_does_not_outlive_its_cause(tmp_path, broker):
    path = tmp_path / "journal.db"
    path.write_text("what a bad card made of it")
    async with on_watch(tmp_path, broker, "dsc") as station:
        await station.until(lambda: station.told("/alert/journal"), "the alarm for the disk")
        assert station.service.status().alerts["journal"].text
    path.unlink()
    async with on_watch(tmp_path, broker, "dsc") as station:
        await station.until(lambda: station.told("/alert/journal")[-1:] == [{}], "the all-clear")


@on_loop
async def test_what_a_damaged_journal_owed_and_could_not_be_taken_over_is_told_of(
    tmp_path, broker, monkeypatch
):
    """The new journal is in use meanwhile, and the alarm ends with the take-over."""
    monkeypatch.setattr(beginning, "AGAIN_S", 0.2)
    async with on_watch(tmp_path, broker, "dsc") as station:
        path = station.plan.journal.path
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("UPDATE journal SET number_last = 3")
    refusing = True

    def refuse(point):
        if refusing and point == "journal.taken_over":
            raise OSError(28, "No space left on device")

    def alarms():
        return [alert.get("text", "") for alert in station.told("/alert/journal_damage")]

    with listening(refuse):
        async with on_watch(tmp_path, broker, "dsc") as station:
            await station.until(lambda: any("could not be taken" in it for it in alarms()), "it")
            station.modems["dsc"].say(MAYDAY)
            await station.until(lambda: station.told("/report/distress/dsc"), "the MAYDAY")
            refusing = False
            await station.until(lambda: "could not be taken" not in alarms()[-1], "its end")

            assert "No space left on device" in alarms()[0]
            assert "is set aside as journal.db.damaged-1" in alarms()[-1]
            assert station.told("/report/distress/dsc")[0]["journaled"] is True


@on_loop
async def test_a_fault_of_ours_in_one_duty_costs_the_others_nothing(tmp_path, broker, monkeypatch):
    async with on_watch(tmp_path, broker, "dsc", "ais") as station:
        whole, raised = Pipeline.inbound, []

        def faulty(self, chunk):
            if chunk.port == "ais" and not raised:
                raised.append(chunk)
                raise RuntimeError
            return whole(self, chunk)

        monkeypatch.setattr(Pipeline, "inbound", faulty)
        station.modems["ais"].say(SHIP)
        await station.until(lambda: raised, "a fault of ours")
        station.modems["dsc"].say(MAYDAY)
        await station.until(lambda: station.told("/report/distress/dsc"), "the other port's MAYDAY")
        await station.until(
            lambda: (
                station.service.status().ports["ais"].state == "open"
                and station.modems["ais"].say(EPIRB_TEST)
                and station.told("/report/test/distress/ais")
            ),
            "the port is taken up again",
        )


@on_loop
async def test_a_damaged_row_raises_the_alarm_and_the_next_mayday_is_told(tmp_path, broker):
    async with on_watch(tmp_path, broker, "dsc") as station:
        station.modems["dsc"].say(MAYDAY)
        await station.until(lambda: station.told("/report/distress/dsc"), "the MAYDAY")
        await station.until(lambda: station.told("/log"), "the note of its incident")
        journal = station.service._watch._journal._journal
        with closing(sqlite3.connect(station.plan.journal.path, isolation_level=None)) as db:
            db.execute("UPDATE entry SET body = x'81'")
        assert await journal.entries(limit=9) == ()
        await station.until(lambda: any(station.told("/alert/journal_damage")), "the alarm")
        alert = station.told("/alert/journal_damage")[-1]
        station.modems["dsc"].say(MAYDAY.replace(b"2019", b"2020").replace(b"*6A", b"*60"))
        await station.until(lambda: len(station.told("/report/distress/dsc")) == 2, "the next one")

        assert "set aside: 2;" in alert["text"]
        assert station.service.status().journal.quarantined == 2


@on_loop
async def test_a_damaged_journal_keeps_no_station_off_watch_and_what_it_owed_is_told(
    tmp_path, broker
):
    async with on_watch(tmp_path, broker, "dsc") as station:
        path = Path(station.plan.journal.path)
        station.modems["dsc"].say(MAYDAY)
        await station.until(lambda: station.told("/report/distress/dsc"), "the MAYDAY")
        await station.until(lambda: station.told("/log"), "the note of its incident")
        [before] = station.told("/report/distress/dsc")
    path.write_bytes(b"\xff" * 60 + path.read_bytes()[60:])  # noqa: ASYNC240  # nobody waits
    async with on_watch(tmp_path, broker, "dsc") as station:
        await station.until(lambda: any(station.told("/alert/journal_damage")), "the alarm")
        await station.until(lambda: station.told("/report/distress/dsc"), "the MAYDAY again")
        alert, record = (
            station.told(topic)[-1] for topic in ("/alert/journal_damage", "/report/distress/dsc")
        )

        assert "set aside as journal.db.damaged-1; 2 entries of it are told again" in alert["text"]
        assert record["report"]["report_id"] == before["report"]["report_id"]
        assert record["epoch"] != before["epoch"]
        assert (record["journaled"], record["late"]) == (True, True)


@on_loop
async def test_a_routine_item_that_cant_be_kept_costs_no_distress_its_place(tmp_path, broker):
    async with on_watch(tmp_path, broker, "dsc") as station:
        journal = station.service._watch._journal._journal
        journal._disk._db.execute("ALTER TABLE unread RENAME TO elsewhere")
        station.modems["dsc"].say(b"$CDXYZ,1*41\r\n" + MAYDAY)
        await station.until(lambda: station.told("/report/distress/dsc"), "the MAYDAY")
        await station.until(lambda: station.service.status().journal.failures, "the failure")
        journal._disk._db.execute("ALTER TABLE elsewhere RENAME TO unread")

        assert station.told("/report/distress/dsc")[0]["journaled"] is True


@on_loop
async def test_a_hanging_disk_delays_a_mayday_by_two_seconds_at_most(tmp_path, broker, monkeypatch):
    async with on_watch(tmp_path, broker, "dsc") as station:
        loop = asyncio.get_running_loop()
        monkeypatch.setattr(Journal, "append", lambda _self, _items: loop.create_future())
        station.modems["dsc"].say(MAYDAY)
        began = loop.time()
        await station.until(lambda: station.told("/report/distress/dsc"), "the MAYDAY all the same")
        waited_s = loop.time() - began
        [record] = station.told("/report/distress/dsc")

        assert record["journaled"] is False
        assert waited_s < JOURNAL_S_MAX + 1.0


@on_loop
async def test_a_mayday_does_not_wait_behind_thousands_of_routine_reports(tmp_path, broker):
    """The flood goes on until the MAYDAY is told: had it to wait for its end, it would never be."""
    async with on_watch(tmp_path, broker, "ais", "dsc") as station:
        flooding = True

        async def flood():
            while flooding:
                station.modems["ais"].say(SHIP * 70)
                await asyncio.sleep(0)

        async with asyncio.TaskGroup() as group:
            group.create_task(flood())
            await station.until(
                lambda: station.service.status().ports["ais"].reports > 5000, "a flood"
            )
            station.modems["dsc"].say(MAYDAY)
            await station.until(lambda: station.told("/report/distress/dsc"), "the MAYDAY")
            flooding = False


def _sentence(body: bytes) -> bytes:
    value = 0
    for byte in body:
        value ^= byte
    return b"$%b*%02X\r\n" % (body, value)
