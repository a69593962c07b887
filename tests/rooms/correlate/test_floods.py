"""Floods are flagged; no whole call is held back, and the first fragments of each port pass."""

from __future__ import annotations

import pytest

from gateway.correlate.floods import (
    CALLERS_FLOOD,
    CALLERS_MAX,
    CALM_NS,
    FRAGMENT_NS,
    FRAGMENTS_FIRST,
    WINDOW_NS,
    Floods,
)
from gateway.model.inbound import Heard, Report
from gateway.model.place import Identity
from gateway.model.words import ClockState, Confidence, Integrity, Kind, Mode, Urgency


def call(mmsi, mono_ns=0, *, urgency=Urgency.DISTRESS, mode=Mode.REAL):
    heard = Heard(station="a", port="p", modem="m", mono_ns=mono_ns, clock=ClockState.FREE)
    return Report(
        report_id="0" * 32,
        schema=1,
        system="dsc",
        kind=Kind.ALERT,
        urgency=urgency,
        mode=mode,
        sender=None if mmsi is None else Identity(mmsi=mmsi),
        heard=heard,
        integrity=Integrity.CHECKSUM,
        confidence=Confidence.VERIFIED,
        raw=("$CDDSC",),
    )


def test_each_caller_counts_once_and_for_the_window():
    floods = Floods()
    for second in range(CALLERS_FLOOD):
        floods.called(call(f"{second % 3:09d}", second * 10**9))

    assert floods.callers(CALLERS_FLOOD * 10**9) == 3
    assert floods.callers(CALLERS_FLOOD * 10**9 + WINDOW_NS) == 0


@pytest.mark.parametrize(
    "other", [{"urgency": Urgency.ROUTINE}, {"urgency": Urgency.SAFETY}, {"mode": Mode.TEST}]
)
def test_who_does_not_call_for_help_is_no_caller(other):
    floods = Floods()
    floods.called(call("200000001", **other))

    assert floods.callers(0) == 0


def test_those_without_a_name_are_one_caller():
    floods = Floods()
    for _ in range(2):
        floods.called(call(None))

    assert floods.callers(0) == 1


def test_no_more_callers_are_remembered_than_prove_a_flood():
    floods = Floods()
    for number in range(2 * CALLERS_MAX):
        floods.called(call(f"{number:09d}"))

    assert floods.callers(0) == CALLERS_MAX >= CALLERS_FLOOD


def test_the_first_fragments_of_each_port_pass_and_then_so_many_a_minute():
    floods = Floods()
    passed = [floods.fragment_passes("vhf", 0) for _ in range(FRAGMENTS_FIRST + 5)]

    assert passed == [True] * FRAGMENTS_FIRST + [False] * 5
    assert floods.fragment_passes("ais", 0)
    assert not floods.fragment_passes("vhf", FRAGMENT_NS - 1)
    assert floods.fragment_passes("vhf", FRAGMENT_NS)
    assert not floods.fragment_passes("vhf", FRAGMENT_NS)


def test_time_that_runs_backwards_lets_none_pass_twice():
    floods = Floods()
    for _ in range(FRAGMENTS_FIRST):
        floods.fragment_passes("vhf", FRAGMENT_NS)

    assert not floods.fragment_passes("vhf", 0)


def test_a_port_is_flooded_until_none_has_stood_back_for_a_while():
    floods = Floods()
    assert floods.ports(0) == []
    for _ in range(FRAGMENTS_FIRST):
        floods.fragment_passes("vhf", 0)
    assert floods.ports(0) == []
    floods.fragment_passes("vhf", 1)

    assert floods.ports(1) == ["vhf"]
    assert floods.ports(1 + CALM_NS) == ["vhf"]
    assert floods.ports(2 + CALM_NS) == []
