"""Second-generation beacons: C/S T.018.

    bits  1-16  17-30   31-40  41  42  43  44-66  67-90  91-93  94-137  138-140  141-154  155-202
          TAC   serial  MID    H   R   T   lat    lon    kind   vessel  beacon   spare    rotating

    H  at least one homing signal      R  can be told that it was heard      T  test

Bits 203 to 250 are the check digits. The rotating field begins with four bits that say which it is;
15 takes the alert back, and then the spare bits are 0 instead of 1.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gateway.codes.baudot import baudot_text
from gateway.codes.bch import BCH_250_202
from gateway.codes.bits import Bits, joined
from gateway.radio.cospas_sarsat import tables
from gateway.radio.cospas_sarsat.fgb_place import METRES_A_DEGREE
from gateway.radio.cospas_sarsat.forms import Burst, Illegible
from gateway.radio.cospas_sarsat.words import BeaconDetail, Proof, Rls

Said = dict[str, Any]

LAST = 202
"""The last bit before the check digits."""
SPARE_ONES = (1 << 14) - 1
CANCEL = 15
FRACTION = 15
"""Bits behind the degrees."""
NO_FIX = (0b0_1111111_000001111100000, 0b0_11111111_111110000011111)
NO_MEANS = (0b1_1111111_000001111100000, 0b1_11111111_111110000011111)
"""What stands for no position: none is known now, and it has no means of knowing one."""
DAY_S = 86_400
NO_MMSI = 111_111
NO_EPIRB_AIS = 10_922
NO_OPERATOR = "ZGA"
CANCELLED_BY = {"manual": 0b10, "automatic": 0b01}
KINDS = {
    0b000: "none",
    0b001: "mmsi",
    0b010: "callsign",
    0b011: "registration",
    0b100: "address",
    0b101: "operator",
    0b111: "system_test",
}
"""Bits 91 to 93: what the vessel is known by."""


def read_second(message: Burst) -> BeaconDetail | Illegible:
    """Return what a second-generation message, or its identity alone, says."""
    if message.is_identity:
        return _identity(message)
    bits = message.bits
    if bits.last == LAST:
        return _detail(message, bits, None, f"{bits.value:051X}")
    right = BCH_250_202.put_right(bits.value)
    if right is None:
        return Illegible("it has more errors than can be put right")
    word, corrected = right
    return _detail(message, Bits(word >> BCH_250_202.checks, last=LAST), corrected, f"{word:063X}")


def hex_id_of(bits: Bits) -> str:
    """Return the 23 digits by which a beacon is known (T.018 table 3.11)."""
    head = joined((1, 1), (bits(31, 40), 10), (0b101, 3), (bits(1, 16), 16), (bits(17, 30), 14))
    return f"{joined((head, 44), (bits(43), 1), (bits(91, 93), 3), (bits(94, 137), 44)):023X}"


def _detail(message: Burst, bits: Bits, corrected: int | None, sent_hex: str) -> BeaconDetail:
    rotating = bits(155, 158)
    said: Said = {"odd": ()}
    for more in (_vessel(bits(91, 93), Bits(bits(94, 137), first=94, last=137)), _place(bits)):
        said["odd"] += more.pop("odd", ())
        said |= more
    said |= _ROTATING.get(rotating, _as_bits)(bits)
    cancel = rotating == CANCEL
    if bits(141, 154) != (0 if cancel else SPARE_ONES):
        said["odd"] += ("its spare bits are not as they should be",)
    beacon = tables.SGB_BEACONS.get(bits(138, 140))
    if beacon is None:
        said["odd"] += (f"no table has the kind of beacon {bits(138, 140):03b}",)
    identity = hex_id_of(bits)
    return BeaconDetail(
        generation=2,
        form="message",
        protocol=KINDS.get(bits(91, 93), f"vessel_{bits(91, 93):03b}"),
        beacon=beacon,
        hex_id=identity,
        aliases=_aliases(identity, bits(91, 93)),
        country=f"{bits(31, 40):03}",
        self_test=message.self_test,
        test=bool(bits(43)) or bits(91, 93) == 0b111,
        cancel=cancel,
        tac=bits(1, 16),
        serial=bits(17, 30),
        homing="any" if bits(41) else "none",
        return_link=bool(bits(42)),
        rotating_field=rotating,
        sent_hex=sent_hex,
        proof=Proof(corrected_1=corrected),
        **said,
    )


def _identity(message: Burst) -> BeaconDetail | Illegible:
    """Read 23 digits: 1, country, 101, certificate, serial number, test, vessel."""
    bits = message.bits
    if not bits(1) or bits(12, 14) != 0b101:
        return Illegible("23 digits that are no identity of a beacon")
    said = _vessel(bits(46, 48), Bits(bits(49, 92), first=94, last=137))
    return BeaconDetail(
        generation=2,
        form="identity",
        protocol=KINDS.get(bits(46, 48), f"vessel_{bits(46, 48):03b}"),
        hex_id=message.digits,
        aliases=_aliases(message.digits, bits(46, 48)),
        country=f"{bits(2, 11):03}",
        test=bool(bits(45)),
        tac=bits(15, 30),
        serial=bits(31, 44),
        **said,
    )


def _aliases(identity: str, kind: int) -> tuple[str, ...]:
    """Return the 15 digits, and of an aircraft's address the form without an operator.

    The issue of 2021 has the operator's bits of an address at 0 in the identity, that of October
    2024 has no such note: beacons of both kinds are at sea.
    """
    aliases = [identity[:15]]
    if kind == 0b100:
        bare = f"{int(identity, 16) >> 20 << 20:023X}"
        aliases += [bare] if bare != identity else []
    return tuple(aliases)


def _vessel(kind: int, bits: Bits) -> Said:
    """94-137, by the kind in 91-93."""
    reader = _VESSELS.get(kind)
    if reader is None:
        return {} if kind in KINDS else {"odd": (f"no table has the kind of vessel {kind:03b}",)}
    return reader(bits)


def _mmsi(bits: Bits) -> Said:
    """94-123 nine digits, none 000111111; 124-137 the last four of the AIS within."""
    number, last_four = bits(94, 123), bits(124, 137)
    said: Said = {}
    if number > 999_999_999:
        said["odd"] = ("its MMSI has more than nine digits",)
    elif number != NO_MMSI:
        said["mmsi"] = f"{number:09}"
    if last_four != NO_EPIRB_AIS and last_four <= 9999:
        said["epirb_ais"] = f"{last_four:04}"
    return said


def _callsign(bits: Bits) -> Said:
    """94-135 seven characters, blanks at the end."""
    text = baudot_text(bits(94, 135), 7)
    return {"callsign": text.strip() or None} if text else _unreadable("call sign")


def _registration(bits: Bits) -> Said:
    """94-135 seven characters, blanks at the front."""
    text = baudot_text(bits(94, 135), 7)
    return {"tail": text.strip() or None} if text else _unreadable("registration marking")


def _address(bits: Bits) -> Said:
    """94-117 the aircraft's address, 118-132 its operator, none ZGA; 133-137 nothing."""
    said: Said = {"icao24": f"{bits(94, 117):06X}"}
    if bits(118, 137):
        operator = baudot_text(bits(118, 132), 3, bits=5)
        if operator is None:
            return said | _unreadable("operator")
        said["operator"] = None if operator == NO_OPERATOR else operator.strip() or None
    return said


