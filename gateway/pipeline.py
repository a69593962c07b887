"""The hallway. Everything the gateway does to what it hears is on this page.

Pure: no clock, no wire, no disk. The same chunks and ticks give the same items, byte for byte.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from functools import partial
from typing import TypeVar

from msgspec.structs import replace

from gateway.correlate.copies import Copies
from gateway.correlate.earlier import Earlier
from gateway.correlate.floods import Floods
from gateway.correlate.following import Following
from gateway.correlate.incidents import Incidents
from gateway.correlate.register import Register
from gateway.correlate.timekeeping import Timekeeping
from gateway.correlate.track import Track
from gateway.ear import Ear
from gateway.export.say import say
from gateway.framing import framer_named
from gateway.model.agreement import Agreement
from gateway.model.asked import Fact
from gateway.model.bounds import Bound
from gateway.model.inbound import (
    Chunk,
    Frame,
    Inbound,
    Moment,
    Reading,
    Refused,
    Ruling,
    Sighting,
    Tick,
    Unread,
)
from gateway.model.incident import Incident, IncidentNote, IncidentOrder
from gateway.model.plan import PortPlan, RegisterPlan, StationPlan
from gateway.model.verdict import VerdictNote
from gateway.model.words import ClockState, Confidence, Fault, Relation
from gateway.normalise import Place, normalise, utc_of
from gateway.radio import Radio, radio_named, radio_names
from gateway.rules import kind_named
from gateway.rules.bench import Bench
from gateway.rules.docket import Docket

_Found = TypeVar("_Found")

NOBODY = RegisterPlan()
"""The register of a station that keeps none."""

CLOCK = "gnss"
"""The radio system that states the time of day as a witness."""


DEAF_NS = 10 * 10**9
"""A longer step is none that anybody has listened in: the process stood still, or was not there. It
is no silence of those who call."""

UNWATCHED_NS = 600 * 10**9
"""Ticks come every second. A longer step is no time that anybody has watched: it is the end of a
tape or of the watch, which calls out what waits. No alarm is raised for it, and nobody missed."""


def hallway(
    station: str,
    ports: Iterable[PortPlan],
    *,
    boot: str | None = None,
    register: RegisterPlan = NOBODY,
    at: tuple[float, float] | None = None,
    docket: Docket | None = None,
) -> Pipeline:
    """Return the hallway of a station: each port with a framer and radios of its own.

    It stands at this latitude and longitude, in degrees. What it hears is judged by this docket.
    """
    ears = (
        Ear(
            Place(
                station=station,
                port=port.name,
                modem=port.modem,
                channel=port.profile.channel,
                freq_hz=port.profile.freq_hz,
                boot=boot,
                exercise=port.exercise,
            ),
            framer_named(port.profile.framing)(),
            tuple(radio_named(name)() for name in port.profile.radio),
            tuple(radio_named(name)() for name in radio_names() if name not in port.profile.radio),
            played=port.played or port.exercise,
        )
        for port in ports
    )
    incidents = Incidents(station, boot=boot, carried=Register(register).carried)
    return Pipeline(ears, incidents, boot, Following(at), docket)


def docket_of(
    agreements: Iterable[Agreement], *, register: RegisterPlan = NOBODY, begun: bool = True
) -> Docket:
    """Return what these agreements judge by; whose craft is whose, the register says as well.

    Where it has not begun, nothing is judged until what was remembered is taken up.
    """
    found = tuple(agreements)
    kinds = {clause.kind: kind_named(clause.kind) for one in found for clause in one.rules}
    return Docket(Bench(found, kinds, Register(register).party_of), begun=begun)


def hallway_of(plan: StationPlan, *, boot: str | None) -> Pipeline:
    """Return the hallway of a station as it is configured."""
    return hallway(
        plan.station,
        plan.ports,
        boot=boot,
        register=plan.register,
        at=plan.position,
        docket=docket_of(plan.agreements, register=plan.register, begun=False),
    )


class Pipeline:
    """All ports' ends of the hallway, and the rooms they share."""

    def __init__(
        self,
        ears: Iterable[Ear],
        incidents: Incidents,
        boot: str | None,
        following: Following | None = None,
        docket: Docket | None = None,
    ) -> None:
        self.ears = {ear.place.port: ear for ear in ears}
        self.copies = Copies()
        self.timekeeping = Timekeeping(boot)
        self.floods = Floods()
        self.following = following or Following()
        self.incidents = incidents
        self.earlier = Earlier()
        self.docket = docket or docket_of(())
        """What the agreements say; a station without any asks nobody."""
        self._seen_ns = 0
        """The moment of the last chunk or tick."""
        self.incident_errors = 0
        """Exceptions out of the rooms of incidents, tracks and rules: faults of this program.
        Always 0, or please report it."""

    def inbound(self, chunk: Chunk) -> list[Inbound]:
        """Walk a chunk from the wire to its rulings; what is refused comes out beside them."""
        ear = self.ears[chunk.port]
        frames = ear.framer.split(chunk)
        ear.count.bytes_in += len(chunk.data)
        self._see(chunk.heard.mono_ns)
        self.following.begin()
        ear.take_in(frames)
        stated = self.timekeeping.at(chunk.heard)
        return [*stated, *(item for frame in frames for item in self._walk(ear, frame))]

    def order(self, order: IncidentOrder, now: Moment) -> list[IncidentNote]:
        """Carry out what an operator orders about an incident.

        Raises:
            OrderRefused: it can't be done; the text says why.
        """
        self.following.begin()
        utc = utc_of(now.utc_ns)
        notes = self.incidents.order(order, now.mono_ns, utc)
        return [self._noted(note, now.mono_ns, utc, now.clock) for note in notes]

    def state(self, fact: Fact) -> list[VerdictNote]:
        """Take up what somebody states that no radio says; return what the rules say of it."""
        return self._guarded(partial(self.docket.fact, fact)) or []

    def bounds(self) -> Iterator[Bound]:
        """Yield each place in the rooms where something waits or is remembered."""
        yield from self.copies.bounds()
        yield from self.floods.bounds()
        yield from self.following.bounds()
        yield from self.incidents.bounds()
        yield from self.earlier.bounds()
        yield from self.docket.bounds()
        for ear in self.ears.values():
            yield from ear.framer.bounds()
            for radio in (*ear.radios, *ear.strangers):
                yield from radio.bounds()

    def tick(self, tick: Tick) -> list[Inbound]:
        """Let time pass: what waited too long for its other half comes out as it is."""
        self.following.begin()
        stated = self.timekeeping.tick(tick.now)
        late = (item for ear in self.ears.values() for item in self._let_pass(ear, tick.now))
        watched = self._see(tick.now.mono_ns) <= UNWATCHED_NS
        self._guarded(self.following.tick)
        said = [*stated, *late]
        return [*said, *self._let_pass_unheard(tick.now)] if watched else said

    def _see(self, mono_ns: int) -> int:
        """Note that somebody listens at this time; return how long nobody is known to have."""
        passed_ns, self._seen_ns = mono_ns - self._seen_ns, mono_ns
        if passed_ns > DEAF_NS:
            self.incidents.listens_from(mono_ns)
        return passed_ns

    def _let_pass(self, ear: Ear, now: Moment) -> Iterator[Inbound]:
        frames = ear.framer.expire(now)
        ear.take_in(frames)
        for frame in frames:
            yield from self._walk(ear, frame)
        for radio in ear.radios:
            for found in ear.overdue(radio, now):
                yield from self._onward(ear, radio, found)

    def _walk(self, ear: Ear, frame: Frame) -> Iterator[Inbound]:
        if frame.fault is Fault.NOISE:
            return
        if frame.fault is not None:
            like = ear.might_call(frame, (*ear.radios, *ear.strangers))
            yield self._refused(ear, (frame,), frame.fault, door="framing", distress_like=like)
            return
        for radio in ear.radios:
            found = ear.read(radio, frame)
            if found is not None:
                for reading in found:
                    yield from self._onward(ear, radio, reading)
                return
        if ear.might_call(frame, ear.strangers):
            reason = "a call for help may be in it, and no decoder of this port reads it"
            yield self._refused(ear, (frame,), reason, door="radio", distress_like=True)
            return
        ear.count.unread += 1
        yield ear.kept((frame,), reason="", door="radio", distress_like=False)

    def _onward(self, ear: Ear, radio: Radio, found: Reading | Unread) -> Iterator[Inbound]:
        if isinstance(found, Unread):
            if not found.kept:
                ear.count.unread += len(found.frames)
                return
            yield self._refused(
                ear, found.frames, found.reason, door="radio", distress_like=found.distress_like
            )
            return
        try:
            report = normalise(radio.report(found), found, ear.place)
        except Exception as error:  # noqa: BLE001  # see Ear.read
            yield self._refused(
                ear, found.frames, ear.blame(radio, error), door="radio", distress_like=True
            )
            return
        if report.system == CLOCK and not ear.played:
            self.timekeeping.hear(report)
        sighting = self.copies.place(report, found)
        self.floods.called(report)
        ear.count.reports += 1
        ear.count.copies += sighting.relation is Relation.COPY
        ear.count.suspect += report.confidence is Confidence.SUSPECT
        incident, notes = self._trouble(sighting)
        if incident is not None:
            sighting = replace(sighting, incident=incident)
        judge = partial(self.docket.judge, sighting, found.frames[-1].heard)
        ruling, verdicts = self._guarded(judge) or (Ruling(sighting), [])
        yield ruling
        yield from notes
        yield from verdicts

    def _trouble(self, sighting: Sighting) -> tuple[str | None, list[IncidentNote]]:
        """Ask which trouble this belongs to; a fault of ours there loses no call."""
        track = self._guarded(partial(self._followed, sighting))
        try:
            name, notes = self.incidents.hear(sighting, track)
            heard = sighting.report.heard
            return name, [
                self._noted(note, heard.mono_ns, heard.utc, heard.clock) for note in notes
            ]
        except Exception:  # noqa: BLE001  # see Ear.read
            self.incident_errors += 1
            return None, []

    def _followed(self, sighting: Sighting) -> Track | None:
        """Keep where this says that a craft is; return where one was that calls without a place."""
        if sighting.relation is Relation.COPY:
            return None
        self.following.hear(sighting.report)
        return self.following.place_of(sighting.report)

    def _guarded(self, ask: Callable[[], _Found | None]) -> _Found | None:
        """Ask the room of tracks or rules; a fault of ours there loses no call and no incident."""
        try:
            return ask()
        except Exception:  # noqa: BLE001  # see Ear.read
            self.incident_errors += 1
            return None

    def restore(self, kept: Sequence[Incident], now: Moment) -> list[IncidentNote]:
        """Take up what stood when the last run ended; return what has changed of it since."""
        self._see(max(self._seen_ns, now.mono_ns))
        self.following.begin()
        utc = utc_of(now.utc_ns)
        try:
            notes = self.incidents.restore(kept, now, utc)
            return [self._noted(note, now.mono_ns, utc, now.clock) for note in notes]
        except Exception:  # noqa: BLE001  # see Ear.read
            self.incident_errors += 1
            return []

    def _let_pass_unheard(self, now: Moment) -> Iterator[Inbound]:
        """Yield what is so because nothing was heard: of incidents, and of rules."""
        yield from self._let_incidents_pass(now)
        yield from self._guarded(partial(self.docket.tick, now)) or ()

    def _let_incidents_pass(self, now: Moment) -> list[IncidentNote]:
        utc = utc_of(now.utc_ns)
        try:
            notes = self.incidents.tick(now, utc)
            return [self._noted(note, now.mono_ns, utc, now.clock) for note in notes]
        except Exception:  # noqa: BLE001  # see Ear.read
            self.incident_errors += 1
            return []

    def _noted(
        self, note: IncidentNote, mono_ns: int, utc: datetime | None, clock: ClockState | None
    ) -> IncidentNote:
        """Return the note with the incident in one line, when it was made and what it follows."""
        incident = note.incident
        if not note.gone:
            around = partial(self.following.surroundings, incident, mono_ns)
            incident = self._guarded(around) or incident
        told = replace(incident, say=say(incident))
        return self.earlier.follow(replace(note, incident=told, mono_ns=mono_ns, clock=clock), utc)

    def _refused(
        self, ear: Ear, frames: tuple[Frame, ...], reason: str, *, door: str, distress_like: bool
    ) -> Refused:
        ear.count.refused += 1
        kept = ear.kept(frames, reason=reason, door=door, distress_like=distress_like)
        if not distress_like or self.floods.fragment_passes(kept.port, kept.mono_ns):
            return kept
        return replace(kept, flood=True)
