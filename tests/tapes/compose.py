"""Compose the demonstration tape: five and a half minutes of radio traffic in a strait.

Within its first twenty seconds every radio system has spoken; then it goes on calmly.

    python tests/tapes/compose.py            write config/demo/strait.tape
    python tests/tapes/compose.py --check    say whether it is current

The ships carry the maritime identification digits 200, which the ITU has given to nobody, so that
no real ship is named. AIS is encoded by pyais, DSC after the field table of IEC 61162-1, GNSS here;
systems.py has the rest, and says who encodes it.
"""

import argparse
import math
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from functools import reduce
from operator import xor
from pathlib import Path

import msgspec
import systems
from pyais import encode_dict

from gateway.model.inbound import Chunk, Moment, Tick
from gateway.model.plan import Profile
from gateway.model.words import ClockState
from gateway.settings import profile_named
from gateway.transport.tape import TapeHeader, TapePort, TapeWriter

TAPE = Path(__file__).parents[2] / "config" / "demo" / "strait.tape"

LENGTH_S = 330
MAYDAY_S = 6.0
BEGIN_UTC_NS = 1_793_707_200 * 10**9
"""2026-11-03 12:00 UTC: any moment would do, but it must be the same at every composing."""

PORTS = {
    "vhf-dsc": "generic-dsc",
    "ais-quay": "generic-ais",
    "ais-mast": "generic-ais",
    "gnss": "generic-gnss",
    **systems.PORTS,
}

STATION_LAT_DEG, STATION_LON_DEG = 51.1290, 1.3310
NM_DEG = 1 / 60

Sent = tuple[float, str, bytes]
"""When in seconds, at which port, which bytes."""


class Ship(msgspec.Struct, frozen=True):
    """One vessel under way."""

    mmsi: int
    name: str
    ship_type: int
    lat_deg: float
    lon_deg: float
    course_deg: float
    speed_kn: float
    class_b: bool = False

    def at(self, t_s: float) -> tuple[float, float]:
        """Return latitude and longitude, dead reckoned over a short way."""
        run_deg = self.speed_kn * t_s / 3600 * NM_DEG
        lat = self.lat_deg + run_deg * math.cos(math.radians(self.course_deg))
        east = run_deg * math.sin(math.radians(self.course_deg))
        return lat, self.lon_deg + east / math.cos(math.radians(lat))


FLEET = (
    Ship(200100001, "EASTERN TRADER", 70, 51.020, 1.450, 38, 13.8),
    Ship(200100002, "CHANNEL SPIRIT", 80, 51.095, 1.520, 218, 11.2),
    Ship(200100003, "WHITE GANNET", 60, 51.120, 1.345, 131, 18.6),
    Ship(200100004, "COASTAL BEE", 71, 50.985, 1.250, 35, 9.4),
    Ship(200100005, "NORTHERN ROSE", 30, 51.060, 1.390, 80, 3.1),
    Ship(200100006, "PILOT SEVEN", 50, 51.110, 1.360, 172, 14.0),
    Ship(200100007, "DRIFTWOOD", 36, 51.078, 1.300, 245, 4.7, class_b=True),
    Ship(200100008, "LITTLE AUK", 37, 51.050, 1.420, 12, 6.3, class_b=True),
)
CASUALTY = Ship(200100005, "NORTHERN ROSE", 30, 51.060, 1.390, 80, 3.1)
COAST_STATION = "002001234"
COAST_STATION_LAT_DEG, COAST_STATION_LON_DEG = 51.1320, 1.3150


def sentence(body: str) -> bytes:
    """Return the whole sentence for a body that starts with its start mark."""
    return f"{body}*{reduce(xor, body[1:].encode()):02X}\r\n".encode()


def ais(channel: str, **fields: object) -> bytes:
    """Return the sentences of one AIS transmission."""
    lines = encode_dict(fields, talker_id="AI", radio_channel=channel)
    return "".join(f"{line}\r\n" for line in lines).encode()


def sailing() -> Iterator[Sent]:
    """Yield the fleet's positions and names, as two receivers hear them."""
    for number, ship in enumerate(FLEET):
        every_s = 30 if ship.class_b else 6 if ship.speed_kn > 14 else 10
        for turn, t_s in enumerate(range(number, LENGTH_S, every_s)):
            lat, lon = ship.at(t_s)
            yield from both_hear(
                t_s,
                ais(
                    "AB"[turn % 2],
                    type=18 if ship.class_b else 1,
                    mmsi=ship.mmsi,
                    lat=lat,
                    lon=lon,
                    speed=ship.speed_kn,
                    course=ship.course_deg,
                    heading=511 if ship.class_b else int(ship.course_deg),
                    second=t_s % 60,
                    status=7 if ship.ship_type == 30 else 0,
                    accuracy=1,
                ),
            )
        for t_s in range(3 + number, LENGTH_S, 90):
            yield t_s + 0.5, "ais-quay", static(ship)
    for t_s in range(1, LENGTH_S, 10):
        yield t_s + 0.2, "ais-quay", base_station(t_s)


