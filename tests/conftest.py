"""Real brokers on loopback: started on free ports, stopped by process identity.

And how tests are shared between two processes, and what was seen of faults.
"""

from __future__ import annotations

import contextlib
import gc
import os
import shutil
import signal
import socket
import subprocess
import time
from collections import defaultdict
from pathlib import Path

import pytest
import structlog

from gateway.verbs.embedded import embedded_broker

HERE = Path(__file__).parent

LOOPBACK = "127.0.0.1"
START_S_MAX = 5.0

WHOLE = os.environ.get("FAULTS") == "whole"
FIGURES = pytest.StashKey[defaultdict[str, list[str]]]()

TIMED = ("contract", "faults", "health", "live")
"""Folders of tests that measure times, or wait for them: one after the other in one process. What
reckons runs in the other meanwhile."""


def pytest_collection_modifyitems(items):
    """Keep tests that take the time of something apart from each other."""
    for item in items:
        folder = item.path.relative_to(HERE).parts[0]
        if folder in TIMED:
            item.add_marker(pytest.mark.xdist_group("timed"))


@pytest.fixture(scope="session")
def figure(request):
    """Return what notes a figure of a fault: `figure("F16", "noticed p99 1.4 ms of 100")`."""
    found = request.config.stash.setdefault(FIGURES, defaultdict(list))
    return lambda fault, words: found[fault].append(words)


def pytest_sessionfinish(session):
    """Hand the figures of this process to the one that prints them."""
    handed = getattr(session.config, "workeroutput", None)
    if handed is not None:
        handed["figures"] = dict(session.config.stash.get(FIGURES, {}))


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node):
    """Take the figures of a process that has ended."""
    found = node.config.stash.setdefault(FIGURES, defaultdict(list))
    for fault, words in getattr(node, "workeroutput", {}).get("figures", {}).items():
        found[fault].extend(words)


def pytest_terminal_summary(terminalreporter, config):
    """Print what was seen of each fault, below the tests."""
    found = config.stash.get(FIGURES, {})
    if found:
        terminalreporter.section(f"faults, {'whole' if WHOLE else 'short'} form")
        for fault in sorted(found, key=lambda name: int(name[1:])):
            for words in found[fault]:
                terminalreporter.write_line(f"{fault:4} {words}")


def pytest_collection_finish():
    """Take what ten thousand tests are made of out of the search for garbage, as the service does.

    Else each whole search takes half a second: many tests make one, and those that take the time of
    something are hit by others.
    """
    gc.collect()
    gc.freeze()


def free_port():
    with socket.socket() as sock:
        sock.bind((LOOPBACK, 0))
        return sock.getsockname()[1]


class Mosquitto:
    """One mosquitto, which a test may kill, freeze and start again on the same port."""

    def __init__(self, folder, *settings):
        self.folder = folder
        self.port = free_port()
        self._config = folder / f"mosquitto-{self.port}.conf"
        # It gives up root at start, and could then read none of a test's files.
        self._config.write_text(
            "\n".join(
                [
                    "user root",
                    f"listener {self.port} {LOOPBACK}",
                    "set_tcp_nodelay true",
                    *(settings or ["allow_anonymous true"]),
                    "",
                ]
            )
        )
        self._process = None

    def start(self):
        log = (self.folder / f"mosquitto-{self.port}.log").open("ab")
        with log:
            self._process = subprocess.Popen(  # ours, with our configuration
                [_found(), "-c", str(self._config)], stdout=log, stderr=log
            )
        end = time.monotonic() + START_S_MAX
        while True:
            with contextlib.suppress(OSError):
                socket.create_connection((LOOPBACK, self.port), timeout=0.1).close()
                return self
            assert self._process.poll() is None, self.log()
            assert time.monotonic() < end, self.log()
            time.sleep(0.01)

    def log(self):
        return (self.folder / f"mosquitto-{self.port}.log").read_text()

    def kill(self):
        self._process.kill()
        self._process.wait()

    def freeze(self):
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self):
        self._process.send_signal(signal.SIGCONT)

    def reload(self):
        """Have it read its configuration and its lists anew."""
        self._process.send_signal(signal.SIGHUP)

    def stop(self):
        if self._process is not None and self._process.poll() is None:
            self.thaw()
            self._process.terminate()
            try:
                self._process.wait(2)
            except subprocess.TimeoutExpired:
                self.kill()


@pytest.fixture(autouse=True)
def _log_as_it_was():
    """Leave the log to the next test as this one found it: to set it up is for a whole process."""
    yield
    structlog.reset_defaults()


@pytest.fixture
def password_file(tmp_path, _mosquitto_installed):
    """Return what makes mosquitto's password file: it keeps them hashed."""

    def make(**of):
        file = tmp_path / "passwords"
        file.write_text("".join(f"{user}:{password}\n" for user, password in of.items()))
        subprocess.run([_found("mosquitto_passwd"), "-U", str(file)], check=True)  # see start
        return file

    return make


def _found(program="mosquitto"):
    """Return where a program of mosquitto's is; Debian puts one where only root looks."""
    return shutil.which(program, path=f"{os.environ['PATH']}:/usr/sbin:/usr/local/sbin")


@pytest.fixture(scope="session")
def _mosquitto_installed():
    if _found() is None:
        words = "mosquitto is not installed: sudo apt-get install mosquitto"
        if os.environ.get("CI") == "true":
            pytest.fail(words)
        pytest.skip(words)


@pytest.fixture
def mosquitto(tmp_path, _mosquitto_installed):
    """Return what starts a mosquitto with these lines in its configuration."""
    started = []

    def start(*settings):
        broker = Mosquitto(tmp_path, *settings)
        started.append(broker)
        return broker.start()

    yield start
    for broker in started:
        broker.stop()


@pytest.fixture(scope="session")
def _plain_mosquitto(tmp_path_factory, _mosquitto_installed):
    broker = Mosquitto(tmp_path_factory.mktemp("mosquitto"))
    yield broker.start()
    broker.stop()


@pytest.fixture(scope="session")
def _plain_iotcore():
    with embedded_broker() as listening:
        yield listening


@pytest.fixture(
    params=[
        ("mosquitto", "5"),
        ("mosquitto", "3.1.1"),
        ("iotcore", "5"),
        ("iotcore", "3.1.1"),
    ],
    ids="-".join,
)
def any_broker(request):
    """Return the port of each broker that we speak to, and the version of MQTT to speak."""
    kind, version = request.param
    if kind == "mosquitto":
        return request.getfixturevalue("_plain_mosquitto").port, version
    listening = request.getfixturevalue("_plain_iotcore")
    return (listening.port_v5 if version == "5" else listening.port_v311), version
