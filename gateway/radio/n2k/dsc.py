"""A DSC call on the bus: the sentences that would tell it (IEC 61162-1), out of group 129808.

    octet    0 format   1 category   2 address 5   7 nature, or first telecommand
             8 subsequent communication, or second telecommand
             9 receive on 6   15 transmit on 6   21 telephone, its length and coding before it
    behind   latitude 4   longitude 4   time 4   casualty 5   end of sequence   expansion, 2 bits
             heard on 6   answered on 6   time of receipt 4   date of receipt 2   its number 2
    then     expansion symbol, expansion text with its length and coding before it; repeated

Low octet first; addresses have two digits in an octet; frequencies and channels are the digits of
M.493; 1e-7 degrees; 1e-4 s since midnight. All bits set is absent. Source: canboat's database of
parameter groups, "DSC Call Information". Group and sentence have the
same fields but one: a call about another's distress has one octet for its first telecommand and
for the nature of that distress. What a call means is not decided here.
"""

from __future__ import annotations

from msgspec import Struct

_DISTRESS = 112
_ACKNOWLEDGED, _RELAYED = 110, 112
_NATURES_FIRST, _NATURES_LAST = 100, 109
"""Of the natures, those that can be no telecommand of a distress call."""
_ASKED = 117
_ENDS = {117: "R", 122: "B", 127: "S"}
_ABSENT = 0xFF
_ELSEWHERE = "elsewhere"
"""In a field of digits: said, and not readable."""
_LAT_MAX, _LON_MAX = 900_000_000, 1_800_000_000
_DAY = 864_000_000
_TIME_NONE = 0xFFFFFFFD
_RECEIPT_OCTETS = 20
"""From the channel heard on to the number of the call: the receiver's own words."""
_SETS_MAX = 16
"""Expansions in one call: M.821 knows seven."""
_FINE = "00"


class Call(Struct, frozen=True):
    """The bodies of the sentences, and what can't be told by them."""

    call: bytes
    expansion: bytes | None
    doubts: tuple[str, ...] = ()


def call_of(octets: bytes) -> Call:
    """Return the sentences; what the octets don't reach is absent."""
    cut = _Octets(octets)
    kind, category, address = cut.number(1), cut.number(1), cut.digits(5)
    first, second = cut.number(1), cut.number(1)
    workings = cut.text(6) + cut.text(6)
    phone = cut.counted()
    place = _Place(cut.take(4), cut.take(4))
    time, casualty, end = _time(cut.take(4)), cut.digits(5), cut.number(1)
    cut.take(1 + _RECEIPT_OCTETS)
    sets = _sets(cut)
    if place.fine:
        sets = {_FINE: place.fine, **sets}
    if kind == _DISTRESS and casualty == address:
        casualty = ""  # the field is called "ship in distress": whoever calls so cancels nothing
    about = kind != _DISTRESS and category == _DISTRESS
    nature = first if about and _NATURES_FIRST <= first <= _NATURES_LAST else _ABSENT
    relayed = about and first == _ACKNOWLEDGED and end == _ASKED
    if relayed:
        first, nature = _RELAYED, first
    doubts: tuple[str, ...] = ()
    if about and first == _ACKNOWLEDGED:
        doubts = ("on the bus, this acknowledgement may be a relay for a person overboard",)
    fields = (
        _symbol(kind),
        address,
        _symbol(category),
        "" if nature != _ABSENT and not relayed else _symbol(first),
        _symbol(second),
        place.digits or ("" if _DISTRESS in (kind, category) else workings),
        time if place.digits or _DISTRESS in (kind, category) else phone or time,
        casualty,
        _symbol(nature),
        _ENDS.get(end, ""),
        "E" if sets else "",
    )
    told = ",".join(("CDDSC", *fields)).encode("ascii")
    if not sets:
        return Call(told, None, doubts)
    pairs = ",".join(f"{code},{said}" for code, said in sets.items())
    return Call(told, f"CDDSE,1,1,A,{address},{pairs}".encode("ascii"), doubts)


class _Octets:
    """The octets of a message, taken off from the front."""

    def __init__(self, octets: bytes) -> None:
        self._octets = octets
        self._at = 0

    def take(self, count: int) -> bytes:
        found = self._octets[self._at : self._at + count]
        self._at += count
        return found

    def number(self, count: int) -> int:
        """Return a number; one that is not there has all bits set."""
        return int.from_bytes(self.take(count).ljust(count, b"\xff"), "little")

    def digits(self, count: int) -> str:
        """Return two digits an octet; an octet that holds other than two makes them unreadable."""
        found = self.take(count)
        if all(octet == _ABSENT for octet in found):
            return ""
        return "".join(f"{octet:02d}" for octet in found)

    def text(self, count: int) -> str:
        return _plain(self.take(count))

    def counted(self) -> str:
        """Return a text with its length, which counts itself, and its coding before it."""
        length = self.number(1)
        if length == _ABSENT or length < 2:
            return ""
        return _plain(self.take(length - 1)[1:])

    @property
    def left(self) -> bool:
        return self._at < len(self._octets)


class _Place:
    """Latitude and longitude, cut as a call and its expansion have them (M.493, M.821)."""

    def __init__(self, lat: bytes, lon: bytes) -> None:
        self.digits = self.fine = ""
        values = [int.from_bytes(found, "little", signed=True) for found in (lat, lon)]
        if len(lat + lon) < 8 or 0x7FFFFFFF in values or values == [-1, -1]:
            return
        if abs(values[0]) > _LAT_MAX or abs(values[1]) > _LON_MAX:
            self.digits = _ELSEWHERE
            return
        (lat_min, lat_fine), (lon_min, lon_fine) = (
            divmod(round(abs(value) * 6 / 100), 10_000) for value in values
        )
        quadrant = 2 * (values[0] < 0) + (values[1] < 0)
        self.digits = (
            f"{quadrant}{lat_min // 60:02d}{lat_min % 60:02d}{lon_min // 60:03d}{lon_min % 60:02d}"
        )
        if lat_fine or lon_fine:
            self.fine = f"{lat_fine:04d}{lon_fine:04d}"


def _time(octets: bytes) -> str:
    """Return hhmm."""
    value = int.from_bytes(octets.ljust(4, b"\xff"), "little")
    if value >= _TIME_NONE:
        return ""
    minutes = value // 600_000
    return f"{minutes // 60:02d}{minutes % 60:02d}" if value < _DAY else _ELSEWHERE


def _sets(cut: _Octets) -> dict[str, str]:
    """Return the expansions by the code of their sentence; the fine minutes are in the place."""
    found: dict[str, str] = {}
    for _ in range(_SETS_MAX):
        if not cut.left:
            break
        symbol, said = cut.number(1), cut.counted()
        if said and _symbol(symbol) != _FINE and symbol != _ABSENT:
            found[_symbol(symbol)] = said
    return found


def _symbol(code: int) -> str:
    """Return the field for a symbol: two digits, the leading 1 dropped; three of what is none."""
    if code == _ABSENT:
        return ""
    return f"{code - 100:02d}" if 100 <= code <= 127 else f"{code:03d}"


def _plain(octets: bytes) -> str:
    """Return the text; what would end a field in a sentence, or is no text, is a `?`."""
    kept = octets.rstrip(b"\xff\x00 @").decode("ascii", "replace")
    return "".join(char if " " <= char <= "~" and char != "," else "?" for char in kept)
