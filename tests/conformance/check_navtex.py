"""Compare what the gateway makes of foreign NAVTEX messages with what the rows say.

Messages as they were printed are heard as lines, and once more as the NRX sentences that would tell
them. Recordings of sound are no data for a serial port.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from gateway.model.inbound import Chunk, Moment, Tick
from gateway.radio.navtex.sentences import write_sentences
from tests.conformance.rows import Check, Row, by_row, reports_in, station

END_NS = 3600 * 10**9
DEGREES_WRITTEN = 1e-6


def sound(path: Path) -> list[Row]:
    return [(path.name, "C", None)]


def of_printed(row: dict) -> Iterator[str]:
    """Yield each field of a printed message that the gateway tells otherwise."""
    expected = row["expected"]
    wire = row["input"].encode("ascii", "replace") + b"\r\n"
    found = heard("lines", [wire])
    if not expected["terminated"]:
        yield from ("ended: told as whole" for one in found if one["detail"].get("ended", True))
        return
    if not found:
        yield "reports: none"
        return
    # Some rows hold two messages: the header is of the last, the places are of both.
    yield from header(expected, found[-1])
    if "positions_lonlat" in expected:
        mentions = [one for report in found for one in report["detail"].get("mentions", [])]
        yield from places(expected["positions_lonlat"], mentions)
    detail = found[-1]["detail"]
    told = write_sentences(detail["message_id"], detail["text"])
    (again,) = heard("nmea", [wrapped(sentence) for sentence in told])
    for name in ("text", "mentions", "subject", "number", "station"):
        if again["detail"].get(name) != detail.get(name):
            yield f"sentences: {name}"


def of_sentences(row: dict) -> Iterator[str]:
    """Yield each field of sentences that the gateway tells otherwise."""
    expected = row["expected"]
    (report,) = heard("nmea", [f"{text}\r\n".encode() for text in row["input"]])
    detail = report["detail"]
    when = f"{expected['date']}T{expected['utc'][:2]}:{expected['utc'][2:4]}:{expected['utc'][4:]}Z"
    for name, wanted, actual in (
        ("message_code", expected["message_code"], detail["message_id"]),
        ("frequency", int(expected["frequency_indicator"]), detail["frequency_code"]),
        ("utc", when, detail["received_utc"]),
        ("characters", expected["total_characters"], detail["characters"]),
        ("bad_characters", expected["bad_characters"], detail["bad_characters"]),
        ("status", expected["status"], detail["status"]),
        ("sentences", expected["sentences"], detail["sentences_total"]),
    ):
        if wanted != actual:
            yield f"{name}: {wanted!r}, not {actual!r}"


def header(expected: dict, report: dict) -> Iterator[str]:
    detail = report["detail"]
    for name, wanted, actual in (
        ("b1", expected["b1"], detail.get("station")),
        ("b2", expected["b2"], detail.get("subject_code")),
        ("number", int(expected["number"]), detail.get("number")),
        ("ended", True, detail.get("ended", True)),
    ):
        if wanted != actual:
            yield f"{name}: {wanted!r}, not {actual!r}"


def places(wanted: list[list[float]], mentions: list[dict]) -> Iterator[str]:
    """Yield each place that only one of the two has; an area's last corner is its first again."""
    if len(wanted) > 1 and wanted[0] == wanted[-1]:
        wanted = wanted[:-1]
    actual = [(one["lon_deg"], one["lat_deg"]) for one in mentions]
    for lon, lat in wanted:
        if not any(near(lon, x) and near(lat, y) for x, y in actual):
            yield f"positions: {lat} {lon} not found"
    for lon, lat in actual:
        if not any(near(lon, x) and near(lat, y) for x, y in wanted):
            yield f"positions: {lat:.6f} {lon:.6f} is not in the row"


def near(one: float, other: float) -> bool:
    return abs(one - other) < DEGREES_WRITTEN


def heard(framing: str, wire: list[bytes]) -> list[dict]:
    """Return the reports that come of these bytes, when time has run out."""
    pipeline = station("navtex", framing)
    items = [item for data in wire for item in pipeline.inbound(Chunk("a", Moment(0), data))]
    items += pipeline.tick(Tick(Moment(END_NS)))
    assert not pipeline.ears["a"].count.decoder_errors
    return reports_in(items)


def wrapped(sentence: bytes) -> bytes:
    checksum = 0
    for byte in sentence[1:]:
        checksum ^= byte
    return b"%b*%02X\r\n" % (sentence, checksum)


FILES: dict[str, Check] = {
    "navtex/messages.jsonl": by_row(of_printed),
    "navtex/nrx_sentences.jsonl": by_row(of_sentences),
    "navtex/audio/*": sound,
}
