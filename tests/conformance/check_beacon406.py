"""Compare what the gateway makes of foreign 406 MHz rows with what the rows say.

`FILES` names the files and how each is compared. A row walks the whole hallway as a line of digits;
an identity alone stands behind its label, and digits that were printed with frame synchronisation
are heard with it. A row comes back with the fields in which it disagrees; with None when there is
nothing to hold against: it is no message, or its own decoder refused it.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from gateway.model.inbound import Chunk, Moment, Refused, Ruling
from tests.conformance import proofs
from tests.conformance.rows import Check, by_field, station

LABELS = {15: "ID ", 23: "ID ", 51: "GSR "}
OF_SECOND_FIELD = {
    *("homing121_5MHz", "encodedPositionSource", "rlsProviderId", "rlmCapabilityType1Auto"),
    "rlmReceivedType1Auto",
}
"""What others read of a long message's second field though its check digits don't hold, or though
a ground station has blanked it. This gateway says nothing of it, and there is nothing to compare.
"""
DEGREES = 1e-6
DEGREES_PRINTED = 2e-5
"""Of positions that a row gives with five decimals."""
HOMING = {
    "121.5 MHz": "121.5",
    "None": "none",
    "Maritime 9GHz SART": "sart",
    "Other device(s)": "other",
}
ACTIVATION = {
    "Automatic and Manual": "automatic_or_manual",
    "Manual Activation Only": "manual",
}


def heard(digits: str) -> list[dict]:
    """Return the reports of these digits; one that says why it is none is `{"refused": why}`."""
    pipeline = station("cospas_sarsat", "lines")
    line = f"{LABELS.get(len(digits), '')}{digits}\r\n".encode()
    items = pipeline.inbound(Chunk("a", Moment(0), line))
    assert pipeline.ears["a"].count.decoder_errors == 0, digits
    return [
        msgspec.to_builtins(item.sighting.report)
        if isinstance(item, Ruling)
        else {"refused": item.reason}
        for item in items
        if isinstance(item, Ruling | Refused)
    ]


def of_first(row: dict) -> Iterator[str | None]:
    """Yield each field of a first-generation row that the gateway tells otherwise."""
    expected = row["expected_amsa"] or {}
    (report,) = heard(row.get("input_hex_as_published") or row["input_hex"])
    if row.get("must_be_flagged_invalid"):
        accepted = "refused" not in report and report["confidence"] == "verified"
        yield "accepted" if accepted else ""
        return
    if "error" in expected or not expected:
        yield None
        return
    if "refused" in report:
        yield f"refused: {report['refused']}"
        return
    yield from fields_of_first(row, expected, report)
    if len(row["input_hex"]) > LABEL_DIGITS:
        wanted, place = place_expected(row, expected), place_in(report)
        for text in position(wanted, report):
            yield text and proofs.judged(text, proofs.of_place(row, wanted, place))


LABEL_DIGITS = 15


def place_expected(row: dict, expected: dict) -> tuple[float, float] | None:
    """Return the position that the row stands by: derived by arithmetic where there is one."""
    found = row.get("expected_position", expected)
    if not found:
        return None
    if "arithmetic_per_T001" in found:
        derived = found["arithmetic_per_T001"]
        return None if derived is None else tuple(derived)
    lat, lon = (next((found[name] for name in names if name in found), None) for names in LAT_LON)
    return None if lat is None or lon is None else (float(lat), float(lon))


NOBODY = {"ZGA": None}
"""What stands for no operator (T.018 table 3.9)."""
LAT_LON = (
    ("lat", "latitude", "coarsePositionLatitude"),
    ("lon", "longitude", "coarsePositionLongitude"),
)
"""The names of a position, first the one that goes before; an ELT(DT) has the last only."""


def place_in(report: dict) -> tuple[float, float] | None:
    """Return the position of a report."""
    place = report.get("position")
    return None if place is None else (place["lat_deg"], place["lon_deg"])


def position(
    expected: tuple[float, float] | None, report: dict, within: float = DEGREES
) -> Iterator[str]:
    """Yield whether both say the same place, or none."""
    actual = place_in(report)
    agree = expected == actual or (
        None not in (expected, actual)
        and max(abs(one - other) for one, other in zip(expected, actual, strict=True)) <= within
    )
    yield "" if agree else f"position: {expected}, not {actual}"


def fields_of_first(row: dict, expected: dict, report: dict) -> Iterator[str]:
    """Yield each field that both know and tell otherwise."""
    detail = report["detail"]
    sender = report["sender"]
    proven = not detail.get("long") or "corrected_2" in detail["proof"]
    for names, actual in (
        (("hexId",), detail["hex_id"]),
        (("countryCode",), str(int(detail["country"]))),
        (("aircraft24BitAddressHex",), sender.get("icao24")),
        (("radioCallsign",), sender.get("callsign", sender.get("mmsi", "")[3:])),
        (("aircraftRegistrationMarking",), sender.get("tail")),
        (
            ("shipMmsi", "shipMmsiLast6Digits", "rlsMmsiLast6Digits", "shipSecurityMmsi"),
            six(detail),
        ),
        (("cSTypeApprovalNumber", "cSTypeApproval", "rlsTacNumber"), detail.get("tac")),
        (
            ("serialNumber", "beaconSerialNumber", "aircraftSerialNumber", "rlsId"),
            detail.get("serial"),
        ),
        (("aircraftOperator",), detail.get("operator")),
        (("specificBeaconNumber", "specificEltNumber"), detail.get("beacon_number")),
        (("additionalEltNumbers",), detail.get("beacon_number")),
        (("homing121_5MHz",), {"121.5": True, "none": False}.get(detail.get("homing"))),
        (
            ("auxiliaryRadioLocatingDevice",),
            {v: k for k, v in HOMING.items()}.get(detail.get("homing")),
        ),
        (("encodedPositionSource",), detail.get("position_source", "").upper()),
        (("activationType",), {v: k for k, v in ACTIVATION.items()}.get(detail.get("activation"))),
        (("rlsProviderId",), detail.get("rls", {}).get("provider", "SPARE").capitalize()),
        (("rlmCapabilityType1Auto",), detail.get("rls", {}).get("request_automatic", False)),
        (("rlmReceivedType1Auto",), detail.get("rls", {}).get("received_automatic", False)),
    ):
        for name in names:
            wanted = expected.get(name) if proven or name not in OF_SECOND_FIELD else None
            if wanted is None:
                continue
            rule = proofs.of_source(row, wanted, actual) if name == SOURCE else None
            text = f"{name}: {wanted!r}, not {actual!r}"
            yield "" if same(wanted, actual) else proofs.judged(text, rule)


SOURCE = "encodedPositionSource"


def six(detail: dict) -> str | None:
    return detail["mmsi"][3:] if "mmsi" in detail else None


def same(wanted: object, actual: object) -> bool:
    texts = [str(one).strip().upper() for one in (wanted, actual)]
    return texts[0] == texts[1] or texts[0].zfill(6) == texts[1]


def of_errors(row: dict) -> Iterator[str]:
    """Yield where a bent message is told otherwise than its original, and is not doubted."""
    (original,) = heard(row["original_hex"])
    (report,) = heard(row["input_hex"])
    within = [row["errors_pdf1"] <= 3, row["errors_pdf2"] <= 2]
    if "refused" in report:
        if within[0]:
            yield f"refused: {report['refused']}"
        return
    names = ("sender", "position") if all(within) else ("sender",)
    differing = [name for name in names if report.get(name) != original.get(name)]
    wrong = differing and (within[0] or report["confidence"] == "verified")
    yield f"{' and '.join(differing)} otherwise than in the original" if wrong else ""
    moved = report.get("position") not in (original.get("position"), None)
    if moved and not within[1] and report["confidence"] == "verified":
        yield "position of a second field that is not proven"


def of_second(row: dict) -> Iterator[str | None]:
    """Yield each field of a second-generation row that the gateway tells otherwise."""
    (report,) = heard(row["input_hex"])
    if row.get("must_flag_bch_error"):
        accepted = "refused" not in report and report["confidence"] == "verified"
        yield "accepted" if accepted else ""
        return
    expected = row.get("expected")
    if expected is None and "expected_amsa" not in row:
        yield None
        return
    if "refused" in report:
        yield f"refused: {report['refused']}"
        return
    yield from fields_of_second(expected or of_kit(row["expected_amsa"]), report)


def of_kit(expected: dict) -> dict:
    """Return the kit's words in those of the other rows."""
    place = expected.get("encodedGnssPosition") or {}
    vessel = expected.get("vesselId") or {}
    return {
        "tac": expected.get("tac"),
        "serial": expected.get("serialNo"),
        "country": expected.get("countryCode"),
        "homing": expected.get("hasAtLeastOneEnabledHomingSignal"),
        "test": expected.get("testProtocolMessage"),
        "lat": place.get("lat"),
        "lon": place.get("lon"),
        "vessel_id": {"mmsi": vessel.get("mmsi")},
        "hex23": expected.get("beacon23HexId"),
    }


