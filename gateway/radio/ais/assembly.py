"""One AIS message out of several sentences, never out of two messages.

    AIVDM,2,1,3,A,55?MbV02;H;s<HtKR20EHE:0@T4@Dn2222222216L961O5Gf0NSQEp6ClRp8,0
    AAAAA T N Q C PPPPPPPPPPPPPPPPPPPPPPPPPPPPPPPPPPPPPPPPPPPPPPPPPPPPPPPPPPPP F

    A  any talker and VDM (heard) or VDO (own station)   T  total of sentences, 1 to 9
    N  number of this one, 1 to T   Q  sequential message identifier, 0 to 9 or empty
    C  channel   P  payload in six-bit armour   F  fill bits in its last character, 0 to 5

IEC 61162-1, VDM and VDO. Parts belong together when address, total, identifier, channel and the TAG
block's group or source agree, and when they are near each other. Identifiers come round, so a part
that lost its own message must not find the next one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec import Struct

from gateway.model.bounds import Bound
from gateway.model.inbound import Frame, Moment, Unread
from gateway.radio.ais.armour import bits_of
from gateway.radio.ais.tables import DEVICES

PARTS_WINDOW_NS = 5 * 10**9
"""Parts leave a receiver back to back, and a network adds a second or two; the ten identifiers of a
busy receiver come round again soon after."""

CROSSED_NS = 10**9
"""First parts of two messages under one name within a second: two sources, parts in any order."""

PARTS_APART_MAX = 40
"""Sentences from the first part to the last, unless a TAG block groups them. Others may speak in
between; the identifier comes again after ten messages of several parts and all the short ones."""

WRONG_ORDER_MAX = 4
"""Sentences that a part may be late by, behind one with a higher number. Networks swap neighbours;
a higher number that waits for longer has lost its own message."""

OPEN_MESSAGES_MAX = 64
"""Messages waiting for a part: ten identifiers on two channels of three receivers. Oldest first."""

PAYLOAD_CHARS_MAX = 576
"""Nine sentences of 64 characters. The longest message, of five slots, has 178 (M.1371-5), but some
receivers hang noise on a message that is whole; its length is then a doubt, not a loss."""

_FORMATTERS = (b"VDM", b"VDO")
_SENTENCE = re.compile(
    rb"([A-Z0-9]{2}VD[MO]),([1-9]),([1-9]),([0-9]?),([A-Za-z0-9]?),([0-W`-w]*),([0-5])"
)
_FIELDS = (
    (rb"[1-9]", "the total of sentences"),
    (rb"[1-9]", "the number of the sentence"),
    (rb"[0-9]?", "the message identifier"),
    (rb"[A-Za-z0-9]?", "the channel"),
    (rb"[0-W`-w]*", "the payload"),
    (rb"[0-5]", "the number of fill bits"),
)
_HEAD_CHARS = 8
"""Characters of a payload that hold type, MMSI and navigational status: 48 bits."""


class Part(Struct, frozen=True, gc=False):
    """One whole sentence, its fields proven."""

    frame: Frame
    address: bytes
    total: int
    number: int
    sequence: bytes
    channel: bytes
    payload: bytes
    fill: bytes


class Whole(Struct, frozen=True):
    """All the parts of one message."""

    frames: tuple[Frame, ...]
    """In the order in which they were heard."""
    payload: bytes
    fill: bytes
    channel: str | None
    own_ship: bool


class Waiting(Struct):
    """The parts of one message that are there, in the order in which they were heard."""

    parts: list[Part]
    begun: int
    """The count of sentences when the first of them was heard."""
    latest: int
    crossed: bool = False
    """Whether it took the name of another one that was still waiting for its parts."""

    def fits(self, part: Part, count: int) -> bool:
        """Say whether this part can be one of them, and no copy of one."""
        if any(known.number == part.number for known in self.parts):
            return False
        tags = part.frame.tags
        if tags and tags.group:
            return True
        swapped = part.number < max(known.number for known in self.parts)
        return count - self.begun <= PARTS_APART_MAX and not (
            swapped and count - self.latest > WRONG_ORDER_MAX
        )


Key = tuple[bytes, int, bytes, bytes, str | None, str | None]


class Assembly:
    """The messages of one port that still wait for a part."""

    def __init__(self) -> None:
        self._open: dict[Key, Waiting] = {}
        self._count = 0
        self._evicted = 0

    def __len__(self) -> int:
        return len(self._open)

    def bounds(self) -> Iterator[Bound]:
        """Yield how many messages wait for a part."""
        yield Bound(
            of="Assembly._open",
            what="ais_messages",
            held=len(self._open),
            limit=OPEN_MESSAGES_MAX,
            rule="the oldest comes out as refused, and is told if it may be a call for help",
            evicted=self._evicted,
        )

    def add(self, part: Part) -> tuple[Whole | Unread, ...]:
        """Return what this part completes, and what it shows will never be completed."""
        self._count += 1
        if part.total == 1:
            return (_joined((part,)),)
        late = self.expire(part.frame.heard)
        key = self._key(part)
        waiting = self._open.get(key)
        if waiting is not None and any(
            known.number == part.number and known.payload == part.payload for known in waiting.parts
        ):
            reason = f"part {part.number} of {part.total} was heard twice"
            return (*late, Unread((part.frame,), reason))
        crossed = False
        if waiting is not None and not waiting.fits(part, self._count):
            late = (*late, _given_up(self._open.pop(key).parts))
            crossed = _crosses(waiting, part, self._count)
            waiting = None
        if waiting is None:
            waiting = self._open[key] = Waiting([], self._count, self._count, crossed)
        waiting.parts.append(part)
        waiting.latest = self._count
        if len(waiting.parts) == part.total:
            del self._open[key]
            whole = _entangled if waiting.crossed else _joined
            return (*late, whole(tuple(waiting.parts)))
        if len(self._open) > OPEN_MESSAGES_MAX:
            late = (*late, _given_up(self._open.pop(next(iter(self._open))).parts))
            self._evicted += 1
        return late

    def expire(self, now: Moment) -> tuple[Unread, ...]:
        """Return the messages whose missing parts are overdue."""
        due = [
            key
            for key, waiting in self._open.items()
            if now.mono_ns - waiting.parts[0].frame.heard.mono_ns > PARTS_WINDOW_NS
        ]
        return tuple(_given_up(self._open.pop(key).parts) for key in due)

    def _key(self, part: Part) -> Key:
        """Return the message it belongs to; in a group often only the first part names a source."""
        tags = part.frame.tags
        group = _group_name(tags.group) if tags else None
        source = tags.source if tags else None
        own = (part.address, part.total, part.sequence, part.channel, group, source)
        if group is None or own in self._open:
            return own
        kin = [
            key for key in self._open if key[:5] == own[:5] and (key[5] is None or source is None)
        ]
        return kin[0] if len(kin) == 1 else own


def part_of(frame: Frame) -> Part | Unread | None:
    """Return the sentence's fields, or what is wrong with them; None when it isn't AIS."""
    body = frame.body
    if body[2:5] not in _FORMATTERS or body[5:6] != b",":
        return None
    found = _SENTENCE.fullmatch(body)
    if found is None:
        return _refused(frame, _fault_of(body))
    address, total, number, sequence, channel, payload, fill = found.groups()
    if number > total:
        return _refused(frame, f"sentence {int(number)} of {int(total)} can't be")
    if not payload and number == b"1":
        return _refused(frame, "there is no payload")
    return Part(frame, address, int(total), int(number), sequence, channel, payload, fill)


def doubts_of(frames: tuple[Frame, ...]) -> tuple[str, ...]:
    """Return why the sentences of one message may not belong together."""
    if len(frames) == 1:
        return ()
    fields = [frame.body.split(b",", 4) for frame in frames]
    numbers = [found[2] for found in fields]
    tags = frames[0].tags
    doubts: tuple[str, ...] = ()
    if numbers != sorted(numbers):
        doubts = ("its parts came in the wrong order",)
    if not fields[0][3] and not (tags and tags.group):
        doubts = (*doubts, "its parts were joined without a message identifier")
    return doubts


def might_be_distress(payload: bytes) -> bool:
    """Say whether a message that begins like this might be a call for help.

    Safety texts, everything from a locating device, and navigational status 14.
    """
    bits = bits_of(payload[:_HEAD_CHARS], 0)
    kind = bits.get(0, 6)
    if kind in {12, 14} or f"{bits.get(8, 30):09d}"[:3] in DEVICES:
        return True
    status = {1: 38, 2: 38, 3: 38, 27: 40}.get(kind)
    return status is not None and bits.get(status, 4) == 14


def broken_might_be_distress(body: bytes) -> bool:
    """Say the same of a broken sentence, as far as its fields can be found."""
    at = max(body.rfind(b"VDM,"), body.rfind(b"VDO,"))
    fields = body[at:].split(b",") if at >= 0 else []
    return len(fields) > 5 and might_be_distress(fields[5])


def _joined(parts: tuple[Part, ...]) -> Whole | Unread:
    first = parts[0]
    frames = tuple(part.frame for part in parts)
    payload, fill = first.payload, first.fill
    if len(parts) > 1:
        ordered = sorted(parts, key=lambda part: part.number)
        payload, fill = b"".join(part.payload for part in ordered), ordered[-1].fill
    if len(payload) > PAYLOAD_CHARS_MAX:
        like = might_be_distress(payload)
        return Unread(frames, "the payload is longer than nine sentences carry", distress_like=like)
    return Whole(
        frames=frames,
        payload=payload,
        fill=fill,
        channel=first.channel.decode("ascii") or None,
        own_ship=first.address[2:] == b"VDO",
    )


def _crosses(waiting: Waiting, part: Part, count: int) -> bool:
    """Say whether the parts of two messages under one name may now come in any order.

    A receiver sends the parts of one message at once. Another first part right behind the first
    is another source's; further behind it is the next message under that name.
    """
    apart_ns = part.frame.heard.mono_ns - waiting.parts[-1].frame.heard.mono_ns
    near = apart_ns <= CROSSED_NS and count - waiting.latest <= WRONG_ORDER_MAX
    return near and not (part.frame.tags and part.frame.tags.group)


def _entangled(parts: tuple[Part, ...]) -> Unread:
    """Refuse what may be put together out of two messages."""
    return Unread(
        tuple(part.frame for part in parts),
        "parts of two messages have the same name, and nobody can tell which belong together",
        distress_like=any(part.number == 1 and might_be_distress(part.payload) for part in parts),
    )


def _given_up(parts: list[Part]) -> Unread:
    total = parts[0].total
    there = {part.number for part in parts}
    missing = ", ".join(str(number) for number in range(1, total + 1) if number not in there)
    begin = next((part.payload for part in parts if part.number == 1), b"")
    return Unread(
        tuple(part.frame for part in parts),
        f"incomplete: part {missing} of {total} never came",
        distress_like=might_be_distress(begin),
    )


def _group_name(group: str | None) -> str | None:
    """Return the identity in `1-2-1234`, without the place in the group."""
    return group.rsplit("-", 1)[-1] if group else None


def _refused(frame: Frame, reason: str) -> Unread:
    return Unread((frame,), reason, distress_like=broken_might_be_distress(frame.body))


def _fault_of(body: bytes) -> str:
    """Name the first field that is not as the standard has it."""
    address, *fields = body.split(b",")
    if len(fields) != len(_FIELDS):
        return f"{len(fields)} fields instead of {len(_FIELDS)}"
    for (pattern, name), field in zip(_FIELDS, fields, strict=True):
        if not re.fullmatch(pattern, field):
            return f"{name} can't be read"
    return f"the address {address.decode('ascii', 'replace')} can't be read"
