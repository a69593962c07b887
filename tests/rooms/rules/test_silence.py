"""How silence stands, for whoever proposes what to say next."""

from __future__ import annotations

import pytest
from rooms.rules.cases import KINDS, START_NS, agreement_of, cases_of, tables

from gateway.model.agreement import EventWord
from gateway.model.asked import Fact
from gateway.model.inbound import Moment
from gateway.model.words import ClockState
from gateway.rules.engine import Engine

VHF16_HZ, VHF06_HZ = 156_800_000, 156_300_000
AT = Moment(START_NS, None, ClockState.UNSET)


@pytest.fixture
def engine():
    table = tables()["silence"]
    return Engine(agreement_of("silence", table, cases_of(table)[0]), KINDS)


@pytest.mark.parametrize(
    ("spoken", "phase"),
    [((), None), (("SEELONCE MAYDAY",), "silent"), (("SEELONCE MAYDAY", "PRUDONCE"), "restricted")],
    ids=["nothing", "seelonce", "prudonce"],
)
def test_it_says_how_silence_stands_and_by_which_words_it_changes(engine, spoken, phase):
    for place, words in enumerate(spoken):
        engine.fact(
            Fact(fact_id=f"f{place}", what=EventWord.SPOKEN, at=AT, channel="vhf16", words=words)
        )
    found = engine.quiet(VHF16_HZ)

    assert (found.channel, found.phase, found.clause) == ("vhf16", phase, "cases/case")
    words = (found.impose_by, found.restrict_by, found.lift_by)
    assert words == ("SEELONCE MAYDAY", "PRUDONCE", "SEELONCE FEENEE")


def test_of_a_channel_that_the_clause_does_not_name_it_says_nothing(engine):
    assert engine.quiet(VHF06_HZ) is None
    assert engine.quiet(1) is None
