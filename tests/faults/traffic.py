"""What modems say: sentences of every radio, each call for help with an identity of its own.

An identity says when a sentence was said and whether it arrived, without anything else to compare.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterator

from msgspec import Struct
from pyais import encode_dict

from gateway.codes.checksum import nmea_checksum
from gateway.model.entry import Lane

PORTS = {"dsc": "dsc", "ais": "ais", "gnss": "gnss", "mixed": "nmea"}
"""Each pty with its generic profile: three that speak one language, one that speaks all."""

CRAFT = 300
"""Ships that say where they are."""

FIRST_SHIP = 200_000_000
"""The digits 200 have been given to nobody: no real ship is named."""

FIRST_CALLER = 200_100_000
"""Nobody who calls for help is one of the ships, here or in the benchmark's fleet."""

DEVICES = 1_000_000
"""Identities of AIS-SARTs, that of one maker and serial number each (ITU-R M.585)."""


class Sentence(Struct, frozen=True):
    """What one modem says at once."""

    port: str
    wire: bytes
    lane: Lane = Lane.ROUTINE
    mmsi: str = ""
    """Who is in it, when that is nobody else's; empty when nobody will look for it."""


class Traffic:
    """Sentences for ever, out of one seed. No call for help ever has the identity of another."""

    def __init__(self, seed: int = 1) -> None:
        self._dice = random.Random(seed)
        self._serial = itertools.count()
        self._fleet = [wire for ship in range(CRAFT) for wire in self._places(ship)]

    def mixed(self, *, share: float) -> Iterator[Sentence]:
        """Yield what all ports say in turn, with this share of distress."""
        for port in itertools.cycle(PORTS):
            if self._dice.random() < share:
                yield self.distress(port)
            else:
                yield self.routine(port)

    def urgent(self) -> Iterator[Sentence]:
        """Yield nothing but what is kept until signed for: distress, urgency, safety in turn."""
        calls = itertools.cycle((self.distress, self.urgency, self.safety))
        for call, port in zip(calls, itertools.cycle(("dsc", "mixed")), strict=False):
            yield call(port)

    def distress(self, port: str) -> Sentence:
        """Return a call for help on this port, as a radio of its kind would bring it."""
        number = next(self._serial)
        if port == "ais" or (port == "mixed" and number % 2):
            mmsi = f"{970_000_000 + number % DEVICES}"
            fields = {"type": 14, "mmsi": mmsi, "text": "SART ACTIVE"}
            (line,) = encode_dict(fields, talker_id="AI", radio_channel="A")
            return Sentence(port, f"{line}\r\n".encode(), Lane.DISTRESS, mmsi)
        mmsi = f"{FIRST_CALLER + number}"
        body = f"CDDSC,12,{mmsi}0,12,05,00,1423108312,{_hhmm(number)},,,S,"
        return Sentence("dsc" if port == "gnss" else port, _wired(body), Lane.DISTRESS, mmsi)

    def spoof(self, port: str, mmsi: int) -> Sentence:
        """Return a call for help in the name of a ship, for which nobody will look."""
        body = f"CDDSC,12,{mmsi}0,12,05,00,1423108312,{_hhmm(next(self._serial))},,,S,"
        return Sentence(port, _wired(body), Lane.DISTRESS)

    def urgency(self, port: str) -> Sentence:
        """Return an urgency call to a coast station."""
        number = next(self._serial)
        mmsi = f"{FIRST_CALLER + number}"
        body = f"CDDSC,20,{mmsi}0,10,00,00,1423108312,{_hhmm(number)},,,B,E"
        return Sentence(port, _wired(body), Lane.URGENCY, mmsi)

    def safety(self, port: str) -> Sentence:
        """Return a safety call to all ships."""
        number = next(self._serial)
        mmsi = f"{FIRST_CALLER + number}"
        return Sentence(port, _wired(f"CTDSC,16,{mmsi}0,08,09,26,041250,,,,S"), Lane.SAFETY, mmsi)

    def routine(self, port: str) -> Sentence:
        """Return something that nobody has to act upon."""
        number = next(self._serial)
        if port == "gnss":
            body = f"GPGLL,5503.{number % 100:02d},N,01016.00,E,{_hhmm(number)}{number % 60:02d},A"
            return Sentence(port, _wired(body))
        if port == "dsc":
            mmsi = FIRST_SHIP + number % CRAFT
            body = f"CDDSC,20,{mmsi}0,00,21,26,1423108312,{_hhmm(number)},,,B,E"
            return Sentence(port, _wired(body))
        return Sentence(port, self._fleet[number % len(self._fleet)])

    def _places(self, ship: int) -> Iterator[bytes]:
        for second in range(0, 60, 12):
            fields = {
                "type": self._dice.choice((1, 3, 18)),
                "mmsi": FIRST_SHIP + ship,
                "lat": self._dice.uniform(50, 52),
                "lon": self._dice.uniform(0, 3),
                "speed": self._dice.uniform(0, 20),
                "course": self._dice.uniform(0, 359),
                "second": second,
            }
            for line in encode_dict(fields, talker_id="AI", radio_channel="AB"[ship % 2]):
                yield f"{line}\r\n".encode()


Choice = Callable[[], Iterator[Sentence]]


def _hhmm(number: int) -> str:
    return f"{number // 60 % 24:02d}{number % 60:02d}"


def _wired(body: str) -> bytes:
    return f"${body}*{nmea_checksum(body.encode()):02X}\r\n".encode()
