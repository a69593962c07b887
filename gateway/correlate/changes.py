"""What has changed about an incident, for those who watch it. Pure."""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace

from gateway.correlate import sounding
from gateway.correlate.lifecycle import calls_after_silence
from gateway.correlate.places import distance_m, reach_m
from gateway.model.incident import Incident

REPEATS_NS = 60 * 10**9
"""Repeats alone are told anew no more often than this."""

DETAILS_NS = 10 * 10**9
"""The same for what nobody has to act on: in a flood it would be most of what the disk takes."""


class Change(Struct, frozen=True):
    """What has changed, in words, and how long it may wait to be told."""

    words: str
    wait_ns: int = 0


def change_of(before: Incident | None, now: Incident) -> Change | None:
    """Return what has changed most for those who watch; None when not even a repeat was heard."""
    if before is None:
        return Change("a new incident")
    for name, words in _WATCHED.items():
        old, new = getattr(before, name), getattr(now, name)
        if old != new:
            change = words[new] if isinstance(words, dict) else _filled(words, old, new)
            return Change(change, 0 if name in _AT_ONCE else DETAILS_NS)
    if _far(before, now):
        return Change("it has moved", DETAILS_NS)
    if _parts(before) != _parts(now):
        return Change("what belongs to it or is near has changed", DETAILS_NS)
    same = before == replace(now, revision=before.revision)
    return None if same else Change("heard again", REPEATS_NS)


def calls_again(before: Incident | None, now: Incident) -> bool:
    """Say whether a closed incident is one again.

    Something new is said of it, it calls after a long silence, or after it cancelled itself.
    """
    if before is None:
        return False
    new = set(now.systems) - set(before.systems) or set(now.natures) - set(before.natures)
    return bool(new) or calls_after_silence(before, now) or _calls_after_cancelling(before, now)


def _calls_after_cancelling(before: Incident, now: Incident) -> bool:
    """Say whether what had cancelled itself has called since, and nobody knew of that call."""
    known = {told.evidence_id: told.alert_mono_ns for told in before.evidence}
    return any(
        told.cancelled_mono_ns is not None
        and told.alert_mono_ns is not None
        and told.alert_mono_ns > told.cancelled_mono_ns
        and told.alert_mono_ns != known.get(told.evidence_id)
        for told in now.evidence
    )


def _filled(words: str, old: object, new: object) -> str:
    return words.format(old=_said(old), new=_said(new))


def _parts(incident: Incident) -> tuple[frozenset[str], tuple[str, ...]]:
    evidence = frozenset(told.evidence_id for told in incident.evidence)
    return evidence, tuple(one.incident_id for one in incident.possibly)


def _said(value: object) -> str:
    if isinstance(value, tuple):
        return ", ".join(map(str, value)) or "none"
    return str(getattr(value, "phase", value))


_WATCHED: dict[str, str | dict[bool, str]] = {
    "calls_on": {True: sounding.CALLS_ON, False: "what called on is no part of it any more"},
    "phase": "it is {new}, and was {old}",
    "severity": "it is {new}, and was {old}",
    "alarm": "the alarm is {new}",
    "natures": "its nature is {new}",
    "systems": "it is heard on {new}",
    "confidence": "it is {new}, and was {old}",
    "acknowledged_by": "acknowledged by {new}",
    "relayed_by": "relayed by {new}",
    "alert_lost": {True: "all that called has fallen silent", False: "it calls again"},
    "names": "it is {new}",
    "doubts": "doubts: {new}",
    "persons_on_board": "{new} persons on board",
    "covert": {True: "it is covert", False: "it is covert no more"},
}
_AT_ONCE = frozenset(_WATCHED) - {"confidence", "names", "doubts"}


def _far(before: Incident, now: Incident) -> bool:
    if before.position == now.position:
        return False
    here, there = sounding.fix_of(before), sounding.fix_of(now)
    if here is None or there is None:
        return (here is None) != (there is None)
    return distance_m(here, there) > reach_m(here, there)
