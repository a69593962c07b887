"""The name of a connection: when it is given up for another, and when it is tried again."""

from __future__ import annotations

import random

import pytest

from gateway.mqtt.naming import (
    HUNG_UP,
    OWN_NAME_S,
    SHORT_S,
    TAKEN_OVER,
    TAKEOVER_S,
    TAKEOVERS_MAX,
    WINDOW_S,
    Ending,
    Naming,
)

S = 10**9


@pytest.fixture
def naming():
    return Naming("gw-distress", random.Random(1))


def lived(parting, lasted_s=7.0, *, stood=True):
    return Ending(stood=stood, lasted_s=lasted_s, parting=parting)


def thrown_out(naming, times, *, every_s=7.0, parting=TAKEN_OVER, since_s=0.0):
    for turn in range(times):
        naming.begun(int((since_s + turn * every_s) * S))
        naming.ended(lived(parting), int((since_s + (turn + 1) * every_s) * S))
    return naming.name


def test_a_name_is_given_up_after_three_takeovers_within_the_window(naming):
    assert thrown_out(naming, TAKEOVERS_MAX - 1) == "gw-distress"
    assert naming.disputed(0) is None

    name = thrown_out(naming, 1, since_s=20)

    assert name.startswith("gw-distress-")
    assert naming.begun(30 * S) == naming.disputed(30 * S) == name


def test_takeovers_far_apart_cost_no_name(naming):
    assert thrown_out(naming, 20, every_s=WINDOW_S / 2 + 1) == "gw-distress"


def test_a_name_that_is_fought_for_too_is_given_up_for_another(naming):
    first = thrown_out(naming, TAKEOVERS_MAX)
    second = thrown_out(naming, TAKEOVERS_MAX, since_s=60)

    assert len({"gw-distress", first, second}) == 3


def test_without_a_reason_code_a_second_short_connection_in_a_row_is_the_sign(naming):
    assert naming.ended(lived(HUNG_UP), 1 * S) is None
    assert naming.ended(lived(HUNG_UP), 2 * S)
    assert naming.ended(lived(HUNG_UP), 3 * S)
    assert naming.name == "gw-distress"
    assert naming.ended(lived(HUNG_UP), 4 * S) == 0
    assert naming.name != "gw-distress"


@pytest.mark.parametrize(
    "other",
    [
        lived(None, stood=False),
        lived(HUNG_UP, stood=False),
        lived(HUNG_UP, SHORT_S),
        lived(None),
        lived(0x8B),
    ],
    ids=["in vain", "refused", "long", "line", "goodbye"],
)
def test_a_broker_that_restarts_or_a_line_that_breaks_is_no_takeover(naming, other):
    for turn in range(20):
        assert naming.ended(lived(HUNG_UP), 2 * turn * S) is None
        assert naming.ended(other, (2 * turn + 1) * S) is None

    assert naming.name == "gw-distress"


def test_the_configured_name_is_tried_again_and_is_not_trusted_at_once(naming):
    name = thrown_out(naming, TAKEOVERS_MAX)
    later_s = 7 * TAKEOVERS_MAX + OWN_NAME_S
    assert naming.begun(int((later_s - 1) * S)) == name
    assert naming.begun(int(later_s * S)) == "gw-distress"

    assert naming.disputed(int((later_s + WINDOW_S - 1) * S)) == "gw-distress"
    assert naming.disputed(int((later_s + WINDOW_S) * S)) is None


def test_the_pause_after_a_takeover_has_a_floor_and_dice(naming):
    far_s = int(WINDOW_S * S)
    pauses = [naming.ended(lived(TAKEN_OVER), turn * far_s) for turn in range(1000)]

    assert TAKEOVER_S <= min(pauses) < TAKEOVER_S * 1.05
    assert TAKEOVER_S * 1.95 < max(pauses) <= 2 * TAKEOVER_S
