"""Every field of every protocol, with values by dice: what a beacon is told is what is heard of it.

A field that is read a bit too far, too short or beside its place shows with one of forty beacons of
its protocol. Edges of tables and of fields have tests of their own below.
"""

from __future__ import annotations

import random

import pytest
from msgspec.structs import asdict

from gateway.codes.bch import BCH_38_26, BCH_82_61, BCH_250_202
from gateway.model.inbound import Frame, Moment, Reading, Unread
from gateway.radio.cospas_sarsat import (
    BeaconDetail,
    CodingError,
    CospasSarsat,
    tables,
    write_beacon,
)
from gateway.radio.cospas_sarsat.words import Proof, Rls

BEACONS = 40
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
TEXT = LETTERS + "0123456789"
WHO = (
    *("country", "protocol", "beacon", "float_free", "mmsi", "icao24", "callsign", "tail"),
    *("operator", "epirb_ais", "tac", "serial", "beacon_number", "hex_id", "aliases"),
)


def heard(digits):
    radio = CospasSarsat()
    raw = digits.encode()
    (reading,) = radio.read(Frame("p", Moment(0), raw, raw, len(raw), 0, None))
    assert isinstance(reading, Reading), reading
    return radio.report(reading), reading.said


# ---- Values by dice ------------------------------------------------------------------------------


def below(limit):
    return lambda dice: dice.choice([0, limit - 1, dice.randrange(limit), dice.randrange(limit)])


def one_of(*words):
    return lambda dice: dice.choice(words)


def text(least, most, letters=TEXT):
    return lambda dice: "".join(dice.choices(letters, k=dice.randint(least, most)))


def bits(count):
    return lambda dice: f"{dice.getrandbits(count):0{count}b}"


def address(dice):
    return f"{dice.randrange(1, 0xFFFFFF):06X}"


def number(limit):
    return lambda dice: str(below(limit)(dice))


def place(steps):
    """Return a place on the Earth's grid of so many steps a degree, edges included."""

    def found(dice):
        lat, lon = dice.choice([(90, 180), (0, 0), (89, 179), (33, 151), (7, 100), (64, 128)])
        # Exactly where the equator meets Greenwich looks like a field that was blanked on the way.
        more = [
            dice.randrange(not edge, steps) / steps if edge not in {90, 180} else 0
            for edge in (lat, lon)
        ]
        north, east = dice.choice([1, -1]), dice.choice([1, -1])
        return north * (lat + more[0]) or 0.0, east * (lon + more[1]) or 0.0

    return found


YES = one_of(True)  # noqa: FBT003  # a value like others
YES_OR_NO = one_of(True, False)  # noqa: FBT003  # as above
HOMING = {"homing": one_of(*tables.HOMING)}
WHICH = {"beacon_number": text(1, 1)}
SHORT = {
    "activation": one_of("manual", "automatic_or_manual"),
    "emergency_code": lambda dice: dice.choice([None, 0, *range(16)]),
}
LONG = {"position_source": one_of("internal", "external"), "at": place(15), "long": YES}
LOCATION = {**LONG, "homing": one_of("none", "121.5"), "at": place(900)}
CERTIFIED = {"tac": below(1 << 10), "serial": below(1 << 14)}
OPERATED = {"operator": text(3, 3, LETTERS), "serial": below(1 << 9)}
DIGITS_6 = object()
"""An MMSI: its first three digits are the country's."""


def serial_user(beacon, **more):
    return {"beacon": one_of(beacon), **HOMING, "tac": below(1 << 10), **more}


def links(dice):
    return Rls(
        provider=dice.choice([None, *tables.RLS_PROVIDERS.values()]),
        request_automatic=YES_OR_NO(dice),
        request_manual=YES_OR_NO(dice),
        received_automatic=YES_OR_NO(dice),
        received_manual=YES_OR_NO(dice),
    )


def second_links(dice):
    found = asdict(links(dice))
    return Rls(**{**found, "said_hex": dice.choice([None, "00001", "80000", "4D0F1"])})


def classes(dice):
    """Return an ELT(DT)'s class of altitude: above, up to."""
    ends = [None, *map(float, tables.ALTITUDES_M), None]
    at = dice.randrange(len(ends) - 1)
    return ends[at], ends[at + 1]


