"""What a ship's own equipment says on a mixed stream: man overboard, alerts, radar targets.

    $--MOB,hhhhh,s,hhmmss,p,ddmmyy,hhmmss,llll.ll,a,yyyyy.yy,a,c.c,v.v,mmmmmmmmm,b   IEC 61162-1
           1     2 3      4 5      6      7       8 9        10 11 12  13        14
    $--ALR,hhmmss.ss,nnn,A,A,text                     time, number, condition, acknowledged, text
    $--ALF,t,n,q,hhmmss.ss,c,p,s,mmm,iiiii,k,r,e,text  5 category, 6 priority, 7 state, 13 text
    $--TLL,nn,llll.ll,a,yyyyy.yy,a,name,hhmmss.ss,s,r  a radar target

    1  number of the device   2  A activated, M button pressed, T test, V not in use, E error
    3  when it was activated  4  place by 0 the ship, 1 the device, 6 error
    5, 6 when the place was had   7 to 10 the place   11 course   12 speed, knots
    13 MMSI of the ship       14 battery: 0 good, 1 low, 6 error

A person overboard is a distress of the ship, whatever in the sentence can't be read: that is left
out and named. A radar target has sent nothing; where it is stands in the detail alone. Nothing is
remembered.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from gateway.codes.mmsi import mmsi_class
from gateway.model.bounds import Bound
from gateway.model.inbound import Detail, Draft, Frame, Moment, Reading, Unread
from gateway.model.place import Identity, Position, velocity_of
from gateway.model.words import Confidence, Kind, Mode, Nature, Urgency


class ShipboardDetail(Detail, frozen=True, kw_only=True, omit_defaults=True, tag="shipboard"):
    """One sentence of a ship's own equipment."""

    sentence: str
    """MOB, ALR, ALF or TLL."""
    talker: str
    status: str | None = None
    """MOB: activated, button, test, unused or error; TLL: lost, acquiring or tracking; of alerts
    their state as sent."""
    device: str | None = None
    """Of MOB: five hexadecimal digits, or absent."""
    mmsi: str | None = None
    place_source: str | None = None
    battery: str | None = None
    number: str | None = None
    """Of an alert or a target, as sent."""
    priority: str | None = None
    """Of ALF: E emergency alarm, A alarm, W warning, C caution."""
    acknowledged: bool | None = None
    text: str | None = None
    stated_lat_deg: float | None = None
    stated_lon_deg: float | None = None
    course_deg: float | None = None
    speed_kn: float | None = None
    date: str | None = None
    time: str | None = None
    unreadable: tuple[str, ...] = ()
    """Which fields hold something that can't be read."""


_ADDRESS = re.compile(r"[A-OQ-Z][A-Z0-9](MOB|ALR|ALF|TLL)")
_MOB = re.compile(rb"(?:^|[$!])[A-Z0-9]{2}MOB(?:,|$)")
_FEWEST = {"MOB": 2, "ALR": 5, "ALF": 13, "TLL": 5}
_MOB_STATES = {"A": "activated", "M": "button", "T": "test", "V": "unused", "E": "error"}
_QUIET = ("unused", "error")
_PLACES = {"0": "ship", "1": "device", "6": "error"}
_BATTERIES = {"0": "good", "1": "low", "6": "error"}
_TARGETS = {"L": "lost", "Q": "acquiring", "T": "tracking"}
_PRIORITIES = {"E": Urgency.URGENCY, "A": Urgency.SAFETY, "W": Urgency.SAFETY}
_ENDED = {"ALF": "N", "ALR": "V"}
"""The state in which there is no alert any more: normal, condition not met."""

