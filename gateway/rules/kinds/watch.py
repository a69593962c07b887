"""Somebody listens on a channel, and it can be shown that they do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from msgspec import Meta, Struct
from msgspec.structs import replace

from gateway.model.agreement import Channels, EventWord, Parties, PartName, Seconds
from gateway.model.asked import Fact
from gateway.model.inbound import Moment
from gateway.model.verdict import Judgement
from gateway.rules.event import Event
from gateway.rules.evidence import HEARTBEAT, HEARTBEAT_S
from gateway.rules.ground import Ground
from gateway.rules.hours import Hours, Schedule, whole_days
from gateway.rules.rule import Finding, Rule

DECODED = "decoded_call"
"""What anything that was heard is evidence of: the receiver of this station is not deaf."""


class Terms(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Each of these parties listens on these channels, and something shows it every so often."""

    channels: Channels
    who: Annotated[Parties, Meta(min_length=1)]
    mode: Literal["all", "any", "at_least"] = "all"
    """On all of the channels, on any one of them, or on `count` of them."""
    count: Annotated[int, Meta(ge=1, le=64)] = 1
    """With `at_least`, on how many."""
    hours: Hours = ()
    """When the watch is due, UTC; none for always."""
    max_gap_s: Seconds = 60.0
    """So long after the last evidence the watch has lapsed."""
    evidence: tuple[PartName, ...] = ()
    """What shows that a receiver hears: `decoded_call` is anything that was heard, and of others
    the receiver says itself what it is; none for any."""
    exempt: tuple[Literal["own_transmission"], ...] = ()
    """While it sends, a station hears nothing: the gap begins anew, but no later than one gap after
    the last evidence. A deaf radio is told within two, however often it sends."""
    min_availability: Annotated[float, Meta(ge=0, le=1, examples=[0.999])] | None = None
    """The share of a month in which the watch was kept; A.1001 asks for 0.999 of satellites."""

    @property
    def needed(self) -> int | None:
        """On how many of the channels together; None where it has to be on each."""
        return {"all": None, "any": 1, "at_least": self.count}[self.mode]


class Seen(Struct, frozen=True, kw_only=True, gc=False):
    """The last evidence of one party on one channel."""

    party: str
    channel: str
    heard_ns: int
    """Before the first evidence, when it was first waited for."""
    last_ns: int
    """From here on the gap counts: the evidence, or what was sent after it."""
    by: str = ""
    """What it was; empty when there has been none yet."""


class Kept(Struct, frozen=True, kw_only=True, gc=False):
    """How one watch stands."""

    subject: str
    judgement: Judgement
    since_ns: int


class Memory(Struct, frozen=True):
    """All of it."""

    seen: tuple[Seen, ...] = ()
    kept: tuple[Kept, ...] = ()


