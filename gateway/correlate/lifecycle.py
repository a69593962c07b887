"""How a trouble stands, and what its alarm does about it (domain of IEC 62923, Radio Regulations).

The phase follows from the evidence and from what an operator closed. Silence never closes anything,
and only the casualty itself, or an operator, can say that it is over.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from gateway.model.incident import Evidence, Incident, Phase

INTERVAL_S = {"dsc": 270.0, "cospas_sarsat": 125.0, "ais": 60.0, "mode_s": 30.0}
"""The longest pause between two calls of one that is alive: DSC repeats within 3.5 to 4.5 min
(M.493), a second-generation beacon each 120 ± 5 s (T.018), an AIS-SART each minute (M.1371)."""

ATTEMPT_NS = 60 * 10**9
"""One attempt to call goes on for so long: five calls in a row, or one on each of six frequencies
(M.541). What is heard later was sent by somebody who did not hear the acknowledgement."""

MISSED = 3
"""After so many pauses without a call it is lost."""

QUIET_NS = 1800 * 10**9
"""A call after so long without one is a new one, though somebody has dealt with those before it. A
beacon that fades in and out calls more often."""

QUIET_DSC_NS = MISSED * int(INTERVAL_S["dsc"] * 1e9)
"""The same where a person presses the button: what repeats itself has stopped by then."""


def is_lost(told: Evidence, now_ns: int, since_ns: int) -> bool:
    """Say whether what repeats itself has stopped; an acknowledged DSC call falls silent.

    Only the silence counts to which somebody has listened, without a break since then. What was
    lost before is lost until it calls.
    """
    interval_s = INTERVAL_S.get(told.system)
    if interval_s is None or told.alert_mono_ns is None or told.cancelled_mono_ns is not None:
        return False
    if told.system == "dsc" and is_acknowledged(told):
        return False
    if told.lost and told.alert_mono_ns < since_ns:
        return True
    quiet_ns = now_ns - max(told.alert_mono_ns, since_ns)
    return quiet_ns > MISSED * int(interval_s * 1e9)


def calls_after_silence(before: Incident, now: Incident) -> bool:
    """Say whether something calls that had not called for so long that it is a call of its own."""
    known = {told.evidence_id: told.alert_mono_ns for told in before.evidence}
    for told in now.evidence:
        called_ns, calls_ns = known.get(told.evidence_id), told.alert_mono_ns
        quiet_ns = QUIET_DSC_NS if told.system == "dsc" else QUIET_NS
        if called_ns is not None and calls_ns is not None and calls_ns - called_ns > quiet_ns:
            return True
    return False


def is_acknowledged(told: Evidence) -> bool:
    """Say whether a coast station has signed for it, and it has not called since."""
    at_ns, called_ns = told.acknowledged_mono_ns, told.alert_mono_ns
    return at_ns is not None and (called_ns is None or called_ns <= at_ns + ATTEMPT_NS)


def called_on(told: Evidence) -> bool:
    """Say whether it has ever called after a coast station had acknowledged it."""
    at_ns, called_ns = told.acknowledged_first_mono_ns, told.alert_mono_ns
    return at_ns is not None and called_ns is not None and called_ns > at_ns + ATTEMPT_NS


def all_lost(evidence: Iterable[Evidence]) -> bool:
    """Say whether all that called has stopped before its time."""
    calling = [told for told in evidence if told.alerts and told.system in INTERVAL_S]
    return bool(calling) and all(told.lost for told in calling)


def phase_of(evidence: Sequence[Evidence], closed: Phase | None) -> Phase:
    """Return how far the trouble has come."""
    if closed is not None:
        return closed
    cancelled = cancels(evidence)
    if cancelled and not calls_after(evidence, cancelled):
        return Phase.CANCELLED if len(cancelled) > 1 else Phase.AWAITING_CONFIRMATION
    if any(told.relayed_by for told in evidence):
        return Phase.RELAYED
    return Phase.ACKNOWLEDGED if any(map(is_acknowledged, evidence)) else Phase.ALERTED


def cancels(evidence: Iterable[Evidence]) -> list[Evidence]:
    """Return what the casualty itself has cancelled, and has not called on since."""
    return [told for told in evidence if _is_cancelled(told)]


def _is_cancelled(told: Evidence) -> bool:
    at_ns = told.cancelled_mono_ns
    return at_ns is not None and (told.alert_mono_ns is None or told.alert_mono_ns <= at_ns)


def calls_after(evidence: Iterable[Evidence], cancelled: Iterable[Evidence]) -> bool:
    """Say whether something else calls on after it was cancelled."""
    times = [told.cancelled_mono_ns for told in cancelled if told.cancelled_mono_ns is not None]
    return any(
        told.alert_mono_ns is not None and told.alert_mono_ns > max(times) for told in evidence
    )
