"""Beacons of both generations: what a message means, and that it is written as it was read.

Messages are composed by the writer from words, so that a test says what the beacon is told to say.
"""

from __future__ import annotations

import random
import tomllib
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from gateway.model.inbound import Chunk, Frame, Moment, Reading, Unread
from gateway.model.place import Position
from gateway.model.plan import PortPlan, Profile
from gateway.model.words import Confidence, Fault, Integrity, Kind, Mode, Nature, Urgency
from gateway.pipeline import hallway
from gateway.radio.cospas_sarsat import BeaconDetail, CodingError, CospasSarsat, write_beacon
from gateway.radio.cospas_sarsat.words import Proof, Rls
from tests.rooms.spoken import without_notes

VECTORS = Path(__file__).parents[2] / "vectors/cospas_sarsat.toml"
SHIP = BeaconDetail(
    generation=1,
    form="message",
    long=True,
    protocol="standard_mmsi",
    beacon="epirb",
    hex_id="",
    country="232",
    mmsi="232123456",
    beacon_number="0",
    position_source="internal",
    homing="121.5",
    lat_deg=57.0 + 28 / 60 + 40 / 3600,
    lon_deg=-(4.0 + 13 / 60 + 28 / 3600),
)
SHORT = replace(
    SHIP,
    long=False,
    protocol="user_maritime",
    lat_deg=None,
    lon_deg=None,
    position_source=None,
    activation="manual",
)
TRACKING = replace(
    SHIP,
    protocol="elt_dt",
    beacon="elt_dt",
    mmsi=None,
    beacon_number=None,
    homing=None,
    position_source=None,
    icao24="A39657",
    activation="automatic",
    freshness="under 2 s",
    altitude_m=3400.0,
    altitude_above_m=2800.0,
)
SECOND = BeaconDetail(
    generation=2,
    form="message",
    protocol="mmsi",
    beacon="epirb",
    hex_id="",
    country="232",
    mmsi="232123456",
    epirb_ais="4287",
    tac=230,
    serial=573,
    homing="any",
    return_link=True,
    lat_deg=-33.5,
    lon_deg=151.25,
    rotating_field=0,
    active_h=1,
    position_age_s=360.0,
    altitude_m=0.0,
    hdop="up to 1",
    vdop="over 1",
    activation="automatic",
    battery="over 75 %",
    gnss="3d",
)


def frame(digits, *, fault=None):
    raw = digits.encode() if isinstance(digits, str) else digits
    return Frame("p", Moment(0), raw, raw, len(raw), 0, fault)


def heard(digits):
    """Return what is made of these digits."""
    radio = CospasSarsat()
    (reading,) = radio.read(frame(digits))
    assert isinstance(reading, Reading), reading
    return radio.report(reading), reading.said


def sent(said):
    return heard(write_beacon(said))


def bend(digits, *bits, first=25):
    row = int(digits, 16)
    for bit in bits:
        row ^= 1 << (4 * len(digits) - 1 - (bit - first))
    return f"{row:0{len(digits)}X}"


def words(said):
    """Return what a detail says, without what only a message that was heard can say."""
    found = msgspec.to_builtins(said)
    for key in ("proof", "sent_hex", "hex_id", "aliases", "resolution_m", "coarse_lat_deg"):
        found.pop(key, None)
    found.pop("coarse_lon_deg", None)
    return found


# ---- What a beacon says -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "nature"),
    [
        (0, Nature.UNDESIGNATED),
        (1, Nature.FIRE_EXPLOSION),
        (2, Nature.FLOODING),
        (3, Nature.COLLISION),
        (4, Nature.GROUNDING),
        (5, Nature.LISTING),
        (6, Nature.SINKING),
        (7, Nature.DISABLED_ADRIFT),
        (8, Nature.ABANDONING),
        (9, Nature.BEACON_EMISSION),
    ],
)
def test_emergency_codes_of_ships_are_the_imo_s_natures(code, nature):
    draft, said = sent(replace(SHORT, emergency_code=code))

    assert (draft.nature, said.emergency_code) == (nature, code)


@pytest.mark.parametrize(
    ("code", "nature"),
    [
        (0b1000, Nature.FIRE_EXPLOSION),
        (0b0100, Nature.MEDICAL),
        (0b0010, Nature.DISABLED_ADRIFT),
        (0b1110, Nature.FIRE_EXPLOSION),
        (0b0000, Nature.DOWNED),
    ],
)
def test_emergency_codes_of_others_are_flags(code, nature):
    draft, _ = sent(
        replace(SHORT, protocol="user_aviation", tail="VH-BKV", beacon="elt", emergency_code=code)
    )

    assert draft.nature is nature