TRACKING = {
    "long": LONG["long"],
    "at": place(900),
    "activation": one_of(*tables.ACTIVATIONS_DT),
    "freshness": one_of(*tables.FRESHNESS[1:]),
    "beacon": one_of("elt_dt"),
    "classes": classes,
}
USERS = {
    "maritime-mmsi": {
        "protocol": "user_maritime",
        "beacon": one_of("epirb"),
        "mmsi": DIGITS_6,
        **WHICH,
    },
    "maritime-callsign": {
        "protocol": "user_maritime",
        "beacon": one_of("epirb"),
        "callsign": text(1, 6, LETTERS),
        **WHICH,
    },
    "callsign": {
        "protocol": "user_callsign",
        "beacon": one_of("epirb"),
        "callsign": lambda dice: text(4, 4, LETTERS)(dice) + text(0, 3, "0123456789")(dice),
        **WHICH,
    },
    "aviation": {
        "protocol": "user_aviation",
        "beacon": one_of("elt"),
        "tail": text(2, 7),
        "beacon_number": number(4),
    },
    "serial-elt": {
        "protocol": "user_serial",
        **serial_user("elt", serial=below(1 << 20), national=bits(10)),
    },
    "serial-plb": {
        "protocol": "user_serial",
        **serial_user("plb", serial=below(1 << 20), national=bits(10)),
    },
    "serial-epirb": {
        "protocol": "user_serial",
        **serial_user("epirb", serial=below(1 << 20), national=bits(10), float_free=YES_OR_NO),
    },
    "serial-national": {
        "protocol": "user_serial",
        **serial_user("plb", serial=below(1 << 20), tac=one_of(None), national=bits(20)),
    },
    "serial-address": {
        "protocol": "user_serial",
        **serial_user("elt", icao24=address, beacon_number=number(64)),
    },
    "serial-operator": {
        "protocol": "user_serial",
        **serial_user("elt", operator=text(3, 3), serial=below(1 << 12)),
    },
}
FIRST = {
    **{f"{name}-short": {**HOMING, **SHORT, **one} for name, one in USERS.items()},
    **{f"{name}-long": {**HOMING, **LONG, **one} for name, one in USERS.items()},
    "national-short": {"protocol": "user_national", "national": bits(52)},
    "national-long": {"protocol": "user_national", "national": bits(72), "long": LONG["long"]},
    "orbitography": {
        "protocol": "user_orbitography",
        "beacon": one_of("system"),
        "national": bits(72),
        "long": LONG["long"],
    },
    "test-short": {"protocol": "user_test", "beacon": one_of("test"), "national": bits(52)},
    "test-long": {
        "protocol": "user_test",
        "beacon": one_of("test"),
        "national": bits(72),
        "long": LONG["long"],
    },
    "standard-mmsi": {
        **LOCATION,
        "protocol": "standard_mmsi",
        "beacon": one_of("epirb"),
        "mmsi": DIGITS_6,
        "beacon_number": number(16),
    },
    "ship-security": {
        **LOCATION,
        "protocol": "ship_security",
        "beacon": one_of("ship_security"),
        "mmsi": DIGITS_6,
        "beacon_number": number(16),
    },
    "standard-address": {
        **LOCATION,
        "protocol": "standard_address",
        "beacon": one_of("elt"),
        "icao24": address,
    },
    **{
        f"standard-serial-{beacon}": {
            **LOCATION,
            **CERTIFIED,
            "protocol": "standard_serial",
            "beacon": one_of(beacon),
        }
        for beacon in ("elt", "epirb", "plb")
    },
    "standard-operator": {
        **LOCATION,
        **OPERATED,
        "protocol": "standard_operator",
        "beacon": one_of("elt"),
    },
    "standard-test": {
        **LOCATION,
        "protocol": "standard_test",
        "beacon": one_of("test"),
        "national": bits(24),
    },
    **{
        f"national-{beacon}": {
            **LOCATION,
            "protocol": "national_test" if beacon == "test" else "national",
            "beacon": one_of(beacon),
            "serial": below(1 << 18),
            "national": bits(6),
        }
        for beacon in ("elt", "epirb", "plb", "test")
    },
    "rls-mmsi": {
        **LOCATION,
        "protocol": "rls",
        "beacon": one_of("elt", "epirb", "plb", "test"),
        "mmsi": DIGITS_6,
        "rls": links,
    },
    **{
        f"rls-{beacon}": {
            **LOCATION,
            "protocol": "rls",
            "beacon": one_of(beacon),
            "tac": lambda dice, least=least: least + below(0b1111000000)(dice),
            "serial": below(1 << 14),
            "rls": links,
        }
        for beacon, least in tables.RLS_BEACONS.values()
    },
    "tracking-address": {**TRACKING, "protocol": "elt_dt", "icao24": address},
    "tracking-operator": {**TRACKING, "protocol": "elt_dt", **OPERATED},
    "tracking-certificate": {
        **TRACKING,
        "protocol": "elt_dt",
        "tac": below(1 << 10),
        "serial": lambda dice: dice.randrange(1, (1 << 14) - 1),
    },
}
SECOND = {
    "tac": below(1 << 16),
    "serial": below(1 << 14),
    "homing": one_of("any", "none"),
    "return_link": YES_OR_NO,
    "test": YES_OR_NO,
    "self_test": YES_OR_NO,
    "at": place(1 << 15),
    "beacon": one_of(*tables.SGB_BEACONS.values()),
}
VESSELS = {
    "none": {},
    "mmsi": {
        "mmsi": lambda dice: f"{dice.choice([0, 232_123_456, 999_999_999]):09}",
        "epirb_ais": lambda dice: f"{below(10_000)(dice):04}",
    },
    "callsign": {"callsign": text(1, 7)},
    "registration": {"tail": text(1, 7)},
    "address": {"icao24": address, "operator": text(3, 3, "ABCDEFGHI")},
    "operator": {"operator": text(3, 3, LETTERS), "beacon_number": number(1 << 12)},
}
ALTITUDE = {"altitude_m": lambda dice: below(1023)(dice) * 16.0 - 400}
ROTATING = {
    0: {
        **ALTITUDE,
        "active_h": below(1 << 6),
        "position_age_s": lambda dice: below(2047)(dice) * 60.0,
        "hdop": one_of(*tables.DOPS),
        "vdop": one_of(*tables.DOPS),
        "activation": one_of(*tables.SGB_ACTIVATIONS, None),
        "battery": one_of(*tables.BATTERY, None),
        "gnss": one_of(*tables.GNSS, None),
    },
    1: {
        **ALTITUDE,
        "position_utc": one_of("00:00:00Z", "23:59:59Z", "07:08:09Z", "12:34:56Z", None),
        "activation": one_of(*tables.SGB_TRIGGERS.values()),
        "battery": one_of(*tables.BATTERY_DT, None),
        "gnss": one_of(*tables.GNSS, None),
    },
    2: {"rls": second_links},
    3: {"rotating_bits": bits(44)},
    9: {"rotating_bits": bits(44)},
    15: {
        "cancel": YES,
        "activation": one_of("manual", "automatic"),
    },
}
SECONDS = {
    **{f"of-{kind}": {**ROTATING[0], **one} for kind, one in VESSELS.items()},
    **{f"field-{field}": {**one, **VESSELS["mmsi"]} for field, one in ROTATING.items()},
}


