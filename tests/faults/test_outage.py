"""F3: the broker is killed and stays away, while calls come in at twenty a second."""

from __future__ import annotations

import time

from gateway.model.entry import Lane
from tests.faults.rig import Rig

PER_S = 20
"""Distress, urgency and safety: what is kept and told one by one. Of routine positions only the
newest of each craft waits, whatever the outage: there is nothing to drain."""

WHOLE_S = 300.0
SHORT_S = 2.5
DISTRESS_S_MAX = 2.0
"""From the new connection until the last distress of the outage has been read."""

DRAIN_PER_S_MIN = 300
GROWTH_MB_MAX = 20.0


def test_what_came_in_while_the_broker_was_away_is_all_told_distress_first(tmp_path, whole, figure):
    """Killed, not stopped: it forgets everything, its subscribers too."""
    outage_s = WHOLE_S if whole else SHORT_S
    with Rig(tmp_path) as rig:
        life = rig.live()
        rig.speaker.speak(rig.traffic.urgent(), per_s=PER_S)
        rig.until(lambda: len(rig.ledger.told) > PER_S)
        before_mb = life.memory_mb()
        rig.broker.kill()
        began_ns = time.monotonic_ns()
        time.sleep(outage_s)
        grown_mb = life.memory_mb() - before_mb
        rig.broker.start()
        back_ns = _reconnected(rig, began_ns)
        rig.speaker.hush()
        ledger = rig.ledger
        rig.until(lambda: ledger.said.keys() == ledger.told.keys())
        rig.settled() if whole else rig.keep()
        missed = {
            mmsi: said for mmsi, said in ledger.said.items() if began_ns < said.at_ns < back_ns
        }
        told_s = {mmsi: (ledger.told[mmsi][0].at_ns - back_ns) / 1e9 for mmsi in missed}
        distress_s = max(
            told_s[mmsi] for mmsi, said in missed.items() if said.sentence.lane is Lane.DISTRESS
        )
        drain_per_s = len(missed) / max(told_s.values())
        figure(
            "F3",
            f"{outage_s:g} s at {PER_S}/s: {len(missed)} came in and {len(told_s)} were told; the "
            f"last distress {distress_s:.2f} s after reconnection, {drain_per_s:.0f}/s in all; "
            f"memory {grown_mb:+.1f} MB",
        )

        assert ledger.said.keys() == ledger.kept.keys()
        assert not list(ledger.faults())
        assert distress_s <= DISTRESS_S_MAX
        assert drain_per_s >= DRAIN_PER_S_MIN or not whole
        assert grown_mb <= GROWTH_MB_MAX


def _reconnected(rig: Rig, after_ns: int) -> int:
    """Return when the distress lane stood again."""

    def found() -> list[int]:
        connected = rig.life.said('"lane": "distress"', "link_connected")
        return [at_ns for at_ns in connected if at_ns > after_ns]

    rig.until(found)
    return found()[0]
