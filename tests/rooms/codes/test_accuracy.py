"""How well a place is known, as its sender claims or as its system has places."""

from __future__ import annotations

import pytest

from gateway.codes.accuracy import UNKNOWN_M, stated_m


@pytest.mark.parametrize(
    ("system", "accuracy_m", "resolution_m", "known_m"),
    [
        ("ais", None, None, 100.0),
        ("ais", 10.0, None, 10.0),
        ("ais", None, 200.0, 300.0),
        ("ais", None, 10.0, 100.0),
        ("mode_s", None, None, 200.0),
        ("dsc", None, None, 2000.0),
        ("dsc", None, 926.0, 1389.0),
        ("meshtastic", None, 0.006, 10.0),
        ("aprs", None, 9.26, 13.89),
        ("aprs", None, 0.1, 10.0),
        ("dsc", 50.0, 926.0, 1389.0),
        ("radar", None, None, UNKNOWN_M),
        (None, None, None, UNKNOWN_M),
        (None, 0.0, None, 0.0),
    ],
)
def test_a_place_is_as_good_as_it_claims_and_no_better_than_its_steps(
    system, accuracy_m, resolution_m, known_m
):
    assert stated_m(system, accuracy_m, resolution_m) == known_m
