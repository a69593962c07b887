"""The lines to other parties: what may cross at each, and what the rules hear of it.

A line belongs to one party of one agreement. Whatever comes over it is a fact by that party, kept
and judged like what a person states; it is no report, and goes to no other link as one.
"""

from __future__ import annotations

import random
from collections import OrderedDict
from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping, Sequence
from functools import partial
from hashlib import blake2b

from msgspec import Struct
from msgspec.structs import replace

from gateway.app.outside import Outside
from gateway.app.views import link_status
from gateway.clock import Clock
from gateway.log import Log
from gateway.model.agreement import EventWord
from gateway.model.asked import Fact
from gateway.model.bounds import Bound
from gateway.model.command import Command, Outcome, OutcomeState, StatementCommand
from gateway.model.hotline import (
    SAID_BY_PEOPLE,
    LineMessage,
    LineStatus,
    LineWord,
    Shared,
    is_pressing,
)
from gateway.model.plan import LinkPlan, StationPlan
from gateway.model.status import LinkStatus
from gateway.model.transmission import Ordered
from gateway.mqtt.border import Border
from gateway.mqtt.commands import Followed, Obey
from gateway.mqtt.hotline import Hotline, Sign, Taken, listens_to
from gateway.mqtt.link import Carrier, Link
from gateway.mqtt.linkstate import LinkState
from gateway.mqtt.sieve import Sieve
from gateway.mqtt.topics import Topics
from gateway.normalise import utc_of
from gateway.pipeline import Pipeline
from gateway.pulse import Pulse
from gateway.rules.sharing import LineTerms, is_ours, line_to, policies_to

HEARD_MAX = 4096
"""Messages that are known again when they come over a second line: minutes of them."""

WORDS_MAX = 500
FIELDS_MAX = 64
"""Of what another party tells, as it is kept."""

_WORDS = {word: said for said, word in SAID_BY_PEOPLE.items()}


class Line(Struct):
    """One link to another party."""

    plan: LinkPlan
    border: Border
    hotline: Hotline | None
    carrier: Carrier


