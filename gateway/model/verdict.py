"""What a rule of an agreement says."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from msgspec import Struct


class Judgement(StrEnum):
    """What a rule says. Absent or stale input is `unknown`, never `ok`."""

    OK = "ok"
    """As agreed."""
    VIOLATION = "violation"
    """Not as agreed."""
    AT_RISK = "at_risk"
    """Not yet; or so near a limit that the clock can't say on which side."""
    DENIED = "denied"
    """This station may not transmit it."""
    DEFERRED = "deferred"
    """Not before `until`."""
    EXEMPT = "exempt"
    """Another rule, which is named, goes before this one."""
    UNKNOWN = "unknown"
    """Something is missing that it would have to know: `words` say what."""


PASSES = frozenset({Judgement.OK, Judgement.EXEMPT})
"""What leaves nothing to be put right."""


class Verdict(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What one rule of one agreement says, of whom, since when, and by what evidence."""

    agreement: str
    version: str
    digest: str
    rule: str
    kind: str
    judgement: Judgement
    subject: str
    """What it is about: a craft `mmsi:…`, a pair, a channel, a party, a request."""
    words: str
    """The reason as a sentence for a person."""
    mono_ns: int
    """When it was said."""
    utc: datetime | None = None
    since_mono_ns: int | None = None
    """Since when it is so."""
    until_mono_ns: int | None = None
    """Of `deferred`: not before; of what is still awaited: not after."""
    evidence: tuple[str, ...] = ()
    """Reports, facts and requests that it rests on, by their ids."""
    by: str | None = None
    """Of `exempt`: the rule that goes before."""


class VerdictNote(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A verdict as it is kept, and told on `ruling/<agreement>/<rule>`."""

    verdict_id: str
    """The same for the same verdict, on replay and for everybody who can make it. 32 hexadecimal
    digits."""
    verdict: Verdict
    was: Judgement | None = None
    """What stood of this subject until now; None when nothing did."""
    request: str | None = None
    """The order to transmit that it was given on, by its `command_id`: such a verdict is kept and
    signed for, whatever it says."""
    untold: int = 0
    """Verdicts of this rule that were given since the last one told, and are only counted: more
    come than anybody reads."""
