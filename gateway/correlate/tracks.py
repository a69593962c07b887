"""Where everything heard was last, how well that is known by now, and who is near a place.

A track is all that was told of one thing, by the name that proves most; its other names lead to it.
Tests and exercises have tracks of their own. A place that is too old is still told, and says so:
the last value is never given as if it were fresh. Nothing is dropped for being unlikely: it is
counted, kept beside the likely one, and shown as a doubt.
"""

from __future__ import annotations

from bisect import insort
from collections import OrderedDict
from collections.abc import Collection, Iterator
from itertools import islice

from gateway.codes.geodesy import DEGREE_M, NM_M, bearing_deg, distance_m
from gateway.codes.grid import Grid, cell_of
from gateway.correlate.fixes import Fix, Slot, apart_m, fix_of, is_newer
from gateway.correlate.names import PAIRED, in_order, names_of, proves
from gateway.correlate.pace import OTHER, sort_of
from gateway.correlate.track import Track
from gateway.model.bounds import Bound
from gateway.model.inbound import Report
from gateway.model.incident import Nearby
from gateway.model.place import Identity
from gateway.model.words import Confidence, Kind, Mode, Urgency

TRACKS_MAX = 32_768
"""The busiest receivers hear some ten thousand ships and a thousand aircraft at once: three times
that. A track of one system takes some 900 bytes, so that all of them take 30 MB, a quarter of what
the whole gateway may. In a flood of invented ones the longest silent go."""

ALIASES_MAX = 65_536
"""Two further names for each track: a ship has a call sign and an IMO number."""

NAMES_MAX = 8
"""Names of one track. An aircraft flies under several call signs in a day."""

CLAIMS_MAX = 4
"""Tracks that go by one name. From two on it proves nothing, and more need not be known."""

SLOTS_MAX = 8
"""Systems that tell of one thing, suspect and not: nothing carries more radios."""

NEAR_M = 50 * NM_M
"""Two to five hours for a ship that turns round, and twenty minutes for a helicopter."""

CROWD_MAX = 1024
"""Craft looked at for one answer, those of the nearest cells first: 2 ms. Beyond that lies only
what is no nearer, or a crowd of more than so many in one or two cells of six miles."""

EDGE_M = 100.0
"""What is about as near is looked at, however it is rounded."""

SPARE = 5
"""Looked at beyond the count: two systems may place one craft a little differently."""

MOVING_KN = 0.5
"""A packet or mesh radio that moves is a craft or a car; one that does not may be a house."""

_ELSEWHERE = ("navtex",)
"""Systems whose places are never those of who sends them."""

_ABOUT_OTHERS = frozenset({Kind.RELAY, Kind.ACKNOWLEDGEMENT, Kind.CANCELLATION})


class _Craft:
    """What was heard of one name."""

    __slots__ = ("cell", "names", "placed_ns", "slots", "system")

    def __init__(self, name: str) -> None:
        self.names: tuple[str, ...] = (name,)
        self.slots: tuple[Slot, ...] = ()
        self.cell: int | None = None
        self.system = ""
        self.placed_ns = 0
        """What placed it last, and when that was heard, but for what is suspect."""


