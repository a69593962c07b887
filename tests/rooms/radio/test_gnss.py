"""The station's own place: believed only where the receiver stands by it.

What each sentence says is a vector, in tests/vectors/gnss.toml; here is what no vector can say.
"""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.framing.nmea import Nmea
from gateway.model.inbound import Chunk, Frame, Moment, Reading, Unread
from gateway.model.words import Fault, Kind
from gateway.radio import radio_named
from gateway.radio.gnss import Gnss
from gateway.radio.gnss.sentences import ADDRESS, SENTENCES

WHOLE = {
    "RMC": "GPRMC,042504.900,A,4012.1002,N,00440.4650,E,0.00,334.28,110321,3.1,W,A,S",
    "GGA": "GPGGA,193223.50,2037.72880,S,08704.08455,W,1,04,1.7,-29.55,M,-13.9,M,1.0,0012",
    "GLL": "GPGLL,4916.45,N,12311.12,W,225444,A,A",
    "GNS": "GNGNS,122310.2,3722.425671,N,12258.856215,W,DA,14,0.9,1005.543,6.5,5.2,23,S",
    "ZDA": "GPZDA,193223.00,23,12,2007,-03,30",
}


def frame_of(body: str) -> Frame:
    (frame,) = Nmea().split(Chunk("p", Moment(0), Nmea.wrap(f"${body}".encode("latin-1"))))
    return frame


def read(body: str) -> Reading | Unread:
    (found,) = Gnss().read(frame_of(body))
    return found


def field_by_field():
    for body in WHOLE.values():
        address, *fields = body.split(",")
        for at in range(len(fields)):
            yield pytest.param(address, fields, at, id=f"{address}-{at + 1}")


EACH_FIELD = list(field_by_field())


def test_every_sentence_of_the_table_is_read():
    assert set(WHOLE) == set(SENTENCES)
    for name, body in WHOLE.items():
        assert ADDRESS.fullmatch(body[:5])[1] == name
        assert isinstance(read(body), Reading)


@pytest.mark.parametrize(("address", "fields", "at"), EACH_FIELD)
@pytest.mark.parametrize("text", ['4"1', "1e5", "nan", "-", "A.", "<", " 1", "1 ", "٣", "+-1"])
def test_one_bad_field_refuses_the_sentence_by_name(address, fields, at, text):
    """An exclusive-or that comes out right by chance is not believed."""
    body = ",".join([address, *fields[:at], text, *fields[at + 1 :]])
    if not text.isascii():
        frame = Frame("p", Moment(0), body.encode("utf-8"), b"", 0, 0)
    else:
        frame = frame_of(body)
    (found,) = Gnss().read(frame)

    assert isinstance(found, Unread)
    name = SENTENCES[address[2:]].fields[at].name
    assert found.reason.startswith(f"{address[2:]}: {name} (field {at + 1}) ")
    assert not found.distress_like


@pytest.mark.parametrize(("address", "fields", "at"), EACH_FIELD)
def test_any_field_may_be_empty(address, fields, at):
    """An empty field is absent, never nought; only a hemisphere can't be missing."""
    found = read(",".join([address, *fields[:at], "", *fields[at + 1 :]]))

    if fields[at] in {"N", "S", "E", "W"} and SENTENCES[address[2:]].fields[at].name in {
        "north or south",
        "east or west",
    }:
        assert isinstance(found, Unread)
    else:
        assert isinstance(found, Reading)


@pytest.mark.parametrize("name", WHOLE)
def test_number_of_fields_is_held_to_the_standard(name):
    address, *fields = WHOLE[name].split(",")
    form = SENTENCES[name]
    for count in range(len(form.fields) + 3):
        found = read(",".join([address, *(fields + [""] * 9)[:count]]))

        assert isinstance(found, Unread) is not (form.fewest <= count <= len(form.fields)), count
        if isinstance(found, Unread):
            assert f"{count} fields, not {form.fewest} to {len(form.fields)}" in found.reason


@pytest.mark.parametrize("address", ["PGRMC", "GPRMCX", "GRMC", "gpRMC", "GPVTG", "GPGSV", "AIVDM"])
def test_what_is_not_ours_is_left_to_others(address):
    frame = Frame("p", Moment(0), f"{address},1".encode(), b"", 0, 0)

    assert Gnss().read(frame) is None


@given(
    lat=st.floats(-90, 90), lon=st.floats(-180, 180), decimals=st.integers(0, 8), fix=st.booleans()
)
def test_place_comes_out_as_it_was_written(lat, lon, decimals, fix):
    """Within half a step of the writing, and only with a fix."""

    def written(degrees, width):
        scaled = round(abs(degrees) * 60 * 10**decimals)
        whole, minutes = divmod(scaled, 60 * 10**decimals)
        minute, part = divmod(minutes, 10**decimals)
        text = f"{whole:0{width}d}{minute:02d}"
        return f"{text}.{part:0{decimals}d}" if decimals else text

    sides = "S" if lat < 0 else "N", "W" if lon < 0 else "E"
    place = f"{written(lat, 2)},{sides[0]},{written(lon, 3)},{sides[1]}"
    reading = read(f"GPGLL,{place},225444,{'A' if fix else 'V'}")
    draft = Gnss().report(reading)

    if not fix:
        assert (draft.kind, draft.position) == (Kind.STATUS, None)
        return
    half_step_deg = 0.5 / 60 / 10**decimals
    assert draft.kind is Kind.POSITION
    assert abs(draft.position.lat_deg - lat) <= half_step_deg + 1e-12
    assert abs(draft.position.lon_deg - lon) <= half_step_deg + 1e-12
    assert math.isclose(draft.position.resolution_m, half_step_deg * 60 * 1852)


def test_nought_has_no_sign():
    draft = Gnss().report(read("GPGLL,0000.00,S,00000.00,W,225444,A"))

    assert math.copysign(1, draft.position.lat_deg) == 1
    assert math.copysign(1, draft.position.lon_deg) == 1


@given(st.binary(max_size=200))
def test_no_body_raises(body):
    """Whatever a checksum lets through, the answer is a reading, a refusal or a shrug."""
    for start in (b"", b"GPRMC,", b"GPGGA,", b"GNGNS,", b"GPZDA,", b"GPGLL,"):
        found = Gnss().read(Frame("p", Moment(0), start + body, b"", 0, 0))

        assert found is None or isinstance(found[0], (Reading, Unread))


def test_receiver_of_satellites_calls_for_nobody():
    gnss = Gnss()
    broken = Frame("p", Moment(0), b"GPRMC,MAYDAY", b"", 0, 0, fault=Fault.NO_CHECKSUM)

    assert gnss.distress_like(broken) is False
    assert gnss.expire(Moment(10**18)) == ()


def test_radio_is_found_by_its_name():
    assert radio_named("gnss") is Gnss
    assert Gnss.name == "gnss"
