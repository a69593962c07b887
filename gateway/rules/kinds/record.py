"""What has happened is written down, and kept for so long."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from gateway.model.agreement import EventWord, Fields, Seconds
from gateway.model.inbound import Moment
from gateway.model.verdict import Judgement
from gateway.rules.event import Event
from gateway.rules.ground import Ground
from gateway.rules.rule import Finding, Rule

STATED_S = 36 * 3600
"""A station states once a day what it keeps: one that has not for so long states nothing."""

TAMPER_EVIDENT = "tamper_evident"


class Terms(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """This station keeps such records for so long."""

    what: Fields
    """`distress`, `urgency`, `safety`, `verdicts`, …"""
    keep_s: Seconds
    """So long at the least."""
    tamper_evident: bool = False
    """Whether a change made afterwards has to show: a chain of digests does that."""


class Memory(Struct, frozen=True):
    """When it was stated last what is kept."""

    last_ns: int | None = None
    judgement: Judgement | None = None


class Record(Rule):
    """Holds what the station states of its own records against what is agreed.

    It is the station's own word, once a day: whether the records are there, and whole, proves
    whoever asks for them. Without its word for a day and a half it is `unknown`.
    """

    terms = Terms
    memory = Memory

    def __init__(self, terms: Terms, ground: Ground) -> None:
        del ground
        self._terms = terms
        self._last_ns: int | None = None
        self._judgement: Judgement | None = None

    def hears(self) -> frozenset[EventWord]:
        """Hear what the station keeps."""
        return frozenset({EventWord.RECORDED})

    def hear(self, event: Event) -> Iterator[Finding]:
        """Compare it with what is agreed; the same again is not said again."""
        if event.fact is None:
            return
        wrong = self._wrong(event.fact.fields, event.fact.lasts_s)
        judgement = Judgement.VIOLATION if wrong else Judgement.OK
        before, self._judgement = self._judgement, judgement
        self._last_ns = event.at.mono_ns
        if judgement is not before:
            words = "; ".join(wrong) or "what is agreed is kept"
            yield Finding(judgement=judgement, subject=_RECORDS, words=words)

    def tick(self, now: Moment) -> Iterator[Finding]:
        """Say that nobody has stated anything for too long."""
        if self._last_ns is None:
            self._last_ns = now.mono_ns
        silent_ns = now.mono_ns - self._last_ns
        if silent_ns >= STATED_S * 10**9 and self._judgement is not Judgement.UNKNOWN:
            self._judgement = Judgement.UNKNOWN
            words = f"nothing has stated for {STATED_S // 3600} hours what is kept"
            yield Finding(
                judgement=Judgement.UNKNOWN, subject=_RECORDS, words=words, since_ns=self._last_ns
            )

    def otherwise(self) -> str:
        """Return what is kept, and for how long."""
        terms = self._terms
        evident = ", so that a change made afterwards shows" if terms.tamper_evident else ""
        return f"{', '.join(terms.what)} is kept for {_days(terms.keep_s)} or longer{evident}."

    def keep(self) -> Memory:
        """Return what was stated last."""
        return Memory(self._last_ns, self._judgement)

    def restore(self, kept: Struct) -> None:
        """Take it up."""
        if isinstance(kept, Memory):
            self._last_ns, self._judgement = kept.last_ns, kept.judgement

    def _wrong(self, fields: tuple[str, ...], lasts_s: float | None) -> tuple[str, ...]:
        terms = self._terms
        missing = [one for one in terms.what if one not in fields]
        found = []
        if missing:
            found.append(f"{', '.join(missing)} is not kept")
        if lasts_s is None or lasts_s < terms.keep_s:
            kept = (
                "nobody says for how long"
                if lasts_s is None
                else f"it is kept for {_days(lasts_s)}"
            )
            found.append(f"{kept}: {_days(terms.keep_s)} agreed")
        if terms.tamper_evident and TAMPER_EVIDENT not in fields:
            found.append("a change made afterwards would not show")
        return tuple(found)


_RECORDS = "records"


def _days(seconds: float) -> str:
    """Return days; with the seconds over, for a figure that is rounded can look like another."""
    days, over_s = divmod(seconds, 86_400)
    return f"{days:.0f} days and {over_s:.15g} s" if over_s else f"{days:.0f} days"


KIND = Record
