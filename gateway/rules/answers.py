"""How one alert by DSC is answered: by a coast station, by a ship. Proposed, never taken. Pure.

    a coast station   acknowledges on VHF at once, on MF and HF between 1 min and 2 min 45 s after
                      the call (ITU-R M.541, by a secondary source), and works it by voice
    a ship            acknowledges by voice and listens five minutes; then, on HF, it relays to a
                      coast station and never to all ships; on VHF and MF it tells a coast station
                      and relays to nobody by DSC (47 CFR 80.1117, 80.1121)

Whether a call may go out is asked of the agreements as it would be at that moment; where they say
no, or can't say, there is no call that stands ready. Words stay the same while time passes: what
stands on a broker is told anew when the step is another one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace

from gateway.codes.dates import utc_of
from gateway.codes.mmsi import mmsi_class
from gateway.model.advice import Step, StepKind
from gateway.model.inbound import Moment
from gateway.model.incident import Evidence, Incident
from gateway.model.plan import Own
from gateway.model.transmission import (
    Acknowledge,
    Action,
    Cancel,
    Distress,
    Letter,
    Place,
    Relay,
    Silence,
    To,
)
from gateway.model.verdict import PASSES, Judgement, Verdict
from gateway.rules import script
from gateway.rules.asking import Air
from gateway.rules.channels import band_of
from gateway.rules.engine import Gated
from gateway.rules.rule import Quiet

FLOOR_S = 60.0
LATEST_S = 165.0
"""On MF and HF, after the call (ITU-R M.541)."""

LISTEN_S = 300.0
"""A ship listens so long before it does anything but by voice (47 CFR 80.1121)."""

COASTS_MAX = 3
"""Coast stations to which a relay stands ready: which of them hears us, nobody knows."""

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

_DEADLINE = "ack_deadline"
_TIMING = "ITU-R M.541: MF and HF between 1 min and 2 min 45 s after the alert, VHF at once"
_SHIPS = "47 CFR 80.1117 and 80.1121: ships acknowledge by voice"
_PAIRED = "47 CFR 80.1123 (d): the paired channel"
_CANCELS = "47 CFR 80.335: by DSC on each frequency used, by voice, and to the rescue centre"
_SILENCE = "47 CFR 80.325 (c)"


class Outlet(Struct, frozen=True, kw_only=True):
    """A port of this station as far as something could be said by it."""

    port: str
    air: Air
    says: frozenset[str]
    """The actions that its radio systems have words for; none where it only receives."""


class Asks(Struct, frozen=True, kw_only=True):
    """Whatever is asked of the station while advising. Nothing is changed by asking."""

    would: Callable[[Letter, Outlet], Gated]
    """What the agreements would say of this letter now."""
    hides: Callable[[frozenset[str]], bool]
    """Whether an agreement keeps one of these names from everybody but an authority."""
    quiet: Callable[[int], Quiet | None]
    """How silence stands on a frequency."""
    coasts: tuple[str, ...] = ()
    """The coast stations that the agreements name, by their MMSI."""
    answered_ns: Callable[[str], int | None]
    """When this station has acknowledged a casualty last."""


class Case(Struct, frozen=True, kw_only=True):
    """One alert of one radio, and by which port it could be answered."""

    incident: Incident
    evidence: Evidence
    outlet: Outlet
    casualty: str
    own: Own
    now: Moment

    @property
    def called_ns(self) -> int:
        """Return when it called last: each call of a set begins a window of its own."""
        called_ns = self.evidence.alert_mono_ns
        return self.evidence.first_mono_ns if called_ns is None else called_ns

    @property
    def band(self) -> str | None:
        """Return on which band it was heard."""
        return band_of(self.outlet.air.freq_hz)


def answered(case: Case, asks: Asks) -> Iterator[Step]:
    """Yield the steps for one alert, in their order."""
    by = _acknowledged_by(case, asks)
    if case.casualty == case.own.mmsi:
        yield _own_alert(case, asks)
    elif is_coast(case.own):
        if by is None:
            yield _acknowledging(case, asks)
            yield _listening(case, "Work the casualty by voice.", _PAIRED)
        else:
            yield _listening(case, f"It is acknowledged by {by}: work it by voice.", _PAIRED)
        yield from _silence(case, asks)
    elif by is not None:
        yield _listening(case, f"It is acknowledged by {by}.", _SHIPS)
    elif is_ship(case.own):
        yield from _as_a_ship(case, asks)
    else:
        yield _listening(case, "Who answers it hangs on what this station is.", _SHIPS)


def is_coast(own: Own) -> bool:
    """Say whether this station is a coast station, by its MMSI."""
    return own.mmsi is not None and mmsi_class(own.mmsi) == "coast"


def is_ship(own: Own) -> bool:
    """Say whether it is a ship, by its MMSI."""
    return own.mmsi is not None and mmsi_class(own.mmsi) == "ship"


def letter_about(incident: Incident, outlet: Outlet, action: Action, now: Moment) -> Letter:
    """Return a letter of which the agreements are asked; nobody signs it."""
    issued = utc_of(now.utc_ns) or _SOME_TIME
    return Letter(
        command_id="advice",
        audience=incident.station,
        seq=1,
        issued=issued,
        not_after=issued + timedelta(seconds=FLOOR_S),
        port=outlet.port,
        action=action,
        about=incident.incident_id,
    )


def lets(gated: Gated) -> bool:
    """Say whether a call may go out now: something lets it pass, and nothing stands against it."""
    return gated.judgement in PASSES and bool(gated.verdicts)


def utc_at(now: Moment, mono_ns: int, *, up: bool) -> datetime | None:
    """Return a moment by the time of day, in whole seconds up or down; None where nobody knows."""
    if now.utc_ns is None:
        return None
    seconds, rest = divmod(now.utc_ns + mono_ns - now.mono_ns, 10**9)
    return utc_of((seconds + (up and rest > 0)) * 10**9)


# ---- A coast station -----------------------------------------------------------------------------


def _acknowledged_by(case: Case, asks: Asks) -> str | None:
    """Return who has signed for it since it called last: a coast station, or we."""
    at_ns = case.evidence.acknowledged_mono_ns
    if at_ns is not None and case.called_ns <= at_ns:
        return ", ".join(case.evidence.acknowledged_by)
    own_ns = asks.answered_ns(case.casualty)
    return "this station" if own_ns is not None and case.called_ns <= own_ns else None


def _acknowledging(case: Case, asks: Asks) -> Step:
    """Return when and by what to acknowledge it; never now where something isn't known."""
    port, can = case.outlet.port, "ack" in case.outlet.says
    if case.band is None:
        words = f"Nobody has said on which frequency {port} hears: whether it is time is not known."
        return Step(kind=StepKind.LISTEN, words=words, why=_TIMING)
    action = Acknowledge(distress=_distress(case))
    gated = asks.would(letter_about(case.incident, case.outlet, action, case.now), case.outlet)
    deferred = gated.judgement is Judgement.DEFERRED
    if not (deferred or lets(gated)) and (can or gated.verdicts):
        words = f"No acknowledgement stands ready for {port}: the agreements don't let it pass."
        return Step(kind=StepKind.LISTEN, words=words, why=_why_not(gated))
    called_ns = _called_ns(case, gated)
    due_ns = max(gated.until_mono_ns or 0, _floor_ns(case, called_ns))
    ends_ns = _ends_ns(case, called_ns)
    waits = deferred or due_ns > case.now.mono_ns
    how = f"on {port}" if can else f"at the radio itself, for port {port} can't"
    when = (
        ", and not before its time"
        if waits
        else " now" + (", late as it is" if _is_late(case, ends_ns) else "")
    )
    return Step(
        kind=StepKind.WAIT if waits else StepKind.ACKNOWLEDGE,
        words=f"Acknowledge it {how}{when}.",
        why="; ".join([*_clauses(gated, _DEADLINE), _TIMING]),
        not_before=utc_at(case.now, due_ns, up=True) if waits else None,
        not_after=None if ends_ns is None else utc_at(case.now, ends_ns, up=False),
        port=port if can else None,
        action=action if can else None,
        script=script.received(case.casualty, case.own),
    )