def _operator(bits: Bits) -> Said:
    """94-108 three letters, 109-120 serial number of the operator; 121-137 ones."""
    operator = baudot_text(bits(94, 108), 3, bits=5)
    number = {"beacon_number": str(bits(109, 120))}
    return number | (_unreadable("operator") if operator is None else {"operator": operator})


def _unreadable(what: str) -> Said:
    return {"odd": (f"a character of its {what} is in no table",)}


_VESSELS: dict[int, Callable[[Bits], Said]] = {
    0b001: _mmsi,
    0b010: _callsign,
    0b011: _registration,
    0b100: _address,
    0b101: _operator,
}


def _place(bits: Bits) -> Said:
    """44-66 latitude, 67-90 longitude: sign, degrees, 32768ths of a degree."""
    stated = (bits(44, 66), bits(67, 90))
    if stated in (NO_FIX, NO_MEANS):
        return {"position_source": "none"} if stated == NO_MEANS else {}
    lat = bits(45, 66) / (1 << FRACTION)
    lon = bits(68, 90) / (1 << FRACTION)
    if lat > 90 or lon > 180:
        return {"odd": ("the position stated is not on the Earth",)}
    return {
        "lat_deg": -lat if bits(44) else lat,
        "lon_deg": -lon if bits(67) else lon,
        "resolution_m": round(METRES_A_DEGREE / (1 << FRACTION) / 2, 1),
    }


