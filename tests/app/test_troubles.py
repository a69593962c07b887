"""What is wrong with links is said once for all of them, and taken back when it is over."""

from __future__ import annotations

import pytest
from msgspec import defstruct

from gateway.app.troubles import flood_in, transmitters_in, troubles_of
from gateway.correlate.floods import CALLERS_FLOOD, FRAGMENTS_FIRST, Floods
from gateway.transport.leave import Standing
from gateway.transport.supervisor import PortState
from tests.rooms.correlate.test_floods import call

State = defstruct(
    "State",
    [
        "name",
        ("disputed", tuple, ()),
        ("down", tuple, ()),
        ("certificate_trouble", object, None),
    ],
)


def test_links_that_nothing_is_wrong_with_raise_no_alarm():
    nothing = {"link": None, "certificate": None, "client_id": None}

    assert dict(troubles_of([State("local"), State("shore")])) == nothing


def test_each_link_whose_name_is_shared_is_named_with_the_remedy():
    states = [State("local"), State("a", ("gw-distress-01ab",)), State("b", ("x-1", "x-2"))]

    text = dict(troubles_of(states))["client_id"]

    assert "local" not in text
    assert "of link a bears our name: we go by gw-distress-01ab meanwhile" in text
    assert "of link b bears our name: we go by x-1, x-2 meanwhile" in text
    assert "client_id of its own in [link.b]" in text


def test_each_link_that_is_down_is_named_with_what_it_does_not_carry():
    states = [State("local"), State("shore", down=("distress", "receipts"))]

    text = dict(troubles_of(states))["link"]

    assert text.startswith("link shore is down: distress, receipts; ")
    assert "local" not in text


def test_a_flood_is_told_for_what_it_is():
    floods = Floods()
    assert flood_in(floods, 0) is None
    for number in range(CALLERS_FLOOD):
        floods.called(call(f"{number:09d}"))
    assert "each may be real" in flood_in(floods, 0)
    for _ in range(FRAGMENTS_FIRST + 1):
        floods.fragment_passes("vhf", 0)

    assert "port vhf brings more damaged calls" in flood_in(floods, 0)


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (PortState(name="vhf", device="d"), None),
        (PortState(name="vhf", device="d", transmit=Standing("ready")), None),
        (PortState(name="vhf", device="d", transmit=Standing("unproven", "no hello")), None),
        (PortState(name="vhf", device="d", transmit=Standing("dead", "it hung")), "any more"),
        (PortState(name="vhf", device="d", key_stuck="not dropped"), "cut its power"),
    ],
    ids=["receives", "ready", "unproven", "dead", "stuck"],
)
def test_a_transmitter_that_may_be_stuck_or_is_dead_is_told_with_what_to_do(state, words):
    found = transmitters_in([PortState(name="ais", device="e"), state])

    assert (found is None) == (words is None)
    assert words is None or (words in found and "port vhf" in found)
