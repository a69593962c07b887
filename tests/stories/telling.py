"""Stories: what was heard and ordered, in a table each, and what has to stand at the end."""

from __future__ import annotations

import hashlib
import itertools
import random
import tomllib
from datetime import UTC, datetime, timedelta
from pathlib import Path

from msgspec.structs import replace

from gateway.codes.mmsi import mmsi_class
from gateway.correlate.incidents import Incidents
from gateway.model.inbound import Heard, Moment, Report, Sighting
from gateway.model.incident import IncidentOrder, OrderVerb
from gateway.model.place import Identity, Position
from gateway.model.words import ClockState, Confidence, Integrity, Kind, Mode, Nature, Urgency

FOLDER = Path(__file__).parent
BEGAN = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
TICK_S = 10.0

FIELDS = {"beacon": "beacon_hex"}
"""Kinds of names that are called something else in an identity."""


def stories():
    """Return every story by the name of its file."""
    return {path.stem: tomllib.loads(path.read_text()) for path in sorted(FOLDER.glob("*.toml"))}


def identity_of(names):
    """Return the identity that is said in `kind:value`."""
    said = dict(name.split(":", 1) for name in names)
    known = {FIELDS.get(kind, kind): value for kind, value in said.items()}
    return Identity(**known, mmsi_class=mmsi_class(said["mmsi"]) if "mmsi" in said else None)


def reports_of(story):
    """Return every report of a story, repeats included, in the order of the clock."""
    found = []
    for row in story["heard"]:
        for count in range(row.get("times", 1)):
            found.append(report_of(row, row["at_s"] + count * row.get("every_s", 0), len(found)))
    return sorted(found, key=lambda report: report.heard.mono_ns)


def report_of(row, at_s, number):
    """Return one report of one row."""
    place = row.get("where")
    who = identity_of(row["who"]) if "who" in row else None
    nature = row.get("nature")
    return Report(
        report_id=hashlib.blake2b(f"{row}{number}".encode(), digest_size=16).hexdigest(),
        schema=1,
        system=row["on"],
        kind=Kind(row.get("kind", "alert")),
        urgency=Urgency(row.get("urgency", "distress")),
        mode=Mode(row.get("mode", "real")),
        sender=identity_of(row["by"]) if "by" in row else who,
        casualty=who,
        nature=Nature(nature) if nature else None,
        position=Position(
            lat_deg=place[0],
            lon_deg=place[1],
            accuracy_m=row["known_to_m"],
            age_s=row.get("age_s"),
        )
        if place
        else None,
        persons_on_board=row.get("persons"),
        text=row.get("text"),
        heard=Heard(
            station="alpha",
            port=row["on"],
            modem="generic",
            mono_ns=int(at_s * 1e9),
            utc=BEGAN + timedelta(seconds=at_s),
            clock=ClockState.NTP,
            channel=row.get("channel"),
        ),
        integrity=Integrity.CHECKSUM,
        confidence=Confidence(row.get("confidence", "verified")),
        covert=row.get("covert", False),
        raw=("x",),
    )


def room():
    """Return an incident room that knows of nothing."""
    return Incidents("alpha", boot="b", carried=lambda _name: ())


class Told:
    """One telling of a story, and all that was noted of it."""

    def __init__(self, story):
        self.story = story
        self.room = room()
        self.notes = []
        self.kept = {}
        """Each incident as it was noted last, by its id: what a disk would hold."""

    def note(self, notes):
        """Keep what was noted, as the journal does."""
        for note in notes:
            self.notes.append(note)
            self.kept.pop(note.incident.incident_id, None)
            self.kept[note.incident.incident_id] = note.incident
            if note.gone:
                del self.kept[note.incident.incident_id]

    def hear(self, reports):
        """Hear reports, in this order and nothing else."""
        for report in reports:
            _, notes = self.room.hear(Sighting(report, b""))
            self.note(notes)

    def tell(self):
        """Have the whole story: what was heard, what was ordered, and the passing of time."""
        reports = reports_of(self.story)
        end_s = self.story.get("until_s", reports[-1].heard.mono_ns / 1e9 + TICK_S)
        events = [(report.heard.mono_ns / 1e9, 1, self.hear, [report]) for report in reports]
        events += [(row["at_s"], 2, self.order, row) for row in self.story.get("ordered", ())]
        if "restart_s" in self.story:
            at_s = self.story["restart_s"]
            events.append((at_s, 3, self.restart, at_s))
        ticks = itertools.takewhile(lambda s: s <= end_s, itertools.count(0.0, TICK_S))
        events += [(at_s, 4, self.tick, at_s) for at_s in ticks]
        for at_s, _, act, what in sorted(events, key=lambda event: event[:2]):
            if at_s <= end_s:
                act(what)

    def tick(self, at_s):
        """Let time pass."""
        now = Moment(mono_ns=int(at_s * 1e9))
        self.note(self.room.tick(now, BEGAN + timedelta(seconds=at_s)))

    def named(self, name):
        """Return the one incident of which this is a name."""
        (found,) = [one for one in self.room.standing() if name in one.names]
        return found

    def order(self, row):
        """Do what an operator orders."""
        one = self.named(row["incident"])
        other = self.named(row["other"]).incident_id if "other" in row else None
        off = row.get("off", ())
        order = IncidentOrder(
            verb=OrderVerb(row["verb"]),
            incident_id=one.incident_id,
            author=row["author"],
            words=row.get("words"),
            other=other,
            evidence=tuple(told.evidence_id for told in one.evidence if told.system in off),
        )
        at_s = row["at_s"]
        utc = BEGAN + timedelta(seconds=at_s)
        self.note(self.room.order(order, int(at_s * 1e9), utc))

    def restart(self, at_s):
        """End the watch, and begin one that knows what was noted."""
        self.room = room()
        self.note(self.room.restore(reversed(self.kept.values()), Moment(int(at_s * 1e9)), None))


def shuffled(reports, seed):
    """Return the reports in another order, as ways of different length may bring them."""
    return random.Random(seed).sample(reports, len(reports))


def meaning(incident):
    """Return all of an incident that may not depend on the order in which it was heard."""
    return (
        replace(
            incident,
            incident_id="",
            position_evidence=None,
            alarm=type(incident.alarm)(),
            evidence=(),
            links=(),
            possibly=(),
            split_from=None,
            revision=0,
        ),
        sorted(
            (told.system, told.filed, told.first_mono_ns, told.last_mono_ns, told.reports)
            for told in incident.evidence
        ),
        sorted((link.kind, link.weight, link.distance_m) for link in incident.links),
        sorted((one.link.kind, one.link.weight) for one in incident.possibly),
    )
