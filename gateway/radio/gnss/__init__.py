"""The station's own place and time, as its satellite receiver tells them (IEC 61162-1 ed. 4).

    $GPRMC,042504.900,A,4012.1002,N,00440.4650,E,0.00,334.28,110321,,,A*6D
     TTFFF TTTTTTTTTT S LLLLLLLLL H LLLLLLLLLL H VVVV CCCCCC DDDDDD   M

    T  talker, then time of the fix       H  hemisphere              V  speed, knots
    F  sentence: RMC GGA GLL GNS ZDA      C  course, degrees true    D  date, ddmmyy
    S  status: A valid, V warning         M  mode of the fix: A autonomous, D differential, …
    L  degrees and minutes: ddmm.mmm, dddmm.mmm; any number of decimals

An exclusive-or of eight bits lets one broken sentence in 256 pass, so every field is held to its
form before any is believed: one bad field refuses the whole sentence. Where receivers are known to
leave the standard, the table says on which one it was seen. A place without a fix is told in the
detail and never in the report's position. This file corrects no time and no week number.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from gateway.model.bounds import Bound
from gateway.model.inbound import Detail, Draft, Frame, Moment, Reading, Unread
from gateway.model.place import Position, velocity_of
from gateway.model.words import Confidence, Kind, Urgency
from gateway.radio.gnss.sentences import ADDRESS, SENTENCES, wrong


class GnssDetail(Detail, frozen=True, kw_only=True, omit_defaults=True):
    """What one sentence of a position receiver states, fix or no fix."""

    own: bool
    """True: the place of this station, not of anybody heard."""
    sentence: str
    """RMC, GGA, GLL, GNS or ZDA."""
    talker: str
    """Which receiver speaks: GP, GL, GA, GB, GQ, GI or GN for satellites, others for others."""
    fix: str | None = None
    """none, gnss, dgnss, precise, rtk, float_rtk, loran, estimated, manual or simulator;
    absent where the sentence speaks of no fix (ZDA)."""
    status: str | None = None
    mode: str | None = None
    quality: int | None = None
    nav_status: str | None = None
    """S safe, C caution, U unsafe, V not provided."""
    satellites: int | None = None
    hdop: float | None = None
    stated_lat_deg: float | None = None
    """The place as written, whether or not the receiver stands by it."""
    stated_lon_deg: float | None = None
    minute_decimals: int | None = None
    """How finely the place is written, by the coarser of its two numbers."""
    altitude_m: float | None = None
    """Of the antenna above mean sea level."""
    geoid_separation_m: float | None = None
    differential_age_s: float | None = None
    differential_station: str | None = None
    speed_kn: float | None = None
    course_deg: float | None = None
    magnetic_variation_deg: float | None = None
    """Positive to the east."""
    date: str | None = None
    time: str | None = None
    zone_h: int | None = None
    zone_min: int | None = None


class Gnss:
    """Read position and time sentences of any talker; every one stands for itself."""

    name = "gnss"

    def bounds(self) -> Iterator[Bound]:
        """Yield nothing: nothing is remembered."""
        yield from ()

    def read(self, frame: Frame) -> tuple[Reading | Unread, ...] | None:
        """Return what this sentence states, or what is wrong with it."""
        address, *fields = frame.body.decode("ascii", "replace").split(",")
        if not ADDRESS.fullmatch(address):
            return None
        form = SENTENCES[address[2:]]
        fault = wrong(form, fields)
        if fault is None:
            values = {f.name: text for f, text in zip(form.fields, fields, strict=False) if text}
            fault = _at_odds(values)
            if fault is None:
                return (Reading((frame,), self.name, _said(address, values), frame.body),)
        return (Unread((frame,), f"{address[2:]}: {fault}"),)

    def report(self, reading: Reading) -> Draft:
        """Return the place only where the receiver stands by it, and say how far to trust it."""
        said = reading.said
        assert isinstance(said, GnssDetail)  # noqa: S101  # no reading of another radio comes here
        claimed_utc = _claimed_utc(said)
        if said.fix == _NO_FIX or said.stated_lat_deg is None or said.stated_lon_deg is None:
            return Draft(kind=Kind.STATUS, urgency=Urgency.ROUTINE, claimed_utc=claimed_utc)
        confidence, doubts = _trust(said)
        return Draft(
            kind=Kind.POSITION,
            urgency=Urgency.ROUTINE,
            position=Position(
                lat_deg=said.stated_lat_deg,
                lon_deg=said.stated_lon_deg,
                resolution_m=_HALF_MINUTE_M / 10 ** (said.minute_decimals or 0),
                altitude_m=said.altitude_m,
                source=said.fix,
            ),
            velocity=velocity_of(speed_kn=said.speed_kn, course_deg=said.course_deg),
            claimed_utc=claimed_utc,
            confidence=confidence,
            doubts=doubts,
        )

    def expire(self, now: Moment) -> tuple[Reading | Unread, ...]:  # noqa: ARG002  # waits for none
        """Return nothing: no sentence waits for another."""
        return ()

    def distress_like(self, frame: Frame) -> bool:  # noqa: ARG002  # whatever it held
        """Return False: a receiver of satellites relays nobody's call."""
        return False


