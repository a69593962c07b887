"""What is thrown at every framing and every radio system, and what must hold of each throw.

Nothing here is a list to keep: a target is a pair of radio system and framing that has a vector in
`tests/vectors`, or a file in `gateway/framing`. Inputs are made by dice out of the vectors: a
target, a seed and a number are one input, so that each can be had again by one line.
"""

from __future__ import annotations

import gc
import random
import sys
import time
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from pkgutil import iter_modules

from gateway import framing, pipeline
from gateway.framing import Framer, framer_named
from gateway.model.inbound import Chunk, Moment, Ruling, Tick
from gateway.model.plan import PortPlan, Profile
from gateway.model.words import Confidence, Urgency

VECTORS = Path(__file__).parents[1] / "vectors"
SLOW_S = 0.005
"""No frame may keep the one processor from the other ports for longer; an input that was doubled
thirty times is thirty frames, and has thirty times as long."""
AGAIN = 7
"""How often a slow input is timed anew: the collector of garbage and a busy machine hit one of
them, a slow decoder makes all of them slow."""
STEP_NS = 250 * 10**6
"""Between two inputs: what was heard before is still remembered, and is forgotten in time."""
INPUT_BYTES_MAX = 4096
"""More than one read of a port brings."""
KEPT = frozenset(b"$!*,:;@\\{}<>\r\n \x1a\xc0\xdb")
"""What noise leaves in place of a line: its marks; so it comes as far into the house as it can."""
TEXT = {"avr", "lines", "nmea", "tnc2"}
"""Framings whose bodies are characters; noise there is of characters."""
PIECES = (
    *(
        b"",
        b"\x00",
        b"\xff",
        b"\x80",
        b"\r\n",
        b"0",
        b"-1",
        b"1e309",
        b"nan",
        b"9" * 60,
        b"9999999999",
    ),
    *(
        b",",
        b",,",
        b"$",
        b"!",
        b"*",
        b"*;",
        b"\xc0",
        b"\xdb\xdc",
        b"\x1a",
        b"\x1a3",
        b"\x94\xc3",
        b"}",
    ),
    *(
        b":",
        b"@",
        b"ZCZC",
        b"NNNN",
        b"MAYDAY",
        b"112",
        b"12",
        b"7700",
        b"\xc1",
        b"\xdf\xff\xff\xff\xff",
    ),
    *(b"\x81" * 20, b"\xe2\x80\xae", b"'; DROP", b"%n%s", b"A" * 90),
)
"""What decoders have stumbled over: marks, sentinels, numbers that are none, lengths that lie."""


@dataclass(frozen=True)
class Target:
    """A way for bytes into the house: one framing, alone or with the radio system behind it."""

    framing: str
    radio: str | None = None

    @property
    def name(self) -> str:
        return f"{self.radio}/{self.framing}" if self.radio else self.framing


def targets() -> tuple[Target, ...]:
    """Return every radio system with each framing it has a vector for, and every framing."""
    spoken = dict.fromkeys((radio, way) for radio, way, _ in _rows())
    alone = (module.name for module in iter_modules(framing.__path__))
    return (
        *(Target(way, radio) for radio, way in spoken),
        *(Target(way) for way in sorted(alone)),
    )


@cache
def _rows() -> tuple[tuple[str, str, tuple[bytes, ...]], ...]:
    """Return radio system, framing and wire of each vector."""
    found = []
    for path in sorted(VECTORS.glob("*.toml")):
        whole = tomllib.loads(path.read_text("utf-8"))
        for row in whole["vector"]:
            wire = [bytes.fromhex(sent) for sent in row.get("wire_hex", ())]
            wire += [sent.encode("latin-1") + b"\r\n" for sent in row.get("wire", ())]
            way = row.get("framing", whole.get("framing", "nmea"))
            found.append((whole["radio"], way, tuple(wire)))
    return tuple(found)


@cache
def corpus(target: Target) -> tuple[tuple[bytes, ...], ...]:
    """Return what is sent by the vectors of a target; a framing without any borrows bodies."""
    found = [
        wire
        for radio, way, wire in _rows()
        if way == target.framing and target.radio in (None, radio)
    ]
    if not found:
        wrap = framer_named(target.framing).wrap
        found = [(wrap(bare),) for _, _, wire in _rows() for bare in wire if len(bare) < 200]
    return tuple(found)


