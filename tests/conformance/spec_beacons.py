"""How samples of 406 MHz beacons are heard, what is known of each, and how they are written."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from gateway.codes.bch import BCH_38_26, BCH_82_61
from gateway.radio.cospas_sarsat import BeaconDetail, write_beacon
from tests.conformance import check_beacon406
from tests.conformance.comparing import PLACE, Compare, degrees, flag, mmsi, one_of, value_at


def beacon(digits: str, _before: object) -> list[dict]:
    return check_beacon406.heard(digits)


def written(frame: str, _report: dict, detail: dict) -> Iterator[str]:
    """Yield when the message, written again, is other digits; 51 of them come without parity."""
    again = write_beacon(msgspec.convert(detail, BeaconDetail))
    yield "" if again[: len(frame)] == frame else f"written again: {again}"


def bits_of(detail: dict, first: int, last: int) -> str:
    """Return bits of a message of the first generation, told from 25 on, as 0 and 1."""
    digits = detail["sent_hex"]
    return f"{int(digits, 16):0{4 * len(digits)}b}"[first - 25 : last - 24]


def country(value: object, _report: dict, detail: dict) -> bool:
    return detail["country"] == f"{value:03}"


def of_kind(value: object, _report: dict, detail: dict) -> bool:
    """Compare a protocol, which in the samples may say the beacon too."""
    words = PROTOCOLS.get(value, (value, detail["beacon"]))
    return words == (detail["protocol"], detail["beacon"])


PROTOCOLS = {
    "std_epirb_mmsi": ("standard_mmsi", "epirb"),
    "std_elt_24": ("standard_address", "elt"),
    "std_test": ("standard_test", "test"),
    "nat_plb": ("national", "plb"),
}


def of_beacon(value: object, _report: dict, detail: dict) -> bool:
    floats = {"epirb_float_free": ("epirb", True)}.get(value, (value, None))
    return floats == (detail["beacon"], detail.get("float_free"))


def parity_1(value: object, _report: dict, detail: dict) -> bool:
    made = BCH_82_61.check(int(bits_of(detail, 25, 85), 2))
    return value == f"{made:021b}" == bits_of(detail, 86, 106)


def parity_2(value: object, _report: dict, detail: dict) -> bool:
    made = BCH_38_26.check(int(bits_of(detail, 107, 132), 2))
    return value == f"{made:012b}" == bits_of(detail, 133, 144)


def second_field(bits: str, _before: object) -> list[dict]:
    """Hear a second field alone behind the first field of a user-location protocol."""
    carrier = BeaconDetail(
        generation=1,
        form="message",
        protocol="user_serial",
        beacon="elt",
        hex_id="",
        country="366",
        serial=1,
        homing="none",
        long=True,
    )
    first = int(write_beacon(carrier), 16) >> 38
    second = int(bits, 2)
    word = first << 38 | second << 12 | BCH_38_26.check(second)
    return check_beacon406.heard(f"{word:030X}")


def second_written(bits: str, _report: dict, detail: dict) -> Iterator[str]:
    again = bits_of({"sent_hex": write_beacon(msgspec.convert(detail, BeaconDetail))}, 107, 132)
    yield "" if again == bits else f"written again: {again}"


def in_minutes(name: str) -> Compare:
    """Return a comparison of one half of a place stated in degrees and minutes."""

    def compare(value: object, report: dict, _detail: dict) -> bool:
        whole, minutes, side = str(value).split()
        size = int(whole) + float(minutes) / 60
        return degrees(name)(-size if side in "SW" else size, report, {})

    return compare


FIRST: dict[str, Compare] = {
    **PLACE,
    "format": lambda value, _, detail: value == ("long" if detail.get("long") else "short"),
    "protocol": of_kind,
    "beacon": of_beacon,
    "country": country,
    "id15": value_at("detail", "hex_id"),
    "homing": value_at("detail", "homing"),
    "activation": one_of({"auto_or_manual": "automatic_or_manual"}, "detail", "activation"),
    "bch1": parity_1,
    "mmsi": mmsi("sender"),
    "icao24": value_at("sender", "icao24"),
    "test": lambda value, report, detail: (
        value is detail.get("test", False) is (report["mode"] == "test")
    ),
    "tac": value_at("detail", "tac"),
    "serial": value_at("detail", "serial"),
    "national_id": value_at("detail", "serial"),
    "rlm_type1": value_at("detail", "rls", "request_automatic"),
    "provider": value_at("detail", "rls", "provider"),
    "cancel": lambda value, report, detail: (
        value is detail.get("cancel", False) is (report["kind"] == "cancellation")
    ),
}
SECOND: dict[str, Compare] = {
    **PLACE,
    **{name: FIRST[name] for name in ("tac", "serial", "country", "test", "mmsi", "cancel")},
    "homing": lambda value, _, detail: (detail["homing"] == "any") is value,
    "rls": flag("return_link"),
    "vessel_id": lambda value, report, detail: (
        value is None and detail["protocol"] == "none" and list(report["sender"]) == ["beacon_hex"]
    ),
    "beacon": value_at("detail", "beacon"),
    "rotating": value_at("detail", "rotating_field"),
    "elapsed_h": value_at("detail", "active_h"),
    "since_fix_min": lambda value, _, detail: value == detail["position_age_s"] / 60,
    "alt_m": value_at("position", "altitude_m"),
    "hdop": one_of({"<=1": "up to 1"}, "detail", "hdop"),
    "vdop": one_of({"1-2": "over 1"}, "detail", "vdop"),
    "activation": value_at("detail", "activation"),
    "deactivation": value_at("detail", "activation"),
    "battery": one_of({"75-100": "over 75 %"}, "detail", "battery"),
    "gnss": one_of({"3D": "3d"}, "detail", "gnss"),
    "id23": value_at("sender", "beacon_hex"),
    "id15": lambda value, _, detail: value in detail["aliases"],
    "bch": lambda value, _, detail: (
        value == f"{int(write_beacon(msgspec.convert(detail, BeaconDetail)), 16):0252b}"[-48:]
    ),
    "bch_ok": lambda value, report, detail: (
        value is (detail["proof"].get("corrected_1") == 0) is (report["confidence"] == "verified")
    ),
    "ais_last4": lambda value, report, _: report["sender"]["epirb_ais"] == f"{value:04}",
}
SECOND_FIELD: dict[str, Compare] = {
    "bch2": parity_2,
    "lat": in_minutes("lat_deg"),
    "lon": in_minutes("lon_deg"),
    "source": value_at("detail", "position_source"),
}
