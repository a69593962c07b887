"""The line between two parties: signs of life, trials, receipts, and words of people.

What comes in is hostile until it is read: it is of the party of this line and of nobody else,
whatever it says; it costs a bounded piece of work; it is handed on as a fact for the rules, and
never passed on to anybody as something heard. Nothing that is told elsewhere waits for it.
"""

from __future__ import annotations

import asyncio
import random
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator
from enum import Enum
from typing import Any

import msgspec
from msgspec import Struct

from gateway.clock import Clock
from gateway.log import Log
from gateway.model.bounds import Bound
from gateway.model.hotline import LineMessage, LineWord, Shared, is_pressing
from gateway.mqtt.bus import Bus, Incoming, LinkLost, Outgoing, PublishRefused
from gateway.mqtt.payload import CONTENT_TYPES
from gateway.mqtt.topics import ROOT, Topics, TopicUnsafe, level
from gateway.normalise import utc_of
from gateway.pulse import PULSE_S, Pulse
from gateway.rules.sharing import LineTerms

LOOK_S = 0.5
"""How often it is looked what is due: a heartbeat is late by no more."""

MESSAGE_BYTES_MAX = 16_384
"""Of one message of the other party; a distress with all that is known of it is a tenth."""

PAUSE_S = 1.0
BURST = 60
"""One message a second is taken, and so many more at once; the rest waits at the broker. Each is
kept for days, and this bounds what another party can make us keep."""

AGAIN_S = 60.0
"""A check that nobody has answered is made again after this."""

UNSAID_MAX = 32
"""Words of officers that wait for the line."""

UNSAID_S_MAX = 60.0
"""And for how long: what is said later than that may be about something that is over."""

TOLD_MAX = 1024
"""What was shared and may still be signed for; the oldest is forgotten."""

SIGNED_S_MAX = 30.0
"""Until the broker has signed, or the connection is known to have ended."""


class Sign(Enum):
    """What shows how the line stands."""

    OURS = "ours"
    THEIRS = "theirs"
    CUT = "cut"
    """There is no connection, and so at neither end a sign of life."""


class Taken(Struct, frozen=True):
    """A message of the other party that was read."""

    word: LineWord
    message_id: str
    about: str | None = None
    said: LineMessage | None = None
    shared: Shared | None = None
    lasts_s: float | None = None
    """Of the answer to a check."""


class LineCount(Struct):
    """What became of what was said over the line."""

    heard: int = 0
    refused: int = 0
    receipts: int = 0
    unsaid: int = 0
    checks_unanswered: int = 0
    check_s: float | None = None
    heard_ns: int | None = None


