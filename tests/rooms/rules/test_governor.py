"""The funnel of all transmitters: order, limits, echoes, and room for what is graver."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from gateway.model.plan import TransmitPlan
from gateway.model.words import URGENCIES, Urgency
from gateway.rules import governor as room
from gateway.rules.governor import (
    HOUR_NS,
    LISTEN_NS,
    MINUTE_NS,
    SAME_NS,
    WISHES_MAX,
    Governor,
    Wish,
)

S = 10**9
T0 = 1_000 * S


def wish(name="a", **said):
    plain = {
        "request_id": name,
        "port": "dsc",
        "channel": "vhf70",
        "urgency": Urgency.ROUTINE,
        "same": name.encode(),
        "airtime_s": 0.5,
        "asked_ns": T0,
        "not_before_ns": T0,
        "not_after_ns": T0 + 60 * S,
    }
    return Wish(**{**plain, **said})


def governor(**limits):
    return Governor(TransmitPlan(**limits))


def transmit(at, one, now_ns):
    at.begin(one, now_ns)
    at.end(one)


def test_what_is_graver_goes_first_and_of_these_what_was_asked_for_first():
    at = governor()
    for number, urgency in enumerate((Urgency.ROUTINE, Urgency.SAFETY, Urgency.DISTRESS)):
        at.put(wish(f"{urgency}", urgency=urgency, asked_ns=T0 + number))
    at.put(wish("distress too", urgency=Urgency.DISTRESS, asked_ns=T0 + 9))

    order = [one.request_id for one in at.waiting]
    assert order == ["distress", "distress too", "safety", "routine"]
    assert at.turn(T0).request_id == "distress"


def test_what_is_being_transmitted_is_not_broken_off_and_nothing_else_begins_on_its_channel():
    at = governor()
    slow = wish("routine")
    at.begin(slow, T0)
    at.put(wish("mayday", urgency=Urgency.DISTRESS))
    at.put(wish("elsewhere", channel="mf"))

    assert at.turn(T0).request_id == "elsewhere"
    at.end(slow)
    assert at.turn(T0).request_id == "mayday"


def test_what_is_deferred_goes_from_its_moment_on():
    at = governor()
    at.put(wish("ack", urgency=Urgency.DISTRESS))
    at.defer("ack", T0 + 5 * S)

    assert at.turn(T0 + 5 * S - 1) is None
    assert at.turn(T0 + 5 * S).request_id == "ack"


def test_the_same_is_refused_while_it_waits_and_for_a_minute_after():
    at = governor()
    first, again = wish("a", same=b"x"), wish("b", same=b"x")
    at.put(first)
    assert "ordered as a" in at.refuse(again)

    transmit(at, first, T0)
    assert "0 s ago" in at.refuse(again)
    assert at.refuse(replace(again, asked_ns=T0 + SAME_NS - 1)) is not None
    assert at.refuse(replace(again, asked_ns=T0 + SAME_NS)) is None


def test_nothing_but_distress_begins_while_somebody_else_is_on_the_air():
    at = governor()
    at.put(wish("routine"))
    at.heard("vhf70", T0)
    at.heard("mf", T0)

    assert at.turn(T0 + LISTEN_NS - 1) is None
    assert at.turn(T0 + LISTEN_NS).request_id == "routine"
    at.put(wish("mayday", urgency=Urgency.DISTRESS))
    assert at.turn(T0).request_id == "mayday"


@pytest.mark.parametrize(
    ("limits", "span_ns"),
    [({"per_minute": 4}, MINUTE_NS), ({"per_minute": 60, "per_hour": 4}, HOUR_NS)],
    ids=["a minute", "an hour"],
)
def test_a_channel_has_so_many_and_graver_orders_find_room_left(limits, span_ns):
    at = governor(**limits)
    for number in range(2):
        transmit(at, wish(f"{number}"), T0 + number)
    late = T0 + span_ns

    assert at.ready_ns(wish("r"), T0 + 2) == late
    assert "50% are for routine" in at.refuse(wish("r", asked_ns=T0 + 2, not_after_ns=late - 1))
    assert at.refuse(wish("r", asked_ns=T0 + 2, not_after_ns=late)) is None
    assert at.ready_ns(wish("d", urgency=Urgency.DISTRESS), T0 + 2) == T0 + 2
    assert at.ready_ns(wish("r", channel="mf"), T0 + 2) == T0 + 2
    for number in range(2, 4):
        transmit(at, wish(f"{number}", urgency=Urgency.DISTRESS), T0 + number)
    assert at.ready_ns(wish("d", urgency=Urgency.DISTRESS), T0 + 4) == late


def test_a_channel_has_so_much_time_on_the_air():
    at = governor(airtime_s_per_hour=20)
    for number in range(2):
        transmit(at, wish(f"{number}", airtime_s=4.0), T0 + number * S)

    assert at.ready_ns(wish("r", airtime_s=2.0), T0 + 2 * S) == T0 + 2 * S
    assert at.ready_ns(wish("r", airtime_s=2.1), T0 + 2 * S) == T0 + HOUR_NS
    assert at.ready_ns(wish("r", airtime_s=6.1), T0 + 2 * S) == T0 + S + HOUR_NS
    assert at.ready_ns(wish("r", airtime_s=10.1), T0 + 2 * S) >= T0 + 2 * HOUR_NS
    assert at.ready_ns(wish("d", airtime_s=12.0, urgency=Urgency.DISTRESS), T0) == T0


def test_a_full_funnel_gives_its_least_place_to_what_is_graver_and_to_nothing_else():
    at = governor()
    for number in range(WISHES_MAX):
        at.put(wish(f"{number}", asked_ns=T0 + number))

    assert "orders wait already" in at.refuse(wish("routine", asked_ns=T0 + 99))
    mayday = wish("mayday", urgency=Urgency.DISTRESS, asked_ns=T0 + 99)
    assert at.refuse(mayday) is None
    assert at.put(mayday).request_id == f"{WISHES_MAX - 1}"
    assert len(at.waiting) == WISHES_MAX
    assert next(at.bounds()).evicted == 1


def test_what_nobody_wants_begun_any_more_is_taken_out():
    at = governor()
    at.put(wish("a"))
    at.put(wish("b", not_after_ns=T0 + 1))
    at.put(wish("c"))
    at.drop("c")

    assert at.over(T0 + 1) == ()
    assert [one.request_id for one in at.over(T0 + 2)] == ["b"]
    assert [one.request_id for one in at.waiting] == ["a"]


def test_what_an_earlier_run_has_transmitted_counts():
    before, at = governor(per_minute=1), governor(per_minute=1)
    transmit(before, wish("a", same=b"x"), T0)
    at.restore(before.keep())

    assert at.refuse(wish("b", same=b"x", asked_ns=T0 + S)) is not None
    assert at.ready_ns(wish("c"), T0 + S) == T0 + MINUTE_NS
    assert [bound.held for bound in at.bounds()] == [0, 1, 0]


def test_what_is_remembered_of_what_was_sent_and_heard_is_bounded(monkeypatch):
    monkeypatch.setattr(room, "SENT_MAX", 3)
    at = governor(per_minute=60)
    for number in range(WISHES_MAX + 5):
        at.heard(f"{number}", T0)
    for number in range(5):
        transmit(at, wish(f"{number}"), T0 + number)

    _, sent, heard = at.bounds()
    assert (sent.held, sent.limit) == (3, 3)
    assert (heard.held, heard.limit) == (WISHES_MAX, WISHES_MAX)
    assert at.refuse(wish("1", same=b"1", asked_ns=T0 + 9)) is None
    assert at.refuse(wish("2", same=b"2", asked_ns=T0 + 9)) is not None


@given(
    st.lists(
        st.tuples(
            st.sampled_from(URGENCIES),
            st.integers(0, 600),
            st.sampled_from(["vhf70", "mf"]),
            st.floats(0.1, 20.0),
        ),
        max_size=60,
    )
)
def test_whatever_is_asked_for_no_channel_ever_has_more_than_it_may(asked):
    limits = TransmitPlan(per_minute=3, per_hour=8, airtime_s_per_hour=60)
    at = Governor(limits)
    sent = {"vhf70": [], "mf": []}
    now_ns = T0
    for number, (urgency, later_s, channel, airtime_s) in enumerate(asked):
        now_ns += later_s * S
        one = wish(
            f"{number}",
            urgency=urgency,
            channel=channel,
            airtime_s=airtime_s,
            asked_ns=now_ns,
            not_before_ns=now_ns,
            not_after_ns=now_ns + 60 * S,
        )
        at.over(now_ns)
        if at.refuse(one) is None:
            at.put(one)
        ready = at.turn(now_ns)
        if ready is not None:
            transmit(at, ready, now_ns)
            sent[ready.channel].append((now_ns, ready.airtime_s))

    for times in sent.values():
        for at_ns, _ in times:
            minute = [one for one in times if at_ns - MINUTE_NS < one[0] <= at_ns]
            hour = [one for one in times if at_ns - HOUR_NS < one[0] <= at_ns]
            assert len(minute) <= limits.per_minute
            assert len(hour) <= limits.per_hour
            assert sum(airtime_s for _, airtime_s in hour) <= limits.airtime_s_per_hour + 1e-6
        assert all(one[0] <= other[0] for one, other in pairwise(times))
