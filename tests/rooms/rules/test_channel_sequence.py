"""What a table can't show of the channels one after another: a crowd, and flaws of a clause."""

import pytest
from msgspec import Struct
from msgspec.structs import replace
from rooms.rules.cases import KINDS, START_NS, agreement_of, cases_of, tables

from gateway.model.agreement import EventWord, Party
from gateway.model.asked import Fact
from gateway.model.inbound import Moment
from gateway.rules.engine import Engine
from gateway.rules.ground import Ground
from gateway.rules.kinds import channel_sequence
from gateway.rules.kinds.channel_sequence import ChannelSequence, Memory, Terms
from gateway.rules.rule import Nothing

TABLE = tables()["channel_sequence"]


@pytest.fixture
def agreement():
    return agreement_of("channel_sequence", TABLE, cases_of(TABLE)[0])


@pytest.mark.parametrize(
    ("terms", "flaws"),
    [
        ({"working": ("working",), "fallback": ("hf_main",), "no_watch_duty": ("hf_main",)}, []),
        ({}, []),
        ({"working": ("traffic",)}, ["`traffic` is no channel of its own here"]),
        ({"working": ("guard_uhf",)}, ["is two steps of the sequence at once"]),
        ({"working": ("hf_main",), "fallback": ("hf_main",)}, ["is two steps of"]),
        ({"no_watch_duty": ("guard",)}, ["nobody has to listen on guard_uhf, where one calls"]),
        (
            {"working": ("working",), "no_watch_duty": ("other",)},
            ["other is no step of the sequence"],
        ),
        ({"over_after_s": 60.0}, ["is over before the time to go over"]),
    ],
)
def test_a_clause_that_makes_no_sense_is_found(agreement, terms, flaws):
    rule = ChannelSequence(Terms(initial=("guard",), **terms), Ground(agreement))
    found = list(rule.flaws())

    assert len(found) == len(flaws)
    assert all(words in flaw for words, flaw in zip(flaws, found, strict=True))


class Watched(Struct, frozen=True):
    """What any watch asks."""

    channels: tuple[str, ...]


@pytest.mark.parametrize(("channels", "is_flaw"), [(("guard",), False), (("hf_main",), True)])
def test_a_watch_where_there_is_no_duty_of_watch_is_found(agreement, channels, is_flaw):
    (clause,) = agreement.rules
    watch = replace(clause, id="M03", kind="watch", terms=Watched(channels))
    rule = ChannelSequence(clause.terms, Ground(replace(agreement, rules=(clause, watch))))

    assert [flaw[:20] for flaw in rule.flaws()] == ["M03 asks for a watch"] * is_flaw


def test_pairs_are_bounded_and_the_one_silent_longest_is_forgotten(agreement, monkeypatch):
    monkeypatch.setattr(channel_sequence, "EXCHANGES_MAX", 2)
    parties = {**agreement.parties, "carol": Party(name="Carol")}
    engine = Engine(replace(agreement, parties=parties), KINDS)
    for number, (by, to) in enumerate(
        [("alpha", "bravo"), ("alpha", "carol"), ("bravo", "alpha"), ("bravo", "carol")]
    ):
        engine.fact(
            Fact(
                fact_id=f"{number}",
                what=EventWord.GUARD_CALL,
                at=Moment(START_NS + number),
                by=by,
                to=to,
                channel="guard_vhf",
            )
        )

    (bound,) = engine.rules["case"].bounds()

    assert (bound.held, bound.limit, bound.evicted) == (2, 2, 1)
    kept = engine.rules["case"].keep().exchanges
    assert [one.subject for one in kept] == ["alpha|bravo", "bravo|carol"]


def test_a_memory_of_another_kind_is_none(agreement):
    rule = ChannelSequence(Terms(initial=("guard",)), Ground(agreement))
    rule.restore(Nothing())

    assert rule.keep() == Memory()
