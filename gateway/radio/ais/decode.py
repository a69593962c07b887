"""Bits to words: what each type of AIS message says (ITU-R M.1371-5, Annex 8).

    TTTTTT RR MMMMMMMMMMMMMMMMMMMMMMMMMMMMMM BBBBBBBB…
    T  type 1 to 27   R  repeat indicator   M  MMSI of the sender   B  the body of the type

Each function draws its body as `position field width`, in bits from the start of the message.
Place and motion are read in `place.py`. Nothing here remembers, and nothing here fails: what is too
short to be read is told apart first, by `unreadable`.
"""

from __future__ import annotations

from collections.abc import Callable

from gateway.radio.ais.armour import Bits, characters_at, name_at, text_at
from gateway.radio.ais.said import Aid, AisDetail, Craft, Exchange, Fix, Voyage
from gateway.radio.ais.tables import (
    AID_TYPE,
    EPFD,
    MANOEUVRE,
    NAV_STATUS,
    SECOND_STATE,
    TURN,
    ship_type,
)

HEADER_BITS = 38

_LENGTHS = {
    1: (149, range(168, 169)),
    2: (149, range(168, 169)),
    3: (149, range(168, 169)),
    4: (149, range(168, 169)),
    5: (422, range(422, 427)),  # 424, and receivers that count the fill bits wrongly
    6: (88, range(88, 1009)),
    7: (72, range(72, 169)),
    8: (56, range(56, 1009)),
    9: (148, range(168, 169)),
    10: (70, range(72, 73)),
    11: (149, range(168, 169)),
    12: (72, range(72, 1009)),
    13: (72, range(72, 169)),
    14: (40, range(40, 1009)),
    15: (88, range(88, 161)),
    16: (92, range(96, 145)),
    17: (80, range(80, 817)),
    18: (148, range(168, 169)),
    19: (308, range(312, 313)),
    20: (70, range(70, 163)),  # 72 to 160, filled up to whole characters
    21: (271, range(272, 369)),  # up to 360, filled up to whole bytes or characters
    22: (145, range(168, 169)),
    23: (154, range(160, 161)),
    24: (160, range(160, 169)),  # part A has 160, in many receivers 168
    25: (40, range(40, 169)),
    26: (60, range(60, 1065)),
    27: (95, range(96, 169, 72)),  # 96, in some receivers sent out as 168
}
"""By type: the bits up to its last field that says anything, and the lengths it may have."""

_PART_B_BITS = 162
_EPFD_AT = {4: 134, 11: 134, 5: 270, 19: 301, 21: 249}
_NOT_A_DAY_HOUR, _NOT_A_MINUTE = 24, 60
_IMO_NONE = _DIMENSION_NONE = _DRAUGHT_NONE = 0
_ANCILLARY = "98"
"""First digits of the MMSI of a craft that belongs to a parent ship (M.585)."""


def unreadable(bits: Bits) -> str | None:
    """Return why these bits can't be read as a message, or None when they can."""
    length = len(bits)
    if length < HEADER_BITS:
        return f"{length} bits are shorter than the header of a message"
    kind = bits.get(0, 6)
    if kind not in _LENGTHS:
        return f"message type {kind} is not known"
    least = _LENGTHS[kind][0]
    if kind == 24:
        half = bits.get(38, 2)
        if half > 1:
            return f"part number {half} of message 24 is not known"
        least = _PART_B_BITS if half else least
    if length < least:
        return f"message {kind} of {length} bits is cut short"
    return None


def odd_length(bits: Bits) -> str | None:
    """Return what is wrong with the length of a readable message, or None."""
    kind = bits.get(0, 6)
    if len(bits) in _LENGTHS[kind][1]:
        return None
    return f"message {kind} has {len(bits)} bits, which the standard does not allow"


def mmsi_at(bits: Bits, start: int) -> str:
    """Return the MMSI that stands there, leading zeros kept."""
    return f"{bits.get(start, 30):09d}"