_NO_FIX = "none"

_FIX_BY_MODE = {
    "A": "gnss",
    "D": "dgnss",
    "P": "precise",
    "R": "rtk",
    "F": "float_rtk",
    "E": "estimated",
    "M": "manual",
    "S": "simulator",
    "N": _NO_FIX,
    "V": _NO_FIX,
}
"""Positioning system mode indicator (IEC 61162-1 ed. 4, RMC, GLL and GNS)."""

_FIX_BY_QUALITY = tuple(_FIX_BY_MODE[mode] for mode in "NADPRFEMS")
"""GPS quality indicator, 0 to 8 (IEC 61162-1 ed. 4, GGA field 6)."""

_WEAKEST_FIRST = "SMEADFPR"
"""A fix of several systems (GNS field 6) is called after the weakest that is part of it."""

_WITHOUT_SATELLITES = {
    "estimated": (Confidence.TENTATIVE, "the position is dead reckoning, not a fix"),
    "manual": (Confidence.TENTATIVE, "the position was typed in by hand"),
    "simulator": (Confidence.SUSPECT, "the position comes from a simulator"),
}
"""Places that no receiver found. The standard wants status V beside them, so V can't hide them."""

_LORAN_TALKER = "LC"
_HDOP_UNKNOWN = 50.0
"""SiRF writes 50.0 and u-blox 99.99 when they have none; no fix at sea is as bad as that."""
_HALF_MINUTE_M = 926.0
"""Half a minute of latitude: half the step of a place written without decimals."""
_CENTURY_PIVOT = 80
"""RMC has two digits of the year, and no GNSS was on the air before 1980."""


def _at_odds(values: dict[str, str]) -> str | None:
    """Return why fields that are each of their form can't be true together, or None."""
    day = _date(values)
    if day is not None and not _is_day(day):
        return "date is not in the calendar"
    for number, side in (("latitude", "north or south"), ("longitude", "east or west")):
        if number in values and side not in values:
            return f"{number} without {side}"
    return None


def _said(address: str, values: dict[str, str]) -> GnssDetail:
    talker, sentence = address[:2], address[2:]
    lat, lon = values.get("latitude"), values.get("longitude")
    return GnssDetail(
        own=True,
        sentence=sentence,
        talker=talker,
        fix=_fix(talker, sentence, values),
        status=values.get("status"),
        mode=_mode(values),
        quality=_whole(values.get("quality")),
        nav_status=values.get("navigational status"),
        satellites=_whole(values.get("satellites")),
        hdop=_hdop(values),
        stated_lat_deg=_degrees(lat, 2, negative=values.get("north or south") == "S"),
        stated_lon_deg=_degrees(lon, 3, negative=values.get("east or west") == "W"),
        minute_decimals=min(_decimals(lat), _decimals(lon)) if lat and lon else None,
        altitude_m=_number(values.get("altitude")),
        geoid_separation_m=_number(values.get("geoidal separation")),
        differential_age_s=_number(values.get("age of corrections")),
        differential_station=values.get("reference station"),
        speed_kn=_number(values.get("speed")),
        course_deg=_number(values.get("course")),
        magnetic_variation_deg=_variation(values),
        date=_date(values),
        time=_time(values.get("time")),
        zone_h=_whole(values.get("hours of the zone")),
        zone_min=_whole(values.get("minutes of the zone")),
    )