def _altitude(value: int) -> Said:
    """Ten bits, steps of 16 m from 400 m below the sea; all ones for none."""
    return {} if value == 0b1111111111 else {"altitude_m": float(value * 16 - 400)}


def _objectives(bits: Bits) -> Said:
    """0: 159-164 hours, 165-175 minutes since the fix, 176-185 altitude, 186-193 DOP, 194-202."""
    said = _altitude(bits(176, 185))
    if bits(165, 175) != 0b11111111111:
        said["position_age_s"] = bits(165, 175) * 60.0
    activation, battery, gnss = bits(194, 195), bits(196, 198), bits(199, 200)
    return said | {
        "active_h": bits(159, 164),
        "hdop": tables.DOPS[bits(186, 189)],
        "vdop": tables.DOPS[bits(190, 193)],
        "activation": (*tables.SGB_ACTIVATIONS, None)[activation],
        "battery": (*tables.BATTERY, None, None)[battery],
        "gnss": (*tables.GNSS, None)[gnss],
    }


def _in_flight(bits: Bits) -> Said:
    """1: 159-175 second of the day of the fix, 176-185 altitude, 186-189 trigger, 190-193."""
    said = _altitude(bits(176, 185))
    second = bits(159, 175)
    if second < DAY_S:
        said["position_utc"] = f"{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}Z"
    return said | {
        "activation": tables.SGB_TRIGGERS.get(bits(186, 189)),
        "gnss": (*tables.GNSS, None)[bits(190, 191)],
        "battery": (*tables.BATTERY_DT, None)[bits(192, 193)],
    }


def _return_link(bits: Bits) -> Said:
    """2: 161-162 what it can ask for, 167-169 whom, 170-171 what it was told, 172-191 with what."""
    return {
        "rls": Rls(
            provider=tables.RLS_PROVIDERS.get(bits(167, 169)),
            request_automatic=bool(bits(161)),
            request_manual=bool(bits(162)),
            received_automatic=bool(bits(170)),
            received_manual=bool(bits(171)),
            said_hex=f"{bits(172, 191):05X}" if bits(172, 191) else None,
        )
    }


def _cancel(bits: Bits) -> Said:
    """15: 201-202 how it was taken back; 159-200 are 1."""
    methods = {code: word for word, code in CANCELLED_BY.items()}
    return {"activation": methods.get(bits(201, 202))}


def _as_bits(bits: Bits) -> Said:
    """3, as the country has it; 4, the two-way messages; and what no table has: 159-202."""
    return {"rotating_bits": f"{bits(159, 202):044b}"}


_ROTATING: dict[int, Callable[[Bits], Said]] = {
    0: _objectives,
    1: _in_flight,
    2: _return_link,
    CANCEL: _cancel,
}
