"""The status for who looks after the box: a file in /run, and a page for Prometheus on loopback."""

import asyncio
import contextlib
import random
import re
import socket
import stat
from datetime import UTC, datetime
from pathlib import Path
from types import UnionType
from typing import Literal, Union, get_args, get_origin, get_type_hints

import msgspec
import pytest
import structlog

from gateway.app import Service
from gateway.app.outside import Outside
from gateway.clock import Clock
from gateway.health import absence_of, scrape
from gateway.health.metrics import GAUGES, exposition
from gateway.health.notify import Notify
from gateway.health.scrape import CONNECTIONS_MAX, REQUEST_BYTES_MAX, Scrape
from gateway.health.statusfile import StatusFile
from gateway.model.plan import HealthPlan, JournalPlan, LinkPlan, LogPlan, PortPlan, StationPlan
from gateway.model.status import Alert, AlertName, SchemaRange, StationState, Status
from gateway.settings import profile_named
from gateway.verbs.run import with_status_file

QUIET = structlog.wrap_logger(structlog.testing.CapturingLogger(), processors=[])
ABSENT = absence_of("kust", version="1", epoch=None)
SAMPLE = re.compile(r'([a-z0-9_]+)(?:\{((?:[a-z_]+="(?:[^"\\\n]|\\[\\n"])*",?)*)\})? (\S+)')

# ---- The text -----------------------------------------------------------------------------------


def filled(kind, numbers):
    """Return a value of this type in which every number is another one."""
    origin, args = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        found = filled(next(one for one in args if one is not type(None)), numbers)
    elif origin is dict:
        key = next(iter(AlertName)) if args[0] is AlertName else "one"
        found = {key: filled(args[1], numbers)}
    elif origin is Literal:
        found = args[0]
    elif issubclass(kind, msgspec.Struct):
        hints = get_type_hints(kind)
        found = kind(**{name: filled(hints[name], numbers) for name in kind.__struct_fields__})
    else:
        found = plain(kind, numbers)
    return found


def plain(kind, numbers):
    if kind is str:
        return 'a "b" \\ c\nd'
    if issubclass(kind, str):
        return next(iter(kind))
    if kind is datetime:
        return datetime.fromtimestamp(1_800_000_000 + next(numbers), UTC)
    return True if kind is bool else kind(next(numbers))


def numbers_in(value):
    """Yield each number that stands somewhere in a value."""
    if isinstance(value, msgspec.Struct):
        value = msgspec.structs.asdict(value)
    if isinstance(value, dict):
        for part in value.values():
            yield from numbers_in(part)
    elif isinstance(value, datetime):
        yield value.timestamp()
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield value


@pytest.fixture(scope="module")
def whole():
    return filled(Status, iter(range(1000, 10_000)))


def test_every_number_of_the_status_has_a_line_of_its_own(whole):
    text = exposition(whole)
    samples = [SAMPLE.fullmatch(line) for line in text.splitlines() if not line.startswith("#")]
    values = {float(found[3]) for found in samples}
    names = [(found[1], found[2]) for found in samples]

    assert len(list(numbers_in(whole))) > 50
    assert not set(numbers_in(whole)) - values
    assert len(names) == len(set(names))


def test_the_text_is_what_prometheus_reads(whole):
    lines = exposition(whole).splitlines()
    types = {}
    for line in lines:
        if line.startswith("# TYPE "):
            _, _, name, kind = line.split(" ")
            assert name not in types, "one family stands together"
            types[name] = kind
        else:
            found = SAMPLE.fullmatch(line)
            assert found, line
            assert types[found[1]] == ("counter" if found[1].endswith("_total") else "gauge")

    assert set(types.values()) == {"counter", "gauge"}
    assert exposition(whole).endswith("\n")


@pytest.mark.parametrize(
    "line",
    [
        r'port_bytes_in_total\{port="one"\} \d+',
        r'port_state\{port="one",state="waiting"\} 1',
        r'link_connected\{link="one"\} 1',
        r'journal_outbox\{outbox="one"\} \d+',
        r"uptime_s \d+",
    ],
)
def test_what_stands_in_the_status_is_found_by_its_name(whole, line):
    assert re.search(f"^distress_gateway_{line}$", exposition(whole), re.MULTILINE)


def test_an_alert_has_a_line_for_as_long_as_it_stands():
    alert = Alert(name=AlertName.RECORD, since=None, text="the disk is full")
    status = msgspec.structs.replace(ABSENT, alerts={AlertName.RECORD: alert})

    assert 'distress_gateway_alert{alert="record"} 1\n' in exposition(status)
    assert "alert" not in exposition(ABSENT)


def test_a_name_can_not_break_out_of_its_label():
    status = Status(
        station='x"} 1\nfake 1 \\',
        state=StationState.ONLINE,
        version="1",
        schema=SchemaRange(min=1, max=1),
    )
    lines = [line for line in exposition(status).splitlines() if not line.startswith("#")]

    assert all(SAMPLE.fullmatch(line) for line in lines), lines


