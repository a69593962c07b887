"""Calls that are ordered: read again by our own radio in each form, and held to published ones."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from gateway.framing.nmea import Nmea
from gateway.model.transmission import (
    Acknowledge,
    Area,
    Beacon,
    Call,
    Cancel,
    CannotSay,
    Distress,
    Own,
    Place,
    Relay,
    Text,
    To,
)
from gateway.model.words import Kind, Mode, Nature, Urgency
from gateway.radio import composer_named
from gateway.radio.dsc import tables
from gateway.radio.dsc.call import read_call
from gateway.radio.dsc.compose import call_for, compose, position_of
from gateway.radio.dsc.fields import minutes_of
from tests.rooms.radio.sayings import MF_HZ, OWN, VHF_HZ, reports, saying

ROWS = tomllib.loads((Path(__file__).parents[2] / "vectors" / "dsc.toml").read_text("utf-8"))
PUBLISHED = {
    row["name"]: row["wire"][0].partition("*")[0] for row in ROWS["vector"] if "wire" in row
}
SHIP = "232001122"
AT = Place(lat_deg=50.5, lon_deg=-4.25)
CASE = Distress(mmsi=SHIP, nature=Nature.SINKING, place=AT, time="1203")
AREA = Area(lat_deg=51, lon_deg=-20, southwards_deg=4, eastwards_deg=8)

SAID = [
    (Acknowledge(distress=CASE), "$IIDSC,16,,12,10,00,1503000415,1203,2320011220,05,S,"),
    (
        Acknowledge(distress=Distress(mmsi=SHIP)),
        "$IIDSC,16,,12,10,00,9999999999,8888,2320011220,07,S,",
    ),
    (
        Relay(distress=CASE, to=To.ALL_SHIPS),
        "$IIDSC,16,,12,12,00,1503000415,1203,2320011220,05,S,",
    ),
    (
        Relay(distress=Distress(place=AT), to=To.ALL_SHIPS),
        "$IIDSC,16,,12,12,00,1503000415,8888,,07,S,",
    ),
    (
        Relay(distress=CASE, to=To.AREA, area=AREA),
        "$IIDSC,02,1510200408,12,12,00,1503000415,1203,2320011220,05,S,",
    ),
    (
        Relay(distress=CASE, to=To.GROUP, address="023200000"),
        "$IIDSC,14,0232000000,12,12,00,1503000415,1203,2320011220,05,S,",
    ),
    (
        Relay(distress=CASE, to=To.INDIVIDUAL, address="002320014"),
        "$IIDSC,20,0023200140,12,12,00,1503000415,1203,2320011220,05,R,",
    ),
    (
        Call(category=Urgency.URGENCY, to=To.ALL_SHIPS, vhf_channel="16"),
        "$IIDSC,16,,10,00,26,900016,,,,S,",
    ),
    (
        Call(category=Urgency.SAFETY, to=To.AREA, area=AREA),
        "$IIDSC,02,1510200408,08,00,26,,,,,S,",
    ),
    (
        Call(category=Urgency.SAFETY, to=To.GROUP, address="023200000", vhf_channel="13"),
        "$IIDSC,14,0232000000,08,00,26,900013,,,,S,",
    ),
    (
        Call(category=Urgency.ROUTINE, to=To.INDIVIDUAL, address=SHIP, vhf_channel="1078"),
        "$IIDSC,20,2320011220,00,00,26,901078,,,,R,",
    ),
    (
        Call(category=Urgency.SAFETY, to=To.INDIVIDUAL, address=SHIP, test=True),
        "$IIDSC,20,2320011220,08,18,26,,,,,R,",
    ),
    (
        Cancel(distress=replace(CASE, mmsi=OWN.mmsi)),
        "$IIDSC,16,,12,10,00,1503000415,1203,0023200010,05,S,",
    ),
]
ACTIONS = [action for action, _ in SAID]


def called(sentence, caller=OWN.mmsi):
    """Return what a station prints that hears the call which a radio makes of this order.

    It shares nothing with the writer: the radio puts in who calls, where the order said whom.
    """
    head, form, _, *rest = sentence.decode("ascii").split(",")
    assert head == "$IIDSC"
    return ",".join(["$CDDSC", form, f"{caller}0", *rest]).encode("ascii")


def heard(sentence):
    """Return the report of the call that a radio makes of this order; an area keeps its field."""
    wire = sentence if sentence[7:9] == b"02" else called(sentence)
    return only(reports("dsc", "nmea", Nmea.wrap(wire)))


def only(found):
    (one,) = found
    return one


@pytest.mark.parametrize(("action", "sentence"), SAID, ids=[said for _, said in SAID])
def test_an_order_is_the_sentence_that_the_standard_has_for_it(action, sentence):
    assert compose(saying(action, "nmea")) == (sentence.encode("ascii"),)
    assert len(Nmea.wrap(sentence.encode("ascii"))) <= 82


@pytest.mark.parametrize("action", ACTIONS, ids=[said for _, said in SAID])
def test_what_the_symbols_say_is_what_the_sentence_says(action):
    """One path shares no encoder with the other beyond the fields of the call."""
    call = call_for(saying(action, "nmea"))
    by_pairs = only(reports("dsc", "symbols", compose(saying(action, "symbols"))[0]))
    by_print = only(reports("dsc", "lines", compose(saying(action, "lines"))[0] + b"\r\n"))
    by_radio = heard(compose(saying(action, "nmea"))[0])

    assert replace(by_pairs.detail, proof=None) == call
    assert replace(by_print.detail, proof=None) == call
    assert by_pairs.detail.proof.check == "right"
    for name in ("kind", "urgency", "mode", "casualty", "nature", "position", "claimed_utc"):
        assert getattr(by_pairs, name) == getattr(by_radio, name), name
    expected = ("it does not say who is in distress",) if names_nobody(action) else ()
    assert (by_pairs.doubts or ()) == (by_radio.doubts or ()) == expected
    assert by_pairs.sender.mmsi == OWN.mmsi
    address = getattr(action, "address", None)
    assert (by_pairs.addressee and by_pairs.addressee.mmsi) == address


def names_nobody(action):
    return isinstance(action, Relay) and action.distress.mmsi is None


@pytest.mark.parametrize(
    ("action", "kind", "urgency", "mode"),
    [
        (ACTIONS[0], Kind.ACKNOWLEDGEMENT, Urgency.DISTRESS, Mode.REAL),
        (ACTIONS[2], Kind.RELAY, Urgency.DISTRESS, Mode.REAL),
        (ACTIONS[4], Kind.RELAY, Urgency.DISTRESS, Mode.REAL),
        (ACTIONS[7], Kind.CALL, Urgency.URGENCY, Mode.REAL),
        (ACTIONS[8], Kind.CALL, Urgency.SAFETY, Mode.REAL),
        (ACTIONS[10], Kind.CALL, Urgency.ROUTINE, Mode.REAL),
        (ACTIONS[11], Kind.CALL, Urgency.SAFETY, Mode.TEST),
        (ACTIONS[12], Kind.CANCELLATION, Urgency.DISTRESS, Mode.REAL),
    ],
)
def test_what_is_ordered_is_told_as_what_it_is(action, kind, urgency, mode):
    report = only(reports("dsc", "symbols", compose(saying(action, "symbols"))[0]))

    assert (report.kind, report.urgency, report.mode) == (kind, urgency, mode)


@pytest.mark.parametrize(
    ("name", "sender", "freq_hz", "action"),
    [
        (
            "standard-relay",
            "011234567",
            MF_HZ,
            Relay(
                distress=Distress(
                    mmsi="999121212",
                    nature=Nature.FIRE_EXPLOSION,
                    place=Place(lat_deg=47 + 47 / 60, lon_deg=-122 - 19 / 60),
                    time="1234",
                ),
                to=To.ALL_SHIPS,
            ),
        ),
        (
            "standard-safety",
            "011234567",
            MF_HZ,
            Call(category=Urgency.SAFETY, to=To.ALL_SHIPS, freq_hz=4_125_000),
        ),
        (
            "ship-relay",
            "235076393",
            VHF_HZ,
            Relay(
                distress=Distress(
                    mmsi="503110520",
                    nature=Nature.SINKING,
                    place=Place(lat_deg=-38 - 8 / 60, lon_deg=144 + 28 / 60),
                    time="1800",
                ),
                to=To.ALL_SHIPS,
            ),
        ),
        ("acknowledgement", "002050100", VHF_HZ, None),
        ("self-cancellation-by-acknowledgement", SHIP, VHF_HZ, None),
    ],
)
def test_an_order_is_the_call_that_was_published(name, sender, freq_hz, action):
    flooding = Distress(
        mmsi=SHIP,
        nature=Nature.FLOODING,
        place=Place(lat_deg=50.5, lon_deg=4.25),
        time="1203",
    )
    about = Cancel if name.startswith("self") else Acknowledge
    order = saying(
        action or about(distress=flooding), "nmea", own=Own(mmsi=sender), freq_hz=freq_hz
    )
    texts = called(compose(order)[0], sender).decode("ascii").split(",")[1:]
    published = read_call(PUBLISHED[name].split(",")[1:])

    assert read_call(texts) == replace(published, dialect=(), expansion_announced=False)


def test_on_medium_and_high_frequencies_a_call_goes_on_in_single_sideband():
    call = Call(category=Urgency.SAFETY, to=To.ALL_SHIPS, freq_hz=2_182_010)
    said = only(reports("dsc", "symbols", compose(saying(call, "symbols", freq_hz=MF_HZ))[0]))
    ack = call_for(saying(ACTIONS[0], "symbols", freq_hz=MF_HZ))

    assert (said.detail.telecommand1, said.detail.rx.freq_hz) == ("j3e", 2_182_010)
    assert ack.subsequent == "j3e"


CASES = [
    (Acknowledge(distress=Distress()), "say the MMSI in distress"),
    (Acknowledge(distress=Distress(mmsi=OWN.mmsi)), "say cancel"),
    (Cancel(distress=CASE), "its own alert alone"),
    (Cancel(distress=Distress()), "its own alert alone"),
    (Relay(distress=Distress(mmsi=OWN.mmsi), to=To.ALL_SHIPS), "this is its own"),
    (Relay(distress=CASE, to=To.AREA), "an area belongs"),
    (Relay(distress=CASE, to=To.ALL_SHIPS, area=AREA), "an area belongs"),
    (Relay(distress=CASE, to=To.INDIVIDUAL), "an address belongs"),
    (Relay(distress=CASE, to=To.ALL_SHIPS, address=SHIP), "an address belongs"),
    (Relay(distress=CASE, to=To.GROUP, address=SHIP), "no MMSI of a group"),
    (Relay(distress=CASE, to=To.INDIVIDUAL, address="023200000"), "no MMSI of one station"),
    (Relay(distress=CASE, to=To.INDIVIDUAL, address="000000000"), "no MMSI of one station"),
    (
        Relay(distress=CASE, to=To.AREA, area=replace(AREA, lat_deg=-88)),
        "over the South Pole",
    ),
    (Acknowledge(distress=replace(CASE, nature=Nature.MEDICAL)), "the nature medical"),
    (Call(category=Urgency.DISTRESS, to=To.ALL_SHIPS), "never one of distress"),
    (Call(category=Urgency.ROUTINE, to=To.ALL_SHIPS), "a routine call is for"),
    (Call(category=Urgency.ROUTINE, to=To.AREA, area=AREA), "a routine call is for"),
    (Call(category=Urgency.SAFETY, to=To.INDIVIDUAL, address=OWN.mmsi), "can't call itself"),
    (Call(category=Urgency.SAFETY, to=To.ALL_SHIPS, test=True), "to one station"),
    (
        Call(category=Urgency.ROUTINE, to=To.INDIVIDUAL, address=SHIP, test=True),
        "a test call is of safety",
    ),
    (
        Call(category=Urgency.SAFETY, to=To.INDIVIDUAL, address=SHIP, test=True, vhf_channel="16"),
        "proposes no channel",
    ),
    (
        Call(category=Urgency.SAFETY, to=To.ALL_SHIPS, vhf_channel="16", freq_hz=MF_HZ),
        "not both",
    ),
    (Call(category=Urgency.SAFETY, to=To.ALL_SHIPS, freq_hz=MF_HZ), "on VHF"),
    (Call(category=Urgency.SAFETY, to=To.ALL_SHIPS, vhf_channel="70"), "channel 70"),
    (Call(category=Urgency.SAFETY, to=To.ALL_SHIPS, vhf_channel="40"), "channel 40"),
    (Text(category=Urgency.SAFETY, words="fog"), "has no words"),
    (Beacon(place=AT), "has no words"),
]


@pytest.mark.parametrize(("action", "why"), CASES, ids=[why for _, why in CASES])
def test_what_no_call_can_say_is_refused_with_what_does_not_fit(action, why):
    for framing in ("nmea", "symbols", "lines"):
        with pytest.raises(CannotSay, match=why):
            compose(saying(action, framing))


@pytest.mark.parametrize(
    ("call", "why"),
    [
        (Call(category=Urgency.SAFETY, to=To.ALL_SHIPS, vhf_channel="16"), "a VHF channel"),
        (Call(category=Urgency.SAFETY, to=To.ALL_SHIPS, freq_hz=2_182_001), "10 Hz"),
        (Call(category=Urgency.SAFETY, to=To.ALL_SHIPS, freq_hz=30_000_000), "below 30 MHz"),
    ],
)
def test_on_medium_and_high_frequencies_only_such_a_frequency_can_be_said(call, why):
    with pytest.raises(CannotSay, match=why):
        compose(saying(call, "nmea", freq_hz=MF_HZ))


def test_nothing_is_called_by_nobody_nor_on_an_unknown_band_nor_in_another_form():
    action = ACTIONS[0]

    with pytest.raises(CannotSay, match="no MMSI to call by"):
        compose(saying(action, "nmea", own=Own()))
    with pytest.raises(CannotSay, match="VHF or MF/HF"):
        compose(saying(action, "nmea", freq_hz=None))
    with pytest.raises(CannotSay, match="no call can be written as kiss"):
        compose(saying(action, "kiss"))


def test_whatever_is_said_to_be_sayable_can_be_said():
    composer = composer_named("dsc")

    said = {type(action).__struct_config__.tag for action in ACTIONS}
    assert said == set(composer.says)
    assert composer.compose is compose
    for framing in composer.framings:
        assert compose(saying(ACTIONS[0], framing))


PLACES = st.builds(
    Place, lat_deg=st.floats(min_value=-90, max_value=90), lon_deg=st.floats(-180, 180)
)
TIMES = st.builds("{:02d}{:02d}".format, st.integers(0, 23), st.integers(0, 59))
SHIPS = st.integers(200_000_000, 799_999_999).map(str)
NATURES = st.sampled_from([*tables.NATURES.values()])
DISTRESSES = st.builds(
    Distress,
    mmsi=SHIPS,
    nature=st.none() | NATURES,
    place=st.none() | PLACES,
    time=st.none() | TIMES,
)
AREAS = st.builds(
    Area,
    lat_deg=st.integers(0, 90),
    lon_deg=st.integers(-180, 180),
    southwards_deg=st.integers(1, 90),
    eastwards_deg=st.integers(1, 99),
)
CHANNELS = st.none() | st.sampled_from(["6", "16", "28", "60", "88", "1078", "2078"])
ORDERS = st.one_of(
    st.builds(Acknowledge, distress=DISTRESSES),
    st.builds(Relay, distress=DISTRESSES, to=st.just(To.ALL_SHIPS)),
    st.builds(Relay, distress=DISTRESSES, to=st.just(To.AREA), area=AREAS),
    st.builds(Relay, distress=DISTRESSES, to=st.just(To.INDIVIDUAL), address=SHIPS),
    st.builds(
        Call,
        category=st.sampled_from([Urgency.URGENCY, Urgency.SAFETY]),
        to=st.just(To.AREA),
        area=AREAS,
        vhf_channel=CHANNELS,
    ),
    st.builds(
        Call,
        category=st.sampled_from([Urgency.URGENCY, Urgency.SAFETY, Urgency.ROUTINE]),
        to=st.just(To.INDIVIDUAL),
        address=SHIPS,
        vhf_channel=CHANNELS,
    ),
)


@given(ORDERS)
def test_whatever_is_ordered_is_heard_as_it_was_ordered(action):
    call = call_for(saying(action, "nmea"))
    raw = only(reports("dsc", "symbols", compose(saying(action, "symbols"))[0]))
    told = heard(compose(saying(action, "nmea"))[0])

    assert replace(raw.detail, proof=None) == call
    area = getattr(action, "area", None)
    sender = None if area else OWN.mmsi
    assert told.detail == replace(call, self_id=sender, address_id=None)
    if area is not None:
        assert (raw.detail.area.corner_lat_deg, raw.detail.area.corner_lon_deg) == (
            area.lat_deg,
            area.lon_deg,
        )
    distress = getattr(action, "distress", None)
    if distress is not None:
        assert raw.casualty.mmsi == distress.mmsi
        assert raw.nature == (distress.nature or Nature.UNDESIGNATED)
        assert raw.detail.time == distress.time
        assert (raw.position is None) == (distress.place is None)


@given(PLACES)
def test_a_place_is_said_to_the_minute_below_it(place):
    north, lat, east, lon = minutes_of(position_of(place))

    assert -1e-5 < abs(place.lat_deg) * 60 - lat < 1
    assert -1e-5 < abs(place.lon_deg) * 60 - lon < 1
    assert lat == 0 or (north < 0) == (place.lat_deg < 0)
    assert lon == 0 or (east < 0) == (place.lon_deg < 0)


@given(st.integers(0, 5400), st.integers(0, 10800))
def test_a_place_that_an_alert_has_said_is_said_again_in_the_same_digits(lat, lon):
    digits = f"0{lat // 60:02d}{lat % 60:02d}{lon // 60:03d}{lon % 60:02d}"

    assert position_of(Place(lat_deg=lat / 60, lon_deg=lon / 60)) == digits