MESSAGE = "8E821E240039A08D007977"


def composed(words, dice, **fixed):
    """Return the detail of a beacon of these words."""
    country = str(dice.choice([201, 775, dice.randrange(201, 776)]))
    said = {"country": country, "hex_id": "", "form": "message", **fixed}
    for field, value in words.items():
        if value is DIGITS_6:
            said[field] = f"{country}{dice.choice([0, 999_999, dice.randrange(10**6)]):06}"
        elif field == "at":
            said["lat_deg"], said["lon_deg"] = value(dice)
        elif field == "classes":
            said["altitude_above_m"], said["altitude_m"] = value(dice)
        else:
            said[field] = value(dice) if callable(value) else value
    return BeaconDetail(**said)


def beacons(words, seed, **fixed):
    dice = random.Random(seed)
    return [composed(words, dice, **fixed) for _ in range(BEACONS)]


def assert_says(found, said):
    """Each word is told, and nothing else but what a message adds to it."""
    added = {"hex_id", "aliases", "proof", "sent_hex", "coarse_lat_deg", "coarse_lon_deg"}
    added |= {"resolution_m", "covert"}
    for field, value in asdict(said).items():
        if field not in added:
            wanted = pytest.approx(value) if isinstance(value, float) else value
            assert getattr(found, field) == wanted, field


each_first = pytest.mark.parametrize("name", sorted(FIRST))
each_second = pytest.mark.parametrize("name", sorted(SECONDS))


def firsts(name):
    words = FIRST[name]
    test = name.startswith(("test", "national-test", "standard-test"))
    for said in beacons(words, name, generation=1):
        is_test = test or (said.protocol == "rls" and said.beacon == "test")
        yield BeaconDetail(**{**asdict(said), "test": is_test})


def seconds(name):
    kind = name.removeprefix("of-") if name.startswith("of-") else "mmsi"
    field = 0 if name.startswith("of-") else int(name.removeprefix("field-"))
    return beacons(
        {**SECOND, **SECONDS[name]}, name, generation=2, protocol=kind, rotating_field=field
    )


