"""AIS against the vectors that nobody here wrote: every row, field by field.

A row is `(id, trust, disagreements, fields)`: no disagreements means that it agrees, None that it
is out of scope. Values that the standard calls "not available", or that can't be, agree when they
are absent; everything else must be there and equal.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from gateway.model.entry import Item
from gateway.model.inbound import Chunk, Moment, Refused, Report, Ruling, Tick
from gateway.model.plan import PortPlan, Profile
from gateway.model.words import Confidence
from gateway.pipeline import Pipeline, hallway
from gateway.radio.ais.said import AisDetail
from gateway.radio.ais.tables import SECOND_STATE

Row = tuple[str, str, tuple[str, ...] | None, int]
Fields = dict[str, object]

TOLERANCE = 0.0000011
"""The decoders asked round coordinates to the sixth digit, we to the seventh."""
_SECOND_CODE = {word: code for code, word in SECOND_STATE.items()}


def hear(sentences: Iterable[str]) -> tuple[list[Report], list[Refused], Pipeline]:
    """Return what one port's hallway makes of these sentences, heard at once."""
    profile = Profile(title="test", radio=("ais",), framing="nmea", proven="test")
    plan = PortPlan(name="port", device="tape:test", modem="test", profile=profile)
    pipeline = hallway("test", [plan])
    data = b"".join(sentence.encode("latin-1") + b"\r\n" for sentence in sentences)
    items: list[Item] = pipeline.inbound(Chunk(port="port", heard=Moment(0), data=data))
    items += pipeline.tick(Tick(Moment(3600 * 10**9)))
    return (
        [item.sighting.report for item in items if isinstance(item, Ruling)],
        [item for item in items if isinstance(item, Refused)],
        pipeline,
    )


def check_consensus(path: Path) -> list[Row]:
    """Judge each field on which at least two of three decoders agree."""
    return [_consensus_row(row) for row in _rows(path)]


def check_asserted_gpsd(path: Path) -> list[Row]:
    """Judge the fields of gpsd's own regression tests that a report has."""
    rows = []
    for row in _rows(path):
        scaled, raw = row["expected_gpsd_json_scaled"], row["expected_gpsd_json_unscaled"]
        expected = _gpsd_expected({**raw, **scaled})
        rows.append(_fields_row(row, expected, expected))
    return rows


def check_asserted_libais(path: Path) -> list[Row]:
    """Judge the fields of libais' own tests that a report has."""
    rows = []
    for row in _rows(path):
        expected = _libais_expected(row["expected_libais"])
        rows.append(_fields_row(row, expected, expected))
    return rows


def check_bad_checksum(path: Path) -> list[Row]:
    """A sentence with a wrong checksum is refused, and kept."""
    rows: list[Row] = []
    for row in _rows(path):
        reports, refused, _ = hear(row["input"])
        wrong = [f"reports: expected 0, got {len(reports)}"] if reports else []
        if len(refused) < len(row["input"]):
            wrong.append(f"refused: expected {len(row['input'])}, got {len(refused)}")
        rows.append((row["id"], row["trust"], tuple(wrong), 1))
    return rows


def check_undecodable(path: Path) -> list[Row]:
    """What decoders don't agree to be a message is refused, or reported with a doubt."""
    rows: list[Row] = []
    for row in _rows(path):
        reports, refused, pipeline = hear(row["input"])
        wrong = [
            f"confidence: expected a doubt, got {report.confidence}"
            for report in reports
            if report.confidence is Confidence.VERIFIED
        ]
        if not reports and not refused:
            wrong.append("kept: expected a report or a refusal, got neither")
        if pipeline.ears["port"].count.decoder_errors:
            wrong.append("decoder_errors: expected 0")
        rows.append((row["id"], row["trust"], tuple(wrong), 1))
    return rows


