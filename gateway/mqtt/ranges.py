"""What a consumer may ask for again, and what closes the answer. Pure.

Whoever has all numbers of a range but those that the closing answer names has all that there is.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Annotated

import msgspec
from msgspec import Meta, MsgspecError, Struct

from gateway.mqtt.bus import Incoming
from gateway.mqtt.topics import TopicUnsafe, level

REQUEST_BYTES_MAX = 1_024
"""A request is a few numbers and a topic."""

RANGE_MAX = 2_000
"""Numbers in one request. If each of them had to be named in the closing answer, it would still fit
into one publication."""

NUMBER_MAX = (1 << 63) - 1
"""What a journal can count up to."""

RESPONSE_TOPIC_BYTES_MAX = 256
"""Of a topic that a consumer chose: a packet holds it, whatever else is in there."""

CORRELATION_BYTES_MAX = 64
"""Of what a consumer wants to know its answer by: four UUIDs."""

Spans = tuple[int | tuple[int, int], ...]
"""Numbers, and spans of them: first and last. In order."""


class Request(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the consumer of record asks for again, told by it on `request/<consumer>`."""

    epoch: Annotated[str, Meta(min_length=1, max_length=64)]
    """That of the records."""
    first: int
    """The first number asked for, from 1."""
    last: int
    """The last one; at most 2000 numbers in all."""
    routine: bool = True
    """Whether routine reports, and frames refused or unread, are wanted as well."""
    response_topic: str | None = None
    """Where the answer goes: `answer/<consumer>`, or a topic below it. What MQTT 5 says of it in a
    property goes before this."""


class Answer(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What closes the answer to a request: it comes after the records, on the same topic.

    Numbers are told as in a receipt: one by one, or as spans with their first and last.
    """

    station: str
    epoch: str
    """That of the journal as it is now."""
    number_last: int
    """The newest number given then; what was asked for beyond it did not exist yet."""
    first: int | None = None
    """What was asked for; absent when the request could not be read."""
    last: int | None = None
    told: int = 0
    """Records told before this, each marked `late`."""
    routine: Spans = ()
    """Numbers that are kept, and were not wanted."""
    gone: Spans = ()
    """Numbers that are not there any more: they have had their time."""
    damaged: Spans = ()
    """Numbers whose rows are not as they were written, and are told to nobody."""
    untold: Spans = ()
    """Numbers that are kept, and that the broker refused to carry."""
    refused: str | None = None
    """Why nothing is answered, when that is so."""


class Fault(StrEnum):
    """Why a request is refused."""

    TOPIC = "it came on another topic"
    KEPT = "the broker had kept it: nobody asks beforehand"
    TOO_LONG = "it is longer than a request can be"
    NO_REQUEST = "it is neither JSON nor msgpack of a request"
    EPOCH = "it is for another epoch"
    NO_RANGE = "the range ends before it begins, or begins before 1"
    TOO_MANY = "it asks for more numbers than a request can"
    ELSEWHERE = "the answer would go elsewhere than to the consumer's own topic"


class Account:
    """What became of each number of a range."""

    def __init__(self, request: Request, number_last: int) -> None:
        self.request = request
        self.number_last = number_last
        self.told: set[int] = set()
        self.routine: set[int] = set()
        self.untold: set[int] = set()

    @property
    def last(self) -> int:
        """The last number of the range that has been given."""
        return min(self.request.last, self.number_last)

    def closed(self, damaged: Iterable[int], *, station: str, epoch: str) -> Answer:
        """Return what closes the answer."""
        kept = self.told | self.routine | self.untold
        broken = set(damaged) - kept
        asked = set(range(self.request.first, self.last + 1))
        return Answer(
            station=station,
            epoch=epoch,
            number_last=self.number_last,
            first=self.request.first,
            last=self.request.last,
            told=len(self.told),
            routine=spans_of(self.routine),
            gone=spans_of(asked - kept - broken),
            damaged=spans_of(asked & broken),
            untold=spans_of(self.untold),
        )


def request_of(incoming: Incoming) -> Request | Fault:
    """Return what is asked for, or why that can't be read."""
    if len(incoming.payload) > REQUEST_BYTES_MAX:
        return Fault.TOO_LONG
    if len(incoming.correlation or b"") > CORRELATION_BYTES_MAX:
        return Fault.TOO_LONG
    try:
        # A map of msgpack never begins with a brace or a blank: those are small numbers there.
        decoder = _JSON if incoming.payload.lstrip(b" \t\r\n")[:1] == b"{" else _MSGPACK
        request = decoder.decode(incoming.payload)
    except (MsgspecError, ValueError, RecursionError):
        return Fault.NO_REQUEST
    is_number = max(abs(request.first), abs(request.last)) <= NUMBER_MAX
    return request if is_number else Fault.NO_REQUEST


def refusal_of(request: Request, *, epoch: str) -> Fault | None:
    """Return why this range can't be had; None when it can."""
    if request.epoch != epoch:
        return Fault.EPOCH
    if not 1 <= request.first <= request.last:
        return Fault.NO_RANGE
    return Fault.TOO_MANY if request.last - request.first >= RANGE_MAX else None


def is_at_or_below(root: str, topic: str) -> bool:
    """Say whether a topic is this one, or one below it that nothing is wrong with."""
    if topic == root:
        return True
    if not topic.startswith(f"{root}/") or len(topic.encode()) > RESPONSE_TOPIC_BYTES_MAX:
        return False
    try:
        for text in topic.removeprefix(f"{root}/").split("/"):
            level(text)
    except TopicUnsafe:
        return False
    return True


def spans_of(numbers: Iterable[int]) -> Spans:
    """Return the numbers in order, neighbours as one span."""
    found: list[tuple[int, int]] = []
    for number in sorted(numbers):
        if found and number == found[-1][1] + 1:
            found[-1] = (found[-1][0], number)
        else:
            found.append((number, number))
    return tuple(first if first == last else (first, last) for first, last in found)


_JSON = msgspec.json.Decoder(Request)
_MSGPACK = msgspec.msgpack.Decoder(Request)
