"""A report of a story, as the bytes of the modem that hears it.

Nothing here is a recording. DSC calls and beacons are written by our own writers, AIS by pyais,
transponders as in systems.py. What a table says that no radio carries, the tape does not have:
whose craft it is (`tag`) stands in a register beside it, and what kind of craft it is nowhere.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import cos, radians, sin

from msgspec.structs import replace
from pyais import encode_dict
from tapes.systems import acquisition, beast, cpr, reply, squitter

from gateway.codes.bits import joined
from gateway.framing.nmea import Nmea
from gateway.model.words import Nature
from gateway.radio.cospas_sarsat.words import BeaconDetail
from gateway.radio.cospas_sarsat.write import write_beacon
from gateway.radio.dsc.call import Illegible, read_call
from gateway.radio.dsc.tables import NATURES
from gateway.radio.dsc.write import write_call
from gateway.radio.mode_s.basestation import FIELDS
from gateway.settings import profile_named
from gateway.transport.tape import TapePort

PORTS = {
    ("dsc", 156_525_000): ("vhf-dsc", "generic-dsc"),
    ("dsc", 2_187_500): ("mf-dsc", "generic-dsc"),
    ("ais", 161_975_000): ("ais", "generic-ais"),
    ("mode_s", 1_090_000_000): ("aircraft", "generic-mode_s"),
    ("mode_s_lines", 1_090_000_000): ("aircraft-text", "generic-mode_s-sbs"),
    ("cospas_sarsat", 406_028_000): ("beacon-406", "generic-cospas_sarsat"),
    ("aprs", 156_800_000): ("packet-text", "generic-aprs-tnc2"),
}
"""Which port hears a system on a frequency, and the profile of its modem. Whoever sets up such a
port says what its receiver is tuned to: a DSC radio and a beacon receiver don't."""

BEACONS = (
    BeaconDetail(
        generation=1,
        form="message",
        long=True,
        protocol="standard_test",
        beacon="test",
        hex_id="1A7C000004FFBFF",
        country="211",
        national="0" * 22 + "10",
        position_source="internal",
        homing="121.5",
    ),
    BeaconDetail(
        generation=1,
        form="message",
        protocol="user_serial",
        beacon="elt",
        hex_id="9A6C001F5000001",
        country="211",
        serial=2004,
        homing="121.5",
    ),
)
"""The beacons of the stories: one coded to be tested, and an ELT."""

VELOCITY_S, PLACE_S = 0.2, 0.1
"""So long before a place an aircraft says how it moves, and so long before its first place the
other half of it. At first it says how it moves after its place: else nobody knows where that is."""

AGAIN_S = 1.0
"""After so long an emergency is said again: by one reply alone it may be a code dialled through."""

_FOOT_M = 0.3048
_NATURE_CODES = {nature: code - 100 for code, nature in NATURES.items()}
_VOICE = {"vhf-dsc": "00", "mf-dsc": "09"}
"""How one goes on after a call (M.493 table A1-3): F3E, J3E."""

Sent = tuple[float, str, bytes]
"""When in seconds, at which port, which bytes."""


PRINTED = ("airspace-keep-out",)
"""Stories of stations whose receiver of transponders prints lines, instead of the bits."""


class Airwaves:
    """Everything that the stations of one story transmit, as the modems of one station tell it."""

    def __init__(self, story: str, hhmm: str) -> None:
        self._printed = story in PRINTED
        self._hhmm = hhmm
        self._alerts: dict[str, tuple[str, str]] = {}
        """Nature and place of the last alert of each ship."""
        self._odd: dict[str, bool] = {}
        """Whether the place that an aircraft told last was of the odd kind."""

    def port_of(self, report: dict) -> tuple[str, TapePort]:
        """Return the port that hears it, with its profile tuned to the frequency."""
        is_line = self._printed and report["system"] == "mode_s"
        system = "mode_s_lines" if is_line else report["system"]
        name, modem = PORTS[system, report["freq_hz"]]
        return name, TapePort(modem, replace(profile_named(modem), freq_hz=report["freq_hz"]))

    def said(self, at_s: float, report: dict) -> Iterator[Sent]:
        """Yield what has been heard by this moment, so that all of the report is known at it."""
        port, _ = self.port_of(report)
        match report["system"]:
            case "dsc":
                yield at_s, port, self._call(port, report)
            case "ais":
                yield at_s, port, _sailing(report)
            case "cospas_sarsat":
                yield at_s, port, _beacon(report)
            case "aprs":
                yield at_s, port, f"{report['callsign']}>APRS:>calling\r\n".encode()
            case "mode_s" if report.get("kind") == "alert":
                yield from _in_trouble(at_s, port, report)
            case "mode_s" if self._printed:
                yield at_s, port, _lines(report)
            case "mode_s":
                yield from self._flying(at_s, port, report)

    def _call(self, port: str, report: dict) -> bytes:
        """Return a DSC sentence (IEC 61162-1, its fields as `call` has them)."""
        own, voice = report["mmsi"], _VOICE[port]
        nature = f"{_NATURE_CODES[Nature(report.get('nature', 'undesignated'))]:02}"
        place = _minutes(report["position"]) if "position" in report else "9999999999"
        match report.get("kind"):
            case "alert":
                self._alerts[own] = nature, place
                fields = f"12,{own}0,12,{nature},{voice},{place},{self._hhmm},,,S,"
            case "acknowledgement":
                casualty = report["casualty"]
                nature, place = self._alerts[casualty]
                fields = f"16,{own}0,12,10,{voice},{place},{self._hhmm},{casualty}0,{nature},B,"
            case "cancellation":
                fields = f"12,{own}0,12,{nature},{voice},{place},{self._hhmm},{own}0,,S,"
            case _:
                fields = f"20,{own}0,08,18,26,,,,,B,"
        call = read_call(fields.split(","))
        assert not isinstance(call, Illegible), fields
        return Nmea.wrap(write_call(call))

    def _flying(self, at_s: float, port: str, report: dict) -> Iterator[Sent]:
        """Yield how a craft moves, and where it is: twice at first, or no zone is known."""
        address = report["icao24"]
        is_new = address not in self._odd
        moved_s = at_s + (VELOCITY_S if is_new else -VELOCITY_S)
        yield moved_s, port, beast(moved_s, squitter(address, _velocity(report)))
        if is_new:
            half_s = at_s - PLACE_S
            yield half_s, port, beast(half_s, squitter(address, _place(report, odd=False)))
        odd = self._odd[address] = not self._odd.get(address, False)
        yield at_s, port, beast(at_s, squitter(address, _place(report, odd=odd)))


