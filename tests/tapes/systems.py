"""What the demonstration tape holds beside DSC sentences, AIS and GNSS: every other radio system.

Nothing here is a recording. Each frame is made by the encoder named beside it, from the standard
named there; the packed link speaks docs/LINK.md. Who is named doesn't exist: the maritime digits
200 and the aircraft addresses from F00000 are given to nobody, N0CALL is nobody's call sign, and
the mesh nodes are made up. The first-generation beacon is coded with a test protocol.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from math import floor

from gateway.codes.bits import joined
from gateway.codes.checksum import nmea_checksum
from gateway.codes.cpr import zones_at
from gateway.codes.crc24 import parity
from gateway.framing.beast import Beast
from gateway.framing.cobs import Cobs
from gateway.framing.kiss import Kiss
from gateway.framing.meshtastic import Meshtastic
from gateway.framing.nmea import Nmea
from gateway.radio.aprs.content import write_position
from gateway.radio.aprs.mice import write_mic_e
from gateway.radio.aprs.packet import Packet, write_packet, write_text
from gateway.radio.cospas_sarsat.words import BeaconDetail
from gateway.radio.cospas_sarsat.write import write_beacon
from gateway.radio.dsc.call import Illegible, read_call
from gateway.radio.dsc.send import write_pairs, write_symbols
from gateway.radio.navtex.sentences import write_sentences
from gateway.radio.packed import packet as link
from gateway.radio.packed.letters import Health, Hearing, Hello, Letter, Party, Report, write_letter

PORTS = {
    "mf-dsc": "generic-dsc-symbols",
    "beacon-406": "generic-cospas_sarsat",
    "aircraft": "generic-mode_s",
    "packet": "generic-aprs",
    "packet-text": "generic-aprs-tnc2",
    "navtex": "generic-navtex",
    "mesh": "generic-meshtastic",
    "buoys": "generic-packed",
    "lifeboat": "generic-shipboard",
    "bus": "generic-n2k",
}

Sent = tuple[float, str, bytes]
"""When in seconds, at which port, which bytes."""

TROUBLED = "F05117"
OVERFLYING = "F05230"
EMERGENCY_S = (9.5, 130.0)
"""From when to when the troubled aircraft has 7700 set."""
LIFEBOAT = "200100009"
ANGLER = "200100011"
COAST_STATION = "002001234"


def everything_else(
    *, casualty: str, lat_deg: float, lon_deg: float, length_s: int
) -> Iterator[Sent]:
    """Yield all of it; the casualty and its place are those of the story."""
    yield from aircraft(length_s)
    yield from navtex()
    yield from mesh()
    yield from packet_radio(length_s)
    yield from beacons(casualty, lat_deg, lon_deg)
    yield from buoys(length_s)
    yield from lifeboat()
    yield from bus(length_s)
    whole = f"0{dsc_minutes(lat_deg, 2)}{dsc_minutes(lon_deg, 3)}"
    yield 8.0, "mf-dsc", relayed(casualty, whole)


def relayed(casualty: str, place: str) -> bytes:
    """Return the coast station's relay of the MAYDAY on MF, symbol by symbol (ITU-R M.493-15)."""
    call = read_call(
        f"16,{COAST_STATION}0,12,12,09,{place},1200,{casualty}0,05,S,".split(","),
    )
    if isinstance(call, Illegible):
        raise TypeError(call)
    return write_pairs(write_symbols(call))


def dsc_minutes(deg: float, width: int) -> str:
    """Return degrees and whole minutes, as DSC writes them; north and east."""
    degrees, minutes = divmod(int(deg * 60), 60)
    return f"{degrees:0{width}}{minutes:02}"


# ---- Beacons: our own writer, after C/S T.001 and T.018 ------------------------------------------


