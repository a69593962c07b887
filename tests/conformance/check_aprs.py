"""Compare what the gateway makes of foreign packets of APRS with what the rows say.

`FILES` names the files and how each is compared. A row walks the whole hallway: text as a line, a
KISS frame as it is, an AX.25 frame in a KISS frame. A row comes back with the fields in which it
disagrees; with None when there is nothing to hold against: only one of the other decoders reads it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from math import isclose
from pathlib import Path

from gateway.framing.kiss import Kiss
from gateway.model.inbound import Chunk, Moment, Refused, Ruling
from tests.conformance import proofs
from tests.conformance.rows import Check, Row, by_field, reports_in, station

DEGREES = 1e-6
KMH = 1.852
FORMS = {
    "location": ("position", "mic_e"),
    "object": ("object",),
    "item": ("item",),
    "message": ("message", "bulletin"),
    "telemetry-message": ("telemetry",),
    "telemetry": ("telemetry",),
    "status": ("status",),
    "capabilities": ("capabilities",),
    "wx": ("position", "weather", "object"),
}
"""What the others call a packet, and what it may be called here."""


def check_stream(path: Path) -> list[Row]:
    """Let a recording through: each line makes one report or is kept, and no decoder fails."""
    framing = "kiss" if path.suffix == ".kiss" else "tnc2"
    pipeline, data = station("aprs", framing), path.read_bytes()
    items = [
        item
        for at in range(0, len(data), 4096)
        for item in pipeline.inbound(Chunk("a", Moment(at), data[at : at + 4096]))
    ]
    count = pipeline.ears["a"].count
    told = sum(isinstance(item, Ruling) for item in items)
    kept = sum(isinstance(item, Refused) for item in items)
    wanted = data.count(b"\xc0\xc0") + 1 if framing == "kiss" else data.count(b"\n")
    found = []
    if count.decoder_errors:
        found.append(f"errors: {count.decoder_errors}")
    if told + kept != wanted or told < 0.97 * wanted:
        found.append(f"packets: {told} told and {kept} kept of {wanted}")
    verified = sum(
        item.sighting.report.urgency == "distress" and item.sighting.report.confidence == "verified"
        for item in items
        if isinstance(item, Ruling)
    )
    if verified:
        found.append(f"distress: {verified} verified, and nothing proves any")
    return [(path.name, "C", tuple(found), 3)]


def heard(wire: bytes, framing: str) -> list[dict]:
    """Return the reports of these bytes."""
    pipeline = station("aprs", framing)
    items = pipeline.inbound(Chunk("a", Moment(0), wire))
    assert pipeline.ears["a"].count.decoder_errors == 0, wire
    return reports_in(items)


def line_of(row: dict) -> bytes:
    r"""Return the bytes of a row: what can't be printed stands in it as \xNN."""
    text = re.sub(r"\\x([0-9a-f]{2})", lambda found: chr(int(found[1], 16)), row["input"])
    return text.encode("latin-1") + b"\r\n"


def of_text(row: dict) -> Iterator[str | None]:
    expected = row.get("expected_fap") or row.get("fap") or {}
    if row["trust"] == "C" or "type" not in expected:
        yield None
        return
    reports = heard(line_of(row), "tnc2")
    if len(reports) != 1:
        yield f"reports: {len(reports)}, not 1"
        return
    yield from fields_of(row, expected, reports[0])


def fields_of(row: dict, expected: dict, report: dict) -> Iterator[str]:
    """Yield each field that the row has and the gateway tells otherwise."""
    detail = report["detail"]
    spot, exchange = detail.get("spot", {}), detail.get("exchange", {})
    forms = FORMS.get(expected["type"], ())
    yield "" if detail["form"] in forms else f"form: {detail['form']}, not one of {forms}"
    yield from of_spot(expected, spot)
    for name, wanted, actual in (
        ("source", expected.get("srccallsign"), detail["source"]),
        ("to", expected.get("dstcallsign"), detail["to"]),
        ("mbits", bits_in(expected), detail.get("mic_e", {}).get("bits")),
        ("addressee", expected.get("destination"), exchange.get("addressee")),
        ("number", expected.get("messageid"), exchange.get("number")),
        ("acknowledges", expected.get("messageack"), exchange.get("acknowledges")),
        ("rejects", expected.get("messagerej"), exchange.get("rejects")),
        ("object", name_in(expected), detail.get("object_name", "")),
        ("alive", alive_in(expected), detail.get("alive")),
        ("text", words_in(expected), detail.get("text", "")),
    ):
        if wanted is not None:
            rule = proofs.of_answer(row, name, wanted, actual)
            text = f"{name}: {wanted!r}, not {actual!r}"
            yield "" if wanted == actual else proofs.judged(text, rule)


