#!/usr/bin/env python3
# A script for whoever writes a modem's firmware; it needs nothing but Python 3.11 itself.
"""The reference modem of the packed link (docs/LINK.md): speaks it on a pseudo-terminal.

It says hello and how it is, hands on what is asked of it, acknowledges, echoes link tests, answers
orders once, and prints each packet it says and hears, as bytes and as words. Nothing here is taken
from the gateway, so that one can be held against the other.

    packed_modem.py                                 a pty; its name is the first line printed
    packed_modem.py --say '{"t":"report",…}'        says this letter too, as often as given
    packed_modem.py --serial 17-0042                says that this is its serial number
    packed_modem.py --device /dev/ttyUSB0           on a real wire
    packed_modem.py --bytes '{"t":"hello",…}'       prints the bytes of a letter, and ends

In JSON, bytes are written as {"hex": "0102"} or {"ascii": "$CDDSC,…"}.
"""

from __future__ import annotations

import argparse
import binascii
import json
import os
import select
import struct
import sys
import termios
import time
import tty
from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import Any

SAY, TELL, ACK, NAK, TEST, ECHO = range(1, 7)
NAMES = {SAY: "say", TELL: "tell", ACK: "ack", NAK: "nak", TEST: "test", ECHO: "echo"}
AGAIN_S = 1.0
"""A letter that nobody has acknowledged is said again after this long, …"""
TIMES_MAX = 3
"""… until it was said so often: a gateway that only listens never answers."""
STATED_S = 60.0
"""Between two of hello and health."""
ORDERS_MAX = 64
"""Outcomes remembered, so that no order is ever carried out twice."""
PACKET_BYTES_MAX = 1024
DEMO = (
    {
        "t": "report",
        "kind": "alert",
        "urgency": "distress",
        "test": True,
        "who": {"mmsi": "970123456", "name": "RIG"},
        "lat7": 500000000,
        "lon7": -50000000,
        "rx": {"proof": "crc", "rssi_dbm": -97},
    },
    {"t": "raw", "radio": "dsc", "body": b"$CDDSC,20,3601234560,08,18,26,,,,,S*05"},
)


# ---- msgpack: only what letters are made of ------------------------------------------------------


def pack(value: Any) -> bytes:  # noqa: ANN401  # any letter
    """Return the shortest msgpack of a value of JSON, or of bytes."""
    return _PACKS[type(value)](value)


def _pack_text(text: str) -> bytes:
    said = text.encode()
    return _sized(len(said), 0xA0, 31, b"\xd9\xda\xdb") + said


def _pack_list(values: list[Any]) -> bytes:
    return _sized(len(values), 0x90, 15, b"\xff\xdc\xdd") + b"".join(map(pack, values))


def _pack_map(pairs: dict[str, Any]) -> bytes:
    said = (pack(key) + pack(value) for key, value in pairs.items())
    return _sized(len(pairs), 0x80, 15, b"\xff\xde\xdf") + b"".join(said)


def _pack_integer(value: int) -> bytes:
    if -32 <= value < 128:
        return struct.pack(">b" if value < 0 else ">B", value)
    forms = "BHIQ" if value >= 0 else "bhiq"
    for place, form in enumerate(forms):
        try:
            return bytes([(0xCC if value >= 0 else 0xD0) + place]) + struct.pack(f">{form}", value)
        except struct.error:
            continue
    raise ValueError(value)


def _sized(size: int, short: int | None, short_max: int, codes: bytes) -> bytes:
    if short is not None and size <= short_max:
        return bytes([short | size])
    for code, form, top in zip(codes, "BHI", (0xFF, 0xFFFF, 0xFFFFFFFF), strict=True):
        if size <= top and code != 0xFF:
            return bytes([code]) + struct.pack(f">{form}", size)
    raise ValueError(size)


_PACKS: dict[type, Callable[[Any], bytes]] = {
    type(None): lambda _: b"\xc0",
    bool: lambda value: b"\xc3" if value else b"\xc2",
    int: _pack_integer,
    float: lambda value: b"\xcb" + struct.pack(">d", value),
    str: _pack_text,
    bytes: lambda value: _sized(len(value), None, -1, b"\xc4\xc5\xc6") + value,
    list: _pack_list,
    dict: _pack_map,
}


