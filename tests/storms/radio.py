"""What is on the air in a storm, by the dice: mostly ships under way, and now and then a call.

The ships carry the maritime identification digits 200, which the ITU has given to nobody. Each call
is said once in a storm, with words of its own, so that whatever is told later can be traced to it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import reduce
from operator import xor

from pyais import encode_dict

PORTS = {
    "dsc1": "generic-dsc",
    "ais1": "generic-ais",
    "ais2": "generic-ais",
    "gnss1": "generic-gnss",
}

SHIPS = 12
"""Under way at once."""


@dataclass(eq=False)
class Said:
    """One transmission as a modem says it, and what has become of it."""

    port: str
    wire: bytes
    sort: str
    """`distress`, `urgency`, `safety`, `routine`, `test`, `damaged` (a distress with a bit bent) or
    `noise`."""
    raws: tuple = ()
    """Its sentences, as a report of it names them."""
    heard_s: float | None = None
    """When the gateway had read all of it."""
    life: int = 0
    """Of the lives of the gateway, the one that read it."""
    moment: object = None
    """What the box's clocks showed then."""
    numbers: set = field(default_factory=set)
    """Epoch and number of each row that it was given, for certain."""
    received: dict = field(default_factory=dict)
    """Links behind which it has been received, and when for the first time."""
    excuse: str | None = None
    """Why it need not arrive."""

    @property
    def key(self):
        return self.port, self.raws


def sentence(body):
    """Return the whole sentence for a body that starts with its start mark."""
    return f"{body}*{reduce(xor, body[1:].encode()):02X}\r\n".encode()


def raws_of(wire):
    """Return the sentences of this wire, as a report names them."""
    return tuple(line.decode() for line in wire.split(b"\r\n") if line)


class Air:
    """Says what is on the air, piece by piece."""

    def __init__(self, dice):
        self._dice = dice
        self._serial = 0
        self._fleet = [
            [200_200_000 + number, 51 + dice.random(), 1 + dice.random(), dice.uniform(0, 359)]
            for number in range(SHIPS)
        ]

    def routine(self):
        """Return a ship's position, heard by one receiver or by both."""
        ship = self._dice.choice(self._fleet)
        ship[1] += self._dice.uniform(-0.001, 0.001)
        ship[2] += self._dice.uniform(-0.001, 0.001)
        wire = self._ais(
            type=1, mmsi=ship[0], lat=ship[1], lon=ship[2], speed=9.5, course=ship[3], status=0
        )
        ports = self._dice.choice((("ais1",), ("ais2",), ("ais1", "ais2")))
        return [self._said(port, wire, "routine") for port in ports]

    def own_place(self):
        """Return what the satellite receiver says."""
        self._serial += 1
        second = self._serial % 60
        wire = sentence(f"$GPRMC,1200{second:02}.00,A,5107.7400,N,00119.8600,E,0.0,,031126,,,D")
        return [self._said("gnss1", wire, "routine")]

    def distress(self):
        """Return a call for help: by DSC, by a relay, or from a locating device."""
        mmsi, place = self._mmsi(), self._place()
        match self._dice.randrange(4):
            case 0 | 1:
                nature = self._dice.choice(("00", "01", "05", "06", "10"))
                wire = sentence(f"$CDDSC,12,{mmsi}0,12,{nature},00,{place},1200,,,S,")
                return [self._said("dsc1", wire, "distress")]
            case 2:
                body = f"$CDDSC,16,0020012340,12,12,00,{place},1200,{mmsi}0,05,S,"
                return [self._said("dsc1", sentence(body), "distress")]
            case _:
                self._serial += 1
                wire = self._ais(
                    type=1,
                    mmsi=970_200_000 + self._serial % 100_000,
                    lat=51 + self._dice.random(),
                    lon=1 + self._dice.random(),
                    status=14,
                    speed=0.4,
                    course=80.0,
                )
                ports = self._dice.choice((("ais1",), ("ais1", "ais2")))
                return [self._said(port, wire, "distress") for port in ports]

    def urgency(self):
        """Return a call of urgency."""
        wire = sentence(f"$CDDSC,16,{self._mmsi()}0,10,00,26,900016,1201,,,S,")
        return [self._said("dsc1", wire, "urgency")]

    def safety(self):
        """Return a call of safety."""
        wire = sentence(f"$CDDSC,16,{self._mmsi()}0,08,00,26,900013,1202,,,S,")
        return [self._said("dsc1", wire, "safety")]

    def test(self):
        """Return a call that is marked as a test: of a radio, or of a locating device."""
        if self._dice.random() < 0.5:
            wire = sentence(f"$CDDSC,20,{self._mmsi()}0,08,18,26,,,,,S,")
            return [self._said("dsc1", wire, "test")]
        self._serial += 1
        wire = self._ais(
            type=1, mmsi=974_200_000 + self._serial % 100_000, lat=51.5, lon=1.5, status=15
        )
        return [self._said("ais1", wire, "test")]

    def damaged(self):
        """Return a call for help of which one character arrived as another."""
        wire = bytearray(sentence(f"$CDDSC,12,{self._mmsi()}0,12,05,00,{self._place()},1200,,,S,"))
        at = self._dice.randrange(12, 21)  # a digit of the identity
        wire[at] = ord("0") + (wire[at] - ord("0") + self._dice.randrange(1, 10)) % 10
        return [self._said("dsc1", bytes(wire), "damaged")]

    def noise(self):
        """Return what is no sentence: noise, a sentence cut short, a language unknown."""
        port = self._dice.choice(tuple(PORTS))
        match self._dice.randrange(4):
            case 0:
                wire = bytes(self._dice.choices(range(256), k=self._dice.randrange(1, 400)))
            case 1:
                wire = b"!AIVDM,1,1,,A,13u?etPv2;0n:dDPw"
            case 2:
                wire = sentence(f"$PQUAY,{self._dice.randrange(999)},0,1")
            case _:
                wire = b"\xff" * 1500
        return [Said(port, wire + b"\r\n", "noise")]

    def _said(self, port, wire, sort):
        return Said(port, wire, sort, raws_of(wire))

    def _mmsi(self):
        self._serial += 1
        return 200_300_000 + self._serial

    def _place(self):
        dice = self._dice
        return f"0{dice.randrange(90):02}{dice.randrange(60):02}{dice.randrange(180):03}59"

    def _ais(self, **fields):
        lines = encode_dict(fields, talker_id="AI", radio_channel=self._dice.choice("AB"))
        return "".join(f"{line}\r\n" for line in lines).encode()
