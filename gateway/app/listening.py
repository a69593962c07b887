"""Whether this station listens, and how that is shown: seen twice a second at every port.

What a receiver shows of itself is told to the rules as facts. Each channel that an agreement has
somebody watch stands on `watch/<channel>`, and a receiver that is deaf raises an alarm, whether an
agreement names its channel or not. What is usual at each hour, and what each month came to, is
remembered in the journal.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

import msgspec
from msgspec.structs import replace

from gateway.app.ruling import RuleKeeper
from gateway.app.telling import Teller
from gateway.clock import Clock
from gateway.health.board import Board
from gateway.journal.failed import JournalFailed
from gateway.journal.standing import StandingJournal
from gateway.log import Log
from gateway.model.agreement import EventWord
from gateway.model.asked import Fact
from gateway.model.bounds import Bound
from gateway.model.entry import Item
from gateway.model.inbound import Moment, Ruling
from gateway.model.plan import PortPlan, StationPlan
from gateway.model.status import AlertName
from gateway.pulse import PULSE_S, Pulse
from gateway.rules.docket import Docket
from gateway.rules.evidence import HEARTBEAT_S_MAX, Line, Receiver
from gateway.rules.hearing import listens
from gateway.rules.usual import UsualKept
from gateway.rules.watching import WatchesKept, Watching, duties_of, gap_of, modes_of, tuned_of
from gateway.transport.supervisor import PortState

LOOK_S = 0.5
"""How often ports are looked at: a second of a gap is the least that anybody agrees on."""

TELL_NS = 10 * 10**9
"""A channel is told anew at least this often: its evidence ages."""

KEEP_S = 60.0
"""How often it is written down. A run that ends by force loses a minute of a month: nobody knows
of it, so it counts as not available."""

WAIT_S = 0.25
"""How often it is seen whether the journal stands."""

USUAL = "listening:usual/"
"""And the name of a port, its modem and what it is tuned to: of another receiver, or another
channel, nothing is known. Names of rules have no colon."""

MONTHS = "listening:months"

OPEN = ("open", "silent")
"""States of a port that is listened to."""

TEXT = (
    "{ports}. Calls on {its} channel are missed: have somebody listen by ear, then look at power, "
    "antenna and cable"
)


class Listening:
    """The eye on the receivers of this station."""

    def __init__(  # noqa: PLR0913  # each is a door of its own, opened in one place
        self,
        plan: StationPlan,
        ports: Mapping[str, PortState],
        docket: Docket,
        journal: StandingJournal,
        *,
        told: tuple[Teller, RuleKeeper],
        board: Board,
        clock: Clock,
        log: Log,
    ) -> None:
        self._plans = {port.name: port for port in plan.ports if listens(port)}
        self._ports = ports
        self._docket = docket
        self._journal = journal
        self._teller, self._rules = told
        self._board = board
        self._clock = clock
        self._log = log
        duties = duties_of(docket.bench, tuned_of(plan.ports))
        self.receivers = {
            name: Receiver(
                name,
                heartbeat_s=_heartbeat_s(port),
                gap_s=gap_of(duties, name),
                modes=modes_of(duties, name),
            )
            for name, port in self._plans.items()
        }
        self._usual = {_usual_of(port): name for name, port in self._plans.items()}
        self.watching = Watching(duties, self.receivers)
        self._rules.told = self.watching.stated
        self._began = clock.now()
        self._begun = False
        """Whether it is known what the run before remembered."""
        self._due_ns = 0
        self._trouble: str | None = None
        self.pulse = Pulse(clock)

    async def run(self) -> None:
        """Look, for ever; what is remembered is taken up beside it, for a disk may hang."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._remember(), name="listening: remember")
            while True:
                self.pulse.beat(LOOK_S + PULSE_S)
                self.look()
                await self._clock.sleep(LOOK_S)

    def heard(self, items: Sequence[Item]) -> None:
        """Take what a receiver has told of; an exercise is on no air."""
        for item in items:
            if isinstance(item, Ruling):
                report = item.sighting.report
                receiver = self.receivers.get(report.heard.port)
                if receiver is not None:
                    now = self._clock.now()
                    receiver.heard(report, replace(now, mono_ns=report.heard.mono_ns))

    def look(self) -> None:
        """See how each receiver is, and tell what has changed."""
        now = self._clock.now()
        for name, receiver in self.receivers.items():
            receiver.look(_line(self._ports[name]), now)
            self._tell_rules(receiver, now)
        changed = self.watching.tick(now)
        due = now.mono_ns >= self._due_ns
        if due:
            self._due_ns = now.mono_ns + TELL_NS
        for channel in self.watching.channels if due else sorted(changed):
            self._teller.retain(f"watch/{channel}", self.watching.channel(channel, now))
        self._alarm(now)
        self._tell_months(now)

    def bounds(self) -> list[Bound]:
        """Return how many watches are followed."""
        return [*self.watching.bounds()]

    def end(self) -> None:
        """Have all of it written down."""
        if self._begun:
            self._hand_over()

    async def _remember(self) -> None:
        """Take up what was remembered once there is a journal; then write it down, for ever."""
        if not self._begun:
            self._take_up(await self._recalled())
            self._begun = True
        while True:
            await self._clock.sleep(KEEP_S)
            await asyncio.wait({self._hand_over()})

    async def _recalled(self) -> Mapping[str, bytes]:
        while True:
            while not self._journal.stands:
                await self._clock.sleep(WAIT_S)
            try:
                return (await self._journal.recalled()).words
            except JournalFailed as failed:
                self._log.error("listening_not_read", reason=failed.reason)
                await self._clock.sleep(WAIT_S)

    def _take_up(self, words: Mapping[str, bytes]) -> None:
        gone: dict[str, bytes | None] = {}
        for name, word in words.items():
            try:
                if name == MONTHS:
                    self._take_up_months(msgspec.msgpack.decode(word, type=WatchesKept))
                elif name.startswith(USUAL):
                    port = self._usual.get(name)
                    if port is None:
                        gone[name] = None
                    else:
                        kept = msgspec.msgpack.decode(word, type=UsualKept)
                        self.receivers[port].usual.restore(kept, self._clock.now())
            except msgspec.DecodeError:
                self._log.error("listening_begins_anew", name=name)
        if gone:
            self._take(self._journal.remember(gone, urgent=False))

    def _take_up_months(self, kept: WatchesKept) -> None:
        """Go on with the months, and take off what nobody watches any more."""
        self.watching.restore(kept, self._clock.boot, self._began)
        for channel in sorted(set(kept.channels) - set(self.watching.channels)):
            self._teller.retain(f"watch/{channel}", None)

    def _hand_over(self) -> asyncio.Future[None]:
        words: dict[str, bytes | None] = {
            name: msgspec.msgpack.encode(self.receivers[port].usual.keep())
            for name, port in self._usual.items()
        }
        kept = self.watching.keep(self._clock.boot, self._clock.now())
        words[MONTHS] = msgspec.msgpack.encode(kept)
        return self._take(self._journal.remember(words, urgent=False))

    def _take(self, answer: asyncio.Future[None]) -> asyncio.Future[None]:
        answer.add_done_callback(self._answered)
        return answer

    def _answered(self, answer: asyncio.Future[None]) -> None:
        if not answer.cancelled() and (failed := answer.exception()) is not None:
            self._log.warning("listening_not_remembered", reason=str(failed))

    def _tell_rules(self, receiver: Receiver, now: Moment) -> None:
        """Have the rules hear what shows that a receiver hears."""
        freq_hz = self._plans[receiver.port].profile.freq_hz
        if freq_hz is None or not self._docket.begun or not self._docket.bench.engines:
            return
        for kind, at_ns in receiver.news():
            fact = Fact(
                fact_id=f"watch-{receiver.port}-{kind}-{at_ns}",
                what=EventWord.WATCH_EVIDENCE,
                at=now,
                freq_hz=freq_hz,
                mode=self._plans[receiver.port].profile.on_air,
                words=kind,
            )
            self._rules.state(fact)

    def _tell_months(self, now: Moment) -> None:
        """Have the rules hear what a month came to that is over: it is on tape, and they judge."""
        if not (self._begun and self._docket.begun):
            return
        for one in self.watching.over(now):
            fact = Fact(
                fact_id=f"month-{one.clause}-{one.whose}-{one.month.month}",
                what=EventWord.WATCH_MONTH,
                at=now,
                by=one.party,
                about=one.clause,
                words=one.whose,
                month=one.month,
            )
            self._rules.state(fact)

    def _alarm(self, now: Moment) -> None:
        deaf = [(name, one.deaf(now)) for name, one in self.receivers.items()]
        words = [f"port {name} is deaf: {one.words}" for name, one in deaf if one is not None]
        its = "its" if len(words) == 1 else "their"
        trouble = TEXT.format(ports="; ".join(words), its=its) if words else None
        self._board.alarm(AlertName.DEAF, trouble, anew=trouble != self._trouble)
        self._trouble = trouble


def _usual_of(port: PortPlan) -> str:
    return f"{USUAL}{port.name}/{port.modem}/{port.profile.freq_hz or ''}"


def _heartbeat_s(port: PortPlan) -> float | None:
    return port.profile.silence_s or HEARTBEAT_S_MAX if port.profile.hello else None


def _line(state: PortState) -> Line:
    return Line(
        is_open=state.state in OPEN,
        opened_ns=state.opened_mono_ns,
        is_silent=state.state == "silent",
        last_byte_ns=state.last_byte_mono_ns,
        last_error=state.last_error,
        tested_ns=state.tested_mono_ns,
    )