class Unpacker:
    """Reads one value of msgpack; whatever is wrong with it is a ValueError."""

    def __init__(self, packed: bytes) -> None:
        self._packed = packed
        self._at = 0

    def value(self) -> Any:  # noqa: ANN401  # any letter
        """Return the next value."""
        code = self._take(1)[0]
        if code <= 0x7F or code >= 0xE0:
            return code - 256 if code >= 0xE0 else code
        if code <= 0x8F:
            return self._map(code & 0x0F)
        if code <= 0x9F:
            return [self.value() for _ in range(code & 0x0F)]
        if code <= 0xBF:
            return self._take(code & 0x1F).decode()
        return self._long(code)

    def end(self) -> None:
        """Refuse what stands behind the value."""
        if self._at != len(self._packed):
            raise ValueError(self._packed[self._at :])

    def _long(self, code: int) -> Any:  # noqa: ANN401  # any letter
        if code in _CONSTANTS:
            return _CONSTANTS[code]
        if code in _NUMBERS:
            return self._number(_NUMBERS[code])
        for first, read in (
            (0xC4, self._take),
            (0xD9, lambda size: self._take(size).decode()),
            (0xDC, lambda size: [self.value() for _ in range(size)]),
            (0xDE, self._map),
        ):
            forms = "BHI" if first in (0xC4, 0xD9) else "HI"
            if first <= code < first + len(forms):
                return read(self._number(forms[code - first]))
        raise ValueError(code)

    def _map(self, size: int) -> dict[Any, Any]:
        return {self.value(): self.value() for _ in range(size)}

    def _number(self, form: str) -> Any:  # noqa: ANN401  # an integer or a float
        return struct.unpack(f">{form}", self._take(struct.calcsize(f">{form}")))[0]

    def _take(self, size: int) -> bytes:
        taken = self._packed[self._at : self._at + size]
        if len(taken) < size:
            raise ValueError(size)
        self._at += size
        return taken


_CONSTANTS = {0xC0: None, 0xC2: False, 0xC3: True}
_NUMBERS = dict(zip((0xCA, 0xCB, *range(0xCC, 0xD4)), "fdBHIQbhiq", strict=True))


def unpack(packed: bytes) -> Any:  # noqa: ANN401  # any letter
    """Return the one value in these bytes."""
    unpacker = Unpacker(packed)
    value = unpacker.value()
    unpacker.end()
    return value


# ---- The two framings ----------------------------------------------------------------------------


def crc16(body: bytes) -> int:
    """Return the CRC-16/GENIBUS of the body; of "123456789" it is 0xD64E."""
    crc = 0xFFFF
    for byte in body:
        crc ^= byte << 8
        for _ in range(8):
            crc = (crc << 1 ^ (0x1021 if crc & 0x8000 else 0)) & 0xFFFF
    return crc ^ 0xFFFF


def cobs(packet: bytes) -> bytes:
    """Stuff a packet: each 0x00 becomes the distance to the next one."""
    out, code_at, code = bytearray(b"\0"), 0, 1
    for place, byte in enumerate(packet):
        if byte:
            out.append(byte)
            code += 1
        if not byte or (code == 0xFF and place + 1 < len(packet)):
            out[code_at] = code
            code_at, code = len(out), 1
            out.append(0)
    out[code_at] = code
    return bytes(out)


def uncobs(stuffed: bytes) -> bytes:
    """Return the packet; a block beyond the end is a ValueError."""
    out, at = bytearray(), 0
    while at < len(stuffed):
        code = stuffed[at]
        block = stuffed[at + 1 : at + code]
        if not code or len(block) < code - 1:
            raise ValueError(at)
        out += block
        at += code
        if code < 0xFF and at < len(stuffed):
            out.append(0)
    return bytes(out)


def slip(packet: bytes) -> bytes:
    """Stuff a packet: 0xC0 and 0xDB are escaped."""
    return b"".join({0xC0: b"\xdb\xdc", 0xDB: b"\xdb\xdd"}.get(b, bytes([b])) for b in packet)


def unslip(stuffed: bytes) -> bytes:
    """Return the packet; an escape of anything else is a ValueError."""
    out, rest = bytearray(), iter(stuffed)
    for byte in rest:
        if byte == 0xDB:
            escaped = next(rest, None)
            if escaped not in (0xDC, 0xDD):
                raise ValueError(escaped)
            out.append(0xC0 if escaped == 0xDC else 0xDB)
        else:
            out.append(byte)
    return bytes(out)


FRAMINGS: dict[str, tuple[bytes, Callable[[bytes], bytes], Callable[[bytes], bytes]]] = {
    "cobs": (b"\x00", cobs, uncobs),
    "slip": (b"\xc0", slip, unslip),
}


def framed(kind: int, number: int, payload: bytes, framing: str) -> bytes:
    """Return the bytes of a packet, a mark on either side."""
    mark, stuff, _ = FRAMINGS[framing]
    body = bytes([0x10 | kind, number]) + payload
    return mark + stuff(body + crc16(body).to_bytes(2, "big")) + mark