class Tracks:
    """The last known places of all that was heard. Time is that of the reports and of who asks."""

    def __init__(self) -> None:
        self._craft: OrderedDict[str, _Craft] = OrderedDict()
        self._aliases: dict[str, tuple[str, ...]] = {}
        self._grid = Grid()
        self._evicted = 0
        self._aliases_refused = 0
        self.doubted = 0
        """Places that no such thing can have come to in the time. They are kept beside."""

    def __len__(self) -> int:
        return len(self._craft)

    def bounds(self) -> Iterator[Bound]:
        """Yield how much is followed."""
        yield Bound(
            of="Tracks._craft",
            what="tracks",
            held=len(self._craft),
            limit=TRACKS_MAX,
            rule="the one longest silent goes; its reports are on disk, and its next place begins "
            "it anew",
            evicted=self._evicted,
        )
        yield Bound(
            of="Tracks._aliases",
            what="track_aliases",
            held=len(self._aliases),
            limit=ALIASES_MAX,
            rule="a further name leads to no track until others have gone; the first name does",
            evicted=self._aliases_refused,
        )

    def hear(self, report: Report) -> None:
        """Take what a report says of where somebody is, and of what he is called."""
        whose = _whose(report)
        names = _names(whose)
        position = report.position
        if whose is None or not names or (position is None and len(names) == 1):
            return
        key = _key(names[0], report.mode)
        craft = self._craft.get(key)
        if craft is None:
            craft = self._begin(key, names[0])
        else:
            self._craft.move_to_end(key)
        if len(names) > 1:
            self._link(key, craft, names, report.mode)
        if position is not None:
            suspect = report.confidence is Confidence.SUSPECT
            if not suspect:
                craft.system, craft.placed_ns = report.system, report.heard.mono_ns
            self._place(
                key, craft, fix_of(report, position, sort_of(report, whose), suspect=suspect)
            )

    def was_placed(self, name: str, report: Report, within_ns: int) -> bool:
        """Say whether the system of this report placed a real craft so short a time before it."""
        craft = self._craft.get(name)
        return (
            craft is not None
            and 0 <= report.heard.mono_ns - craft.placed_ns < within_ns
            and craft.system == report.system
        )

    def at(self, name: str, mono_ns: int, *, mode: Mode = Mode.REAL) -> Track | None:
        """Return where this is at this moment, or None when no place of it was heard.

        Of several systems the one counts that is in time, not suspect, and knows it best by now.
        """
        keys = self._owners(_key(name, mode))
        slots, found = self._gathered(keys)
        if not slots:
            return None
        chosen = min(slots, key=lambda slot: _rank(slot, mono_ns))
        fix = chosen.shown(mono_ns)
        names = in_order(found)
        return Track(
            name=names[0],
            names=names,
            mode=mode,
            system=fix.system,
            sort=fix.sort.name,
            position=fix.position,
            velocity=fix.velocity,
            mono_ns=fix.mono_ns,
            heard_ns=fix.heard_ns,
            utc=fix.utc,
            report_id=fix.report_id,
            age_s=max(0, mono_ns - fix.mono_ns) / 1e9,
            uncertainty_m=fix.uncertainty_m(mono_ns),
            timed_out=fix.timed_out(mono_ns),
            suspect=fix.suspect,
            doubts=tuple(dict.fromkeys(_doubts(fix, slots, len(keys), name, mono_ns))),
        )

    def nearest(
        self,
        lat_deg: float,
        lon_deg: float,
        mono_ns: int,
        count: int = 5,
        but: Collection[str] = (),
        *,
        mode: Mode = Mode.REAL,
    ) -> tuple[Nearby, ...]:
        """Return the craft nearest to a place that may be asked to go there, the nearest first.

        Devices, base stations and aids are none. One that may be anywhere by now is left out.
        """
        found: dict[str, Nearby] = {}
        enough = count + SPARE + len(but)
        for _, key in self._candidates(lat_deg, lon_deg, _key("", mode), enough):
            track = self.at(self._craft[key].names[0], mono_ns, mode=mode)
            if track is None or track.name in found or not _is_none_of(track.names, but):
                continue
            place = track.position
            far_m = distance_m(lat_deg, lon_deg, place.lat_deg, place.lon_deg)
            if far_m <= NEAR_M and track.uncertainty_m <= NEAR_M:
                found[track.name] = Nearby(
                    name=track.name,
                    system=track.system,
                    distance_m=round(far_m, 1),
                    bearing_deg=round(
                        bearing_deg(lat_deg, lon_deg, place.lat_deg, place.lon_deg), 1
                    ),
                    age_s=round(track.age_s, 1),
                )
            if len(found) >= count + SPARE:
                break
        return tuple(sorted(found.values(), key=lambda one: (one.distance_m, one.name))[:count])

    def _candidates(
        self, lat_deg: float, lon_deg: float, head: str, enough: int
    ) -> list[tuple[float, str]]:
        """Return what was placed near last, the nearest first, with its distance.

        It is looked ever farther until nothing nearer can come. In a crowd not all are looked at.
        """
        found: list[tuple[float, str]] = []
        for least_m, key in islice(self._grid.outward(lat_deg, lon_deg, NEAR_M), CROWD_MAX):
            most_m = found[-1][0] if len(found) >= enough else NEAR_M
            if least_m > most_m:
                break
            craft = self._craft[key]
            place = _newest(craft.slots).position
            is_near = abs(lat_deg - place.lat_deg) * DEGREE_M <= most_m + EDGE_M
            if is_near and key == head + craft.names[0]:
                far_m = distance_m(lat_deg, lon_deg, place.lat_deg, place.lon_deg)
                insort(found, (round(far_m, 1), key))
                del found[enough:]
        return found

    def _begin(self, key: str, name: str) -> _Craft:
        craft = self._craft[key] = _Craft(name)
        if len(self._craft) > TRACKS_MAX:
            gone, last = self._craft.popitem(last=False)
            self._evicted += 1
            self._forget(gone, last)
        return craft

    def _forget(self, key: str, craft: _Craft) -> None:
        if craft.cell is not None:
            self._grid.drop(key, craft.cell)
        head = key.removesuffix(craft.names[0])
        for name in craft.names[1:]:
            left = tuple(one for one in self._aliases.get(head + name, ()) if one != key)
            if left:
                self._aliases[head + name] = left
            else:
                self._aliases.pop(head + name, None)

    def _link(self, key: str, craft: _Craft, names: tuple[str, ...], mode: Mode) -> None:
        """Let the further names lead to the track of the first."""
        for name in names[1:]:
            if name in craft.names or not proves(name) or len(craft.names) >= NAMES_MAX:
                continue
            alias = _key(name, mode)
            claims = self._aliases.get(alias, ())
            if len(claims) >= CLAIMS_MAX or (not claims and len(self._aliases) >= ALIASES_MAX):
                self._aliases_refused += 1
                continue
            craft.names = (*craft.names, name)
            self._aliases[alias] = (*claims, key)

    def _place(self, key: str, craft: _Craft, fix: Fix) -> None:
        for slot in craft.slots:
            if slot.good.system == fix.system and slot.good.suspect is fix.suspect:
                self.doubted += slot.put(fix)
                break
        else:
            kept = craft.slots
            if len(kept) >= SLOTS_MAX:
                silent = min(kept, key=lambda slot: slot.good.mono_ns)
                kept = tuple(slot for slot in kept if slot is not silent)
            craft.slots = (*kept, Slot(fix))
        self._index(key, craft)

    def _index(self, key: str, craft: _Craft) -> None:
        """Keep the newest place of a craft that may help where it is looked for."""
        newest = _newest(craft.slots)
        place = newest.position
        cell = cell_of(place.lat_deg, place.lon_deg) if _may_help(newest) else None
        if cell != craft.cell:
            if craft.cell is not None:
                self._grid.drop(key, craft.cell)
            if cell is not None:
                self._grid.put(key, cell)
            craft.cell = cell

    def _owners(self, key: str) -> tuple[str, ...]:
        """Return the tracks that go by this name: those that claim it, or its own."""
        claims = self._aliases.get(key, ())
        return claims if len(claims) == 1 else tuple(sorted({*claims, key} & self._craft.keys()))

    def _gathered(self, keys: tuple[str, ...]) -> tuple[list[Slot], set[str]]:
        """Return what was told of these tracks, and under names that lead to no other one."""
        slots: list[Slot] = []
        names: set[str] = set()
        for key in keys:
            craft = self._craft.get(key)
            if craft is None:
                continue
            head = key.removesuffix(craft.names[0])
            names.update(craft.names)
            slots += craft.slots
            for name in craft.names[1:]:
                alias = head + name
                beside = self._craft.get(alias) if self._aliases.get(alias) == (key,) else None
                slots += beside.slots if beside else ()
        return slots, names