@each_first
def test_a_first_generation_beacon_says_what_it_is_told(name):
    for said in firsts(name):
        digits = write_beacon(said)
        found = heard(digits)[1]

        assert len(digits) == (30 if said.long else 22)
        assert_says(found, said)
        assert (found.odd, found.sent_hex) == ((), digits)
        assert found.covert == (said.protocol == "ship_security")


@each_second
def test_a_second_generation_beacon_says_what_it_is_told(name):
    for said in seconds(name):
        digits = write_beacon(said)
        found = heard(digits)[1]

        assert_says(found, said)
        assert (found.odd, found.covert) == ((), False)
        assert int(found.sent_hex, 16) == int(digits, 16) & (1 << 250) - 1


@each_first
def test_fifteen_digits_say_of_a_first_generation_beacon_who_it_is(name):
    """What stands in front of the position: of a user protocol the homing, too."""
    for said in firsts(name):
        message = heard(write_beacon(said))[1]
        alone = heard(f"ID {message.hex_id}")[1]

        assert {one: getattr(alone, one) for one in WHO} == {
            one: getattr(message, one) for one in WHO
        }
        assert (alone.form, alone.long, alone.sent_hex) == ("identity", False, None)
        assert (alone.lat_deg, alone.coarse_lat_deg, alone.activation) == (None, None, None)
        assert len(message.hex_id) == 15


@each_second
def test_twenty_three_digits_say_of_a_second_generation_beacon_who_it_is(name):
    for said in seconds(name):
        message = heard(write_beacon(said))[1]
        alone = heard(f"ID {message.hex_id}")[1]

        assert {one: getattr(alone, one) for one in (*WHO, "test")} == {
            **{one: getattr(message, one) for one in (*WHO, "test")},
            "beacon": None,
        }
        assert (alone.form, alone.sent_hex, alone.lat_deg) == ("identity", None, None)
        assert (len(message.hex_id), message.aliases[0]) == (23, message.hex_id[:15])


@each_first
def test_errors_put_right_change_nothing_of_what_is_said(name):
    dice = random.Random(name)
    for said in list(firsts(name))[:8]:
        digits = write_beacon(said)
        row = int(digits, 16)
        length = 4 * len(digits)
        bent = row
        for at in dice.sample(range(82), 3):
            bent ^= 1 << (length - 1 - at)
        if said.long and said.protocol != "user_orbitography" and row & (1 << 32) - 1:
            for at in dice.sample(range(82, 120), 2):
                bent ^= 1 << (length - 1 - at)
        found = heard(f"{bent:0{len(digits)}X}")[1]

        assert found.proof.corrected_1 == 3
        assert_says(found, said)
        assert (found.hex_id, found.sent_hex) == (heard(digits)[1].hex_id, digits)


@pytest.mark.parametrize("name", ["maritime-mmsi-short", "standard-mmsi", "tracking-address"])
def test_a_self_test_is_one_by_its_synchronisation(name):
    for said in firsts(name):
        told = BeaconDetail(**{**asdict(said), "self_test": True})
        digits = write_beacon(told)
        found = heard(digits)[1]

        assert digits[:6] == "FFFED0"
        assert_says(found, told)
        assert found.proof.synchronised
        whole = BeaconDetail(**{**asdict(said), "proof": Proof(synchronised=True)})
        assert write_beacon(whole) == "FFFE2F" + digits[6:]
        assert heard(write_beacon(whole))[1].self_test is False


# ---- Edges ---------------------------------------------------------------------------------------


def first_of(country, code, body=0, *, user=False, long=True, second=0b1101 << 22):
    """Return a message of these bits, whoever would send them."""
    width = 46 if user else 45
    head = (int(long) << 1 | int(user)) << 10 | country
    data = (head << (61 - 12 - width) | code) << width | body
    word = data << 21 | BCH_82_61.check(data)
    if not long:
        return f"{word << 6 | second:022X}"
    return f"{word << 38 | second << 12 | BCH_38_26.check(second):030X}"


def bent_by_one(digits):
    """Return the digits with one error in the first protected field."""
    return f"{int(digits, 16) ^ 1 << (4 * len(digits) - 50):0{len(digits)}X}"


@pytest.mark.parametrize(
    ("country", "can_be"), [(200, False), (201, True), (775, True), (776, False)]
)
def test_errors_are_put_right_only_in_what_a_country_may_send(country, can_be):
    """Noise often lies three errors from a message of some sort, and seldom of a country."""
    digits = first_of(country, 0b0010, 123_456 << 25)
    radio = CospasSarsat()
    raw = bent_by_one(digits).encode()
    (found,) = radio.read(Frame("p", Moment(0), raw, raw, len(raw), 0, None))

    assert isinstance(found, Reading) is can_be
    assert isinstance(found, Unread) is not can_be
    assert heard(digits)[1].country == f"{country:03}"