def test_an_emergency_code_is_doubted_because_nothing_proves_its_bits():
    coded, plain = sent(replace(SHORT, emergency_code=1))[0], sent(SHORT)[0]

    assert (coded.confidence, plain.confidence) == (Confidence.TENTATIVE, Confidence.VERIFIED)
    assert coded.doubts == ("its emergency code stands in bits that nothing proves",)


@pytest.mark.parametrize("homing", ["none", "121.5", "sart", "other"])
def test_homing_is_told(homing):
    assert sent(replace(SHORT, homing=homing))[1].homing == homing


@pytest.mark.parametrize("activation", ["manual", "automatic_or_manual"])
def test_activation_of_a_short_message_is_told(activation):
    assert sent(replace(SHORT, activation=activation))[1].activation == activation


@pytest.mark.parametrize("activation", ["manual", "automatic", "avionics", "external"])
def test_activation_of_a_distress_tracking_elt_is_told(activation):
    assert sent(replace(TRACKING, activation=activation))[1].activation == activation


@pytest.mark.parametrize(
    ("above", "top"), [(None, 400.0), (2800.0, 3400.0), (8800.0, 10_000.0), (10_000.0, None)]
)
def test_class_of_altitude_is_told_as_a_class_and_never_as_an_altitude(above, top):
    draft, said = sent(replace(TRACKING, altitude_m=top, altitude_above_m=above))

    assert (said.altitude_above_m, said.altitude_m) == (above, top)
    assert draft.position.altitude_m is None


def test_a_distress_tracking_elt_is_no_downed_aircraft():
    assert sent(TRACKING)[0].nature is Nature.BEACON_EMISSION


def test_cancellation_of_a_distress_tracking_elt_is_looked_for_before_its_position():
    draft, said = sent(replace(TRACKING, cancel=True))

    assert (draft.kind, draft.urgency) == (Kind.CANCELLATION, Urgency.DISTRESS)
    assert draft.position is None
    assert draft.nature is None
    assert (said.lat_deg, said.activation, said.icao24) == (None, None, "A39657")


def test_half_a_cancellation_is_an_alert_without_a_position():
    """Only both fields together take an alert back: what is not proven cancels nothing."""
    draft, _ = heard(bend(write_beacon(replace(TRACKING, cancel=True)), 108, 115, 122, 140))

    assert draft.kind is Kind.ALERT
    assert draft.position is None
    assert "the position stated is not on the Earth" in draft.doubts


def test_ship_security_is_covert_and_nothing_else_is():
    draft, _ = sent(replace(SHIP, protocol="ship_security", beacon="ship_security", homing="none"))

    assert (draft.covert, draft.nature) == (True, Nature.PIRACY_UNLAWFUL)
    assert (draft.kind, draft.urgency, draft.mode) == (Kind.ALERT, Urgency.DISTRESS, Mode.REAL)
    assert not sent(SHIP)[0].covert


@pytest.mark.parametrize("provider", ["galileo", "glonass", "bds", None])
def test_return_link_is_told(provider):
    rls = Rls(provider=provider, request_automatic=True, received_manual=True)
    _, first = sent(replace(SHIP, protocol="rls", rls=rls))
    _, second = sent(replace(SECOND, rotating_field=2, rls=replace(rls, said_hex="4D001")))

    assert (first.rls, first.mmsi) == (rls, "232123456")
    assert second.rls == replace(rls, said_hex="4D001")


@pytest.mark.parametrize(("beacon", "tac"), [("elt", 2100), ("epirb", 1100), ("plb", 3100)])
def test_certificate_of_a_return_link_beacon_counts_from_its_kind(beacon, tac):
    _, said = sent(replace(SHIP, protocol="rls", beacon=beacon, mmsi=None, tac=tac, serial=7))

    assert (said.beacon, said.tac, said.serial) == (beacon, tac, 7)


# ---- Where it says it is ------------------------------------------------------------------------


@pytest.mark.parametrize("errors", [0, 1, 2])
def test_a_second_field_that_is_proven_makes_the_position_fine(errors):
    draft, _ = heard(bend(write_beacon(SHIP), *(115, 128)[:errors]))

    assert draft.position.lat_deg == pytest.approx(SHIP.lat_deg)
    assert draft.position.resolution_m < 100
    assert draft.corrected_bits == errors
    assert draft.confidence is (Confidence.TENTATIVE if errors == 2 else Confidence.VERIFIED)


