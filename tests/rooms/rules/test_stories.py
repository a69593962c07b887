"""The agreements that come with the gateway: each makes sense, and its story has its log."""

from __future__ import annotations

import pytest
from rooms.rules.cases import KINDS
from rooms.rules.stories import log_of, seen_from, story_of, written

from gateway.model.agreement import State
from gateway.radio import radio_names
from gateway.rules.across import flaws_across, gaps_across
from gateway.rules.engine import Engine
from gateway.settings.agreement import agreement_named, agreement_names

NAMES = (
    *("aero-guard", "air-safety-mou", "airspace-keep-out", "gmdss-coast-station"),
    *("inter-korean-2004", "naval-encounter", "sar-exercise"),
)


def test_all_of_them_are_there_and_each_has_a_story():
    assert tuple(agreement_names()) == NAMES
    assert all(story_of(name).story for name in NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_each_is_in_force_makes_sense_and_says_of_each_rule_where_it_comes_from(name):
    agreement = seen_from(name)
    engine = Engine(agreement, KINDS)

    assert agreement.id == name
    assert agreement.status.state is State.IN_FORCE
    assert [*engine.flaws(), *flaws_across([engine], radio_names()), *gaps_across([engine])] == []
    assert [clause.id for clause in agreement.rules if not (clause.words and clause.source)] == []


@pytest.mark.parametrize("restarts", [False, True], ids=["one run", "restarted at each step"])
@pytest.mark.parametrize("name", NAMES)
def test_a_story_gives_its_verdict_log(name, restarts):
    assert [*log_of(name, restarts=restarts)] == written(name).read_text("utf-8").splitlines()


def test_together_they_ask_every_kind_of_rule():
    asked = {clause.kind for name in NAMES for clause in agreement_named(name).rules}

    assert KINDS.keys() <= asked


def test_a_station_that_all_of_them_bind_is_told_what_one_keeps_from_those_another_tells():
    engines = [Engine(seen_from(name), KINDS) for name in NAMES]
    kept_from = "nobody learns of some of them but rcc"

    assert [*gaps_across(engines)] == []
    assert [one[:2] for one in flaws_across(engines, radio_names())] == [
        ("air-safety-mou M13", f"tells alpha, bravo of calls, and by {covert} {kept_from}")
        for covert in ("aero-guard A12", "gmdss-coast-station G23")
    ]