@cache
def body_of(way: str, wire: bytes) -> bytes | None:
    """Return the body that makes this wire, or another that is as good; None when there is none."""
    made = framer_named(way)
    for frame in made().split(Chunk("a", Moment(0), wire)):
        for body in (frame.body, frame.raw[:1] + frame.body):
            again = made().split(Chunk("a", Moment(0), made.wrap(body)))
            if frame.fault is None and [one.body for one in again if not one.fault] == [frame.body]:
                return body
    return None


def enveloped(way: str, body: bytes) -> bytes:
    """Return the wire that carries this body; one that states its own length states the new one."""
    if way in COUNTED and len(body) in range(2, 258):
        body = body[:1] + bytes([len(body) - 2]) + body[2:]
    return framer_named(way).wrap(body)


COUNTED = {"actisense"}
"""Framings whose bodies have their length in the second octet."""


def mutant(target: Target, dice: random.Random) -> bytes:
    """Return one message of a vector, spoilt: three in four are enveloped anew, as if sent so."""
    wires = dice.choice(corpus(target))
    place = dice.randrange(len(wires))
    body = body_of(target.framing, wires[place]) if dice.random() < 0.75 else None
    if body is None:
        spoilt = spoil(wires[place], target, dice)
    else:
        spoilt = enveloped(target.framing, spoil(body, target, dice) or b"0")
    before = b"".join(wires[:place]) if dice.random() < 0.5 else b""
    return (before + spoilt)[:INPUT_BYTES_MAX]


def spoil(wire: bytes, target: Target, dice: random.Random) -> bytes:
    """Return the bytes with one to four things done to them."""
    found = bytearray(wire)
    for _ in range(dice.randint(1, 4)):
        at = dice.randrange(len(found) + 1)
        upto = at + dice.choice((1, 1, 2, 4, 9, 40))
        match dice.randrange(8):
            case 0 | 1 if at < len(found):
                found[at] ^= 1 << dice.randrange(8)
            case 2:
                found[at:upto] = dice.randbytes(dice.randrange(4))
            case 3:
                del found[at:upto]
            case 4:
                found[at:at] = found[at:upto] * dice.choice((1, 1, 2, 30))
            case 5:
                found[at:upto] = dice.choice(PIECES)
            case 6:
                other = dice.choice(dice.choice(corpus(target)))
                found[at:upto] = other[dice.randrange(len(other)) :][: dice.randint(1, 40)]
            case _:
                found[at:upto] = bytes(
                    dice.choices(b"0123456789ABCDEFWw`,-.", k=dice.randint(1, 9))
                )
    return bytes(found)


def noise(target: Target, dice: random.Random) -> bytes:
    """Return a frame of dice, as long as a real one, with the framing's marks in their place."""
    wires = dice.choice(corpus(target))
    wire = dice.choice(wires)
    if target.framing in TEXT:
        letters = bytes(set(wire) - KEPT) or b"0"
        return bytes(byte if byte in KEPT else dice.choice(letters) for byte in wire)
    body = body_of(target.framing, wire)
    if body is None or target.framing in PROVING:
        return wire[:1] + dice.randbytes(max(len(wire) - 2, 1)) + wire[-1:]
    if target.framing == "symbols":
        return bytes((0x80, 0xC0)[at % 2] | dice.randrange(32) for at in range(len(body)))
    return enveloped(target.framing, dice.randbytes(len(body)))


TROUBLES_APART = 100
"""Inputs after which those invented to be in distress are forgotten. Nobody else ever is so soon:
what thousands of them at once cost is asked in tests/stories."""

PROVING = {"cobs", "slip"}
"""Framings that make a check over any body: enveloped anew, dice would be no noise."""


