"""Who a first-generation beacon says it is, and what else of it is no position (T.001 annex A).

User protocols      bits 37-39; location protocols bits 37-40; the sections name the bits they read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from gateway.codes.baudot import baudot_text
from gateway.codes.bits import Bits
from gateway.radio.cospas_sarsat import tables
from gateway.radio.cospas_sarsat.words import Rls

Said = dict[str, Any]
"""Fields of the detail, by name."""

_MMSI_6_MAX = 999_999
_LAST = 132
"""The last bit of a second protected field, when it is a long message."""
_ODD_TEXT = "a character of its {} is in no table"
_ODD_MMSI = "the six digits of its MMSI are more than six"


def identity_of(first: Bits, second: Bits | None, *, is_long: bool) -> Iterator[Said]:
    """Yield all that is said besides the position, of the first field and of the second."""
    if first(26):
        yield _USER.get(first(37, 39), _national_bits)(first)
        yield _user_more(first, second, is_long=is_long)
        return
    yield _location(first)
    if second is not None:
        yield _LOCATION_MORE.get(first(37, 40), _standard_more)(first, second)


# -- user protocols: A3.2 --------------------------------------------------------------------------


def _maritime(first: Bits) -> Said:
    """40-75 six characters, 76-81 which beacon, 82-83 nothing, 84-85 homing."""
    text = baudot_text(first(40, 75), 6)
    if text is None:
        return _with_number(first) | {"odd": (_ODD_TEXT.format("call sign"),)}
    name = text.strip()
    if len(name) == 6 and name.isdigit():
        return _with_number(first) | {"mmsi": f"{first(27, 36):03}{name}"}
    return _with_number(first) | {"callsign": name or None}


def _callsign(first: Bits) -> Said:
    """40-63 four characters, 64-75 three digits, 76-81 which beacon."""
    text = baudot_text(first(40, 63), 4)
    digits = "".join(_DECIMALS[first(at, at + 3)] for at in (64, 68, 72))
    if text is None or "?" in digits:
        return _with_number(first) | {"odd": (_ODD_TEXT.format("call sign"),)}
    return _with_number(first) | {"callsign": (text + digits).strip() or None}


_DECIMALS = (*"0123456789", " ", *"?????")
"""Four bits a digit; 1010 is a blank."""


def _with_number(first: Bits) -> Said:
    return {"beacon": "epirb", "beacon_number": baudot_text(first(76, 81), 1)} | _homing(first)


def _aviation(first: Bits) -> Said:
    """40-81 seven characters of the registration marking, 82-83 which ELT."""
    said = {"beacon": "elt", "beacon_number": str(first(82, 83))} | _homing(first)
    text = baudot_text(first(40, 81), 7)
    if text is None:
        return said | {"odd": (_ODD_TEXT.format("registration marking"),)}
    return said | {"tail": text.strip() or None}


def _serial(first: Bits) -> Said:
    """40-42 type, 43 certificate, then serial number, address or operator; 74-83 certificate."""
    kind = first(40, 42)
    said: Said = {"beacon": tables.SERIAL.get(kind)} | _homing(first)
    said |= {"tac": first(74, 83)} if first(43) else {"national": f"{first(74, 83):010b}"}
    if kind == tables.SERIAL_ADDRESS:
        return said | {"icao24": f"{first(44, 67):06X}", "beacon_number": str(first(68, 73))}
    if kind == tables.SERIAL_OPERATOR:
        return said | _operator(first(44, 61), bits=6) | {"serial": first(62, 73)}
    said |= {"serial": first(44, 63)}
    if said["beacon"] == "epirb":
        said["float_free"] = kind == tables.SERIAL_FLOAT_FREE
    said["national"] = f"{first(64, 73):010b}" + said.get("national", "")
    if kind not in tables.SERIAL:
        said["odd"] = (f"no table has the type of beacon {kind:03b}",)
    return said


def _operator(row: int, *, bits: int) -> Said:
    text = baudot_text(row, 3, bits=bits)
    if text is None:
        return {"odd": (_ODD_TEXT.format("operator"),)}
    return {"operator": text.strip() or None}


def _homing(first: Bits) -> Said:
    return {"homing": tables.HOMING[first(84, 85)]}


def _national_bits(first: Bits) -> Said:
    """National, orbitography, test: 40-85 as the country has it."""
    code = first(37, 39)
    beacon = {tables.USER_TEST: "test", tables.USER_ORBITOGRAPHY: "system"}.get(code)
    return {"beacon": beacon, "national": f"{first(40, 85):046b}"}


_USER: dict[int, Callable[[Bits], Said]] = {
    tables.USER_MARITIME: _maritime,
    tables.USER_CALLSIGN: _callsign,
    tables.USER_AVIATION: _aviation,
    tables.USER_SERIAL: _serial,
}


def _user_more(first: Bits, second: Bits | None, *, is_long: bool) -> Said:
    """Long: 107 whose position it is. Short: 107 code, 108 activation, 109-112 emergency code."""
    if second is None:
        return {}
    if first(37, 39) in tables.USER_OWN:
        width = second.last - 106
        return {"national": f"{first(40, 85):046b}{second.value:0{width}b}"}
    if is_long:
        return {"position_source": "internal" if second(107) else "external"}
    activation = "automatic_or_manual" if second(108) else "manual"
    return {
        "activation": activation,
        "emergency_code": second(109, 112) if second(107) else None,
    }


# -- location protocols: A3.3 ----------------------------------------------------------------------


def _location(first: Bits) -> Said:
    code = first(37, 40)
    reader = _LOCATION.get(code)
    if reader is None:
        return {"odd": (f"no table has the location protocol {code:04b}",)}
    return reader(first)


def _standard_mmsi(first: Bits) -> Said:
    """41-60 the last six digits, 61-64 which beacon."""
    return _mmsi(first, 41, 60) | {"beacon_number": str(first(61, 64))}


def _mmsi(first: Bits, begin: int, end: int) -> Said:
    six = first(begin, end)
    if six > _MMSI_6_MAX:
        return {"odd": (_ODD_MMSI,)}
    return {"mmsi": f"{first(27, 36):03}{six:06}"}


def _rls(first: Bits) -> Said:
    """41-42 beacon; 43-52 certificate, 53-66 serial number; or 43-46 1111 and 47-66 MMSI."""
    beacon, offset = tables.RLS_BEACONS[first(41, 42)]
    said: Said = {"beacon": beacon, "test": beacon == "test"}
    if first(43, 46) == 0b1111:
        return said | _mmsi(first, 47, 66)
    return said | {"tac": first(43, 52) + offset, "serial": first(53, 66)}


def _elt_dt(first: Bits) -> Said:
    """41-42 what identity: 00 address, 01 operator and serial number, 10 certificate and serial."""
    kind, row = first(41, 42), first(43, 66)
    said: Said = {"test": row in (0, 0xFFFFFF)}
    if kind == 0b00:
        return said | {"icao24": f"{row:06X}"}
    if kind == 0b01:
        return said | _operator(first(43, 57), bits=5) | {"serial": first(58, 66)}
    if kind == 0b10:
        return said | {"tac": first(43, 52), "serial": first(53, 66)}
    return said | {"odd": ("no table has its kind of identity 11",)}


_LOCATION: dict[int, Callable[[Bits], Said]] = {
    tables.STANDARD_MMSI: _standard_mmsi,
    tables.SHIP_SECURITY: _standard_mmsi,
    tables.STANDARD_ADDRESS: lambda first: {"icao24": f"{first(41, 64):06X}"},
    **dict.fromkeys(
        tables.STANDARD_SERIAL, lambda first: {"tac": first(41, 50), "serial": first(51, 64)}
    ),
    tables.STANDARD_OPERATOR: lambda first: (
        _operator(first(41, 55), bits=5) | {"serial": first(56, 64)}
    ),
    tables.STANDARD_TEST: lambda first: {"national": f"{first(41, 64):024b}"},
    **dict.fromkeys(tables.NATIONAL, lambda first: {"serial": first(41, 58)}),
    tables.RLS: _rls,
    tables.ELT_DT: _elt_dt,
}


def _standard_more(first: Bits, second: Bits) -> Said:
    """107-110 1101 (national: 110 offset follows), 111 whose position it is, 112 homing."""
    said: Said = {
        "position_source": "internal" if second(111) else "external",
        "homing": "121.5" if second(112) else "none",
    }
    if first(37, 40) in tables.NATIONAL and second.last == _LAST:
        said["national"] = f"{second(127, 132):06b}" if second(110) else f"{second(113, 132):020b}"
    return said


def _rls_more(_first: Bits, second: Bits) -> Said:
    """107 source, 108 homing, 109-112 what of the return link, 113-114 by whom."""
    said: Said = {
        "position_source": "internal" if second(107) else "external",
        "homing": "121.5" if second(108) else "none",
    }
    if second.last < _LAST:
        return said
    return said | {
        "rls": Rls(
            provider=tables.RLS_PROVIDERS.get(second(113, 114)),
            request_automatic=bool(second(109)),
            request_manual=bool(second(110)),
            received_automatic=bool(second(111)),
            received_manual=bool(second(112)),
        )
    }


def _elt_dt_more(_first: Bits, second: Bits) -> Said:
    """107-108 activation, 109-112 altitude, 113-114 freshness; 118-132 an operator's letters."""
    if second.last < _LAST:
        return {}
    altitude = second(109, 112)
    said: Said = {
        "activation": tables.ACTIVATIONS_DT[second(107, 108)],
        "freshness": tables.FRESHNESS[second(113, 114)],
    }
    if altitude < len(tables.ALTITUDES_M):
        said["altitude_m"] = float(tables.ALTITUDES_M[altitude])
    if 0 < altitude <= len(tables.ALTITUDES_M):
        said["altitude_above_m"] = float(tables.ALTITUDES_M[altitude - 1])
    if second(113, 117) == 0:
        said |= _operator(second(118, 132), bits=5)
    return said


_LOCATION_MORE: dict[int, Callable[[Bits, Bits], Said]] = {
    tables.RLS: _rls_more,
    tables.ELT_DT: _elt_dt_more,
}