_LAT = re.compile(r"([0-8]\d|90)([0-5]\d(?:\.\d{0,9})?)")
_LON = re.compile(r"(0\d\d|1[0-7]\d|180)([0-5]\d(?:\.\d{0,9})?)")
_TIME = re.compile(r"([01]\d|2[0-3])([0-5]\d)([0-5]\d)(?:\.\d*)?")
_DATE = re.compile(r"(0[1-9]|[12]\d|3[01])(0[1-9]|1[0-2])(\d\d)")
_NUMBER = re.compile(r"\d{1,4}(?:\.\d{0,4})?")
_MMSI = re.compile(r"\d{9}")


class _Fields:
    """The fields of one sentence, by number; what can't be read is noted."""

    def __init__(self, texts: list[str]) -> None:
        self.texts = texts
        self.unreadable: list[str] = []

    def text(self, number: int) -> str | None:
        return self.texts[number - 1] or None if number <= len(self.texts) else None

    def match(self, number: int, form: re.Pattern[str], name: str) -> re.Match[str] | None:
        text = self.text(number)
        found = form.fullmatch(text) if text else None
        if text and found is None:
            self.unreadable.append(name)
        return found

    def word(self, number: int, words: dict[str, str], name: str) -> str | None:
        text = self.text(number)
        if text and text not in words:
            self.unreadable.append(name)
        return words.get(text or "")

    def angle(self, number: int, form: re.Pattern[str], sides: str, name: str) -> float | None:
        found, side = self.match(number, form, name), self.text(number + 1)
        if found is None or not side:
            return None
        if side not in sides:
            self.unreadable.append(name)
            return None
        degrees = int(found[1]) + float(found[2]) / 60
        return -degrees if side == sides[1] else degrees

    def number(self, number: int, name: str) -> float | None:
        found = self.match(number, _NUMBER, name)
        return float(found[0]) if found else None

    def time(self, number: int, name: str) -> str | None:
        found = self.match(number, _TIME, name)
        return f"{found[1]}:{found[2]}:{found[3]}" if found else None

    def date(self, number: int, name: str) -> str | None:
        found = self.match(number, _DATE, name)
        return f"20{found[3]}-{found[2]}-{found[1]}" if found else None


class Shipboard:
    """Read sentences of any talker; every one stands for itself."""

    name = "shipboard"

    def bounds(self) -> Iterator[Bound]:
        """Yield nothing: nothing is remembered."""
        yield from ()

    def read(self, frame: Frame) -> tuple[Reading | Unread, ...] | None:
        """Return what this sentence says, or why it can't be read."""
        address, *texts = frame.body.decode("ascii", "replace").split(",")
        if not _ADDRESS.fullmatch(address):
            return None
        sentence = address[2:]
        if len(texts) < _FEWEST[sentence]:
            return (Unread((frame,), f"{sentence}: {len(texts)} fields", sentence == "MOB"),)
        said = _READ[sentence](address, _Fields(texts))
        return (Reading((frame,), self.name, said, frame.body),)

    def report(self, reading: Reading) -> Draft:
        """Return what the sentence means to everybody."""
        if not isinstance(reading.said, ShipboardDetail):
            raise TypeError(reading.said)
        said = reading.said
        doubts = tuple(f"the {name} can't be read" for name in said.unreadable)
        if said.sentence == "MOB":
            return _draft_of_mob(said, doubts)
        return Draft(
            kind=Kind.STATUS,
            urgency=_urgency(said),
            text=said.text,
            claimed_utc=f"{said.time}Z" if said.time else None,
            confidence=Confidence.TENTATIVE if doubts else Confidence.VERIFIED,
            doubts=doubts,
        )

    def expire(self, _now: Moment) -> tuple[Reading | Unread, ...]:
        """Return nothing: no sentence waits for another."""
        return ()

    def distress_like(self, frame: Frame) -> bool:
        """Say whether this broken frame tells of somebody overboard."""
        return _MOB.search(frame.raw) is not None