def _silence(case: Case, asks: Asks) -> Iterator[Step]:
    """Yield what may be said to keep others off the channel, where an agreement has words for it.

    The station that works the distress may say it (RNLI handbook; 47 CFR 80.325).
    """
    quiet = asks.quiet(PAIRS_HZ.get(case.outlet.air.freq_hz or 0, 0))
    if quiet is None:
        return
    channel, lift = quiet.channel, f"When the traffic is over, lift silence on {quiet.channel}"
    if quiet.phase is None:
        words = f"Where others disturb the traffic, impose silence on {channel}."
        yield _spoken(case, quiet, quiet.impose_by, words)
        return
    if quiet.phase == "silent" and quiet.restrict_by is not None:
        words = f"When others may work again with care, restrict {channel} to what can't wait."
        yield _spoken(case, quiet, quiet.restrict_by, words)
    yield _spoken(case, quiet, quiet.lift_by, f"{lift}, before the incident is closed.")


def _spoken(case: Case, quiet: Quiet, said: str, words: str) -> Step:
    lifts = said == quiet.lift_by
    return Step(
        kind=StepKind.SILENCE,
        words=words,
        why=f"{quiet.clause}; {_SILENCE}",
        port=case.outlet.port,
        action=Silence(channel=quiet.channel, words=said),
        script=script.silence(said, case.own, casualty=case.casualty if lifts else None),
    )


