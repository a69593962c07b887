"""Packets that are ordered: read again by our own radio, and by a modem that shares nothing."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from gateway.framing import framer_named
from gateway.model.transmission import (
    Beacon,
    Call,
    CannotSay,
    Own,
    Place,
    Text,
    To,
)
from gateway.model.words import Kind, Urgency
from gateway.radio import composer_named
from gateway.radio.aprs.compose import (
    SOFTWARE,
    TEXT_BYTES_MAX,
    compose,
    message_number,
    path_fault,
)
from hardware.rig.kiss_tnc import KissTnc
from tests.rooms.radio.sayings import OWN, reports, saying

AT = Place(lat_deg=50.5, lon_deg=-4.25)
LETTER = Text(category=Urgency.ROUTINE, words="engine repaired", to="M0ABC-7")
BULLETIN = Text(category=Urgency.SAFETY, words="gale warning in force", bulletin="3")
NUMBER = message_number("c-1")
"""Of every order that `saying` makes."""

HALF_STEP_DEG = 0.005 / 60 + 1e-9
"""Half a hundredth of a minute."""


def ordered(action, **other):
    return saying(action, "kiss", **other)


def wired(said):
    (body,) = compose(said)
    return framer_named("kiss").wrap(body)


def on_air(said):
    """Return what a modem transmits that is given these bytes, in its own words."""
    (event,) = KissTnc("TNC").take(wired(said))
    assert event.what == "air"
    return event.words.removeprefix("TNC: ")


def told(said):
    (report,) = reports("aprs", "kiss", wired(said))
    return report


@pytest.mark.parametrize(
    ("action", "path", "packet"),
    [
        (LETTER, None, f"N0CALL-7>{SOFTWARE}::M0ABC-7  :engine repaired{{{NUMBER}"),
        (
            replace(LETTER, to="M0ABC"),
            "WIDE1-1,WIDE2-1",
            f"N0CALL-7>{SOFTWARE},WIDE1-1,WIDE2-1::M0ABC    :engine repaired{{{NUMBER}",
        ),
        (BULLETIN, "WIDE2-1", f"N0CALL-7>{SOFTWARE},WIDE2-1::BLN3     :gale warning in force"),
        (
            replace(BULLETIN, bulletin="Q"),
            None,
            f"N0CALL-7>{SOFTWARE}::BLNQ     :gale warning in force",
        ),
        (
            replace(BULLETIN, bulletin="3SHORE"),
            None,
            f"N0CALL-7>{SOFTWARE}::BLN3SHORE:gale warning in force",
        ),
        (Beacon(place=AT), None, f"N0CALL-7>{SOFTWARE}:!5030.00N/00415.00Wr"),
        (
            Beacon(place=Place(lat_deg=-90, lon_deg=180), words="south"),
            None,
            f"N0CALL-7>{SOFTWARE}:!9000.00S/18000.00Ersouth",
        ),
    ],
    ids=["message", "by repeaters", "bulletin", "announcement", "group", "position", "pole"],
)
def test_an_order_is_the_packet_that_the_standard_has_for_it(action, path, packet):
    assert on_air(ordered(action, dialect=path)) == packet


def test_a_frame_is_what_ax25_asks_for():
    """AX.25 2.2 sections 3.12 and 6.1.2, byte by byte; only the last address ends the header."""
    (body,) = compose(ordered(BULLETIN, dialect="WIDE2-1"))

    assert body[:24] == bytes.fromhex(
        "00 82a0b4888eaee0 9c6086829898 6e ae92888a6440 63 03f0"  # APZDGW, N0CALL-7, WIDE2-1
    )
    assert body[24:] == b":BLN3     :gale warning in force"


@pytest.mark.parametrize(
    ("action", "kind", "urgency"),
    [
        (LETTER, Kind.TEXT, Urgency.ROUTINE),
        (BULLETIN, Kind.TEXT, Urgency.ROUTINE),
        (Beacon(place=AT, words="harbour office"), Kind.POSITION, Urgency.ROUTINE),
        (
            replace(LETTER, words="EMERGENCY, need a tow", category=Urgency.DISTRESS),
            Kind.ALERT,
            Urgency.DISTRESS,
        ),
    ],
    ids=["message", "bulletin", "position", "distress"],
)
def test_what_is_ordered_is_told_as_what_it_is(action, kind, urgency):
    report = told(ordered(action))

    assert (report.kind, report.urgency, report.text) == (kind, urgency, action.words)
    assert report.sender.callsign == OWN.callsign
    to = getattr(action, "to", None)
    assert (report.addressee and report.addressee.callsign) == to


def test_the_same_order_has_the_same_number_and_another_has_another():
    first, again = compose(ordered(LETTER)), compose(ordered(LETTER, number=9))
    others = {message_number(f"c-{turn}") for turn in range(1000)}

    assert first == again
    assert len(others) == 1000
    assert all(re.fullmatch("[0-9A-Z]{5}", number) for number in others)


CASES = [
    (ordered(LETTER, own=Own()), "no call sign"),
    (saying(LETTER, "tnc2"), "no packet can be ordered as tnc2"),
    (ordered(LETTER, dialect="wide2-1"), '"wide2-1" is no address of a repeater'),
    (ordered(LETTER, dialect=",".join(["WIDE1-1"] * 9)), "room for 8 repeaters"),
    (ordered(replace(LETTER, words="x" * 68)), "68 characters are more than the 67"),
    (ordered(replace(LETTER, words="a{b")), "ASCII without"),
    (ordered(replace(LETTER, words="a|b")), "ASCII without"),
    (ordered(replace(LETTER, words="a~b")), "ASCII without"),
    (ordered(replace(LETTER, words="grüße")), "ASCII without"),
    (ordered(replace(LETTER, to=None)), "say which"),
    (ordered(replace(LETTER, bulletin="1")), "say which"),
    (ordered(replace(BULLETIN, bulletin="AB")), "AB names no bulletin"),
    (ordered(replace(LETTER, to="m0abc")), "m0abc is no call sign"),
    (ordered(replace(LETTER, to="M0ABC-16")), "M0ABC-16 is no call sign"),
    (ordered(replace(LETTER, to="M0ABC-0")), "M0ABC-0 is no call sign"),
    (ordered(replace(LETTER, to="M0ABC-")), "M0ABC- is no call sign"),
    (ordered(replace(LETTER, to="TOOLONG")), "TOOLONG is no call sign"),
    (ordered(replace(LETTER, to="!1234abcd")), "is no call sign"),
    (ordered(replace(LETTER, to=OWN.callsign)), "can't write to itself"),
    (ordered(replace(LETTER, to="BLN1")), "not all of it would be read"),
    (ordered(replace(LETTER, words="?APRSP")), "is a query"),
    (ordered(replace(LETTER, words="PARM.a,b")), "not all of it would be read"),
    (ordered(replace(LETTER, words=" two")), "not all of it would be read"),
    (ordered(replace(BULLETIN, words="rejoin")), "not all of it would be read"),
    (ordered(replace(BULLETIN, words="ack12")), "not all of it would be read"),
    (ordered(replace(LETTER, words="an EMERGENCY")), "takes them for distress, not routine"),
    (ordered(replace(LETTER, to="ALERT")), "takes them for distress, not routine"),
    (ordered(Beacon(place=AT, words="a|b")), "a comment of APRS is ASCII"),
    (ordered(Beacon(place=AT, words="088/036")), "not all of it would be read"),
    (ordered(Beacon(place=AT, words="RNG0050")), "not all of it would be read"),
    (ordered(Beacon(place=AT, words="mast /A=000100")), "not all of it would be read"),
    (ordered(Beacon(place=AT, words="!W12!")), "not all of it would be read"),
    (ordered(Beacon(place=AT, words="mast ")), "not all of it would be read"),
    (ordered(Beacon(place=AT, words="EMERGENCY")), "takes them for distress, not routine"),
    (ordered(Call(category=Urgency.SAFETY, to=To.ALL_SHIPS)), "has no words"),
]


@pytest.mark.parametrize(
    ("said", "why"), CASES, ids=[f"{at}-{why}" for at, (_, why) in enumerate(CASES)]
)
def test_what_no_packet_can_say_is_refused_with_what_does_not_fit(said, why):
    with pytest.raises(CannotSay, match=re.escape(why)):
        compose(said)


@pytest.mark.parametrize(
    ("path", "fault"),
    [
        (None, None),
        ("WIDE2-1", None),
        (",".join(["M0ABC-15"] * 8), None),
        ("", "is no address"),
        ("WIDE2-1,", "is no address"),
        ("WIDE2-16", "is no address"),
    ],
)
def test_a_path_is_that_of_repeaters(path, fault):
    found = path_fault(path)

    assert found is None if fault is None else fault in found


CALLS = st.from_regex(r"[A-Z0-9]{3,6}(?:-(?:[1-9]|1[0-5]))?", fullmatch=True)
LETTERS = [chr(code) for code in range(0x20, 0x7F) if chr(code) not in "{|~"]
WORDS = st.text(LETTERS, min_size=1, max_size=TEXT_BYTES_MAX)
BULLETINS = st.from_regex(r"[0-9A-Z]|[0-9][A-Z0-9]{1,5}", fullmatch=True)
TEXTS = st.builds(Text, category=st.just(Urgency.DISTRESS), words=WORDS, to=CALLS) | st.builds(
    Text, category=st.just(Urgency.DISTRESS), words=WORDS, bulletin=BULLETINS
)
PATHS = st.none() | st.lists(CALLS, min_size=1, max_size=8).map(",".join)


@given(TEXTS, CALLS, PATHS, st.text(min_size=1, max_size=64))
def test_whatever_can_be_said_is_heard_as_it_was_ordered(text, own, path, command):
    said = ordered(text, own=Own(callsign=own), dialect=path, command_id=command)
    try:
        wire = wired(said)
    except CannotSay as refused:
        assert odd(text, own), refused  # noqa: PT017  # nothing else may be refused
        return
    (event,) = KissTnc("TNC").take(wire)
    header, _, inside = event.words.removeprefix("TNC: ").partition(":")
    (report,) = reports("aprs", "kiss", wire)

    assert header == ",".join([f"{own}>{SOFTWARE}", *([path] if path else [])])
    number = "" if text.to is None else f"{{{message_number(command)}"
    assert inside == f":{text.to or f'BLN{text.bulletin}':<9}:{text.words}{number}"
    assert report.text == text.words
    assert report.sender.callsign == own
    assert (report.addressee and report.addressee.callsign) == text.to
    assert report.detail.exchange.number == (number[1:] or None)


def odd(text, own):
    """Say whether these words are read as something else (APRS 1.0.1 chapters 13 to 15)."""
    words, to = text.words, text.to
    return (
        words != words.strip()
        or words.startswith(("?", "PARM.", "UNIT.", "EQNS.", "BITS."))
        or re.fullmatch(r"(ack|rej)[A-Za-z0-9]{1,5}(\}[A-Za-z0-9]{0,5})?", words)
        or to == own
        or (to and re.match(r"BLN[0-9A-Z]|NWS-|SKY|CWA|BOM", to))
    )


PLACES = st.builds(
    Place, lat_deg=st.floats(min_value=-90, max_value=90), lon_deg=st.floats(-180, 180)
)
COMMENTS = st.text([*LETTERS, "{"], max_size=40)


@given(PLACES, COMMENTS)
def test_a_position_is_heard_where_it_was_ordered(place, words):
    try:
        said = ordered(Beacon(place=place, words=words))
        report = told(said)
    except CannotSay as refused:
        assert words != words.strip() or re.search(  # noqa: PT017  # nothing else may be refused
            r"^[0-9. ]{3}/[0-9. ]{3}|^RNG\d{4}|/A=|!.{3}!", words
        ), refused
        return

    assert abs(report.position.lat_deg - place.lat_deg) <= HALF_STEP_DEG
    assert abs(report.position.lon_deg - place.lon_deg) <= HALF_STEP_DEG
    assert (report.text or "") == words
    assert report.velocity is None
    assert on_air(said).startswith(f"{OWN.callsign}>{SOFTWARE}:!")


def test_whatever_is_said_to_be_sayable_can_be_said():
    composer = composer_named("aprs")

    assert composer.says == ("text", "position")
    assert composer.compose is compose
    assert composer.dialect_fault is path_fault
