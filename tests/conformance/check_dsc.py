"""Compare what the gateway makes of foreign DSC rows with what the rows say.

`FILES` names the files and how each is compared. A row comes back with the fields in which it
disagrees; with None when it is no NMEA 0183 (raw symbols, NMEA 2000), which no decoder here reads
yet. Rows that give their own words ("S (no ack, EOS)") are compared by the first word.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import msgspec

from gateway.model.inbound import Chunk, Item, Moment, Refused, Report, Ruling
from gateway.model.plan import PortPlan, Profile
from gateway.pipeline import Pipeline, hallway

Row = tuple[str, str, tuple[str, ...] | None]
"""Its id, how far it is trusted, and where it disagrees."""

PROFILE = Profile(title="conformance", radio=("dsc",), framing="nmea", proven="conformance")
SENTENCE_NS = 100 * 10**6

KINDS = {
    "distress_alert": ("alert", "distress"),
    "distress_relay": ("relay", "distress"),
    "distress_ack": ("acknowledgement", "distress"),
    "position_report": ("position", "routine"),
}
NATURES = {
    "fire": "fire_explosion",
    "mob": "man_overboard",
    "epirb": "beacon_emission",
    "abandon": "abandoning",
    "piracy": "piracy_unlawful",
    "unassigned/unknown": None,
    "undesignated/unknown;": None,
}
MODES = {"F3E/G3E": "f3e_g3e", "J3E": "j3e"}
ENDS = {"S": "end", "B": "acknowledgement", "R": "acknowledgement_requested"}
CLASSES = {"AIS-SART": "ais_sart", "EPIRB-AIS": "epirb_ais"}
FLAGS = {"Q": "query", "R": "reply", "A": "automatic"}
DEGREES = 1e-5


def check_nmea_dsc(path: Path) -> list[Row]:
    return [checked(row, of_dsc) for row in rows(path)]


def check_nmea_dse(path: Path) -> list[Row]:
    return [checked(row, of_dse) for row in rows(path)]


def check_freq_channel(path: Path) -> list[Row]:
    return [checked(row, of_channel) for row in rows(path)]


def out_of_scope(path: Path) -> list[Row]:
    return [(row["id"], row["trust"], None) for row in rows(path)]


FILES: dict[str, Callable[[Path], list[Row]]] = {
    "dsc/nmea_dsc.jsonl": check_nmea_dsc,
    "dsc/nmea_dse.jsonl": check_nmea_dse,
    "dsc/freq_channel.jsonl": check_freq_channel,
    "dsc/symbols.jsonl": out_of_scope,
    "dsc/fec_stream.jsonl": out_of_scope,
    "dsc/n2k_pgn129808.jsonl": out_of_scope,
}


def rows(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line]


def checked(row: dict, compare: Callable[[dict], Iterator[str]]) -> Row:
    return row["id"], row["trust"], tuple(compare(row))


def of_dsc(row: dict) -> Iterator[str]:
    """Yield each field of a DSC row that the gateway tells otherwise."""
    expected = row["expected"]
    pipeline, items = heard([row["input"]])
    found = reports_in(items)
    if pipeline.ears["a"].count.decoder_errors:
        yield "the decoder failed"
    if expected.get("accept") is False:
        if found or not all(isinstance(item, Refused) for item in items):
            yield "accepted"
        return
    if len(found) != 1:
        yield f"{len(found)} reports"
        return
    yield from compared(expected, found[0])


def of_dse(row: dict) -> Iterator[str]:
    """Yield each field of a DSE row, alone or behind its call, that the gateway tells otherwise."""
    expected = row["expected"]
    pipeline, items = heard(row["input"])
    found = reports_in(items)
    if pipeline.ears["a"].count.decoder_errors:
        yield "the decoder failed"
    if len(found) != len(row["input"]):
        yield f"{len(found)} reports"
        return
    last = found[-1]
    if "lat" in expected:
        yield from compared({"position": expected}, last)
    if "sender_mmsi" in expected:
        yield from compared({"sender_mmsi": expected["sender_mmsi"]}, last)
    if "position" in last and len(row["input"]) == 1:
        yield "a position out of nothing"
    yield from of_expansion(expected, last["detail"]["expansion"])


def of_expansion(expected: dict, expansion: dict) -> Iterator[str]:
    if "flag" in expected and expansion.get("flag") != FLAGS[expected["flag"][0]]:
        yield "flag"
    if "datasets" in expected and [list(one) for one in expansion["sets"]] != expected["datasets"]:
        yield "datasets"
    for place, key in ((0, "lat_extra_min"), (4, "lon_extra_min")):
        fine = expansion.get("fine_minutes", "")[place : place + 4]
        if key in expected and fine != f"{round(expected[key] * 10_000):04d}":
            yield key


def of_channel(row: dict) -> Iterator[str]:
    """Yield how the field, put into a routine call, is told otherwise."""
    pipeline, items = heard([f"$CDDSC,20,3380400790,00,09,26,{row['input']},,,,S,"])
    found = reports_in(items)
    if pipeline.ears["a"].count.decoder_errors or len(found) != 1:
        yield "no report"
        return
    actual = found[0]["detail"].get("rx")
    expected = row["expected"]
    names = {
        "frequency_hz": "freq_hz",
        "hf_mf_channel": "hf_channel",
        "auto_vhf_channel": "auto_channel",
    }
    wanted = None if expected is None else {names[key]: is_ for key, is_ in expected.items()}
    if actual != wanted:
        yield f"{actual} instead of {wanted}"


def compared(expected: dict, report: dict) -> Iterator[str]:
    """Yield each expected field, of those that mean something, that the report tells otherwise."""
    for key, value in expected.items():
        compare = FIELDS.get(key)
        if compare is None:
            if key not in IN_WORDS_ONLY:
                yield f"{key}: this comparison does not know it"
        elif not compare(value, report, report.get("detail", {})):
            yield f"{key}: expected {value!r}"


def mmsi(party: str, value: int | str | None, report: dict, _: dict) -> bool:
    """Compare an identity; one that the row calls invalid must be told, and doubted."""
    actual = report.get(party, {}).get("mmsi")
    if value is None:
        return actual is None
    if "invalid" in str(value):
        return actual in (None, str(value)[:9]) and bool(report.get("doubts"))
    return actual == f"{int(value):09d}"


def kind(value: str, report: dict, _: dict) -> bool:
    return (report["kind"], report["urgency"]) == KINDS[value]


def nature(value: str | None, report: dict, _: dict) -> bool:
    word = value.split()[0] if value else None
    return report.get("nature") == NATURES.get(word, word)


def position(value: dict | None, report: dict, _: dict) -> bool:
    actual = report.get("position")
    if value is None or actual is None:
        return value is actual
    return (
        abs(actual["lat_deg"] - value["lat"]) < DEGREES
        and abs(actual["lon_deg"] - value["lon"]) < DEGREES
    )


def in_detail(name: str, value: object, _: dict, detail: dict) -> bool:
    return detail.get(name) == value


FIELDS: dict[str, Callable[..., bool]] = {
    "kind": kind,
    "nature": nature,
    "position": position,
    "sender_mmsi": partial(mmsi, "sender"),
    "relaying_mmsi": partial(mmsi, "sender"),
    "casualty_mmsi": partial(mmsi, "casualty"),
    "format": partial(in_detail, "format_code"),
    "category": partial(in_detail, "category"),
    "telecommand1": partial(in_detail, "telecommand1_code"),
    "telecommand2": lambda value, _, detail: (
        value in (detail.get("telecommand2_code"), detail.get("subsequent_code"))
    ),
    "subsequent_comms": lambda value, _, detail: (
        detail.get("subsequent") == MODES[value.split()[0]]
    ),
    "utc": lambda value, report, _: report.get("claimed_utc") == (f"{value}Z" if value else None),
    "ack": lambda value, _, detail: detail.get("end") == ENDS[value[0]],
    "dse_follows": lambda value, _, detail: detail.get("expansion_announced", False) is value,
    "device_class": lambda value, report, _: report["sender"]["mmsi_class"] == CLASSES[value],
    "working_channel": lambda value, _, detail: detail.get("rx", {}).get("vhf_channel") == value,
}
IN_WORDS_ONLY = {"handled", "note"}


def heard(sentences: list[str]) -> tuple[Pipeline, list[Item]]:
    """Return the hallway and what came out of it, hearing sentences with their checksums."""
    pipeline = hallway(
        "test", [PortPlan(name="a", device="tape:test", modem="test", profile=PROFILE)]
    )
    framer = pipeline.ears["a"].framer
    items: list[Item] = []
    for turn, text in enumerate(sentences):
        wire = f"{text}\r\n".encode() if "*" in text else framer.wrap(text.encode())
        items += pipeline.inbound(Chunk("a", Moment(turn * SENTENCE_NS), wire))
    return pipeline, items


def reports_in(items: list[Item]) -> list[dict]:
    reports: list[Report] = [item.sighting.report for item in items if isinstance(item, Ruling)]
    return [msgspec.to_builtins(report) for report in reports]
