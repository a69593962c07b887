"""Digital selective calling (ITU-R M.493-15): as radios tell it (DSC and DSE), and raw symbols.

    fields of a sentence  $CDDSC,12,3380400790,12,06,00,1423108312,2019,,,S,E
    symbols, printed      112 112 033 080 040 007 090 106 014 023 010 083 012 020 019 100 127 …
    symbols, as sent      two bytes each, every symbol twice, with phasing

    call.py expansion.py  the sentences            air.py      symbols, out of their copies
    meaning.py words.py   what all of it says      figures.py  symbols to fields of a sentence
    write.py              what would be said       send.py     what would be sent
    compose.py            what somebody orders to be called, in either form

A raw call is read by way of the sentence that would tell it, so that both have the same words. A
call goes out as soon as it is heard; the expansion behind it makes a second, finer reading that
names the first. Remembered, for one port: the calls that an expansion may still follow.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec import Struct
from msgspec.structs import replace

from gateway.codes.tenbit import ten_bits
from gateway.model.bounds import Bound
from gateway.model.inbound import Draft, Frame, Moment, Reading, Unread
from gateway.radio.dsc.air import Sequence, pairs_in, printed_in, transmission_in
from gateway.radio.dsc.call import Illegible, content_of, read_call
from gateway.radio.dsc.compose import COMPOSER
from gateway.radio.dsc.expansion import SENTENCES_MAX, Sentence, expansion_of, read_sentence
from gateway.radio.dsc.figures import expanded, raw_sentence, told, with_proof
from gateway.radio.dsc.meaning import draft_of_call, draft_of_orphan
from gateway.radio.dsc.words import DscDetail, DseDetail
from gateway.radio.dsc.write import write_call, write_expansion

__all__ = [
    "COMPOSER",
    "EXPANSION_WINDOW_NS",
    "PENDING_MAX",
    "RADIO",
    "Dsc",
    "write_call",
    "write_expansion",
]

EXPANSION_WINDOW_NS = 60 * 10**9
"""The five calls of one attempt last 36 s at 100 Bd, with the expansion behind them; the earliest
automatic repeat of an alert comes after 3.5 min (M.493, M.541)."""

PENDING_MAX = 256
"""Calls that an expansion may still follow: more than ten times what one receiver can hear in the
window. The oldest goes first; it has been reported."""

_ADDRESS_LETTERS = 5
"""Two for the talker, which may be any, and three for the sentence."""

_ALERT = ten_bits(112)
_ALERT_COPIES = 2
_ALERT_PRINTED = re.compile(rb"(?<![0-9])112 112 [0-9~]{3} ")
_SENTENCE = re.compile(rb"(?:^|[$!])[A-Z0-9]{2}DS[CE](?:,|$)")


class Dsc:
    """The calls heard at one port."""

    name = "dsc"

    def __init__(self) -> None:
        self._pending: dict[str, _Pending] = {}
        self._evicted = 0
        self._on_air: str | None = None
        """The sender of the raw call heard last: whose expansion may follow."""

    def bounds(self) -> Iterator[Bound]:
        """Yield how many calls may still be expanded."""
        yield Bound(
            of="Dsc._pending",
            what="dsc_calls",
            held=len(self._pending),
            limit=PENDING_MAX,
            rule="the oldest call, which has been told, is expanded no more; an expansion that "
            "comes all the same is told by itself",
            evicted=self._evicted,
        )

    def read(self, frame: Frame) -> tuple[Reading | Unread, ...] | None:
        """Return what this sentence says; not a DSC or DSE sentence is None."""
        address, *texts = frame.body.decode("ascii", "replace").split(",")
        formatter = address[2:] if len(address) == _ADDRESS_LETTERS else ""
        if formatter == "DSC":
            return (self._call(frame, texts),)
        if formatter == "DSE":
            return (self._expansion(frame, texts),)
        return self._symbols(frame)

    def report(self, reading: Reading) -> Draft:
        """Return what the reading means to everybody."""
        if isinstance(reading.said, DseDetail):
            return draft_of_orphan(reading.said)
        if isinstance(reading.said, DscDetail):
            return draft_of_call(reading.said)
        raise TypeError(reading.said)

    def expire(self, now: Moment) -> tuple[Reading | Unread, ...]:
        """Forget the calls that no expansion can follow any more; each has been reported."""
        for self_id, pending in list(self._pending.items()):
            if now.mono_ns - pending.frame.heard.mono_ns > EXPANSION_WINDOW_NS:
                del self._pending[self_id]
        return ()

    def distress_like(self, frame: Frame) -> bool:
        """Say whether this is a broken DSC or DSE sentence, or symbols that begin an alert.

        Any such sentence may be a distress.
        """
        if _SENTENCE.search(frame.raw) is not None or _ALERT_PRINTED.search(frame.raw) is not None:
            return True
        heard = pairs_in(frame.body)
        return heard is not None and heard.count(_ALERT) >= _ALERT_COPIES

    def _call(self, frame: Frame, texts: list[str]) -> Reading | Unread:
        call = read_call(texts)
        if isinstance(call, Illegible):
            return Unread((frame,), call.reason, distress_like=call.distress_like)
        content = content_of(texts)
        if call.self_id is not None:
            self._remember(call.self_id, _Pending(frame, call, content))
        return Reading((frame,), self.name, call, content)

    def _expansion(self, frame: Frame, texts: list[str]) -> Reading | Unread:
        sentence = read_sentence(texts)
        if sentence is None:
            return Unread((frame,), "it does not say whose expansion it is", distress_like=True)
        pending = self._pending.get(sentence.self_id)
        late = pending and frame.heard.mono_ns - pending.frame.heard.mono_ns > EXPANSION_WINDOW_NS
        if pending is None or late or sentence.flag == "query":
            said = DseDetail(self_id=sentence.self_id, expansion=expansion_of((sentence,)))
            return Reading((frame,), self.name, said, _content(b"", said.expansion.sets, sentence))
        pending = pending.with_more(frame, sentence)
        self._pending[sentence.self_id] = pending
        expansion = expansion_of(pending.sentences)
        return Reading(
            (pending.frame, *pending.more),
            self.name,
            replace(pending.call, expansion=expansion),
            _content(pending.content, expansion.sets, sentence),
            refines=(pending.frame,),
        )

    def _symbols(self, frame: Frame) -> tuple[Reading | Unread, ...] | None:
        """Return what symbols say; what is not symbols is None."""
        pairs = pairs_in(frame.body)
        heard = printed_in(frame.body) if pairs is None else pairs
        if heard is None:
            return None
        found = transmission_in(heard, printed=pairs is None)
        if found is None:
            if heard.count(_ALERT) < _ALERT_COPIES:
                return None  # what a modem makes of noise behind a call
            reason = "no whole call can be made out in these symbols"
            return (Unread((frame,), reason, distress_like=True),)
        if found.call is None:
            return () if found.expansion is None else (self._raw_expansion(frame, found.expansion),)
        self._on_air = None
        return (self._raw_call(frame, found.call, found.expansion),)

    def _raw_call(
        self, frame: Frame, sequence: Sequence, expansion: Sequence | None
    ) -> Reading | Unread:
        fields = told(sequence)
        if fields is None:
            return Unread((frame,), "the format specifier can't be read", distress_like=True)
        call = read_call(fields.texts)
        if isinstance(call, Illegible):
            return Unread((frame,), call.reason, distress_like=call.distress_like)
        call = with_proof(call, fields, sequence)
        content = content_of(fields.texts)
        if call.self_id is not None:
            self._on_air = call.self_id
            self._remember(call.self_id, _Pending(frame, call, content))
            more = None if expansion is None else raw_sentence(call.self_id, expansion)
            if expansion is not None and more is not None:
                call = expanded(call, (more,), expansion)
                content = _content(content, more.sets, more)
        return Reading((frame,), self.name, call, content)

    def _raw_expansion(self, frame: Frame, expansion: Sequence) -> Reading | Unread:
        """Return the call that is right before these symbols, with what they add to it."""
        pending = self._pending.get(self._on_air or "")
        late = pending and frame.heard.mono_ns - pending.frame.heard.mono_ns > EXPANSION_WINDOW_NS
        more = None if self._on_air is None else raw_sentence(self._on_air, expansion)
        if pending is None or late or more is None:
            like = expansion.check == "right"
            return Unread((frame,), "an expansion without its call", distress_like=like)
        pending = pending.with_more(frame, more)
        self._pending[more.self_id] = pending
        return Reading(
            (pending.frame, *pending.more),
            self.name,
            expanded(pending.call, pending.sentences, expansion),
            _content(pending.content, more.sets, more),
            refines=(pending.frame,),
        )

    def _remember(self, self_id: str, pending: _Pending) -> None:
        self._pending.pop(self_id, None)
        self._pending[self_id] = pending
        if len(self._pending) > PENDING_MAX:
            del self._pending[next(iter(self._pending))]
            self._evicted += 1


class _Pending(Struct, frozen=True):
    """A call that an expansion may follow, and what has followed already."""

    frame: Frame
    call: DscDetail
    content: bytes
    more: tuple[Frame, ...] = ()
    sentences: tuple[Sentence, ...] = ()

    def with_more(self, frame: Frame, sentence: Sentence) -> _Pending:
        """Return it with one more sentence; beyond the most that can be announced, the newest."""
        return replace(
            self,
            more=(*self.more, frame)[-SENTENCES_MAX:],
            sentences=(*self.sentences, sentence)[-SENTENCES_MAX:],
        )


def _content(call: bytes, sets: tuple[tuple[str, str], ...], sentence: Sentence) -> bytes:
    """Return what went over the air up to now: the call, and each data set once."""
    said = ",".join(f"{code},{data}" for code, data in sorted(sets))
    return b"%b|DSE,%b,%b" % (call, sentence.self_id.encode(), said.encode("ascii", "replace"))


RADIO = Dsc
