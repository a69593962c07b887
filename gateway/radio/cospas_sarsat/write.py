"""Beacons' messages from their words: the twin of what the readers make of them.

For exercises and vectors: what comes out is a row of digits, and nothing here has a way to a
transmitter. Check digits are made; where a detail leaves something out, the standard's default is
written. What no field has room for is a `CodingError`, which only whoever composes can cause.
"""

from __future__ import annotations

from collections.abc import Callable

from gateway.codes.baudot import baudot_row
from gateway.codes.bch import BCH_38_26, BCH_82_61
from gateway.codes.bits import joined
from gateway.radio.cospas_sarsat import tables
from gateway.radio.cospas_sarsat.fgb_place import CANCEL_FIRST, CANCEL_SECOND, DEFAULTS
from gateway.radio.cospas_sarsat.words import BeaconDetail, Rls
from gateway.radio.cospas_sarsat.write_fields import (
    CodingError,
    Fields,
    country_of,
    digits_of,
    number,
    one_of,
    six_of,
)
from gateway.radio.cospas_sarsat.write_place import coarse_of, offset_of, user_place_of
from gateway.radio.cospas_sarsat.write_second import write_second

__all__ = ["CodingError", "write_beacon"]


def write_beacon(said: BeaconDetail) -> str:
    """Return the digits of this message: 22 or 30, with synchronisation 28 or 36.

    A self-test of the first generation is one by its synchronisation, and so always has it. Of the
    second generation there are 63.

    Raises:
        CodingError: a field has no room for what is to stand in it.
    """
    if said.generation == 2:
        return write_second(said)
    first = joined((said.long, 1), (said.protocol.startswith("user_"), 1), (country_of(said), 10))
    body, behind = _user(said) if said.protocol.startswith("user_") else _location(said)
    first = first << 49 | body
    word = first << BCH_82_61.checks | BCH_82_61.check(first)
    if said.long:
        behind = behind << BCH_38_26.checks | BCH_38_26.check(behind)
    elif not said.protocol.startswith("user_"):
        behind >>= 20  # 107 to 112 alone
    row, count = (word << 38 | behind, 30) if said.long else (word << 6 | behind, 22)
    sync = tables.SYNC_SELF_TEST if said.self_test else tables.SYNC_NORMAL
    if said.self_test or said.proof.synchronised:
        row, count = sync << 4 * count | row, count + 6
    return f"{row:0{count}X}"


# -- user protocols: bits 37-85, then 107-132 or 107-112 -------------------------------------------


def _user(said: BeaconDetail) -> tuple[int, int]:
    code = one_of(said, "protocol", {name: code for code, name in tables.USER.items()})
    body = joined((code, 3), *_USERS.get(code, _national_bits)(said))
    if code in tables.USER_OWN:
        behind = (said.national or "")[46:].ljust(26 if said.long else 6, "0")
        return body, int(behind, 2)
    if said.long:
        source = said.position_source == "internal"
        return body, joined((source, 1), *user_place_of(said))
    emergency = said.emergency_code
    automatic = said.activation == "automatic_or_manual"
    return body, joined((emergency is not None, 1), (automatic, 1), (emergency or 0, 4))


def _maritime(said: BeaconDetail) -> Fields:
    name = said.callsign or six_of(said)
    return (_text(name.ljust(6), 6), *_numbered(said))


def _callsign(said: BeaconDetail) -> Fields:
    name = (said.callsign or "").ljust(7)
    digits = [_DECIMALS.find(character) for character in name[4:]]
    if len(name) > 7 or min(digits) < 0:
        raise CodingError(field="callsign", value=name)
    return (_text(name[:4], 4), *((digit, 4) for digit in digits), *_numbered(said))


_DECIMALS = "0123456789 "


def _numbered(said: BeaconDetail) -> Fields:
    which = (0, 6) if said.beacon_number is None else _text(said.beacon_number, 1)
    return (which, (0, 2), _homing(said))


def _aviation(said: BeaconDetail) -> Fields:
    which = number(said, "beacon_number", 2)
    return (_text((said.tail or "").rjust(7), 7), which, _homing(said))


def _serial(said: BeaconDetail) -> Fields:
    national = (said.national or "").ljust(20, "0")
    if said.icao24 is not None:
        kind: int = tables.SERIAL_ADDRESS
        body: Fields = ((int(said.icao24, 16), 24), number(said, "beacon_number", 6))
    elif said.operator is not None:
        kind = tables.SERIAL_OPERATOR
        body = (_text(said.operator.ljust(3), 3), number(said, "serial", 12))
    else:
        kind = one_of(said, "beacon", _SERIALS)
        if kind == tables.SERIAL_FLOAT_FREE and not said.float_free:
            kind = tables.SERIAL_FIXED
        body = (number(said, "serial", 20), (int(national[:10], 2), 10))
        national = national[10:]
    last = number(said, "tac", 10) if said.tac is not None else (int(national[:10], 2), 10)
    return ((kind, 3), (said.tac is not None, 1), *body, last, _homing(said))


_SERIALS = {"elt": 0b000, "epirb": tables.SERIAL_FLOAT_FREE, "plb": 0b110}


def _national_bits(said: BeaconDetail) -> Fields:
    return ((int((said.national or "").ljust(46, "0")[:46], 2), 46),)