def opened(stuffed: bytes, framing: str) -> tuple[int, int, bytes]:
    """Return kind, number and payload; whatever is wrong with a packet is a ValueError."""
    packet = FRAMINGS[framing][2](stuffed)
    if len(packet) < 4 or len(packet) > PACKET_BYTES_MAX:
        raise ValueError(packet)
    if crc16(packet[:-2]) != int.from_bytes(packet[-2:], "big"):
        raise ValueError(packet)
    if packet[0] >> 4 != 1:
        raise ValueError(packet[0])
    return packet[0] & 0x0F, packet[1], packet[2:-2]


# ---- The modem -----------------------------------------------------------------------------------


class Modem:
    """One end of the link. Time is handed in, in seconds; what is to be written comes back."""

    def __init__(
        self, framing: str, *, name: str = "reference", start: int = 1, serial: str | None = None
    ) -> None:
        self.framing = framing
        self.name = name
        self.serial = serial
        self.start = start
        self.begun_s = 0.0
        self._number = 0
        self._waiting: dict[int, tuple[bytes, float, int]] = {}
        self._outcomes: OrderedDict[str, dict[str, Any]] = OrderedDict()
        self._tail = b""
        self.lost = 0
        self.log: list[str] = []

    def letter(self, letter: dict[str, Any], now_s: float, *, kind: int = SAY) -> bytes:
        """Return the bytes that say a letter; a SAY is remembered until it is acknowledged."""
        number, self._number = self._number, (self._number + 1) % 256
        wire = framed(kind, number, pack(letter), self.framing)
        if kind == SAY:
            self.lost += number in self._waiting
            self._waiting[number] = (wire, now_s, 1)
        self._note("says ", kind, number, json.dumps(letter, default=_as_hex), wire)
        return wire

    def hello(self, now_s: float) -> bytes:
        """Return the letter that says who this modem is."""
        letter = {"t": "hello", "modem": self.name, "firmware": "1.0", "start": self.start}
        return self.letter(letter | ({"serial": self.serial} if self.serial else {}), now_s)

    def health(self, now_s: float) -> bytes:
        """Return the letter that says how this modem is."""
        letter = {"t": "health", "up_s": int(now_s - self.begun_s), "lost": self.lost}
        return self.letter(letter, now_s, kind=TELL)

    def again(self, now_s: float) -> Iterator[bytes]:
        """Yield each letter that nobody has acknowledged in time, and give up the oldest ones."""
        for number, (wire, said_s, times) in list(self._waiting.items()):
            if now_s - said_s < AGAIN_S:
                continue
            if times >= TIMES_MAX:
                del self._waiting[number]
                self.lost += 1
                continue
            self._waiting[number] = (wire, now_s, times + 1)
            self.log.append(f"says  number {number} again")
            yield wire

    def hear(self, data: bytes, now_s: float) -> Iterator[bytes]:
        """Yield the answers to what has come."""
        *pieces, self._tail = (self._tail + data).split(FRAMINGS[self.framing][0])
        if len(self._tail) > 2 * PACKET_BYTES_MAX:
            self._tail = b""
        for piece in filter(None, pieces):
            try:
                kind, number, payload = opened(piece, self.framing)
            except ValueError:
                self.log.append(f"hears nothing it can read: {piece.hex(' ')}")
                continue
            yield from self._packet(kind, number, payload, now_s)

    def _packet(self, kind: int, number: int, payload: bytes, now_s: float) -> Iterator[bytes]:
        if kind not in (SAY, TELL):
            self._note("hears", kind, number, payload.hex(" "), b"")
        if kind in (ACK, NAK):
            self._waiting.pop(number, None)
        elif kind == TEST:
            yield self._answer(ECHO, number, payload)
        elif kind in (SAY, TELL):
            yield from self._ordered(kind, number, payload, now_s)

    def _ordered(self, kind: int, number: int, payload: bytes, now_s: float) -> Iterator[bytes]:
        """Yield the acknowledgement of a letter, and what it asks for."""
        try:
            letter = unpack(payload)
            asked = (letter.get("t"), letter.get("what"))
        except (ValueError, AttributeError, TypeError, RecursionError):
            yield self._answer(NAK, number, b"no letter")
            return
        self._note("hears", kind, number, json.dumps(letter, default=_as_hex), b"")
        if kind == SAY:
            yield self._answer(ACK, number, b"")
        if asked == ("ask", "hello"):
            yield self.hello(now_s)
        elif asked == ("ask", "health"):
            yield self.health(now_s)
        elif asked[0] == "order":
            yield self.letter(self._outcome(letter), now_s)

    def _outcome(self, order: dict[str, Any]) -> dict[str, Any]:
        """Carry out an order once; asked again, give the same answer."""
        name = str(order.get("id"))
        if name not in self._outcomes:
            until = order.get("until")
            in_time = isinstance(until, int) and time.time() <= until  # noqa: TID251  # its clock
            self._outcomes[name] = {
                "t": "outcome",
                "id": name,
                "done": "sent" if in_time else "expired",
            }
            self.log.append(f"sends {order.get('radio')} {order.get('body')!r}" if in_time else "")
            if len(self._outcomes) > ORDERS_MAX:
                self._outcomes.popitem(last=False)
        return self._outcomes[name]

    def _answer(self, kind: int, number: int, payload: bytes) -> bytes:
        wire = framed(kind, number, payload, self.framing)
        self._note("says ", kind, number, payload.hex(" "), wire)
        return wire

    def _note(self, who: str, kind: int, number: int, words: str, wire: bytes) -> None:
        self.log.append(f"{who} {NAMES.get(kind, kind):4} {number:3}  {words}")
        if wire:
            self.log.append(f"      {wire.hex(' ')}")


