"""What can be asked of `keys` and of `send`, and with which words.

Beside the verbs and not among them, as nothing heavy may be imported before one is chosen.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable

from gateway.verbs.actions import CONFIG_HELP, broker_arguments

KEYS_EXAMPLES = """\
  distress-gateway keys new officer-smith --person 'A. Smith' --role officer --file smith.key
  distress-gateway keys list
  distress-gateway keys revoke officer-smith"""

SEND_EXAMPLES = """\
  distress-gateway send ack --about 4f2a --by vhf --key smith.key
  distress-gateway send ack --mmsi 232123456 --nature sinking --place 50.5,-5 --time 1207 \\
      --by vhf --key smith.key
  distress-gateway send relay --about 4f2a --to all_ships --by vhf --key smith.key \\
      --second jones.key
  distress-gateway send call safety --to individual --address 232000001 --test --by mf \\
      --key smith.key
  distress-gateway send text safety 'Gale warning for sea area Dover' --by ais --key smith.key
  distress-gateway send silence vhf16 'SEELONCE MAYDAY' --by vhf --key smith.key
  distress-gateway send exercise start --by drill --key instructor.key"""

ROLES = ("officer", "operator", "technician", "instructor", "second")
CATEGORIES = ("urgency", "safety", "routine")
TO = ("all_ships", "area_ships", "group", "individual")

GOOD_S = 60.0
"""How long an order is good for, where nobody says it: on MF an acknowledgement waits a minute."""

_Declare = Callable[[argparse.ArgumentParser], None]


def keys_arguments(verb: argparse.ArgumentParser) -> None:
    """Declare the actions of `keys`."""
    actions = verb.add_subparsers(dest="action", required=True, metavar="ACTION", title="actions")
    for name, (summary, declare) in _KEYS.items():
        action = actions.add_parser(
            name, help=summary, description=f"{summary[0].upper()}{summary[1:]}."
        )
        declare(action)
        action.add_argument("--config", metavar="PATH", help=CONFIG_HELP)
        action.add_argument(
            "--keys", metavar="FILE", help="the file of keys (default: what [station] keys names)"
        )


def send_arguments(verb: argparse.ArgumentParser) -> None:
    """Declare what `send` may be told."""
    actions = verb.add_subparsers(dest="action", required=True, metavar="ACTION", title="actions")
    for name, (summary, declare) in _SEND.items():
        action = actions.add_parser(
            name, help=summary, description=f"{summary[0].upper()}{summary[1:]}."
        )
        declare(action)
        _letter(action)
        broker_arguments(action)
        action.add_argument("--json", action="store_true", help="print one JSON line a stage")


def _letter(action: argparse.ArgumentParser) -> None:
    """Declare what every letter says."""
    action.add_argument("--by", required=True, metavar="PORT", help="the station's port it goes by")
    action.add_argument("--key", required=True, metavar="FILE", help="your private key")
    action.add_argument(
        "--second",
        action="append",
        default=[],
        metavar="FILE",
        help="the private key of who stands behind it as well, where an agreement wants two",
    )
    action.add_argument(
        "--keys", metavar="FILE", help="the file of keys (default: what [station] keys names)"
    )
    action.add_argument("--about", metavar="ID", help="the incident that it answers or relays")
    action.add_argument(
        "--consent", action="append", default=[], metavar="WORD", help="on record, as rcc_consent"
    )
    action.add_argument("--language", metavar="XX", help="in which it is said, as en")
    action.add_argument("--exercise", action="store_true", help="it is of an exercise")
    action.add_argument(
        "--good",
        type=_good,
        default=GOOD_S,
        metavar="S",
        help="how long it may wait for its turn, 60 s at the most (default: 60)",
    )


def _new(action: argparse.ArgumentParser) -> None:
    action.add_argument("name", metavar="NAME", help="of the key, as officer-smith")
    action.add_argument("--person", required=True, metavar="TEXT", help="whose it is")
    action.add_argument(
        "--role", action="append", required=True, choices=ROLES, help="may be given several times"
    )
    action.add_argument(
        "--file", required=True, metavar="FILE", help="where the private half goes: no file yet"
    )


def _revoke(action: argparse.ArgumentParser) -> None:
    action.add_argument("name", metavar="NAME", help="of the key")


def _distress(action: argparse.ArgumentParser) -> None:
    whose = "of whom it is about (default: all that the incident of --about says of it)"
    action.add_argument("--mmsi", metavar="MMSI", help=whose)
    action.add_argument("--nature", metavar="WORD", help="as sinking, fire_explosion, …")
    action.add_argument("--place", type=place, metavar="LAT,LON", help="in degrees, as 50.5,-5")
    action.add_argument("--time", metavar="HHMM", help="of the place, UTC")


def _addressed(action: argparse.ArgumentParser) -> None:
    action.add_argument("--to", required=True, choices=TO, help="whom it is meant for")
    action.add_argument("--address", metavar="MMSI", help="of a group or an individual")
    action.add_argument(
        "--area",
        type=_area,
        metavar="LAT,LON,S,E",
        help="its north-west corner and how far it reaches to the south and east, in degrees",
    )


def _relay(action: argparse.ArgumentParser) -> None:
    _distress(action)
    _addressed(action)


def _call(action: argparse.ArgumentParser) -> None:
    action.add_argument("category", choices=CATEGORIES)
    _addressed(action)
    action.add_argument("--test", action="store_true", help="a test call to one station")
    action.add_argument("--freq-hz", type=int, metavar="HZ", help="MF and HF: where to go on")
    action.add_argument("--vhf-channel", metavar="CH", help="VHF: where to go on, as 16")


def _text(action: argparse.ArgumentParser) -> None:
    action.add_argument("category", choices=CATEGORIES)
    action.add_argument("words", metavar="TEXT")
    action.add_argument("--to", metavar="ADDRESS", help="one station (default: everybody)")
    action.add_argument("--bulletin", metavar="ID", help="of an APRS bulletin")


def _position(action: argparse.ArgumentParser) -> None:
    action.add_argument("--place", type=place, required=True, metavar="LAT,LON", help="in degrees")
    action.add_argument("--words", default="", metavar="TEXT")


def _modem(action: argparse.ArgumentParser) -> None:
    action.add_argument("what", choices=("channel", "power", "link_test"))
    action.add_argument("--channel", type=int, metavar="N")
    action.add_argument("--power-dbm", type=int, metavar="DBM")


def _silence(action: argparse.ArgumentParser) -> None:
    action.add_argument("channel", metavar="CHANNEL", help="as the agreement calls it, as vhf16")
    action.add_argument("words", metavar="WORDS", help="as spoken, as 'SEELONCE MAYDAY'")


def _exercise(action: argparse.ArgumentParser) -> None:
    action.add_argument("what", choices=("start", "stop"))


def place(text: str) -> dict[str, float]:
    """Return a place, or say that it is none."""
    lat_deg, lon_deg = _degrees(text, 2, "a place is like 50.5,-5")
    return {"lat_deg": lat_deg, "lon_deg": lon_deg}


def _area(text: str) -> dict[str, int]:
    found = [round(one) for one in _degrees(text, 4, "an area is like 52,-6,3,5")]
    return dict(zip(("lat_deg", "lon_deg", "southwards_deg", "eastwards_deg"), found, strict=True))


def _degrees(text: str, count: int, like: str) -> list[float]:
    parts = text.split(",")
    if len(parts) != count or not all(re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", one) for one in parts):
        fault = f"{like}, not {text!r}"
        raise argparse.ArgumentTypeError(fault)
    return [float(one) for one in parts]


def _good(text: str) -> float:
    if re.fullmatch(r"[0-9]{1,2}(\.[0-9]+)?", text) and 0 < float(text) <= GOOD_S:
        return float(text)
    fault = f"above 0 and up to {GOOD_S:g} seconds are wanted, not {text!r}"
    raise argparse.ArgumentTypeError(fault)


def _nothing_more(_action: argparse.ArgumentParser) -> None:
    """Declare nothing."""


_KEYS: dict[str, tuple[str, _Declare]] = {
    "new": ("make a key and let its person order transmissions", _new),
    "list": ("all keys, whose they are, and what for", _nothing_more),
    "revoke": ("give a key up: nothing that it signs counts any more", _revoke),
}

_SEND: dict[str, tuple[str, _Declare]] = {
    "ack": ("acknowledge a distress alert", _distress),
    "relay": ("relay somebody's distress", _relay),
    "cancel": ("cancel a distress alert of this station itself", _distress),
    "call": ("announce urgency or safety traffic, call a station, or test", _call),
    "text": ("say something in words, by APRS, Meshtastic or AIS", _text),
    "position": ("say where this station is", _position),
    "modem": ("set a modem, or prove the line to it; nothing goes on the air", _modem),
    "silence": ("state that silence was imposed on a channel, restricted or lifted", _silence),
    "exercise": ("begin or end an exercise", _exercise),
}
