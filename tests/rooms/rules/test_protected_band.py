"""What a table can't show of a band that is kept free."""

import pytest
from rooms.rules.cases import agreement_of, cases_of, tables

from gateway.rules.ground import Ground
from gateway.rules.kinds.protected_band import Carrier, Memory, ProtectedBand, Terms
from gateway.rules.rule import Nothing

TABLE = tables()["protected_band"]


@pytest.fixture
def ground():
    return Ground(agreement_of("protected_band", TABLE, cases_of(TABLE)[0]))


@pytest.mark.parametrize(
    ("terms", "flaws"),
    [
        ({"band_hz": (406_000_000, 406_100_000), "carrier_s": 2.0}, []),
        ({"band_hz": (1, 2)}, []),
        ({"band_hz": (2, 1)}, ["`band_hz` ends before it begins"]),
        ({"band_hz": (1, 1), "carrier_s": 2.0}, ["no channel lies in the band"]),
        ({"band_hz": (404_000_000, 405_500_000), "carrier_s": 2.0}, ["no channel lies in"]),
    ],
)
def test_a_clause_that_makes_no_sense_is_found(ground, terms, flaws):
    found = list(ProtectedBand(Terms(**terms), ground).flaws())

    assert len(found) == len(flaws)
    assert all(words in flaw for words, flaw in zip(flaws, found, strict=True))


def test_nothing_is_remembered_of_a_channel_that_is_no_more(ground):
    rule = ProtectedBand(Terms(band_hz=(406_000_000, 406_100_000)), ground)
    carriers = [Carrier(channel=one, since_ns=0, evidence="e") for one in ("gone", "epirb406")]

    rule.restore(Memory(tuple(carriers)))

    assert rule.keep() == Memory((carriers[1],))


def test_a_memory_of_another_kind_is_none(ground):
    rule = ProtectedBand(Terms(band_hz=(406_000_000, 406_100_000)), ground)
    rule.restore(Nothing())

    assert rule.keep() == Memory()
