"""Where the craft are: what rules about distance look at. Bounded; the one longest silent goes."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator

from msgspec import Struct
from msgspec.structs import replace

from gateway.codes.accuracy import stated_m
from gateway.codes.grid import Grid, cell_of
from gateway.model.agreement import EventWord
from gateway.model.bounds import Bound
from gateway.model.inbound import Report
from gateway.model.place import Position
from gateway.rules.event import Event

CRAFT_MAX = 16_384
"""Craft of parties to one agreement: three times what flies over a country at war and at peace.
Who belongs to no party is looked at where it is heard, and takes no room here."""

KEPT_S = 600.0
"""So long after it was heard a place is worth to be kept over a restart: no rule looks at older."""

_FOOT_M = 0.3048
_KNOT_MPS = 1852 / 3600


class Craft(Struct, frozen=True, kw_only=True, gc=False):
    """Where a craft was when it was heard last, and how it moved."""

    subject: str
    parties: tuple[str, ...]
    position: Position
    mono_ns: int
    """When it was there: its hearing, less the age that it states."""
    altitude_m: float | None = None
    """As it reports it: by its barometer at the standard pressure, or above the ellipsoid."""
    speed_mps: float | None = None
    course_deg: float | None = None
    climb_mps: float | None = None
    on_ground: bool | None = None
    """None when nobody says so."""
    unsure_m: float = 0.0
    """The radius within which it was there, as it claims or as its system knows places."""
    fixes: int = 1
    """Places heard of it since it was first seen, or since it was silent for long."""
    system: str | None = None
    kind: str | None = None
    """What kind of craft it is: manned, combat, …; None when nobody says so."""
    event_id: str = ""
    """The report that says so: evidence."""


class Kept(Struct, frozen=True):
    """What of the picture survives a restart."""

    craft: tuple[Craft, ...] = ()
    """Those heard of late, the one longest silent first."""


class Picture:
    """The newest place of each craft of a party, found by name or by neighbourhood."""

    def __init__(self) -> None:
        self._craft: OrderedDict[str, Craft] = OrderedDict()
        self._cells: dict[str, int] = {}
        self._grid = Grid()
        self.evicted = 0

    def take(self, event: Event) -> Craft | None:
        """Take note of where a craft is; return it when it is one of a party and this is news."""
        report, place = event.report, event.place
        if report is None or not event.of:
            return None
        before = self._craft.get(event.subject)
        if place is None or EventWord.POSITION not in event.words:
            if before is not None:
                self._craft[event.subject] = _moving(before, report)
            return None
        mono_ns = event.at.mono_ns - int((place.age_s or 0) * 1e9)
        if before is not None and mono_ns < before.mono_ns:
            return None
        craft = _craft(event, report, place, mono_ns, before)
        self._put(craft)
        return craft

    def of(self, subject: str) -> Craft | None:
        """Return what is known of this craft."""
        return self._craft.get(subject)

    def near(self, position: Position, radius_m: float) -> Iterator[Craft]:
        """Return the craft within this distance, and some that are a little farther off."""
        near = self._grid.near(position.lat_deg, position.lon_deg, radius_m)
        return map(self._craft.__getitem__, near)

    def keep(self) -> Kept:
        """Return what has to survive a restart."""
        newest_ns = max((craft.mono_ns for craft in self), default=0)
        since_ns = newest_ns - round(KEPT_S * 1e9)
        return Kept(tuple(craft for craft in self if craft.mono_ns >= since_ns))

    def restore(self, kept: Kept) -> None:
        """Take up what was kept."""
        for craft in kept.craft:
            self._put(craft)

    def __iter__(self) -> Iterator[Craft]:
        return iter(self._craft.values())

    def __len__(self) -> int:
        return len(self._craft)

    def bounds(self) -> Iterator[Bound]:
        """Yield how many craft are followed."""
        yield Bound(
            of="Picture._craft",
            what="craft_of_parties",
            held=len(self._craft),
            limit=CRAFT_MAX,
            rule="The craft longest silent goes; it is `unknown` until it calls again.",
            evicted=self.evicted,
        )

    def _put(self, craft: Craft) -> None:
        subject = craft.subject
        cell = cell_of(craft.position.lat_deg, craft.position.lon_deg)
        was = self._cells.get(subject)
        if was != cell:
            if was is not None:
                self._grid.drop(subject, was)
            self._grid.put(subject, cell)
            self._cells[subject] = cell
        self._craft[subject] = craft
        self._craft.move_to_end(subject)
        if len(self._craft) > CRAFT_MAX:
            gone, _ = self._craft.popitem(last=False)
            self._grid.drop(gone, self._cells.pop(gone))
            self.evicted += 1


def _moving(craft: Craft, report: Report) -> Craft:
    """Return the craft where it was, with the motion that this says; what it leaves out stands.

    Transponders say how they move in messages of their own (ICAO Doc 9871, register 09).
    """
    velocity = report.velocity
    speed_kn = None if velocity is None else velocity.speed_kn
    course = None if velocity is None else velocity.course_deg
    climb = getattr(getattr(report.detail, "motion", None), "vertical_ft_min", None)
    return replace(
        craft,
        speed_mps=craft.speed_mps if speed_kn is None else speed_kn * _KNOT_MPS,
        course_deg=craft.course_deg if course is None else course,
        climb_mps=craft.climb_mps if climb is None else climb * _FOOT_M / 60,
    )


def _craft(
    event: Event, report: Report, place: Position, mono_ns: int, before: Craft | None
) -> Craft:
    detail = report.detail
    feet = getattr(detail, "altitude_ft", None)
    barometric_m = None if feet is None else feet * _FOOT_M
    craft = Craft(
        subject=event.subject,
        parties=event.of,
        position=place,
        mono_ns=mono_ns,
        altitude_m=barometric_m if place.altitude_m is None else place.altitude_m,
        speed_mps=None if before is None else before.speed_mps,
        course_deg=None if before is None else before.course_deg,
        climb_mps=None if before is None else before.climb_mps,
        on_ground=getattr(detail, "on_ground", None),
        unsure_m=stated_m(event.system, place.accuracy_m, place.resolution_m),
        fixes=1 if before is None else before.fixes + 1,
        system=event.system,
        kind=getattr(detail, "craft", None) or (None if before is None else before.kind),
        event_id=event.event_id,
    )
    return _moving(craft, report)
