"""F3: the broker is killed and stays away, while calls come in at twenty a second."""

from __future__ import annotations

import time

from msgspec import Struct

from gateway.model.entry import Lane
from tests.faults.rig import Rig

PER_S = 20
"""Distress, urgency and safety: what is kept and told one by one. Of routine positions only the
newest of each craft waits, whatever the outage: there is nothing to drain."""

WHOLE_S = 300.0
SHORT_S = 2.5
DISTRESS_S_MAX = 2.0
"""From the new connection until the last distress of the outage has been read."""

RECEIPTS_S_MAX = 120.0
"""Receipts come before the gateway can hear them again, and what they name is told once more."""

DRAIN_PER_S_MIN = 300
GROWTH_MB_MAX = 20.0


class Outage(Struct, frozen=True):
    """What came of everybody who called while the broker was away."""

    missed: int
    distress_s: float
    """From the new connection until the last distress of the outage was read."""
    drain_per_s: float
    grown_mb: float
    peak_mb: float


def outage(rig: Rig, seconds: float) -> Outage:
    """Take the broker away for so long; return once everybody has been told."""
    life = rig.live()
    rig.speaker.speak(rig.traffic.urgent(), per_s=PER_S)
    rig.until(lambda: len(rig.ledger.told) > PER_S)
    before_mb = life.memory_mb()
    rig.broker.kill()
    began_ns = time.monotonic_ns()
    time.sleep(seconds)
    grown_mb = life.memory_mb() - before_mb
    rig.broker.start()
    back_ns = _reconnected(rig, began_ns)
    rig.speaker.hush()
    said, told = rig.ledger.said, rig.ledger.told
    rig.until(lambda: said.keys() == told.keys())
    missed = {mmsi: one for mmsi, one in said.items() if began_ns < one.at_ns < back_ns}
    told_s = {mmsi: (told[mmsi][0].at_ns - back_ns) / 1e9 for mmsi in missed}
    return Outage(
        missed=len(missed),
        distress_s=max(
            told_s[mmsi] for mmsi, one in missed.items() if one.sentence.lane is Lane.DISTRESS
        ),
        drain_per_s=len(missed) / max(told_s.values()),
        grown_mb=grown_mb,
        peak_mb=life.memory_mb("VmHWM"),
    )


def test_what_came_in_while_the_broker_was_away_is_all_told_distress_first(tmp_path, whole, figure):
    """Killed, not stopped: it forgets everything, its subscribers too."""
    seconds = WHOLE_S if whole else SHORT_S
    with Rig(tmp_path) as rig:
        seen = outage(rig, seconds)
        figure(
            "F3",
            f"{seconds:g} s at {PER_S}/s: {seen.missed} came in and all were told, the last "
            f"distress {seen.distress_s:.2f} s after reconnection, {seen.drain_per_s:.0f}/s in "
            f"all; memory {seen.grown_mb:+.1f} MB",
        )
        if whole:
            rig.settled(limit_s=RECEIPTS_S_MAX)
        rig.keep()

        assert rig.ledger.said.keys() == rig.ledger.kept.keys()
        assert not list(rig.ledger.faults())
        assert seen.distress_s <= DISTRESS_S_MAX * (1 if whole else 10)
        assert seen.drain_per_s >= DRAIN_PER_S_MIN or not whole
        assert seen.grown_mb <= GROWTH_MB_MAX


def _reconnected(rig: Rig, after_ns: int) -> int:
    """Return when the distress lane stood again."""

    def found() -> list[int]:
        connected = rig.life.said('"lane": "distress"', "link_connected")
        return [at_ns for at_ns in connected if at_ns > after_ns]

    rig.until(found)
    return found()[0]
