"""From what was heard, or said by others than radios, to what rules wait for."""

from __future__ import annotations

from gateway.model.agreement import Agreement, EventWord
from gateway.model.asked import Fact
from gateway.model.inbound import Moment, Report, Sighting
from gateway.model.place import Identity
from gateway.model.verdict import Judgement, Verdict
from gateway.model.words import Kind, Mode, Nature, Relation, Urgency
from gateway.rules.channels import Dial, band_of
from gateway.rules.event import Event
from gateway.rules.hearing import shows_hearing
from gateway.rules.parties import Registry, Rolls, nobody

_NAMES = ("mmsi", "icao24", "beacon_hex", "imo", "tail", "callsign", "tag", "name")
"""Names of an identity, the one that proves most first."""

_BY_KIND = {
    Kind.ACKNOWLEDGEMENT: EventWord.DISTRESS_ACK,
    Kind.RELAY: EventWord.DISTRESS_RELAY,
    Kind.CANCELLATION: EventWord.CANCEL,
}
_BY_URGENCY = {
    Urgency.URGENCY: EventWord.URGENCY_CALL,
    Urgency.SAFETY: EventWord.SAFETY_CALL,
}
_BY_SQUAWK = {
    "7500": EventWord.SQUAWK_7500,
    "7600": EventWord.SQUAWK_7600,
    "7700": EventWord.SQUAWK_7700,
}

SEPARATION = "separation"
"""The kind of rule that says that craft come near each other."""

BEACONS, TRANSPONDERS = "cospas_sarsat", "mode_s"
"""Radio systems as reports name them."""

NO_CRAFT = frozenset({"gnss", "navtex", "shipboard"})
"""Say where this station is, where a text has somebody in need, and where somebody of the own crew
went over board: no craft that was heard."""

_BY_RELATION: dict[Relation, tuple[EventWord, ...]] = {
    Relation.FIRST: (EventWord.HEARD, EventWord.USE),
    Relation.REFINEMENT: (EventWord.HEARD, EventWord.USE),
    Relation.COPY: (EventWord.HEARD,),
}
"""A copy shows that a receiver hears, and is no second transmission."""


class Interpreter:
    """Puts into the words of one agreement what happened."""

    def __init__(self, agreement: Agreement, registry: Registry = nobody) -> None:
        self.rolls = Rolls(agreement.parties, registry, own=agreement.own)
        self.dial = Dial(agreement)

    def sighting(self, sighting: Sighting, at: Moment) -> Event:
        """Return what a report is to the rules."""
        report = sighting.report
        heard = report.heard
        system = report.system
        about = report.casualty or report.sender
        by = self.rolls.of(report.sender, system)
        channel = self.dial.find(heard.freq_hz, system)
        words = _words(report, sighting.relation)
        if not shows_hearing(report, self.dial.mode_of(channel)):
            words = tuple(word for word in words if word is not EventWord.HEARD)
        return Event(
            words=words,
            at=at,
            event_id=report.report_id,
            subject=subject_of(about, report.report_id),
            channel=channel,
            band=band_of(heard.freq_hz),
            system=system,
            by=by,
            to=() if report.addressee is None else self.rolls.of(report.addressee, None),
            of=by if about is report.sender else self.rolls.of(about, system),
            category=report.urgency,
            purpose=report.kind.value,
            test=report.mode is not Mode.REAL,
            incident=sighting.incident,
            place=report.position,
            report=report,
        )

    def fact(self, fact: Fact) -> Event:
        """Return what a person, a receiver or a line has to say."""
        by = self.rolls.own if fact.by is None else tuple(sorted(self.rolls.named((fact.by,))))
        to = () if fact.to is None else tuple(sorted(self.rolls.named((fact.to,))))
        if fact.address is not None:
            to = self.rolls.of(fact.address, None)
        channel = fact.channel or self.dial.find(fact.freq_hz, fact.mode)
        return Event(
            words=(fact.what, *fact.also),
            at=fact.at,
            event_id=fact.fact_id,
            subject=fact.about or channel or fact.by or fact.fact_id,
            channel=channel,
            by=by,
            to=to,
            of=by,
            purpose=fact.what.value,
            place=fact.place,
            fact=fact,
        )

    def verdict(self, verdict: Verdict, at: Moment) -> Event:
        """Return what another rule says is to the rules that wait for it."""
        words: tuple[EventWord, ...] = (EventWord.VIOLATION,)
        if verdict.judgement is Judgement.AT_RISK:
            words = (EventWord.ENCOUNTER,)
        elif verdict.kind == SEPARATION:
            words = (*words, EventWord.SEPARATION_VIOLATION)
        return Event(
            words=words,
            at=at,
            event_id=f"{verdict.agreement}/{verdict.rule}/{verdict.subject}",
            subject=verdict.subject,
            verdict=verdict,
        )


def subject_of(identity: Identity | None, otherwise: str) -> str:
    """Return the name that proves most, as `mmsi:…`; without any, the report stands for itself."""
    for kind in _NAMES:
        value = getattr(identity, kind, None)
        if value is not None:
            return f"{kind}:{value}"
    return f"report:{otherwise}"


def _words(report: Report, relation: Relation) -> tuple[EventWord, ...]:
    words: tuple[EventWord, ...] = _BY_RELATION[relation]
    if relation is Relation.COPY:
        return words
    if report.position is not None and _is_of_craft(report):
        words = (*words, EventWord.POSITION)
    if report.mode is Mode.TEST:
        words = (*words, EventWord.TEST)
    if report.urgency is Urgency.DISTRESS or report.kind in _BY_KIND:
        return (*words, *_of_distress(report))
    if report.kind is Kind.ALERT:
        words = (*words, *_emergencies(report))
    if report.kind is Kind.CALL or report.urgency in _BY_URGENCY:
        words = (*words, _BY_URGENCY.get(report.urgency, EventWord.CALL))
    return words


def _is_of_craft(report: Report) -> bool:
    """Say whether a place is that of a craft: of the one that it is told of, or of one unnamed.

    Of the own ship it is where its own AIS names it: it is a craft of its party.
    """
    if report.system in NO_CRAFT:
        return False
    if report.urgency is Urgency.DISTRESS and report.kind in _BY_KIND:
        return report.casualty is not None  # where the one in need is, not the one who passes it on
    is_own = getattr(report.detail, "own_ship", False)
    return not is_own or subject_of(report.sender, "") != subject_of(None, "")


def _of_distress(report: Report) -> tuple[EventWord, ...]:
    if report.kind in _BY_KIND:
        return (_BY_KIND[report.kind],)
    words: tuple[EventWord, ...] = (EventWord.DISTRESS_ALERT, *_emergencies(report))
    if report.system == BEACONS:
        of_aircraft = str(getattr(report.detail, "beacon", "")).startswith("elt")
        words = (*words, EventWord.BEACON, *((EventWord.ELT,) if of_aircraft else ()))
    return words


def _emergencies(report: Report) -> tuple[EventWord, ...]:
    """Return what a transponder says is wrong; a decoder's own words are known by their names."""
    if report.system != TRANSPONDERS:
        return ()
    wrong = getattr(report.detail, "emergency", None)
    squawk = _BY_SQUAWK.get(str(getattr(wrong, "squawk", None)))
    if squawk is None:
        squawk = EventWord.SQUAWK_7500 if report.nature is Nature.PIRACY_UNLAWFUL else None
    state = (EventWord.ADSB_EMERGENCY,) if getattr(wrong, "state", None) else ()
    return (*(() if squawk is None else (squawk,)), *state)