def _own_alert(case: Case, asks: Asks) -> Step:
    """Return how to take back an alert of this station itself; acknowledging it would do that."""
    step = Step(
        kind=StepKind.CANCEL,
        words="It is this station's own alert. Where it was false, take it back.",
        why=_CANCELS,
        script=script.cancelled(case.incident, case.own),
    )
    action = Cancel(distress=_distress(case))
    gated = asks.would(letter_about(case.incident, case.outlet, action, case.now), case.outlet)
    if not lets(gated) or "cancel" not in case.outlet.says:
        return step
    return replace(step, port=case.outlet.port, action=action)


# ---- A ship --------------------------------------------------------------------------------------


def _as_a_ship(case: Case, asks: Asks) -> Iterator[Step]:
    over_ns = case.evidence.first_mono_ns + round(LISTEN_S * 1e9)
    if case.now.mono_ns < over_ns:
        words = "Listen five minutes, and acknowledge by voice when no coast station does."
        step = _listening(case, words, _SHIPS)
        yield replace(step, not_after=utc_at(case.now, over_ns, up=True))
        return
    told = Step(
        kind=StepKind.RELAY,
        words="Nobody has acknowledged it for five minutes: tell a coast station, by voice or "
        "however it is reached. By DSC a ship relays it to nobody on this band.",
        why="47 CFR 80.1121 (b)",
        script=script.relayed(case.incident, case.casualty, case.own),
    )
    if case.band != "hf":
        yield told
        return
    words = "Nobody has acknowledged it for five minutes: relay it to a coast station"
    to = replace(told, words=f"{words}, never to all ships.", why="47 CFR 80.1121 (c)")
    ready = [*_relays(case, asks, to)]
    yield from ready or [to]


def _relays(case: Case, asks: Asks, step: Step) -> Iterator[Step]:
    """Yield a relay for each coast station that the agreements name, and let it have."""
    if "relay" not in case.outlet.says:
        return
    for coast in asks.coasts[:COASTS_MAX]:
        action = Relay(distress=_distress(case), to=To.INDIVIDUAL, address=coast)
        gated = asks.would(letter_about(case.incident, case.outlet, action, case.now), case.outlet)
        if lets(gated):
            why = "; ".join([*_clauses(gated, "relay"), step.why])
            yield replace(step, why=why, port=case.outlet.port, action=action)


# ---- Both ----------------------------------------------------------------------------------------


def _listening(case: Case, words: str, why: str) -> Step:
    pair_hz = PAIRS_HZ.get(case.outlet.air.freq_hz or 0)
    where = "the channel that the call names" if pair_hz is None else f"{pair_hz / 1e6:g} MHz"
    return Step(
        kind=StepKind.LISTEN,
        words=f"{words} Listen on {where}.",
        why=why,
        script=script.received(case.casualty, case.own) if is_ship(case.own) else (),
    )


def _distress(case: Case) -> Distress:
    """Return what the alert said, as far as it is still known; never what another radio has."""
    evidence = case.evidence
    at = evidence.position if evidence.position_from is None else None
    return Distress(
        mmsi=case.casualty,
        nature=evidence.natures[0] if evidence.natures else None,
        place=None if at is None else Place(lat_deg=at.lat_deg, lon_deg=at.lon_deg),
    )


def _called_ns(case: Case, gated: Gated) -> int:
    """Return when it called last: a clause has heard each call, an incident tells some later."""
    heard = [one.since_mono_ns or 0 for one in gated.verdicts if one.kind == _DEADLINE]
    return max(case.called_ns, *heard, 0)


def _floor_ns(case: Case, called_ns: int) -> int:
    """Return the moment before which it is too early; 0 on VHF, where it is never."""
    return 0 if case.band == "vhf" else called_ns + round(FLOOR_S * 1e9)


def _ends_ns(case: Case, called_ns: int) -> int | None:
    """Return the moment after which it is late; VHF has no such moment."""
    return None if case.band == "vhf" else called_ns + round(LATEST_S * 1e9)


def _is_late(case: Case, ends_ns: int | None) -> bool:
    return ends_ns is not None and case.now.mono_ns > ends_ns


def _clauses(gated: Gated, kind: str) -> list[str]:
    """Return the clauses of this kind that had something to say of it."""
    return [f"{one.agreement}/{one.rule}" for one in gated.verdicts if one.kind == kind]


def _why_not(gated: Gated) -> str:
    """Return what stands against it. `denied` without a verdict is a channel that nobody names."""
    against = [one for one in gated.verdicts if one.judgement is gated.judgement]
    return _said(against[0]) if against else "no agreement in force names this channel"


def _said(verdict: Verdict) -> str:
    return f"{verdict.agreement}/{verdict.rule}: {verdict.words}"
