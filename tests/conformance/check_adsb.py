"""Compare what the gateway makes of foreign Mode S rows with what the rows say.

`FILES` names the files and how each is compared. Messages walk the whole hallway. A reply names its
address only to who knows it, so a squitter of the craft goes before each; where a reply says an
emergency it is heard twice, a second apart, as it would be from any radar's turn.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from gateway.codes.cpr import Cpr, near, of_pair
from gateway.codes.crc24 import parity
from gateway.model.inbound import Chunk, Frame, Moment
from gateway.pipeline import Pipeline
from tests.conformance.rows import Check, Row, by_field, reports_in, rows, station

SECOND_NS = 10**9
DEGREES = 1.5e-6
"""Of places that a row gives with six decimals."""
CHUNKS = (1, 7, 4096)
"""Sizes in which a stream is handed over."""


def check_expected(path: Path) -> list[Row]:
    """Compare each frame of the capture beside this file, however its bytes come."""
    wire = path.with_name(path.name.replace(".expected.jsonl", ".beast")).read_bytes()
    expected = rows(path)
    heard = [frames_of(wire, size) for size in CHUNKS]
    found = []
    for place, row in enumerate(expected):
        name = f"{path.stem}-{row['offset']}"
        differing = [
            f"frame: in pieces of {size}"
            for size, frames in zip(CHUNKS, heard, strict=True)
            if len(frames) != len(expected) or said_by(frames[place]) != row_says(row)
        ]
        found.append((name, "A", tuple(differing), 1))
    return found


def check_capture(path: Path) -> list[Row]:
    """Compare what each format of a capture comes to with the page beside it."""
    page = json.loads(path.with_name(f"{path.stem}.meta.json").read_text("utf-8"))
    is_text = path.suffix == ".avr"
    wanted = page["by_DF"] if is_text else page["frames_by_DF"]
    pipeline = station("mode_s", "avr" if is_text else "beast")
    reports = heard(pipeline, [path.read_bytes()])
    count = pipeline.ears["a"].count
    told = Counter(f"DF{report['detail']['df']}" for report in reports)
    # A capture begins anywhere: replies of craft whose first squitter comes later are not believed.
    missing = sum(wanted.values()) - sum(told.values()) - count.refused
    rows_found: list[Row] = [(f"{path.stem}-whole", "A", ("lost",) if missing else (), 1)]
    for form in ("DF11", "DF17"):
        text = "" if told[form] == wanted[form] else f"{form}: {wanted[form]}, not {told[form]}"
        rows_found.append((f"{path.stem}-{form}", "A", (text,) if text else (), 1))
    return rows_found


def heard(pipeline: Pipeline, wire: list[bytes]) -> list[dict]:
    """Return the reports of what is heard a second apart."""
    items = [
        item
        for turn, sent in enumerate(wire)
        for item in pipeline.inbound(Chunk("a", Moment(turn * SECOND_NS), sent))
    ]
    assert pipeline.ears["a"].count.decoder_errors == 0
    return reports_in(items)


def avr(digits: str) -> bytes:
    return f"*{digits};\r\n".encode()


def squitter_of(address: str) -> bytes:
    """Return an acquisition squitter of this craft."""
    body = bytes([0x5D]) + bytes.fromhex(address)
    return avr((body + parity(body).to_bytes(3, "big")).hex())


def of_frame(row: dict) -> Iterator[str | None]:
    """Yield each field of a message that the gateway tells otherwise."""
    expected = row["expected"]
    if not expected:
        yield None
        return
    wire = [squitter_of(expected["icao"]), avr(row["input_hex"])]
    reports = heard(station("mode_s", "avr"), wire)[1:]
    if not reports:
        yield "refused"
        return
    (report,) = reports
    yield from fields_of(expected, report)


def fields_of(expected: dict, report: dict) -> Iterator[str]:
    detail = report["detail"]
    velocity = report.get("velocity", {})
    motion = detail.get("motion", {})
    cpr = detail.get("cpr", {})
    for name, actual, within in (
        ("df", detail["df"], 0),
        ("typecode", detail.get("type_code"), 0),
        ("altitude", detail.get("altitude_ft"), 0),
        ("squawk", detail.get("squawk"), 0),
        ("cpr_lat", cpr.get("lat"), 0),
        ("cpr_lon", cpr.get("lon"), 0),
        ("callsign", report["sender"].get("callsign"), 0),
        ("emergency_state", STATES.get(detail.get("emergency_state")), 0),
        ("vertical_rate", motion.get("vertical_ft_min"), 0),
        ("groundspeed", velocity.get("speed_kn", motion.get("airspeed_kn")), 1),
        ("track", velocity.get("course_deg"), 0.06),
    ):
        wanted = expected.get(name)
        if wanted is not None:
            yield "" if same(wanted, actual, within) else f"{name}: {wanted!r}, not {actual!r}"
    wanted = expected["icao"].upper()
    yield "" if wanted == detail["address"] else f"icao: {wanted}, not {detail['address']}"


STATES = {0: "none"}
"""In the rows' words; no other occurs in them."""


