"""The whole service on a virtual clock: whatever is done to it, it keeps what it promises."""

from __future__ import annotations

from pathlib import Path

import pytest
from storms.run import remedy, told
from storms.world import SHORT, World

SEEDS = 100
KEPT = [
    int(line.split()[0])
    for line in (Path(__file__).parent / "seeds.txt").read_text("utf-8").splitlines()
    if not line.startswith("#")
]


@pytest.mark.parametrize("seed", sorted({*range(1, SEEDS + 1), *KEPT}))
def test_no_storm_breaks_a_promise(seed):
    """See tests/storms/oracle.py for which promises, and how each is held."""
    outcome = World(seed, **SHORT).run()

    assert not outcome.breaches, f"{told(outcome)}\n{remedy(outcome, 'short')}"
    assert outcome.virtual_s > SHORT["length_s"]


def test_a_storm_is_the_same_each_time():
    first, again = (World(7, **SHORT).run() for _ in range(2))

    assert first.trace
    assert (first.digest, first.tally) == (again.digest, again.tally)


def test_two_storms_are_not_alike():
    first, other = (World(seed, **SHORT).run() for seed in (7, 8))

    assert first.digest != other.digest