def fields_of_second(expected: dict, report: dict) -> Iterator[str]:
    """Yield each field that the row has and the gateway tells otherwise."""
    detail = report["detail"]
    vessel = expected.get("vessel_id") or {}
    operator = vessel.get("operator_code")
    number = int(detail["beacon_number"]) if "beacon_number" in detail else None
    for name, wanted, actual in (
        ("tac", expected.get("tac"), detail.get("tac")),
        ("serial", expected.get("serial"), detail.get("serial")),
        ("country", expected.get("country"), int(detail["country"])),
        ("homing", expected.get("homing"), detail.get("homing") == "any"),
        ("test", expected.get("test"), detail.get("test", False)),
        ("rls", expected.get("rls"), detail.get("return_link", False)),
        ("beacon_type", expected.get("beacon_type"), detail.get("beacon", "").upper()),
        ("rotating_field", expected.get("rotating_field"), detail.get("rotating_field")),
        ("mmsi", vessel.get("mmsi"), int(detail["mmsi"]) if "mmsi" in detail else None),
        ("icao", vessel.get("icao"), int(detail["icao24"], 16) if "icao24" in detail else None),
        ("tail", vessel.get("tail"), detail.get("tail")),
        ("callsign", vessel.get("callsign"), detail.get("callsign")),
        ("operator_code", NOBODY.get(operator, operator), detail.get("operator")),
        ("operator_serial", vessel.get("operator_serial"), number),
    ):
        if wanted is not None:
            yield "" if wanted == actual else f"{name}: {wanted!r}, not {actual!r}"
    known = (detail["hex_id"], *detail["aliases"])
    if expected.get("hex23"):
        yield "" if expected["hex23"] in known else f"hex23: {expected['hex23']}, not {known}"
    if "lat" in expected and detail["form"] == "message":
        lat, lon = expected["lat"], expected["lon"]
        yield from position(None if lat is None else (lat, lon), report, DEGREES_PRINTED)


