"""How long it takes until the program answers, and until it is on watch; what it holds at rest."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from gateway.verbs.embedded import embedded_broker
from tests.bench.figures import Figure, at_most

COMMAND = Path(sys.executable).with_name("distress-gateway")
REST_S = 3


def figures(rounds: int) -> Iterator[Figure]:
    """Measure starts and rest."""
    yield at_most("--help", "ms", 150, help_ms(rounds))
    starts, rests = start_and_rest(rounds)
    yield at_most("command to on watch, three ports", "s", 1.5, starts)
    yield at_most("memory at rest, three ports", "MB", 60, rests)


def help_ms(rounds: int) -> list[float]:
    """Return how long `--help` takes."""
    found = []
    for _ in range(rounds * 3):
        began = time.perf_counter()
        subprocess.run([COMMAND, "--help"], check=True, capture_output=True)
        found.append((time.perf_counter() - began) * 1e3)
    return found


def start_and_rest(rounds: int) -> tuple[list[float], list[float]]:
    """Return seconds from the command to `watch_begun`, and megabytes resident after a rest."""
    starts, rests = [], []
    with tempfile.TemporaryDirectory() as folder, embedded_broker() as broker:
        for turn in range(rounds):
            masters = [os.openpty() for _ in range(3)]
            config = Path(folder, f"{turn}.toml")
            config.write_text(
                "[station]\nname = 'bench'\n"
                + "".join(
                    f"[port.{name}]\ndevice = '{os.ttyname(pair[1])}'\nmodem = 'generic-{name}'\n"
                    for name, pair in zip(("dsc", "ais", "gnss"), masters, strict=True)
                )
                + f"[link.local]\nhost = '127.0.0.1'\nport = {broker.port_v311}\n"
                + "version = '3.1.1'\n"
                + f"[journal]\npath = '{folder}/{turn}.db'\n[log]\nformat = 'json'\n"
            )
            began = time.perf_counter()
            with subprocess.Popen(
                [COMMAND, "run", "--config", config], stderr=subprocess.PIPE, text=True
            ) as child:
                for line in child.stderr or ():
                    if "watch_begun" in line:
                        break
                starts.append(time.perf_counter() - began)
                time.sleep(REST_S)
                held = Path(f"/proc/{child.pid}/status").read_text()
                rests.append(int(re.findall(r"VmRSS:\s+(\d+)", held)[0]) / 1e3)
                child.send_signal(signal.SIGTERM)
            for pair in masters:
                for end in pair:
                    os.close(end)
    return starts, rests