class Ground:
    """One target in a house of its own, which must bear whatever comes."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self.now_ns = 0
        self.reports = self.distress = 0
        self.verified: list[bytes] = []
        """Inputs that were told as verified distress."""
        self.frames = 0
        """That came out of the last input."""
        self._thrown = 0
        self.fresh()

    def fresh(self) -> None:
        """Forget everything that was heard, and the time."""
        self.now_ns = 0
        if self.target.radio is None:
            self._framer: Framer = framer_named(self.target.framing)()
            self._in_bytes = self._out_bytes = 0
            return
        profile = Profile(
            title="fuzz", radio=(self.target.radio,), framing=self.target.framing, proven="fuzz"
        )
        self._plan = PortPlan(name="a", device="tape:x", modem="x", profile=profile)
        self._pipeline = pipeline.hallway("fuzz", [self._plan])

    def throw(self, wire: bytes) -> None:
        """Let the house hear these bytes, and what time makes of them; whatever fails, raises."""
        self.now_ns += STEP_NS
        if self.target.radio is None:
            self._cut(wire)
            return
        self._thrown += 1
        if self._thrown % TROUBLES_APART == 0:
            self._pipeline.incidents = pipeline.hallway("fuzz", [self._plan]).incidents
        count = self._pipeline.ears["a"].count
        before = count.frames
        items = self._pipeline.inbound(Chunk("a", Moment(self.now_ns), wire))
        items += self._pipeline.tick(Tick(Moment(self.now_ns + 1)))
        self.frames = count.frames - before
        assert count.decoder_errors == 0, [getattr(item, "reason", "") for item in items]
        assert self._pipeline.incident_errors == 0
        assert count.bytes_in == (
            count.bytes_decoded + count.bytes_refused + count.bytes_noise + count.bytes_held
        )
        for item in items:
            if isinstance(item, Ruling):
                report = item.sighting.report
                self.reports += 1
                if report.urgency is Urgency.DISTRESS:
                    self.distress += 1
                    if report.confidence is Confidence.VERIFIED:
                        self.verified.append(wire)

    def _cut(self, wire: bytes) -> None:
        """Let the framing alone hear them, in two pieces."""
        half, self.frames = len(wire) // 3, 0
        for piece in (wire[:half], wire[half:]):
            for frame in self._framer.split(Chunk("a", Moment(self.now_ns), piece)):
                self._out_bytes += frame.span
                self.frames += 1
        for frame in self._framer.expire(Moment(self.now_ns + 1)):
            self._out_bytes += frame.span
        self._in_bytes += len(wire)
        assert self._in_bytes == self._out_bytes + self._framer.held

    def is_slow(self, wire: bytes) -> bool:
        """Say whether these bytes take too long each time, and not by the chance of one."""
        return min(self.took_s(wire) for _ in range(AGAIN)) > SLOW_S

    def took_s(self, wire: bytes) -> float:
        """Return how long the processor was at a frame: what others do meanwhile doesn't count."""
        began_s = time.thread_time()
        self.throw(wire)
        return (time.thread_time() - began_s) / max(self.frames, 1)


Maker = Callable[[Target, random.Random], bytes]
MAKERS: dict[str, Maker] = {"mutants": mutant, "noise": noise}


REPLAY = ".venv/bin/python tests/fuzz/run.py"
"""Begins the line that has a finding again."""


def input_of(target: Target, kind: str, seed: int, number: int) -> bytes:
    """Return one input, made from its name alone."""
    return MAKERS[kind](target, random.Random(f"{target.name} {kind} {seed} {number}"))


@dataclass
class Outcome:
    """What came of many inputs to one target."""

    target: Target
    kind: str
    seed: int
    inputs: int = 0
    reports: int = 0
    distress: int = 0
    slowest_s: float = 0.0
    grown_blocks: int = 0
    """Of memory, between the end of the first half and that of the second."""
    wrong: list[str] = field(default_factory=list)
    """Each thing that went wrong, with the line that has it again."""


def campaign(target: Target, kind: str, inputs: int, *, seed: int = 1) -> Outcome:
    """Throw this many inputs of a kind at a target, in one life of it; return what came of them."""
    found, ground = Outcome(target, kind, seed), Ground(target)
    half_blocks = 0
    for number in range(inputs):
        if number == inputs // 2:
            half_blocks = _blocks()
        wire = input_of(target, kind, seed, number)
        found.wrong += _wrong(ground, wire, found, number)
        found.inputs += 1
    found.grown_blocks = _blocks() - half_blocks
    found.reports, found.distress = ground.reports, ground.distress
    return found


def _wrong(ground: Ground, wire: bytes, found: Outcome, number: int) -> Iterator[str]:
    again = f"{REPLAY} --target {ground.target.name} --kind {found.kind} --seed {found.seed} "
    again += f"--number {number}"
    verified = len(ground.verified)
    try:
        took_s = ground.took_s(wire)
        if took_s > SLOW_S and ground.is_slow(wire):
            yield f"slower than {SLOW_S * 1000:g} ms\n    {again}"
        elif took_s <= SLOW_S:
            found.slowest_s = max(found.slowest_s, took_s)
    except Exception as error:  # noqa: BLE001  # any is a finding, and the next input is tried
        yield f"{type(error).__name__} {error}\n    {again}"
        ground.fresh()
    if found.kind == "noise" and len(ground.verified) > verified:
        yield f"noise told as verified distress\n    {again}"


def _blocks() -> int:
    gc.collect()
    return sys.getallocatedblocks()
