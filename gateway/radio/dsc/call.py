"""The DSC sentence: one call, as a radio with an NMEA 0183 port tells it (IEC 61162-1).

    $--DSC,ff,aaaaaaaaaa,cc,t1,t2,pppppppppp,hhmm,dddddddddd,nn,e,x
            1     2       3  4  5     6       7       8      9 10 11

    1  format specifier          2  address: of the sender; the area, when the format is 102
    3  category; may be empty when the format is 112, which says distress by itself
    4  nature of distress (format 112), or first telecommand
    5  subsequent communication (in distress), or second telecommand
    6  position, or frequency or channel          7  time of day, or telephone number
    8  who is in distress        9  nature of that distress
    10 R, B or S: how the call ends               11 E when an expansion follows

Codes have two digits, or three in some radios. Fields beyond the eleventh are empty; the eleventh
may be missing. The format is looked at first, the category second. A distress is never given up:
what can't be read in it is left out and named.
"""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace

from gateway.radio.dsc import fields as field
from gateway.radio.dsc import tables
from gateway.radio.dsc.words import DscDetail, Working

FIELDS_MIN = 10
FIELDS_MAX = 13
_FIELDS = 11
_CODES = {0: "format", 2: "category", 3: "telecommand 1", 4: "telecommand 2", 8: "nature"}
_NO_TIME = "8888"
_NOBODY = "000000000"
"""What a radio sends that was never given an identity."""


class Illegible(Struct, frozen=True):
    """Why no call can be made of a sentence."""

    reason: str
    distress_like: bool


def read_call(texts: list[str]) -> DscDetail | Illegible:
    """Return the call that these fields, in the order of the sentence, make."""
    sheet = _Sheet(texts)
    if sheet.distress:
        return _distress(sheet)
    return _no_grammar(sheet) or _other(sheet)


def content_of(texts: list[str]) -> bytes:
    """Return what went over the air, equal for each dialect that says the same."""
    sheet = _Sheet(texts)
    said = [
        str(sheet.codes[place]) if sheet.codes.get(place) is not None else text
        for place, text in enumerate(sheet.texts[: _FIELDS - 2])
    ]
    if sheet.codes[0] == tables.FORMAT_DISTRESS and not said[2]:
        said[2] = str(tables.CATEGORY_DISTRESS)
    return ",".join(["DSC", *said, sheet.end]).encode("ascii", "replace")


class _Sheet:
    """The fields of one sentence, padded and cut to eleven, and what was noticed on the way."""

    def __init__(self, texts: list[str]) -> None:
        self.count = len(texts)
        self.blank = not any(texts)
        self.texts = [*texts, *[""] * _FIELDS][:_FIELDS]
        self.tail = [text for text in texts[_FIELDS - 2 :] if text]
        self.codes = {place: field.code_of(self.texts[place]) for place in _CODES}
        self.unreadable: list[str] = []

    @property
    def distress(self) -> bool:
        """Whether anything here says that somebody is in distress."""
        format_code, category, about = self.codes[0], self.codes[2], self.codes[3]
        if format_code == tables.FORMAT_DISTRESS or category == tables.CATEGORY_DISTRESS:
            return True
        if format_code not in tables.FORMATS:
            return False
        named = bool(self.texts[7] or self.texts[8])
        return about in tables.ABOUT_ANOTHER or (category not in tables.CATEGORIES and named)

    @property
    def end(self) -> str:
        """The letter that ends the call, wherever behind the ninth field it stands."""
        return next((text for text in self.tail if text in tables.ENDS), "")

    @property
    def dialect(self) -> tuple[str, ...]:
        odd = []
        if any(len(self.texts[place]) == 3 for place in _CODES):
            odd.append("three-digit codes")
        if self.codes[0] == tables.FORMAT_DISTRESS and not self.texts[2]:
            odd.append("no category")
        if self.count != _FIELDS:
            odd.append(f"{self.count} fields instead of {_FIELDS}")
        return tuple(odd)

    def code(self, place: int, name: str | None = None) -> int | None:
        """Return the code in a field; None, and noted, when something else stands there."""
        if self.codes[place] is None and self.texts[place]:
            self.unreadable.append(name or _CODES[place])
        return self.codes[place]

    def mmsi(self, place: int, name: str) -> str | None:
        """Return the identity in a field, noting what is wrong with it."""
        text = self.texts[place]
        found = field.mmsi_of(text)
        if found is None:
            if text not in ("", field.ABSENT):
                self.unreadable.append(name)
        elif not field.is_plain_address(text):
            self.unreadable.append(f"last digit of {name}")
        return found

    def position(self) -> str | None:
        """Return the ten digits of a position that is on the Earth."""
        text = self.texts[5]
        if text in ("", field.ABSENT):
            return None
        digits = field.position_digits(text)
        if digits is None or field.minutes_of(digits) is None:
            self.unreadable.append("position")
            return None
        return digits

    def time(self) -> str | None:
        text = self.texts[6]
        if text in ("", _NO_TIME):
            return None
        if not field.is_time(text):
            self.unreadable.append("time")
            return None
        return text

    def envelope(self) -> DscDetail:
        """Return what every call has, whatever it is for."""
        format_code, category_code = self.code(0), self.code(2)
        if format_code is not None and format_code not in tables.FORMATS:
            self.unreadable.append("format")
        area = None
        if format_code == tables.FORMAT_AREA:
            area = field.area_of(self.texts[1])
            if area is None:
                self.unreadable.append("area")
        if any(text not in tables.ENDS and text != "E" for text in self.tail):
            self.unreadable.append("end of sequence")
        return DscDetail(
            purpose="",
            format_code=format_code,
            category_code=category_code,
            self_id=None if format_code == tables.FORMAT_AREA else self.mmsi(1, "sender"),
            area=area,
            distress_id=self.mmsi(7, "casualty"),
            end=tables.ENDS.get(self.end),
            expansion_announced="E" in self.tail,
            dialect=self.dialect,
        )


