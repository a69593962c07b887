"""Every error within a code's reach is put right, and none beyond it passes for the word sent."""

from __future__ import annotations

import os
import random
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.codes.bch import BCH_38_26, BCH_82_61, BCH_250_202

CODES = (BCH_82_61, BCH_38_26, BCH_250_202)
PATTERNS = int(os.environ.get("PATTERNS", "10000"))
"""Random patterns for the long code, whose patterns are too many to try all: `PATTERNS=1000000`."""

each = pytest.mark.parametrize("code", CODES, ids=["82,61", "38,26", "250,202"])


def word(code, data):
    return data << code.checks | code.check(data)


def sample(code, seed=1):
    return word(code, random.Random(seed).getrandbits(code.length - code.checks))


def bent(places):
    return sum(1 << place for place in places)


@pytest.mark.parametrize(
    ("code", "data", "checks"),
    [
        pytest.param(
            BCH_82_61,
            0x56E6804002202009655250 >> 27 & (1 << 61) - 1,
            0b001011001010101001001,
            id="T.001 annex B1",
        ),
        pytest.param(BCH_38_26, 0b10010101110000000000010111, 0b000101010001, id="T.001 annex B2"),
        pytest.param(
            BCH_250_202,
            0x0039823D32618658622811F0000000000003FFF004030680258,
            0b010010010010101001001111110001010111101001001001,
            id="T.018 appendix B",
        ),
    ],
)
def test_published_check_digits(code, data, checks):
    assert code.check(data) == checks
    assert code.put_right(data << code.checks | checks) == (data << code.checks | checks, 0)


@each
@given(data=st.integers(min_value=0))
def test_check_digits_are_what_long_division_leaves(code, data):
    """As the standards write it down: line by line, a bit at a time."""
    data &= (1 << (code.length - code.checks)) - 1
    left = data << code.checks
    for place in range(code.length - 1, code.checks - 1, -1):
        if left >> place & 1:
            left ^= code.generator << (place - code.checks)

    assert code.check(data) == left


@pytest.mark.parametrize(
    ("code", "weight"),
    [(BCH_82_61, 1), (BCH_82_61, 2), (BCH_82_61, 3), (BCH_38_26, 1), (BCH_38_26, 2)],
    ids=lambda part: part if isinstance(part, int) else f"{part.length}",
)
def test_every_pattern_within_reach_is_put_right(code, weight):
    sent = sample(code)

    assert all(
        code.put_right(sent ^ bent(places)) == (sent, weight)
        for places in combinations(range(code.length), weight)
    )


@pytest.mark.parametrize("weight", range(1, 7))
def test_long_code_puts_up_to_six_errors_right(weight):
    dice = random.Random(weight)
    sent = sample(BCH_250_202, weight)
    for _ in range(PATTERNS // 6):
        places = dice.sample(range(250), weight)

        assert BCH_250_202.put_right(sent ^ bent(places)) == (sent, weight), places


@each
@pytest.mark.parametrize("beyond", range(1, 6))
def test_what_is_beyond_reach_is_refused_or_another_word_and_never_passes_unseen(code, beyond):
    """Another word of the code may lie nearer: then errors were put right, and it says how many."""
    dice = random.Random(beyond)
    sent = sample(code, beyond)
    for _ in range(300):
        found = code.put_right(sent ^ bent(dice.sample(range(code.length), code.corrects + beyond)))
        if found is None:
            continue
        right, errors = found

        assert 0 < errors <= code.corrects
        assert right >> code.checks != sent >> code.checks
        assert code.check(right >> code.checks) == right & (1 << code.checks) - 1


@pytest.mark.parametrize(
    ("code", "noise_passes"),
    # sums of binomials over 2 to the number of check digits: what passes by chance
    [(BCH_82_61, 0.0439), (BCH_38_26, 0.1812), (BCH_250_202, 0.0012)],
    ids=["82,61", "38,26", "250,202"],
)
def test_noise_passes_as_often_as_the_spheres_fill_the_space(code, noise_passes):
    dice = random.Random(9)
    passed = sum(code.put_right(dice.getrandbits(code.length)) is not None for _ in range(4000))

    assert passed / 4000 == pytest.approx(noise_passes, abs=0.02)