@pytest.mark.parametrize(
    ("lat", "lon", "on_earth"),
    [(360, 720, True), (361, 720, False), (360, 721, False), (0, 0, True)],
)
def test_a_standard_position_beyond_a_pole_or_the_date_line_is_none(lat, lon, on_earth):
    """In quarters of a degree."""
    zero = 0b1101_00 << 20 | (1 << 19 | 0 << 10) | 1 << 9
    draft, said = heard(first_of(232, 0b0010, lat << 11 | lon, second=zero))

    assert (draft.position is not None) is on_earth
    if on_earth:
        assert (said.coarse_lat_deg, said.coarse_lon_deg) == (lat / 4, lon / 4)
    assert said.odd == (() if on_earth else ("the position stated is not on the Earth",))


@pytest.mark.parametrize("sign", [0, 1])
def test_an_offset_that_leads_past_the_equator_is_no_position(sign):
    """It is taken from the size of the coarse position, which has none to give."""
    offset = sign << 9 | 1 << 4
    second = 0b1101_00 << 20 | offset << 10 | 1 << 9
    _, said = heard(first_of(232, 0b0010, 0 << 11 | 4, second=second))

    assert (said.lat_deg is not None) is bool(sign)
    assert bool(said.odd) is not sign


@pytest.mark.parametrize(
    ("lat", "lon", "on_earth"),
    [
        ((90, 0), (180, 0), True),
        ((90, 1), (180, 0), False),
        ((90, 0), (180, 1), False),
        ((127, 0), (10, 0), None),
        ((10, 0), (255, 0), None),
    ],
)
def test_a_user_s_position_is_one_on_the_earth_or_none(lat, lon, on_earth):
    """In degrees and steps of four minutes; all ones in either says that none is known."""
    place = (lat[0] << 4 | lat[1]) << 13 | (lon[0] << 4 | lon[1])
    _, said = heard(first_of(232, 0b010, user=True, second=1 << 25 | place))

    assert (said.lat_deg is not None) is bool(on_earth)
    assert ("the position stated is not on the Earth" in said.odd) is (on_earth is False)
    assert said.resolution_m == (3704.0 if on_earth else None)


@pytest.mark.parametrize(
    ("code", "body", "odd"),
    [
        (0b0000, 0, "no table has the location protocol 0000"),
        (0b0010, 1_000_000 << 25, "the six digits of its MMSI are more than six"),
        (0b1001, 0b11 << 43, "no table has its kind of identity 11"),
        (0b0101, 0b00001 << 40, "a character of its operator is in no table"),
    ],
)
def test_what_no_table_has_is_said_of_a_location_protocol(code, body, odd):
    assert odd in heard(first_of(232, code, body))[1].odd


@pytest.mark.parametrize(
    ("code", "body", "odd"),
    [
        (0b010, 0b000001 << 40, "a character of its call sign is in no table"),
        (0b110, 0b000001 << 40, "a character of its call sign is in no table"),
        (0b110, 0b1011 << 18 | 0xE38E38 << 22, "a character of its call sign is in no table"),
        (0b001, 0b000001 << 40, "a character of its registration marking is in no table"),
        (0b011, 0b101 << 43, "no table has the type of beacon 101"),
        (0b011, 0b001 << 43 | 0b000001 << 36, "a character of its operator is in no table"),
    ],
)
def test_what_no_table_has_is_said_of_a_user_protocol(code, body, odd):
    assert odd in heard(first_of(232, code, body, user=True, long=False, second=0))[1].odd


def test_a_short_message_of_a_location_protocol_says_where_it_is_coarsely():
    """Its second field is not there: that it should be counts as damage."""
    digits = first_of(232, 0b0010, 123_456 << 25 | 40 << 11 | 50, long=True)
    _, said = heard(digits[:22])

    assert (said.lat_deg, said.lon_deg, said.resolution_m) == (10.0, 12.5, 13_890.0)
    assert said.proof.damaged_2
    assert said.sent_hex == f"{int(digits[:22], 16) >> 6 << 6:022X}"


@pytest.mark.parametrize(("code", "letters"), [(0, True), (1, False), (4, False)])
def test_letters_of_an_operator_stand_in_place_of_an_offset_only_when_they_rotate(code, letters):
    words = 0b11000 << 10 | 0b10011 << 5 | 0b01110
    second = (0b01 << 6 | 0b0001 << 2 | 0) << 18 | code << 15 | words
    _, said = heard(first_of(232, 0b1001, 0xA39657 << 19 | 40 << 10 | 50, second=second))

    assert (said.operator is not None) is letters
    assert (said.lat_deg == 20.0) is letters


