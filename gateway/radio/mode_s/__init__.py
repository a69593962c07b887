"""Mode S and ADS-B: what aircraft transponders send on 1090 MHz.

    forms.py        from a receiver's frame to bits     decode.py     from bits to words
    basestation.py  from a receiver's line to words     squitter.py altitude.py tables.py words.py
    memory.py       what is remembered, for how long    track.py      places, message by message
    meaning.py      what it means to everybody

An emergency is a squawk (7500, 7600, 7700), or an emergency state. An extended squitter that says
so is proven by 24 check bits. A reply is proven by the address alone, so it counts only when the
craft's own squitters told that address within the last minute; two replies that agree 0.75 s apart
are an alert that is verified, one is tentative. An emergency that goes on is an alert every 30 s,
and routine between. 7500 is covert.

Messages whose check bits are wrong are never put right: to mend one bit makes a message of noise
112 times as often. Whatever a craft says, it says again within a second.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from gateway.model.bounds import Bound
from gateway.model.inbound import Draft, Frame, Moment, Reading, Unread
from gateway.radio.mode_s.basestation import read_line
from gateway.radio.mode_s.decode import Said, answers_interrogator, read_burst
from gateway.radio.mode_s.forms import Burst, burst_in
from gateway.radio.mode_s.meaning import draft_of
from gateway.radio.mode_s.memory import Contact, Memory, said_place, wrong_by
from gateway.radio.mode_s.words import ModeSDetail, Quality

__all__ = ["RADIO", "ModeS", "ModeSDetail"]

UNREADABLE = "a downlink format that is not read"
WRONG_CHECK = "its check bits are wrong"
UNKNOWN = "it names an address that no squitter has told within a minute: noise looks the same"
FAR = "the position stated is further off than it can have flown"


class ModeS:
    """Mode S as one port hears it."""

    name = "mode_s"

    def __init__(self) -> None:
        self._memory = Memory()

    def bounds(self) -> Iterator[Bound]:
        """Yield how many craft are remembered."""
        yield from self._memory.bounds()

    def read(self, frame: Frame) -> tuple[Reading | Unread, ...] | None:
        """Return what a message says; what is none of Mode S is None."""
        now_ns = frame.heard.mono_ns
        burst = burst_in(frame.body)
        if burst is None:
            line = read_line(frame.body)
            return None if line is None else (self._reading(frame, *line),)
        said = read_burst(burst)
        if said is None:
            return (Unread((frame,), UNREADABLE),)
        reason = self._reason_against(said, burst, now_ns)
        if reason is not None:
            return (Unread((frame,), reason, distress_like=self._was_wrong(said, now_ns)),)
        if said.proven:
            self._memory.heard(_key(said.words)).proven_ns = now_ns
        return (self._reading(frame, said.words, burst.octets),)

    def report(self, reading: Reading) -> Draft:
        """Return what a message means to everybody."""
        if isinstance(reading.said, ModeSDetail):
            return draft_of(reading.said)
        raise TypeError(reading.said)

    def expire(self, _now: Moment) -> tuple[Reading | Unread, ...]:
        """Return nothing: no message waits for another."""
        return ()

    def distress_like(self, frame: Frame) -> bool:
        """Say whether a whole message stands there that proves itself, and says an emergency."""
        burst = burst_in(frame.body)
        said = None if burst is None else read_burst(burst)
        return said is not None and said.proven and wrong_by(said.words, None) is not None

    def _reason_against(self, said: Said, burst: Burst, now_ns: int) -> str | None:
        """Return why a message is not believed."""
        if said.proven:
            return None
        craft = self._memory.get(_key(said.words))
        is_known = craft is not None and craft.known(now_ns)
        if said.words.df == 11:
            return None if is_known and answers_interrogator(burst.octets) else WRONG_CHECK
        if said.words.df in (17, 18):
            return WRONG_CHECK
        return None if is_known else UNKNOWN

    def _was_wrong(self, said: Said, now_ns: int) -> bool:
        """Say whether a damaged squitter of a craft that is known might have told an emergency."""
        craft = self._memory.get(_key(said.words))
        is_known = craft is not None and craft.known(now_ns)
        return is_known and wrong_by(said.words, None) is not None

    def _reading(self, frame: Frame, words: ModeSDetail, content: bytes) -> Reading:
        craft = self._memory.heard(_key(words))
        craft.hear(words)
        said = _in_context(craft, words, frame.heard.mono_ns)
        # A reply that confirms an earlier one has the same bits, and is no copy of it.
        is_news = said.emergency is not None and not said.emergency.again
        mark = b"" if said.emergency is None else b"!%d" % said.emergency.confirmed
        return Reading((frame,), self.name, said, content + mark if is_news else content)


def _key(words: ModeSDetail) -> str:
    """Return the name that a craft is remembered by: lines prove nothing to messages."""
    return f"{words.form[0]}{'~' if words.anonymous else ''}{words.address}"


def _in_context(craft: Contact, words: ModeSDetail, now_ns: int) -> ModeSDetail:
    """Return what a message says together with those before it."""
    wrong = None
    if words.squawk is not None or words.emergency_state:
        wrong = craft.emergency(words, now_ns)
    if words.cpr is not None:
        place, is_far = craft.track.step(words.cpr, now_ns)
        if is_far:
            return replace(words, doubts=(*words.doubts, FAR))
        if place is None:
            return words
        told = said_place(place, surface=words.cpr.surface, nac_p=craft.nac_p)
        return replace(words, place=told)
    if wrong is None:
        return words
    version = Quality(adsb_version=craft.version) if craft.version is not None else None
    return replace(
        words,
        emergency=wrong,
        callsign=words.callsign or craft.callsign,
        place=words.place or craft.place(now_ns),
        quality=words.quality or version,
    )


RADIO = ModeS