def both_hear(t_s: float, wire: bytes) -> Iterator[Sent]:
    """Let the quay hear it, and the mast a third of a second later: two witnesses."""
    yield t_s, "ais-quay", wire
    yield t_s + 0.3, "ais-mast", wire


def static(ship: Ship) -> bytes:
    """Return name and kind of a ship."""
    if ship.class_b:
        return ais("A", type=24, partno=0, mmsi=ship.mmsi, shipname=ship.name)
    return ais(
        "B",
        type=5,
        mmsi=ship.mmsi,
        shipname=ship.name,
        ship_type=ship.ship_type,
        callsign=f"XX{ship.mmsi % 10000:04}",
        destination="STRAIT TRIAL",
        to_bow=80,
        to_stern=40,
        to_port=9,
        to_starboard=9,
        draught=6.5,
    )


def base_station(t_s: int) -> bytes:
    """Return the coast station's time signal."""
    minute, second = divmod(t_s, 60)
    return ais(
        "A",
        type=4,
        mmsi=COAST_STATION,
        year=2026,
        month=11,
        day=3,
        hour=12,
        minute=minute,
        second=second,
        lat=COAST_STATION_LAT_DEG,
        lon=COAST_STATION_LON_DEG,
        epfd=1,
    )


def locating(mmsi: int, text: str, status: int, *, lat: float, lon: float) -> bytes:
    """Return one burst's worth of an AIS locating device: its position and its text."""
    place = ais(
        "A", type=1, mmsi=mmsi, status=status, lat=lat, lon=lon, speed=0.4, course=80.0,
        heading=511, second=60, turn=-128,
    )  # fmt: skip
    return place + ais("B", type=14, mmsi=mmsi, text=text)


def emergencies() -> Iterator[Sent]:
    """Yield what the watch is kept for: a MAYDAY worked to its end, and what looks like one."""
    lat, lon = CASUALTY.at(MAYDAY_S)
    whole, dse = dsc_place(lat, lon)
    alert = f"$CDDSC,12,{CASUALTY.mmsi}0,12,05,00,{whole},1200,,,S,E"
    yield MAYDAY_S, "vhf-dsc", sentence(alert)
    yield MAYDAY_S + 0.4, "vhf-dsc", sentence(f"$CDDSE,1,1,A,{CASUALTY.mmsi}0,00,{dse}")
    for turn in range(5):
        t_s = 17.0 + 60 * turn
        sart_lat, sart_lon = CASUALTY.at(t_s)
        wire = locating(970200017, "SART ACTIVE", 14, lat=sart_lat, lon=sart_lon)
        yield from both_hear(t_s, wire)
    yield 38.0, "ais-quay", locating(974200021, "EPIRB TEST", 15, lat=51.1280, lon=1.3300)
    acknowledged = f"$CDDSC,16,{COAST_STATION}0,12,10,00,{whole},1200,{CASUALTY.mmsi}0,05,B,"
    yield 48.0, "vhf-dsc", sentence(acknowledged)
    yield 70.0, "vhf-dsc", sentence(alert).replace(b"*", b"0*")
    yield 95.0, "vhf-dsc", sentence("$CDDSC,16,2001000020,10,00,26,900016,1201,,,S,")
    yield 125.0, "vhf-dsc", sentence(f"$CDDSC,16,{COAST_STATION}0,08,00,26,900013,1202,,,S,")
    yield 150.0, "vhf-dsc", sentence(f"$CDDSC,20,{COAST_STATION}0,08,18,26,,,,,B,")
    yield 175.0, "vhf-dsc", sentence("$CDDSC,20,2001000060,00,21,26,0510600122,1203,,,B,E")
    yield 175.4, "vhf-dsc", sentence("$CDDSE,1,1,A,2001000060,00,60002400")
    yield 210.0, "vhf-dsc", sentence("$CDDSC,12,2001000030,12,07,00,0510700121,1203,,,S,")
    yield (
        232.0,
        "vhf-dsc",
        sentence("$CDDSC,12,2001000030,12,07,00,0510700121,1204,2001000030,,S,"),
    )
    yield (
        260.0,
        "ais-quay",
        ais("A", type=14, mmsi=COAST_STATION, text="SAR IN PROGRESS KEEP CLEAR"),
    )


