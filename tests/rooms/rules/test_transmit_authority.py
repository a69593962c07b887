"""What a table can't show of who may transmit."""

import pytest
from msgspec.structs import replace
from rooms.rules.cases import START_NS, agreement_of, cases_of, tables

from gateway.model.asked import Request
from gateway.model.inbound import Moment
from gateway.model.words import Urgency
from gateway.rules.ground import Ground
from gateway.rules.kinds.transmit_authority import Terms, TransmitAuthority

TABLE = tables()["transmit_authority"]


@pytest.fixture
def agreement():
    return agreement_of("transmit_authority", TABLE, cases_of(TABLE)[0])


@pytest.mark.parametrize(
    ("terms", "flaws"),
    [
        ({"channels": ("guard_vhf",), "who": ("site",)}, []),
        ({"channels": ("epirb406",), "who": ("beacons",)}, []),
        ({"channels": ("epirb406",), "who": ("station",)}, ["is only listened to"]),
        ({"channels": ("traffic",), "who": ("site",)}, ["`traffic` is no channel of its own"]),
        ({"channels": ("guard_vhf",), "who": ("addressee",)}, ["`who` names no party"]),
    ],
)
def test_a_clause_that_makes_no_sense_is_found(agreement, terms, flaws):
    found = list(TransmitAuthority(Terms(**terms), Ground(agreement)).flaws())

    assert len(found) == len(flaws)
    assert all(words in flaw for words, flaw in zip(flaws, found, strict=True))


def test_where_no_party_is_this_station_nobody_knows_whether_it_may(agreement):
    parties = {"bravo": agreement.parties["bravo"]}
    ground = Ground(replace(agreement, parties=parties, own=None))
    rule = TransmitAuthority(Terms(channels=("guard_vhf",), who=("bravo",)), ground)
    request = Request(
        request_id="r",
        at=Moment(START_NS),
        channel="guard_vhf",
        category=Urgency.ROUTINE,
        purpose="contact",
    )

    assert rule.gate(request).judgement == "unknown"
    assert rule.gate(replace(request, by="bravo")).judgement == "ok"
