"""The incident as a map: GeoJSON (RFC 7946), WGS 84, longitude first.

One feature is the casualty, a point or, when nobody knows where it is, without geometry. Each piece
of evidence that has a place is a point, and a circle as wide as the place is uncertain; each link
between two places a line. The property `part` says which is which, and `mode` stands on every
feature: a test never looks like a casualty.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import asin, atan2, cos, degrees, pi, radians, sin

import msgspec

from gateway.codes.geodesy import EARTH_RADIUS_M
from gateway.export import wording
from gateway.export.say import say
from gateway.model.incident import Evidence, Incident, Link
from gateway.model.place import Position

EVIDENCE_MAX = 16
"""More places of one trouble hide each other on a map; the incident itself holds them all."""
LINKS_MAX = 32
"""Two for each place that is shown."""
TEXT_CHARACTERS_MAX = 160
"""What a label on a map can hold."""
CIRCLE_RADIUS_M_MAX = 500_000.0
"""A wider circle says nothing that could be searched; the figure stands in the properties."""
CIRCLE_RADIUS_M_MIN = 1.0
"""A smaller one is a point on any map."""
SLIVER_DEG = 1e-5
"""What lies over the date line by less, a metre, is left out: rounding would break its shape."""
CIRCLE_CORNERS = 32
"""The circle of 32 corners is 0.5 % too small between them at the most."""

Place = tuple[float, float]
Json = dict[str, object]


def geojson(incident: Incident) -> bytes:
    """Return the incident as one FeatureCollection in UTF-8."""
    shown = wording.placed(incident)[:EVIDENCE_MAX]
    features = [_casualty(incident)]
    for evidence, position in shown:
        features.extend(_evidence(incident, evidence, position))
    places = {evidence.evidence_id: position for evidence, position in shown}
    drawn = [link for link in incident.links if link.one in places and link.other in places]
    features.extend(
        _link(incident, link, places[link.one], places[link.other]) for link in drawn[:LINKS_MAX]
    )
    return msgspec.json.encode({"type": "FeatureCollection", "features": features})


def _casualty(incident: Incident) -> Json:
    properties = {
        "part": "casualty",
        "incident_id": incident.incident_id,
        "station": incident.station,
        "mode": incident.mode,
        "phase": incident.phase,
        "severity": incident.severity,
        "covert": incident.covert,
        "confidence": incident.confidence,
        "corroborated": incident.corroborated,
        "alert_lost": incident.alert_lost,
        "natures": incident.natures,
        "systems": [_text(system) for system in incident.systems[:EVIDENCE_MAX]],
        "names": [_text(name) for name in incident.names[:EVIDENCE_MAX]],
        "name": wording.called(incident),
        "persons_on_board": incident.persons_on_board,
        "position_utc": incident.position_utc,
        "opened_utc": incident.opened_utc,
        "last_utc": incident.last_utc,
        "merged_into": None if incident.merged_into is None else _text(incident.merged_into),
        "revision": incident.revision,
        "evidence_shown": min(len(wording.placed(incident)), EVIDENCE_MAX),
        "evidence_all": len(incident.evidence) + incident.evidence_more,
        "say": say(incident),
    }
    if incident.position is None:
        return _feature(incident.incident_id, None, properties)
    point = _point(incident.position)
    return _feature(incident.incident_id, point, properties | _quality(incident.position))


def _evidence(incident: Incident, evidence: Evidence, position: Position) -> list[Json]:
    """Return the place of a piece of evidence, and its circle where there is one to draw."""
    properties = {
        "part": "evidence",
        "incident_id": incident.incident_id,
        "evidence_id": evidence.evidence_id,
        "mode": evidence.mode,
        "system": _text(evidence.system),
        "urgency": evidence.urgency,
        "natures": evidence.natures,
        "names": [_text(name) for name in evidence.names[:EVIDENCE_MAX]],
        "confidence": evidence.confidence,
        "alerts": evidence.alerts,
        "last_utc": evidence.last_utc,
        "lost": evidence.lost,
        "text": _text(evidence.text) if evidence.text else None,
    } | _quality(position)
    found = [_feature(evidence.evidence_id, _point(position), properties)]
    radius_m = wording.uncertainty_m(position)
    if radius_m is None or not CIRCLE_RADIUS_M_MIN <= radius_m <= CIRCLE_RADIUS_M_MAX:
        return found
    circle = {
        "part": "uncertainty",
        "incident_id": incident.incident_id,
        "evidence_id": evidence.evidence_id,
        "mode": evidence.mode,
        "uncertainty_m": radius_m,
    }
    found.append(_feature(f"{evidence.evidence_id}-circle", _circle(position, radius_m), circle))
    return found


def _link(incident: Incident, link: Link, one: Position, other: Position) -> Json:
    properties = {
        "part": "link",
        "incident_id": incident.incident_id,
        "kind": link.kind,
        "weight": link.weight,
        "one": link.one,
        "other": link.other,
        "distance_m": link.distance_m,
        "words": _text(link.words),
        "undone": link.undone_by is not None,
        "mode": incident.mode,
    }
    return _feature(f"{link.one}-{link.other}-{link.kind}", _line(one, other), properties)


def _feature(name: str, geometry: Json | None, properties: Json) -> Json:
    known = {key: value for key, value in properties.items() if value is not None}
    return {"type": "Feature", "id": _text(name), "geometry": geometry, "properties": known}


def _quality(position: Position) -> Json:
    source = None if position.source is None else _text(position.source)
    return {"uncertainty_m": wording.uncertainty_m(position), "position_source": source}


def _text(text: str) -> str:
    return wording.line(text, TEXT_CHARACTERS_MAX)


# ---- Shapes -------------------------------------------------------------------------------------


def _point(position: Position) -> Json:
    place = [position.lon_deg, position.lat_deg]
    if position.altitude_m is not None:
        place.append(position.altitude_m)
    return {"type": "Point", "coordinates": place}


def _line(one: Position, other: Position) -> Json:
    """Return the line between two places the short way round, cut where the date changes."""
    lon, lat = one.lon_deg, one.lat_deg
    end = (other.lon_deg, other.lat_deg)
    turn = (end[0] - lon + 180.0) % 360.0 - 180.0
    parts = [[(lon, lat), end]]
    if not -180.0 <= lon + turn <= 180.0:
        edge = 180.0 if turn > 0 else -180.0
        cut = lat + (end[1] - lat) * (edge - lon) / turn
        parts = [[(lon, lat), (edge, cut)], [(-edge, cut), end]]
    drawn = [part for part in parts if part[0] != part[1]]
    if not drawn:
        # Heard at one and the same place: a line without length is no line.
        return _point(one)
    if len(drawn) == 1:
        return {"type": "LineString", "coordinates": drawn[0]}
    return {"type": "MultiLineString", "coordinates": drawn}


def _circle(position: Position, radius_m: float) -> Json | None:
    """Return the ring of places at a distance, anticlockwise, cut where the date changes.

    None where the cut leaves nothing that is wide enough to be drawn.
    """
    ring = _ring(position, radius_m)
    if radius_m / EARTH_RADIUS_M >= pi / 2 - radians(abs(position.lat_deg)):
        whole = _closed(_around_pole(ring, position.lat_deg))
        return {"type": "Polygon", "coordinates": [whole]}
    pieces = []
    for turns in (-360.0, 0.0, 360.0):
        shifted = [(lon + turns, lat) for lon, lat in ring]
        inside = _west_of(_east_of(shifted, -180.0), 180.0)
        if _width_deg(inside) > SLIVER_DEG:
            pieces.append([_closed(inside)])
    if not pieces:
        return None
    if len(pieces) == 1:
        return {"type": "Polygon", "coordinates": pieces[0]}
    return {"type": "MultiPolygon", "coordinates": pieces}


def _ring(position: Position, radius_m: float) -> list[Place]:
    """Return the corners anticlockwise, their longitudes counted on from the centre's."""
    lat, angle = radians(position.lat_deg), radius_m / EARTH_RADIUS_M
    corners = []
    for corner in range(CIRCLE_CORNERS):
        bearing = -2 * pi * corner / CIRCLE_CORNERS
        sine = sin(lat) * cos(angle) + cos(lat) * sin(angle) * cos(bearing)
        there = asin(max(-1.0, min(1.0, sine)))
        east = sin(bearing) * sin(angle) * cos(lat)
        turn = atan2(east, cos(angle) - sin(lat) * sin(there))
        corners.append((position.lon_deg + degrees(turn), degrees(there)))
    return corners