def check_stream(path: Path) -> list[Row]:
    """Count the messages of a capture by type; a row a type."""
    meta = json.loads(path.with_name(f"{path.name}.meta.json").read_text("utf-8"))
    expected = {
        kind: count
        for kind, count in meta["messages_by_type_per_pyais"].items()
        if kind != "undecoded"
    }
    reports, _, pipeline = hear(path.read_text("latin-1").splitlines())
    found = Counter(str(report.detail.message_type) for report in reports)
    rows: list[Row] = []
    for kind in sorted({*expected, *found}, key=int):
        want, got = expected.get(kind, 0), found[kind]
        wrong = () if want == got else (f"messages of type {kind}: expected {want}, got {got}",)
        rows.append((f"{path.name}-type-{kind}", "B", wrong, 1))
    errors = pipeline.ears["port"].count.decoder_errors
    wrong = (f"decoder_errors: expected 0, got {errors}",) if errors else ()
    rows.append((f"{path.name}-decoder-errors", "A", wrong, 1))
    return rows


def _consensus_row(row: Fields) -> Row:
    expected, agreed = row["expected"], row["agree_count"]
    return _fields_row(row, expected, {key for key in expected if agreed[key] >= 2})


def _fields_row(row: Fields, expected: Fields, judged: Iterable[str]) -> Row:
    reports, refused, _ = hear(row["input"])
    tried = {key: expected[key] for key in judged if key in _READ}
    if len(reports) != 1:
        reasons = ", ".join(item.reason for item in refused)
        wrong = (f"reports: expected 1, got {len(reports)} ({reasons})",)
        return row["id"], row["trust"], wrong, len(tried)
    report = reports[0]
    wrong = []
    for key, value in tried.items():
        want = None if _says_nothing(key, value, expected) else _TURNED.get(key, _same)(value)
        got = _READ[key](report, report.detail)
        if not _agree(want, got):
            wrong.append(f"{key}: expected {_shown(want)}, got {_shown(got)}")
    return row["id"], row["trust"], tuple(wrong), len(tried)


def _agree(want: object, got: object) -> bool:
    if isinstance(want, float | int) and isinstance(got, float):
        return abs(want - got) <= TOLERANCE
    if isinstance(want, str) and isinstance(got, str):
        return want.rstrip("@ ") == got
    return want == got


def _shown(value: object) -> str:
    return "absent" if value is None else repr(value)


def _same(value: object) -> object:
    return value


def _says_nothing(key: str, value: object, row: Fields) -> bool:
    """Say whether the standard calls the value "not available", or it can't be."""
    if key in {"lat", "lon", "alt"} and not _is_place(row.get("lat"), row.get("lon")):
        return True
    if key in _DATE and row["type"] in {4, 11}:
        return not _is_date(row)
    if key in {"to_bow", "to_stern", "to_port", "to_starboard"}:
        return row[key] + row[_PARTNER[key]] == 0
    if key == "off_position":
        return row["second"] > 59
    return key in _NOTHING and _NOTHING[key](value, row["type"])


def _is_place(lat_deg: float | None, lon_deg: float | None) -> bool:
    """Say whether this may be a place; a coordinate that decoders dispute speaks for neither."""
    return abs(lat_deg or 0) <= 90 and abs(lon_deg or 0) <= 180


def _is_date(row: Fields) -> bool:
    try:
        datetime(*(row[key] for key in _DATE), tzinfo=UTC)
    except ValueError:
        return False
    return True


