"""The alarm of an incident: raised, silenced, acknowledged, taken over, cleared (after IEC 62923).

It sounds for what is new, and again when nobody acts; a repeat is no reason.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from msgspec.structs import replace

from gateway.correlate.lifecycle import calls_after_silence
from gateway.correlate.names import AIRCRAFT, SHIP
from gateway.correlate.places import Fix, distance_m, fix_at, reach_m
from gateway.correlate.standing import Standing
from gateway.model.incident import CLOSED, AlarmPhase, Incident, IncidentAlarm
from gateway.model.words import Mode

ESCALATE_NS = 300 * 10**9
"""A raised alarm that nobody has acknowledged: five minutes, for which a ship listens before it
relays (47 CFR 80.1121)."""

MOVED_REACHES = 3.0
"""A casualty that is so many reaches away from where the alarm placed it raises it again."""

CALLS_ON = "it calls on after a coast station acknowledged it"


def sound(known: Standing, now: Incident, mono_ns: int, utc: datetime | None) -> None:
    """Raise the alarm of an incident where there is a reason, as it stands now."""
    if not sounds(now):
        if now.phase in CLOSED and known.alarm.phase is not AlarmPhase.NONE:
            known.alarm = replace(known.alarm, phase=AlarmPhase.CLEARED)
        return
    why = reasons(known.incident, now, known.raised_at, known.sounded)
    known.sounded |= {*now.systems, *now.natures}
    if known.parted is not None:
        why, known.parted = [known.parted, *why], None
    again = due(known.alarm, mono_ns)
    if again is not None:
        escalated = known.alarm.phase is AlarmPhase.RAISED or known.alarm.escalated
        known.alarm = raised(known.alarm, again, mono_ns, utc, escalated=escalated)
    if why and known.alarm.phase is not AlarmPhase.RAISED:
        known.alarm = raised(known.alarm, why[0], mono_ns, utc)
    if why or known.raised_at is None:
        known.raised_at = fix_of(now) or known.raised_at


def reasons(
    before: Incident | None, now: Incident, raised_at: Fix | None, sounded: frozenset[str]
) -> list[str]:
    """Return why the alarm sounds, or sounds again; a repeat is no reason."""
    if before is None:
        return [f"a call on {', '.join(now.systems)}"]
    known = {*before.systems, *before.natures, *sounded}
    found = [f"also heard on {name}" for name in now.systems if name not in known]
    found += [f"{name} is said as well" for name in now.natures if name not in known]
    if before.phase in CLOSED and now.phase not in CLOSED:
        found.append("it calls again after it was closed")
    elif calls_after_silence(before, now):
        found.append("it calls again after a long silence")
    if now.calls_on and not before.calls_on:
        found.append(CALLS_ON)
    if raised_at is None or raised_at.position == now.position:
        return found
    fix = fix_of(now)
    if fix is not None:
        far_m = distance_m(raised_at, fix)
        if far_m > MOVED_REACHES * reach_m(raised_at, fix):
            found.append(f"it is {far_m / 1852:.0f} NM from where it was")
    return found


def fix_of(incident: Incident) -> Fix | None:
    """Return where the casualty is held to be."""
    if incident.position is None:
        return None
    kinds = {_KINDS.get(name.partition(":")[0], "") for name in incident.names}
    was_there_ns = next(
        (
            told.position_mono_ns
            for told in incident.evidence
            if told.evidence_id == incident.position_evidence
        ),
        None,
    )
    at_ns = incident.last_mono_ns if was_there_ns is None else was_there_ns
    return fix_at(incident.position, at_ns, kinds)


_KINDS = {"icao24": AIRCRAFT, "mmsi": SHIP, "callsign": SHIP, "tail": SHIP, "tag": SHIP}
"""As what a thing of this name may move: what a call sign is carried by may be under way."""


def sounds(incident: Incident) -> bool:
    """Say whether an alarm may sound here at all."""
    return may_sound(incident) and incident.phase not in CLOSED


def may_sound(incident: Incident) -> bool:
    """Say whether it is neither a test nor covert: then no alarm sounds, whatever is ordered."""
    return incident.mode is not Mode.TEST and not incident.covert


def raised(
    alarm: IncidentAlarm, why: str, mono_ns: int, utc: datetime | None, *, escalated: bool = False
) -> IncidentAlarm:
    """Return the alarm as it sounds (again)."""
    return IncidentAlarm(
        phase=AlarmPhase.RAISED,
        since_mono_ns=mono_ns,
        since_utc=utc,
        why=why,
        raised=alarm.raised + 1,
        escalated=escalated,
    )


def silenced(
    alarm: IncidentAlarm, by: str, mono_ns: int, utc: datetime | None, silence_s: float
) -> IncidentAlarm:
    """Return the alarm without its sound, for a while."""
    return replace(
        alarm,
        phase=AlarmPhase.SILENCED,
        by=by,
        until_mono_ns=mono_ns + int(silence_s * 1e9),
        until_utc=None if utc is None else utc + timedelta(seconds=silence_s),
    )


def taken(
    alarm: IncidentAlarm, phase: AlarmPhase, by: str, mono_ns: int, utc: datetime | None
) -> IncidentAlarm:
    """Return the alarm that somebody has acknowledged, taken over or cleared."""
    return replace(
        alarm,
        phase=phase,
        by=by,
        since_mono_ns=mono_ns,
        since_utc=utc,
        until_mono_ns=None,
        until_utc=None,
    )


def due(alarm: IncidentAlarm, now_ns: int) -> str | None:
    """Return why time alone makes the alarm sound again, or None."""
    if alarm.phase is AlarmPhase.SILENCED and now_ns >= (alarm.until_mono_ns or 0):
        return "its silence is over"
    waited_ns = now_ns - alarm.since_mono_ns
    if alarm.phase is AlarmPhase.RAISED and not alarm.escalated and waited_ns >= ESCALATE_NS:
        return "nobody has acknowledged it"
    return None


_LOUDEST = (
    AlarmPhase.RAISED,
    AlarmPhase.SILENCED,
    AlarmPhase.NONE,
    AlarmPhase.TRANSFERRED,
    AlarmPhase.ACKNOWLEDGED,
    AlarmPhase.CLEARED,
)


def louder(one: IncidentAlarm, other: IncidentAlarm) -> IncidentAlarm:
    """Return the alarm of two incidents that are one: what still sounds goes on sounding."""
    return min(one, other, key=lambda alarm: _LOUDEST.index(alarm.phase))
