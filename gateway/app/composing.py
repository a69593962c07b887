"""From a letter to the bytes that say it to the modem of one port."""

from __future__ import annotations

from gateway.framing import framer_named
from gateway.model.plan import Own, PortPlan
from gateway.model.transmission import CannotSay, Letter, Saying, tag_of
from gateway.radio import Composer, composer_named, words_for


def composed(letter: Letter, plan: PortPlan, own: Own, number: int) -> tuple[bytes, ...]:
    """Return the bytes for this port's modem, message by message; so many it was handed before.

    Raises:
        CannotSay: none of the radio systems of the port has words for it.
    """
    profile = plan.profile
    saying = Saying(
        action=letter.action,
        own=own,
        command_id=letter.command_id,
        not_after_s=int(letter.not_after.timestamp()),
        framing=profile.framing,
        dialect=profile.dialect,
        freq_hz=profile.freq_hz,
        number=number,
    )
    wrap = framer_named(profile.framing).wrap
    return tuple(wrap(body) for body in _composer(plan, tag_of(letter.action)).compose(saying))


def says_of(plan: PortPlan) -> frozenset[str]:
    """Return the actions that the radio systems of a port have words for, by their `type`."""
    profile = plan.profile
    return frozenset(words_for(profile.radio, profile.framing, profile.dialect))


def _composer(plan: PortPlan, action: str) -> Composer:
    """Return the first system of the port that has words for this."""
    known: list[str] = []
    for name in plan.profile.radio:
        composer = composer_named(name)
        if composer is not None and action in composer.says:
            return composer
        known += () if composer is None else composer.says
    says = f"it says {', '.join(known)}" if known else "it is only received"
    why = f"{' and '.join(plan.profile.radio)} has no words for `{action}`: {says}"
    raise CannotSay(why)