def second_of(**fields):
    """Return a second-generation message with these bits set to these values."""
    row = int(write_beacon(composed({}, random.Random(1), **PLAIN)), 16) >> 48 & (1 << 202) - 1
    for name, value in fields.items():
        begin, end = map(int, name[1:].split("_"))
        width, shift = end - begin + 1, 202 - end
        row = row & ~((1 << width) - 1 << shift) | value << shift
    return f"{row << 48 | BCH_250_202.check(row):063X}"


PLAIN = {
    "generation": 2,
    "protocol": "mmsi",
    "mmsi": "232123456",
    "beacon": "epirb",
    "rotating_field": 0,
    "hdop": "up to 1",
    "vdop": "up to 1",
    "lat_deg": 10.0,
    "lon_deg": 20.0,
}


@pytest.mark.parametrize(
    ("fields", "odd"),
    [
        ({"b94_123": 1_000_000_000}, "its MMSI has more than nine digits"),
        ({"b91_93": 0b110}, "no table has the kind of vessel 110"),
        ({"b91_93": 0b010, "b94_99": 1}, "a character of its call sign is in no table"),
        ({"b91_93": 0b011, "b94_99": 1}, "a character of its registration marking is in no table"),
        ({"b91_93": 0b100, "b118_132": 1}, "a character of its operator is in no table"),
        ({"b91_93": 0b101, "b94_108": 1}, "a character of its operator is in no table"),
        ({"b138_140": 0b100}, "no table has the kind of beacon 100"),
        ({"b141_154": 0}, "its spare bits are not as they should be"),
        ({"b45_51": 90, "b52_66": 1}, "the position stated is not on the Earth"),
        ({"b68_75": 180, "b76_90": 1}, "the position stated is not on the Earth"),
    ],
)
def test_what_is_not_as_the_standard_has_it_is_said_of_a_second_generation_beacon(fields, odd):
    said = heard(second_of(**fields))[1]

    assert said.odd == (odd,)
    assert said.country == heard(second_of())[1].country


def test_each_thing_that_is_odd_is_said():
    off_earth = 1_000_000 << 25 | 361 << 11 | 1
    assert len(heard(first_of(232, 0b0010, off_earth))[1].odd) == 2
    assert len(heard(first_of(232, 0b1001, 0b11 << 43, second=1))[1].odd) == 2

    said = heard(second_of(b94_123=1_000_000_000, b45_51=91, b138_140=0b100, b141_154=1))[1]

    assert len(said.odd) == 4
    assert (said.mmsi, said.lat_deg, said.beacon) == (None, None, None)


@pytest.mark.parametrize(
    ("fields", "word", "value"),
    [
        ({"b94_123": 111_111}, "mmsi", None),
        ({"b124_137": 10_922}, "epirb_ais", None),
        ({"b124_137": 10_000}, "epirb_ais", None),
        ({"b124_137": 9_999}, "epirb_ais", "9999"),
        ({"b165_175": 2047}, "position_age_s", None),
        ({"b176_185": 1023}, "altitude_m", None),
        ({"b186_189": 15}, "hdop", None),
        ({"b155_158": 1, "b159_175": 86_400}, "position_utc", None),
        ({"b155_158": 1, "b159_175": 86_399}, "position_utc", "23:59:59Z"),
        ({"b91_93": 0b100, "b94_117": 0xA39657, "b118_137": 0}, "operator", None),
        ({"b91_93": 0b111}, "test", True),
        ({"b91_93": 0b110}, "protocol", "vessel_110"),
        ({"b45_66": 0b1111111_000001111100000, "b67_67": 0}, "lat_deg", None),
        ({"b45_66": 0, "b68_90": 0}, "resolution_m", 1.7),
    ],
)
def test_what_stands_for_nothing_known_is_nothing(fields, word, value):
    assert getattr(heard(second_of(**fields))[1], word) == value


@pytest.mark.parametrize(("lead", "whole"), [("0", True), ("8", True), ("4", False), ("C", False)])
def test_a_second_generation_message_begins_with_two_noughts_or_as_a_self_test(lead, whole):
    digits = second_of()
    raw = (f"{int(lead, 16) | int(digits[0], 16):X}" + digits[1:]).encode()
    (found,) = CospasSarsat().read(Frame("p", Moment(0), raw, raw, len(raw), 0, None))

    assert isinstance(found, Reading) is whole