def test_a_second_field_that_is_not_proven_says_nothing():
    """The gate: an offset that is not proven can put the ship on another coast."""
    draft, said = heard(bend(write_beacon(SHIP), 110, 118, 126, 139))

    assert draft.position == Position(
        lat_deg=57.5, lon_deg=-4.25, resolution_m=13_890.0, source=None
    )
    assert (said.homing, said.position_source, said.proof.damaged_2) == (None, None, True)
    assert draft.confidence is Confidence.TENTATIVE


@pytest.mark.parametrize("filler", ["00000000", "FFFFFFFF"])
def test_a_second_field_that_a_ground_station_blanked_says_nothing_and_is_no_damage(filler):
    draft, said = heard(write_beacon(SHIP)[:22] + filler)

    assert draft.position.lat_deg == 57.5
    assert not said.proof.damaged_2
    assert draft.confidence is Confidence.VERIFIED


def test_a_user_location_protocol_has_no_position_without_its_second_field():
    long = replace(SHORT, long=True, lat_deg=-33.8, lon_deg=151.2, position_source="external")
    whole, damaged = sent(long)[0], heard(bend(write_beacon(long), 110, 118, 126, 139))[0]

    assert whole.position.lat_deg == pytest.approx(-33.8)
    assert damaged.position is None
    assert damaged.urgency is Urgency.DISTRESS


@pytest.mark.parametrize("protocol", ["user_test", "user_national", "user_orbitography"])
def test_long_user_protocols_whose_bits_are_the_country_s_own_say_no_position(protocol):
    """Toulouse, as a user-location protocol would have it, and told as the bits they are."""
    place = "10010101110010000000010111"
    long = replace(SHORT, long=True, protocol=protocol, beacon="test", national="0" * 46 + place)
    draft, said = sent(long)

    assert draft.position is None
    assert said.position_source is None
    assert said.national.endswith(place)


@pytest.mark.parametrize("protocol", ["standard_mmsi", "national", "rls", "elt_dt"])
@pytest.mark.parametrize(("lat", "lon"), [(1, 1), (1, -1), (-1, 1), (-1, -1)])
def test_an_offset_is_on_the_size_of_the_coarse_position_in_every_quarter_of_the_earth(
    protocol, lat, lon
):
    words = {"national": {"mmsi": None, "serial": 4242}, "elt_dt": words_of_tracking()}
    lat_deg, lon_deg = lat * (33 + 56 / 60 + 44 / 3600), lon * (100 + 29 / 60 + 28 / 3600)
    said = replace(SHIP, protocol=protocol, lat_deg=lat_deg, lon_deg=lon_deg)
    draft, _ = sent(replace(said, **words.get(protocol, {})))

    assert draft.position.lat_deg == pytest.approx(lat_deg)
    assert draft.position.lon_deg == pytest.approx(lon_deg)


def words_of_tracking():
    names = ("beacon", "icao24", "activation", "freshness", "mmsi", "homing", "position_source")
    return {name: getattr(TRACKING, name) for name in names}


def test_no_position_is_none_and_the_alert_stands():
    for said in (SHIP, TRACKING, SECOND):
        draft, _ = sent(replace(said, lat_deg=None, lon_deg=None))

        assert draft.position is None
        assert (draft.kind, draft.confidence) == (Kind.ALERT, Confidence.VERIFIED)


# ---- Tests, self-tests and system beacons -------------------------------------------------------


@pytest.mark.parametrize(
    "said",
    [
        replace(SHIP, self_test=True),
        replace(SHIP, protocol="standard_test", beacon="test", mmsi=None, national="0" * 24),
        replace(SHIP, protocol="national_test", beacon="test", mmsi=None, serial=1),
        replace(SHIP, protocol="rls", beacon="test", mmsi=None, tac=5, serial=1),
        replace(SHORT, protocol="user_test", beacon="test", national="0" * 52),
        replace(TRACKING, icao24="FFFFFF"),
        replace(SECOND, test=True),
        replace(SECOND, self_test=True),
        replace(SECOND, protocol="system_test", mmsi=None, epirb_ais=None, test=True),
    ],
    ids=lambda said: f"{said.generation}-{said.protocol}",
)
def test_each_marked_test_is_a_test(said):
    assert sent(said)[0].mode is Mode.TEST


@pytest.mark.parametrize("said", [SHIP, SHORT, TRACKING, SECOND], ids=lambda said: said.protocol)
def test_what_is_not_marked_is_real(said):
    assert sent(said)[0].mode is Mode.REAL


def test_a_beacon_of_the_system_is_no_distress():
    draft, _ = sent(replace(SHORT, protocol="user_orbitography", national="01" * 26))

    assert (draft.kind, draft.urgency) == (Kind.STATUS, Urgency.ROUTINE)
    assert draft.casualty is None


