"""An acknowledgement that this station gives by itself: off, unless a port is named for it. Pure.

It is a letter like any other, signed by nobody: the agreements decide whether it may go out, and
when, and one that asks for persons gets none.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from gateway.model.inbound import Moment, Sighting
from gateway.model.transmission import Acknowledge, Distress, Letter, Place
from gateway.model.words import Confidence, Kind, Mode, Relation, Urgency
from gateway.normalise import utc_of

BY = "dsc"
"""The radio system in which distress is acknowledged by machines."""

LATEST_S = 165.0
"""On MF and HF: 2 min 45 s after the alert (ITU-R M.541, a secondary source)."""

_SOME_TIME = datetime(2000, 1, 1, tzinfo=UTC)
"""Where nobody knows the time of day: a letter of our own is held against itself alone."""


def acknowledgement(sighting: Sighting, station: str, now: Moment) -> Letter | None:
    """Return the letter that acknowledges this; None for what no machine may acknowledge.

    That is all but a proven distress alert, heard for the first time, of a craft that is named.
    """
    report = sighting.report
    casualty = report.casualty or report.sender
    if (
        (report.kind, report.urgency, report.mode) != (Kind.ALERT, Urgency.DISTRESS, Mode.REAL)
        or (report.system, report.confidence) != (BY, Confidence.VERIFIED)
        or sighting.relation is not Relation.FIRST
        or casualty is None
        or casualty.mmsi is None
    ):
        return None
    at = report.position
    issued = utc_of(now.utc_ns) or _SOME_TIME
    return Letter(
        command_id=f"auto-{report.report_id}"[:64],
        audience=station,
        seq=1,
        issued=issued,
        not_after=issued + timedelta(seconds=LATEST_S),
        port=report.heard.port,
        action=Acknowledge(
            distress=Distress(
                mmsi=casualty.mmsi,
                nature=report.nature,
                place=None if at is None else Place(lat_deg=at.lat_deg, lon_deg=at.lon_deg),
                time=_time_of(report.claimed_utc),
            )
        ),
        about=sighting.incident,
    )


def _time_of(claimed: str | None) -> str | None:
    """Return hours and minutes of what the call says of its time."""
    if claimed is None:
        return None
    digits = "".join(letter for letter in claimed if letter.isdigit())
    return digits if len(digits) == len("hhmm") else None
