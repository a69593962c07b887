"""What an order asks of the agreements: nothing of it is kept from the rules."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from rooms.rules.cases import KINDS, START_NS, agreement_of, cases_of, tables

from gateway.model.agreement import EventWord
from gateway.model.asked import Fact, Request
from gateway.model.inbound import Moment
from gateway.model.place import Identity
from gateway.model.transmission import (
    Acknowledge,
    Adjust,
    Area,
    Beacon,
    Call,
    Cancel,
    Distress,
    Drill,
    Letter,
    Place,
    Relay,
    Silence,
    Text,
    To,
)
from gateway.model.verdict import Judgement
from gateway.model.words import ClockState, Mode, Nature, Urgency
from gateway.rules.asking import (
    DSC_MF_S,
    DSC_VHF_S,
    Air,
    airtime_s,
    request_of,
    spoken_of,
    told_of,
    urgency_of,
)
from gateway.rules.engine import Engine

AT = Moment(START_NS, None, ClockState.UNSET)
NOW = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)
VHF = Air(freq_hz=156_525_000, system="dsc")
SHIP = "232123456"
TEST = Call(category=Urgency.SAFETY, to=To.INDIVIDUAL, test=True)
HERE = Place(lat_deg=50.0, lon_deg=-5.0)
AREA = Area(lat_deg=51, lon_deg=-6, southwards_deg=1, eastwards_deg=1)
KNOWN = Distress(mmsi=SHIP, nature=Nature.SINKING, place=HERE, time="1207")


def letter(action, **said):
    plain = {"command_id": "c1", "audience": "here", "seq": 1, "issued": NOW, "port": "vhf"}
    end = NOW + timedelta(seconds=30)
    return Letter(**{**plain, "not_after": end, "action": action, **said})


def asked(action, air=VHF, **said):
    return request_of(letter(action, **said), air, AT, persons=("smith",), octets=40)


@pytest.mark.parametrize(
    ("action", "urgency", "purpose", "via"),
    [
        (Acknowledge(distress=KNOWN), Urgency.DISTRESS, "distress_ack", "dsc_ack"),
        (Relay(distress=KNOWN, to=To.ALL_SHIPS), Urgency.DISTRESS, "distress_relay", "dsc_relay"),
        (Cancel(distress=KNOWN), Urgency.DISTRESS, "cancel", "dsc_cancel"),
        (
            Call(category=Urgency.SAFETY, to=To.INDIVIDUAL, address=SHIP, test=True),
            Urgency.SAFETY,
            "test",
            "dsc",
        ),
        (
            Call(category=Urgency.URGENCY, to=To.ALL_SHIPS),
            Urgency.URGENCY,
            "urgency_announce",
            "dsc",
        ),
        (Call(category=Urgency.ROUTINE, to=To.GROUP), Urgency.ROUTINE, "calling", "dsc"),
        (Text(category=Urgency.SAFETY, words="ice"), Urgency.SAFETY, "safety_announce", "dsc"),
        (Text(category=Urgency.DISTRESS, words="x"), Urgency.DISTRESS, "distress_relay", "dsc"),
        (Beacon(place=HERE), Urgency.ROUTINE, "position", "dsc"),
        (Adjust(what="link_test"), Urgency.ROUTINE, "link_test", "dsc"),
        (Silence(channel="vhf16", words="SEELONCE MAYDAY"), Urgency.ROUTINE, "silence", "dsc"),
        (Drill(what="start"), Urgency.ROUTINE, "start", "dsc"),
    ],
    ids=lambda value: type(value).__name__ if not isinstance(value, str) else "",
)
def test_each_order_says_how_urgent_it_is_and_what_for(action, urgency, purpose, via):
    found = asked(action)

    assert (found.category, found.purpose, found.via) == (urgency, purpose, via)
    assert urgency_of(action) is urgency


@pytest.mark.parametrize(
    ("action", "to", "address"),
    [
        (Relay(distress=KNOWN, to=To.ALL_SHIPS), ("all_ships",), None),
        (Relay(distress=KNOWN, to=To.AREA, area=AREA), ("area_ships",), None),
        (
            Relay(distress=KNOWN, to=To.INDIVIDUAL, address="002320001"),
            (),
            Identity(mmsi="002320001", mmsi_class="coast"),
        ),
        (Call(category=Urgency.ROUTINE, to=To.INDIVIDUAL), (), None),
        (Text(category=Urgency.ROUTINE, words="x", to="M0ABC-7"), (), Identity(callsign="M0ABC-7")),
        (Text(category=Urgency.ROUTINE, words="x"), ("all_ships",), None),
        (Acknowledge(distress=KNOWN), ("all_ships",), None),
        (Adjust(what="power"), (), None),
    ],
    ids=str,
)
def test_it_says_to_whom(action, to, address):
    found = asked(action)

    assert (found.to, found.address) == (to, address)


def test_it_is_about_the_craft_in_distress_else_about_what_its_letter_names():
    unknown = Relay(distress=Distress(), to=To.ALL_SHIPS)

    assert asked(Acknowledge(distress=KNOWN), about="i1").about == f"mmsi:{SHIP}"
    assert asked(unknown, about="i1").about == "i1"
    assert asked(Beacon(place=HERE)).about is None


def test_it_names_what_it_holds_and_what_it_says_to_be_unknown():
    said = asked(Relay(distress=Distress(nature=Nature.FLOODING), to=To.ALL_SHIPS)).fields

    assert said == (
        *("identity", "distress_id_unknown", "nature", "position_unknown", "time_unknown"),
        "relayed_by",
    )
    assert asked(Beacon(place=HERE)).fields == ("identity", "position")
    assert asked(Text(category=Urgency.ROUTINE, words="x")).fields == ("identity",)


def test_words_persons_consents_and_language_are_handed_on():
    text = Text(category=Urgency.ROUTINE, words="all well")
    found = asked(text, consents=("rcc_consent",), language="en")

    assert (found.text, found.persons, found.consents, found.language) == (
        *("all well", ("smith",), ("rcc_consent",), "en"),
    )


def test_what_is_of_an_exercise_or_a_test_says_so():
    assert asked(TEST).marked is Mode.TEST
    assert asked(TEST, exercise=True).marked is Mode.EXERCISE
    assert asked(Cancel(distress=KNOWN)).marked is Mode.REAL
    exercising = Air(freq_hz=None, system="dsc", exercise=True)
    assert asked(Cancel(distress=KNOWN), exercising).marked is Mode.EXERCISE


@pytest.mark.parametrize(
    ("what", "airtime"), [("link_test", 0), ("channel", DSC_VHF_S), ("power", DSC_VHF_S)]
)
def test_of_what_a_modem_is_told_a_link_test_alone_keys_nothing(what, airtime):
    assert asked(Adjust(what=what)).duration_s == airtime


def test_how_long_it_takes_is_of_its_band_or_of_its_bytes():
    aprs = Air(freq_hz=144_800_000, system="aprs")

    assert airtime_s(TEST, VHF, 40) == DSC_VHF_S
    assert airtime_s(TEST, Air(freq_hz=2_187_500, system="dsc"), 40) == DSC_MF_S
    assert airtime_s(TEST, Air(freq_hz=None, system="dsc"), 40) == DSC_MF_S
    assert airtime_s(TEST, aprs, 120) == pytest.approx(1.5)
    assert asked(Beacon(place=HERE)).duration_s == DSC_VHF_S


def test_an_agreement_finds_its_channel_by_the_frequency_and_its_parties_by_the_address():
    table = tables()["relay"]
    engine = Engine(agreement_of("relay", table, cases_of(table)[0]), KINDS)
    seen = []
    engine.rules["case"].gate = seen.append
    request = Request(
        request_id="r",
        at=AT,
        freq_hz=156_525_000,
        mode="dsc",
        category=Urgency.DISTRESS,
        purpose="distress_relay",
        address=Identity(mmsi="002320001", mmsi_class="coast"),
    )

    assert engine.gate(request).judgement is Judgement.OK
    assert seen[0].channel == engine.ground.dial.find(156_525_000, "dsc")
    assert seen[0].to == engine.ground.rolls.of(request.address, None)
    assert seen[0].to


# ---- What the rules are told of it ---------------------------------------------------------------


def test_what_was_transmitted_is_told_with_all_that_was_asked():
    request = asked(Relay(distress=KNOWN, to=To.ALL_SHIPS), language="en")

    assert told_of(request) == Fact(
        fact_id="c1",
        what=EventWord.TRANSMITTED,
        also=(EventWord.DISTRESS_RELAY,),
        at=AT,
        person="smith",
        to="all_ships",
        freq_hz=156_525_000,
        mode="dsc",
        about=f"mmsi:{SHIP}",
        fields=request.fields,
        lasts_s=DSC_VHF_S,
        language="en",
    )


def test_a_call_to_one_station_is_told_with_its_address_and_nobody_where_nobody_signed():
    call = Call(category=Urgency.ROUTINE, to=To.INDIVIDUAL, address=SHIP)
    request = request_of(letter(call), VHF, AT, persons=(), octets=40)
    found = told_of(request)

    assert (found.person, found.to) == (None, None)
    assert found.address == Identity(mmsi=SHIP, mmsi_class="ship")
    assert found.also == (EventWord.CALL,)


def test_a_text_is_told_in_its_words_and_a_beacon_as_nothing_else():
    text = Text(category=Urgency.SAFETY, words="Gale warning")
    beacon = told_of(asked(Beacon(place=HERE)))

    assert told_of(asked(text)).words == "Gale warning"
    assert (beacon.also, beacon.fields) == ((), ("identity", "position"))


def test_words_spoken_on_a_channel_are_told_with_whoever_says_so():
    said = Silence(channel="vhf16", words="SEELONCE MAYDAY")

    assert spoken_of(letter(said), said, AT, "smith") == Fact(
        fact_id="c1",
        what=EventWord.SPOKEN,
        at=AT,
        person="smith",
        channel="vhf16",
        words="SEELONCE MAYDAY",
    )