class Lines:
    """Every link of a station to another party."""

    def __init__(  # noqa: PLR0913  # each is a door of its own, opened in one place
        self,
        plans: Sequence[LinkPlan],
        rooms: Pipeline,
        *,
        station: str,
        makes: Carrier,
        clock: Clock,
        log: Log,
        jitter: random.Random,
    ) -> None:
        self._rooms = rooms
        self._station = station
        self.state: Callable[[Fact], object] = rooms.state
        """What has the rules hear a fact, and keeps it as soon as there is somewhere to."""
        self._makes = makes
        self._clock = clock
        self._log = log
        self._jitter = jitter
        self._heard: OrderedDict[str, None] = OrderedDict()
        self._forgotten = 0
        self._lines = {plan.name: self._line(plan) for plan in plans if plan.party is not None}

    def carrier(self, link: str) -> Carrier:
        """Return what makes the connections of a link: over the border where it is a party's."""
        line = self._lines.get(link)
        return self._makes if line is None else line.carrier

    def duties(self) -> Iterator[tuple[str, Callable[[], Coroutine[None, None, None]]]]:
        """Return the duties of each line."""
        for name, line in self._lines.items():
            if line.hotline is not None:
                yield f"line {name}", line.hotline.run
                yield f"line {name} connection", line.hotline.bus.run

    def pulses(self) -> Iterator[tuple[str, Pulse]]:
        """Return the pulse of each line."""
        for name, line in self._lines.items():
            if line.hotline is not None:
                yield f"line {name}", line.hotline.pulse

    def bounds(self) -> Iterator[Bound]:
        """Yield what is remembered of each line."""
        for line in self._lines.values():
            if line.hotline is not None:
                yield from line.hotline.bounds()
        yield Bound(
            of="Lines._heard",
            what="line_messages",
            held=len(self._heard),
            limit=HEARD_MAX,
            rule="the oldest is forgotten: over another line it would be heard once more",
            evicted=self._forgotten,
        )

    def standing(self, links: Iterable[Link], outbox: Mapping[str, int]) -> dict[str, LinkStatus]:
        """Return how each link stands, and how much it has yet to tell."""
        states = [link.state() for link in links]
        return {state.name: self._status(state, outbox[state.name]) for state in states}

    def _status(self, state: LinkState, queued: int) -> LinkStatus:
        """Return how a link stands, with what became of it at the border."""
        line, status = self._lines.get(state.name), link_status(state, queued)
        if line is None:
            return status
        count, hotline = line.border.count, line.hotline
        return replace(
            status,
            crossed=count.crossed,
            stayed=count.stayed,
            withheld=dict(count.withheld),
            line=None if hotline is None else self._line_status(hotline),
        )

    async def obeying(self, command: Command | Ordered, obey: Obey) -> Outcome | Followed:
        """Have a command obeyed; what an officer states to another party is said to it as well."""
        outcome = await obey(command)
        if isinstance(command, StatementCommand) and isinstance(outcome, Outcome):
            self._say(command, outcome)
        return outcome

    def _say(self, command: StatementCommand, outcome: Outcome) -> None:
        word = _WORDS.get(command.what)
        taken = outcome.state is OutcomeState.ACCEPTED and not outcome.again
        if word is None or not taken or command.by is not None:
            return
        for line in self._lines.values():
            hotline = line.hotline
            if hotline is None or command.to != hotline.terms.party:
                continue
            if command.channel in {hotline.terms.channel, hotline.terms.endpoint}:
                hotline.say(word, self._letter(command, hotline))

    def _line(self, plan: LinkPlan) -> Line:
        engine = self._rooms.docket.bench.engines.get(plan.agreement or "")
        party, topics = str(plan.party), Topics(self._station)
        terms = None if engine is None else line_to(engine, party)
        sieve = Sieve(
            topics.hotline(party, LineWord.SHARED).removesuffix(f"/{LineWord.SHARED}"),
            () if engine is None else policies_to(engine, party),
            station=self._station,
            agreement=plan.agreement or "",
            ours=lambda craft, system: engine is not None and is_ours(engine, craft, system),
        )
        line: Line

        def crossed(shared: Shared) -> None:
            if line.hotline is not None and is_pressing(shared):
                line.hotline.told(shared)

        border = Border(sieve, clock=self._clock, crossed=crossed)
        line = Line(plan, border, None, border.carrier(self._makes))
        if terms is not None:
            line.hotline = self._hotline(terms, line, topics)
        return line

    def _hotline(self, terms: LineTerms, line: Line, topics: Topics) -> Hotline:
        bus = line.carrier(
            line.plan,
            lane="hotline",
            clock=self._clock,
            log=self._log,
            jitter=self._jitter,
            topics=listens_to(terms.own),
        )
        return Hotline(
            terms,
            topics,
            station=self._station,
            form=line.plan.payload,
            bus=bus,
            taken=partial(self._taken, terms),
            stands=partial(self._stands, terms),
            clock=self._clock,
            log=self._log.bind(link=line.plan.name),
            jitter=self._jitter,
        )

    def _stands(self, terms: LineTerms, sign: Sign) -> None:
        """Let the rules hear a sign of life, or that the line is cut."""
        now = self._clock.now()
        ends = {Sign.OURS: (terms.own,), Sign.THEIRS: (terms.party,)}
        for by in ends.get(sign, (terms.own, terms.party)):
            fact = Fact(
                fact_id=_named(f"{terms.agreement}/{by}/{now.mono_ns}"),
                what=EventWord.LINK_LOST if sign is Sign.CUT else EventWord.HEARTBEAT,
                at=now,
                by=by,
                channel=terms.channel,
            )
            self.state(fact)

    def _taken(self, terms: LineTerms, taken: Taken) -> None:
        """Let the rules hear what the other party says, and keep it."""
        name = _named(f"{terms.agreement}/{terms.party}/{taken.word}/{taken.message_id}")
        if name in self._heard:
            return
        self._heard[name] = None
        if len(self._heard) > HEARD_MAX:
            self._heard.popitem(last=False)
            self._forgotten += 1
        self.state(self._fact(terms, taken, name))

    def _fact(self, terms: LineTerms, taken: Taken, name: str) -> Fact:
        fact = Fact(
            fact_id=name,
            what=EventWord.TOLD,
            at=self._clock.now(),
            by=terms.party,
            to=terms.own,
            channel=terms.channel,
            about=taken.about,
        )
        if taken.shared is not None:
            shared = taken.shared
            told = tuple(sorted(shared.fields))[:FIELDS_MAX]
            return replace(fact, person=shared.station, words=_in_words(shared), fields=told)
        if taken.word is LineWord.ECHO:  # we have tried it, and they have answered
            return replace(
                fact,
                what=EventWord.COMM_CHECK,
                by=terms.own,
                to=terms.party,
                lasts_s=taken.lasts_s,
            )
        if taken.word is LineWord.RECEIPT:
            return replace(fact, what=EventWord.RECEIPT)
        said = taken.said
        if said is None:
            return fact
        return replace(
            fact,
            what=SAID_BY_PEOPLE[taken.word],
            person=said.station,
            words=said.words or "",
            fields=said.fields,
            starts_in_s=said.starts_in_s,
        )

    def _letter(self, command: StatementCommand, hotline: Hotline) -> LineMessage:
        return LineMessage(
            station=self._station,
            message_id=hotline.new_id(),
            about=command.about,
            words=command.words,
            fields=command.fields,
            starts_in_s=command.starts_in_s,
            said_utc=utc_of(self._clock.now().utc_ns),
        )

    def _line_status(self, hotline: Hotline) -> LineStatus:
        count, now_ns = hotline.count, self._clock.now().mono_ns
        heard_ns = count.heard_ns
        return LineStatus(
            party=hotline.terms.party,
            connected=hotline.bus.connected,
            heard_s=None if heard_ns is None else round((now_ns - heard_ns) / 1e9, 1),
            check_s=None if count.check_s is None else round(count.check_s, 3),
            checks_unanswered=count.checks_unanswered,
            heard=count.heard,
            refused=count.refused,
            receipts=count.receipts,
            unsaid=count.unsaid,
        )


def lines_of(  # each is a door of its own, opened in one place
    plan: StationPlan,
    rooms: Pipeline,
    outside: Outside,
    clock: Clock,
    log: Log,
    dice: random.Random,
) -> Lines:
    """Return the lines of a station as it is configured."""
    return Lines(
        plan.links,
        rooms,
        station=plan.station,
        makes=outside.carrier,
        clock=clock,
        log=log,
        jitter=dice,
    )


def _named(text: str) -> str:
    return blake2b(text.encode(), digest_size=16).hexdigest()


def _in_words(shared: Shared) -> str:
    """Return what another party has shared as a sentence for who is on watch, all on one line."""
    names = ("kind", "nature", "casualty", "sender", "position", "subject", "words", "time")
    told = [f"{name} {_value(shared.fields[name])}" for name in names if name in shared.fields]
    text = f"{shared.what}: {', '.join(told)}"
    return "".join(one if one.isprintable() else " " for one in text)[:WORDS_MAX]


def _value(value: object) -> str:
    """Return a value in words; only what has a place in a sentence, and not much of it."""
    if isinstance(value, dict):
        return " ".join(
            f"{key}={one}" for key, one in value.items() if isinstance(one, str | float)
        )
    return str(value)[:200]
