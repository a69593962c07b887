"""A channel is for one thing, and nothing else is ever sent on it."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from gateway.model.agreement import Channels, EventWord, Fields, Parties, PartName
from gateway.model.asked import Request
from gateway.model.verdict import Judgement
from gateway.rules.emissions import SPEECH, VOICE, is_voice, mode_of
from gateway.rules.event import Event
from gateway.rules.ground import Ground
from gateway.rules.purposes import purposes_of, purposes_of_request
from gateway.rules.rule import Finding, Rule


class Terms(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """These channels serve these purposes in these modes, and are kept free of all else."""

    channels: Channels
    purposes: Fields
    modes: tuple[PartName, ...] = ()
    """dsc, ais, or emissions of voice; none for any."""
    who: Parties = ()
    """Who alone may use them; none for everybody."""


class ExclusiveUse(Rule):
    """Takes each use of the channels for an intrusion until its mode, purpose and user are known.

    `violation` for a mode, a purpose or a user that the channel is not for; `unknown` where one of
    them is not told. In that it is stricter than `allowed_use`, which lets an untold mode pass.
    """

    terms = Terms

    def __init__(self, terms: Terms, ground: Ground) -> None:
        self._terms = terms
        self._channels = ground.dial.named(terms.channels)
        self._who = ground.rolls.named(terms.who)
        self._own = ground.rolls.own
        self._dial = ground.dial
        self._plan = ground.agreement.channels
        self._by_voice = any(is_voice(mode) for mode in terms.modes)

    def hears(self) -> frozenset[EventWord]:
        """Hear every use of a channel, by radio or by what people say was spoken."""
        return SPEECH | {EventWord.USE}

    def hear(self, event: Event) -> Iterator[Finding]:
        """Say what the channel was used for that it is not for, or what nobody can tell of it."""
        if event.channel not in self._channels:
            return
        untold = EventWord.SPOKEN in event.words and not (event.fact and event.fact.fields)
        purposes = None if untold else purposes_of(event)
        judged = self._judged(mode_of(event), purposes, event.by)
        if judged is not None:
            judgement, why = judged
            words = f"{event.channel} was used, and {why}"
            yield Finding(judgement=judgement, subject=event.subject, words=words)

    def gate(self, request: Request) -> Finding | None:
        """Deny what the channel is not for."""
        channel = self._dial.of(request)
        if channel not in self._channels:
            return None
        by = self._own if request.by is None else (request.by,)
        judged = self._judged(request.mode, purposes_of_request(request), by)
        subject = request.request_id
        if judged is None:
            words = f"{channel} is for {request.purpose}"
            return Finding(judgement=Judgement.OK, subject=subject, words=words)
        judgement, why = judged
        if judgement is Judgement.VIOLATION:
            judgement = Judgement.DENIED
        words = f"{channel} can't be used: {why}"
        return Finding(judgement=judgement, subject=subject, words=words)

    def flaws(self) -> Iterator[str]:
        """Find channels that are none, and those that their own mode has no place on."""
        for name in sorted(self._channels):
            channel = self._plan.get(name)
            if channel is None or channel.endpoint is not None:
                yield f"`{name}` is no channel of a radio: nothing is ever heard on it"
            elif self._terms.modes and channel.mode and self._is_barred(channel.mode):
                yield f"`{name}` has mode {channel.mode}, which is none of `modes`"
        if self._terms.who and not self._who:
            yield "`who` names no party"

    def _judged(
        self, mode: str | None, purposes: frozenset[str] | None, by: tuple[str, ...]
    ) -> tuple[Judgement, str] | None:
        """Return what is wrong, surely so first; None when all is known and as agreed."""
        terms = self._terms
        if mode is not None and self._is_barred(mode):
            return Judgement.VIOLATION, f"it is for {', '.join(terms.modes)} alone, not for {mode}"
        if purposes is not None and purposes.isdisjoint(terms.purposes):
            return Judgement.VIOLATION, f"it is for {', '.join(terms.purposes)} alone"
        if by and self._who and self._who.isdisjoint(by):
            return Judgement.VIOLATION, f"it is for {', '.join(terms.who)} alone, not for {by[0]}"
        untold = [
            what
            for what, is_untold in (
                ("in which mode", mode is None and bool(terms.modes)),
                ("for what", purposes is None),
                ("by whose station", not by and bool(self._who)),
            )
            if is_untold
        ]
        if not untold:
            return None
        return Judgement.UNKNOWN, f"nobody knows {' and '.join(untold)}"

    def _is_barred(self, mode: str) -> bool:
        modes = self._terms.modes
        if not modes or mode in modes:
            return False
        return mode != VOICE or not self._by_voice


KIND = ExclusiveUse