def _mob(address: str, fields: _Fields) -> ShipboardDetail:
    status = fields.word(2, _MOB_STATES, "status")
    mmsi = fields.match(13, _MMSI, "MMSI")
    if fields.text(2) is None:
        fields.unreadable.append("status")
    return ShipboardDetail(
        sentence="MOB",
        talker=address[:2],
        status=status,
        device=fields.text(1),
        place_source=fields.word(4, _PLACES, "source of the position"),
        date=fields.date(5, "date"),
        time=fields.time(6, "time of the position") or fields.time(3, "time"),
        stated_lat_deg=fields.angle(7, _LAT, "NS", "latitude"),
        stated_lon_deg=fields.angle(9, _LON, "EW", "longitude"),
        course_deg=fields.number(11, "course"),
        speed_kn=fields.number(12, "speed"),
        mmsi=mmsi[0] if mmsi else None,
        battery=fields.word(14, _BATTERIES, "state of the battery"),
        unreadable=tuple(fields.unreadable),
    )


def _alr(address: str, fields: _Fields) -> ShipboardDetail:
    return ShipboardDetail(
        sentence="ALR",
        talker=address[:2],
        time=fields.time(1, "time"),
        number=fields.text(2),
        status=fields.text(3),
        acknowledged=fields.text(4) == "A",
        text=",".join(fields.texts[4:]) or None,
        unreadable=tuple(fields.unreadable),
    )


def _alf(address: str, fields: _Fields) -> ShipboardDetail:
    return ShipboardDetail(
        sentence="ALF",
        talker=address[:2],
        time=fields.time(4, "time"),
        priority=fields.text(6),
        status=fields.text(7),
        acknowledged=fields.text(7) == "A",
        number=fields.text(9),
        text=",".join(fields.texts[12:]) or None,
        unreadable=tuple(fields.unreadable),
    )


def _tll(address: str, fields: _Fields) -> ShipboardDetail:
    return ShipboardDetail(
        sentence="TLL",
        talker=address[:2],
        number=fields.text(1),
        stated_lat_deg=fields.angle(2, _LAT, "NS", "latitude"),
        stated_lon_deg=fields.angle(4, _LON, "EW", "longitude"),
        text=fields.text(6),
        time=fields.time(7, "time"),
        status=fields.word(8, _TARGETS, "status"),
        unreadable=tuple(fields.unreadable),
    )


_READ = {"MOB": _mob, "ALR": _alr, "ALF": _alf, "TLL": _tll}


def _draft_of_mob(said: ShipboardDetail, doubts: tuple[str, ...]) -> Draft:
    """Return a distress, unless the sentence says that there is none."""
    quiet = said.status in _QUIET
    who = Identity(mmsi=said.mmsi, mmsi_class=mmsi_class(said.mmsi)) if said.mmsi else None
    dated = f"{said.date}T{said.time}Z" if said.date else f"{said.time}Z"
    return Draft(
        kind=Kind.STATUS if quiet else Kind.ALERT,
        urgency=Urgency.ROUTINE if quiet else Urgency.DISTRESS,
        mode=Mode.TEST if said.status == "test" else Mode.REAL,
        sender=who,
        casualty=None if quiet else who,
        nature=None if quiet else Nature.MAN_OVERBOARD,
        position=None if quiet else _position(said),
        velocity=velocity_of(speed_kn=said.speed_kn, course_deg=said.course_deg),
        claimed_utc=dated if said.time else None,
        confidence=Confidence.TENTATIVE if doubts else Confidence.VERIFIED,
        doubts=doubts,
    )


def _position(said: ShipboardDetail) -> Position | None:
    if said.stated_lat_deg is None or said.stated_lon_deg is None or said.place_source == "error":
        return None
    return Position(
        lat_deg=said.stated_lat_deg, lon_deg=said.stated_lon_deg, source=said.place_source
    )


def _urgency(said: ShipboardDetail) -> Urgency:
    if said.sentence == "TLL" or said.status == _ENDED[said.sentence]:
        return Urgency.ROUTINE
    if said.sentence == "ALR":
        return Urgency.SAFETY
    return _PRIORITIES.get(said.priority or "", Urgency.ROUTINE)


RADIO = Shipboard
