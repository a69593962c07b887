"""What the rules hear of a line, and what an officer's word becomes on it."""

from __future__ import annotations

import asyncio
import random
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import msgspec
import pytest
import structlog
from rooms.rules.cases import Case, agreement_of, tables

from gateway.app import lines as module
from gateway.app.lines import Lines
from gateway.clock import Clock
from gateway.model.command import Outcome, OutcomeState, StatementCommand
from gateway.model.hotline import LineMessage, LineWord, Shared
from gateway.model.plan import LinkPlan
from gateway.mqtt.hotline import Sign, Taken, listens_to
from gateway.pipeline import docket_of, hallway

TABLE = tables()["contact_point"]
OTHERS = {
    "check": {"kind": "comm_check", "who": ["alpha"], "channels": ["hotline"], "every_s": 100},
    "share": {"kind": "share_policy", "to": ["alpha"], "allow": ["call"]},
}
TAKEN = {
    "receipt": (LineWord.RECEIPT, "receipt", "alpha", "site"),
    "call": (LineWord.CALL, "call", "alpha", "site"),
    "check": (LineWord.ECHO, "comm_check", "site", "alpha"),
    "told": (LineWord.TOLD, "told", "alpha", "site"),
}


class Station:
    """The lines of a station, and what is kept of them."""

    def __init__(self, *, agreement="cases", party="alpha", own="site"):
        clause = {"source": "a case", "basis": "design"}
        case = Case(
            does="keep a line", story=[], said=[],
            others={name: clause | rule for name, rule in OTHERS.items()},
        )  # fmt: skip
        found = msgspec.structs.replace(agreement_of("contact_point", TABLE, case), own=own)
        rooms = hallway("here", (), docket=docket_of([found]))
        self.kept, self.stated = [], []
        plan = LinkPlan(
            name="line", host="h", port=1, client_id="c", party=party, agreement=agreement
        )
        other = msgspec.structs.replace(plan, name="local", party=None, agreement=None)
        self.made = []
        self.lines = Lines(
            (other, plan), rooms, station="here", makes=self._make, clock=Clock(),
            log=structlog.wrap_logger(structlog.testing.CapturingLogger(), processors=[]),
            jitter=random.Random(1),
        )  # fmt: skip
        self.lines.state = self._state
        self._rooms = rooms
        self.line = self.lines._lines["line"]
        self.hotline = self.line.hotline

    def _make(self, plan, **said):
        self.made.append((plan.name, said["lane"], said["topics"]))
        return SimpleNamespace(connected=True)

    def _state(self, fact):
        self.stated.append(fact)
        self.kept += self._rooms.state(fact)

    def facts(self):
        return self.stated


def message(number=1, **said):
    return LineMessage(station="them", message_id=f"{number:08x}", **said)


def test_a_line_is_kept_as_the_clauses_in_force_say():
    station = Station()
    terms = station.hotline.terms

    assert (terms.own, terms.party, terms.channel, terms.endpoint) == (
        "site", "alpha", "hotline", "mqtt:hotline",
    )  # fmt: skip
    assert (terms.heartbeat_s, terms.check_s) == (60, 50)
    assert station.made == [("line", "hotline", listens_to("site"))]
    assert [name for name, _ in station.lines.duties()] == ["line line", "line line connection"]
    assert [name for name, _ in station.lines.pulses()] == ["line line"]


@pytest.mark.parametrize(
    "how", [{"agreement": "gone"}, {"own": None}], ids=["no agreement", "no party of it"]
)
def test_without_an_agreement_that_binds_us_there_is_a_border_and_no_line(how):
    station = Station(**how)

    assert station.hotline is None
    assert [*station.lines.duties()] == [*station.lines.pulses()] == []
    assert station.lines.carrier("local") == station._make
    assert station.lines.carrier("line") is station.line.carrier