def _around_pole(ring: Sequence[Place], lat_deg: float) -> list[Place]:
    """Return all that lies between the ring and the pole in it, from one edge of the map on."""
    pole = 90.0 if lat_deg > 0 else -90.0
    corners = sorted(((lon + 180.0) % 360.0 - 180.0, lat) for lon, lat in ring)
    # Both edges have the place that is nearer to the pole of their neighbours.
    seam = min(corners[0][1], corners[-1][1], key=lambda lat: abs(pole - lat))
    inner = [place for place in corners if place[0] > -180.0]
    edge = [(-180.0, seam), *inner, (180.0, seam)]
    if pole > 0:
        return [*edge, (180.0, pole), (-180.0, pole)]
    return [(-180.0, pole), (180.0, pole), *reversed(edge)]


def _east_of(ring: Sequence[Place], lon_deg: float) -> list[Place]:
    """Return what of a ring lies east of a meridian."""
    kept: list[Place] = []
    for place, following in zip(ring, [*ring[1:], *ring[:1]], strict=True):
        if place[0] >= lon_deg:
            kept.append(place)
        if (place[0] >= lon_deg) != (following[0] >= lon_deg):
            share = (lon_deg - place[0]) / (following[0] - place[0])
            kept.append((lon_deg, place[1] + share * (following[1] - place[1])))
    return kept


def _west_of(ring: Sequence[Place], lon_deg: float) -> list[Place]:
    """Return what of a ring lies west of a meridian."""
    mirrored = _east_of([(-lon, lat) for lon, lat in ring], -lon_deg)
    return [(-lon, lat) for lon, lat in mirrored]


def _closed(ring: Sequence[Place]) -> list[Place]:
    # Seven digits are a centimetre, and keep the smallest circle from falling on one place.
    rounded = [(round(lon, 7), round(lat, 7)) for lon, lat in ring]
    return [*rounded, rounded[0]]


def _width_deg(ring: Sequence[Place]) -> float:
    """Return how far a ring reaches from west to east."""
    lons = [lon for lon, _ in ring]
    return max(lons, default=0.0) - min(lons, default=0.0)
