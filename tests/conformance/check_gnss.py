"""The station's own place and time: every sentence and every receiver's log of `gnss_nmea/`.

The sentences were read by pynmea2 and, for the place, by plain arithmetic; the logs by gpsd, which
writes down beside each sentence what it took from it. All of the hallway is walked each time.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import reduce
from itertools import pairwise
from operator import xor

from gateway.model.entry import Item
from gateway.model.inbound import Chunk, Moment, Refused, Report, Ruling
from gateway.model.plan import PortPlan, Profile
from gateway.model.words import Fault
from gateway.pipeline import Pipeline, hallway
from gateway.radio.gnss import GnssDetail

OURS = ("RMC", "GGA", "GLL", "GNS", "ZDA")
NEAR_DEG = 1e-6
"""How closely gpsd writes a place; the arithmetic is held to the same."""
NEAR = 1e-6
CHUNK_BYTES = 512
"""What a serial port may hand over at once; not a divisor of anything in the logs."""
HDOP_WITHOUT_FIX = 50.0
"""From here on a receiver says that it has no dilution of precision, in its own way."""

SENTENCE = re.compile(rb"\$(?!P)[A-Z0-9]{2}(RMC|GGA|GLL|GNS|ZDA),([^\r\n$!*]*)\*([0-9A-Fa-f]{2})")


def sentences(path):
    """Judge each sentence by what the other readers made of it."""
    rows = []
    for line in path.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        if row["checksum_ok"]:
            tried = list(judged(row))
            wrong = tuple(text for text in tried if text)
            rows.append((row["id"], row["trust"], wrong, len(tried)))
        else:
            rows.append((f"{row['id']} bad checksum", row["trust"], refused(row)))
    return rows


def examples(path):
    """Judge the standard's worked examples: ours give a report, all others are passed over."""
    rows = []
    for line in path.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        wrong = tuple(text for text in judged(row) if text) if row["checksum_ok"] else refused(row)
        rows.append((row["id"], row["trust"], wrong))
    return rows


def gpsd_log(path):
    """Feed a whole log as one stream, noise and all; judge each place by gpsd's own."""
    stream = path.read_bytes()
    pipeline, items = heard(stream)
    reports = [item.sighting.report for item in items if isinstance(item, Ruling)]
    unread = [item for item in items if isinstance(item, Refused) and item.door == "radio"]
    rows = [
        ("bytes", "A", tuple(accounting(pipeline, len(stream)))),
        ("sentences", "A", tuple(completeness(stream, reports, unread))),
    ]
    by_raw = {report.raw[0].encode("ascii"): report for report in reports}
    for number, sentence, tpv in gpsd_fixes(path.with_name(path.name + ".chk").read_bytes()):
        report = by_raw.get(sentence)
        rows.append((f"chk line {number}", "B", tuple(fix_differs(report, tpv))))
    return rows


FILES = {
    "gnss_nmea/sentences.jsonl": sentences,
    "gnss_nmea/iec61162_examples.jsonl": examples,
    "gnss_nmea/gpsd_logs/*.log": gpsd_log,
}


def heard(stream: bytes) -> tuple[Pipeline, list[Item]]:
    """Return the hallway and what came out of it; a last empty chunk ends the recording."""
    profile = Profile(title="any receiver", radio=("gnss",), framing="nmea", proven="test")
    port = PortPlan(name="gnss", device="tape:test", modem="test", profile=profile)
    pipeline = hallway("test", [port])
    items: list[Item] = []
    cuts = [*range(0, len(stream), CHUNK_BYTES), len(stream)]
    for turn, (begin, end) in enumerate(pairwise(cuts)):
        items += pipeline.inbound(Chunk("gnss", Moment(turn), stream[begin:end]))
    items += pipeline.inbound(Chunk("gnss", Moment(len(cuts)), b"", gap=True))
    return pipeline, items


def refused(row: dict[str, object]) -> tuple[str, ...]:
    """Return what is wrong unless the sentence is refused for its checksum and gives nothing."""
    items = heard(str(row["input"]).encode("utf-8") + b"\r\n")[1]
    reasons = {item.reason for item in items if isinstance(item, Refused)}
    reports = [item for item in items if isinstance(item, Ruling)]
    return () if reasons == {Fault.WRONG_CHECKSUM} and not reports else ("bad checksum accepted",)


def judged(row: dict[str, object]) -> Iterator[str]:
    """Yield a text for each field tried: empty when all agree on it."""
    items = heard(str(row["input"]).encode("utf-8") + b"\r\n")[1]
    sentence = str(row["input"])[3:6]
    reports = [item.sighting.report for item in items if isinstance(item, Ruling)]
    if sentence not in OURS or not str(row["input"]).startswith("$") or row["input"][1] == "P":
        # A DSC or AIS sentence on this port is not passed over in silence: it may call for help.
        quiet = not reports and all(
            isinstance(i, Refused) and (i.reason == "" or i.distress_like) for i in items
        )
        yield "" if quiet else f"passed over: {items}"
        return
    expected = expected_of(row, sentence)
    if len(reports) != 1:
        why = next((item.reason for item in items if isinstance(item, Refused)), "nothing")
        yield from (f"{name}: refused: {why}" for name in expected)
        return
    actual = actual_of(reports[0])
    for name, value in expected.items():
        same = alike(value, actual[name])
        yield "" if same else f"{name}: expected {value!r}, got {actual[name]!r}"


