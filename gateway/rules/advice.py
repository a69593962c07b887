"""The next steps of the procedure for a call for help that stands: proposed, never taken. Pure.

Each alert by DSC is answered as `answers` says; then the rescue centre is told. What it has asked
this station to relay is relayed to the ships of the area (47 CFR 80.1113). An urgency call is
listened to. Nothing is proposed for tests and exercises, for what is over, and for what is covert,
by its own radio or by an agreement: whoever threatens that craft must not learn of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import ceil, floor

from gateway.model.advice import Advice, Step, StepKind
from gateway.model.inbound import Moment
from gateway.model.incident import CLOSED, Evidence, Incident, Phase
from gateway.model.plan import Own
from gateway.model.transmission import Area, Distress, Place, Relay, To
from gateway.model.verdict import PASSES
from gateway.model.words import Confidence, Mode, Urgency
from gateway.rules import script
from gateway.rules.answers import (
    Asks,
    Case,
    Outlet,
    answered,
    is_coast,
    is_ship,
    lets,
    letter_about,
    utc_at,
)
from gateway.rules.channels import band_of

CASES_MAX = 8
"""Alerts of one incident that are advised about: an operator has merged what are more."""

URGENT_S = 180.0
"""After an urgency signal one listens so long at the least (Radio Regulations of 1947; what they
ask of it today was not seen)."""

_ADVISED = frozenset({Urgency.DISTRESS, Urgency.URGENCY})


def is_advised(incident: Incident) -> bool:
    """Say whether something may be proposed about it at all."""
    return (
        incident.mode is Mode.REAL
        and incident.severity in _ADVISED
        and incident.phase not in CLOSED
        and not incident.covert
    )


def advise(
    incident: Incident, outlets: Sequence[Outlet], own: Own, asks: Asks, now: Moment
) -> Advice | None:
    """Return what to do next; None where nothing is to be proposed."""
    names = frozenset(name.partition(":")[2] for name in incident.names)
    if not is_advised(incident) or asks.hides(names):
        return None
    cases = list(_cases(incident, outlets, own, now))
    if incident.severity is Urgency.URGENCY:
        steps = [_urgency(incident, own, now)]
    elif incident.phase is Phase.AWAITING_CONFIRMATION:
        steps = [_confirmed(), _rescue(incident)]
    else:
        answers = [step for case in cases[:CASES_MAX] for step in answered(case, asks)]
        relays = _asked_for(incident, outlets, own, asks, now)
        steps = [*_once(answers), *relays, _rescue(incident)]
    return Advice(
        station=incident.station,
        incident_id=incident.incident_id,
        revision=incident.revision,
        steps=tuple(steps),
        unknown=tuple(_unknown(incident, cases, own, asks)),
    )


def _cases(incident: Incident, outlets: Sequence[Outlet], own: Own, now: Moment) -> Iterator[Case]:
    """Yield each alert once for each frequency, with the port by which most can be said there."""
    for evidence in incident.evidence:
        casualty = _mmsi_of(evidence.names)
        if evidence.system != "dsc" or evidence.alert_mono_ns is None or casualty is None:
            continue
        if evidence.mode is not Mode.REAL or evidence.covert:
            continue
        if evidence.urgency is not Urgency.DISTRESS:
            continue
        for outlet in _heard_by(evidence, outlets):
            yield Case(
                incident=incident,
                evidence=evidence,
                outlet=outlet,
                casualty=casualty,
                own=own,
                now=now,
            )


def _heard_by(evidence: Evidence, outlets: Sequence[Outlet]) -> Iterator[Outlet]:
    heard = [one for one in outlets if one.port in evidence.ports and not one.air.exercise]
    best: dict[int | str, Outlet] = {}
    for one in heard:
        at = one.air.freq_hz or one.port
        if at not in best or len(one.says) > len(best[at].says):
            best[at] = one
    yield from best.values()


def _once(steps: Sequence[Step]) -> Iterator[Step]:
    """Yield each step once: several alerts of one casualty lead to the same channel."""
    yield from (step for place, step in enumerate(steps) if step not in steps[:place])


def _mmsi_of(names: Sequence[str]) -> str | None:
    named = (one.removeprefix("mmsi:") for one in names if one.startswith("mmsi:"))
    return next(named, None)


def _asked_for(
    incident: Incident, outlets: Sequence[Outlet], own: Own, asks: Asks, now: Moment
) -> Iterator[Step]:
    """Yield a relay to the ships around, for each port where a clause on relays lets it pass.

    That there is such a clause is not enough to relay: it says ok when the rescue centre has asked.
    """
    if not is_coast(own) or incident.position is None:
        return
    at = Place(lat_deg=incident.position.lat_deg, lon_deg=incident.position.lon_deg)
    distress = Distress(
        mmsi=_mmsi_of(incident.names), nature=next(iter(incident.natures), None), place=at
    )
    action = Relay(distress=distress, to=To.AREA, area=_around(at))
    for outlet in outlets:
        on_hf = band_of(outlet.air.freq_hz) == "hf"
        if "relay" not in outlet.says or outlet.air.exercise or on_hf:
            continue
        gated = asks.would(letter_about(incident, outlet, action, now), outlet)
        clause = [one for one in gated.verdicts if one.kind == "relay" and one.judgement in PASSES]
        if lets(gated) and clause:
            yield Step(
                kind=StepKind.RELAY,
                words=f"The rescue centre has asked for it: relay it on {outlet.port} to the "
                "ships of the area.",
                why=f"{clause[0].agreement}/{clause[0].rule}; 47 CFR 80.1113 (e)",
                port=outlet.port,
                action=action,
                script=script.relayed(incident, distress.mmsi, own),
            )


def _around(at: Place) -> Area:
    """Return the degrees around a place, and that of its own."""
    north, west = min(ceil(at.lat_deg) + 1, 90), floor(at.lon_deg) - 1
    return Area(
        lat_deg=north,
        lon_deg=west if west >= -180 else west + 360,  # the antimeridian
        southwards_deg=min(3, north + 90),
        eastwards_deg=3,
    )


def _rescue(incident: Incident) -> Step:
    return Step(
        kind=StepKind.CALL_RCC,
        words=f"Tell the rescue centre of incident {incident.incident_id[:4]}.",
        why="47 CFR 80.1119 and 80.1121: whoever receives a distress tells the rescue centre",
        script=script.told(incident, _mmsi_of(incident.names)),
    )


def _confirmed() -> Step:
    return Step(
        kind=StepKind.LISTEN,
        words="The casualty has cancelled. Hear it by voice, then `incident confirm-cancel`; "
        "acknowledge nothing.",
        why="47 CFR 80.335: a false alert is cancelled by voice as well",
    )


def _urgency(incident: Incident, own: Own, now: Moment) -> Step:
    return Step(
        kind=StepKind.LISTEN,
        words="Listen where the call says that its traffic goes on, for three minutes at the "
        "least. Pass it on by voice where the rescue centre asks for it.",
        why="Radio Regulations of 1947 on the urgency signal; those of today were not seen",
        not_after=utc_at(now, incident.last_mono_ns + round(URGENT_S * 1e9), up=True),
        script=script.urgent(incident, _mmsi_of(incident.names), own),
    )


def _unknown(incident: Incident, cases: Sequence[Case], own: Own, asks: Asks) -> Iterator[str]:
    if not is_coast(own) and not is_ship(own):
        yield "whether this station is a coast station or a ship: `mmsi` in [transmit]"
    if incident.position is None:
        yield "where the casualty is"
    if not incident.natures:
        yield "what has happened"
    if not cases and incident.severity is Urgency.DISTRESS:
        yield "how to answer by radio: no port of ours has heard an alert by DSC of a known MMSI"
    if any(one.evidence.confidence is not Confidence.VERIFIED for one in cases):
        yield "whether the alert was heard right: nothing proves each of its digits"
    if any(one.band == "hf" for one in cases) and is_ship(own) and not asks.coasts:
        yield "which coast station a relay goes to: no agreement names the MMSI of one"
    if len(cases) > CASES_MAX:
        yield f"what to do about {len(cases) - CASES_MAX} more alerts: split the incident"