class Hotline:
    """One line to one party, over one broker."""

    def __init__(  # noqa: PLR0913  # each is a door of its own, opened in one place
        self,
        terms: LineTerms,
        topics: Topics,
        *,
        station: str,
        form: str,
        bus: Bus,
        taken: Callable[[Taken], None],
        stands: Callable[[Sign], None],
        clock: Clock,
        log: Log,
        jitter: random.Random,
    ) -> None:
        self.terms = terms
        self._topics = topics
        self._station = station
        self._form: Any = msgspec.json if form == "json" else msgspec.msgpack
        self._content_type = CONTENT_TYPES[form]
        self.bus = bus
        self._taken = taken
        self._stands = stands
        self._clock = clock
        self._log = log.bind(party=terms.party)
        self._jitter = jitter
        self._beat_ns = self._check_ns = 0
        self._trial: tuple[str, int] | None = None
        self._up = False
        self._unsaid: deque[tuple[int, LineWord, LineMessage]] = deque()
        self._told: OrderedDict[str, str] = OrderedDict()
        self._forgotten = 0
        self._paid_ns = 0
        self._said_why: str | None = None
        self.count = LineCount()
        self.pulse = Pulse(clock)

    async def run(self) -> None:
        """Keep the line, for ever."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._speak(), name="hotline: speak")
            group.create_task(self._listen(), name="hotline: listen")

    def told(self, shared: Shared) -> None:
        """Take note of what has crossed: the other party may sign for it."""
        self._told[shared.message_id] = shared.about
        self._told.move_to_end(shared.message_id)
        if len(self._told) > TOLD_MAX:
            self._told.popitem(last=False)
            self._forgotten += 1

    def say(self, word: LineWord, message: LineMessage) -> None:
        """Say what a person has stated to the other party, as soon as the line is there."""
        if len(self._unsaid) >= UNSAID_MAX:
            self._unsaid.popleft()
            self.count.unsaid += 1
        self._unsaid.append((self._clock.now().mono_ns, word, message))

    def bounds(self) -> Iterator[Bound]:
        """Yield what waits for the line, and what may still be signed for."""
        yield Bound(
            of="Hotline._unsaid",
            what="unsaid_words",
            held=len(self._unsaid),
            limit=UNSAID_MAX,
            rule="the oldest is given up, and counted",
        )
        yield Bound(
            of="Hotline._told",
            what="shared",
            held=len(self._told),
            limit=TOLD_MAX,
            rule="the oldest is forgotten: a receipt for it is refused",
            evicted=self._forgotten,
        )

    def new_id(self) -> str:
        """Return a name for a message that no other has."""
        return f"{self._jitter.getrandbits(128):032x}"

    async def _speak(self) -> None:
        while True:
            self.pulse.beat(SIGNED_S_MAX + PULSE_S)
            now_ns = self._clock.now().mono_ns
            if self.bus.connected:
                await self._say_what_is_due(now_ns)
            if self._up != self.bus.connected:
                self._up = self.bus.connected
                if not self._up:
                    self._stands(Sign.CUT)
            self._give_up(now_ns)
            await self._clock.sleep(LOOK_S)

    async def _say_what_is_due(self, now_ns: int) -> None:
        terms = self.terms
        if now_ns >= self._beat_ns:
            if not await self._publish(LineWord.HEARTBEAT):
                return
            self._beat_ns = now_ns + round(terms.heartbeat_s * 1e9)
            self._stands(Sign.OURS)  # the broker has signed for it
        if terms.check_s is not None and now_ns >= self._check_ns:
            await self._check(now_ns, terms.check_s)
        while self._unsaid:
            _, word, message = self._unsaid[0]
            if not await self._publish(word, message):
                return
            self._unsaid.popleft()

    async def _check(self, now_ns: int, check_s: float) -> None:
        """Try the line, if the other end gives signs of life at all."""
        heard_ns = self.count.heard_ns
        if heard_ns is None:
            return
        if self._trial is not None:
            self.count.checks_unanswered += 1
        self._trial = self.new_id(), self._clock.now().mono_ns
        await self._publish(LineWord.CHECK, message_id=self._trial[0])
        self._check_ns = now_ns + round(min(AGAIN_S, check_s) * 1e9)

    def _give_up(self, now_ns: int) -> None:
        while self._unsaid and now_ns - self._unsaid[0][0] > UNSAID_S_MAX * 1e9:
            self._unsaid.popleft()
            self.count.unsaid += 1

    async def _publish(
        self,
        word: LineWord,
        message: LineMessage | None = None,
        *,
        message_id: str | None = None,
        re: str | None = None,
        about: str | None = None,
    ) -> bool:
        """Say a word; False when the line is gone."""
        if message is None:
            message = LineMessage(
                station=self._station,
                message_id=message_id or self.new_id(),
                re=re,
                about=about,
                said_utc=utc_of(self._clock.now().utc_ns),
            )
        outgoing = Outgoing(
            topic=self._topics.hotline(self.terms.party, word),
            payload=self._form.encode(message),
            qos=1,
            content_type=self._content_type,
        )
        try:
            await self.bus.publish(outgoing)
        except LinkLost:
            return False
        except PublishRefused as refused:
            self._log.warning("line_refused", reason=str(refused))
        return True

    async def _listen(self) -> None:
        async for incoming in self.bus.received():
            found = self._read(incoming)
            if isinstance(found, str):
                self._refuse(found)
            else:
                await self._take(found)
            pause_s = self._pause_s()
            if pause_s > 0:
                await self._clock.sleep(pause_s)

    def _pause_s(self) -> float:
        """Return how long to wait after a message: nothing as long as few have come."""
        now_ns = self._clock.now().mono_ns
        self._paid_ns = max(self._paid_ns, now_ns) + round(PAUSE_S * 1e9)
        return max((self._paid_ns - now_ns) / 1e9 - BURST * PAUSE_S, 0.0)

    def _read(self, incoming: Incoming) -> Taken | str:
        """Return what the other party says, or why it is not taken."""
        word = self._word_of(incoming.topic)
        if word is None:
            return "it came on another topic"
        if incoming.retained:
            return "the broker had kept it: what is said on the line is of now"
        if len(incoming.payload) > MESSAGE_BYTES_MAX:
            return f"it is longer than {MESSAGE_BYTES_MAX} bytes"
        as_json = incoming.payload.lstrip(b" \t\r\n")[:1] == b"{"
        form: Any = msgspec.json if as_json else msgspec.msgpack
        try:
            if word is LineWord.SHARED:
                shared = form.decode(incoming.payload, type=Shared)
                return Taken(word, shared.message_id, shared.about, shared=shared)
            said = form.decode(incoming.payload, type=LineMessage)
        except (msgspec.MsgspecError, ValueError, RecursionError) as error:
            return f"it can't be read: {error}"[:200]
        return self._answering(Taken(word, said.message_id, said.about, said=said))

    def _answering(self, taken: Taken) -> Taken | str:
        """Return what answers something of ours, with what that was; a word of its own as it is."""
        re = None if taken.said is None else taken.said.re
        if taken.word is LineWord.RECEIPT:
            about = None if re is None else self._told.pop(re, None)
            if about is None:
                return "it signs for nothing that waits to be signed for"
            return Taken(taken.word, taken.message_id, about, said=taken.said)
        if taken.word is LineWord.ECHO:
            if self._trial is None or re != self._trial[0]:
                return "it answers no check of ours"
            now_ns = self._clock.now().mono_ns
            lasts_s = (now_ns - self._trial[1]) / 1e9
            self._trial, self.count.check_s = None, lasts_s
            self._check_ns = now_ns + round((self.terms.check_s or AGAIN_S) * 1e9)
            return Taken(taken.word, taken.message_id, said=taken.said, lasts_s=lasts_s)
        return taken

    async def _take(self, taken: Taken) -> None:
        self.count.heard += 1
        self._said_why = None
        if taken.word is LineWord.HEARTBEAT:
            self._alive()
        elif taken.word is LineWord.CHECK:
            await self._publish(LineWord.ECHO, re=taken.message_id)
        else:
            self.count.receipts += taken.word is LineWord.RECEIPT
            self._taken(taken)
            if taken.shared is not None and is_pressing(taken.shared):
                await self._publish(LineWord.RECEIPT, re=taken.message_id)

    def _alive(self) -> None:
        """Take a sign of life; one that comes far too soon after the last is none, and not kept."""
        now_ns, last_ns = self._clock.now().mono_ns, self.count.heard_ns
        if last_ns is None or now_ns - last_ns >= self.terms.heartbeat_s * 1e9 / 2:
            self.count.heard_ns = now_ns
            self._stands(Sign.THEIRS)

    def _word_of(self, topic: str) -> LineWord | None:
        """Return what is said on a topic of the line; None for any other, and for our own."""
        begin, _, rest = topic.partition(f"{ROOT}/")
        station, _, tail = rest.partition(f"/hotline/{self.terms.own}/")
        try:
            is_theirs = not begin and level(station) != self._station
            return LineWord(tail) if is_theirs and tail != LineWord.ROUTINE else None
        except (TopicUnsafe, ValueError):
            return None

    def _refuse(self, why: str) -> None:
        self.count.refused += 1
        # Said once, not each time: who floods us with them shall not flood the log.
        say = self._log.debug if why == self._said_why else self._log.warning
        say("line_message_refused", reason=why)
        self._said_why = why


def listens_to(own: str) -> tuple[str, ...]:
    """Return the topics on which a party is spoken to; nobody has to listen to the routine."""
    words = (word for word in LineWord if word is not LineWord.ROUTINE)
    return tuple(f"{ROOT}/+/hotline/{level(own)}/{word}" for word in words)
