"""What holds for everything that is composed, whatever the radio system and the framing."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from msgspec import structs

from gateway.app.composing import composed
from gateway.framing import framer_named
from gateway.model.inbound import Chunk, Moment
from gateway.model.plan import PortPlan
from gateway.model.transmission import (
    Acknowledge,
    Adjust,
    Beacon,
    Call,
    Cancel,
    CannotSay,
    Distress,
    Letter,
    Place,
    Relay,
    Text,
    To,
    tag_of,
)
from gateway.model.words import Urgency
from gateway.radio import check_words, composer_named, composers_for, radio_names, words_for
from gateway.settings import profile_named, profile_names
from tests.rooms.radio.sayings import OWN, saying

SHIP = "232001122"
CASE = Distress(mmsi=SHIP)
ACTIONS = [
    Acknowledge(distress=CASE),
    Relay(distress=CASE, to=To.ALL_SHIPS),
    Call(category=Urgency.SAFETY, to=To.INDIVIDUAL, address=SHIP, test=True),
    Cancel(distress=Distress(mmsi=OWN.mmsi)),
    Text(category=Urgency.SAFETY, words="FOG"),
    Text(category=Urgency.SAFETY, words="FOG", bulletin="1"),
    Text(category=Urgency.SAFETY, words="FOG", to="M0ABC"),
    Text(category=Urgency.SAFETY, words="FOG", to=SHIP),
    Text(category=Urgency.SAFETY, words="FOG", to="!00000042"),
    Beacon(place=Place(lat_deg=50.5, lon_deg=-4.25)),
    Adjust(what="link_test"),
]
DIALECTS = (None, "dsc", "aprs", "ais")
COMPOSERS = {name: composer_named(name) for name in radio_names()}
SYSTEMS = [
    (name, framing)
    for name, composer in COMPOSERS.items()
    if composer is not None
    for framing in composer.framings
]
TRANSMITTING = [name for name in profile_names() if profile_named(name).transmit]


def sayings(name, framing):
    """Return what a system says of each action, in each dialect, on whatever it is tuned to."""
    for action in ACTIONS:
        for dialect in DIALECTS:
            for freq_hz in (None, 156_525_000):
                said = saying(action, framing, dialect=dialect, freq_hz=freq_hz)
                try:
                    yield action, composer_named(name).compose(said)
                except CannotSay as why:
                    assert str(why)  # noqa: PT017  # it is an answer: what was asked has no words


@pytest.mark.parametrize(("name", "framing"), SYSTEMS)
def test_what_is_composed_comes_out_of_its_framing_as_it_went_in(name, framing):
    said = list(sayings(name, framing))
    bodies = list(dict.fromkeys(body for _, found in said for body in found))
    wire = b"".join(framer_named(framing).wrap(body) for body in bodies)
    framer = framer_named(framing)()
    frames = [*framer.split(Chunk("a", Moment(0), wire)), *framer.expire(Moment(10**12))]

    assert {tag_of(action) for action, _ in said} == set(composer_named(name).says)
    assert [frame.fault for frame in frames] == [None] * len(bodies)
    starts = b"$!" if framing == "nmea" else b""
    assert [frame.body for frame in frames] == [body.lstrip(starts) for body in bodies]


@pytest.mark.parametrize("name", TRANSMITTING)
def test_a_profile_that_transmits_has_words_and_says_them_in_its_own_dialect(name):
    profile = profile_named(name)
    freq_hz = 161_975_000 if "ais" in profile.radio else 156_525_000
    port = PortPlan(
        name="a",
        device="memory:a",
        modem=name,
        profile=structs.replace(profile, freq_hz=freq_hz),
    )
    said = set()
    for action in ACTIONS:
        letter = Letter(
            command_id="c-1",
            audience="here",
            seq=1,
            issued=datetime(2026, 1, 1, tzinfo=UTC),
            not_after=datetime(2026, 1, 1, tzinfo=UTC),
            port="a",
            action=action,
        )
        try:
            wires = composed(letter, port, OWN, 0)
        except CannotSay:
            continue
        said.add(tag_of(action))
        assert all(wires)
        if name == "generic-aprs-transmit":
            assert bytes(byte << 1 for byte in b"WIDE2 ") in wires[0]

    assert said == set(words_for(profile.radio, profile.framing, profile.dialect))


def test_a_framing_that_carries_none_of_it_has_no_words():
    assert composers_for(["aprs", "gnss", "no-such-system"], "nmea") == ()
    assert words_for(["ais", "dsc", "gnss"], "nmea") == ("text", "ack", "relay", "call", "cancel")


@pytest.mark.parametrize(
    ("ordered", "heard", "refused"),
    [
        (Urgency.ROUTINE, None, False),
        (Urgency.ROUTINE, Urgency.ROUTINE, False),
        (Urgency.ROUTINE, Urgency.SAFETY, True),
        (Urgency.URGENCY, Urgency.DISTRESS, True),
        (Urgency.DISTRESS, Urgency.DISTRESS, False),
        (Urgency.DISTRESS, Urgency.URGENCY, False),
    ],
)
def test_words_that_are_graver_than_ordered_are_refused(ordered, heard, refused):
    if not refused:
        check_words(ordered, heard)
        return
    with pytest.raises(CannotSay, match=f"for {heard.value}, not {ordered.value}"):
        check_words(ordered, heard)
