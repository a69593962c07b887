"""The demonstration tape: it is what its composer makes of it, and it tells the whole story."""

import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from gateway.model.inbound import Ruling
from gateway.radio import radio_names, system_names
from gateway.transport.tape import read_tape
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
    ("cospas_sarsat", "distress", "test", "alert"),
    ("cospas_sarsat", "distress", "real", "alert"),
    ("mode_s", "distress", "real", "alert"),
    ("mode_s", "routine", "real", "position"),
    ("aprs", "distress", "real", "alert"),
    ("aprs", "routine", "real", "position"),
    ("navtex", "safety", "real", "text"),
    ("navtex", "distress", "real", "text"),
    ("meshtastic", "distress", "real", "alert"),
    ("meshtastic", "routine", "real", "text"),
    ("packed", "urgency", "real", "alert"),
    ("shipboard", "distress", "test", "alert"),
    ("shipboard", "safety", "real", "status"),
    ("dsc", "distress", "real", "relay"),
}
ALL_HEARD_S = 20
"""Whoever watches the demonstration has seen every radio system by then."""


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


def test_every_radio_system_is_on_it_and_is_heard_while_somebody_still_watches():
    """A new radio system needs its place on the tape: put it into tests/tapes/systems.py."""
    header, _ = read_tape(TAPE)
    early = [r for r in reports() if r.heard.mono_ns < ALL_HEARD_S * 10**9]
    read_by = {name for r in early for name in header.ports[r.heard.port].profile.radio}

    assert {str(r.system) for r in early} == set(system_names())
    assert read_by == set(radio_names())


def test_each_kind_of_modem_that_is_plugged_in_is_understood():
    header, _ = read_tape(TAPE)

    assert {r.heard.port for r in reports()} == set(header.ports)


def test_an_aircraft_s_emergency_is_tentative_until_it_is_told_twice():
    told = [str(r.confidence) for r in reports() if r.system == "mode_s" and r.kind == "alert"]

    assert told[:2] == ["tentative", "verified"]


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


@pytest.mark.parametrize(
    ("name", "given_to_nobody"),
    [
        ("mmsi", ("200", "002001", "970200", "974200")),  # 97x are devices, 002 a coast station
        ("icao24", ("F05",)),
        ("callsign", ("N0CALL", "TRIAL", "XX")),
    ],
)
def test_nobody_who_exists_is_named(name, given_to_nobody):
    parties = [party for r in reports() for party in (r.sender, r.casualty, r.addressee) if party]
    names = {getattr(party, name) for party in parties} - {None}

    assert names
    assert all(name.startswith(given_to_nobody) for name in names)