# ---- How it is proven ---------------------------------------------------------------------------


@pytest.mark.parametrize(("errors", "verified"), [(0, True), (1, False), (2, False), (3, False)])
def test_a_short_message_with_errors_put_right_is_tentative_unless_its_synchronisation_came_too(
    errors, verified
):
    bits = (30, 60, 90)[:errors]
    alone, _ = heard(bend(write_beacon(SHORT), *bits))
    whole, _ = heard(bend(write_beacon(replace(SHORT, proof=SYNC)), *bits, first=1))

    assert alone.integrity is whole.integrity is Integrity.BCH
    assert alone.corrected_bits == whole.corrected_bits == errors
    assert (alone.confidence is Confidence.VERIFIED) is verified
    assert whole.confidence is Confidence.VERIFIED


SYNC = Proof(synchronised=True)


@pytest.mark.parametrize(("errors", "verified"), [(0, True), (3, True), (4, False), (6, False)])
def test_the_second_generation_puts_six_errors_right_and_says_so(errors, verified):
    bits = random.Random(errors).sample(range(1, 251), errors)
    draft, _ = heard(bend(write_beacon(SECOND), *bits, first=-1))

    assert draft.sender.mmsi == "232123456"
    assert draft.corrected_bits == errors
    assert (draft.confidence is Confidence.VERIFIED) is verified


def test_seven_errors_are_kept_unread_as_what_may_be_a_call():
    radio = CospasSarsat()
    (found,) = radio.read(frame(bend(write_beacon(SECOND), *range(1, 140, 20), first=-1)))

    assert isinstance(found, Unread)
    assert found.distress_like


def test_noise_is_never_verified():
    """Rows of digits by chance, in every form: what passes for a message is doubted."""
    dice = random.Random(11)
    radio = CospasSarsat()
    for _ in range(4000):
        count = dice.choice([22, 28, 30, 36, 63])
        for found in radio.read(frame(f"{dice.getrandbits(4 * count):0{count}X}")) or ():
            if isinstance(found, Reading):
                assert radio.report(found).confidence is not Confidence.VERIFIED


def test_bytes_are_read_as_digits_are():
    for said in (SHIP, replace(SHIP, proof=SYNC), SHORT, SECOND):
        digits = write_beacon(said)
        whole = bytes.fromhex(digits if len(digits) % 2 == 0 else f"0{digits}")

        assert heard(whole)[0] == heard(digits)[0]


# ---- What may have been a call ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("raw", "fault", "like"),
    [
        (b"FFFE2F8E3E0425A83180", Fault.CUT, True),
        (b"8E821E240039A08D0", Fault.ILLEGAL_CHARACTER, True),
        (b"1700000000000", Fault.CUT, False),
        (b"$PSTMVER,GNSSLIB_9749c549631df_ARM", Fault.CUT, False),
        (b"\xc0\x00FFFE2F8E3E0425A83180", Fault.CUT, False),
        (b"8E821E240039A08D00797705418246", None, True),
        (b"8E821E240039A08D00797705418247"[::-1], None, False),
        (b"$ULTW00B500C803E600C8277CFFF8C3E10001004100A9026C0000002E", None, False),
    ],
)
def test_remains_of_a_message_are_told_from_other_rows_of_digits(raw, fault, like):
    assert CospasSarsat().distress_like(frame(raw, fault=fault)) is like


def test_nothing_is_remembered():
    radio = CospasSarsat()
    radio.read(frame(write_beacon(SHIP)))

    assert (list(radio.bounds()), radio.expire(Moment(10**15))) == ([], ())


def test_two_receivers_of_one_transmission_hear_the_same_whatever_each_put_right():
    digits = write_beacon(SHIP)
    profile = Profile(title="t", radio=("cospas_sarsat",), framing="lines", proven="t")
    pipeline = hallway(
        "t",
        [PortPlan(name=name, device="x", modem="m", profile=profile) for name in ("a", "b", "c")],
    )
    lines = {"a": digits, "b": bend(digits, 50), "c": f"FFFE2F{digits}"}
    relations = [
        item.sighting.relation
        for port, line in lines.items()
        for item in without_notes(pipeline.inbound(Chunk(port, Moment(0), f"{line}\r\n".encode())))
    ]

    assert relations == ["first", "copy", "copy"]


# ---- Written and read back ----------------------------------------------------------------------