def _is_moment(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def _date_part(start: int, end: int, of_voyage: str) -> Callable[[Report, AisDetail], object]:
    def read(report: Report, said: AisDetail) -> object:
        if said.voyage:
            return getattr(said.voyage, of_voyage)
        return int(report.claimed_utc[start:end]) if report.claimed_utc else None

    return read


def _second(report: Report, said: AisDetail) -> object:
    if said.message_type in {4, 11}:
        return int(report.claimed_utc[17:19]) if report.claimed_utc else None
    return _SECOND_CODE.get(said.fix.second_state, said.fix.second)


def _of(coat: str, name: str) -> Callable[[Report, AisDetail], object]:
    """Return a reader of one field of one part of the detail."""
    return lambda _, said: getattr(getattr(said, coat), name, None)


def _in(coat: str, name: str) -> Callable[[Report, AisDetail], object]:
    """Return a reader of one field of one part of the report."""
    return lambda report, _: getattr(getattr(report, coat), name, None)


def _gpsd_expected(row: Fields) -> Fields:
    """Return gpsd's fields under the names of the consensus."""
    if row["type"] == 24:
        # gpsd joins both halves of message 24; each row has one of them, the one with the name.
        return {key: row[key] for key in (*_HEADER, "shipname")}
    found = _own_words(row)
    return {"date" if key == "timestamp" else key: value for key, value in found.items()}


def _libais_expected(row: Fields) -> Fields:
    """Return libais' fields under the names of the consensus."""
    return _own_words({_LIBAIS[key]: value for key, value in row.items() if key in _LIBAIS})


def _own_words(row: Fields) -> Fields:
    """Leave out what applications say in the body of a binary message: no report has it."""
    if row["type"] not in {6, 8, 25, 26}:
        return row
    envelope = (*_HEADER, "dest_mmsi", "seqno", "retransmit", "dac", "fid")
    return {key: row[key] for key in envelope if key in row}


def _turn(report: Report, said: AisDetail) -> object:
    if said.fix.turn:
        return "fastright" if "starboard" in said.fix.turn else "fastleft"
    turn = report.velocity and report.velocity.turn_deg_min
    return None if turn is None else float(f"{turn:.0f}")


def _eta(_: Report, said: AisDetail) -> object:
    found = said.voyage
    month, day = found.eta_month or 0, found.eta_day or 0
    hour = 24 if found.eta_hour is None else found.eta_hour
    minute = 60 if found.eta_minute is None else found.eta_minute
    return f"{month:02}-{day:02}T{hour:02}:{minute:02}Z"


def _rows(path: Path) -> Iterator[Fields]:
    with path.open(encoding="utf-8") as lines:
        yield from map(json.loads, lines)


_HEADER = ("type", "repeat", "mmsi")
_DATE = ("year", "month", "day", "hour", "minute", "second")
_PARTNER = {
    "to_bow": "to_stern",
    "to_stern": "to_bow",
    "to_port": "to_starboard",
    "to_starboard": "to_port",
}

_NOTHING: dict[str, Callable[[object, int], bool]] = {
    "speed": lambda value, kind: value == {9: 1023, 27: 63}.get(kind, 102.3),
    "course": lambda value, kind: value > 360 or (value == 360 and kind != 27),
    "heading": lambda value, _: value > 360,
    "alt": lambda value, _: value == 4095,
    "turn": lambda value, _: value in {"nan", "n/a"},
    "date": lambda value, _: not _is_moment(value),
    "dest_mmsi": lambda value, _: value == 0,
    "imo": lambda value, _: value == 0,
    "shiptype": lambda value, _: value == 0,
    "epfd": lambda value, _: value == 0,
    "draught": lambda value, _: value == 0,
    "month": lambda value, _: not 1 <= value <= 12,
    "day": lambda value, _: value == 0,
    "hour": lambda value, _: value > 23,
    "minute": lambda value, _: value > 59,
    "callsign": lambda value, _: not value.rstrip("@ "),
    "shipname": lambda value, _: not value.rstrip("@ "),
    "name": lambda value, _: not value.rstrip("@ "),
    "destination": lambda value, _: not value.rstrip("@ "),
    "vendorid": lambda value, _: not value.rstrip("@ "),
    "text": lambda value, _: not value.rstrip("@ "),
}
"""By field: which values say nothing."""

_TURNED: dict[str, Callable[[object], object]] = {
    "mmsi": lambda value: f"{value:09d}",
    "dest_mmsi": lambda value: f"{value:09d}",
    "part_num": lambda value: "AB"[value],
}
"""By field: the value in our words."""

_READ: dict[str, Callable[[Report, AisDetail], object]] = {
    "type": lambda _, said: said.message_type,
    "repeat": lambda _, said: said.repeat,
    "mmsi": lambda _, said: said.mmsi,
    "status": _of("fix", "nav_status_code"),
    "accuracy": _of("fix", "position_accurate"),
    "raim": _of("fix", "raim"),
    "second": _second,
    "gnss": _of("fix", "position_late"),
    "lat": _in("position", "lat_deg"),
    "lon": _in("position", "lon_deg"),
    "alt": _in("position", "altitude_m"),
    "speed": _in("velocity", "speed_kn"),
    "course": _in("velocity", "course_deg"),
    "heading": _in("velocity", "heading_deg"),
    "year": _date_part(0, 4, ""),
    "month": _date_part(5, 7, "eta_month"),
    "day": _date_part(8, 10, "eta_day"),
    "hour": _date_part(11, 13, "eta_hour"),
    "minute": _date_part(14, 16, "eta_minute"),
    "callsign": _in("sender", "callsign"),
    "shipname": _in("sender", "name"),
    "name": _in("sender", "name"),
    "text": lambda report, _: report.text,
    "epfd": lambda _, said: said.epfd_code,
    "imo": _of("craft", "imo_field"),
    "shiptype": lambda _, said: getattr(said.craft or said.exchange, "ship_type_code", None),
    "to_bow": _of("craft", "to_bow_m"),
    "to_stern": _of("craft", "to_stern_m"),
    "to_port": _of("craft", "to_port_m"),
    "to_starboard": _of("craft", "to_starboard_m"),
    "vendorid": _of("craft", "vendor_text"),
    "destination": _of("voyage", "destination"),
    "draught": _of("voyage", "draught_m"),
    "aid_type": _of("aid", "aid_type_code"),
    "off_position": _of("aid", "off_position"),
    "virtual_aid": _of("aid", "virtual"),
    "part_num": lambda _, said: said.part,
    "dest_mmsi": lambda _, said: said.exchange.to[0] if said.exchange.to else None,
    "turn": _turn,
    "eta": _eta,
    "date": lambda report, _: report.claimed_utc,
    "seqno": _of("exchange", "sequence"),
    "retransmit": _of("exchange", "retransmitted"),
    "dac": _of("exchange", "dac"),
    "fid": _of("exchange", "fid"),
}
"""By field of the vectors: where a report has it. `gnss` is the bit of a late position."""

_LIBAIS = {
    "id": "type",
    "repeat_indicator": "repeat",
    "mmsi": "mmsi",
    "nav_status": "status",
    "position_accuracy": "accuracy",
    "raim": "raim",
    "timestamp": "second",
    "second": "second",
    "x": "lon",
    "y": "lat",
    "sog": "speed",
    "cog": "course",
    "true_heading": "heading",
    "year": "year",
    "month": "month",
    "day": "day",
    "hour": "hour",
    "minute": "minute",
    "name": "shipname",
    "type_and_cargo": "shiptype",
    "fix_type": "epfd",
    "dim_a": "to_bow",
    "dim_b": "to_stern",
    "dim_c": "to_port",
    "dim_d": "to_starboard",
    "mmsi_dest": "dest_mmsi",
    "dest_mmsi_a": "dest_mmsi",
    "seq": "seqno",
    "dac": "dac",
    "fi": "fid",
}
"""The bit "retransmitted" is left out: libais reads it upside down."""

STREAMS = (
    "aislib_stream_example.txt",
    "goais_aistest.nmea",
    "gpsd_ais-nmea.log",
    "gpsd_saab-r4.log",
    "marnav_ais_sample.txt",
)
FILES: dict[str, Callable[[Path], list[Row]]] = {
    "ais/consensus.jsonl": check_consensus,
    "ais/distress.jsonl": check_consensus,
    "ais/asserted_gpsd.jsonl": check_asserted_gpsd,
    "ais/asserted_libais.jsonl": check_asserted_libais,
    "ais/bad_checksum.jsonl": check_bad_checksum,
    "ais/undecodable.jsonl": check_undecodable,
    **{f"ais/streams/{name}": check_stream for name in STREAMS},
}
