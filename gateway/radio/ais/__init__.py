"""AIS over NMEA 0183: VDM (heard) and VDO (own station) sentences of any talker.

    assembly.py  sentences to one payload      armour.py  payload to bits, the door to pyais
    decode.py    bits to words (said.py, tables.py), place.py to place and motion
    meaning.py   words to meaning: who calls for help, and is it a test?
    compose.py   texts that are ordered

What is remembered: parts that wait for the rest of their message, and who called for help lately.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from gateway.model.bounds import Bound
from gateway.model.inbound import Draft, Frame, Moment, Reading, Unread
from gateway.radio.ais.armour import bits_of
from gateway.radio.ais.assembly import (
    Assembly,
    Whole,
    broken_might_be_distress,
    doubts_of,
    might_be_distress,
    part_of,
)
from gateway.radio.ais.compose import COMPOSER
from gateway.radio.ais.decode import detail_of, text_of, unreadable
from gateway.radio.ais.meaning import Marking, alarm_of, draft_of
from gateway.radio.ais.said import AisDetail

__all__ = ["COMPOSER", "RADIO", "Ais", "AisDetail"]

ACTIVE_MEMORY_NS = 15 * 60 * 10**9
"""An active device is heard every minute, its words every few minutes; a quarter of an hour bridges
a device in the troughs, and a test that comes later is a test again."""

ACTIVE_IDENTITIES_MAX = 1024
"""Identities remembered as active: far more than were ever in distress at one place. The one
heard longest ago goes first; it is only the doubt about its tests that is lost."""


class Ais:
    """AIS as one port hears it."""

    name = "ais"

    def __init__(self) -> None:
        self._assembly = Assembly()
        self._active: dict[str, int] = {}
        self._evicted = 0

    def bounds(self) -> Iterator[Bound]:
        """Yield what waits for its parts, and who called for help lately."""
        yield from self._assembly.bounds()
        yield Bound(
            of="Ais._active",
            what="ais_active_devices",
            held=len(self._active),
            limit=ACTIVE_IDENTITIES_MAX,
            rule="the one longest silent goes; a test of it is then told as any other test",
            evicted=self._evicted,
        )

    def read(self, frame: Frame) -> tuple[Reading | Unread, ...] | None:
        """Return the messages this sentence completes, or shows will never be completed."""
        part = part_of(frame)
        if part is None:
            return None
        if isinstance(part, Unread):
            return (part,)
        return tuple(
            found if isinstance(found, Unread) else self._reading(found)
            for found in self._assembly.add(part)
        )

    def report(self, reading: Reading) -> Draft:
        """Return what the message means to everybody."""
        said = reading.said
        if not isinstance(said, AisDetail):
            raise TypeError(said)
        bits = bits_of(reading.content[:-1], int(reading.content[-1:]))
        return draft_of(said, bits, doubts_of(reading.frames))

    def expire(self, now: Moment) -> tuple[Reading | Unread, ...]:
        """Return the messages whose missing parts are overdue."""
        return self._assembly.expire(now)

    def distress_like(self, frame: Frame) -> bool:
        """Say whether this broken sentence begins like a call for help."""
        return broken_might_be_distress(frame.body)

    def _reading(self, whole: Whole) -> Reading | Unread:
        bits = bits_of(whole.payload, int(whole.fill))
        reason = unreadable(bits)
        if reason is not None:
            return Unread(whole.frames, reason, distress_like=might_be_distress(whole.payload))
        said = detail_of(bits, own_ship=whole.own_ship, channel=whole.channel)
        alarm = alarm_of(said, text_of(bits))
        if alarm is not None:
            said = self._remembered(said, alarm.marking, whole.frames[-1].heard)
        return Reading(
            frames=whole.frames, system=self.name, said=said, content=whole.payload + whole.fill
        )

    def _remembered(self, said: AisDetail, marking: Marking, heard: Moment) -> AisDetail:
        """Note who calls for help, and mark the test of one who did."""
        if marking is Marking.ACTIVE:
            self._active.pop(said.mmsi, None)
            self._active[said.mmsi] = heard.mono_ns
            if len(self._active) > ACTIVE_IDENTITIES_MAX:
                del self._active[next(iter(self._active))]
                self._evicted += 1
            return said
        heard_ns = self._active.get(said.mmsi)
        if marking is not Marking.TEST or heard_ns is None:
            return said
        return replace(said, recently_active=heard.mono_ns - heard_ns <= ACTIVE_MEMORY_NS)


RADIO = Ais
