"""Messages of an NMEA 2000 bus, made field by field: for vectors, the demonstration and tests.

Octet by octet as gateway/radio/n2k draws them, and written apart from it. What was made here for
the vectors has been read by an independent decoder; the vectors say by which.
"""

from __future__ import annotations

from math import radians

from gateway.framing.actisense import Actisense

DSC_CALL, CLASS_A, CLASS_B, CLASS_B_EXTENDED, AID = 129808, 129038, 129039, 129040, 129041

Place = tuple[float, float]
"""Latitude and longitude, degrees."""


def dsc_call(  # noqa: PLR0913  # a call has as many fields
    form: int,
    category: int,
    address: str,
    first: int = 255,
    second: int = 255,
    *,
    workings: tuple[str, str] = ("", ""),
    place: Place | None = None,
    time: str = "",
    casualty: str = "",
    end: int = 127,
    fine: str = "",
) -> bytes:
    """Return a DSC call; format, category, telecommands and end are symbols of M.493.

    Time is hhmm, fine the digits of expansion 100 (M.821): the rest of the minutes.
    """
    receipt = b"\xff" * 20
    octets = (
        bytes([form, category])
        + _pairs(address)
        + bytes([first, second])
        + b"".join(text.encode().ljust(6, b"\xff") for text in workings)
        + b"\x02\x01"
        + (b"\xff\xff\xff\x7f" * 2 if place is None else _place(*place))
        + (_seconds(time) if time else b"\xff" * 4)
        + _pairs(casualty)
        + bytes([end, 0xFD if fine else 0xFC])
        + receipt
    )
    return octets + (b"\x64" + bytes([2 + len(fine), 1]) + fine.encode() if fine else b"")


def class_a(  # noqa: PLR0913  # a message has as many fields
    mmsi: int,
    place: Place | None,
    *,
    status: int,
    message: int = 1,
    repeat: int = 0,
    second: int = 60,
    course_deg: float = 0.0,
    speed_kn: float = 0.0,
    heading_deg: float | None = None,
    turn: int = 0x7FFF,
) -> bytes:
    """Return the position report of a class A station, or of a locating device."""
    return (
        _head(message, repeat, mmsi, place, second << 2)
        + _motion(course_deg, speed_kn)
        + b"\0\0\0"
        + _angle(heading_deg)
        + turn.to_bytes(2, "little")
        + bytes([status, 0xFF])
    )


def class_b(mmsi: int, place: Place, *, course_deg: float, speed_kn: float) -> bytes:
    """Return the position report of a class B station, second 31, accurate, carrier sense."""
    flags = 0x14  # carrier sense, has DSC
    return (
        _head(18, 0, mmsi, place, 31 << 2 | 1)
        + _motion(course_deg, speed_kn)
        + b"\0\0\0"
        + _angle(None)
        + b"\0"
        + bytes([flags, 0xFF])
    )


def class_b_extended(mmsi: int, place: Place, name: str, ship_type: int) -> bytes:
    """Return the extended report of a class B station of 12 m by 4 m, that makes 5 kn to 90."""
    return (
        _head(19, 0, mmsi, place, 30 << 2)
        + _motion(90.0, 5.0)
        + b"\0\0"
        + bytes([ship_type])
        + _angle(90.0)
        + b"\x1f"
        + b"".join(value.to_bytes(2, "little") for value in (120, 40, 20, 50))
        + name.encode().ljust(20)
        + b"\0\0"
    )


def aid(mmsi: int, place: Place, name: str, kind: int) -> bytes:
    """Return the report of a virtual aid to navigation, surveyed."""
    return (
        _head(21, 0, mmsi, place, 60 << 2)
        + b"\0\0" * 4
        + bytes([0x40 | kind, 0x0E, 0, 0xE0, 2 + len(name), 1])
        + name.encode()
    )


def n2k_ascii(pgn: int, octets: bytes) -> str:
    """Return the line of an Actisense adapter: one whole message."""
    return f"A120000.912 03FF4 {pgn:05X} {octets.hex().upper()}"


def raw_lines(pgn: int, octets: bytes, *, source: int = 3, sequence: int = 0) -> list[str]:
    """Return the RAW lines of a Yacht Devices adapter: one fast packet."""
    cut = [octets[:6], *(octets[at : at + 7].ljust(7, b"\xff") for at in range(6, len(octets), 7))]
    found = []
    for number, body in enumerate(cut):
        head = bytes([sequence << 5 | number]) + (b"" if number else bytes([len(octets)]))
        frame = (head + body).hex(" ").upper()
        found.append(f"12:00:00.{number:03} R {4 << 26 | pgn << 8 | source:08X} {frame}")
    return found


def ngt1(pgn: int, octets: bytes) -> bytes:
    """Return the message of an NGT-1, envelope and all."""
    header = bytes([4]) + pgn.to_bytes(3, "little") + bytes([255, 3]) + bytes(4)
    inner = header + bytes([len(octets)]) + octets
    return Actisense.wrap(bytes([0x93, len(inner)]) + inner)


def _pairs(digits: str) -> bytes:
    """Return an address: two digits an octet, of nine and a nought."""
    whole = digits.ljust(10, "0")
    pairs = (int(whole[at : at + 2]) for at in range(0, 10, 2))
    return bytes(pairs) if digits else b"\xff" * 5


def _place(first_deg: float, second_deg: float) -> bytes:
    return b"".join(
        round(deg * 1e7).to_bytes(4, "little", signed=True) for deg in (first_deg, second_deg)
    )


def _seconds(time: str) -> bytes:
    return ((int(time[:2]) * 60 + int(time[2:])) * 600_000).to_bytes(4, "little")


def _head(message: int, repeat: int, mmsi: int, place: Place | None, timing: int) -> bytes:
    """Return what stands at the head of every AIS group; here the longitude comes first."""
    absent = b"\xff\xff\xff\x7f" * 2
    return (
        bytes([repeat << 6 | message])
        + mmsi.to_bytes(4, "little")
        + (absent if place is None else _place(place[1], place[0]))
        + bytes([timing])
    )


def _angle(deg: float | None) -> bytes:
    return (0xFFFF if deg is None else round(radians(deg) * 1e4)).to_bytes(2, "little")


def _motion(course_deg: float, speed_kn: float) -> bytes:
    return _angle(course_deg) + round(speed_kn * 185.2 / 3.6).to_bytes(2, "little")