def _no_grammar(sheet: _Sheet) -> Illegible | None:
    """Return why these fields, which say nothing of distress, make no call; None when they do."""
    if sheet.blank:
        return Illegible("an empty DSC sentence", distress_like=False)
    if sheet.codes[0] not in tables.FORMATS:
        return Illegible("the format specifier can't be read", distress_like=True)
    if sheet.codes[2] not in tables.CATEGORIES:
        return Illegible("the category can't be read", distress_like=True)
    if not FIELDS_MIN <= sheet.count <= FIELDS_MAX:
        return Illegible(f"{sheet.count} fields", distress_like=False)
    if sheet.codes[0] != tables.FORMAT_AREA and field.mmsi_of(sheet.texts[1]) is None:
        return Illegible("the sender can't be read", distress_like=False)
    return None


def _distress(sheet: _Sheet) -> DscDetail:
    """Return an alert, or a call about somebody's distress. Nothing in the fields prevents it."""
    call = sheet.envelope()
    alert = call.format_code == tables.FORMAT_DISTRESS
    first, named = sheet.code(3, "nature" if alert else None), sheet.code(8)
    another = call.distress_id not in (None, _NOBODY, call.self_id)
    if alert and not (another and named is not None):
        telecommand, nature = None, first
    else:
        telecommand, nature = first, named
    call = replace(
        call,
        telecommand1_code=telecommand,
        subsequent_code=sheet.code(4, "subsequent communication"),
        position=sheet.position(),
        time=sheet.time(),
        nature_code=nature,
    )
    if sheet.texts[1] in ("", field.ABSENT) and call.format_code != tables.FORMAT_AREA:
        sheet.unreadable.append("sender")
    if not FIELDS_MIN <= sheet.count <= FIELDS_MAX:
        sheet.unreadable.append("number of fields")
    return _finished(call, _distress_purpose(call, sheet), sheet)


def _distress_purpose(call: DscDetail, sheet: _Sheet) -> str:
    """Return what a call of distress is for; whatever is in doubt keeps the alarm up.

    A radio cancels its own alert by acknowledging it. As an alert this is known by the casualty's
    name alone (captured so, with no nature behind it and nothing asked for); an alert that says
    more is an alert whose radio fills the casualty's fields too.
    """
    alert = call.format_code == tables.FORMAT_DISTRESS
    bare = sheet.texts[8] == "" and sheet.end != "R"
    acknowledges = call.telecommand1_code == tables.DISTRESS_ACKNOWLEDGED
    if alert and call.distress_id in (None, _NOBODY):
        return "distress_alert"
    if call.distress_id == call.self_id and call.self_id not in (None, _NOBODY):
        if alert and not bare:
            return "distress_alert"
        return "self_cancellation" if alert or acknowledges else "distress_relay"
    return "distress_acknowledgement" if acknowledges else "distress_relay"


def _other(sheet: _Sheet) -> DscDetail:
    """Return a call of urgency, safety or routine; a test or a position call among them."""
    call = sheet.envelope()
    rx, tx, position = None, None, None
    if sheet.texts[5] and field.position_digits(sheet.texts[5]) is None:
        rx, tx = _workings(sheet)
    else:
        position = sheet.position()
    time, phone = _time_or_phone(sheet, with_position=position is not None)
    call = replace(
        call,
        telecommand1_code=sheet.code(3),
        telecommand2_code=sheet.code(4),
        position=position,
        rx=rx,
        tx=tx,
        time=time,
        phone=phone,
        nature_code=sheet.code(8),
    )
    return _finished(call, _other_purpose(call), sheet)


def _other_purpose(call: DscDetail) -> str:
    if call.telecommand1_code == tables.TEST:
        return "test"
    if call.telecommand1_code == tables.POSITION_UPDATE:
        asked = call.end == tables.ENDS["R"] or call.position is None
        return "position_request" if asked else "position_report"
    return f"{tables.CATEGORIES[call.category_code or tables.CATEGORY_DISTRESS]}_call"


def _workings(sheet: _Sheet) -> tuple[Working | None, Working | None]:
    found = field.workings_of(sheet.texts[5])
    if found is None:
        sheet.unreadable.append("frequency or channel")
        return None, None
    return found


def _time_or_phone(sheet: _Sheet, *, with_position: bool) -> tuple[str | None, str | None]:
    """Return the seventh field as what it is: the automatic service dials, the others time."""
    text = sheet.texts[6]
    dials = sheet.codes[0] == tables.FORMAT_AUTOMATIC or not (with_position or len(text) == 4)
    if not text or not dials:
        return sheet.time(), None
    if not field.is_digits(text) or len(text) > field.PHONE_DIGITS_MAX:
        sheet.unreadable.append("telephone number")
        return None, None
    return None, text


def _finished(call: DscDetail, purpose: str, sheet: _Sheet) -> DscDetail:
    return spelt(replace(call, purpose=purpose, unreadable=tuple(sheet.unreadable)))


def spelt(call: DscDetail) -> DscDetail:
    """Return the call with the words for its codes."""
    return replace(
        call,
        format=tables.FORMATS.get(call.format_code or 0),
        category=tables.CATEGORIES.get(call.category_code or 0),
        telecommand1=tables.TELECOMMANDS_1.get(call.telecommand1_code or 0),
        telecommand2=tables.TELECOMMANDS_2.get(call.telecommand2_code or 0),
        subsequent=tables.TELECOMMANDS_1.get(call.subsequent_code or 0),
    )