def same(wanted: object, actual: object, within: float) -> bool:
    if isinstance(wanted, int | float) and isinstance(actual, int | float):
        return abs(wanted - actual) <= within
    return wanted == actual


def of_emergency(row: dict) -> Iterator[str]:
    """Yield where an emergency is missed, invented, or told otherwise."""
    expected, sent = row["expected"], avr(row["input_hex"])
    is_reply = expected["df"] in (5, 21)
    wire = [squitter_of(expected["icao"]), *[sent] * (2 if is_reply else 1)]
    reports = heard(station("mode_s", "avr"), wire)[1:]
    alerts = [report for report in reports if report["urgency"] == "distress"]
    is_verified = bool(alerts) and alerts[-1]["confidence"] == "verified"
    yield "" if is_verified is expected["distress"] else f"distress: {expected['distress']}"
    is_early = is_reply and alerts and alerts[0]["confidence"] == "verified"
    yield "verified by one reply" if is_early else ""
    is_secret = expected["squawk"] == "7500" or expected.get("emergency_state") == 5
    is_kept = [report.get("covert", False) for report in alerts] == [is_secret] * len(alerts)
    yield "" if is_kept else f"covert: {is_secret}"
    names = {"squawk": "squawk", "emergency_state": "emergency_state"}
    for name, ours in {**names, "flight_status": "flight_status"}.items():
        if name in expected:
            actual = reports[-1]["detail"].get(ours)
            agrees = expected[name] == actual
            yield "" if agrees else f"{name}: {expected[name]}, not {actual}"


def frames_of(wire: bytes, size: int) -> list[Frame]:
    """Return the whole frames that come of a stream in pieces of this size."""
    framer = station("mode_s", "beast").ears["a"].framer
    return [
        frame
        for at in range(0, len(wire), size)
        for frame in framer.split(Chunk("a", Moment(at), wire[at : at + size]))
        if frame.fault is None
    ]


def said_by(frame: Frame) -> tuple[int, int, int, str]:
    body = frame.body
    return body[0], int.from_bytes(body[1:7], "big"), body[7], body[8:].hex().upper()


def row_says(row: dict) -> tuple[int, int, int, str]:
    return int(row["type"], 16), row["ts48"], row["signal"], row["hex"]


def of_framing(row: dict) -> Iterator[str]:
    """Yield each frame that is cut otherwise."""
    wire = bytes.fromhex(row["input_hex"])
    for size in CHUNKS:
        frames = frames_of(wire, size)
        yield "" if len(frames) == len(row["expected"]) else f"frames: {len(frames)}"
        for frame, wanted in zip(frames, row["expected"], strict=False):
            if "uid" in wanted:
                actual, right = frame.body[1:].hex().upper(), wanted["uid"]
            else:
                actual = said_by(frame)[1:]
                right = (wanted["ts48"], wanted["signal"], wanted["payload"])
            yield "" if actual == right else f"frame: {right}, not {actual}"


def of_cpr(row: dict) -> Iterator[str]:
    """Yield each place that is found elsewhere."""
    told = dict(zip(row["fields"], row["values"], strict=True))
    about = (told["reflat"], told["reflon"]) if "reflat" in told else None
    if "fflag" in told:
        code = code_of(told, "", odd=bool(told["fflag"]), surface=bool(told["surface"]))
        yield from place(told, "", near(code, about))
        return
    even, odd = (
        code_of(told, f"{kind}_", odd=kind == "odd", surface=about is not None)
        for kind in ("even", "odd")
    )
    for newest_odd, kind in enumerate(("even_", "odd_")):
        found = of_pair(even, odd, newest_odd=bool(newest_odd), about=about)
        yield from place(told, kind, found)


def code_of(told: dict, kind: str, *, odd: bool, surface: bool) -> Cpr:
    lat, lon = (int(told[f"{kind}cpr{axis}"]) for axis in ("lat", "lon"))
    return Cpr(odd=odd, lat=lat, lon=lon, surface=surface)


def place(told: dict, kind: str, found: tuple[float, float] | None) -> Iterator[str]:
    is_told = told[f"{kind}result"] >= 0
    if found is None or not is_told:
        yield "" if (found is not None) is is_told else f"{kind}result: {found}"
        return
    for axis, actual in zip(("rlat", "rlon"), found, strict=True):
        wanted = told[kind + axis]
        yield "" if abs(wanted - actual) < DEGREES else f"{kind}{axis}: {wanted}, not {actual}"


FILES: dict[str, Check] = {
    "adsb/frames.jsonl": by_field(of_frame),
    "adsb/emergency_derived.jsonl": by_field(of_emergency),
    "adsb/beast_framing.jsonl": by_field(of_framing),
    "adsb/cpr.jsonl": by_field(of_cpr),
    "adsb/beast/*.expected.jsonl": check_expected,
    "adsb/beast/*.beast": check_capture,
    "adsb/avr/*.avr": check_capture,
}
