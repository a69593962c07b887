"""Every vector of every radio system, in every weather.

A radio system adds a file `tests/vectors/<radio>.toml` and no test code:

    radio = "dsc"            # a file (or folder) in gateway/radio
    framing = "nmea"         # a file in gateway/framing; this is the default

    [[vector]]
    name = "alert"           # unique in its file
    source = "IEC 61162-1"   # who says so; mandatory
    wire = ['$CVDSC,…*51']   # the sentences; each is sent with CR LF behind it
    wire_hex = ['C0 00 C0']  # instead of them: bytes, sent as they are, envelope and all
    refused = 0              # how many frames are refused; 0 is the default
    unproven = ['detail.x']  # what the standard leaves without check digits: there, and only there,
                             # a bent bit may make another report
    reports = [{ … }]        # what comes out, in order: a subset of each report's JSON form

In `reports` a table matches when each of its keys does; `"absent"` says that the key is missing;
numbers match within one millionth. When the last sentence is through, the vector's time runs out:
whatever a radio system still holds comes out, and counts.

What a framing can do decides how hard the weathers are. One that proves nothing (`BARE`) can't tell
a half message or a bent one: what comes of it must then be the true report, with its errors put
right (`corrected_bits`, and `proof` in its detail), or one below `verified`, that says why in its
doubts.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec
import pytest

from gateway.model.entry import Item
from gateway.model.inbound import Chunk, Moment, Refused, Report, Ruling, Sighting, Tick
from gateway.model.plan import PortPlan, Profile
from gateway.model.words import Confidence, Relation
from gateway.pipeline import Pipeline, hallway

VECTORS = Path(__file__).parent / "vectors"
SENTENCE_NS = 100 * 10**6
"""Between two sentences of a vector; short of every window, longer than a copy takes."""
END_NS = 3600 * 10**9
"""The tick that ends a vector: long after the longest memory of a radio system."""
BENT_BITS_MAX = 512
"""Bits bent in one sentence; longer sentences are sampled by a stride that visits all bits."""
BARE = {"avr", "beast", "kiss", "lines", "meshtastic", "symbols", "tnc2"}
"""Framings that prove nothing; the radio system does, or can't."""
NOISE = (b"\x00\xff\xfe~~", b"no sentence at all\r\n", b"$$,,*\r\n", b"\x7f$,\x80")


