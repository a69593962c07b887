"""What the hallway asks the tracks: where somebody was who calls without a place, and who is near.

Positions are nearly all that is heard, and few of them are ever asked for. So the newest one of
each caller waits, and is worked out by the next tick, or when it is asked for; what came between is
of the same second. All else is taken at once.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator

from msgspec.structs import replace

from gateway.codes.geodesy import bearing_deg, distance_m
from gateway.correlate.names import names_of, proves
from gateway.correlate.track import Track
from gateway.correlate.tracks import Tracks
from gateway.model.bounds import Bound
from gateway.model.inbound import Report
from gateway.model.incident import Incident
from gateway.model.words import Confidence, Mode, Urgency

WAITING_MAX = 512
"""Positions that wait for the next tick, which takes 8 us for each: 4 ms. As many craft as are
heard in a second; of more the oldest is worked out at once, or spared."""

SPARED_NS = 30 * 10**9
"""Where more than that are heard a second, a place so short a time after another is not worked out:
half of what the shortest-lived place lasts. Each takes a third of what a report takes."""

LOOKS_MAX = 2
"""Incidents for which it is looked who is near, in one chunk, tick or order: some 2 ms each where
ten thousand craft are. What there is no room for is told without, and with it the next time."""

Place = tuple[float, float]
"""Latitude and longitude in degrees."""


class Following:
    """The tracks of all that is heard, and where this station is."""

    def __init__(self, station: Place | None = None) -> None:
        self.tracks = Tracks()
        self._station = station
        self._waiting: OrderedDict[tuple[str, str], Report] = OrderedDict()
        self._looks_left = LOOKS_MAX

    def bounds(self) -> Iterator[Bound]:
        """Yield how much waits and is followed."""
        yield Bound(
            of="Following._waiting",
            what="places_waiting",
            held=len(self._waiting),
            limit=WAITING_MAX,
            rule="the one that waits longest is worked out at once, or spared where its craft was "
            "placed less than 30 s before",
        )
        yield from self.tracks.bounds()

    def begin(self) -> None:
        """Begin another chunk, tick or order: there is time to look round again."""
        self._looks_left = LOOKS_MAX

    def hear(self, report: Report) -> None:
        """Take what a report says of where somebody is."""
        sender = report.sender
        if (
            sender is None
            or report.position is None
            or report.casualty is not None
            or report.urgency is not Urgency.ROUTINE
            or report.mode is not Mode.REAL
            or report.confidence is Confidence.SUSPECT
        ):
            self.tracks.hear(report)
            return
        caller = (report.system, sender.mmsi or sender.icao24 or "")
        if not caller[1]:
            self.tracks.hear(report)
            return
        self._waiting[caller] = report
        if len(self._waiting) > WAITING_MAX:
            self._give_way()

    def _give_way(self) -> None:
        """Work out what waits longest, or spare it where its craft was placed a moment ago."""
        _, report = self._waiting.popitem(last=False)
        sender = report.sender
        if sender is not None and sender.callsign is None:
            name = f"mmsi:{sender.mmsi}" if sender.mmsi else f"icao24:{sender.icao24}"
            if self.tracks.was_placed(name, report, SPARED_NS):
                return
        self.tracks.hear(report)

    def tick(self) -> None:
        """Work out what waits."""
        while self._waiting:
            self.tracks.hear(self._waiting.popitem(last=False)[1])

    def place_of(self, report: Report) -> Track | None:
        """Return where somebody was who calls without a place; None when that is too long ago."""
        if report.position is not None:
            return None
        names = [name for name in names_of(report.casualty) if proves(name)]
        for name in names:
            self._work_out(name.partition(":")[2])
            track = self.tracks.at(name, report.heard.mono_ns, mode=report.mode)
            if track is not None and not track.timed_out and not track.suspect:
                return track
        return None

    def surroundings(self, incident: Incident, now_ns: int) -> Incident:
        """Return the incident with who is near, and how far it is from the station."""
        place = incident.position
        if place is None:
            return incident
        here: dict[str, object] = {}
        if self._station is not None:
            lat_deg, lon_deg = self._station
            there = (lat_deg, lon_deg, place.lat_deg, place.lon_deg)
            here["station_distance_m"] = round(distance_m(*there), 1)
            here["station_bearing_deg"] = round(bearing_deg(*there), 1)
        if self._looks_left:
            self._looks_left -= 1
            here["nearby"] = self.tracks.nearest(
                place.lat_deg, place.lon_deg, now_ns, but=incident.names, mode=incident.mode
            )
        return replace(incident, **here)

    def _work_out(self, name: str) -> None:
        """Take at once what waits of this caller."""
        for caller in [caller for caller in self._waiting if caller[1] == name]:
            self.tracks.hear(self._waiting.pop(caller))