def _fix(talker: str, sentence: str, values: dict[str, str]) -> str | None:
    """Return what kind of fix the receiver stands by; silence about it is none."""
    if sentence == "ZDA":
        return None
    if sentence == "GGA":
        fix = _FIX_BY_QUALITY[int(values.get("quality", "0"))]
    elif sentence == "GNS":
        used = [mode for mode in _WEAKEST_FIRST if mode in values.get("mode", "")]
        fix = _FIX_BY_MODE[used[0]] if used else _NO_FIX
    else:
        fix = _FIX_BY_MODE[_mode(values) or "A"]
        if values.get("status") != "A" and fix not in _WITHOUT_SATELLITES:
            fix = _NO_FIX
    return "loran" if talker == _LORAN_TALKER and fix == "gnss" else fix


def _mode(values: dict[str, str]) -> str | None:
    # Where the side of the variation holds no side, it holds the mode. E is east: the sender of
    # an estimated place that leaves the mode out is not believed to have a place.
    side = values.get("side of the variation")
    return values.get("mode") or (None if side in {"E", "W"} else side)


def _variation(values: dict[str, str]) -> float | None:
    stated = _number(values.get("magnetic variation"))
    if stated is None or values.get("side of the variation") not in {"E", "W"}:
        return None
    return -stated if values["side of the variation"] == "W" else stated


def _hdop(values: dict[str, str]) -> float | None:
    stated = _number(values.get("dilution of precision"))
    return None if stated is None or stated >= _HDOP_UNKNOWN else stated


def _degrees(text: str | None, width: int, *, negative: bool) -> float | None:
    if text is None:
        return None
    degrees = int(text[:width]) + float(text[width:]) / 60
    return -degrees if negative and degrees else degrees


def _decimals(text: str) -> int:
    return len(text.partition(".")[2])


def _number(text: str | None) -> float | None:
    return None if text is None else float(text)


def _whole(text: str | None) -> int | None:
    return None if text is None else int(text)


def _time(text: str | None) -> str | None:
    """Return hhmmss.sss with its colons; a fraction of nothing says nothing and is left out."""
    if text is None:
        return None
    second, _, fraction = text[4:].partition(".")
    fraction = fraction.rstrip("0")
    return f"{text[:2]}:{text[2:4]}:{second}" + (f".{fraction:0<3}" if fraction else "")


def _date(values: dict[str, str]) -> str | None:
    """Return the date in the order of ISO 8601, as soon as all of it is known."""
    short = values.get("date")
    if short is not None:
        century = 19 if int(short[4:]) >= _CENTURY_PIVOT else 20
        return f"{century}{short[4:]}-{short[2:4]}-{short[:2]}"
    if not {"year", "month", "day"} <= values.keys():
        return None
    return f"{values['year']}-{values['month']}-{values['day']}"


def _is_day(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _claimed_utc(said: GnssDetail) -> str | None:
    if said.time is None:
        return None
    return f"{said.date}T{said.time}Z" if said.date else f"{said.time}Z"


def _trust(said: GnssDetail) -> tuple[Confidence, tuple[str, ...]]:
    if said.fix in _WITHOUT_SATELLITES:
        confidence, doubt = _WITHOUT_SATELLITES[said.fix]
        return confidence, (doubt,)
    if said.nav_status == "U":
        return Confidence.TENTATIVE, ("the receiver calls its own position unsafe",)
    return Confidence.VERIFIED, ()


RADIO = Gnss