def dsc_place(lat_deg: float, lon_deg: float) -> tuple[str, str]:
    """Return a north-east position as DSC codes it: whole minutes, and their ten-thousandths."""
    parts = [divmod(round(deg * 600_000), 600_000) for deg in (lat_deg, lon_deg)]
    (lat_whole, lat_rest), (lon_whole, lon_rest) = parts
    (lat_min, lat_fine), (lon_min, lon_fine) = divmod(lat_rest, 10_000), divmod(lon_rest, 10_000)
    return (
        f"0{lat_whole:02}{lat_min:02}{lon_whole:03}{lon_min:02}",
        f"{lat_fine:04}{lon_fine:04}",
    )


def weather() -> Iterator[Sent]:
    """Yield what no receiver is spared: noise, a cut sentence, a glued pair, a language unknown."""
    yield 20.0, "ais-mast", b"\x00\xff\x7e~~\xa5\x1b\r\n"
    yield 62.0, "ais-mast", b"!AIVDM,1,1,,A,13u?etPv2;0n:dDPwUM1U1Cb06\r\n"
    yield 110.0, "ais-quay", sentence("$PQUAY,1,0,1")
    yield 180.0, "vhf-dsc", b"$CDDSC,12,20010000"


def own_place() -> Iterator[Sent]:
    """Yield the station's own receiver, once a second."""
    lat, lon = (_dm(STATION_LAT_DEG, 2), _dm(STATION_LON_DEG, 3))
    for t_s in range(LENGTH_S):
        minute, second = divmod(t_s, 60)
        time = f"12{minute:02}{second:02}.00"
        rmc = f"$GPRMC,{time},A,{lat},N,{lon},E,0.0,,031126,,,D"
        gga = f"$GPGGA,{time},{lat},N,{lon},E,2,09,0.9,21.0,M,45.0,M,,"
        yield t_s + 0.1, "gnss", sentence(rmc) + sentence(gga)
        if not t_s % 10:
            yield t_s + 0.15, "gnss", sentence(f"$GPZDA,{time},03,11,2026,00,00")


def _dm(degrees: float, width: int) -> str:
    whole, rest = divmod(round(degrees * 600_000), 600_000)
    return f"{whole:0{width}}{rest / 10_000:07.4f}"


def heard() -> Iterator[Chunk | Tick]:
    """Yield the whole tape in order of time: chunks as they fell off the wires, a tick a second."""
    lat, lon = CASUALTY.at(MAYDAY_S)
    others = systems.everything_else(
        casualty=str(CASUALTY.mmsi), lat_deg=lat, lon_deg=lon, length_s=LENGTH_S
    )
    sent = sorted(
        [*sailing(), *emergencies(), *weather(), *own_place(), *others], key=lambda each: each[0]
    )
    fresh = set(PORTS)
    tick_s = 1
    for t_s, port, wire in sent:
        while tick_s <= t_s:
            yield Tick(moment(tick_s))
            tick_s += 1
        yield Chunk(port, moment(t_s), wire, gap=port in fresh)
        fresh.discard(port)


def moment(t_s: float) -> Moment:
    """Return the moment so many seconds into the tape."""
    t_ns = round(t_s * 1000) * 10**6
    return Moment(t_ns, BEGIN_UTC_NS + t_ns, ClockState.NTP)


def compose(path: Path) -> None:
    """Write the tape."""
    profiles: dict[str, Profile] = {name: profile_named(name) for name in PORTS.values()}
    header = TapeHeader(
        station="demo",
        ports={
            name: TapePort(modem=modem, profile=profiles[modem]) for name, modem in PORTS.items()
        },
        position=(STATION_LAT_DEG, STATION_LON_DEG),
    )
    with closing(TapeWriter(path, header)) as tape:
        for each in heard():
            tape.write(each)


def main() -> int:
    """Compose, or compare with what is there."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 when stale")
    if not parser.parse_args().check:
        TAPE.unlink(missing_ok=True)
        compose(TAPE)
        return 0
    with tempfile.TemporaryDirectory() as folder:
        fresh = Path(folder, "fresh.tape")
        compose(fresh)
        return 0 if fresh.read_bytes() == TAPE.read_bytes() else 1


if __name__ == "__main__":
    sys.exit(main())
