"""Leave to transmit: what the rules let pass gets one, for its bytes, its port and its time."""

from __future__ import annotations

from hashlib import sha256

import pytest
from rooms.rules.cases import KINDS, START_NS, agreement_of, cases_of, tables

from gateway.model.asked import Request
from gateway.model.inbound import Moment
from gateway.model.verdict import Judgement
from gateway.model.words import ClockState, Urgency
from gateway.rules.bench import Bench
from gateway.rules.docket import Docket
from gateway.rules.engine import Gated
from gateway.rules.permit import GOOD_FOR_NS, Load, Permit, permitted

TABLE = tables()["allowed_use"]
AT = Moment(START_NS, None, ClockState.UNSET)
DIGEST = sha256(b"$CDDSC").digest()


def load(**said):
    ends = START_NS + 60 * 10**9
    plain = {"port": "dsc", "sha256": DIGEST, "airtime_s": 0.5, "not_after_mono_ns": ends}
    return Load(**{**plain, **said})


def asked(*, begun=True, **said):
    agreement = agreement_of("allowed_use", TABLE, cases_of(TABLE)[0])
    desk = Docket(Bench([agreement], KINDS), begun=begun)
    plain = {"freq_hz": 156_525_000, "mode": "dsc", "category": Urgency.ROUTINE}
    request = {**plain, "purpose": "calling", **said}
    return desk.gate(Request(request_id="r", at=AT, **request), load()), agreement


def test_what_passes_gets_leave_with_the_rules_and_the_agreement_that_gave_it():
    gate, agreement = asked()

    assert gate.gated.judgement is Judgement.OK
    assert gate.permit.digests == (agreement.digest,)
    assert gate.permit.rules == tuple(
        f"{note.verdict.agreement}/{note.verdict.rule}" for note in gate.notes
    )
    assert gate.permit.until_mono_ns == START_NS + GOOD_FOR_NS


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"purpose": "position"}, "the rule denies it"),
        ({"freq_hz": 150_000_000}, "no agreement names the channel"),
        ({"begun": False}, "nobody knows yet what was remembered"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_nothing_else_gets_leave(said, why):
    assert asked(**said)[0].permit is None, why


def test_what_no_rule_says_anything_of_gets_no_leave():
    assert permitted("r", Gated(judgement=Judgement.OK, verdicts=()), load(), START_NS) is None


def test_a_permit_is_for_its_port_its_bytes_and_its_time():
    permit = asked()[0].permit

    assert permit.covers("dsc", DIGEST, permit.until_mono_ns) is None
    assert "port dsc" in permit.covers("vhf", DIGEST, START_NS)
    assert "other bytes" in permit.covers("dsc", sha256(b"").digest(), START_NS)
    assert "0.500 s ago" in permit.covers("dsc", DIGEST, permit.until_mono_ns + 500_000_000)


def test_a_permit_ends_when_whoever_ordered_it_wants_it_no_more():
    gated = asked()[0].gated
    permit = permitted("r", gated, load(not_after_mono_ns=START_NS + 5), START_NS)

    assert permit.until_mono_ns == START_NS + 5


def test_nobody_else_can_make_one():
    said = {"request_id": "r", "load": load(), "digests": (), "rules": (), "until_mono_ns": 0}
    with pytest.raises(TypeError):
        Permit(object(), **said)