def text_of(bits: Bits) -> str | None:
    """Return the text of a safety related message, whole; None for every other type.

    12: 38 sequence 2 · 40 addressee 30 · 70 retransmitted 1 · 72 text 6 each
    14: 40 text 6 each
    """
    start = {12: 72, 14: 40}.get(bits.get(0, 6))
    if start is None:
        return None
    return text_at(bits, start, (len(bits) - start) // 6)


def name_of(bits: Bits) -> str | None:
    """Return the name of the sender: 5 at 112, 19 at 143, 21 at 43 and on at 272, 24 part A at 40.

    The name of an aid goes on in the extension when its own field is full.
    """
    kind = bits.get(0, 6)
    if kind == 21:
        name = characters_at(bits, 43, 20) + characters_at(bits, 272, (len(bits) - 272) // 6)
        return name.partition("@")[0].rstrip(" ") or None
    start = 40 if kind == 24 and not bits.get(38, 2) else {5: 112, 19: 143}.get(kind)
    return name_at(bits, start, 20) if start else None


def callsign_of(bits: Bits) -> str | None:
    """Return the call sign of the sender: 5 at 70, 24 part B at 90."""
    kind = bits.get(0, 6)
    start = 90 if kind == 24 and bits.get(38, 2) else {5: 70}.get(kind)
    return name_at(bits, start, 7) if start else None


def detail_of(bits: Bits, *, own_ship: bool, channel: str | None) -> AisDetail:
    """Return what readable bits say."""
    kind = bits.get(0, 6)
    fix, craft, exchange = _FIX.get(kind), _CRAFT.get(kind), _EXCHANGE.get(kind)
    epfd_at = _EPFD_AT.get(kind)
    epfd = bits.get(epfd_at, 4) if epfd_at else 0
    return AisDetail(
        message_type=kind,
        mmsi=mmsi_at(bits, 8),
        repeat=bits.get(6, 2),
        own_ship=own_ship,
        channel=channel,
        part="AB"[bits.get(38, 2)] if kind == 24 else None,
        epfd_code=epfd or None,
        epfd=EPFD.get(epfd),
        fix=fix(bits) if fix else None,
        craft=craft(bits) if craft else None,
        voyage=_voyage(bits) if kind == 5 else None,
        aid=_aid(bits) if kind == 21 else None,
        exchange=exchange(bits) if exchange else None,
    )


def _fix_class_a(bits: Bits) -> Fix:
    """38 status 4 · 42 turn 8 · 60 accuracy 1 · 137 second 6 · 143 manoeuvre 2 · 148 RAIM 1."""
    get = bits.get
    status, second = get(38, 4), get(137, 6)
    return Fix(
        nav_status_code=status,
        nav_status=NAV_STATUS[status],
        turn=TURN.get(bits.get_signed(42, 8)),
        manoeuvre=MANOEUVRE.get(get(143, 2)),
        position_accurate=get(60, 1) == 1,
        second=second if second < 60 else None,
        second_state=SECOND_STATE.get(second),
        raim=get(148, 1) == 1,
    )


def _fix_base(bits: Bits) -> Fix:
    """78 accuracy 1 · 148 RAIM 1; the second is part of the date."""
    return Fix(position_accurate=bits.get(78, 1) == 1, raim=bits.get(148, 1) == 1)


def _fix_aircraft(bits: Bits) -> Fix:
    """60 accuracy 1 · 128 second 6 · 146 assigned 1 · 147 RAIM 1."""
    return _fix_at(bits, accuracy=60, second=128, assigned=146, raim=147)


def _fix_class_b(bits: Bits) -> Fix:
    """56 accuracy 1 · 133 second 6 · 141 unit 1 · 146 assigned 1 · 147 RAIM 1."""
    unit = "carrier sense" if bits.get(141, 1) else "self-organised"
    return _fix_at(bits, accuracy=56, second=133, assigned=146, raim=147, unit=unit)


def _fix_class_b_extended(bits: Bits) -> Fix:
    """56 accuracy 1 · 133 second 6 · 305 RAIM 1 · 307 assigned 1."""
    return _fix_at(bits, accuracy=56, second=133, assigned=307, raim=305)


def _fix_aid(bits: Bits) -> Fix:
    """163 accuracy 1 · 253 second 6 · 268 RAIM 1 · 270 assigned 1."""
    return _fix_at(bits, accuracy=163, second=253, assigned=270, raim=268)


def _fix_long_range(bits: Bits) -> Fix:
    """38 accuracy 1 · 39 RAIM 1 · 40 status 4 · 94 position latency 1."""
    status = bits.get(40, 4)
    return Fix(
        nav_status_code=status,
        nav_status=NAV_STATUS[status],
        position_accurate=bits.get(38, 1) == 1,
        position_late=bits.get(94, 1) == 1,
        raim=bits.get(39, 1) == 1,
    )


def _fix_at(
    bits: Bits, *, accuracy: int, second: int, assigned: int, raim: int, unit: str | None = None
) -> Fix:
    stamp = bits.get(second, 6)
    return Fix(
        position_accurate=bits.get(accuracy, 1) == 1,
        second=stamp if stamp < 60 else None,
        second_state=SECOND_STATE.get(stamp),
        raim=bits.get(raim, 1) == 1,
        class_b_unit=unit,
        assigned=bits.get(assigned, 1) == 1,
    )


def _craft_class_a(bits: Bits) -> Craft:
    """40 IMO number 30 · 232 type of ship 8 · 240 dimensions 30."""
    return _craft_at(bits, dimensions=240, kind=232, imo=bits.get(40, 30))


def _craft_class_b(bits: Bits) -> Craft:
    """263 type of ship 8 · 271 dimensions 30."""
    return _craft_at(bits, dimensions=271, kind=263)


def _craft_aid(bits: Bits) -> Craft:
    """219 dimensions 30."""
    return _craft_at(bits, dimensions=219)


def _craft_part(bits: Bits) -> Craft | None:
    """B: 40 type of ship 8 · 48 maker 18 · 66 model 4 · 70 serial 20 · 132 dimensions or parent."""
    if not bits.get(38, 2):
        return None
    craft_of_a_ship = mmsi_at(bits, 8).startswith(_ANCILLARY)
    code = bits.get(40, 8)
    a, b, c, d = (None,) * 4 if craft_of_a_ship else _dimensions(bits, 132)
    return Craft(
        ship_type_code=code or None,
        ship_type=ship_type(code),
        to_bow_m=a,
        to_stern_m=b,
        to_port_m=c,
        to_starboard_m=d,
        vendor_id=name_at(bits, 48, 3),
        vendor_model=bits.get(66, 4),
        vendor_serial=bits.get(70, 20),
        vendor_text=name_at(bits, 48, 7),
        parent_mmsi=mmsi_at(bits, 132) if craft_of_a_ship else None,
    )


def _craft_at(
    bits: Bits, *, dimensions: int, kind: int | None = None, imo: int = _IMO_NONE
) -> Craft:
    code = bits.get(kind, 8) if kind else 0
    a, b, c, d = _dimensions(bits, dimensions)
    return Craft(
        imo_field=imo or None,
        ship_type_code=code or None,
        ship_type=ship_type(code),
        to_bow_m=a,
        to_stern_m=b,
        to_port_m=c,
        to_starboard_m=d,
    )


def _dimensions(bits: Bits, at: int) -> tuple[int | None, int | None, int | None, int | None]:
    """Return bow 9 · stern 9 · port 6 · starboard 6; two noughts that add up to none are absent."""
    bow, stern = bits.get(at, 9), bits.get(at + 9, 9)
    port, starboard = bits.get(at + 18, 6), bits.get(at + 24, 6)
    long, wide = bow + stern > _DIMENSION_NONE, port + starboard > _DIMENSION_NONE
    return (
        bow if long else None,
        stern if long else None,
        port if wide else None,
        starboard if wide else None,
    )


def _voyage(bits: Bits) -> Voyage:
    """274 month 4 · 278 day 5 · 283 hour 5 · 288 minute 6 · 294 draught 8 · 302 destination 120."""
    month, day, hour, minute = (
        bits.get(274, 4),
        bits.get(278, 5),
        bits.get(283, 5),
        bits.get(288, 6),
    )
    draught = bits.get(294, 8)
    return Voyage(
        destination=name_at(bits, 302, 20),
        draught_m=draught / 10 if draught != _DRAUGHT_NONE else None,
        eta_month=month if 1 <= month <= 12 else None,
        eta_day=day or None,
        eta_hour=hour if hour < _NOT_A_DAY_HOUR else None,
        eta_minute=minute if minute < _NOT_A_MINUTE else None,
    )


def _aid(bits: Bits) -> Aid:
    """38 type 5 · 253 second 6 · 259 off position 1 · 269 virtual 1."""
    code = bits.get(38, 5)
    return Aid(
        aid_type_code=code,
        aid_type=AID_TYPE[code],
        off_position=bits.get(259, 1) == 1 if bits.get(253, 6) < 60 else None,
        virtual=bits.get(269, 1) == 1,
    )


def _exchange_addressed(bits: Bits) -> Exchange:
    """6: 38 sequence 2 · 40 addressee 30 · 70 retransmitted 1 · 72 area code 10 · 82 function 6."""
    binary = bits.get(0, 6) == 6
    return Exchange(
        to=_addressed(bits, 40),
        sequence=bits.get(38, 2),
        retransmitted=bits.get(70, 1) == 1,
        dac=bits.get(72, 10) if binary else None,
        fid=bits.get(82, 6) if binary else None,
    )


def _exchange_broadcast(bits: Bits) -> Exchange:
    """40 area code 10 · 50 function 6."""
    return Exchange(dac=bits.get(40, 10), fid=bits.get(50, 6))


def _exchange_slots(bits: Bits) -> Exchange:
    """38 addressed 1 · 39 structured 1 · then, if so: addressee 30 + 2 · application 10 + 6."""
    at = 72 if bits.get(38, 1) else 40
    structured = bits.get(39, 1) and len(bits) >= at + 16
    return Exchange(
        to=_addressed(bits, 40) if at == 72 else (),
        dac=bits.get(at, 10) if structured else None,
        fid=bits.get(at + 10, 6) if structured else None,
    )


def _exchange_channels(bits: Bits) -> Exchange:
    """22: 69 addressee 30 · 104 addressee 30, when 139 addressed 1; else an area."""
    return Exchange(to=_addressed(bits, 69, 104) if bits.get(139, 1) else ())


def _addressed(bits: Bits, *starts: int) -> tuple[str, ...]:
    return tuple(
        mmsi_at(bits, at) for at in starts if at + 30 <= len(bits) and bits.get(at, 30) != 0
    )


_FIX: dict[int, Callable[[Bits], Fix]] = {
    1: _fix_class_a,
    2: _fix_class_a,
    3: _fix_class_a,
    4: _fix_base,
    9: _fix_aircraft,
    11: _fix_base,
    18: _fix_class_b,
    19: _fix_class_b_extended,
    21: _fix_aid,
    27: _fix_long_range,
}
_CRAFT: dict[int, Callable[[Bits], Craft | None]] = {
    5: _craft_class_a,
    19: _craft_class_b,
    21: _craft_aid,
    24: _craft_part,
}
_EXCHANGE: dict[int, Callable[[Bits], Exchange]] = {
    6: _exchange_addressed,
    7: lambda bits: Exchange(to=_addressed(bits, 40, 72, 104, 136)),
    8: _exchange_broadcast,
    10: lambda bits: Exchange(to=_addressed(bits, 40)),
    12: _exchange_addressed,
    13: lambda bits: Exchange(to=_addressed(bits, 40, 72, 104, 136)),
    15: lambda bits: Exchange(to=_addressed(bits, 40, 110)),
    16: lambda bits: Exchange(to=_addressed(bits, 40, 92)),
    22: _exchange_channels,
    23: lambda bits: Exchange(ship_type_code=bits.get(114, 8) or None),
    25: _exchange_slots,
    26: _exchange_slots,
}