def of_example(row: dict) -> Iterator[str | None]:
    """Yield what is told otherwise of a message printed in the standard itself."""
    if "input_hex" not in row:
        yield None
        return
    (report,) = heard(row["input_hex"])
    expected, detail = row["expected"], report["detail"]
    for name, wanted, actual in (
        ("hex15", expected["hex15"], detail["hex_id"]),
        ("country", expected["country"], int(detail["country"])),
        ("homing", expected["homing"], detail["homing"]),
        ("activation", expected["activation"].replace(" ", "_"), detail["activation"]),
    ):
        yield "" if wanted == actual else f"{name}: {wanted!r}, not {actual!r}"


FILES: dict[str, Check] = {
    "beacon406/fgb_amsa_kit.jsonl": by_field(of_first),
    "beacon406/fgb_asserted.jsonl": by_field(of_first),
    "beacon406/fgb_published.jsonl": by_field(of_first),
    "beacon406/fgb_real.jsonl": by_field(of_first),
    "beacon406/fgb_hex15_real.jsonl": by_field(of_first),
    "beacon406/fgb_bit_errors_derived.jsonl": by_field(of_errors),
    "beacon406/sgb_*.jsonl": by_field(of_second),
    "beacon406/spec_examples.jsonl": by_field(of_example),
}