@pytest.mark.parametrize(
    ("digits", "whole"),
    [
        ("9D1000000000000000000F0", False),
        ("1D1A0001234567890ABCDEF", False),
    ],
)
def test_twenty_three_digits_of_anything_else_are_no_identity(digits, whole):
    raw = f"ID {digits}".encode()
    (found,) = CospasSarsat().read(Frame("p", Moment(0), raw, raw, len(raw), 0, None))

    assert isinstance(found, Reading) is whole


def test_a_message_without_check_digits_is_shown_as_it_was_heard():
    digits = f"{int(second_of(), 16) >> 48:051X}"
    said = heard(f"GSR {digits}")[1]

    assert (said.sent_hex, said.proof.corrected_1) == (digits, None)
    assert said.mmsi == "232123456"


# ---- Who it is, and what is doubted --------------------------------------------------------------


def test_an_address_with_its_operator_is_known_without_it_too():
    """Ground stations of the issue of 2021 leave the operator out of the identity."""
    with_one = heard(second_of(b91_93=0b100, b94_117=0xA39657, b118_137=0b11000 << 15))[1]
    without = heard(second_of(b91_93=0b100, b94_117=0xA39657, b118_137=0))[1]

    assert with_one.aliases == (with_one.hex_id[:15], without.hex_id)
    assert without.aliases == (without.hex_id[:15],)
    assert without.hex_id.endswith("00000")
    assert write_beacon(without) == second_of(b91_93=0b100, b94_117=0xA39657, b118_137=0)
    assert heard(second_of(b91_93=0b101))[1].aliases == (
        heard(second_of(b91_93=0b101))[1].hex_id[:15],
    )


@each_first
def test_each_name_of_the_craft_is_told_of_the_casualty(name):
    for said in list(firsts(name))[:8]:
        draft, found = heard(write_beacon(said))
        names = draft.sender if draft.casualty is None else draft.casualty

        assert (names.mmsi, names.callsign, names.tail) == (said.mmsi, said.callsign, said.tail)
        assert (names.icao24, names.beacon_hex) == (said.icao24, found.hex_id)


def test_a_message_whose_second_field_is_lost_is_shown_as_it_was_heard():
    for said in list(firsts("standard-mmsi"))[:8]:
        row = int(write_beacon(said), 16) ^ 0b1001_0010_0100_1001 << 10
        found = heard(f"{row:030X}")[1]

        assert found.proof.damaged_2
        assert found.sent_hex == f"{row:030X}"


@pytest.mark.parametrize(
    ("address", "told"), [(0, None), (0xFFFFFF, None), (1, "000001"), (0xFFFFFE, "FFFFFE")]
)
def test_a_blank_address_names_no_aircraft(address, told):
    draft, said = heard(second_of(b91_93=0b100, b94_117=address, b118_137=0))

    assert draft.casualty.icao24 == told
    assert said.icao24 == f"{address:06X}"


def test_the_ais_in_a_beacon_is_one_of_its_names():
    draft, _ = heard(second_of(b124_137=4287))

    assert (draft.casualty.epirb_ais, draft.casualty.mmsi) == ("4287", "232123456")
    assert draft.casualty.beacon_hex == heard(second_of(b124_137=4287))[1].hex_id


@pytest.mark.parametrize(
    ("country", "known"), [(200, False), (201, True), (775, True), (776, False)]
)
def test_digits_of_no_country_are_doubted(country, known):
    draft, _ = heard(second_of(b31_40=country))

    assert (f"no country has the digits {country}" in draft.doubts) is not known


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (
            "4" + "0123456789ABCDEF" * 3 + "0123456789ABCD",
            "the two bits in front are neither 00 nor 10",
        ),
        ("FFFFFF" + MESSAGE, "its first 24 bits are no synchronisation of a beacon"),
        (f"{MESSAGE} {MESSAGE[:-1]}F", "digits that are no whole message of a beacon"),
    ],
)
def test_what_may_be_a_message_and_is_none_has_its_reason(line, reason):
    raw = line.encode()
    (found,) = CospasSarsat().read(Frame("p", Moment(0), raw, raw, len(raw), 0, None))

    assert isinstance(found, Unread)
    assert found.reason == reason


def test_a_name_of_no_table_is_said_of_an_identity_as_of_a_message():
    said = heard(second_of(b91_93=0b110))[1]

    assert heard(f"ID {said.hex_id}")[1].protocol == said.protocol == "vessel_110"


@pytest.mark.parametrize(("code", "provider"), [(1, "galileo"), (3, "bds"), (5, None), (7, None)])
def test_a_provider_of_no_table_is_none(code, provider):
    assert heard(second_of(b155_158=2, b167_169=code))[1].rls.provider == provider


