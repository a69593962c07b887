"""The import contracts of pyproject.toml are real: each planted breach is caught by its own."""

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[1]
CONTRACTS = {
    contract["name"]: contract["id"]
    for contract in tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"][
        "importlinter"
    ]["contracts"]
}
LINT = "from importlinter.cli import lint_imports_command as lint; lint()"
VERDICT = re.compile(r"^(?P<name>.+) (?P<verdict>KEPT|BROKEN)( |$)", re.MULTILINE)


class Breach(NamedTuple):
    """One forbidden line, where it is planted, and every contract that it breaks."""

    name: str
    path: str
    line: str
    breaks: set[str]


UPWARD = {"hallway", "acyclic"}
"""Who knows those that know him breaks the order, and closes a circle as well."""

BREACHES = [
    # Who may know whom.
    Breach("a room knows a room", "rules/__init__.py", "import gateway.correlate", {"hallway"}),
    Breach("an export knows a room", "export/say.py", "import gateway.correlate", {"hallway"}),
    Breach("a framing knows a radio", "framing/nmea.py", "import gateway.radio", {"hallway"}),
    Breach("a door knows a door", "journal/store.py", "import gateway.mqtt", {"hallway"}),
    Breach("arithmetic knows a word", "codes/mmsi.py", "import gateway.model.words", {"hallway"}),
    Breach("a door knows the wiring", "journal/writer.py", "import gateway.app", UPWARD),
    Breach("the wiring knows a verb", "app.py", "import gateway.verbs.demo", UPWARD),
    Breach("a verb knows the door to it", "verbs/demo.py", "import gateway.cli", UPWARD),
    Breach("a module without a place", "extras.py", "", {"hallway"}),
    Breach("a radio knows a radio", "radio/planted.py", "import gateway.radio.gnss", {"radios"}),
    Breach(
        "a part of a radio knows another radio",
        "radio/ais/planted.py",
        "from gateway.radio.gnss import RADIO",
        {"radios"},
    ),
    Breach(
        "a framing knows a framing",
        "framing/planted.py",
        "import gateway.framing.nmea",
        {"framings"},
    ),
    Breach(
        "a way to a modem knows another",
        "transport/serial.py",
        "import gateway.transport.tcp",
        {"transports"},
    ),
    Breach(
        "a rule kind knows a rule kind",
        "rules/kinds/planted.py",
        "import gateway.rules.kinds.other",
        {"rule-kinds"},
    ),
    Breach(
        "two words need each other", "model/words.py", "import gateway.model.entry", {"acyclic"}
    ),
    # What the core may not touch.
    Breach("the hallway waits", "pipeline.py", "import asyncio", {"pure"}),
    Breach("the hallway asks the clock", "pipeline.py", "import gateway.clock", {"pure"}),
    Breach("the hallway logs", "pipeline.py", "from gateway.log import Log", {"pure"}),
    Breach("a room asks the time", "correlate/copies.py", "import time", {"pure", "one-clock"}),
    Breach("an export asks the time", "export/cap.py", "import time", {"pure", "one-clock"}),
    Breach("a room throws dice", "radio/gnss.py", "import random", {"pure"}),
    Breach("a room reads a file", "normalise.py", "from pathlib import Path", {"pure"}),
    Breach("a room reads the environment", "normalise.py", "import os.path", {"pure"}),
    Breach("a room opens a socket", "radio/gnss.py", "import socket", {"pure"}),
    Breach("a word starts a thread", "model/entry.py", "import threading", {"pure"}),
    Breach("a room logs", "codes/checksum.py", "import logging", {"pure"}),
    Breach("a room keeps a book", "rules/__init__.py", "import sqlite3", {"pure", "one-door-disk"}),
    Breach(
        "a room hides an import in a function",
        "normalise.py",
        "def late() -> None:\n    import subprocess",
        {"pure"},
    ),
    Breach("a room finds modules by name", "correlate/copies.py", "import importlib", {"by-name"}),
    # One door for each library of others.
    Breach("a second door to MQTT", "app.py", "import aiomqtt", {"one-door-mqtt"}),
    Breach("a door beside the MQTT door", "mqtt/planted.py", "import paho", {"one-door-mqtt"}),
    Breach("a second door to serial", "app.py", "from serial import Serial", {"one-door-serial"}),
    Breach("a second door to the disk", "journal/planted.py", "import sqlite3", {"one-door-disk"}),
    Breach("a second door to the log", "app.py", "import structlog", {"one-door-log"}),
    Breach("a second door to AIS", "radio/gnss.py", "import pyais", {"one-door-ais"}),
    Breach("a second door to tapes", "mqtt/planted.py", "import msgpack", {"one-door-tape"}),
    Breach("a second broker inside", "app.py", "import iotcore", {"one-door-broker"}),
    Breach("a second door to keys", "app.py", "import cryptography", {"one-door-keys"}),
    Breach("a second clock", "app.py", "import time", {"one-clock"}),
]


def lint(folder: Path) -> set[str]:
    """Return the ids of the contracts broken in the package in this folder."""
    done = subprocess.run(  # our own interpreter, our own words
        [sys.executable, "-c", LINT, "--no-cache", "--no-logo"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    verdicts = {
        CONTRACTS[found["name"]]: found["verdict"] for found in VERDICT.finditer(done.stdout)
    }

    assert verdicts.keys() == set(CONTRACTS.values()), done.stdout + done.stderr
    return {contract for contract, verdict in verdicts.items() if verdict == "BROKEN"}


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """Return a folder with a copy of the package and its contracts."""
    unwanted = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "gateway", tmp_path / "gateway", ignore=unwanted)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def test_the_house_as_it_stands_keeps_every_contract(copy):
    assert lint(copy) == set()


@pytest.mark.parametrize("breach", BREACHES, ids=lambda breach: breach.name)
def test_a_planted_breach_is_caught_by_its_own_contract(copy, breach):
    planted = copy / "gateway" / breach.path
    if breach.breaks == {"rule-kinds"}:
        planted.parent.mkdir(parents=True, exist_ok=True)
        (planted.parent / "__init__.py").touch()
        (planted.parent / "other.py").touch()
    with planted.open("a", encoding="utf-8") as file:
        file.write(f"\n{breach.line}\n")

    assert lint(copy) == breach.breaks


def test_every_contract_has_a_breach_that_it_catches():
    assert set(CONTRACTS.values()) == set().union(*(breach.breaks for breach in BREACHES))
