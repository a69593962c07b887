"""F16 and F18 on the whole process: cables pulled, and noise as fast as a line or a pty carries it.

What a single port does is held by tests/live/test_ptys.py; this is what everybody else notices.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from itertools import repeat

from tests.faults.rig import Rig

NOTICED_MS_MAX = 100.0
PUBLISHED_S_MAX = 1.0
DISTRESS_MS_MAX = 100.0
GROWTH_MB_MAX = 5.0
LINE_BYTES_PER_S = 3_840
"""38 400 baud, ten bits to the byte."""

AS_FAST_AS_CAN_BE = 30_000_000


def test_a_pulled_cable_is_noticed_and_published_and_costs_no_other_port(tmp_path, whole, figure):
    """Noticed within 100 ms, told within a second, and heard again when it is put back."""
    noticed_ms, published_s = [], []
    with Rig(tmp_path) as rig:
        life = rig.live()
        rig.until(lambda: rig.ledger.ports.get("gnss"))
        calls = (rig.traffic.distress(port) for port in repeat("dsc"))
        rig.speaker.speak(calls, per_s=20)
        for _ in range(100 if whole else 3):
            losses, opened = len(life.said("port_lost")), len(life.said("port_opened"))
            at_ns = time.monotonic_ns()
            rig.modems["gnss"].yank()
            rig.until(lambda losses=losses: len(life.said("port_lost")) > losses)
            noticed_ms.append((life.said("port_lost")[-1] - at_ns) / 1e6)
            rig.until(lambda at_ns=at_ns: _told(rig, "waiting", at_ns))
            published_s.append((_told(rig, "waiting", at_ns) - at_ns) / 1e9)
            rig.modems["gnss"].plug_in()
            rig.until(lambda opened=opened: len(life.said("port_opened")) > opened)
        rig.speaker.hush()
        rig.settled()
        noticed_ms.sort()
        figure(
            "F16",
            f"{len(noticed_ms)} yanks: noticed p50 {_at(noticed_ms, 0.5):.1f}, p99 "
            f"{_at(noticed_ms, 0.99):.1f} ms; published within {max(published_s):.2f} s; "
            f"{len(rig.ledger.said)} distress on another port meanwhile, "
            f"p99 {_at(rig.ledger.waits_ms(), 0.99):.0f} ms, none lost",
        )

        assert rig.ledger.said.keys() == rig.ledger.told.keys()
        assert noticed_ms[-1] <= NOTICED_MS_MAX * _patience(whole)
        assert max(published_s) <= PUBLISHED_S_MAX * _patience(whole)


NOISE = """
import os, sys, time
master, bytes_per_s, seconds = int(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3])
noise = os.urandom(1 << 20).replace(b"$", b"x").replace(b"!", b"y").replace(b"\\\\", b"z")
os.set_blocking(master, True)
began, sent = time.monotonic(), 0
while (passed := time.monotonic() - began) < seconds:
    due = int(bytes_per_s * passed) - sent
    if due > 0:
        at = sent % (len(noise) - 4096)
        sent += os.write(master, noise[at : at + min(due, 4096)])
    else:
        time.sleep(0.005)
os.write(master, b"\\r\\n")
print(sent + 2)
"""


def test_a_flood_of_noise_delays_nobody_and_is_counted_to_the_byte(tmp_path, whole, figure):
    """Distress on the other ports within 100 ms (p99); memory stands still; not a byte is missing.

    The noise has no start mark in it: each byte of it must come out as noise. A pty makes its
    writer wait: what is meant to be 30 MB/s comes in at the most that a port is let.
    """
    patience = _patience(whole)
    seconds = 60 if whole else 1
    _flood(tmp_path / "fast", figure, AS_FAST_AS_CAN_BE, seconds=seconds, patience=patience)
    if whole:
        _flood(tmp_path / "line", figure, LINE_BYTES_PER_S, seconds=seconds, patience=patience)


def _flood(tmp_path, figure, bytes_per_s, *, seconds, patience):
    with Rig(tmp_path) as rig:
        life = rig.live()
        calls = (rig.traffic.distress(port) for port in repeat("dsc"))
        rig.speaker.speak(calls, per_s=50)
        rig.until(lambda: len(rig.ledger.told) > 20)
        before_mb = life.memory_mb()
        master = rig.modems["gnss"].master
        made = subprocess.run(
            [sys.executable, "-I", "-c", NOISE, str(master), str(bytes_per_s), str(seconds)],
            pass_fds=[master],
            check=True,
            capture_output=True,
        )
        os.set_blocking(master, False)
        sent_bytes = int(made.stdout)
        grown_mb = life.memory_mb() - before_mb
        rig.speaker.hush()
        rig.settled()
        waits_ms = rig.ledger.waits_ms()
        rig.broker.kill()
        rig.broker.start()  # a new connection is told at once how the box is
        rig.until(lambda: _counted(rig)["in"] >= sent_bytes, limit_s=60)
        counts = _counted(rig)
        figure(
            "F18",
            f"{sent_bytes / seconds / 1e6:.3f} MB/s of noise for {seconds:g} s: distress elsewhere "
            f"p50 {_at(waits_ms, 0.5):.1f}, p99 {_at(waits_ms, 0.99):.1f} ms of {len(waits_ms)}; "
            f"{counts['noise']} of {sent_bytes} bytes counted as noise; memory {grown_mb:+.1f} MB",
        )

        assert counts == {
            "in": sent_bytes, "decoded": 0, "refused": 0, "noise": sent_bytes, "held": 0
        }  # fmt: skip
        assert rig.ledger.said.keys() == rig.ledger.told.keys()
        assert _at(waits_ms, 0.99) <= DISTRESS_MS_MAX * patience
        assert grown_mb <= GROWTH_MB_MAX


def _patience(whole: bool) -> int:  # noqa: FBT001  # the fixture of this name
    """Return how much longer the short form waits, which shares the machine with other tests."""
    return 1 if whole else 10


def _told(rig: Rig, state: str, after_ns: int) -> int | None:
    """Return when the consumer read that the port stands so."""
    for at_ns, told in rig.ledger.ports.get("gnss", []):
        if at_ns > after_ns and told["state"] == state:
            return at_ns
    return None


def _counted(rig: Rig) -> dict[str, int]:
    status = json.loads(json.dumps(rig.ledger.status))
    return status.get("ports", {}).get("gnss", {}).get("bytes", {"in": 0})


def _at(values: list[float], share: float) -> float:
    return values[min(int(len(values) * share), len(values) - 1)]