def _is_none_of(names: tuple[str, ...], but: Collection[str]) -> bool:
    """Say whether none of these names is among those left out."""
    return not any(name in but for name in names)


def _whose(report: Report) -> Identity | None:
    """Return whose place a report gives; None when it is that of somebody without a name."""
    if report.casualty is not None:
        return report.casualty
    is_about_others = (
        report.urgency is Urgency.DISTRESS
        or report.kind in _ABOUT_OTHERS
        or report.system in _ELSEWHERE
        or getattr(report.detail, "object_name", None) is not None
    )
    return None if is_about_others else report.sender


def _names(whose: Identity | None) -> tuple[str, ...]:
    if whose is None:
        return ()
    if whose.mmsi is not None and whose == Identity(mmsi=whose.mmsi, mmsi_class=whose.mmsi_class):
        return (f"mmsi:{whose.mmsi}",)  # nearly all that is heard: it need not be asked for more
    names = names_of(whose)
    if names and names[-1].startswith(PAIRED):
        return names[:-1]
    return names


def _key(name: str, mode: Mode) -> str:
    # Not a pair: an Enum as part of a key is hashed in Python, for each report.
    return name if mode is Mode.REAL else f"{mode.value} {name}"


def _newest(slots: tuple[Slot, ...]) -> Fix:
    newest = slots[0].good
    for slot in slots[1:]:
        if is_newer(slot.good, newest):
            newest = slot.good
    return newest


def _may_help(fix: Fix) -> bool:
    if fix.sort is not OTHER:
        return fix.sort.helps
    velocity = fix.velocity
    return velocity is not None and (velocity.speed_kn or 0.0) > MOVING_KN


def _rank(slot: Slot, mono_ns: int) -> tuple[bool, bool, float, int, str]:
    fix = slot.shown(mono_ns)
    in_vain = fix.timed_out(mono_ns) or not slot.is_proven()
    return in_vain, fix.suspect, fix.uncertainty_m(mono_ns), -fix.mono_ns, fix.report_id


def _doubts(fix: Fix, slots: list[Slot], owners: int, name: str, mono_ns: int) -> Iterator[str]:
    yield from fix.doubts
    if owners > 1:
        yield f"{owners} tracks go by {name.replace(':', ' ', 1)}"
    for slot in sorted(slots, key=lambda slot: slot.good.report_id):
        doubt = slot.doubt(mono_ns)
        if doubt is not None:
            yield doubt
        beside = slot.shown(mono_ns)
        if beside.system == fix.system or beside.timed_out(mono_ns):
            continue
        far_m = apart_m(fix, beside)
        if far_m > fix.uncertainty_m(mono_ns) + beside.uncertainty_m(mono_ns):
            yield f"{beside.system} places it {far_m / 1000:.1f} km from there"