def test_signs_of_life_and_a_cut_are_facts_at_the_end_where_they_are():
    station = Station()
    station.hotline._stands(Sign.THEIRS)
    station.hotline._stands(Sign.OURS)
    station.hotline._stands(Sign.CUT)

    assert [one.by for one in station.facts()] == ["alpha", "site", "site", "alpha"]
    said = [(one.verdict.judgement, one.verdict.subject) for one in station.kept]
    assert said == [("ok", "hotline/alpha"), ("at_risk", "hotline/alpha")]


@pytest.mark.parametrize(("word", "what", "by", "to"), TAKEN.values(), ids=TAKEN)
def test_what_comes_is_of_the_party_of_the_line_whatever_it_says(word, what, by, to):
    station = Station()
    said = message(words="I am site", about="mmsi:1")
    station.hotline._taken(Taken(word, said.message_id, said.about, said=said, lasts_s=2.0))

    (fact,) = station.facts()
    assert (fact.what, fact.by, fact.to, fact.channel) == (what, by, to, "hotline")
    assert fact.about == "mmsi:1"


def test_a_call_for_help_that_is_told_is_kept_in_a_sentence():
    station = Station()
    fields = {"nature": "fire\n", "casualty": {"mmsi": "1", "x": []}, "position": {"lat_deg": 1.5}}
    call = Shared(
        station="them", message_id="00000001", what="distress", about="r1", of_distress=True,
        fields=fields,
    )  # fmt: skip
    station.hotline._taken(Taken(LineWord.SHARED, call.message_id, call.about, shared=call))

    (fact,) = station.facts()
    assert fact.words == "distress: nature fire , casualty mmsi=1, position lat_deg=1.5"
    assert fact.fields == ("casualty", "nature", "position")
    assert (fact.about, fact.person) == ("r1", "them")


def test_a_message_is_known_again_so_far_back_and_no_farther(monkeypatch):
    monkeypatch.setattr(module, "HEARD_MAX", 3)
    station = Station()
    for number in (1, 1, 2, 3, 4, 5, 1):
        said = message(number)
        station.hotline._taken(Taken(LineWord.CALL, said.message_id, said=said))

    assert len(station.facts()) == 6
    (bound,) = [one for one in station.lines.bounds() if one.what == "line_messages"]
    assert (bound.held, bound.evicted) == (3, 3)


def stated(**said):
    found = {"command_id": "c", "what": "call", "author": "A", "to": "alpha", "channel": "hotline"}
    until = datetime.now(UTC) + timedelta(seconds=30)
    return msgspec.convert({**found, "not_after": until, **said}, StatementCommand)


OUTCOMES = {
    "said": ({}, {}, 1),
    "by the name of the line": ({"channel": "mqtt:hotline"}, {}, 1),
    "again": ({}, {"again": True}, 0),
    "refused": ({}, {"state": OutcomeState.REFUSED}, 0),
    "to somebody else": ({"to": "bravo"}, {}, 0),
    "elsewhere": ({"channel": "vhf16"}, {}, 0),
    "of what another did": ({"by": "alpha"}, {}, 0),
    "a consent": ({"what": "consent"}, {}, 0),
}


@pytest.mark.parametrize(("said", "came", "count"), OUTCOMES.values(), ids=OUTCOMES)
def test_what_an_officer_states_to_the_other_party_is_said_to_it(said, came, count):
    station = Station()
    outcome = Outcome(**{"station": "here", "state": OutcomeState.ACCEPTED} | came)

    async def obey(_command):
        return outcome

    assert asyncio.run(station.lines.obeying(stated(**said), obey)) is outcome
    assert len(station.hotline._unsaid) == count


def test_what_has_crossed_and_presses_may_be_signed_for():
    station = Station()
    for number, pressing in enumerate((True, False)):
        station.line.border._crossed(
            Shared(
                station="here",
                message_id=f"{number:08x}",
                what="x",
                about="r",
                of_distress=pressing,
                fields={},
            )
        )

    assert [*station.hotline._told] == ["00000000"]
