"""F14: the disk hangs while the program starts. The station hears, and tells at once."""

from __future__ import annotations

import time

from gateway.app.telling import JOURNAL_S_MAX
from gateway.journal.standing import OPEN_S_MAX
from tests.faults.rig import Rig

START_S = 8.0
"""What a start takes beside the wait for the journal, on a machine that has other things to do."""

TOLD_S_MAX = JOURNAL_S_MAX + 1.0

END_S_MAX = 5.0
"""systemd ends by force after ten."""


def begun_without_a_journal(rig, *, hang_s):
    """Return a life whose disk answers nothing for so long, once it is on watch."""
    life = rig.live(point="journal.opened", deed=f"wait:{hang_s}")
    assert life.watch_ns is not None
    assert OPEN_S_MAX <= life.back_s() < OPEN_S_MAX + START_S, rig._troubles()
    return life


def told_at_once(rig, sentence):
    """Have it said; return how long it took to be told, and the record."""
    assert rig.say(sentence)
    took_s = rig.until(lambda: sentence.mmsi in rig.ledger.told)
    assert took_s < TOLD_S_MAX
    return took_s, rig.ledger.told[sentence.mmsi][0]


def test_a_disk_that_hangs_at_the_start_silences_no_mayday_and_has_it_afterwards(
    tmp_path, figure, whole
):
    """On watch after two seconds; told without a number, and with it when the disk has come."""
    calls, hang_s = (50, 20.0) if whole else (3, 4.5)
    with Rig(tmp_path) as rig:
        life = begun_without_a_journal(rig, hang_s=hang_s)
        found = [told_at_once(rig, rig.traffic.distress("dsc")) for _ in range(calls)]
        rig.until(lambda: rig.ledger.alerts.get("journal"))
        rig.until(lambda: not any(standing(rig)))
        rig.settled()
        records = [rig.ledger.told[mmsi] for mmsi in rig.ledger.said]
        assert life.end() == 0
        faults = list(rig.ledger.faults())

    figure(
        "F14",
        f"the disk hangs for {hang_s:g} s from the start: on watch after {life.back_s():.1f} s, "
        f"{calls} distress told within {max(took_s for took_s, _ in found):.2f} s of "
        f"{TOLD_S_MAX:g}, all journaled afterwards",
    )

    assert [record.journaled for _, record in found] == [False] * calls
    assert [(told[-1].journaled, told[-1].late) for told in records] == [(True, True)] * calls
    assert sorted(told[-1].number for told in records) == list(range(1, calls + 1))
    assert faults == []


def standing(rig):
    """Return the words of the journal's alarm as it stands; nothing once it is taken off."""
    return [rig.ledger.alerts["journal"][-1][1]]


def test_a_gateway_whose_disk_hangs_at_the_start_ends_when_it_is_told_to(tmp_path, figure):
    """And names what it could not keep, which it has told."""
    with Rig(tmp_path) as rig:
        life = begun_without_a_journal(rig, hang_s=60.0)
        told_at_once(rig, rig.traffic.distress("dsc"))
        began_s = time.monotonic()
        code = life.end()
        took_s = time.monotonic() - began_s
        lost = life.said("entry_lost", '"lane": "distress"')
    figure("F14", f"ended {took_s:.1f} s after SIGTERM of {END_S_MAX:g}, the disk still hanging")

    assert code == 0
    assert took_s < END_S_MAX
    assert len(lost) == 1


def test_a_gateway_told_to_end_before_it_is_on_watch_ends_though_its_disk_hangs(tmp_path):
    with Rig(tmp_path) as rig:
        life = rig.live(point="journal.opened", deed="wait:60", wait=False)
        rig.until((tmp_path / "journal.db-shm").exists)
        began_s = time.monotonic()
        code = life.end()

        assert code == 0
        assert time.monotonic() - began_s < END_S_MAX
        assert life.watch_ns is None
