"""What the clauses in force let cross to a party, and how they want the line to it kept."""

from __future__ import annotations

from msgspec.structs import replace
from rooms.rules.cases import KINDS, Case, agreement_of, tables

from gateway.model.agreement import State, Status
from gateway.model.place import Identity
from gateway.rules.engine import Engine
from gateway.rules.sharing import HEARTBEAT_S, HEARTBEAT_S_MIN, is_ours, line_to, policies_to

CLAUSE = {"source": "a case", "basis": "design"}
SHARE = CLAUSE | {"kind": "share_policy", "to": ["alpha"], "allow": ["call"]}
CHECK = CLAUSE | {"kind": "comm_check", "who": ["alpha"], "channels": ["hotline"], "every_s": 100}
RADIO = CHECK | {"channels": ["hf_main"], "every_s": 10}
BEFORE = (
    CLAUSE
    | {"kind": "comm_check", "who": ["alpha"], "channels": ["hotline"]}
    | {"before": "first_encounter"}
)


def engine(*, of="contact_point", own="site", state=State.IN_FORCE, kept=(), rule=None, **others):
    case = Case(does="keep a line", story=[], said=[], rule=rule, others=others)
    found = agreement_of(of, tables()["contact_point"], case)
    status = Status(state=state, on_suspend_keep=kept)
    return Engine(replace(found, own=own, status=status), KINDS)


def test_what_may_cross_is_said_by_every_clause_in_force_on_that_party():
    strict = SHARE | {"allow": ["told"]}
    both = engine(share=SHARE, strict=strict, other=SHARE | {"to": ["site"]})

    assert [one.allow for one in policies_to(both, "alpha")] == [{"call"}, {"told"}]
    held = engine(share=SHARE, strict=strict, state=State.SUSPENDED, kept=("strict",))
    assert [one.allow for one in policies_to(held, "alpha")] == [{"told"}]
    for state in (State.PROPOSED, State.TERMINATED):
        assert policies_to(engine(share=SHARE, state=state), "alpha") == ()


def test_a_line_is_kept_as_often_as_its_clauses_ask_and_tried_twice_in_their_time():
    terms = line_to(engine(check=CHECK, radio=RADIO, before=BEFORE), "alpha")

    assert (terms.own, terms.party, terms.channel, terms.endpoint) == (
        *("site", "alpha", "hotline"),
        "mqtt:hotline",
    )
    assert (terms.heartbeat_s, terms.check_s) == (60, 50)
    assert line_to(engine(), "alpha").check_s is None
    quick = {"who": ["alpha"], "endpoint": "hotline", "heartbeat_s": 0, "max_outage_s": 9}
    assert line_to(engine(rule=quick), "alpha").heartbeat_s == HEARTBEAT_S_MIN


def test_a_line_that_no_clause_asks_signs_of_is_kept_all_the_same():
    shared = {"to": ["alpha"], "allow": ["call"]}

    assert line_to(engine(of="share_policy", rule=shared), "alpha").heartbeat_s == HEARTBEAT_S


def test_there_is_no_line_of_an_observer_of_what_binds_nobody_or_where_none_is_agreed():
    lineless = engine()
    channels = {"hf_main": lineless.agreement.channels["hf_main"]}
    point = {"who": ["alpha"], "endpoint": "hf_main"}
    radio = engine(rule=point)
    radio = Engine(replace(radio.agreement, channels=channels), KINDS)

    assert line_to(engine(own=None), "alpha") is None
    assert line_to(engine(state=State.TERMINATED), "alpha") is None
    assert line_to(radio, "alpha") is None


def test_a_craft_is_ours_by_how_the_agreement_knows_us():
    found = engine().agreement
    match = replace(found.parties["site"].match, tag=("us",))
    parties = found.parties | {"site": replace(found.parties["site"], match=match)}
    ours = Engine(replace(found, parties=parties), KINDS)

    assert is_ours(ours, Identity(tag="us"), "ais")
    assert not is_ours(ours, Identity(tag="them"), "ais")
    assert not is_ours(ours, None, "ais")
