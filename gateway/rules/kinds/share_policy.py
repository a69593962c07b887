"""What may cross to another party, field by field."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from msgspec import Meta, Struct

from gateway.model.agreement import Metres, Parties, PartName, Seconds
from gateway.model.asked import Request
from gateway.model.verdict import Judgement
from gateway.model.words import Urgency
from gateway.rules.crossing import Policy
from gateway.rules.ground import Ground
from gateway.rules.rule import Finding, Rule


class Terms(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """To these parties goes nothing but this, and none of those fields."""

    to: Annotated[Parties, Meta(min_length=1)]
    """Who is on the other side."""
    allow: tuple[PartName, ...] = ()
    """Kinds of messages; none for all. What is of distress always may."""
    redact: tuple[PartName, ...] = ()
    """Fields that never cross, not even with a call for help."""
    position_grid_m: Metres = 0.0
    """Places go as the middle of a square of this size; those of distress as they are known."""
    max_age_s: Seconds | None = None
    """What is older stays here; None for any age."""
    purposes: tuple[PartName, ...] = ()
    """For what alone the other party may use it: told to people, and checked by nobody."""


class SharePolicy(Rule):
    """Denies a transmission to the party that holds what may not cross.

    One of distress is never denied, and told what to leave out. The place where a link to that
    party publishes asks `gateway.rules.crossing` for the fields of each message, by the `policy`
    of this rule.
    """

    terms = Terms

    def __init__(self, terms: Terms, ground: Ground) -> None:
        self._terms = terms
        self.parties = ground.rolls.named(terms.to)
        """Whom it is about."""
        self._rolls = ground.rolls
        self.policy = Policy(
            allow=frozenset(terms.allow) if terms.allow else None,
            redact=frozenset(terms.redact),
            position_grid_m=terms.position_grid_m,
            max_age_s=terms.max_age_s,
        )

    def gate(self, request: Request) -> Finding | None:
        """Deny what may not cross."""
        if self.parties.isdisjoint(self._rolls.named(request.to)):
            return None
        redacted = sorted(self.policy.redact.intersection(request.fields))
        allow, to = self.policy.allow, ", ".join(request.to)
        words, wrong = f"{request.purpose} may cross to {to}", True
        if request.category is Urgency.DISTRESS:
            wrong = False
            words = f"{words}, without {', '.join(redacted)}" if redacted else words
        elif redacted:
            words = f"{', '.join(redacted)} may not cross to {to}"
        elif allow is not None and request.purpose not in allow:
            words = f"{request.purpose} is none of what may cross: {', '.join(self._terms.allow)}"
        else:
            wrong = False
        judgement = Judgement.DENIED if wrong else Judgement.OK
        return Finding(judgement=judgement, subject=request.request_id, words=words)

    def flaws(self) -> Iterator[str]:
        """Find clauses by which everything crosses, or that name nobody."""
        terms = self._terms
        if not (terms.allow or terms.redact or terms.position_grid_m or terms.max_age_s):
            yield "everything may cross as it is: nothing is asked"
        if not self.parties:
            yield "`to` names no party"


KIND = SharePolicy