def _as_hex(value: bytes) -> dict[str, str]:
    return {"hex": value.hex()}


def letter_of(text: str) -> dict[str, Any]:
    """Return the letter that JSON says; {"hex": …} and {"ascii": …} in it stand for bytes."""
    return json.loads(text, object_hook=_bytes_of)


def _bytes_of(found: dict[str, Any]) -> Any:  # noqa: ANN401  # bytes, or what it was
    match found:
        case {"hex": digits, **rest} if not rest:
            return bytes.fromhex(digits)
        case {"ascii": text, **rest} if not rest:
            return text.encode("ascii")
    return found


# ---- On a wire -----------------------------------------------------------------------------------


def serve(modem: Modem, wire: int, letters: list[dict[str, Any]], seconds: float) -> None:
    """Speak on the wire until the time is up."""
    begun_s = stated_s = modem.begun_s = time.monotonic()
    _write(wire, [modem.hello(begun_s), modem.health(begun_s)])
    _write(wire, [modem.letter(letter, begun_s) for letter in letters])
    while (now_s := time.monotonic()) - begun_s < seconds:
        _print(modem)
        ready, _, _ = select.select([wire], [], [], 0.05)
        if ready:
            _write(wire, list(modem.hear(_heard(wire), now_s)))
        _write(wire, list(modem.again(now_s)))
        if now_s - stated_s > STATED_S:
            stated_s = now_s
            _write(wire, [modem.hello(now_s), modem.health(now_s)])
    _print(modem)


def _heard(wire: int) -> bytes:
    try:
        return os.read(wire, 4096)
    except OSError:
        time.sleep(0.05)  # nobody has the other end open
        return b""


def _write(wire: int, said: list[bytes]) -> None:
    for packet in said:
        os.write(wire, packet)


def _print(modem: Modem) -> None:
    for line in filter(None, modem.log):
        sys.stdout.write(f"{line}\n")
    modem.log.clear()
    sys.stdout.flush()


def _opened_wire(device: str | None, baud: int) -> tuple[int, int | None]:
    """Return the end to speak on; of a pty the other as well: open, so that nothing is lost."""
    if device is None:
        wire, other = os.openpty()
        tty.setraw(other)
        sys.stdout.write(f"{os.ttyname(other)}\n")
        return wire, other
    wire = os.open(device, os.O_RDWR | os.O_NOCTTY)
    tty.setraw(wire)
    settings = termios.tcgetattr(wire)
    settings[4] = settings[5] = getattr(termios, f"B{baud}")
    termios.tcsetattr(wire, termios.TCSANOW, settings)
    return wire, None


def main(arguments: list[str]) -> int:
    """Do what the command line asks for; return the exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--framing", choices=sorted(FRAMINGS), default="cobs")
    parser.add_argument("--device", help="a serial device instead of a pty")
    parser.add_argument("--baud", type=int, default=115200)
    parser.add_argument("--say", action="append", type=letter_of, default=[], metavar="JSON")
    parser.add_argument("--demo", action="store_true", help="say a test alert and a DSC call")
    parser.add_argument("--serial", help="its serial number, which it says of itself")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="end after this long")
    parser.add_argument("--bytes", type=letter_of, metavar="JSON", help="print its bytes and end")
    asked = parser.parse_args(arguments)
    if asked.bytes is not None:
        wire = framed(SAY, 0, pack(asked.bytes), asked.framing)
        sys.stdout.write(f"{binascii.hexlify(wire, ' ').decode()}\n")
        return 0
    wire, _other = _opened_wire(asked.device, asked.baud)
    letters = [*asked.say, *(DEMO if asked.demo else ())]
    try:
        modem = Modem(asked.framing, start=os.getpid(), serial=asked.serial)
        serve(modem, wire, letters, asked.seconds)
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
