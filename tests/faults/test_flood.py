"""F27: a thousand invented callers at five hundred calls a second, and somebody real among them."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import count

from gateway.correlate.floods import FRAGMENTS_FIRST
from gateway.model.entry import Lane
from tests.faults.rig import Rig, Setting
from tests.faults.traffic import FIRST_SHIP, Sentence, Traffic

INVENTED = 1_000
PER_S = 500
REAL_EVERY = 100
"""One in so many calls is from somebody who is looked for."""

DAMAGED_SHARE = 0.2
VISIBLE_S_MAX = 1.0
REFUSED_ROWS_MAX = 1_000
FRAGMENTS_PER_MIN = 6


BURST_S_MAX = 2.0
"""Where a port says more than the whole service can take, a call on another is told by then."""

INCIDENT_S_MAX = 5.0
"""And its incident: notes give way to calls, eight of them for a tenth of a second."""

SAY = """
import os, sys, time
calls, master, per_s = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
os.set_blocking(master, True)
due_s = time.monotonic()
with open(calls, "rb") as lines:
    for line in lines:
        due_s += per_s and 1 / per_s
        time.sleep(max(0.0, due_s - time.monotonic()))
        while line:
            line = line[os.write(master, line):]
"""
"""Who floods is a process of its own, which the pty makes wait."""


def flood(traffic: Traffic) -> Iterator[Sentence]:
    """Yield calls of invented ships, one in five damaged, and now and then a real one."""
    dice = random.Random(1)
    made = Traffic(2)
    for number in count(1):
        port = ("dsc", "mixed")[number % 2]
        if number % REAL_EVERY == 0:
            yield traffic.distress("dsc")
            continue
        wire = made.spoof("dsc", FIRST_SHIP + dice.randrange(INVENTED)).wire
        if dice.random() < DAMAGED_SHARE:
            wire = wire.replace(b",05,", b",15,", 1)  # the checksum says so
        yield Sentence(port, wire)


def test_a_real_call_in_a_flood_of_invented_ones_is_told_at_once_and_the_flood_flagged(
    tmp_path, whole, figure
):
    """Damaged calls, of which anybody can make any number, take no more of the disk than a ring."""
    seconds = 600 if whole else 3
    setting = Setting(journal=f"refused_rows_max = {REFUSED_ROWS_MAX}")
    with Rig(tmp_path, setting) as rig:
        life = rig.live()
        began = time.monotonic()
        rig.speaker.speak(flood(rig.traffic), per_s=PER_S)
        rig.until(lambda: any(text for _, text in rig.ledger.alerts.get("flood", [])))
        flagged_s = time.monotonic() - began
        time.sleep(max(0.0, began + seconds - time.monotonic()))
        rig.speaker.hush()
        rig.until(lambda: rig.ledger.said.keys() <= rig.ledger.told.keys(), limit_s=120)
        waits_s = sorted(
            (rig.ledger.told[mmsi][0].at_ns - said.at_ns) / 1e9
            for mmsi, said in rig.ledger.said.items()
        )
        peak_mb = life.memory_mb("VmHWM")
        life.end()
        rig.keep()
        rows = rig.rows()
        damaged = rows["urgency"] - rig.notes
        size_mb = (tmp_path / "journal.db").stat().st_size / 1e6
        figure(
            "F27",
            f"{seconds} s at {PER_S}/s: {len(waits_s)} real calls told within "
            f"{waits_s[int(len(waits_s) * 0.99)]:.2f} s (p99), {waits_s[-1]:.2f} s at most; "
            f"flagged after {flagged_s:.1f} s; on disk {size_mb:.0f} MB: {rows['distress']} whole "
            f"calls, {damaged} damaged ones told, {rows['refused']} kept in the ring; "
            f"memory {peak_mb:.0f} MB at most; {rig.speaker.untaken} not taken by the pty",
        )

        assert waits_s[-1] <= VISIBLE_S_MAX or not whole
        assert 0 < rows["refused"] <= REFUSED_ROWS_MAX
        assert damaged <= 2 * (FRAGMENTS_FIRST + FRAGMENTS_PER_MIN * (1 + seconds / 60))
        assert {said.sentence.lane for said in rig.ledger.said.values()} == {Lane.DISTRESS}


def test_a_call_on_a_quiet_port_waits_for_no_flood_on_another(tmp_path, whole, figure):
    """First at the even pace that the gateway takes; then in one burst, which it does not."""
    forms = {"even": (500, 60 if whole else 2), "burst": (0, 0)}
    with Rig(tmp_path, Setting()) as rig:
        rig.live()
        for form, (per_s, seconds) in forms.items():
            calls = per_s * seconds or (9_000 if whole else 2_500)
            reports_s, incidents_s = beside(rig, calls, per_s, pause_s=1.0 if whole else 0.4)
            figure(
                "F27",
                f"{calls} calls on one port, {f'{per_s}/s' if per_s else 'at once'}: each of "
                f"{len(reports_s)} on another told within {max(reports_s):.2f} s, its incident "
                f"within {max(incidents_s):.2f} s",
            )
            if whole:
                assert max(reports_s) <= (VISIBLE_S_MAX if per_s else BURST_S_MAX), form
                assert max(incidents_s) <= (VISIBLE_S_MAX if per_s else INCIDENT_S_MAX), form
        rig.settled(limit_s=120)
        assert not [fault for fault in rig.ledger.faults() if "was told after" in fault]


def beside(
    rig: Rig, calls: int, per_s: float, *, pause_s: float
) -> tuple[list[float], list[float]]:
    """Have one port say these; return how long the calls on another, and their incidents, took."""
    said = rig.folder / "calls"
    made = Traffic(3)
    said.write_bytes(b"".join(made.spoof("dsc", FIRST_SHIP + at).wire for at in range(calls)))
    master = rig.modems["dsc"].master
    real = []
    with subprocess.Popen(
        [sys.executable, "-I", "-c", SAY, str(said), str(master), str(per_s)], pass_fds=[master]
    ) as loud:
        while loud.poll() is None or not real:
            time.sleep(pause_s)
            real.append(rig.traffic.distress("mixed"))
            assert rig.say(real[-1])
    names = {sentence.mmsi for sentence in real}
    rig.until(lambda: names <= rig.ledger.told.keys(), limit_s=60)
    rig.until(lambda: names <= rig.ledger.noted.keys(), limit_s=60)
    at_ns = {mmsi: rig.ledger.said[mmsi].at_ns for mmsi in names}
    return (
        [(rig.ledger.told[mmsi][0].at_ns - at_ns[mmsi]) / 1e9 for mmsi in names],
        [(rig.ledger.noted[mmsi] - at_ns[mmsi]) / 1e9 for mmsi in names],
    )