def test_every_gauge_of_the_list_is_a_field_of_the_status(whole):
    text = exposition(whole)

    assert not [
        name for name in GAUGES if not re.search(rf"_{name.removesuffix('s')}s?[ {{]", text)
    ]


# ---- The file -----------------------------------------------------------------------------------


def test_the_file_holds_one_whole_status_readable_to_all(tmp_path):
    file = StatusFile(str(tmp_path / "status.json"))
    for seq in (1, 2):
        file.write(msgspec.structs.replace(ABSENT, seq=seq))

    [path] = tmp_path.iterdir()
    assert msgspec.json.decode(path.read_bytes(), type=Status).seq == 2
    assert stat.S_IMODE(path.stat().st_mode) == 0o644


def test_whoever_reads_while_it_is_written_finds_no_half_of_it(tmp_path):
    """Each look opens what stands at the name; none may be empty, short or missing."""
    path = tmp_path / "status.json"
    file = StatusFile(str(path))
    file.write(ABSENT)
    held = path.open("rb")
    file.write(msgspec.structs.replace(ABSENT, seq=9))
    with held:
        assert msgspec.json.decode(held.read(), type=Status).seq == 0
    assert msgspec.json.decode(path.read_bytes(), type=Status).seq == 9


def test_a_file_that_can_not_be_written_is_counted_and_leaves_nothing_behind(tmp_path):
    file = StatusFile(str(tmp_path / "gone/status.json"))
    file.write(ABSENT)
    (tmp_path / "status.json").mkdir()
    blocked = StatusFile(str(tmp_path / "status.json"))
    blocked.write(ABSENT)

    assert (file.failures, blocked.failures) == (1, 1)
    assert [path.name for path in tmp_path.iterdir()] == ["status.json"]


@pytest.mark.parametrize(
    ("configured", "environment", "expected"),
    [
        (None, {}, None),
        (None, {"RUNTIME_DIRECTORY": "/run/gw"}, "/run/gw/status.json"),
        (None, {"RUNTIME_DIRECTORY": "/run/gw:/run/other"}, "/run/gw/status.json"),
        ("/run/x.json", {"RUNTIME_DIRECTORY": "/run/gw"}, "/run/x.json"),
        ("/run/x.json", {}, "/run/x.json"),
    ],
)
def test_systemd_says_where_the_file_is_unless_the_configuration_does(
    configured, environment, expected
):
    assert with_status_file(HealthPlan(status_file=configured), environment).status_file == expected


# ---- The page -----------------------------------------------------------------------------------


def free_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def served(scene, *, text=lambda: "up 1\n", port=None):
    """Run a scene with a page on a free port."""
    port = port or free_port()

    async def play():
        page = Scrape(port, text, clock=Clock(), log=QUIET)
        running = asyncio.create_task(page.run())
        try:
            async with asyncio.timeout(10):
                await asyncio.sleep(0.05)
                return await scene(page, port)
        finally:
            running.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await running

    return asyncio.run(play())


async def asked(port, request):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    try:
        return await reader.read()
    except ConnectionResetError:
        return b""
    finally:
        writer.close()


def test_a_scrape_gets_the_metrics():
    async def scene(_page, port):
        return await asked(
            port, b"GET /metrics HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nAccept: */*\r\n\r\n" % port
        )

    head, _, body = served(scene).partition(b"\r\n\r\n")

    assert head.startswith(b"HTTP/1.0 200 OK\r\n")
    assert b"Content-Type: text/plain; version=0.0.4; charset=utf-8" in head
    assert b"Content-Length: 5" in head
    assert body == b"up 1\n"


