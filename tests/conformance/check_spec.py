"""Hold the published samples of the standards, and those encoded from their text, value by value.

Each sample of `spec.json` says its system, a frame, and what the standard makes of it. Each value
has a comparison in the table of its system; one without is a disagreement. Where the gateway has an
encoder, what was read is written again and must be the same bits: that is one field more. Only a
sentence in a dialect of its own is not: the gateway writes the printed dialect.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import reduce
from operator import xor
from pathlib import Path

import msgspec

from gateway.model.inbound import Chunk, Moment
from gateway.radio.dsc import write_call, write_expansion
from gateway.radio.dsc.send import write_symbols
from gateway.radio.dsc.words import DscDetail
from tests.conformance import check_adsb, check_aprs, check_dsc
from tests.conformance.comparing import PLACE, Compare, degrees, flag, mmsi, one_of, value_at
from tests.conformance.rows import Check, Row, reports_in, station
from tests.conformance.spec_beacons import (
    FIRST,
    SECOND,
    SECOND_FIELD,
    beacon,
    in_minutes,
    second_field,
    second_written,
    written,
)

PHASING_DX, PHASING_RX = [125] * 6, [*range(111, 103, -1)]


def check(path: Path) -> list[Row]:
    """Compare each sample."""
    found: list[Row] = []
    samples = json.loads(path.read_text(encoding="utf-8"))
    for place, sample in enumerate(samples):
        before = samples[place - 1] if place else {}
        said = tuple(of_sample(sample, before))
        name = f"{place}-{sample['system']}"
        differing = None if None in said else tuple(text for text in said if text)
        found.append((name, "A", differing, len(said)))
    return found


def of_sample(sample: dict, before: dict) -> Iterator[str | None]:
    """Yield each value that the gateway tells otherwise; None where it has no such thing."""
    table = TABLES.get(sample["system"])
    if table is None:
        yield None
        return
    hear, known, again = table
    expected = dict(sample["expect"])
    if expected.pop("same_as", None) == "previous":
        expected = before["expect"] | expected
    reports = hear(sample["frame"], before.get("frame"))
    if not reports or "refused" in reports[-1]:
        yield f"reports: {reports}"
        return
    report, detail = reports[-1], reports[-1]["detail"]
    for name, value in expected.items():
        agrees = name in known and known[name](value, report, detail)
        yield "" if agrees else f"{name}: {value!r} is not in {report}"
    yield from again(sample["frame"], report, detail)


def no_encoder(_frame: object, _report: dict, _detail: dict) -> Iterator[str]:
    """Compare nothing: this system is never written."""
    yield from ()


# ---- DSC ----------------------------------------------------------------------------------------


def sentence(text: str, before: str | None) -> list[dict]:
    """Hear a sentence; an expansion behind the call before it, where that is of the same sender.

    The one sample whose checksum is not right as it stands is heard with its own.
    """
    body = text.partition("*")[0]
    call = str(before).partition("*")[0]
    is_behind = body[3:6] == "DSE" and body.split(",")[4] == [*call.split(","), "", ""][2]
    _, items = check_dsc.heard([call, body] if is_behind else [body])
    return reports_in(items)


def told_again(frame: str, _report: dict, detail: dict) -> Iterator[str]:
    """Yield when the sentence, written again, is another one."""
    body, talker = frame.partition("*")[0], frame[1:3]
    if detail.get("dialect"):
        return
    if body[3:6] == "DSE":
        told = msgspec.convert(detail["expansion"]["sets"], tuple[tuple[str, str], ...])
        again = b"".join(write_expansion(detail["self_id"], told, talker=talker))
    else:
        again = write_call(msgspec.convert(detail, DscDetail), talker=talker)
    yield "" if again.decode() == body else f"written again: {again.decode()}"


def transmission(symbols: list[int], _before: object) -> list[dict]:
    """Hear a sequence of symbols as it goes on the air, twice over and with its phasing."""
    ends = [symbols[-2]] * 2
    dx = PHASING_DX + symbols[:1] + symbols + ends
    rx = PHASING_RX + symbols[:1] + symbols
    slots = tuple(slot for pair in zip(dx, rx[: len(dx)], strict=True) for slot in pair)
    return check_dsc.heard_as(check_dsc.write_printed(slots) + b"\r\n", "lines")


def sent_again(symbols: list[int], _report: dict, detail: dict) -> Iterator[str]:
    slots = write_symbols(msgspec.convert(detail, DscDetail))
    again = [*slots[check_dsc.PHASING_SLOTS :: 2]][1 : len(symbols) + 1]
    yield "" if again == symbols else f"sent again: {again}"


def of_call(value: object, report: dict, detail: dict) -> bool:
    """Compare what kind of call it is."""
    said = (report["kind"], report["urgency"], detail["purpose"], detail["format"])
    return said == CALLS.get(str(value))


CALLS = {
    "distress_alert": ("alert", "distress", "distress_alert", "distress"),
    "distress_relay": ("relay", "distress", "distress_relay", "all_ships"),
    "safety_all_ships": ("call", "safety", "safety_call", "all_ships"),
    "position_reply": ("position", "routine", "position_report", "individual"),
    "self_cancel": ("cancellation", "distress", "self_cancellation", "distress"),
}
NATURES = {
    "fire": "fire_explosion",
    "adrift": "disabled_adrift",
    "epirb_emission": "beacon_emission",
    "sinking": "sinking",
}


def fine(first: int) -> Compare:
    """Return a comparison of the digits behind the minutes, four of eight."""

    def compare(value: object, _report: dict, detail: dict) -> bool:
        digits = detail["expansion"]["fine_minutes"]
        return value == int(digits[first : first + 4]) / 10_000

    return compare


CALL: dict[str, Compare] = {
    **PLACE,
    "kind": of_call,
    "mmsi": mmsi("sender"),
    "from_mmsi": mmsi("sender"),
    "distress_mmsi": mmsi("casualty"),
    "nature": one_of(NATURES, "nature"),
    "utc": lambda value, report, _: report["claimed_utc"] == f"{value}Z",
    "comms": lambda value, _, detail: (
        value is not None and value in (detail.get("subsequent"), detail.get("telecommand1"))
    ),
    "expansion": flag("expansion_announced"),
    "freq_hz": value_at("detail", "rx", "freq_hz"),
    "lat_min_frac": fine(0),
    "lon_min_frac": fine(4),
    "refined_lat": PLACE["lat"],
    "refined_lon": PLACE["lon"],
    "note": lambda *_: True,
    "ecc": lambda value, _, detail: (
        value == reduce(xor, write_symbols(msgspec.convert(detail, DscDetail))[14:46:2])
    ),
}


# ---- AIS, Mode S, APRS --------------------------------------------------------------------------


def armoured(text: str, _before: object) -> list[dict]:
    return reports_in(station("ais", "nmea").inbound(Chunk("a", Moment(0), f"{text}\r\n".encode())))


AIS: dict[str, Compare] = {
    **PLACE,
    "mmsi": mmsi("sender"),
    "nav_status": value_at("detail", "fix", "nav_status_code"),
    "device": one_of(
        {"sart": "ais_sart", "mob": "mob", "epirb_ais": "epirb_ais"}, "sender", "mmsi_class"
    ),
    "active": lambda value, report, _: (
        value
        is ((report["kind"], report["urgency"], report["mode"]) == ("alert", "distress", "real"))
    ),
    "test": lambda value, report, _: value is (report["mode"] == "test"),
    "text": value_at("text"),
}


def squitter(digits: str, _before: object) -> list[dict]:
    """Hear a message behind a squitter of the craft, without which a reply names nobody."""
    wire = [check_adsb.squitter_of("4CA7B5"), check_adsb.avr(digits)]
    return check_adsb.heard(station("mode_s", "avr"), wire)[1:]


MODE_S: dict[str, Compare] = {
    "icao24": value_at("sender", "icao24"),
    "df": value_at("detail", "df"),
    "fs": value_at("detail", "flight_status"),
    "tc": value_at("detail", "type_code"),
    "subtype": value_at("detail", "subtype"),
    "state": value_at("detail", "emergency_state"),
    "squawk": value_at("detail", "squawk"),
}


def mic_e(frame: dict, _before: object) -> list[dict]:
    """Hear a Mic-E packet; a destination alone comes with the field printed behind it."""
    field = bytes.fromhex(frame["info_hex"]) if "info_hex" in frame else PRINTED_BEHIND
    return check_aprs.heard(f"N0CALL>{frame['dest']}:".encode() + field + b"\r\n", "tnc2")


PRINTED_BEHIND = b'`(_fn"Oj/'
"""APRS 1.0.1 chapter 10: what follows the destination S32U6T."""

MIC_E: dict[str, Compare] = {
    "lat": lambda value, report, _: (in_minutes if isinstance(value, str) else degrees)("lat_deg")(
        value, report, {}
    ),
    "lon": degrees("lon_deg"),
    "comment": lambda value, _, detail: (
        detail["mic_e"]["meaning"] == str(value).partition(" ")[0].lower()
    ),
    "bits": value_at("detail", "mic_e", "bits"),
    "west": lambda value, report, _: value is (report["position"]["lon_deg"] < 0),
    "offset": lambda value, report, _: value == 100 * (abs(report["position"]["lon_deg"]) >= 100),
}


TABLES: dict[str, tuple[Callable[..., list[dict]], dict[str, Compare], Callable[..., object]]] = {
    "cs_fgb": (beacon, FIRST, written),
    "cs_fgb_pdf2": (second_field, SECOND_FIELD, second_written),
    "cs_sgb_204": (beacon, SECOND, written),
    "cs_sgb_252": (beacon, SECOND, written),
    "nmea_dsc": (sentence, CALL, told_again),
    "dsc_symbols": (transmission, CALL, sent_again),
    "ais": (armoured, AIS, no_encoder),
    "mode_s": (squitter, MODE_S, no_encoder),
    "aprs_mice": (mic_e, MIC_E, no_encoder),
}
"""Of a system: how a frame is heard, what is known of it, how it is written again.

The message offset of T.001 annex B3 is none of them: it says when a beacon transmits.
"""

FILES: dict[str, Check] = {"spec.json": check}