def expected_of(row: dict[str, object], sentence: str) -> dict[str, object]:
    """Return what the others read, in our words; what they say nothing of is left out."""
    read = row.get("pynmea2")
    if not isinstance(read, dict):
        return {"sentence": sentence}
    found = {ours: read[theirs] for ours, theirs in FIELDS.items() if read.get(theirs) is not None}
    found["sentence"] = read["type"]
    found["talker"] = read["talker"]
    place = row["latlon_arithmetic"]
    if place is not None and row["trust"] == "A":
        found["stated"] = place
        found["position"] = place if has_fix(read) else None
    if found.get("hdop", 0.0) >= HDOP_WITHOUT_FIX:
        found["hdop"] = None
    if "variation" in found and read.get("mag_var_dir") not in ("E", "W"):
        found["variation"] = None
    if "variation" in found and read.get("mag_var_dir") == "W":
        found["variation"] = -found["variation"]
    if "altitude" in found and sentence not in ("GGA", "GNS"):
        del found["altitude"]
    return found


FIELDS = {
    "time": "timestamp",
    "date": "datestamp",
    "speed": "spd_over_grnd",
    "course": "true_course",
    "variation": "mag_variation",
    "quality": "gps_qual",
    "satellites": "num_sats",
    "hdop": "horizontal_dil",
    "hdop of GNS": "hdop",
    "altitude": "altitude",
    "separation": "geo_sep",
    "status": "status",
}
"""Our name for each thing that pynmea2 reads."""


def has_fix(read: dict[str, object]) -> bool:
    """Say, by pynmea2's reading, whether the receiver stands by its place (IEC 61162-1)."""
    mode = str(read.get("mode_indicator") or "")
    if read["type"] == "GGA":
        return float(read.get("gps_qual") or 0) > 0
    if read["type"] == "GNS":
        return any(letter in "ADPRFEMS" for letter in mode)
    invented = mode in ("E", "M", "S")
    return invented or (read.get("status") == "A" and mode not in ("N", "V"))


def actual_of(report: Report) -> dict[str, object]:
    """Return our reading under the same names."""
    said, position, velocity = report.detail, report.position, report.velocity
    assert isinstance(said, GnssDetail)
    return {
        "sentence": said.sentence,
        "talker": said.talker,
        "time": said.time,
        "date": said.date,
        "stated": [said.stated_lat_deg, said.stated_lon_deg],
        "position": [position.lat_deg, position.lon_deg] if position else None,
        "speed": velocity.speed_kn if velocity else said.speed_kn,
        "course": velocity.course_deg if velocity else said.course_deg,
        "variation": said.magnetic_variation_deg,
        "quality": said.quality,
        "satellites": said.satellites,
        "hdop": said.hdop,
        "hdop of GNS": said.hdop,
        "altitude": position.altitude_m if position else said.altitude_m,
        "separation": said.geoid_separation_m,
        "status": said.status,
    }


def alike(expected: object, actual: object) -> bool:
    """Say whether the two are the same to within what the other reader writes down."""
    match expected, actual:
        case float() | int(), float() | int():
            return abs(expected - actual) <= NEAR
        case list(), list():
            return all(alike(one, other) for one, other in zip(expected, actual, strict=True))
        case str(), str():
            return expected.removesuffix("+00:00").rstrip("0").rstrip(".") == actual.rstrip(
                "0"
            ).rstrip(".")
        case _:
            return expected == actual


def accounting(pipeline: Pipeline, size: int) -> Iterator[str]:
    """Yield what is wrong with the count of the bytes; nothing may be left at the end."""
    count = pipeline.ears["gnss"].count
    whole = count.bytes_decoded + count.bytes_refused + count.bytes_noise
    if count.bytes_in != size or whole != size or count.bytes_held:
        yield f"bytes: {size} sent, {count}"
    if count.decoder_errors:
        yield f"decoder errors: {count.decoder_errors}"


def completeness(stream: bytes, reports: list[Report], unread: list[Refused]) -> Iterator[str]:
    """Yield what is wrong unless each whole sentence of ours came out, and nothing else did."""
    whole = [
        found[0]
        for found in SENTENCE.finditer(stream)
        if reduce(xor, found[0][1:-3]) == int(found[3], 16)
    ]
    told = [report.raw[0].encode("ascii") for report in reports]
    stopped = [item.raw[0].encode("ascii") for item in unread if item.reason]
    if sorted(whole) != sorted(told + stopped):
        yield f"sentences: {len(whole)} in the log, {len(told)} told, {len(stopped)} stopped"


def gpsd_fixes(chk: bytes) -> Iterator[tuple[int, bytes, dict[str, object]]]:
    """Yield each sentence with a place and the fix that gpsd gives right behind it."""
    sentence = None
    for number, line in enumerate(chk.splitlines(), start=1):
        if line.startswith(b"{"):
            told = json.loads(line)
            if sentence and told["class"] == "TPV" and "lat" in told:
                yield number, sentence, told
                sentence = None
        elif line.startswith(b"$"):
            found = SENTENCE.match(line)
            stated = found and found[1] != b"ZDA" and re.search(rb",[NS],", found[2])
            sentence = found[0] if stated else None


def fix_differs(report: Report | None, tpv: dict[str, object]) -> Iterator[str]:
    """Yield each thing in which gpsd's fix and ours differ."""
    if report is None:
        yield "report: none"
        return
    said = report.detail
    assert isinstance(said, GnssDetail)
    place = (said.stated_lat_deg, said.stated_lon_deg)
    if not all(
        ours is not None and abs(ours - theirs) <= NEAR_DEG
        for ours, theirs in zip(place, (tpv["lat"], tpv["lon"]), strict=True)
    ):
        yield f"position: expected {tpv['lat']}, {tpv['lon']}, got {place}"
    if report.position is None and tpv["mode"] > 1:
        yield f"fix: gpsd has one, ours is {said.fix}"
    theirs = str(tpv.get("time", ""))[11:19]
    if theirs and said.time and theirs != said.time[:8]:
        yield f"time: expected {theirs}, got {said.time}"