def beacons(casualty: str, lat_deg: float, lon_deg: float) -> Iterator[Sent]:
    """Yield a beacon in the test cupboard, the casualty's own, and the end of it."""
    tested = BeaconDetail(
        generation=1,
        form="message",
        long=True,
        protocol="standard_test",
        beacon="test",
        hex_id="",
        country="200",
        national="0" * 24,
        position_source="internal",
        homing="121.5",
        lat_deg=51.125,
        lon_deg=1.325,
    )
    yield 4.0, "beacon-406", f"{write_beacon(tested)}\r\n".encode()
    for t_s in (7.0, 57.0, 107.0, 157.0):  # a beacon speaks every 50 s (C/S T.001 section 2.2.1)
        own = BeaconDetail(
            generation=2,
            form="message",
            protocol="mmsi",
            beacon="epirb",
            hex_id="",
            country="200",
            mmsi=casualty,
            tac=230,
            serial=5,
            homing="sart",
            return_link=False,
            lat_deg=lat_deg,
            lon_deg=lon_deg,
            rotating_field=0,
            active_h=0,
            position_age_s=60.0,
            hdop="up to 1",
            vdop="up to 1",
            activation="automatic",
            battery="over 75 %",
            gnss="3d",
        )
        yield t_s, "beacon-406", f"{write_beacon(own)}\r\n".encode()


# ---- Aircraft: encoded here, after ICAO Annex 10 volume IV and Doc 9871 --------------------------


def aircraft(length_s: int) -> Iterator[Sent]:
    """Yield one craft that flies over, and one in trouble: 7700 by replies, then landed."""
    begin_s, end_s = EMERGENCY_S
    for t_s in range(1, length_s, 5):
        yield from passing(t_s, OVERFLYING, "TRIAL 30", lat=51.2 - t_s / 900, lon=1.1)
        yield from passing(t_s + 0.2, TROUBLED, "TRIAL 17", lat=51.0 + t_s / 1200, lon=1.6)
    for turn in range(int((end_s - begin_s) / 5)):
        first_s = begin_s + 5 * turn
        for t_s in (first_s, first_s + 1.0):  # apart by more than a code that is dialled through
            yield t_s, "aircraft", beast(t_s, reply("7700", TROUBLED))
    yield end_s, "aircraft", beast(end_s, reply("7000", TROUBLED))


def passing(t_s: float, address: str, callsign: str, *, lat: float, lon: float) -> Iterator[Sent]:
    """Yield what a craft says of itself all the time: its name and place (Doc 9871, tables A-2)."""
    yield t_s, "aircraft", beast(t_s, squitter(address, name_of(callsign)))
    for part, odd in enumerate((False, True)):
        code_lat, code_lon = cpr(lat, lon, odd=odd)
        place = joined(
            (11, 5), (0, 3), (0xC38, 12), (0, 1), (odd, 1), (code_lat, 17), (code_lon, 17)
        )  # 0xC38: 36 000 ft
        at_s = t_s + 0.05 * (part + 1)
        yield at_s, "aircraft", beast(at_s, squitter(address, place))


_SIX_BITS = "#ABCDEFGHIJKLMNOPQRSTUVWXYZ##### ###############0123456789######"


def name_of(callsign: str) -> int:
    """Return what a craft says of its name: eight characters."""
    return joined((4, 5), (0, 3), *((_SIX_BITS.index(letter), 6) for letter in callsign))


def beast(t_s: float, octets: bytes) -> bytes:
    """Return what a Beast sends for a message: type, its clock of 12 MHz, signal, the message."""
    kind = b"3" if len(octets) == 14 else b"2"
    return Beast.wrap(kind + int(t_s * 12e6).to_bytes(6, "big") + b"\x5c" + octets)


def acquisition(address: str) -> bytes:
    """Return an acquisition squitter (DF 11): that the craft is there."""
    body = b"\x5d" + bytes.fromhex(address)
    return body + parity(body).to_bytes(3, "big")


def squitter(address: str, said: int) -> bytes:
    """Return an extended squitter (DF 17), its check bits right."""
    body = b"\x8d" + bytes.fromhex(address) + said.to_bytes(7, "big")
    return body + parity(body).to_bytes(3, "big")