_USERS: dict[int, Callable[[BeaconDetail], Fields]] = {
    tables.USER_MARITIME: _maritime,
    tables.USER_CALLSIGN: _callsign,
    tables.USER_AVIATION: _aviation,
    tables.USER_SERIAL: _serial,
}


def _homing(said: BeaconDetail) -> tuple[int, int]:
    return tables.HOMING.index(said.homing) if said.homing in tables.HOMING else 0, 2


def _text(text: str, count: int, *, bits: int = 6) -> tuple[int, int]:
    return digits_of(text, count, bits=bits)


# -- location protocols: bits 37-85, then 107-132 --------------------------------------------------


def _location(said: BeaconDetail) -> tuple[int, int]:
    codes = {name: code for code, name in tables.LOCATION.items()}
    wanted = (said.protocol, None if said.protocol == "rls" else said.beacon)
    if wanted not in codes:
        raise CodingError(field="protocol", value=f"{said.protocol} of {said.beacon}")
    code = codes[wanted]
    head = joined((code, 4), *_LOCATIONS[code](said))
    if said.cancel:
        return head << 19 | CANCEL_FIRST, CANCEL_SECOND
    first = joined((head, DEFAULTS[code][0] - 37), *coarse_of(said, code))
    return first, joined(*_SECONDS.get(code, _standard_second)(said, code))


def _standard_mmsi(said: BeaconDetail) -> Fields:
    return ((int(six_of(said)), 20), number(said, "beacon_number", 4))


def _serial_of_certificate(said: BeaconDetail) -> Fields:
    return (number(said, "tac", 10), number(said, "serial", 14))


def _rls(said: BeaconDetail) -> Fields:
    kinds = {beacon: kind for kind, (beacon, _) in tables.RLS_BEACONS.items()}
    kind = one_of(said, "beacon", kinds)
    if said.mmsi is not None:
        return ((kind, 2), (0b1111, 4), (int(six_of(said)), 20))
    tac = (said.tac or 0) - tables.RLS_BEACONS[kind][1]
    if not 0 <= tac < 1 << 10:
        raise CodingError(field="tac", value=said.tac)
    return ((kind, 2), (tac, 10), number(said, "serial", 14))


def _elt_dt(said: BeaconDetail) -> Fields:
    if said.icao24 is not None:
        return ((0b00, 2), (int(said.icao24, 16), 24))
    if said.tac is not None:
        return ((0b10, 2), *_serial_of_certificate(said))
    return ((0b01, 2), _operator(said), number(said, "serial", 9))


def _operator(said: BeaconDetail) -> tuple[int, int]:
    return baudot_row((said.operator or "").ljust(3)[:3], bits=5), 15


_LOCATIONS: dict[int, Callable[[BeaconDetail], Fields]] = {
    tables.STANDARD_MMSI: _standard_mmsi,
    tables.SHIP_SECURITY: _standard_mmsi,
    tables.STANDARD_ADDRESS: lambda said: ((int(said.icao24 or "0", 16), 24),),
    **dict.fromkeys(tables.STANDARD_SERIAL, _serial_of_certificate),
    tables.STANDARD_OPERATOR: lambda said: (_operator(said), number(said, "serial", 9)),
    tables.STANDARD_TEST: lambda said: ((int(said.national or "0", 2), 24),),
    **dict.fromkeys(tables.NATIONAL, lambda said: (number(said, "serial", 18),)),
    tables.RLS: _rls,
    tables.ELT_DT: _elt_dt,
}


def _standard_second(said: BeaconDetail, code: int) -> Fields:
    return ((0b1101, 4), *_source_homing(said), *offset_of(said, code))


def _national_second(said: BeaconDetail, code: int) -> Fields:
    national = (int((said.national or "0")[-6:], 2), 6)
    return ((0b110, 3), (1, 1), *_source_homing(said), *offset_of(said, code), national)


def _source_homing(said: BeaconDetail) -> Fields:
    return ((said.position_source == "internal", 1), (said.homing == "121.5", 1))


def _rls_second(said: BeaconDetail, code: int) -> Fields:
    rls = said.rls or Rls()
    providers = {name: provider for provider, name in tables.RLS_PROVIDERS.items()}
    return (
        *_source_homing(said),
        (rls.request_automatic, 1),
        (rls.request_manual, 1),
        (rls.received_automatic, 1),
        (rls.received_manual, 1),
        (providers.get(rls.provider or "", 0), 2),
        *offset_of(said, code),
    )


def _elt_dt_second(said: BeaconDetail, code: int) -> Fields:
    altitude = _NO_ALTITUDE
    if said.altitude_m is not None:
        altitude = sum(said.altitude_m > top for top in tables.ALTITUDES_M)
    elif said.altitude_above_m is not None:
        altitude = len(tables.ALTITUDES_M)
    rotating = said.freshness == tables.FRESHNESS[0]
    return (
        (one_of(said, "activation", {word: at for at, word in enumerate(_ACTIVATIONS)}), 2),
        (altitude, 4),
        (tables.FRESHNESS.index(said.freshness or tables.FRESHNESS[1]), 2),
        *(((0, 3), _operator(said)) if rotating else offset_of(said, code)),
    )


_ACTIVATIONS = tables.ACTIVATIONS_DT
_NO_ALTITUDE = 0b1111

_SECONDS: dict[int, Callable[[BeaconDetail, int], Fields]] = {
    **dict.fromkeys(tables.NATIONAL, _national_second),
    tables.RLS: _rls_second,
    tables.ELT_DT: _elt_dt_second,
}