# ---- What stands in no field ---------------------------------------------------------------------


def bits_of(digits, begin, end, *, first):
    last = first - 1 + 4 * len(digits)
    return int(digits, 16) >> (last - end) & ((1 << (end - begin + 1)) - 1)


@pytest.mark.parametrize(
    "name", sorted(name for name in FIRST if name.startswith(("maritime", "callsign")))
)
def test_bits_82_and_83_of_a_ship_s_beacon_are_nought(name):
    for said in firsts(name):
        assert bits_of(write_beacon(said), 82, 83, first=25) == 0


@pytest.mark.parametrize("name", sorted(SECONDS))
def test_spare_bits_of_a_second_generation_beacon_are_as_the_standard_has_them(name):
    spare = {
        "of-callsign": [(136, 137, 0)],
        "of-registration": [(136, 137, 0)],
        "of-address": [(133, 137, 0), (201, 202, 0)],
        "of-operator": [(121, 137, (1 << 17) - 1)],
        "of-none": [(94, 137, 0)],
        "field-1": [(194, 202, 0)],
        "field-2": [(159, 160, 0), (163, 166, 0), (192, 202, 0)],
        "field-15": [(159, 200, (1 << 42) - 1), (141, 154, 0)],
    }
    for said in seconds(name):
        digits = write_beacon(said)
        for begin, end, value in spare.get(name, []):
            assert bits_of(digits, begin, end, first=-1) == value
        if name != "field-15":
            assert bits_of(digits, 141, 154, first=-1) == (1 << 14) - 1


def test_a_user_that_knows_no_place_says_so_as_the_standard_has_it():
    """T.001 section A3.2.8: all ones for the degrees, nought for the rest."""
    words = {**FIRST["maritime-mmsi-long"], "at": lambda _: (None, None)}
    for said in beacons(words, 1, generation=1):
        digits = write_beacon(said)

        assert bits_of(digits, 108, 132, first=25) == 0b0_1111111_0000_0_11111111_0000
        assert heard(digits)[1].lat_deg is None


@pytest.mark.parametrize("name", ["standard-mmsi", "standard-address", "rls-mmsi", "national-plb"])
def test_a_short_message_of_a_location_protocol_has_the_first_six_bits_of_its_second_field(name):
    words = {**FIRST[name], "long": one_of(None)}
    for said in beacons(words, name, generation=1):
        digits = write_beacon(BeaconDetail(**{**asdict(said), "long": False}))
        whole = write_beacon(BeaconDetail(**{**asdict(said), "long": True}))

        assert len(digits) == 22
        assert bits_of(digits, 107, 112, first=25) == bits_of(whole, 107, 112, first=25)
        assert bits_of(digits, 26, 85, first=25) == bits_of(whole, 26, 85, first=25)


@pytest.mark.parametrize("name", sorted(name for name in FIRST if "at" in FIRST[name]))
def test_a_beacon_that_knows_no_place_tells_none(name):
    words = {**FIRST[name], "at": lambda _: (None, None)}
    for said in beacons(words, name, generation=1)[:5]:
        draft, found = heard(write_beacon(said))

        assert (draft.position, found.lat_deg, found.coarse_lat_deg) == (None, None, None)
        assert found.odd == ()


def test_a_beacon_of_the_system_says_so_by_its_kind_of_vessel_alone():
    said = composed({}, random.Random(1), **{**PLAIN, "protocol": "system_test", "mmsi": None})
    digits = write_beacon(BeaconDetail(**{**asdict(said), "test": True}))

    assert bits_of(digits, 43, 43, first=-1) == 0
    assert heard(digits)[1].test


@pytest.mark.parametrize(("protocol", "word"), [("callsign", "callsign"), ("registration", "tail")])
def test_a_name_that_is_not_known_is_blank(protocol, word):
    said = composed({}, random.Random(1), **{**PLAIN, "protocol": protocol, "mmsi": None})
    found = heard(write_beacon(said))[1]

    assert (getattr(found, word), found.odd) == (None, ())


@pytest.mark.parametrize("tac", [999, 1000 + 1024, 5000])
def test_a_certificate_that_has_no_room_is_not_written_and_the_error_says_what(tac):
    words = {**FIRST["rls-epirb"], "tac": one_of(tac)}
    with pytest.raises(CodingError) as caught:
        write_beacon(composed(words, random.Random(1), generation=1))

    assert (caught.value.field, caught.value.value) == ("tac", tac)
    assert str(caught.value) == f"tac: {tac}"
