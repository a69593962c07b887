"""What procedure proposes: never a call that must not go out, and never on what is not known."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from gateway.app.composing import composed
from gateway.framing.nmea import FRAMER
from gateway.model.advice import StepKind
from gateway.model.inbound import Chunk, Moment
from gateway.model.incident import Phase
from gateway.model.plan import Own, PortPlan
from gateway.model.words import ClockState, Mode, Urgency
from gateway.pipeline import docket_of, hallway
from gateway.rules.advice import FLOOR_S, LATEST_S, LISTEN_S, Outlet, advise
from gateway.rules.asking import Air, request_of
from gateway.settings import profile_named
from gateway.settings.agreement import agreement_named

S = 10**9
NOON = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)
COAST = Own(mmsi="002320000", callsign="M0ABC")
SHIP = Own(mmsi="232000001")
MAYDAY = b"$CDDSC,12,2321234560,12,05,00,1503000500,1207,,,S,E"
ACKED = b"$CDDSC,16,0023200010,12,10,00,1503000500,1207,2321234560,05,S,E"
BANDS = {"vhf": 156_525_000, "mf": 2_187_500, "hf": 8_414_500}
PORTS = tuple(
    PortPlan(
        name=name,
        device=f"memory:{name}",
        modem="generic-dsc",
        profile=replace(profile_named("generic-dsc"), freq_hz=freq_hz, transmit=True),
    )
    for name, freq_hz in BANDS.items()
)
OUTLETS = tuple(
    Outlet(port=one.name, air=Air(freq_hz=one.profile.freq_hz, system="dsc"), says={"ack", "relay"})
    for one in PORTS
)
AGREED = replace(agreement_named("gmdss-coast-station"), own="station")


def at(seconds, *, clock=True):
    utc_ns = int(NOON.timestamp()) * S + round(seconds * S)
    return Moment(round(seconds * S) + S, utc_ns if clock else None, ClockState.NTP, 5)


class Station:
    """A station that has heard something, and what it would propose."""

    def __init__(self, *said, port="vhf", own=COAST, agreements=(AGREED,), outlets=OUTLETS):
        self.own, self.outlets = own, outlets
        self.rooms = hallway("here", PORTS, docket=docket_of(agreements))
        for place, one in enumerate(said):
            self.rooms.inbound(Chunk(port, at(place / 10), FRAMER.wrap(one), gap=False))
            self.rooms.inbound(Chunk(port, at(place / 10 + 0.05), b"", gap=True))

    def incident(self, **over):
        (told,) = self.rooms.incidents.standing()
        return replace(told, **over)

    def steps(self, seconds=1.0, incident=None, *, clock=True):
        now = at(seconds, clock=clock)
        advice = advise(
            incident or self.incident(),
            self.outlets,
            self.own,
            lambda letter, outlet: self.would(letter, outlet, now),
            now,
        )
        return None if advice is None else list(advice.steps)

    def would(self, letter, outlet, now):
        request = request_of(letter, outlet.air, now, persons=("somebody",), octets=60)
        return self.rooms.docket.would(request)


def kinds(steps):
    return [step.kind for step in steps]


def test_a_coast_station_acknowledges_on_vhf_at_once():
    ack, listen, rcc = Station(MAYDAY).steps()

    assert (ack.kind, ack.port, ack.not_before) == (StepKind.ACKNOWLEDGE, "vhf", None)
    assert ack.action.distress.mmsi == "232123456"
    assert ack.action.distress.nature == "sinking"
    assert ack.script[0] == "MAYDAY"
    assert ack.script[-1] == "RECEIVED MAYDAY"
    assert "two three two one two three four five six" in ack.script[1]
    assert (listen.kind, "156.8 MHz" in listen.words) == (StepKind.LISTEN, True)
    assert rcc.kind is StepKind.CALL_RCC


@pytest.mark.parametrize("port", ["mf"])
def test_on_mf_it_waits_for_the_minute_and_says_until_when(port):
    station = Station(MAYDAY, port=port)
    wait = station.steps(10)[0]
    ack = station.steps(FLOOR_S + 1)[0]
    late = station.steps(LATEST_S + 1)[0]

    assert wait.kind is StepKind.WAIT
    assert 49 < (wait.not_before - NOON).total_seconds() - 10 + 0.1 < 51
    assert 164 < (wait.not_after - NOON).total_seconds() < 166
    assert "gmdss-coast-station" in wait.why
    assert (ack.kind, "now." in ack.words) == (StepKind.ACKNOWLEDGE, True)
    assert "it is late for that" in late.words


def test_the_floor_of_the_standard_holds_where_no_agreement_has_one():
    rules = tuple(one for one in AGREED.rules if one.kind != "ack_deadline")
    station = Station(MAYDAY, port="mf", agreements=(replace(AGREED, rules=rules),))

    assert station.steps(10)[0].kind is StepKind.WAIT
    assert station.steps(61)[0].kind is StepKind.ACKNOWLEDGE


def test_without_an_agreement_no_call_stands_ready():
    steps = Station(MAYDAY, agreements=()).steps()

    assert kinds(steps) == [StepKind.LISTEN, StepKind.LISTEN, StepKind.CALL_RCC]
    assert not [step for step in steps if step.action]


def test_a_ship_acknowledges_by_voice_and_listens_five_minutes():
    listen, rcc = Station(MAYDAY, own=SHIP).steps()

    assert (listen.kind, rcc.kind) == (StepKind.LISTEN, StepKind.CALL_RCC)
    assert listen.action is None
    assert listen.script[-1] == "RECEIVED MAYDAY"
    assert (listen.not_after - NOON).total_seconds() == pytest.approx(LISTEN_S, abs=0.2)


def test_after_five_minutes_a_ship_relays_and_on_hf_never_to_all_ships():
    relay = Station(MAYDAY, own=SHIP, port="hf").steps(LISTEN_S + 1)[0]

    assert (relay.kind, relay.action) == (StepKind.RELAY, None)
    assert relay.words == (
        "Nobody has acknowledged it for five minutes: relay it to a coast station."
        " Never to all ships on HF."
    )
    assert relay.script[0] == "MAYDAY RELAY, MAYDAY RELAY, MAYDAY RELAY"
    assert "POSITION five zero degrees three zero decimal zero minutes north" in relay.script[4]


def test_what_a_coast_station_has_acknowledged_is_listened_to():
    steps = Station(MAYDAY, ACKED).steps()

    assert kinds(steps) == [StepKind.LISTEN, StepKind.CALL_RCC]
    assert "mmsi:002320001" in steps[0].words


def test_a_casualty_that_calls_on_is_acknowledged_again():
    assert Station(MAYDAY, ACKED, MAYDAY).steps()[0].kind is StepKind.ACKNOWLEDGE


def test_one_that_has_cancelled_is_confirmed_by_voice():
    station = Station(MAYDAY)
    steps = station.steps(incident=station.incident(phase=Phase.AWAITING_CONFIRMATION))

    assert kinds(steps) == [StepKind.LISTEN, StepKind.CALL_RCC]
    assert not [step for step in steps if step.action]


@pytest.mark.parametrize(
    "over",
    [
        {"mode": Mode.TEST},
        {"mode": Mode.EXERCISE},
        {"severity": Urgency.URGENCY},
        {"covert": True},
        {"phase": Phase.RESOLVED},
        {"phase": Phase.FALSE_ALERT},
        {"phase": Phase.CANCELLED},
    ],
    ids=str,
)
def test_nothing_is_proposed_for_what_is_no_open_distress(over):
    station = Station(MAYDAY)

    assert station.steps(incident=station.incident(**over)) is None


def test_a_covert_call_in_an_open_incident_is_answered_by_nobody():
    station = Station(MAYDAY)
    incident = station.incident()
    evidence = tuple(replace(one, covert=True) for one in incident.evidence)

    assert kinds(station.steps(incident=replace(incident, evidence=evidence))) == ["call_rcc"]


def test_a_port_that_only_receives_leaves_it_to_the_radio():
    deaf = tuple(replace(one, says=frozenset()) for one in OUTLETS)
    ack = Station(MAYDAY, outlets=deaf).steps()[0]

    assert (ack.kind, ack.port, ack.action) == (StepKind.ACKNOWLEDGE, None, None)
    assert "at the radio itself" in ack.words


def test_what_is_not_known_is_said():
    station = Station(MAYDAY, own=Own())
    incident = replace(station.incident(), position=None, natures=(), evidence=())
    advice = advise(incident, OUTLETS, Own(), None, at(1))

    assert len(advice.unknown) == 4
    assert kinds(advice.steps) == [StepKind.CALL_RCC]


def test_without_a_clock_no_moment_is_named():
    wait = Station(MAYDAY, port="mf").steps(10, clock=False)[0]

    assert (wait.kind, wait.not_before, wait.not_after) == (StepKind.WAIT, None, None)
    assert "in 50 s" in wait.words


@given(
    seconds=st.floats(0.2, 1000),
    port=st.sampled_from(sorted(BANDS)),
    own=st.sampled_from([COAST, SHIP]),
    calls=st.lists(st.sampled_from([MAYDAY, ACKED]), min_size=1, max_size=4),
)
def test_what_stands_ready_is_taken_by_its_radio_and_let_pass_by_the_agreements(
    seconds, port, own, calls
):
    station = Station(MAYDAY, *calls, port=port, own=own)
    now = at(seconds + 1)
    for step in station.steps(seconds + 1):
        if step.action is None:
            continue
        plan = next(one for one in PORTS if one.name == step.port)
        outlet = next(one for one in OUTLETS if one.port == step.port)
        letter = letter_of(step)
        assert composed(letter, plan, own, 0)
        gated = station.would(letter, outlet, now)
        assert gated.judgement in {"ok", "exempt", "deferred"}
        assert own is COAST or step.kind is not StepKind.ACKNOWLEDGE


def letter_of(step):
    from gateway.model.transmission import Letter  # noqa: PLC0415  # for this alone

    return Letter(
        command_id="c",
        audience="here",
        seq=1,
        issued=NOON,
        not_after=NOON,
        port=step.port,
        action=step.action,
    )


def test_asking_what_would_be_changes_nothing():
    station = Station(MAYDAY)
    bench = station.rooms.docket.bench

    def known():
        return msgspec.msgpack.encode(
            [{name: (one.kind, one.memory, one.standing) for name, one in bench.keep().items()}]
        )

    before = known()
    for seconds in (1, 70, 400):
        station.steps(seconds)

    assert known() == before