class Vector(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One row of a vector file, with what the file says for all of its rows."""

    radio: str
    framing: str
    name: str
    source: str
    wire: tuple[str, ...] = ()
    wire_hex: tuple[str, ...] = ()
    reports: tuple[dict[str, object], ...]
    refused: int = 0
    unproven: tuple[str, ...] = ()

    @property
    def sentences(self) -> list[bytes]:
        """What is sent, without the line end that closes it."""
        if self.wire_hex:
            return [bytes.fromhex(sent) for sent in self.wire_hex]
        return [sentence.encode("latin-1") for sentence in self.wire]

    @property
    def end(self) -> bytes:
        return b"" if self.wire_hex else b"\r\n"

    @property
    def sent(self) -> list[bytes]:
        """The same with its line end: what goes over the wire."""
        return [sentence + self.end for sentence in self.sentences]


def vectors() -> Iterator[Vector]:
    for path in sorted(VECTORS.glob("*.toml")):
        whole = tomllib.loads(path.read_text(encoding="utf-8"))
        above = {"radio": whole["radio"], "framing": whole.get("framing", "nmea")}
        for row in whole["vector"]:
            yield msgspec.convert({**above, **row}, Vector)


ALL = list(vectors())
each = pytest.mark.parametrize("vector", [pytest.param(v, id=f"{v.radio}-{v.name}") for v in ALL])


@each
def test_whole(vector):
    """A vector says what it is stated to say, no more and no less, each time the same."""
    pipeline, items = heard(vector, vector.sent)
    again = heard(vector, vector.sent)[1]

    found = reports_in(items)
    assert len(found) == len(vector.reports), found
    for expected, actual in zip(vector.reports, found, strict=True):
        differs = list(differences(expected, msgspec.to_builtins(actual)))
        assert not differs, differs
    assert sum(isinstance(item, Refused) for item in items) == vector.refused
    assert items == again
    assert_accounted(pipeline)


@each
def test_byte_by_byte(vector):
    """How the bytes arrive changes nothing."""
    data = b"".join(vector.sent)
    pipeline, items = heard(vector, [data[at : at + 1] for at in range(len(data))], step_ns=10**6)

    assert essence(items) == clean(vector)
    assert_accounted(pipeline)


@each
def test_between_noise(vector):
    """Noise before, between and behind the sentences changes nothing, and is counted."""
    wire = [NOISE[0]]
    for at, line in enumerate(vector.sent):
        wire += [NOISE[at % len(NOISE)], line, NOISE[(at + 1) % len(NOISE)]]
    pipeline, items = heard(vector, wire)

    assert essence(items) == clean(vector)
    assert pipeline.ears["a"].count.bytes_noise > 0
    assert_accounted(pipeline)


@each
@pytest.mark.parametrize("glued", [False, True], ids=["line", "glued"])
def test_cut_short(vector, glued):
    """A sentence cut at any byte is as good as one not heard, whatever comes behind it."""
    for place, sentence in enumerate(vector.sentences):
        without = missing(vector, place)
        allowed = clean(vector) + without
        for length in range(len(sentence)):
            wire = vector.sent
            wire[place] = sentence[:length] + (b"" if glued else vector.end)
            pipeline, items = heard(vector, [b"".join(wire)])
            reports = essence(items)

            if vector.framing in BARE or vector.wire_hex:
                assert all(is_true(one, allowed, vector) for one in reports), sentence[:length]
            else:
                assert reports == without, sentence[:length]
            assert_accounted(pipeline)


@each
def test_bent(vector):
    """No single bent bit makes a report that the vector, or the vector less that sentence, lacks.

    Reports may be fewer: a bent sentence is as good as one not heard.
    """
    for place, sentence in enumerate(vector.sentences):
        allowed = clean(vector) + missing(vector, place)
        for bit in bits_to_bend(len(sentence)):
            bent = bytearray(sentence)
            bent[bit // 8] ^= 1 << bit % 8
            wire = vector.sent
            wire[place] = bytes(bent) + vector.end
            pipeline, items = heard(vector, wire)

            assert all(is_true(one, allowed, vector) for one in essence(items)), bytes(bent)
            assert_accounted(pipeline)


@each
def test_heard_on_two_ports(vector):
    """What a second port hears of the same transmission is a copy, and names both witnesses."""
    wire = [line for line in vector.sent for _ in ("a", "b")]
    pipeline, items = heard(vector, wire, ports=("a", "b"))
    first, second = (
        [found for found in sightings_in(items) if found.report.heard.port == port]
        for port in ("a", "b")
    )

    assert len(first) == len(second) == len(vector.reports)
    for one, other in zip(first, second, strict=True):
        assert other.relation is Relation.COPY
        assert other.first_id == (one.first_id or one.report.report_id)
        if one.relation is not Relation.COPY:
            assert [witness.port for witness in other.witnesses] == ["a", "b"]
    assert_accounted(pipeline)


@pytest.mark.parametrize("path", sorted(VECTORS.glob("*.toml")), ids=lambda path: path.stem)
def test_file_is_in_order(path):
    """A vector file is named after its radio; each row has a name of its own and a source."""
    rows = [vector for vector in ALL if vector.radio == path.stem]

    assert rows
    assert len({row.name for row in rows}) == len(rows)
    assert all(row.source and bool(row.wire) != bool(row.wire_hex) for row in rows)


def heard(
    vector: Vector,
    wire: Iterable[bytes],
    *,
    ports: tuple[str, ...] = ("a",),
    step_ns: int = SENTENCE_NS,
) -> tuple[Pipeline, list[Item]]:
    """Return the hallway and what came out of it; the ports hear the chunks in turn."""
    profile = Profile(title="test", radio=(vector.radio,), framing=vector.framing, proven="test")
    pipeline = hallway(
        "test",
        [PortPlan(name=port, device="tape:test", modem="test", profile=profile) for port in ports],
    )
    items: list[Item] = []
    now_ns = 0
    for turn, data in enumerate(wire):
        now_ns = turn // len(ports) * step_ns
        port = ports[turn % len(ports)]
        items += pipeline.inbound(Chunk(port=port, heard=Moment(now_ns), data=data))
    items += pipeline.tick(Tick(Moment(now_ns + END_NS)))
    return pipeline, items


def clean(vector: Vector) -> list[Report]:
    """Return what the vector says when all of it is heard."""
    return essence(heard(vector, vector.sent)[1])


def missing(vector: Vector, place: int) -> list[Report]:
    """Return what the vector says when the sentence at this place was not heard at all."""
    return essence(heard(vector, vector.sent[:place] + vector.sent[place + 1 :])[1])


def is_true(report: Report, allowed: list[Report], vector: Vector) -> bool:
    """Say whether this may come of the vector when one of its sentences is damaged."""
    if report in allowed:
        return True
    if vector.framing not in BARE:
        return False
    if report.confidence is not Confidence.VERIFIED:
        return bool(report.doubts)
    left_out = ("corrected_bits", "detail.proof", *vector.unproven)
    return told(report, left_out) in [told(one, left_out) for one in allowed]


def told(report: Report, left_out: tuple[str, ...]) -> dict[str, object]:
    """Return what a report says, some of it left out."""
    found = msgspec.to_builtins(report)
    for name in left_out:
        above, _, key = name.rpartition(".")
        (found.get(above, {}) if above else found).pop(key, None)
    return found


def sightings_in(items: Iterable[Item]) -> list[Sighting]:
    return [item.sighting for item in items if isinstance(item, Ruling)]


def reports_in(items: Iterable[Item]) -> list[Report]:
    return [sighting.report for sighting in sightings_in(items)]


def essence(items: Iterable[Item]) -> list[Report]:
    """Return the reports without what depends on when and in which chunk they were heard."""
    return [
        msgspec.structs.replace(
            report,
            report_id="",
            heard=None,
            raw=(),
            refines="earlier" if report.refines else None,
        )
        for report in reports_in(items)
    ]


def bits_to_bend(length: int) -> range:
    bits = length * 8
    stride = -(-bits // BENT_BITS_MAX)
    return range(0, bits, stride + (stride > 1 and stride % 2 == 0))


def assert_accounted(pipeline: Pipeline) -> None:
    """Every byte is decoded, refused, noise or held; no decoder has failed."""
    for ear in pipeline.ears.values():
        count = ear.count
        assert count.decoder_errors == 0
        assert count.bytes_in == (
            count.bytes_decoded + count.bytes_refused + count.bytes_noise + count.bytes_held
        )


def differences(expected: object, actual: object, at: str = "") -> Iterator[str]:
    """Yield, in words, each thing in which the actual is not what the vector expects."""
    if isinstance(expected, dict) and isinstance(actual, dict):
        for key, value in expected.items():
            yield from differences(value, actual.get(key, "absent"), f"{at}.{key}")
    elif isinstance(expected, list) and isinstance(actual, list | tuple):
        if len(expected) != len(actual):
            yield f"{at}: expected {len(expected)} items, got {actual!r}"
        for place, (one, other) in enumerate(zip(expected, actual, strict=False)):
            yield from differences(one, other, f"{at}[{place}]")
    elif not agree(expected, actual):
        yield f"{at}: expected {expected!r}, got {actual!r}"


def agree(expected: object, actual: object) -> bool:
    if isinstance(expected, float) or isinstance(actual, float):
        return isinstance(actual, float | int) and actual == pytest.approx(expected, abs=1e-6)
    return expected == actual and type(expected) is type(actual)