class Watch(Rule):
    """Waits for evidence of each receiver, and says when a watch lapses and when it is kept again.

    `unknown` until the first evidence; `violation` where there has been none for `max_gap_s`, from
    the first moment on; `ok` with the next one. Once a month is over, and the station has said what
    it came to (`watch_month`), it says whether that is what is agreed. The station counts, for it
    sees a receiver go deaf; what nobody knows, a restart say, counts as not kept.
    """

    terms = Terms
    memory = Memory

    def __init__(self, terms: Terms, ground: Ground) -> None:
        self._terms = terms
        self._channels = tuple(sorted(ground.dial.named(terms.channels)))
        self._who = tuple(sorted(ground.rolls.named(terms.who)))
        self._own = frozenset(ground.rolls.own)
        self._schedule = Schedule(terms.hours)
        self._gap_ns = round(terms.max_gap_s * 1e9)
        self._by_ear = not terms.evidence or DECODED in terms.evidence
        self._seen: dict[tuple[str, str], Seen] = {}
        self._kept: dict[str, Kept] = {}
        self._name = ground.name_of(terms)

    def hears(self) -> frozenset[EventWord]:
        """Hear whatever shows that a receiver hears, or can't."""
        words = {EventWord.WATCH_EVIDENCE}
        if self._by_ear:
            words.add(EventWord.HEARD)
        if self._terms.exempt:
            words.add(EventWord.TRANSMITTED)
        if self._terms.min_availability is not None:
            words.add(EventWord.WATCH_MONTH)
        return frozenset(words)

    def hear(self, event: Event) -> Iterator[Finding]:
        """Take note of evidence; a watch that was not kept is, from then on. Judge a month."""
        if EventWord.WATCH_MONTH in event.words:
            yield from self._month_over(event.fact)
            return
        if event.channel not in self._channels:
            return
        parties = event.by if EventWord.WATCH_EVIDENCE in event.words else tuple(self._own)
        for party in self._who:
            if party not in parties:
                continue
            known = self._seen.get((party, event.channel))
            if known is not None and self._is_over(known, event.at):
                # No tick has come between the end of the gap and this: it is said all the same.
                yield from self._looked(party, event.at)
            if EventWord.TRANSMITTED in event.words:
                self._sent(known, event.at)
                continue
            by = self._evidence(event)
            if by:
                self._note(party, event.channel, event.at.mono_ns, by)
                yield from self._looked(party, event.at)

    def tick(self, now: Moment) -> Iterator[Finding]:
        """Say which watch has lapsed."""
        for party in self._who:
            yield from self._looked(party, now)

    def flaws(self) -> Iterator[str]:
        """Find a watch that can't be kept, or that nobody keeps."""
        terms = self._terms
        if terms.mode == "at_least" and terms.count > len(self._channels):
            yield f"`count` is {terms.count}, and there are {len(self._channels)} channels"
        if not self._who:
            yield "`who` names no party"
        if not terms.max_gap_s:
            yield "`max_gap_s` is 0: no watch is ever kept"
        elif terms.max_gap_s <= HEARTBEAT_S and HEARTBEAT in terms.evidence:
            words = f"and a modem gives `{HEARTBEAT}` every {HEARTBEAT_S:g} s: agree on more"
            yield f"`max_gap_s` is {terms.max_gap_s:g}, {words}"
        for entry in whole_days(terms.hours):
            yield f"`hours` has {entry}, which is the whole day: leave the key out"

    def otherwise(self) -> str:
        """Return how often something shows that they listen."""
        terms = self._terms
        where = {
            "all": " and ".join(terms.channels),
            "any": " or ".join(terms.channels),
            "at_least": f"{terms.count} of {', '.join(terms.channels)}",
        }
        due = f", from {' and '.join(terms.hours)} UTC" if terms.hours else ""
        least = terms.min_availability
        share = "" if least is None else f"; in a month for {least:.2%} of the time at the least"
        return (
            f"Something shows a watch of {' and '.join(terms.who)} on {where[terms.mode]}{due}, and"
            f" again sooner than {terms.max_gap_s:g} s after it{share}."
        )

    def keep(self) -> Memory:
        """Return how each watch stands."""
        return Memory(tuple(self._seen.values()), tuple(self._kept.values()))

    def restore(self, kept: Struct) -> None:
        """Take it up."""
        if isinstance(kept, Memory):
            self._seen = {(one.party, one.channel): one for one in kept.seen}
            self._kept = {one.subject: one for one in kept.kept}

    def _evidence(self, event: Event) -> str:
        """Return what kind of evidence this is; nothing when it is none that is agreed."""
        if EventWord.HEARD in event.words:
            return DECODED
        by = "" if event.fact is None else event.fact.words or "a sign"
        return by if not self._terms.evidence or by in self._terms.evidence else ""

    def _sent(self, known: Seen | None, now: Moment) -> None:
        """Let the gap begin anew for who has shown before that they hear; what has lapsed stays so.

        Sending shows nothing: it puts the end of the watch off, and never by more than one gap.
        """
        if known is not None and known.by and not self._is_over(known, now):
            last_ns = min(now.mono_ns, known.heard_ns + self._gap_ns)
            self._seen[known.party, known.channel] = replace(known, last_ns=last_ns)

    def _is_over(self, seen: Seen, now: Moment) -> bool:
        return now.mono_ns - seen.last_ns >= self._gap_ns

    def _note(self, party: str, channel: str, at_ns: int, by: str) -> None:
        seen = Seen(party=party, channel=channel, heard_ns=at_ns, last_ns=at_ns, by=by)
        self._seen[party, channel] = seen

    def _looked(self, party: str, now: Moment) -> Iterator[Finding]:
        """Say how the watch of a party stands, where that has changed."""
        due = self._schedule.holds(now)
        for subject, channels, needed in self._watches(party):
            if due is False:
                self._rest(subject, party, channels)
                continue
            judgement, words = self._judged(party, channels, needed, now)
            if due is None:
                judgement = Judgement.UNKNOWN
                words = f"nobody knows whether {party} has to listen now: the time is not known"
            known = self._kept.get(subject)
            if known is not None and known.judgement is judgement:
                continue
            since_ns = now.mono_ns
            self._kept[subject] = Kept(subject=subject, judgement=judgement, since_ns=since_ns)
            yield Finding(judgement=judgement, subject=subject, words=words, since_ns=since_ns)

    def _watches(self, party: str) -> Iterator[tuple[str, tuple[str, ...], int]]:
        """Yield what is watched over: its subject, its channels, and how many of them it needs."""
        needed = self._terms.needed
        if needed is None:
            for channel in self._channels:
                yield f"watch:{party}/{channel}", (channel,), 1
        else:
            yield f"watch:{party}", self._channels, needed

    def _rest(self, subject: str, party: str, channels: tuple[str, ...]) -> None:
        """Nothing is due now: what comes when it is again begins anew."""
        known = self._kept.get(subject)
        if known is not None and known.judgement is not Judgement.EXEMPT:
            self._kept[subject] = replace(known, judgement=Judgement.EXEMPT)
        for channel in channels:
            self._seen.pop((party, channel), None)

    def _judged(
        self, party: str, channels: tuple[str, ...], needed: int, now: Moment
    ) -> tuple[Judgement, str]:
        kept: list[Seen] = []
        waited: list[Seen] = []
        for channel in channels:
            if (party, channel) not in self._seen:
                self._note(party, channel, now.mono_ns, "")
            seen = self._seen[party, channel]
            if not self._is_over(seen, now):
                (kept if seen.by else waited).append(seen)
        where = channels[0] if len(channels) == 1 else f"{needed} of {', '.join(channels)}"
        if len(kept) >= needed:
            shown = ", ".join(f"{seen.by} on {seen.channel}" for seen in kept[:needed])
            return Judgement.OK, f"{party} listens on {where}: {shown}"
        agreed = f"{self._terms.max_gap_s:g} s at the most are agreed"
        if len(kept) + len(waited) >= needed:
            return Judgement.UNKNOWN, f"nothing has shown yet that {party} listens on {where}"
        words = f"nothing shows that {party} listens on {where}"
        return Judgement.VIOLATION, f"{words}: {agreed} between two signs"

    def _month_over(self, fact: Fact | None) -> Iterator[Finding]:
        """Judge what the station says that a month of one of these watches came to."""
        agreed = self._terms.min_availability
        if fact is None or fact.month is None or fact.about != self._name or agreed is None:
            return
        month = fact.month
        unknown = f", and of {month.unknown:.3%} nobody knows" if month.unknown else ""
        kept = f"in {month.month} it was kept for {month.kept:.3%} of the time{unknown}"
        yield Finding(
            judgement=Judgement.OK if month.kept >= agreed else Judgement.VIOLATION,
            subject=f"availability:{fact.words}/{month.month}",
            words=f"{kept}: {agreed:.3%} agreed",
        )


KIND = Watch