def reply(squawk: str, address: str) -> bytes:
    """Return a surveillance reply with identity (DF 5): its check bits carry the address."""
    bits = "".join(f"{int(digit):03b}" for digit in squawk)
    # Annex 10, 3.1.2.6.7.1: pulses C1 A1 C2 A2 C4 A4 0 B1 D1 B2 D2 B4 D4; digits are A4 A2 A1 B4 …
    places = (7, 9, 11, 1, 3, 5, 8, 10, 12, 0, 2, 4)
    pulses = sum(1 << place for place, bit in zip(places, bits, strict=True) if bit == "1")
    body = b"\x28" + pulses.to_bytes(3, "big")
    return body + (parity(body) ^ int(address, 16)).to_bytes(3, "big")


def cpr(lat: float, lon: float, *, odd: bool) -> tuple[int, int]:
    """Return a place as it is sent in the air, its zone left out (Doc 9871, C.2.6)."""
    steps, height = 1 << 17, 360 / (60 - odd)
    y = floor(steps * (lat % height) / height + 0.5)
    width = 360 / max(zones_at(height * (y / steps + floor(lat / height))) - odd, 1)
    x = floor(steps * (lon % width) / width + 0.5)
    return y % steps, x % steps


# ---- Packet radio: our own writers, after APRS 1.0.1 and AX.25 2.2 -------------------------------


def packet_radio(length_s: int) -> Iterator[Sent]:
    """Yield a hut that says where it is, as text, and a walker in trouble by Mic-E, over KISS."""
    hut = write_position(51.14, 1.30, symbol="/-", comment="Cliff hut on watch")
    for t_s in range(3, length_s, 60):
        packet = Packet("N0CALL-1", "APRS", ("WIDE1-1*",), hut)
        yield t_s, "packet-text", write_text(packet) + b"\r\n"
    for t_s in (11.0, 71.0):
        # Bits 000 are Mic-E's Emergency (APRS 1.0.1, chapter 10).
        to, body = write_mic_e(
            51.1500, 1.3700, bits="000", symbol="/[", comment=b"Fallen at the cliff path"
        )
        packet = Packet("N0CALL-7", to, ("WIDE1-1*", "WIDE2-1"), body)
        yield t_s, "packet", Kiss.wrap(write_packet(packet))


# ---- NAVTEX: our own writer, after IEC 61162-1 NRX and ITU-R M.540 -------------------------------


def navtex() -> Iterator[Sent]:
    """Yield a warning to shipping, and the relay of the MAYDAY when the station has its turn."""
    warning = (
        "031155 UTC NOV 26\nSTRAIT TRIAL\nDRIFTING CONTAINER IN\n51-05.0N 001-28.0E\n"
        "VESSELS KEEP A SHARP LOOK-OUT\n"
    )
    relay = (
        "031202 UTC NOV 26\nMAYDAY RELAY\nMV NORTHERN ROSE SINKING IN\n51-03.6N 001-23.4E\n"
        "VESSELS IN VICINITY REPORT TO STRAIT TRIAL RESCUE\n"
    )
    for begin_s, message_id, text in ((2.0, "TA41", warning), (135.0, "TD00", relay)):
        bodies = write_sentences(message_id, text, sequence=int(begin_s) % 100)
        for number, body in enumerate(bodies):
            yield begin_s + 0.2 * number, "navtex", Nmea.wrap(body)


# ---- Meshtastic: encoded here, after the field numbers of its mesh.proto and portnums.proto ------


def mesh() -> Iterator[Sent]:
    """Yield who a node is and what it says, and a critical alert of another one."""
    position = (
        b"\x0d"
        + struct.pack("<i", 511320000)
        + b"\x15"
        + struct.pack("<i", 13400000)
        + b"\x98\x01\x0c"
    )  # latitude, longitude in ten-millionths of a degree
    yield 3.5, "mesh", mesh_packet(0x0A0051E1, 1, 3, position)
    yield 12.5, "mesh", mesh_packet(0x0A0051E2, 2, 11, b"Kayak capsized off the east pier")
    yield 75.0, "mesh", mesh_packet(0x0A0051E1, 3, 1, b"On my way to the pier with a boat")


