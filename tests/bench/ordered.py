"""How long an order waits until its first and its last byte stand at the modem, amid reports.

The real process with 500 reports a second coming in, a real mosquitto, and an officer who signs
relays for four radios in turn; they share the machine with the gateway. From just before a signed
letter is handed to the broker's socket.
"""

from __future__ import annotations

import os
import tempfile
import threading
import time
import tty
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gateway import cli
from gateway.model.transmission import Area, Distress, Drill, Relay, To
from tests.bench.figures import Figure, at_most, share_of, told
from tests.faults.rig import Rig, Setting
from tests.faults.test_transmit import AGREEMENT, MODEM, Officer

REPORTS_PER_S = 500
ORDERS = 100
APART_S = 0.3
ANSWER_S = 2.0
TRIES = 10
RADIOS = 4
"""Each on a channel of its own: one channel has sixty a minute at the most."""

HZ = 156_525_000
TABLES = """
[transmit]
mmsi = "002320000"
per_minute = 60
per_hour = 600
airtime_s_per_hour = 3600.0
"""
PORT = """
[port.radio{number}]
device = "{device}"
modem = "bench-dsc"
freq_hz = {hz}
adapter = "none"
"""


def figures(rounds: int) -> Iterator[Figure]:
    """Measure how long orders wait."""
    each = [_ordered() for _ in range(rounds)]
    for place, what in enumerate(("first", "last")):
        waits = [sorted(found[place] for found in one) for one in each]
        name = f"signed letter to {what} byte at the modem, {REPORTS_PER_S} reports/s"
        yield told(f"{name}, p50", "ms", [share_of(one, 0.5) for one in waits])
        yield at_most(f"{name}, p99", "ms", 50, [share_of(one, 0.99) for one in waits])


class Ear(threading.Thread):
    """A radio that notes when bytes come, and when the end of a call does."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.master, self._slave = os.openpty()
        tty.setraw(self._slave)
        self.device = os.ttyname(self._slave)
        self.first_ns = 0
        self.last_ns = 0

    def run(self) -> None:
        """Read until nobody can speak here any more."""
        while True:
            data = os.read(self.master, 4096)
            now_ns = time.monotonic_ns()
            self.first_ns = self.first_ns or now_ns
            if data.endswith(b"\n"):
                self.last_ns = now_ns


def _ordered() -> list[tuple[float, float]]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        ears = [Ear() for _ in range(RADIOS)]
        with _station(folder, ears) as (rig, officer):
            rig.live()
            rig.speaker.speak(rig.traffic.mixed(share=0.02), per_s=REPORTS_PER_S)
            found = [_one(officer, ears, number) for number in range(ORDERS)]
            rig.speaker.hush()
            officer.leave()
        return found


def _one(officer: Officer, ears: list[Ear], number: int) -> tuple[float, float]:
    """Give one order, and return how long its first and its last byte took, in milliseconds."""
    time.sleep(APART_S)
    said = None
    for _ in range(TRIES):  # a clock that nothing holds asks for a challenge first
        said = said or officer.outcome(officer.give(Drill(what="stop"), by="radio0"), ANSWER_S)
    if said is None:
        raise TimeoutError(number)
    place = number % RADIOS
    ear = ears[place]
    ear.first_ns = ear.last_ns = 0
    area = Area(lat_deg=52, lon_deg=-6, southwards_deg=3, eastwards_deg=5)
    relay = Relay(distress=Distress(mmsi=f"232{number:06d}"), to=To.AREA, area=area)
    began_ns = time.monotonic_ns()
    officer.give(relay, said.get("challenge"), by=f"radio{place}")
    while not ear.last_ns:
        time.sleep(0.0005)
        if time.monotonic_ns() - began_ns > ANSWER_S * 1e9:
            raise TimeoutError(number)
    return (ear.first_ns - began_ns) / 1e6, (ear.last_ns - began_ns) / 1e6


@contextmanager
def _station(folder: Path, ears: list[Ear]) -> Iterator[tuple[Rig, Officer]]:
    (folder / "modems").mkdir()
    (folder / "modems" / "bench-dsc.toml").write_text(MODEM)
    hz = [HZ + 25_000 * number for number in range(len(ears))]
    channels = "\n".join(f'r{n} = {{ hz = {one}, mode = "dsc" }}' for n, one in enumerate(hz))
    text = AGREEMENT.replace(f'vhf70 = {{ hz = {HZ:_}, mode = "dsc" }}', channels)
    names = ", ".join(f'"r{number}"' for number in range(len(ears)))
    (folder / "strait.toml").write_text(text.replace('["vhf70"]', f"[{names}]"))
    files = ("--file", str(folder / "smith.key"), "--keys", str(folder / "keys.toml"))
    roles = ("--role", "officer", "--role", "instructor")
    cli.main(["keys", "new", "smith", "--person", "Smith", *roles, *files])
    ports = ""
    for number, ear in enumerate(ears):
        ear.start()
        ports += PORT.format(number=number, device=ear.device, hz=hz[number])
    setting = Setting(
        station='keys = "keys.toml"',
        agreements=("strait.toml",),
        link="commands = true",
        journal=ports + TABLES,
    )
    with Rig(folder, setting) as rig:
        yield rig, Officer(folder, rig.broker.port, "rig")