def vector_messages():
    for row in tomllib.loads(VECTORS.read_text("utf-8"))["vector"]:
        for wire in row.get("wire", ()):
            (found,) = CospasSarsat().read(frame(wire)) or (None,)
            said = getattr(found, "said", None)
            if said is not None and said.form == "message" and said.proof.corrected_1 == 0:
                proven = said.generation == 2 or not said.long or said.proof.corrected_2 == 0
                if proven:
                    yield pytest.param(said, wire, id=row["name"])


@pytest.mark.parametrize(("said", "wire"), list(vector_messages()))
def test_every_vector_is_written_back_bit_for_bit(said, wire):
    assert write_beacon(said) in wire.replace(" ", "").upper()


@pytest.mark.parametrize(
    "said",
    [
        *(SHIP, SHORT, TRACKING, SECOND),
        replace(SHORT, protocol="user_callsign", mmsi=None, callsign="YDB4841", country="525"),
        replace(SHORT, mmsi=None, callsign="VKN1", beacon_number="2"),
        replace(
            SHORT, protocol="user_aviation", mmsi=None, beacon="elt", tail="OE-5658", country="203"
        ),
        replace(
            SHORT,
            protocol="user_serial",
            mmsi=None,
            beacon_number=None,
            tac=97,
            serial=5136,
            float_free=False,
            national="0000000001",
        ),
        replace(
            SHORT,
            protocol="user_serial",
            mmsi=None,
            beacon="elt",
            operator="QFA",
            beacon_number=None,
            tac=97,
            serial=12,
        ),
        replace(SHORT, protocol="user_serial", mmsi=None, beacon="elt", icao24="7C1234", tac=97),
        replace(
            SHIP,
            protocol="standard_operator",
            beacon="elt",
            mmsi=None,
            beacon_number=None,
            operator="QFA",
            serial=12,
        ),
        replace(
            TRACKING,
            icao24=None,
            operator="QFA",
            serial=12,
        ),
        replace(SECOND, protocol="callsign", mmsi=None, epirb_ais=None, callsign="BPM4"),
        replace(SECOND, protocol="registration", mmsi=None, epirb_ais=None, tail="C7518"),
        replace(
            SECOND,
            protocol="address",
            mmsi=None,
            epirb_ais=None,
            icao24="A39657",
            operator="QFA",
            beacon="elt",
        ),
        replace(
            SECOND,
            protocol="operator",
            mmsi=None,
            epirb_ais=None,
            operator="QFA",
            beacon_number="12",
            beacon="elt",
        ),
        replace(SECOND, position_source="none", lat_deg=None, lon_deg=None),
        replace(
            SECOND,
            rotating_field=1,
            beacon="elt_dt",
            activation="avionics",
            battery="over 66 %",
            position_utc="23:59:59Z",
            active_h=None,
            hdop=None,
            vdop=None,
            position_age_s=None,
        ),
    ],
    ids=lambda said: f"{said.generation}-{said.protocol}-{said.beacon}-{said.rotating_field}",
)
def test_what_was_composed_is_read_back_word_for_word(said):
    """With errors as many as can be put right, too."""
    digits = write_beacon(said)
    again = heard(digits)[1]
    wanted = words(said)

    assert {key: words(again).get(key) for key in wanted} == {
        key: pytest.approx(value) if isinstance(value, float) else value
        for key, value in wanted.items()
    }
    assert write_beacon(again) == digits


@pytest.mark.parametrize(
    ("said", "field"),
    [
        (replace(SHIP, country="x"), "country"),
        (replace(SHIP, country="1024"), "country"),
        (replace(SHIP, mmsi="503123456"), "mmsi"),
        (replace(SHIP, protocol="martian"), "protocol"),
        (replace(SHIP, beacon_number="16"), "beacon_number"),
        (replace(SHORT, protocol="user_martian"), "protocol"),
        (replace(SHORT, mmsi=None, callsign="TOOLONG"), "text"),
        (replace(SHORT, mmsi=None, callsign="a"), "text"),
        (replace(SHORT, protocol="user_callsign", callsign="YDBXABC"), "callsign"),
        (replace(SHIP, protocol="rls", mmsi=None, tac=5), "tac"),
        (replace(SHIP, coarse_lat_deg=50.0), "lat_deg"),
        (replace(SECOND, altitude_m=-500.0), "altitude_m"),
        (replace(SECOND, tac=1 << 16), "tac"),
        (replace(SECOND, beacon="martian"), "beacon"),
        (replace(SECOND, cancel=True, activation="external"), "activation"),
    ],
    ids=lambda part: part if isinstance(part, str) else "",
)
def test_what_has_no_room_is_not_written(said, field):
    with pytest.raises(CodingError) as caught:
        write_beacon(said)

    assert caught.value.field == field