def of_spot(expected: dict, spot: dict) -> Iterator[str]:
    symbol = expected.get("symboltable", "") + expected.get("symbolcode", "")
    if symbol:
        yield "" if spot.get("symbol") == symbol else f"symbol: {symbol}, not {spot.get('symbol')}"
    speed_kmh, course = expected.get("speed"), expected.get("course")
    for name, wanted, actual, within in (
        ("latitude", expected.get("latitude"), spot.get("lat_deg"), DEGREES),
        ("longitude", expected.get("longitude"), spot.get("lon_deg"), DEGREES),
        ("speed", speed_kmh and speed_kmh / KMH, spot.get("speed_kn", 0), 1e-3),
        ("course", course and course % 360, spot.get("course_deg", 0), 1e-6),
        ("altitude", expected.get("altitude"), spot.get("altitude_m"), 0.01),
        ("hidden digits", expected.get("posambiguity"), spot.get("hidden_digits", 0), 0),
    ):
        if wanted is not None:
            agreed = actual is not None and isclose(wanted, actual, rel_tol=0, abs_tol=within)
            yield "" if agreed else f"{name}: {wanted}, not {actual}"


def bits_in(expected: dict) -> str | None:
    """Return the message bits; the others write a custom one as 2."""
    return expected["mbits"].replace("2", "1") if "mbits" in expected else None


def name_in(expected: dict) -> str | None:
    name = expected.get("objectname", expected.get("itemname"))
    return None if name is None else name.strip()


def alive_in(expected: dict) -> bool | None:
    return bool(expected["alive"]) if "alive" in expected and name_in(expected) else None


def words_in(expected: dict) -> str | None:
    """Return what somebody wrote, of messages and status; other texts are cut up by the others."""
    text = expected.get("message", expected.get("status"))
    if text is None or expected["type"] == "telemetry-message":
        return None
    return text.strip()


def of_emergency(row: dict) -> Iterator[str]:
    """Yield where the emergency of a Mic-E packet, or that there is none, is told otherwise."""
    expected = row["expected"]
    (report,) = heard(line_of(row), "tnc2")
    called = report["kind"] == "alert" and report["urgency"] == "distress"
    yield "" if called == expected["emergency"] else f"emergency: {called}"
    bits = report["detail"]["mic_e"]["bits"]
    wanted = bits_in(expected) or "000"
    yield "" if bits == wanted else f"mbits: {wanted}, not {bits}"
    if expected["emergency"]:
        speed_kmh, symbol = expected["speed_kmh"], expected["symbol"]
        others = {"speed": speed_kmh, "symboltable": symbol[0], "symbolcode": symbol[1]}
        yield from of_spot({**expected, **others}, report["detail"]["spot"])


def of_frame(row: dict) -> Iterator[str | None]:
    """Yield where a KISS or an AX.25 frame is taken apart otherwise."""
    if "input_hex_ax25" in row:
        wire = Kiss.wrap(b"\0" + bytes.fromhex(row["input_hex_ax25"]))
    else:
        wire = bytes.fromhex(row["input_hex_kiss"])
    expected = row["expected"]
    if "dest" not in expected:
        yield from of_bare_frame(wire, expected)
        return
    (report,) = heard(wire, "kiss")
    detail = report["detail"]
    gates = detail.get("gates", ())
    if gates:
        yield "" if gates == (expected["source"],) else f"source: passed on by {gates}"
        return
    for name, wanted, actual in (
        ("source", expected["source"], detail["source"]),
        ("to", expected["dest"], detail["to"]),
        ("path", expected["path"], list(detail.get("path", []))),
        ("port", row.get("kiss_port", 0), detail["kiss_port"]),
    ):
        yield "" if wanted == actual else f"{name}: {wanted!r}, not {actual!r}"


def of_bare_frame(wire: bytes, expected: dict) -> Iterator[str]:
    """Yield where a frame that is no packet is cut otherwise, or is told as one."""
    (frame,) = Kiss().split(Chunk("a", Moment(0), wire))
    if "data" in expected:
        wanted = bytes((expected["port"] << 4 | expected["command"],))
        wanted += bytes.fromhex(expected["data"])
        yield "" if frame.body == wanted else f"body: {wanted.hex()}, not {frame.body.hex()}"
    reports = heard(wire, "kiss")
    yield f"reports: {len(reports)}, not 0" if reports else ""


FILES: dict[str, Check] = {
    "aprs/consensus.jsonl": by_field(of_text),
    "aprs/fap_asserted.jsonl": by_field(of_text),
    "aprs/emergency_derived.jsonl": by_field(of_emergency),
    "aprs/kiss_frames.jsonl": by_field(of_frame),
    "aprs/streams/*": check_stream,
}