@pytest.mark.parametrize(
    ("request_", "answer"),
    [
        (b"GET / HTTP/1.0\r\n\r\n", b"404"),
        (b"GET /metrics?x=1 HTTP/1.0\r\n\r\n", b"200"),
        (b"POST /metrics HTTP/1.0\r\nContent-Length: 0\r\n\r\n", b"405"),
        (b"GET /metrics HTTP/1.1\r\nHost: evil.example\r\n\r\n", b"403"),
        (b"GET /metrics HTTP/1.1\r\nhOST: LocalHost:9404\r\n\r\n", b"200"),
        (b"GET /metrics HTTP/1.1\r\nHost: [::1]:9404\r\n\r\n", b"200"),
        (b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nHost: evil\r\n\r\n", b"403"),
        (b"\x16\x03\x01\x02\x00\x01\r\n\r\n", b"405"),
        (b"\r\n\r\n", b"405"),
        (b"GET /metrics HTTP/1.0\r\nX: " + b"a" * REQUEST_BYTES_MAX * 2 + b"\r\n\r\n", b""),
    ],
)
def test_anything_else_is_turned_away(request_, answer):
    async def scene(page, port):
        return await asked(port, request_), page.refused

    found, refused = served(scene)

    assert found[9:12] == answer
    assert refused == (answer != b"200")


def test_who_asks_slowly_or_not_at_all_is_cut_off_and_keeps_nobody_out(monkeypatch):
    monkeypatch.setattr(scrape, "REQUEST_S_MAX", 0.3)

    async def scene(page, port):
        idle = [await asyncio.open_connection("127.0.0.1", port) for _ in range(CONNECTIONS_MAX)]
        idle[0][1].write(b"GET /metrics HT")
        await asyncio.sleep(0.05)
        crowded = await asked(port, b"GET /metrics HTTP/1.0\r\n\r\n")
        await asyncio.sleep(0.5)
        later = await asked(port, b"GET /metrics HTTP/1.0\r\n\r\n")
        for _, writer in idle:
            writer.close()
        return crowded, later, page

    crowded, later, page = served(scene)

    assert crowded == b"", "one too many is closed at once"
    assert later.startswith(b"HTTP/1.0 200")
    assert page.refused == CONNECTIONS_MAX + 1
    assert page._speaking == 0


def test_who_takes_no_answer_is_cut_off(monkeypatch):
    monkeypatch.setattr(scrape, "REQUEST_S_MAX", 0.3)

    async def scene(page, port):
        with socket.socket() as sock:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            sock.connect(("127.0.0.1", port))
            sock.sendall(b"GET /metrics HTTP/1.0\r\n\r\n")
            await asyncio.sleep(0.8)
            return page.refused, page._speaking

    assert served(scene, text=lambda: "x" * 20_000_000) == (1, 0)


def test_it_listens_on_loopback_alone():
    def sockets():
        return Path("/proc/net/tcp").read_text("ascii")

    async def scene(_page, port):
        return port, sockets()

    port, found = served(scene)
    rows = [line.split() for line in found.splitlines()[1:]]
    places = [row[1] for row in rows if row[3] == "0A" and row[1].endswith(f":{port:04X}")]

    assert [place.partition(":")[0] for place in places] == ["0100007F"]


def test_a_port_that_somebody_holds_is_tried_again(monkeypatch):
    monkeypatch.setattr(scrape, "RETRY_S", 0.1)
    port = free_port()

    async def scene(_page, port):
        taken.close()
        await asyncio.sleep(0.3)
        return await asked(port, b"GET /metrics HTTP/1.0\r\n\r\n")

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", port))
        taken.listen()
        found = served(scene, port=port)

    assert found.startswith(b"HTTP/1.0 200")


def on_watch(folder, path, scene, **doors):
    """Run a scene beside a station on watch, which is given the port of its metrics."""
    port = free_port()
    plan = StationPlan(
        station="kust",
        ports=(
            PortPlan(
                name="vhf",
                device=str(folder / "no-modem"),
                modem="generic-dsc",
                profile=profile_named("generic-dsc"),
            ),
        ),
        links=(LinkPlan(name="local", host="127.0.0.1", port=1, client_id="gw-kust"),),
        journal=JournalPlan(path=str(folder / "journal.db")),
        record=None,
        log=LogPlan(),
        health=HealthPlan(status_file=str(path), prometheus_port=port),
    )

    async def play():
        service = Service(plan, clock=Clock(), log=QUIET, dice=random.Random(1), **doors)
        running = asyncio.create_task(service.run())
        await service.on_watch.wait()
        try:
            async with asyncio.timeout(10):
                return await scene(port)
        finally:
            running.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await running

    return asyncio.run(play())


def test_a_station_on_watch_shows_itself_and_says_in_the_end_that_it_has_left(tmp_path):
    path = tmp_path / "status.json"

    async def scene(port):
        while not path.exists():
            await asyncio.sleep(0.01)
        return await asked(port, b"GET /metrics HTTP/1.0\r\n\r\n")

    page = on_watch(tmp_path, path, scene)

    assert b'distress_gateway_port_state{port="vhf",state="waiting"} 1\n' in page
    assert b'distress_gateway_link_connected{link="local"} 0\n' in page
    assert msgspec.json.decode(path.read_bytes())["state"] == "offline"


def test_what_keeps_the_status_from_who_looks_at_the_box_is_counted_where_he_can_see_it(tmp_path):
    notify = Notify(str(tmp_path / "nobody.sock"))

    async def scene(port):
        await asked(port, b"GET / HTTP/1.0\r\n\r\n")
        return await asked(port, b"GET /metrics HTTP/1.0\r\n\r\n")

    page = on_watch(tmp_path, tmp_path / "gone/status.json", scene, outside=Outside(notify=notify))
    notify.close()

    for counted in ("status_file_failures", "notify_failures", "scrapes_refused"):
        found = re.search(
            rf"^distress_gateway_health_{counted}_total (\d+)$", page.decode(), re.MULTILINE
        )
        assert int(found[1]) > 0, counted
