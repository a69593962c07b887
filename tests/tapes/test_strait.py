"""The demonstration tape: it is what its composer makes of it, and it tells the whole story."""

import subprocess
import sys
from collections import Counter
from pathlib import Path

from gateway.model.inbound import Ruling
from gateway.verbs.replay import replay

TAPE = Path(__file__).parents[2] / "config" / "demo" / "strait.tape"
STORY = {
    ("dsc", "distress", "real", "alert"),
    ("dsc", "distress", "real", "acknowledgement"),
    ("dsc", "distress", "real", "cancellation"),
    ("dsc", "urgency", "real", "call"),
    ("dsc", "safety", "real", "call"),
    ("dsc", "safety", "test", "call"),
    ("ais", "distress", "real", "alert"),
    ("ais", "distress", "test", "alert"),
    ("ais", "safety", "real", "text"),
    ("ais", "routine", "real", "position"),
    ("gnss", "routine", "real", "position"),
}


def reports():
    return [item.sighting.report for _, item in replay(TAPE) if isinstance(item, Ruling)]


def test_it_is_current():
    """Composed anew it is the same, byte for byte: else run tests/tapes/compose.py."""
    done = subprocess.run(
        [sys.executable, Path(__file__).with_name("compose.py"), "--check"], check=False
    )

    assert done.returncode == 0


def test_it_tells_the_whole_story():
    told = {(str(r.system), str(r.urgency), str(r.mode), str(r.kind)) for r in reports()}

    assert not STORY - told


def test_it_lasts_five_minutes_and_begins_with_a_mayday_in_the_first():
    heard_s = [r.heard.mono_ns / 1e9 for r in reports()]
    mayday_s = next(r.heard.mono_ns / 1e9 for r in reports() if r.urgency == "distress")

    assert max(heard_s) >= 300
    assert mayday_s < 30


def test_every_position_but_those_of_a_mast_is_heard_first_hand_once():
    relations = Counter(
        str(item.sighting.relation) for _, item in replay(TAPE) if isinstance(item, Ruling)
    )

    assert relations["copy"] > 100
    assert relations["refinement"] == 2


def test_no_real_ship_is_named():
    """The digits 200 are given to nobody; 97x are devices, 002 is a coast station of the same."""
    names = {
        identity.mmsi
        for report in reports()
        for identity in (report.sender, report.casualty, report.addressee)
        if identity is not None and identity.mmsi is not None
    }

    assert names
    assert all(name.startswith(("200", "002001", "970200", "974200")) for name in names)
