r"""Packets that somebody orders: an action to the AX.25 frame that says it, for a KISS modem.

    :M0ABC-7  :engine repaired{4K2QD     to one station, with the number that it is to acknowledge
    :BLN3     :gale warning in force     to everybody: bulletin 0 to 9, announcement A to Z,
    :BLN3SHORE:gale warning in force     or bulletin 0 to 9 of a group
    !5030.00N/00415.00Wrharbour office   where this station is

The number of a message is made from the order's name: the same order is the same packet, and known
as such. The profile's `dialect` is the path, by whose repeaters: `WIDE2-1`; without one nobody
repeats it. What would be read as something else than was ordered is refused: an acknowledgement, a
query, a motion, a call for help. APRS 1.0.1 chapters 3, 8 and 14; AX.25 2.2 section 3.12. Nothing
here writes to a port.
"""

from __future__ import annotations

import re
from hashlib import blake2b

from gateway.model.transmission import Action, Beacon, CannotSay, Saying, Text
from gateway.model.words import Urgency
from gateway.radio import Composer, check_words
from gateway.radio.aprs.content import said_of, write_message, write_position
from gateway.radio.aprs.meaning import alarm_of
from gateway.radio.aprs.packet import ADDRESSES_MAX, write_packet
from gateway.radio.aprs.words import AprsDetail, Packet

SOFTWARE = "APZDGW"
"""The destination of what is no Mic-E says which program sends; APZ is anybody's (chapter 4)."""
SYMBOL = "/r"
"""A mast: a station that stays where it is."""
TEXT_BYTES_MAX = 67
"""Of messages and bulletins (chapter 14)."""

_FRAMING = "kiss"
_REPEATERS_MAX = ADDRESSES_MAX - 2
_ADDRESS = re.compile(r"[A-Z0-9]{1,6}(?:-(?:[1-9]|1[0-5]))?")
_BULLETIN = re.compile(r"[0-9A-Z]|[0-9][A-Z0-9]{1,5}")
_LEGAL_TEXT = re.compile(r"[\x20-\x7a}]*")
_COMMENT = re.compile(r"[\x20-\x7b}]*")
_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_NUMBER_DIGITS = 5


def compose(saying: Saying) -> tuple[bytes, ...]:
    """Return the one packet that says this; raise CannotSay."""
    own = saying.own.callsign
    if saying.framing != _FRAMING:
        raise CannotSay(f"no packet can be ordered as {saying.framing}: {_FRAMING} can")
    if own is None:
        raise CannotSay("this station has no call sign to speak by: [transmit] callsign gives one")
    fault = path_fault(saying.dialect)
    if fault is not None:
        raise CannotSay(f"the profile's dialect: {fault}")
    path = () if saying.dialect is None else tuple(saying.dialect.split(","))
    packet = Packet(own, SOFTWARE, path, _content(saying.action, own, saying.command_id))
    _check(saying.action, said_of(packet, ()))
    return (write_packet(packet),)


def path_fault(path: str | None) -> str | None:
    """Return why these are no repeaters; None for none of them, too."""
    names = () if path is None else tuple(path.split(","))
    odd = [name for name in names if not _ADDRESS.fullmatch(name)]
    if odd:
        return f'"{odd[0]}" is no address of a repeater, such as WIDE2-1'
    if len(names) > _REPEATERS_MAX:
        return f"a packet has room for {_REPEATERS_MAX} repeaters, and there are {len(names)}"
    return None


def message_number(command_id: str) -> str:
    """Return the number under which the message that this command becomes is acknowledged."""
    rest = int.from_bytes(blake2b(command_id.encode(), digest_size=8).digest(), "big")
    number = ""
    for _ in range(_NUMBER_DIGITS):
        rest, digit = divmod(rest, len(_DIGITS))
        number += _DIGITS[digit]
    return number


def _content(action: Action, own: str, command_id: str) -> bytes:
    if isinstance(action, Text):
        return _text(action, own, command_id)
    if isinstance(action, Beacon):
        return _beacon(action)
    raise CannotSay("a packet of APRS has no words for that: text and position it has")


def _text(text: Text, own: str, command_id: str) -> bytes:
    if len(text.words) > TEXT_BYTES_MAX:
        raise CannotSay(f"{len(text.words)} characters are more than the {TEXT_BYTES_MAX} of APRS")
    if not _LEGAL_TEXT.fullmatch(text.words):
        raise CannotSay("a text of APRS is ASCII without { | and ~ (APRS 1.0.1 chapter 14)")
    if (text.to is None) == (text.bulletin is None):
        raise CannotSay("it is for one station, `to`, or for everybody, `bulletin`: say which")
    if text.bulletin is not None:
        return write_message(_bulletin(text.bulletin), text.words)
    to, number = _station(text.to or "", own), message_number(command_id)
    return write_message(to, text.words, number=number)


def _bulletin(name: str) -> str:
    if not _BULLETIN.fullmatch(name):
        why = f"{name} names no bulletin: one is a digit, or a digit and a group; an announcement"
        raise CannotSay(f"{why} is one letter")
    return f"BLN{name}"


def _station(to: str, own: str) -> str:
    if not _ADDRESS.fullmatch(to):
        why = f"{to} is no call sign of AX.25: up to six capitals and digits"
        raise CannotSay(f"{why}, and -1 to -15 where it has a number")
    if to == own:
        raise CannotSay("a station can't write to itself")
    return to


def _beacon(beacon: Beacon) -> bytes:
    if not _COMMENT.fullmatch(beacon.words):
        raise CannotSay("a comment of APRS is ASCII without | and ~ (APRS 1.0.1 chapter 5)")
    place = beacon.place
    # Nobody here answers a message by itself, so none is asked for.
    return write_position(
        place.lat_deg, place.lon_deg, symbol=SYMBOL, comment=beacon.words, answers=False
    )


def _check(action: Action, heard: AprsDetail) -> None:
    """Refuse what would be read as something else, or as graver."""
    alarm = alarm_of(heard)
    ordered = action.category if isinstance(action, Text) else Urgency.ROUTINE
    check_words(ordered, None if alarm is None else alarm.urgency)
    words = action.words if isinstance(action, Text | Beacon) else ""
    if isinstance(action, Text) and words.startswith("?"):
        raise CannotSay("a text that begins with ? is a query, which has stations transmit")
    if (heard.text or "") != words or heard.form != _form(action) or _adds(heard):
        raise CannotSay("not all of it would be read as it is meant: choose other words")


def _form(action: Action) -> str:
    if isinstance(action, Beacon):
        return "position"
    return "bulletin" if isinstance(action, Text) and action.bulletin else "message"


def _adds(heard: AprsDetail) -> bool:
    """Say whether the comment is read as more than words about the place."""
    spot = heard.spot
    if spot is None:
        return False
    more = (spot.altitude_m, spot.speed_kn, spot.course_deg, spot.range_m, spot.datum)
    return any(one is not None for one in more)


COMPOSER = Composer(
    says=("text", "position"), framings=(_FRAMING,), compose=compose, dialect_fault=path_fault
)
