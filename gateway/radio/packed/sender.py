"""What a modem is told, and what of it still wants an answer. docs/LINK.md, section 3.

    say    awaited: said again after 1 s, three times in all, then given up; ACK or NAK settles it
    tell   done
    test   awaited once, one at a time: the same bytes back within 1 s prove the line

Bodies come out, for a framing to wrap; nothing here writes to a port, and time is handed in. What
can't be said is refused with a reason, never dropped: whoever asked still has it.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from gateway.model.bounds import Bound
from gateway.model.inbound import Moment
from gateway.radio.packed.letters import Letter, write_letter
from gateway.radio.packed.packet import (
    NUMBERS,
    Packet,
    PacketKind,
    read_packet,
    write_packet,
)

AGAIN_NS = 10**9
"""Without an answer for so long a letter is said again; a test has failed."""
TIMES_MAX = 3
AWAITED_MAX = 16
"""A few letters a minute are said. A modem that leaves so many unanswered within three seconds is
not there, and more of them would only fill its line."""
BODY_BYTES_MAX = 1022
"""A packet has at most 1024 bytes, two of them its check (section 1)."""
TEST_BYTES_MAX = 256

FULL = f"{AWAITED_MAX} letters wait for an answer already"
COME_ROUND = "the numbers have come round to a letter that still waits for its answer"
TOO_LONG = "it is longer than a packet may be"
NOT_NEXT = "it was composed under another number than the next"
UNDER_TEST = "a test of the line waits for its answer already"


class Settled(Struct, frozen=True):
    """What came of something that wanted an answer."""

    kind: PacketKind
    """SAY or TEST."""
    number: int
    took_ns: int | None
    """From its first saying to its answer; None when none came, and it is given up."""
    why: str | None = None
    """Of a letter that the modem can't take: what it says of that."""


class _Awaited(Struct, frozen=True):
    body: bytes
    first_ns: int
    last_ns: int
    times: int = 1


class Sender:
    """The gateway's end of the link to one modem."""

    def __init__(self) -> None:
        self._number = 0
        self._awaited: dict[int, _Awaited] = {}
        self._refused = 0
        self._tests = 0
        self._test: tuple[Packet, int] | None = None

    def bounds(self) -> Iterator[Bound]:
        """Yield how many letters wait for an answer."""
        yield Bound(
            of="Sender._awaited",
            what="letters_unanswered",
            held=len(self._awaited),
            limit=AWAITED_MAX,
            rule="the next one is refused with a reason, and stays with whoever asked for it",
            evicted=self._refused,
        )

    def say(self, letter: Letter, now: Moment) -> bytes | str:
        """Return the body that says a letter until it is answered, or why it can't be said."""
        if len(self._awaited) >= AWAITED_MAX:
            self._refused += 1
            return FULL
        number = self._number
        body = self._numbered(PacketKind.SAY, letter)
        if isinstance(body, bytes):
            self._awaited[number] = _Awaited(body, now.mono_ns, now.mono_ns)
        return body

    @property
    def number(self) -> int:
        """Under which the next letter is said."""
        return self._number

    def await_answer(self, body: bytes, now: Moment) -> str | None:
        """Await the answer to a body that was composed under the next number, or say why not.

        Asked before the body is handed to a port: what is not awaited is not said.
        """
        packet = read_packet(body)
        if packet is not None and packet.kind is PacketKind.TEST:
            if self._test is not None:
                return UNDER_TEST
            self._test = (packet, now.mono_ns)
            return None
        if packet is None or (packet.kind, packet.number) != (PacketKind.SAY, self._number):
            return NOT_NEXT
        if len(self._awaited) >= AWAITED_MAX or self._number in self._awaited:
            self._refused += 1
            return COME_ROUND if self._number in self._awaited else FULL
        self._awaited[self._number] = _Awaited(body, now.mono_ns, now.mono_ns)
        self._number = (self._number + 1) % NUMBERS
        return None

    def tell(self, letter: Letter) -> bytes | str:
        """Return the body that says a letter once, or why it can't be said."""
        return self._numbered(PacketKind.TELL, letter)

    def test(self, payload: bytes, now: Moment) -> bytes | str:
        """Return the body that asks for these bytes back, or why it can't be said."""
        if self._test is not None:
            return UNDER_TEST
        if len(payload) > TEST_BYTES_MAX:
            return TOO_LONG
        packet = Packet(PacketKind.TEST, self._tests, payload)
        self._tests = (self._tests + 1) % NUMBERS
        self._test = (packet, now.mono_ns)
        return write_packet(packet)

    def hear(self, packet: Packet, now: Moment) -> Settled | None:
        """Return what this packet of the modem settles; an answer that nothing waits for, nothing.

        What the modem itself wants answered is for `answer_to`.
        """
        if packet.kind is PacketKind.ECHO:
            return self._echoed(packet, now)
        if packet.kind not in (PacketKind.ACK, PacketKind.NAK):
            return None
        awaited = self._awaited.pop(packet.number, None)
        if awaited is None:
            return None
        refused = packet.kind is PacketKind.NAK
        why = packet.payload.decode("utf-8", "replace") if refused else None
        return Settled(PacketKind.SAY, packet.number, now.mono_ns - awaited.first_ns, why)

    def expire(self, now: Moment) -> tuple[bytes | Settled, ...]:
        """Return what is to be said again now, as bodies, and what is given up."""
        return (*self._letters_due(now), *self._test_due(now))

    def _numbered(self, kind: PacketKind, letter: Letter) -> bytes | str:
        """Return a letter under the next number; one that is refused takes none."""
        if self._number in self._awaited:
            self._refused += 1
            return COME_ROUND
        body = write_packet(Packet(kind, self._number, write_letter(letter)))
        if len(body) > BODY_BYTES_MAX:
            return TOO_LONG
        self._number = (self._number + 1) % NUMBERS
        return body

    def _echoed(self, packet: Packet, now: Moment) -> Settled | None:
        if self._test is None:
            return None
        test, said_ns = self._test
        if (packet.number, packet.payload) != (test.number, test.payload):
            return None
        self._test = None
        return Settled(PacketKind.TEST, test.number, now.mono_ns - said_ns)

    def _letters_due(self, now: Moment) -> Iterator[bytes | Settled]:
        due = [
            (number, awaited)
            for number, awaited in self._awaited.items()
            if now.mono_ns - awaited.last_ns >= AGAIN_NS
        ]
        for number, awaited in due:
            if awaited.times >= TIMES_MAX:
                del self._awaited[number]
                yield Settled(PacketKind.SAY, number, None)
                continue
            again = _Awaited(awaited.body, awaited.first_ns, now.mono_ns, awaited.times + 1)
            self._awaited[number] = again
            yield awaited.body

    def _test_due(self, now: Moment) -> Iterator[Settled]:
        if self._test is not None and now.mono_ns - self._test[1] >= AGAIN_NS:
            number, self._test = self._test[0].number, None
            yield Settled(PacketKind.TEST, number, None)
