"""`demo`, `run` and `record` as a person types them: what they print, and how they end."""

import json
import os
import re
import select
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import tty
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from gateway.radio import system_names
from gateway.verbs.embedded import embedded_broker
from gateway.verbs.replay import replay
from tests.rooms.spoken import without_notes

COMMAND = [sys.executable, "-m", "gateway"]
MAYDAY = b"$CDDSC,12,3380400790,12,06,00,1423108312,2019,,,S,E*6A\r\n"
WAIT_S = 15.0


@contextmanager
def modem():
    ends = os.openpty()
    try:
        tty.setraw(ends[1])
        yield ends[0], os.ttyname(ends[1])
    finally:
        for end in ends:
            os.close(end)


@pytest.fixture(autouse=True)
def interruptible():
    """Let a child hear Ctrl-C also where a script runs the tests in the background, deaf to it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@contextmanager
def started(*words):
    with subprocess.Popen(
        [*COMMAND, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as child:
        try:
            yield child
        finally:
            child.kill()


def read_until(stream, pattern):
    """Return what a child wrote up to and with the pattern, or fail when it does not come."""
    read, end_s = b"", time.monotonic() + WAIT_S
    while not re.search(pattern, read):
        left_s = end_s - time.monotonic()
        ready, _, _ = select.select([stream], [], [], max(0.0, left_s))
        piece = os.read(stream.fileno(), 65536) if ready else b""
        assert piece, read
        read += piece
    return read


@pytest.fixture
def config(tmp_path):
    """Write a configuration of one DSC port, and return its path and the modem's end."""
    with modem() as (modem_end, device), embedded_broker() as broker:
        path = tmp_path / "gateway.toml"
        path.write_text(
            f"[station]\nname = 'test'\n[port.vhf]\ndevice = '{device}'\nmodem = 'generic-dsc'\n"
            f"[link.local]\nhost = '127.0.0.1'\nport = {broker.port_v311}\nversion = '3.1.1'\n"
            f"[journal]\npath = '{tmp_path}/journal.db'\n"
        )
        yield path, modem_end


def test_the_demonstration_shows_distress_and_tests_and_ends_by_itself():
    done = subprocess.run(
        [*COMMAND, "demo", "--seconds", "8", "--speed", "10"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert re.search(r"mosquitto_sub -h 127\.0\.0\.1 -p \d+ -t 'distress/v1/#' -v", done.stdout)
    assert re.search(r"!!! DISTRESS +dsc +alert: sinking +200100005", done.stdout)
    assert re.search(r"!!! DISTRESS +dsc +acknowledgement", done.stdout)
    assert re.search(r"!!! DISTRESS +ais +alert.*970200017", done.stdout)
    assert re.search(r"\[TEST\] +ais +alert.*974200021", done.stdout)
    assert not re.search(r"DISTRESS.*974200021", done.stdout)
    assert f"all {len(system_names())} radio systems have been heard" in done.stdout
    routine = re.findall(r" routine +(\w+) +(?:position|status)  (\S+ ?\S*)", done.stdout)
    assert len(routine) == len(set(routine)) > 10, "of routine each craft is shown once"
    assert re.search(r"\(50 more routine reports of \d+ craft and stations\)", done.stdout)


def test_the_demonstration_ends_quietly_when_nobody_reads_on():
    with started("demo", "--speed", "10") as child:
        read_until(child.stdout, b"DISTRESS")
        child.stdout.close()
        told = child.stderr.read()

        assert child.wait(WAIT_S) == 1
        assert told == b""


@pytest.mark.parametrize("told", [signal.SIGTERM, signal.SIGINT])
def test_the_demonstration_ends_in_order_when_somebody_has_seen_enough(told):
    with started("demo") as child:
        read_until(child.stdout, b":[0-9]{2}  routine")
        child.send_signal(told)

        assert child.wait(WAIT_S) == 0
        assert child.stderr.read() == b""


@pytest.mark.parametrize("told", [signal.SIGTERM, signal.SIGINT])
def test_a_watch_begins_and_ends_cleanly_when_told_to(config, told):
    path, _ = config
    with started("run", "--config", path) as child:
        read_until(child.stderr, b"watch_begun")
        child.send_signal(told)
        written = child.stderr.read()

        assert child.wait(WAIT_S) == 0
        assert b"watch_ended" in written
        assert b"Traceback" not in written


def test_a_journal_of_somebody_else_stops_the_start_with_its_name_and_the_remedy(config):
    path, _ = config
    with closing(sqlite3.connect(path.parent / "journal.db")) as other:
        other.execute("CREATE TABLE shopping (what TEXT)")
    done = subprocess.run(
        [*COMMAND, "run", "--config", path], capture_output=True, text=True, check=False, timeout=30
    )

    assert done.returncode == 1
    assert "journal.db" in done.stderr
    assert "another program" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_journal_that_can_not_be_had_does_not_keep_the_station_off_watch(config):
    path, _ = config
    (path.parent / "journal.db").write_text("what a bad card made of it")
    with started("run", "--config", path) as child:
        told = read_until(child.stderr, b"watch_begun")
        child.send_signal(signal.SIGTERM)
        told += child.stderr.read()

        assert child.wait(WAIT_S) == 0
        assert b"alarm_raised" in told
        assert b"move it away" in told
    assert (path.parent / "journal.db").read_text() == "what a bad card made of it"


def test_what_is_recorded_replays(config, tmp_path):
    path, modem_end = config
    tapes = tmp_path / "tapes"
    with started("record", "--config", path, "--out", tapes, "--seconds", "3") as child:
        end_s = time.monotonic() + WAIT_S
        while not list(tapes.glob("*.tape")) and time.monotonic() < end_s:
            time.sleep(0.02)
        os.write(modem_end, MAYDAY)
        _, told = child.communicate(timeout=WAIT_S)

        assert child.returncode == 0, told
        assert f"vhf {len(MAYDAY)} bytes".encode() in told
    [tape] = tapes.iterdir()
    [item] = without_notes(item for _, item in replay(tape))

    assert item.sighting.report.urgency == "distress"


def test_what_can_not_be_recorded_is_told_and_no_success(config, tmp_path):
    path, modem_end = config
    out = tmp_path / "file"
    out.write_text("no folder")
    with started("record", "--config", path, "--out", out, "--seconds", "2") as child:
        time.sleep(1.0)
        os.write(modem_end, MAYDAY)
        _, told = child.communicate(timeout=WAIT_S)

        assert child.returncode == 1
        assert b"NOT on tape" in told


def test_a_broker_port_that_is_taken_is_told_in_one_line():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = subprocess.run(
            [*COMMAND, "demo", "--port", port], capture_output=True, text=True, check=False
        )

    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert port in done.stderr


def test_the_demonstration_s_json_is_json():
    done = subprocess.run(
        [*COMMAND, "demo", "--json", "--seconds", "3", "--speed", "10"],
        capture_output=True,
        text=True,
        check=False,
    )
    received = [json.loads(line) for line in done.stdout.splitlines()]

    assert any("/report/distress/dsc" in each["topic"] for each in received)
    assert all(set(each) == {"topic", "payload"} for each in received)


def test_a_port_that_is_not_there_is_named_with_those_that_are(config, tmp_path):
    path, _ = config
    done = subprocess.run(
        [*COMMAND, "record", "--config", path, "--port", "hf", "--out", tmp_path / "tapes"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 2
    assert "no port hf; there are: vhf" in done.stderr
    assert not Path(tmp_path, "tapes").exists()
