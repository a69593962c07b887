"""Compare what the gateway makes of foreign DSC rows with what the rows say.

`FILES` names the files and how each is compared. A row comes back with the fields in which it
disagrees. What was heard as symbols is read as printed lines and as pairs of bytes, and made again
from what was read of it, symbol by symbol.

Rows that give their own words ("S (no ack, EOS)") are compared by the first word.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import msgspec

from gateway.model.entry import Item
from gateway.model.inbound import Chunk, Moment, Refused, Tick
from gateway.pipeline import Pipeline
from gateway.radio.dsc.send import write_pairs, write_printed, write_symbols
from gateway.radio.dsc.words import DscDetail
from tests.conformance.rows import Check, by_row, reports_in, station
from tests.n2k_made import DSC_CALL, dsc_call, ngt1

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
DISTRESS = 112
PHASING_SLOTS = 12
ADDRESS_END = 6
CHECK = -3
"""Where the error-check character stands: two more ends of sequence follow."""
GROUP_FORMATS = {"All ships": 116}
GROUP_CATEGORIES = {"Distress": 112}
GROUP_NATURES = {"EPIRB emission": 112}
SILENCE_NS = 60 * 10**9
LOG_ENDS = {
    "end": "OtherCalls",
    "acknowledgement": "AcknowledgeBQ",
    "acknowledgement_requested": "AcknowledgeRQ",
}
LOG_MODES = {"j3e": "J3ETP", "f3e_g3e": "AllModesTP", "test": "Test"}


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


def of_symbols(row: dict) -> Iterator[str]:
    """Yield each field of a call, its copies put together, that the gateway tells otherwise."""
    symbols = row["input_symbols"]
    found = heard_as(write_printed(slots_of(symbols)) + b"\r\n", "lines")
    expected = row["expected"]
    proven = [report for report in found if report["confidence"] == "verified"]
    if expected["Status"] == "Error":
        if proven:
            yield "Status: verified"
        if symbols[0] == DISTRESS and not found:
            yield "a distress was dropped"
    elif not proven:
        yield "Status: not verified"
    else:
        yield from remade(symbols, found[0])
    for report in found:
        yield from compared_with_log(expected, report)


def compared_with_log(expected: dict, report: dict) -> Iterator[str]:
    """Yield each word of a log that the gateway tells otherwise."""
    detail = report["detail"]
    frequencies = "/".join(
        f"{detail[leg]['freq_hz'] / 1000:07.1f}" for leg in ("rx", "tx") if leg in detail
    )
    told = {
        "From": report.get("sender", {}).get("mmsi"),
        "Frequency": frequencies,
        "Time": report.get("claimed_utc", "").removesuffix("Z"),
        "Position": degrees_and_minutes(detail.get("position")),
        "EOS": LOG_ENDS[detail["end"]],
        "TC1": LOG_MODES.get(detail.get("telecommand1")),
    }
    if "area" not in detail and detail["format"] not in ("all_ships", "distress"):
        told["To"] = report["addressee"]["mmsi"]
    for name, actual in told.items():
        if name in expected and expected[name] != actual:
            yield f"{name}: {expected[name]!r}, not {actual!r}"


def degrees_and_minutes(digits: str | None) -> str | None:
    if digits is None:
        return None
    north, east = ("N", "E") if digits[0] == "0" else ("?", "?")
    return f"0{digits[1:3]}.{digits[3:5]}{north} {digits[5:8]}.{digits[8:]}{east}"


def of_stream(row: dict) -> Iterator[str]:
    """Yield in what a transmission, heard in two ways, is not the call that was logged."""
    slots = slots_of(row["input_raw_fec"])
    printed = heard_as(write_printed(slots) + b"\r\n", "lines")
    paired = heard_as(write_pairs(slots), "symbols")
    if [untold(one) for one in printed] != [untold(one) for one in paired]:
        yield "printed and paired differ"
    whole = row["trust"] == "A"
    if whole and [one["confidence"] for one in printed] != ["verified"]:
        yield "no verified call"
    elif whole:
        yield from remade(row["expected_symbols"], printed[0])
    elif any(one["confidence"] == "verified" for one in printed):
        yield "verified with symbols lost"


def untold(report: dict) -> dict:
    """Return what a report says, less what depends on how it was heard."""
    return {key: value for key, value in report.items() if key not in ("report_id", "raw", "heard")}


def remade(expected: list[int], report: dict) -> Iterator[str]:
    """Yield when the call, sent again from what was read of it, is not the same symbols.

    An address has a tenth digit that names nobody: 0 is sent, and one station is heard with a 4.
    """
    detail = msgspec.convert(report["detail"], DscDetail)
    sent = write_symbols(detail)[PHASING_SLOTS::2]
    odd_end = detail.address_id is not None and expected[ADDRESS_END] % 10
    unlike = {ADDRESS_END, len(sent) + CHECK} if odd_end else set()
    for place, (one, other) in enumerate(zip(expected, sent, strict=False)):
        if one not in (other, -1) and place not in unlike:
            yield f"sent again: {other} in place {place}, not {one}"


def slots_of(symbols: list[int]) -> tuple[int | None, ...]:
    return tuple(None if symbol < 0 else symbol for symbol in symbols)


def heard_as(wire: bytes, framing: str) -> list[dict]:
    """Return the reports that come of these bytes, all of them."""
    pipeline = station("dsc", framing)
    items = [
        *pipeline.inbound(Chunk("a", Moment(0), wire)),
        *pipeline.tick(Tick(Moment(SILENCE_NS))),
    ]
    assert not pipeline.ears["a"].count.decoder_errors
    return reports_in(items)


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


def of_group(row: dict) -> Iterator[str]:
    """Yield each word of a call on an NMEA 2000 bus that the gateway tells otherwise.

    The row has the words of a decoder, and no octets: these are made of the words. What the decoder
    names a nature is one octet with the first telecommand, and its 112 is that of every relay: it
    is no nature that could be held against.
    """
    words, expected = row["input_fields"], dict(row["expected"])
    if GROUP_NATURES[words["natureOfDistress"]] == DISTRESS:
        del expected["nature"]
    octets = dsc_call(
        GROUP_FORMATS[words["dscFormat"]],
        GROUP_CATEGORIES[words["dscCategory"]],
        f"{words['dscMessageAddress']:09d}",
        GROUP_NATURES[words["natureOfDistress"]],
        place=(words["latitudeOfVesselReported"], words["longitudeOfVesselReported"]),
        time=words["timeOfPosition"].replace(":", "")[:4],
        casualty=f"{words['mmsiOfShipInDistress']:09d}",
    )
    pipeline = station("n2k", "actisense")
    found = reports_in(pipeline.inbound(Chunk("a", Moment(0), ngt1(DSC_CALL, octets))))
    if pipeline.ears["a"].count.decoder_errors or len(found) != 1:
        yield "no report"
        return
    stated = {
        "sender_mmsi": words["dscMessageAddress"],
        "position": {
            "lat": words["latitudeOfVesselReported"],
            "lon": words["longitudeOfVesselReported"],
        },
        "utc": words["timeOfPosition"][:5],
    }
    yield from compared({**stated, **expected}, found[0])


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
    pipeline = station("dsc", "nmea")
    framer = pipeline.ears["a"].framer
    items: list[Item] = []
    for turn, text in enumerate(sentences):
        wire = f"{text}\r\n".encode() if "*" in text else framer.wrap(text.encode())
        items += pipeline.inbound(Chunk("a", Moment(turn * SENTENCE_NS), wire))
    return pipeline, items


FILES: dict[str, Check] = {
    "dsc/nmea_dsc.jsonl": by_row(of_dsc),
    "dsc/nmea_dse.jsonl": by_row(of_dse),
    "dsc/freq_channel.jsonl": by_row(of_channel),
    "dsc/symbols.jsonl": by_row(of_symbols),
    "dsc/fec_stream.jsonl": by_row(of_stream),
    "dsc/n2k_pgn129808.jsonl": by_row(of_group),
}
