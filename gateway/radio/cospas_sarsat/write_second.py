"""Messages of second-generation beacons from their words: the twin of sgb."""

from __future__ import annotations

from collections.abc import Callable

from gateway.codes.baudot import baudot_row
from gateway.codes.bch import BCH_250_202
from gateway.codes.bits import joined
from gateway.radio.cospas_sarsat import sgb, tables
from gateway.radio.cospas_sarsat.words import BeaconDetail, Rls
from gateway.radio.cospas_sarsat.write_fields import (
    CodingError,
    Field,
    Fields,
    country_of,
    digits_of,
    number,
    one_of,
)

_ALTITUDE_STEP_M, _ALTITUDE_LOWEST_M, _NO_ALTITUDE = 16, -400, 0b1111111111
_NO_MINUTES = 0b11111111111
_NO_SECOND = (1 << 17) - 1
_SELF_TEST_PAD = 0b10


def write_second(said: BeaconDetail) -> str:
    """Return the 63 digits of this message."""
    kind = one_of(said, "protocol", {name: code for code, name in sgb.KINDS.items()})
    beacon = one_of(said, "beacon", {name: code for code, name in tables.SGB_BEACONS.items()})
    rotating = sgb.CANCEL if said.cancel else said.rotating_field or 0
    row = joined(
        number(said, "tac", 16),
        number(said, "serial", 14),
        (country_of(said), 10),
        (said.homing == "any", 1),
        (bool(said.return_link), 1),
        (said.test and said.protocol != "system_test", 1),
        *_place(said),
        (kind, 3),
        *_VESSELS.get(kind, _nobody)(said),
        (beacon, 3),
        (0 if said.cancel else sgb.SPARE_ONES, 14),
        (rotating, 4),
        *_ROTATING.get(rotating, _as_bits)(said),
    )
    pad = _SELF_TEST_PAD if said.self_test else 0
    length = BCH_250_202.length
    return f"{pad << length | row << BCH_250_202.checks | BCH_250_202.check(row):063X}"


def _place(said: BeaconDetail) -> Fields:
    if said.lat_deg is None or said.lon_deg is None:
        lat, lon = sgb.NO_MEANS if said.position_source == "none" else sgb.NO_FIX
        return ((lat, 23), (lon, 24))
    found: list[Field] = []
    for value, width in ((said.lat_deg, 22), (said.lon_deg, 23)):
        found += [(value < 0, 1), (round(abs(value) * (1 << sgb.FRACTION)), width)]
    return tuple(found)


# -- vessels: bits 94-137 --------------------------------------------------------------------------


def _nobody(_said: BeaconDetail) -> Fields:
    return ((0, 44),)


def _mmsi(said: BeaconDetail) -> Fields:
    mmsi = sgb.NO_MMSI if said.mmsi is None else int(said.mmsi)
    last_four = sgb.NO_EPIRB_AIS if said.epirb_ais is None else int(said.epirb_ais)
    return ((mmsi, 30), (last_four, 14))


def _callsign(said: BeaconDetail) -> Fields:
    return (digits_of((said.callsign or "").ljust(7), 7), (0, 2))


def _registration(said: BeaconDetail) -> Fields:
    return (digits_of((said.tail or "").rjust(7), 7), (0, 2))


def _address(said: BeaconDetail) -> Fields:
    # What has no operator says so, and in the issue of 2021 leaves the bits at 0.
    letters = 0
    if said.operator is not None or not said.hex_id.endswith("00000"):
        letters = baudot_row(said.operator or sgb.NO_OPERATOR, bits=5)
    return ((int(said.icao24 or "0", 16), 24), (letters, 15), (0, 5))


def _operator(said: BeaconDetail) -> Fields:
    letters = (baudot_row((said.operator or "").ljust(3), bits=5), 15)
    return (letters, number(said, "beacon_number", 12), ((1 << 17) - 1, 17))


_VESSELS: dict[int, Callable[[BeaconDetail], Fields]] = {
    0b001: _mmsi,
    0b010: _callsign,
    0b011: _registration,
    0b100: _address,
    0b101: _operator,
}


# -- rotating fields: bits 159-202 -----------------------------------------------------------------


def _objectives(said: BeaconDetail) -> Fields:
    minutes = _NO_MINUTES if said.position_age_s is None else round(said.position_age_s / 60)
    return (
        number(said, "active_h", 6),
        (minutes, 11),
        _altitude(said),
        (tables.DOPS.index(said.hdop), 4),
        (tables.DOPS.index(said.vdop), 4),
        _word(said.activation, tables.SGB_ACTIVATIONS, 2),
        _word(said.battery, tables.BATTERY, 3),
        _word(said.gnss, tables.GNSS, 2),
        (0, 2),
    )


def _in_flight(said: BeaconDetail) -> Fields:
    second = _NO_SECOND
    if said.position_utc is not None:
        hours, minutes, seconds = said.position_utc.rstrip("Z").split(":")
        second = int(hours) * 3600 + int(minutes) * 60 + int(seconds)
    triggers = {word: code for code, word in tables.SGB_TRIGGERS.items()}
    return (
        (second, 17),
        _altitude(said),
        (one_of(said, "activation", triggers), 4),
        _word(said.gnss, tables.GNSS, 2),
        _word(said.battery, tables.BATTERY_DT, 2),
        (0, 9),
    )


def _return_link(said: BeaconDetail) -> Fields:
    rls = said.rls or Rls()
    providers = {name: code for code, name in tables.RLS_PROVIDERS.items()}
    return (
        (0, 2),
        (rls.request_automatic, 1),
        (rls.request_manual, 1),
        (0, 4),
        (providers.get(rls.provider or "", 0), 3),
        (rls.received_automatic, 1),
        (rls.received_manual, 1),
        (int(rls.said_hex or "0", 16), 20),
        (0, 11),
    )


def _cancel(said: BeaconDetail) -> Fields:
    return (((1 << 42) - 1, 42), (one_of(said, "activation", sgb.CANCELLED_BY), 2))


def _as_bits(said: BeaconDetail) -> Fields:
    return ((int(said.rotating_bits or "0", 2), 44),)


_ROTATING: dict[int, Callable[[BeaconDetail], Fields]] = {
    0: _objectives,
    1: _in_flight,
    2: _return_link,
    sgb.CANCEL: _cancel,
}


def _altitude(said: BeaconDetail) -> Field:
    if said.altitude_m is None:
        return _NO_ALTITUDE, 10
    steps = round((said.altitude_m - _ALTITUDE_LOWEST_M) / _ALTITUDE_STEP_M)
    if not 0 <= steps < _NO_ALTITUDE:
        raise CodingError(field="altitude_m", value=said.altitude_m)
    return steps, 10


def _word(word: str | None, words: tuple[str, ...], width: int) -> Field:
    """Return the place of the word in its list; all ones for none."""
    return words.index(word) if word in words else (1 << width) - 1, width