def _in_trouble(at_s: float, port: str, report: dict) -> Iterator[Sent]:
    """Yield that the craft is there, its squawk, and the same once more."""
    address, squawk = report["icao24"], report["detail"]["emergency"]["squawk"]
    there_s = at_s - VELOCITY_S
    yield there_s, port, beast(there_s, acquisition(address))
    for t_s in (at_s, at_s + AGAIN_S):
        yield t_s, port, beast(t_s, reply(squawk, address))


def _lines(report: dict) -> bytes:
    """Return how a craft moves, and where it is, as dump1090 and its kin print it."""
    lat, lon = report["position"]
    moves = {1: "4", 12: report["speed_kn"], 13: report["course_deg"], 16: 0}
    stands = {1: "3", 11: round(report["altitude_m"] / _FOOT_M), 14: f"{lat:.4f}", 15: f"{lon:.4f}"}
    lines = []
    for said in (moves, stands):
        fields = {0: "MSG", 2: 1, 3: 1, 4: report["icao24"], 5: 1, 21: 0, **said}
        lines.append(",".join(str(fields.get(place, "")) for place in range(FIELDS)))
    return "".join(f"{line}\r\n" for line in lines).encode()


def _velocity(report: dict) -> int:
    """Return speed over ground in knots, east and north (Doc 9871, table A-2-9a; type 19)."""
    course = radians(report["course_deg"])
    east, north = (round(report["speed_kn"] * part(course)) for part in (sin, cos))
    return joined(
        *((19, 5), (1, 3), (0, 5)),
        *((east < 0, 1), (abs(east) + 1, 10), (north < 0, 1), (abs(north) + 1, 10)),
        *((0, 1), (0, 1), (0, 9), (0, 2), (0, 8)),
    )


def _place(report: dict, *, odd: bool) -> int:
    """Return place and height, in steps of 25 feet (Doc 9871, table A-2-5; type 11)."""
    steps = round((report["altitude_m"] / _FOOT_M + 1000) / 25)
    height = steps >> 4 << 5 | 1 << 4 | steps & 0xF  # the Q bit stands in between
    lat, lon = cpr(*report["position"], odd=odd)
    return joined((11, 5), (0, 3), (height, 12), (0, 1), (odd, 1), (lat, 17), (lon, 17))


def _sailing(report: dict) -> bytes:
    """Return a position report of class A (ITU-R M.1371-5, message 1)."""
    lat, lon = report["position"]
    lines = encode_dict(
        {
            "type": 1,
            "mmsi": report["mmsi"],
            "lat": lat,
            "lon": lon,
            "speed": report["speed_kn"],
            "course": report["course_deg"],
            "heading": report["course_deg"],
            "second": 0,
            "accuracy": 1,
        },
        talker_id="AI",
        radio_channel="A",
    )
    return "".join(f"{line}\r\n" for line in lines).encode()


def _beacon(report: dict) -> bytes:
    said = next(one for one in BEACONS if one.hex_id == report["beacon_hex"])
    return f"{write_beacon(said)}\r\n".encode()


def _minutes(position: list[float]) -> str:
    """Return a north-east position as DSC codes it: whole minutes."""
    (lat, lat_min), (lon, lon_min) = (divmod(round(deg * 60), 60) for deg in position)
    return f"0{lat:02}{lat_min:02}{lon:03}{lon_min:02}"