def mesh_packet(node: int, number: int, port: int, payload: bytes) -> bytes:
    """Return FromRadio{packet{from, to everybody, decoded{port, payload}, id, snr, rssi}}."""
    decoded = b"\x08" + bytes([port]) + b"\x12" + bytes([len(payload)]) + payload
    packet = (
        b"\x0d"
        + struct.pack("<I", node)
        + b"\x15\xff\xff\xff\xff"
        + b"\x22"
        + bytes([len(decoded)])
        + decoded
        + b"\x35"
        + struct.pack("<I", 0x51000000 + number)
        + b"\x45"
        + struct.pack("<f", 6.25)
        + b"\x60"
        + _varint(-97)
    )
    return Meshtastic.wrap(b"\x12" + _varint(len(packet)) + packet)


def _varint(value: int) -> bytes:
    value, out = value % (1 << 64), bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


# ---- The packed link: our own writer, after docs/LINK.md -----------------------------------------


def buoys(length_s: int) -> Iterator[Sent]:
    """Yield a modem with firmware of its own: who and how it is, and a lifebuoy off its rack."""
    letters: list[tuple[float, Letter]] = [
        (5.5, Hello(modem="harbour-buoys", firmware="1.0", radios=("packed",), start=1)),
        (
            14.0,
            Report(
                kind="alert",
                urgency="urgency",
                who=Party(tag="lifebuoy 12", name="East pier"),
                nature="man_overboard",
                lat7=511322000,
                lon7=13405000,
                fix_from="installed",
                text="PAN PAN: lifebuoy taken off its rack",
                rx=Hearing(freq_hz=869_525_000, rssi_dbm=-88.0, proof="crc"),
            ),
        ),
        *((t_s, Health(up_s=t_s, antenna="ok", clock="gnss")) for t_s in range(60, length_s, 60)),
    ]
    for number, (t_s, letter) in enumerate(letters):
        said = link.Packet(link.PacketKind.SAY, number, write_letter(letter))
        yield t_s, "buoys", Cobs.wrap(link.write_packet(said))


# ---- A ship's own equipment: composed here, after IEC 61162-1 MOB and ALR ------------------------


def lifeboat() -> Iterator[Sent]:
    """Yield the station's own boat: an alarm of its engine, and a man-overboard drill."""
    yield 15.0, "lifeboat", sentence("$IIALR,120015.00,043,A,V,Engine cooling water low")
    yield (
        16.0,
        "lifeboat",
        sentence(
            f"$IIMOB,0005B,T,120016,1,031126,120016,5108.10,N,00120.40,E,090.0,6.0,{LIFEBOAT},0"
        ),
    )
    yield 85.0, "lifeboat", sentence("$IIALR,120125.00,043,V,A,Engine cooling water low")


# ---- What a patrol boat's own AIS hears, off its bus: composed here, after group 129039 ----------


def bus(length_s: int) -> Iterator[Sent]:
    """Yield an angler's class B transponder, as an adapter prints what the bus says."""
    for at_s in range(6, length_s, 30):
        octets = struct.pack(
            "<BIiiBHHHBHBBB",
            *(18, int(ANGLER), 14_400_000 + 1_000 * at_s, 511_200_000),  # 1e-7 degrees
            *(at_s % 60 << 2, 15_708, 154),  # 1e-4 rad, 0.01 m/s
            *(0, 0, 15_708, 0, 0x74, 0xFF),  # channel A; what this unit can do
        )
        yield (
            float(at_s),
            "bus",
            b"A1200%02d.000 23FF4 1F80F %b\r\n"
            % (
                at_s % 60,
                octets.hex().upper().encode(),
            ),
        )


def sentence(body: str) -> bytes:
    """Return the whole sentence for a body that starts with its start mark."""
    return f"{body}*{nmea_checksum(body[1:].encode()):02X}\r\n".encode()
