"""NAVTEX: safety texts of coast stations (ITU-R M.540), as receivers tell or print them.

    ZCZC JA64              ZCZC, then B1 the station, B2 the subject, B3 B4 the number
    231830 UTC APR         the text
    …
    NNNN                   the end

    $--NRX,ttt,nnn,ss,aann,f,hhmmss.ss,dd,mm,yyyy,cc,bb,A,text       IEC 61162-1
           1   2   3  4    5 6         7  8  9    10 11 12 13

    1  sentences of this message   2  which of them      3  sequence number, joins them
    4  B1 B2 B3 B4                 5  frequency          6 to 9  when it was received
    10 characters in all           11 not received       12 A valid, V not

In the text of a sentence ^ and two hexadecimal digits stand for a character; 4 to 12 are in the
first sentence only. Search and rescue (subject D) is urgency, or distress when its words say so.
The texts of one message are put together; what is missing when time has run out is named.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from gateway.model.bounds import Bound
from gateway.model.inbound import Draft, Frame, Moment, Reading, Unread
from gateway.radio.navtex.meaning import SUBJECTS, draft_of, mentions_in
from gateway.radio.navtex.sentences import Part, part_of
from gateway.radio.navtex.words import NavtexDetail

__all__ = ["LINES_MAX", "MESSAGES_MAX", "PAUSE_NS", "RADIO", "SENTENCES_MAX", "Navtex"]

PAUSE_NS = 60 * 10**9
"""A line of 69 characters takes 10 s at 100 Bd: after a minute of silence nothing more comes."""
SENTENCE_PAUSE_NS = 10 * 10**9
"""A receiver tells the sentences of a message in one go."""
MESSAGES_MAX = 8
"""Messages of which sentences are still to come; receivers tell one after the other."""
SENTENCES_MAX = 128
"""Ten minutes at 100 Bd, the slot of a station, are 4000 characters: some seventy sentences."""
LINES_MAX = 256
"""The same printed, with lines half empty."""

_HEADER = re.compile(r"ZCZC *(?P<id>(?P<station>[A-Z])(?P<subject>[A-Z])(?P<number>\d\d))?(?=\W|$)")
_END = re.compile(r"(?:^|[^A-Z])NNNN *$")
_MISSING = re.compile(r"[*_]")
_RESCUE = re.compile(rb"(?:ZCZC *|NRX,\d+,0*1,\d+,)[A-Z](?:D\d\d|\w00)")


class Navtex:
    """The messages heard at one port."""

    name = "navtex"

    def __init__(self) -> None:
        self._begun: dict[str, tuple[Part, ...]] = {}
        self._lines: tuple[Frame, ...] = ()
        self._evicted = 0

    def bounds(self) -> Iterator[Bound]:
        """Yield how many messages are being put together, and how long the printed one is."""
        yield Bound(
            of="Navtex._begun",
            what="navtex_messages",
            held=len(self._begun),
            limit=MESSAGES_MAX,
            rule="the oldest message is told as far as it came",
            evicted=self._evicted,
        )
        yield Bound(
            of="Navtex._lines",
            what="navtex_lines",
            held=len(self._lines),
            limit=LINES_MAX,
            rule="the message is told as far as it came",
        )

    def read(self, frame: Frame) -> tuple[Reading | Unread, ...] | None:
        """Return the message that this sentence or line completes; other language is None."""
        body = frame.body.decode("ascii", "replace")
        if body[2:6] == "NRX,":
            return self._sentence(frame, body.split(",")[1:])
        return self._line(frame, body)

    def report(self, reading: Reading) -> Draft:
        """Return what a message means to everybody."""
        if isinstance(reading.said, NavtexDetail):
            return draft_of(reading.said)
        raise TypeError(reading.said)

    def expire(self, now: Moment) -> tuple[Reading | Unread, ...]:
        """Return what came of the messages that nothing more will come of."""
        late = [
            key
            for key, parts in self._begun.items()
            if now.mono_ns - parts[-1].frame.heard.mono_ns > SENTENCE_PAUSE_NS
        ]
        found = [self._told(self._begun.pop(key)) for key in late]
        if self._lines and now.mono_ns - self._lines[-1].heard.mono_ns > PAUSE_NS:
            found.append(self._printed(ended=False))
        return tuple(found)

    def distress_like(self, frame: Frame) -> bool:
        """Say whether search and rescue, or what every receiver has to print, begins here."""
        return _RESCUE.search(frame.raw) is not None

    def _sentence(self, frame: Frame, texts: list[str]) -> tuple[Reading | Unread, ...]:
        part = part_of(frame, texts)
        if part is None:
            return (Unread((frame,), "its fields are not those of NRX", distress_like=True),)
        before = self._begun.pop(part.key, ())
        found: list[Reading | Unread] = []
        if before and (part.number <= before[-1].number or part.header):
            found.append(self._told(before))
            before = ()
        parts = (*before, part)
        if part.number == part.total or len(parts) >= SENTENCES_MAX:
            found.append(self._told(parts))
        else:
            self._begun[part.key] = parts
        if len(self._begun) > MESSAGES_MAX:
            self._evicted += 1
            found.append(self._told(self._begun.pop(next(iter(self._begun)))))
        return tuple(found)

    def _told(self, parts: tuple[Part, ...]) -> Reading:
        """Return what these sentences say; a missing one leaves a `*`."""
        first, last = parts[0], parts[-1]
        text, expected = "", 1
        for part in parts:
            text += ("*" if part.number > expected else "") + part.text
            expected = part.number + 1
        text = text.replace("\r\n", "\n")
        head = first.header
        total = head.characters if head and head.characters is not None else len(text)
        bad = head.bad if head and head.bad is not None else len(_MISSING.findall(text))
        said = _detail(
            "sentences",
            head.message_id if head else None,
            text,
            characters=total,
            bad_characters=bad,
            frequency_code=head.frequency if head else None,
            received_utc=head.received_utc if head else None,
            status=head.status if head else None,
            sentences_total=first.total,
            sentences_heard=len(parts),
            ended=last.number == last.total,
        )
        return self._reading(tuple(part.frame for part in parts), said)

    def _line(self, frame: Frame, line: str) -> tuple[Reading | Unread, ...] | None:
        begins = _HEADER.search(line)
        if begins is None and not self._lines:
            return None
        found: tuple[Reading, ...] = ()
        if begins is not None and self._lines:
            found = (self._printed(ended=False),)
        self._lines = (*self._lines, frame)
        ended = _END.search(line) is not None
        if ended or len(self._lines) >= LINES_MAX:
            return (*found, self._printed(ended=ended))
        return found

    def _printed(self, *, ended: bool) -> Reading:
        """Return the message that the lines of this port make."""
        frames, self._lines = self._lines, ()
        whole = "\n".join(frame.body.decode("ascii", "replace") for frame in frames)
        header = _HEADER.search(whole)
        text = whole[header.end() :] if header else whole
        text = text.rpartition("NNNN")[0] if ended else text
        said = _detail(
            "text",
            header["id"] if header else None,
            text.strip(),
            characters=len(text),
            bad_characters=len(_MISSING.findall(text)),
            ended=ended,
        )
        return self._reading(frames, said)

    def _reading(self, frames: tuple[Frame, ...], said: NavtexDetail) -> Reading:
        content = f"{said.message_id or ''}|{said.text}".encode("ascii", "replace")
        return Reading(frames, self.name, said, content)


def _detail(form: str, message_id: str | None, text: str, **counted: object) -> NavtexDetail:
    """Return the detail of a message, with what its header and its text mean."""
    fields = {
        **counted,
        "form": form,
        "message_id": message_id,
        "text": text,
        "mentions": mentions_in(text),
    }
    if message_id is not None:
        subject = message_id[1]
        fields |= {
            "station": message_id[0],
            "subject_code": subject,
            "subject": SUBJECTS.get(subject),
            "number": int(message_id[2:]),
        }
    return NavtexDetail(**fields)  # type: ignore[arg-type]  # each name is checked by the tests


RADIO = Navtex
