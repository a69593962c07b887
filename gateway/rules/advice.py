"""The next step of the procedure for a distress that stands open: proposed, never taken. Pure.

    a coast station   acknowledges on VHF at once, on MF and HF between 1 min and 2 min 45 s after
                      the alert (ITU-R M.541, by a secondary source), and tells the rescue centre
    a ship            acknowledges by voice and listens five minutes; then it relays, on HF to a
                      coast station and never to all ships (47 CFR 80.1117, 80.1121)

Whether a call may go out is asked of the agreements as it would be at that moment; where they say
no, or can't say, there is no call that stands ready. Nothing is proposed for tests and exercises,
for what is over, and for what is covert: whoever threatens that craft must not learn of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace

from gateway.codes.dates import utc_of
from gateway.codes.mmsi import mmsi_class
from gateway.model.advice import Advice, Step, StepKind
from gateway.model.inbound import Moment
from gateway.model.incident import CLOSED, Evidence, Incident, Phase
from gateway.model.plan import Own
from gateway.model.transmission import Acknowledge, Action, Distress, Letter, Place, Relay, To
from gateway.model.verdict import PASSES, Judgement
from gateway.model.words import Mode, Urgency
from gateway.rules.asking import Air
from gateway.rules.channels import band_of
from gateway.rules.engine import Gated
from gateway.rules.script import received, relayed

FLOOR_S = 60.0
LATEST_S = 165.0
"""On MF and HF, after the alert (ITU-R M.541)."""

LISTEN_S = 300.0
"""A ship listens so long before it does anything but by voice (47 CFR 80.1121)."""

PAIRS_HZ = {
    156_525_000: 156_800_000,
    2_187_500: 2_182_000,
    4_207_500: 4_125_000,
    6_312_000: 6_215_000,
    8_414_500: 8_291_000,
    12_577_000: 12_290_000,
    16_804_500: 16_420_000,
}
"""Where traffic goes on by voice after a call by DSC (47 CFR 80.1077)."""

_SOME_TIME = datetime(2000, 1, 1, tzinfo=UTC)
"""Where nobody knows the time of day: the letter is asked about, and never sent."""

_TIMING = "ITU-R M.541: MF and HF between 1 min and 2 min 45 s after the alert, VHF at once"
_SHIPS = "47 CFR 80.1117 and 80.1121: ships acknowledge by voice"


class Outlet(Struct, frozen=True, kw_only=True):
    """A port of this station as far as something could be said by it."""

    port: str
    air: Air
    says: frozenset[str]
    """The actions that its radio systems have words for; none where it only receives."""


Would = Callable[[Letter, Outlet], Gated]
"""Asked what the agreements would say of this letter now; nothing is changed by asking."""


class _Case(Struct, frozen=True, kw_only=True):
    """One alert of one radio, and by which port it could be answered."""

    incident: Incident
    evidence: Evidence
    outlet: Outlet
    casualty: str
    own: Own
    now: Moment


def advise(
    incident: Incident, outlets: Sequence[Outlet], own: Own, would: Would, now: Moment
) -> Advice | None:
    """Return what to do next; None where nothing is to be proposed."""
    if (
        (incident.mode, incident.severity) != (Mode.REAL, Urgency.DISTRESS)
        or incident.phase in CLOSED
        or incident.covert
    ):
        return None
    cases = list(_cases(incident, outlets, own, now))
    steps = [step for case in cases for step in _answered(case, would)]
    if incident.phase is Phase.AWAITING_CONFIRMATION:
        steps = [_confirmed()]
    rcc = Step(
        kind=StepKind.CALL_RCC,
        words=f"Tell the rescue centre of incident {incident.incident_id[:4]}: {incident.say}",
        why="47 CFR 80.1119 and 80.1121: whoever receives a distress tells the rescue centre",
    )
    return Advice(
        station=incident.station,
        incident_id=incident.incident_id,
        revision=incident.revision,
        steps=(*steps, rcc),
        unknown=tuple(_unknown(incident, cases, own)),
    )


def _cases(incident: Incident, outlets: Sequence[Outlet], own: Own, now: Moment) -> Iterator[_Case]:
    for evidence in incident.evidence:
        casualty = _mmsi_of(evidence)
        if evidence.system != "dsc" or evidence.alert_mono_ns is None or casualty is None:
            continue
        if evidence.mode is not Mode.REAL or evidence.covert:
            continue
        for outlet in outlets:
            if outlet.port in evidence.ports and not outlet.air.exercise:
                yield _Case(
                    incident=incident,
                    evidence=evidence,
                    outlet=outlet,
                    casualty=casualty,
                    own=own,
                    now=now,
                )


def _mmsi_of(evidence: Evidence) -> str | None:
    named = (one.removeprefix("mmsi:") for one in evidence.names if one.startswith("mmsi:"))
    return next(named, None)


def _answered(case: _Case, would: Would) -> Iterator[Step]:
    """Yield the steps for one alert: acknowledge or wait, listen, relay."""
    if _acknowledged(case):
        by = ", ".join(case.evidence.acknowledged_by)
        yield _listening(case, f"It is acknowledged by {by}.", _SHIPS)
        return
    if not _is_coast(case.own):
        yield from _as_a_ship(case, would)
        return
    yield from _as_a_coast_station(case, would)
    yield _listening(case, "Work the casualty by voice.", "47 CFR 80.1123 (d): the paired channel")


def _acknowledged(case: _Case) -> bool:
    """Say whether a coast station has signed for it, and the casualty has not called since."""
    at_ns, called_ns = case.evidence.acknowledged_mono_ns, case.evidence.alert_mono_ns
    return at_ns is not None and (called_ns is None or called_ns <= at_ns)


def _is_coast(own: Own) -> bool:
    return own.mmsi is not None and mmsi_class(own.mmsi) == "coast"


def _as_a_coast_station(case: _Case, would: Would) -> Iterator[Step]:
    port = case.outlet.port
    step = Step(
        kind=StepKind.ACKNOWLEDGE,
        words=f"Port {port} can't acknowledge: do it at the radio itself.",
        why=_TIMING,
        not_before=_not_before(case, _floor_ns(case)),
        not_after=_ends(case),
        script=received(case.casualty, case.own),
    )
    if "ack" not in case.outlet.says:
        yield step
        return
    action = Acknowledge(distress=_distress(case))
    gated = would(_letter(case, action), case.outlet)
    against = next((one for one in gated.verdicts if one.judgement is gated.judgement), None)
    clause = "" if against is None else f"{against.agreement}/{against.rule}: {against.words}"
    if gated.judgement not in PASSES | {Judgement.DEFERRED} or not gated.verdicts:
        words = f"No acknowledgement stands ready for {port}: the agreements don't let it pass."
        yield Step(kind=StepKind.LISTEN, words=words, why=clause or "no rule says anything of it")
        return
    ready = replace(step, port=port, action=action)
    waits_ns = max(gated.until_mono_ns or 0, _floor_ns(case))
    wait_s = (waits_ns - case.now.mono_ns) / 1e9
    if wait_s > 0:
        yield replace(
            ready,
            kind=StepKind.WAIT,
            words=f"Acknowledge it on {port}, and not before its time: in {wait_s:.0f} s.",
            why=clause if gated.judgement is Judgement.DEFERRED else _TIMING,
            not_before=_not_before(case, waits_ns),
        )
    else:
        yield replace(ready, words=f"Acknowledge it on {port} now{_late(case)}.", not_before=None)


def _as_a_ship(case: _Case, would: Would) -> Iterator[Step]:
    began_ns = case.evidence.first_mono_ns
    over_ns = began_ns + round(LISTEN_S * 1e9)
    if case.now.mono_ns < over_ns:
        words = "Listen five minutes, and acknowledge by voice when no coast station does."
        yield _listening(case, words, _SHIPS, until_ns=over_ns)
        return
    action = Relay(distress=_distress(case), to=To.ALL_SHIPS)
    gated = would(_letter(case, action), case.outlet)
    on_hf = band_of(case.outlet.air.freq_hz) == "hf"
    allowed = gated.judgement in PASSES and gated.verdicts and not on_hf
    words = "Nobody has acknowledged it for five minutes: relay it to a coast station."
    if on_hf:
        words += " Never to all ships on HF."
    yield Step(
        kind=StepKind.RELAY,
        words=words,
        why="47 CFR 80.1121 (b), (c)",
        port=case.outlet.port if allowed and "relay" in case.outlet.says else None,
        action=action if allowed and "relay" in case.outlet.says else None,
        script=relayed(case.incident, case.casualty, case.own),
    )


def _listening(case: _Case, words: str, why: str, *, until_ns: int | None = None) -> Step:
    pair_hz = PAIRS_HZ.get(case.outlet.air.freq_hz or 0)
    where = "the channel that the call names" if pair_hz is None else f"{pair_hz / 1e6:g} MHz"
    return Step(
        kind=StepKind.LISTEN,
        words=f"{words} Listen on {where}.",
        why=why,
        not_after=None if until_ns is None else _utc(case.now, until_ns),
        script=() if _is_coast(case.own) else received(case.casualty, case.own),
    )


def _confirmed() -> Step:
    return Step(
        kind=StepKind.LISTEN,
        words="The casualty has cancelled. Hear it by voice, then `incident confirm-cancel`; "
        "acknowledge nothing.",
        why="47 CFR 80.335: a false alert is cancelled by voice as well",
    )


def _unknown(incident: Incident, cases: Sequence[_Case], own: Own) -> Iterator[str]:
    if own.mmsi is None:
        yield "whether this station is a coast station or a ship: `mmsi` in [transmit]"
    if incident.position is None:
        yield "where the casualty is"
    if not incident.natures:
        yield "what has happened"
    if not cases:
        yield "how to answer by radio: no port of ours has heard an alert by DSC of a known MMSI"


def _distress(case: _Case) -> Distress:
    """Return what the alert said, as far as it is still known; never what another radio has."""
    evidence = case.evidence
    at = evidence.position if evidence.position_from is None else None
    return Distress(
        mmsi=case.casualty,
        nature=evidence.natures[0] if evidence.natures else None,
        place=None if at is None else Place(lat_deg=at.lat_deg, lon_deg=at.lon_deg),
    )


def _letter(case: _Case, action: Action) -> Letter:
    issued = utc_of(case.now.utc_ns) or _SOME_TIME
    return Letter(
        command_id="advice",
        audience=case.incident.station,
        seq=1,
        issued=issued,
        not_after=issued + timedelta(seconds=FLOOR_S),
        port=case.outlet.port,
        action=action,
        about=case.incident.incident_id,
    )


def _floor_ns(case: _Case) -> int:
    """Return the moment before which it is too early; 0 on VHF, where it is never."""
    if band_of(case.outlet.air.freq_hz) == "vhf":
        return 0
    return case.evidence.first_mono_ns + round(FLOOR_S * 1e9)


def _late(case: _Case) -> str:
    ends_ns = case.evidence.first_mono_ns + round(LATEST_S * 1e9)
    on_vhf = band_of(case.outlet.air.freq_hz) == "vhf"
    return "" if on_vhf or case.now.mono_ns <= ends_ns else ": it is late for that"


def _ends(case: _Case) -> datetime | None:
    """Return until when it is in time; VHF has no such moment."""
    if band_of(case.outlet.air.freq_hz) == "vhf":
        return None
    return _utc(case.now, case.evidence.first_mono_ns + round(LATEST_S * 1e9))


def _not_before(case: _Case, mono_ns: int) -> datetime | None:
    return _utc(case.now, mono_ns) if mono_ns > case.now.mono_ns else None


def _utc(now: Moment, mono_ns: int) -> datetime | None:
    return None if now.utc_ns is None else utc_of(now.utc_ns + mono_ns - now.mono_ns)
