"""What has changed about an incident, for those who watch it. Pure."""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace

from gateway.correlate import sounding
from gateway.correlate.lifecycle import calls_after_silence
from gateway.correlate.places import distance_m, reach_m
from gateway.model.incident import Incident

REPEATS_NS = 300 * 10**9
"""Repeats alone are told anew no more often than this. That they cease is told at once."""

MOVED_NS = 120 * 10**9
"""The same where it is farther off than its places are known to: in two minutes a fast ship goes
less than a mile, and `position/…` has each place of it as it comes."""

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
    if _parts(before) != _parts(now):
        return Change("what belongs to it or is near has changed", DETAILS_NS)
    if _words(before) != _words(now):
        return Change("more is said of it", DETAILS_NS)
    moved = _moved(before, now)
    if moved is not None:
        return moved
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


def _words(incident: Incident) -> tuple[tuple[object, ...], ...]:
    """Return what is said beside the place, and is not watched for the incident as a whole."""
    return tuple(
        sorted((told.evidence_id, told.text or "", told.channels) for told in incident.evidence)
    )


def _moved(before: Incident, now: Incident) -> Change | None:
    """Return what is to be told of the place: where it can't have come by itself, sooner."""
    if before.position == now.position:
        return None
    here, there = sounding.fix_of(before), sounding.fix_of(now)
    if here is None or there is None:
        return Change(
            "it has no place any more" if there is None else "its place is known", DETAILS_NS
        )
    far_m = distance_m(here, there)
    if far_m > sounding.MOVED_REACHES * reach_m(here, there):
        return Change("it is elsewhere", DETAILS_NS)
    return Change("it has moved", MOVED_NS) if far_m > here.known_to_m + there.known_to_m else None
