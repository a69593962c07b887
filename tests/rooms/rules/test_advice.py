"""What procedure proposes: never a call that must not go out, and never on what is not known."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import astuple, replace

from gateway.app.composing import composed
from gateway.framing.nmea import FRAMER
from gateway.model.advice import StepKind
from gateway.model.agreement import EventWord, Match
from gateway.model.asked import Fact
from gateway.model.inbound import Chunk, Moment, Tick
from gateway.model.incident import Phase
from gateway.model.plan import Own, PortPlan
from gateway.model.transmission import Letter, Silence, To
from gateway.model.verdict import Judgement
from gateway.model.words import ClockState, Confidence, Mode, Urgency
from gateway.pipeline import docket_of, hallway
from gateway.rules import script
from gateway.rules.advice import CASES_MAX, advise
from gateway.rules.answers import FLOOR_S, LATEST_S, LISTEN_S, Asks, Outlet
from gateway.rules.asking import Air, request_of
from gateway.rules.engine import Gated
from gateway.rules.when import When
from gateway.settings import profile_named
from gateway.settings.agreement import agreement_named

S = 10**9
NOON = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)
COAST = Own(mmsi="002320000", callsign="M0ABC")
SHIP = Own(mmsi="232000001")
MAYDAY = b"$CDDSC,12,2321234560,12,05,00,1503000500,1207,,,S,E"
ACKED = b"$CDDSC,16,0023200010,12,10,00,1503000500,1207,2321234560,05,S,E"
OURS = b"$CDDSC,12,0023200000,12,05,00,1503000500,1207,,,S,E"
"""An alert of this coast station itself."""
PAN_PAN = b"$CDDSC,16,2321234560,10,00,26,900016,,,,S,"
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
    Outlet(
        port=one.name,
        air=Air(freq_hz=one.profile.freq_hz, system="dsc"),
        says=frozenset({"ack", "relay", "cancel"}),
    )
    for one in PORTS
)
AGREED = replace(agreement_named("gmdss-coast-station"), own="station")
ASHIP = replace(AGREED, own="ships")


def at(seconds, *, clock=True):
    utc_ns = int(NOON.timestamp()) * S + round(seconds * S)
    return Moment(round(seconds * S) + S, utc_ns if clock else None, ClockState.NTP, 5)


class Station:
    """A station that has heard something, and what it would propose."""

    def __init__(self, *said, port="vhf", own=COAST, agreements=(AGREED,), outlets=OUTLETS):
        self.own, self.outlets = own, outlets
        self.rooms = hallway("here", PORTS, docket=docket_of(agreements))
        for place, one in enumerate(said):
            self.hears(one, place / 10, port=port)

    def hears(self, said, seconds, *, port="vhf"):
        self.rooms.inbound(Chunk(port, at(seconds), FRAMER.wrap(said), gap=False))
        self.rooms.inbound(Chunk(port, at(seconds + 0.05), b"", gap=True))

    def incident(self, **over):
        (told,) = self.rooms.incidents.standing()
        return replace(told, **over)

    def advice(self, seconds=1.0, incident=None, *, clock=True, answered_s=None):
        now = at(seconds, clock=clock)
        bench = self.rooms.docket.bench
        asks = Asks(
            would=lambda letter, outlet: self.would(letter, outlet, now),
            hides=bench.hides,
            quiet=bench.quiet,
            coasts=bench.coasts(),
            answered_ns=lambda _: None if answered_s is None else at(answered_s).mono_ns,
        )
        return advise(incident or self.incident(), self.outlets, self.own, asks, now)

    def steps(self, seconds=1.0, incident=None, **how):
        advice = self.advice(seconds, incident, **how)
        return None if advice is None else list(advice.steps)

    def passes(self, seconds):
        """Let so many seconds pass, from the beginning, tick by tick."""
        for second in range(1, seconds + 1):
            self.rooms.tick(Tick(at(second)))
        return self

    def says(self, what, seconds=1.0, **said):
        """State something that no radio says."""
        self.rooms.state(Fact(fact_id=f"f{seconds}", what=what, at=at(seconds), **said))

    def would(self, letter, outlet, now):
        request = request_of(letter, outlet.air, now, persons=("somebody",), octets=60)
        return self.rooms.docket.would(request)


def kinds(steps):
    return [step.kind for step in steps]


def test_a_coast_station_acknowledges_on_vhf_at_once():
    ack, listen, silence, rcc = Station(MAYDAY).steps()

    assert (ack.kind, ack.port, ack.not_before) == (StepKind.ACKNOWLEDGE, "vhf", None)
    assert ack.action.distress.mmsi == "232123456"
    assert ack.action.distress.nature == "sinking"
    assert ack.script[0] == "MAYDAY"
    assert ack.script[-1] == "RECEIVED MAYDAY"
    assert "two three two one two three four five six" in ack.script[1]
    assert (listen.kind, "156.8 MHz" in listen.words) == (StepKind.LISTEN, True)
    assert (silence.kind, rcc.kind) == (StepKind.SILENCE, StepKind.CALL_RCC)
    assert rcc.script[0].startswith("DISTRESS OF MMSI two three two")
    assert "NATURE OF DISTRESS sinking" in rcc.script


@pytest.mark.parametrize("port", ["mf", "hf"])
def test_on_mf_and_hf_it_waits_for_the_minute_and_says_until_when(port):
    station = Station(MAYDAY, port=port)
    wait = station.steps(10)[0]
    ack = station.steps(FLOOR_S + 1)[0]
    late = station.passes(166).steps(LATEST_S + 1)[0]

    assert wait.kind is StepKind.WAIT
    assert (wait.not_before - NOON).total_seconds() == FLOOR_S
    assert (wait.not_after - NOON).total_seconds() == LATEST_S
    assert "gmdss-coast-station/G09; ITU-R M.541" in wait.why
    assert (ack.kind, "now." in ack.words) == (StepKind.ACKNOWLEDGE, True)
    assert (late.kind, "now, late as it is" in late.words) == (StepKind.ACKNOWLEDGE, True)


def test_a_call_that_comes_again_opens_a_window_of_its_own():
    station = Station(MAYDAY, port="mf").passes(240)
    station.hears(MAYDAY, 240, port="mf")
    wait = station.steps(241)[0]

    assert wait.kind is StepKind.WAIT
    assert (wait.not_before - NOON).total_seconds() == 300
    assert (wait.not_after - NOON).total_seconds() == 405


def test_a_call_of_which_the_incident_has_not_told_yet_opens_its_window_as_well():
    station = Station(MAYDAY, port="mf").passes(240)
    before = station.incident()
    station.hears(MAYDAY, 240, port="mf")
    wait = station.steps(241, before)[0]

    assert (wait.not_before - NOON).total_seconds() == 300
    assert (wait.not_after - NOON).total_seconds() == 405


def test_no_words_change_while_only_time_passes():
    station = Station(MAYDAY, port="mf")
    told = [station.advice(seconds) for seconds in (1, 2.5, 30, 59.7)]
    assert told == told[:1] * 4


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
    assert (listen.not_after - NOON).total_seconds() == LISTEN_S


def test_after_five_minutes_a_ship_relays_on_hf_to_a_coast_station_and_never_to_all_ships():
    station = Station(MAYDAY, own=SHIP, port="hf", agreements=(ASHIP,)).passes(301)
    relay = station.steps(LISTEN_S + 1)[0]

    assert (relay.kind, relay.port) == (StepKind.RELAY, "hf")
    assert (relay.action.to, relay.action.address) == (To.INDIVIDUAL, COAST.mmsi)
    assert "never to all ships" in relay.words
    assert relay.why == "gmdss-coast-station/G13; 47 CFR 80.1121 (c)"
    assert relay.script[0] == "MAYDAY RELAY, MAYDAY RELAY, MAYDAY RELAY"
    assert "POSITION five zero degrees three zero decimal zero minutes north" in relay.script[4]


def test_a_relay_that_the_agreements_deny_now_does_not_stand_ready(monkeypatch):
    station = Station(MAYDAY, own=SHIP, port="hf", agreements=(ASHIP,)).passes(301)
    denied = Gated(judgement=Judgement.DENIED, verdicts=())
    monkeypatch.setattr(station, "would", lambda *_: denied)
    relay = station.steps(LISTEN_S + 1)[0]

    assert (relay.kind, relay.action) == (StepKind.RELAY, None)


def test_a_ship_whose_radio_has_no_words_for_a_relay_has_no_call_ready():
    mute = tuple(replace(one, says=frozenset({"ack"})) for one in OUTLETS)
    station = Station(MAYDAY, own=SHIP, port="hf", agreements=(ASHIP,), outlets=mute)
    relay = station.passes(301).steps(301)[0]

    assert (relay.kind, relay.port, relay.action) == (StepKind.RELAY, None, None)


@pytest.mark.parametrize(
    "over",
    [
        {"system": "ais"},
        {"names": ("callsign:ABCD",)},
        {"alert_mono_ns": None},
        {"mode": Mode.TEST},
        {"urgency": Urgency.URGENCY},
    ],
    ids=["no-dsc", "no-mmsi", "told-by-others", "test", "urgency"],
)
def test_what_is_no_distress_alert_by_dsc_of_a_known_craft_is_not_acknowledged(over):
    station = Station(MAYDAY)
    incident = station.incident()
    evidence = tuple(replace(one, **over) for one in incident.evidence)
    advice = station.advice(incident=replace(incident, evidence=evidence))

    assert kinds(advice.steps) == [StepKind.CALL_RCC]
    assert any("how to answer by radio" in one for one in advice.unknown)


def test_a_real_distress_is_never_answered_by_a_port_of_an_exercise():
    drill = tuple(replace(one, air=replace(one.air, exercise=True)) for one in OUTLETS)

    assert kinds(Station(MAYDAY, outlets=drill).steps()) == [StepKind.CALL_RCC]


def test_a_ship_that_knows_no_coast_station_is_told_so():
    nobody = {**ASHIP.parties, "station": replace(ASHIP.parties["station"], match=Match())}
    station = Station(MAYDAY, own=SHIP, port="hf", agreements=(replace(ASHIP, parties=nobody),))
    advice = station.passes(301).advice(301)

    assert (advice.steps[0].kind, advice.steps[0].action) == (StepKind.RELAY, None)
    assert any("which coast station" in one for one in advice.unknown)


@pytest.mark.parametrize("port", ["vhf", "mf"])
def test_on_vhf_and_mf_a_ship_relays_to_nobody_by_dsc(port):
    station = Station(MAYDAY, own=SHIP, port=port, agreements=(ASHIP,)).passes(301)
    relay = station.steps(301)[0]

    assert (relay.kind, relay.port, relay.action) == (StepKind.RELAY, None, None)
    assert "tell a coast station" in relay.words


def test_a_coast_station_relays_to_the_ships_around_only_what_its_rescue_centre_has_asked_for():
    station = Station(MAYDAY)
    before = kinds(station.steps())
    station.says(EventWord.RCC_REQUEST, about="mmsi:232123456")
    relays = [one for one in station.steps(2) if one.kind is StepKind.RELAY]

    assert StepKind.RELAY not in before
    assert [one.port for one in relays] == ["vhf", "mf"]
    assert {one.action.to for one in relays} == {To.AREA}
    area = relays[0].action.area
    assert (area.lat_deg, area.lon_deg) == (52, -6)
    assert (area.southwards_deg, area.eastwards_deg) == (3, 3)
    assert relays[0].why.startswith("gmdss-coast-station/G22")


def test_that_nothing_stands_against_a_relay_is_no_reason_for_one():
    rules = tuple(one for one in AGREED.rules if one.kind != "relay")
    station = Station(MAYDAY, agreements=(replace(AGREED, rules=rules),))
    station.says(EventWord.RCC_REQUEST, about="mmsi:232123456")

    assert StepKind.ACKNOWLEDGE in kinds(station.steps(2))
    assert StepKind.RELAY not in kinds(station.steps(2))


@pytest.mark.parametrize(
    ("lat_deg", "lon_deg", "corner"),
    [
        (90.0, 180.0, (90, 179, 3, 3)),
        (-90.0, -180.0, (-89, 179, 1, 3)),
        (0.0, 0.0, (1, -1, 3, 3)),
    ],
)
def test_the_area_around_a_place_stays_on_the_earth(lat_deg, lon_deg, corner):
    station = Station(MAYDAY)
    station.says(EventWord.RCC_REQUEST, about="mmsi:232123456")
    incident = station.incident()
    incident = replace(
        incident, position=replace(incident.position, lat_deg=lat_deg, lon_deg=lon_deg)
    )
    relay = next(one for one in station.steps(2, incident) if one.kind is StepKind.RELAY)

    assert astuple(relay.action.area) == corner
    assert composed(letter_of(relay), PORTS[0], COAST, 0)


def test_what_this_station_has_acknowledged_is_not_acknowledged_again_until_it_calls():
    station = Station(MAYDAY)

    assert "acknowledged by this station" in station.steps(3, answered_s=2)[0].words
    station.hears(MAYDAY, 5)
    assert station.steps(6, answered_s=2)[0].kind is StepKind.ACKNOWLEDGE


def test_an_alert_of_this_station_itself_is_taken_back_and_never_acknowledged():
    steps = Station(OURS).steps()

    assert kinds(steps) == [StepKind.CANCEL, StepKind.CALL_RCC]
    assert steps[0].action.distress.mmsi == COAST.mmsi
    assert "47 CFR 80.335" in steps[0].why
    assert "CANCEL MY DISTRESS ALERT OF one two zero zero UTC" in steps[0].script
    mute = tuple(replace(one, says=frozenset({"ack"})) for one in OUTLETS)
    assert Station(OURS, outlets=mute).steps()[0].action is None


def test_silence_is_imposed_then_restricted_or_lifted_then_lifted():
    station = Station(MAYDAY)

    def spoken():
        return [one.action.words for one in station.steps(2) if one.kind is StepKind.SILENCE]

    assert spoken() == ["SEELONCE MAYDAY"]
    station.says(EventWord.SPOKEN, channel="vhf16", words="SEELONCE MAYDAY")
    assert spoken() == ["PRUDONCE", "SEELONCE FEENEE"]
    station.says(EventWord.SPOKEN, channel="vhf16", words="PRUDONCE")
    assert spoken() == ["SEELONCE FEENEE"]
    (lift,) = [one for one in station.steps(2) if one.kind is StepKind.SILENCE]
    assert lift.script[0] == "MAYDAY"
    assert lift.script[1] == "ALL STATIONS, ALL STATIONS, ALL STATIONS"
    assert lift.script[-1] == "SEELONCE FEENEE"
    assert "MMSI two three two one two three four five six" in lift.script
    assert (lift.action.channel, lift.why) == (
        "vhf16",
        "gmdss-coast-station/G14; 47 CFR 80.325 (c)",
    )


def test_an_urgency_call_is_listened_to_and_passed_on_by_voice_where_it_is_asked_for():
    advice = Station(PAN_PAN).advice()
    (listen,) = advice.steps

    assert (listen.kind, listen.action) == (StepKind.LISTEN, None)
    assert (listen.not_after - NOON).total_seconds() == 180
    assert listen.script[0] == "PAN PAN, PAN PAN, PAN PAN"
    assert not [one for one in advice.unknown if "how to answer" in one]


@pytest.mark.parametrize("deaf_first", [True, False], ids=["mute first", "mute last"])
def test_two_receivers_of_one_channel_lead_to_one_acknowledgement_by_the_one_that_can(deaf_first):
    deaf = replace(OUTLETS[0], port="second", says=frozenset())
    station = Station(MAYDAY, outlets=(deaf, *OUTLETS) if deaf_first else (*OUTLETS, deaf))
    incident = station.incident()
    evidence = tuple(replace(one, ports=("second", "vhf")) for one in incident.evidence)
    steps = station.steps(incident=replace(incident, evidence=evidence))

    assert [one.port for one in steps if one.kind is StepKind.ACKNOWLEDGE] == ["vhf"]


def test_on_a_frequency_that_nobody_knows_nothing_is_acknowledged():
    blind = tuple(replace(one, air=replace(one.air, freq_hz=None)) for one in OUTLETS)
    steps = Station(MAYDAY, outlets=blind).steps(100)

    assert kinds(steps) == [StepKind.LISTEN, StepKind.LISTEN, StepKind.CALL_RCC]
    assert "on which frequency" in steps[0].words


def test_what_a_radio_can_not_say_waits_for_its_time_as_well():
    deaf = tuple(replace(one, says=frozenset()) for one in OUTLETS)
    station = Station(MAYDAY, port="mf", agreements=(), outlets=deaf)

    assert station.steps(10)[0].kind is StepKind.WAIT
    assert station.steps(61)[0].kind is StepKind.ACKNOWLEDGE
    assert station.steps(61)[0].action is None


def test_what_an_agreement_keeps_covert_is_not_spoken_of():
    rules = tuple(
        replace(one, terms=replace(one.terms, when=When(type=(EventWord.DISTRESS_ALERT,))))
        if one.kind == "covert"
        else one
        for one in AGREED.rules
    )

    assert Station(MAYDAY, agreements=(replace(AGREED, rules=rules),)).advice() is None


def test_what_was_perhaps_misheard_is_named():
    station = Station(MAYDAY)
    incident = station.incident()
    doubted = tuple(replace(one, confidence=Confidence.TENTATIVE) for one in incident.evidence)
    advice = station.advice(incident=replace(incident, evidence=doubted))

    assert any("heard right" in one for one in advice.unknown)


def test_of_many_alerts_the_first_are_advised_about_and_the_others_counted():
    station = Station(MAYDAY)
    incident = station.incident()
    many = tuple(
        replace(incident.evidence[0], names=(f"mmsi:2321234{place:02d}",))
        for place in range(CASES_MAX + 3)
    )
    advice = station.advice(incident=replace(incident, evidence=many))

    assert len([one for one in advice.steps if one.why.startswith("gmdss")]) <= 2 * CASES_MAX
    assert any("3 more alerts" in one for one in advice.unknown)


def test_what_a_coast_station_has_acknowledged_is_listened_to():
    steps = Station(MAYDAY, ACKED).steps()

    assert kinds(steps) == [StepKind.LISTEN, StepKind.SILENCE, StepKind.CALL_RCC]
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
        {"severity": Urgency.SAFETY},
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
    advice = station.advice(incident=incident)

    assert len(advice.unknown) == 4
    assert kinds(advice.steps) == [StepKind.CALL_RCC]
    assert "POSITION not known" in advice.steps[0].script


def test_who_does_not_know_what_it_is_answers_nothing():
    advice = Station(MAYDAY, own=Own()).advice(400)

    assert kinds(advice.steps) == [StepKind.LISTEN, StepKind.CALL_RCC]
    assert (advice.steps[0].action, advice.steps[0].script) == (None, ())


def test_without_a_clock_no_moment_is_named():
    wait = Station(MAYDAY, port="mf").steps(10, clock=False)[0]

    assert (wait.kind, wait.not_before, wait.not_after) == (StepKind.WAIT, None, None)
    assert "not before its time" in wait.words


@given(
    seconds=st.floats(0.2, 1000),
    port=st.sampled_from(sorted(BANDS)),
    own=st.sampled_from([COAST, SHIP, Own()]),
    calls=st.lists(st.sampled_from([MAYDAY, ACKED, OURS]), max_size=3),
    asked=st.booleans(),
    agreed=st.sampled_from([AGREED, ASHIP]),
)
def test_what_stands_ready_is_taken_by_its_radio_and_let_pass_by_the_agreements(
    seconds, port, own, calls, asked, agreed
):
    station = Station(MAYDAY, *calls, port=port, own=own, agreements=(agreed,))
    if asked:
        station.says(EventWord.RCC_REQUEST, about="mmsi:232123456")
    now = at(seconds + 1)
    incidents = station.rooms.incidents.standing()
    for step in [one for told in incidents for one in station.steps(seconds + 1, told) or ()]:
        if step.action is None:
            continue
        if isinstance(step.action, Silence):
            assert step.action.channel in agreed.channels
            continue
        plan = next(one for one in PORTS if one.name == step.port)
        outlet = next(one for one in OUTLETS if one.port == step.port)
        letter = letter_of(step)
        assert composed(letter, plan, own, 0)
        gated = station.would(letter, outlet, now)
        assert gated.judgement in {"ok", "exempt", "deferred"}
        assert gated.judgement != "deferred" or step.kind is StepKind.WAIT
        assert own is COAST or step.kind not in {StepKind.ACKNOWLEDGE, StepKind.WAIT}
        assert getattr(step.action, "to", None) is not To.ALL_SHIPS
        assert port != "hf" or step.kind is not StepKind.RELAY or own is SHIP or asked
        if step.not_before and step.not_after:
            assert step.not_before < step.not_after


def letter_of(step):
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


def test_digits_are_spelled_and_what_is_unknown_is_said():
    assert script.spelled("0929") == "zero niner two niner"
    assert script.received(None, Own())[1].startswith("A STATION NOT KNOWN")
    assert script.silence("PRUDONCE", SHIP)[-1] == "PRUDONCE"
