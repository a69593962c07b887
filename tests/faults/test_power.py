"""F2: the power is cut under the journal. The simulator is in tests/cuts."""

import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest

CUTS = Path(__file__).parents[1] / "cuts"
SHORT, WHOLE = 1_000, 10_000
CONTROL = 40


@pytest.fixture
def power(monkeypatch):
    """Return the simulator."""
    monkeypatch.syspath_prepend(CUTS)
    spec = spec_from_file_location("cuts_run", CUTS / "run.py")
    module = module_from_spec(spec)
    monkeypatch.setitem(sys.modules, spec.name, module)
    spec.loader.exec_module(module)
    return module


def test_no_power_cut_costs_anything_that_was_confirmed(power, whole, figure):
    """Nor leaves a journal that a person has to open, or that doesn't prove itself."""
    tally = power.cut(WHOLE if whole else SHORT)
    figure("F2", power.words_of(tally))

    assert tally.faults == []
    assert tally.cuts == (WHOLE if whole else SHORT)
    assert {"write of the file", "write of the wal", "sync of the wal"} <= set(tally.moments)


@pytest.mark.parametrize(("synchronous", "fault"), [("NORMAL", "lost"), ("OFF", "corrupt")])
def test_the_simulator_finds_what_a_disk_that_is_not_waited_for_loses(
    power, synchronous, fault, figure
):
    """It has eyes: with anything less than full synchronisation it finds losses."""
    tally = power.cut(CONTROL, synchronous=synchronous, seeds=range(9), faults_max=CONTROL)
    figure("F2", f"control, synchronous = {synchronous}: {power.words_of(tally)}")

    assert any(f": {fault}: " in words for words in tally.faults), tally
    assert len(tally.faults) > CONTROL / 10


def test_a_failure_names_the_seed_that_shows_it_again(power):
    first, again = (
        power.cut(
            power.CUTS_A_LIFE, synchronous="OFF", seeds=range(3, 4), faults_max=power.CUTS_A_LIFE
        )
        for _ in range(2)
    )

    assert first.faults
    assert all("make cuts SEED=3" in fault for fault in first.faults)
    assert len(first.faults) == len(again.faults)
