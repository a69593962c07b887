"""The way back: a signed letter becomes a transmission, at most once and never against the rules.

    taken     it can be said, its port can say it, and no agreement denies it now
    waits     for its turn, its channel and the moment that the agreements name
    gate      the agreements are asked once more, and give leave, or don't
    intent    what is about to be done is on disk, with every verdict, before the first byte
    port      the bytes, once
    outcome   kept and told, stage by stage

Everything here fails closed: without a disk, an agreement or a modem that is known, nothing is
transmitted. What is heard never waits for any of it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct

from gateway.app.answers import answer_of, is_of_link
from gateway.app.automatic import acknowledgement
from gateway.app.composing import composed
from gateway.app.echoes import Echoes
from gateway.app.ruling import RuleKeeper
from gateway.app.stages import Order, Signed, Stages, outcome_of, permitted_note, unordered
from gateway.app.taking import Compose, Taking
from gateway.app.telling import JOURNAL_S_MAX, Teller
from gateway.app.twins import Twins
from gateway.app.unfinished import Unfinished
from gateway.clock import Clock
from gateway.journal.standing import StandingJournal
from gateway.log import Log
from gateway.model.bounds import Bound
from gateway.model.command import FINAL, Outcome, OutcomeState
from gateway.model.entry import Item
from gateway.model.inbound import Moment, Ruling, Sighting
from gateway.model.plan import StationPlan
from gateway.model.transmission import Acknowledge, Drill, Silence, TransmissionNote
from gateway.model.verdict import Judgement, Verdict
from gateway.model.words import Relation
from gateway.normalise import utc_of
from gateway.points import reached
from gateway.pulse import PULSE_S, Pulse
from gateway.rules.asking import is_link_test, spoken_of, told_of
from gateway.rules.docket import Gate
from gateway.rules.governor import Governor, Wish
from gateway.transport import TransmitRefused, WireLost, WriteStalled
from gateway.transport.supervisor import Port

LOOK_S = 0.05
"""How often it is looked whether something may begin, while anything waits."""

LOOK_NS = round(LOOK_S * 1e9)

REST_S = 1.0
"""And while nothing does."""

BEGINNING = "the gateway has only begun: what the last run left is not known yet"
USED = "its command_id is that of another order: give each a name of its own"


class Taken(Struct, frozen=True):
    """What came of handing in a letter, and where what comes later is told."""

    outcome: Outcome
    stages: Stages | None = None


class Transmitting:
    """All that this station transmits."""

    def __init__(  # noqa: PLR0913  # each is a door of its own, opened in one place
        self,
        plan: StationPlan,
        ports: Mapping[str, Port],
        journal: StandingJournal,
        *,
        told: tuple[Teller, RuleKeeper],
        compose: Compose = composed,
        clock: Clock,
        log: Log,
    ) -> None:
        self._station = plan.station
        self._acknowledges = frozenset(plan.transmit.acknowledges)
        self._ports = ports
        self._taking = Taking(plan, ports, compose)
        self._teller, self._rules = told
        self._clock = clock
        self._log = log
        self.governor = Governor(plan.transmit)
        self.unfinished = Unfinished(journal, clock=clock, log=log)
        self._orders: dict[str, Order] = {}
        """What waits, or is being transmitted."""
        self._followed: dict[str, Stages] = {}
        self._echoes = Echoes(plan.transmit)
        self._twins = Twins(plan.transmit)
        self._exercising = False
        self._wanted = asyncio.Event()
        self.pulse = Pulse(clock)

    async def run(self) -> None:
        """Say what became of what the last run left; then transmit what is due, for ever."""
        if not self.unfinished.begun:
            self.pulse.rest()  # the disk has the next move; until it stands, every order is refused
            left = await self.unfinished.begin(self.governor)
            self._teller.keep(left)
            for note in left:
                self.unfinished.settle(note)
        async with asyncio.TaskGroup() as group:
            while True:
                self.pulse.beat(REST_S + PULSE_S)
                self._expire()
                while (wish := self.governor.turn(self._clock.now().mono_ns)) is not None:
                    order = self._orders[wish.request_id]
                    gate = self._gate(order)
                    if gate is not None:
                        group.create_task(self._transmit(order, gate), name=wish.request_id)
                self._wanted.clear()
                await self._wait(LOOK_S if self._orders else REST_S)

    def take(self, signed: Signed) -> Taken:
        """Take a letter that somebody with the authority has signed, or say why not."""
        letter, now = signed.letter, self._clock.now()
        if isinstance(letter.action, Drill):
            return Taken(self._drill(signed, letter.action, now))
        if isinstance(letter.action, Silence):
            return Taken(self._silence(signed, letter.action, now))
        found = self._taken(signed, now)
        if isinstance(found, TransmissionNote):
            return Taken(self._told(found))
        refused = self._first_gate(found, now) or self.governor.refuse(found.wish)
        if isinstance(refused, str):
            refused = found.note(OutcomeState.REFUSED, now, reason=refused)
        if refused is not None:
            return Taken(self._told(refused))
        pushed = self.governor.put(found.wish)
        if pushed is not None:
            self._fail(pushed, now, OutcomeState.FAILED, "it gave way to what is graver")
        self._orders[found.command_id] = found
        note = found.note(OutcomeState.ACCEPTED, now)
        self.unfinished.waits(note)
        first = self._told(note)
        stages = self._followed[found.command_id] = Stages()
        self._wanted.set()
        return Taken(first, stages)

    def heard(self, items: Sequence[Item]) -> None:
        """Take note of who is on the air; what we hear of ourselves confirms that it went out."""
        for item in items:
            if not isinstance(item, Ruling):
                continue
            answer = answer_of(item.sighting.report, self._ports, self._echoes)
            if answer is not None:
                self._ended(answer.order.note(answer.stage, self._clock.now(), reason=answer.why))
            if item.sighting.relation is not Relation.COPY:
                self._heard(item.sighting)

    def answered_ns(self, casualty: str) -> int | None:
        """Return when this station has acknowledged a casualty last; None when it has not."""
        return self._twins.answered_ns(casualty)

    def bounds(self) -> Iterator[Bound]:
        """Yield what waits here."""
        yield from self.governor.bounds()
        yield from self._echoes.bounds()
        yield from self._twins.bounds()

    async def _wait(self, rest_s: float) -> None:
        """Wait until something new is ordered, but not for long."""
        try:
            async with asyncio.timeout(rest_s):
                await self._wanted.wait()
        except TimeoutError:
            return

    def _heard(self, sighting: Sighting) -> None:
        report = sighting.report
        now, port = self._clock.now(), report.heard.port
        self._twins.heard(report, now.mono_ns)
        order = self._echoes.heard(report, now.mono_ns)
        if order is not None:
            why = f"heard by port {port}"
            self._ended(order.note(OutcomeState.CONFIRMED, now, reason=why))
        elif not (self._echoes.is_own(report) or is_of_link(report)):
            self.governor.heard(self._taking.channel(port), now.mono_ns)
            if port in self._acknowledges:
                self._acknowledge(sighting, now)

    def _acknowledge(self, sighting: Sighting, now: Moment) -> None:
        """Acknowledge by ourselves what a machine may, unless our twin has."""
        letter = acknowledgement(sighting, self._station, now)
        if letter is None or not isinstance(letter.action, Acknowledge):
            return
        casualty = letter.action.distress.mmsi
        if casualty is None or not self._twins.acknowledged(casualty, now.mono_ns):
            self.take(Signed(letter=letter))

    # ---- Taken ---------------------------------------------------------------------------------

    def _taken(self, signed: Signed, now: Moment) -> Order | TransmissionNote:
        """Return the order with its bytes; why there is none, as it is kept."""
        found: Order | str = BEGINNING
        if signed.letter.command_id in self._orders:
            found = USED
        elif self.unfinished.begun:
            again = self._twins.refuse(signed.letter, now.mono_ns)
            found = again or self._taking.order(signed, now, exercising=self._exercising)
        if isinstance(found, Order):
            return found
        return unordered(signed, OutcomeState.REFUSED, now, reason=found)

    def _first_gate(self, order: Order, now: Moment) -> TransmissionNote | None:
        """Ask the agreements at once: who is denied shall not wait to hear it."""
        gate = self._asked(order, now)
        judgement = gate.gated.judgement
        if gate.permit is not None:
            return None
        until_ns = gate.gated.until_mono_ns
        if judgement is Judgement.DEFERRED and until_ns is not None:
            if until_ns <= order.load.not_after_mono_ns:
                return None
            late_s = (until_ns - order.load.not_after_mono_ns) / 1e9
            words = f"{_why(gate)[1]}; that is {late_s:.0f} s after its end: order it again then"
            return order.note(OutcomeState.REFUSED, now, reason=words, clause=_why(gate)[0])
        clause, words = _why(gate)
        self._teller.keep(gate.notes)
        return order.note(OutcomeState.REFUSED, now, reason=words, clause=clause)

    def _drill(self, signed: Signed, drill: Drill, now: Moment) -> Outcome:
        """Begin or end an exercise."""
        self._exercising = drill.what == "start"
        return self._told(
            unordered(signed, OutcomeState.ACCEPTED, now, say=f"exercise {drill.what}")
        )

    def _silence(self, signed: Signed, silence: Silence, now: Moment) -> Outcome:
        """Have the rules hear what was spoken on a channel, if they have a word for it there."""
        unheard = self._rules.unheard(silence.channel, silence=True)
        if unheard is not None:
            return self._told(unordered(signed, OutcomeState.REFUSED, now, reason=unheard))
        person = next(iter(signed.persons), None)
        self._rules.state(spoken_of(signed.letter, silence, now, person))
        say = f'"{silence.words}" on {silence.channel}'
        return self._told(unordered(signed, OutcomeState.ACCEPTED, now, say=say))

    # ---- Due -----------------------------------------------------------------------------------

    def _asked(self, order: Order, now: Moment) -> Gate:
        return self._rules.gate(self._taking.request(order, now), order.load)

    def _gate(self, order: Order) -> Gate | None:
        """Return the leave for what is due; None where it has to wait, or is denied now."""
        now = self._clock.now()
        gate = self._asked(order, now)
        if gate.permit is not None:
            self.governor.begin(order.wish, now.mono_ns)
            return gate
        clause, words = _why(gate)
        until_ns = gate.gated.until_mono_ns
        if gate.gated.judgement is Judgement.DEFERRED and until_ns is not None:
            until = None if now.utc_ns is None else now.utc_ns + until_ns - now.mono_ns
            self.governor.defer(order.command_id, max(until_ns, now.mono_ns + LOOK_NS))
            note = order.note(
                OutcomeState.QUEUED, now, reason=words, clause=clause, until=utc_of(until)
            )
            self._told(note)
            return None
        self.governor.drop(order.command_id)
        self._teller.keep(gate.notes)
        self._ended(order.note(OutcomeState.REFUSED, now, reason=words, clause=clause))
        return None

    async def _transmit(self, order: Order, gate: Gate) -> None:
        """Write down what is about to be done; then hand the bytes to the port, once."""
        if gate.permit is None:
            return
        try:
            now = self._clock.now()
            ids = [note.verdict_id for note in gate.notes]
            note = permitted_note(order.note(OutcomeState.TRANSMITTING, now), gate.permit, ids)
            # In this order: of what is kept as under way the next run knows that it was.
            remembered = self.unfinished.begins(note, self.governor)
            answers = self._teller.keep([*gate.notes, note])
            reached("transmit.intended")
            if not await self._committed(remembered, *answers):
                why = f"the disk has not taken it within {JOURNAL_S_MAX:g} s"
                self._ended(order.note(OutcomeState.FAILED, self._clock.now(), reason=why))
                return
            reached("transmit.committed")
            self._tell(note)
            handed = await self._handed(order, gate)
            if handed.stage is OutcomeState.TRANSMITTED:
                self._echoes.sent(order, handed.mono_ns)
            self._ended(handed)
            reached("transmit.ended")
        finally:
            self.governor.end(order.wish)

    async def _handed(self, order: Order, gate: Gate) -> TransmissionNote:
        """Hand the bytes to the port; return what came of it."""
        port = self._ports[order.signed.letter.port]
        stage, why, now = OutcomeState.TRANSMITTED, None, self._clock.now()
        try:
            if gate.permit is not None:
                await port.transmit(gate.permit, order.data)
        except TransmitRefused as refused:
            stage, why = OutcomeState.FAILED, str(refused)
        except (WireLost, WriteStalled) as lost:
            stage, why = OutcomeState.UNKNOWN, f"{lost}: some of it may have gone out"
        except Exception as bug:  # noqa: BLE001  # whatever it is, the next order is transmitted
            self._log.exception("transmission_failed", command_id=order.command_id)
            stage, why = OutcomeState.UNKNOWN, f"fault of ours: {type(bug).__name__}"
        reached("transmit.handed")
        begun, now = now, self._clock.now()
        if stage is OutcomeState.TRANSMITTED:
            if is_link_test(order.signed.letter.action):
                port.state.tested_mono_ns = begun.mono_ns  # whoever listens waits for the answer
            else:
                self._state(order, now)
        return order.note(stage, now, reason=why)

    def _state(self, order: Order, now: Moment) -> None:
        """Have the rules hear that this station has transmitted."""
        self._twins.sent(order.signed.letter, now.mono_ns)
        self._rules.state(told_of(self._taking.request(order, now)))

    async def _committed(self, *answers: asyncio.Future[Any]) -> bool:
        """Say whether the disk has all of it, in time."""
        await asyncio.wait(answers, timeout=JOURNAL_S_MAX)
        return all(one.done() and one.exception() is None for one in answers)

    def _expire(self) -> None:
        now = self._clock.now()
        for wish in self.governor.over(now.mono_ns):
            words = "its end came before its turn"
            self._fail(wish, now, OutcomeState.EXPIRED, words)
        for order in self._echoes.over(now.mono_ns):
            stages = self._followed.pop(order.command_id, None)
            if stages is not None:
                stages.end()

    # ---- Told ----------------------------------------------------------------------------------

    def _fail(self, wish: Wish, now: Moment, stage: OutcomeState, why: str) -> None:
        self._ended(self._orders[wish.request_id].note(stage, now, reason=why))

    def _ended(self, note: TransmissionNote) -> None:
        """Keep and tell what became of an order; it is remembered no more."""
        self._orders.pop(note.command_id, None)
        self._told(note)
        self.unfinished.settle(note)
        if note.stage in FINAL:
            self._followed.pop(note.command_id, None)

    def _told(self, note: TransmissionNote) -> Outcome:
        """Keep a stage, and tell it."""
        self._teller.keep([note])
        return self._tell(note)

    def _tell(self, note: TransmissionNote) -> Outcome:
        outcome = outcome_of(note, self._station)
        self._log.info(
            "transmission", command_id=note.command_id, stage=note.stage, reason=note.reason
        )
        stages = self._followed.get(note.command_id)
        if stages is not None:
            stages.tell(outcome)
        return outcome


def _why(gate: Gate) -> tuple[str | None, str]:
    """Return the rule that stands against it, and its words."""
    found: Sequence[Verdict] = gate.gated.verdicts
    against = next((one for one in found if one.judgement is gate.gated.judgement), None)
    if against is None and gate.gated.judgement is Judgement.UNKNOWN:
        return None, BEGINNING
    if against is None:
        return None, "no agreement in force names this channel, and lets this pass"
    return f"{against.agreement}/{against.rule}", against.words
