r"""What the information field of a packet says, by its first byte.

    ! =   position                     :   message, acknowledgement, bulletin, announcement
    / @   position with its time       >   status
    ;     object                       T#  telemetry                _ # * !!  weather
    )     item                         <   capabilities             ?  query
    ` '   Mic-E (1C, 1D as well)       {   user-defined             $  a sentence of NMEA 0183

Anything else is text, unless a position follows on a `!` within its first 40 characters (modems
that put text in front). Weather and telemetry are kept as text. APRS 1.0.1 chapters 5 to 18.
Nothing is dropped for a bad place: it is told without one, and with a doubt.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from msgspec.structs import replace

from gateway.radio.aprs.mice import TYPES, comment_of, is_mic_e, mic_e
from gateway.radio.aprs.nmea import sentence_place
from gateway.radio.aprs.place import place_at, write_place
from gateway.radio.aprs.words import Addressed, AprsDetail, Content, Packet, Spot

X1J_BYTES_MAX = 40
"""How far into the text a `!` may stand that a position follows on (APRS 1.0.1 chapter 5)."""

_ADDRESSEE_BYTES = 9
_OBJECT = re.compile(rb";([\x20-\x7e]{9})([*_])(\d{6}[zh/]|.{7})", re.DOTALL)
_ITEM = re.compile(rb"\)([\x20\x22-\x5e\x60-\x7e]{3,9})([!_])")
_TIME = re.compile(rb"\d{6}[zh/]")
_STATUS_TIME = re.compile(rb"\d{6}z")
_SAID_TO = re.compile(rb":([\x20-\x7e]{9}):(.*)", re.DOTALL)
_ANSWER = re.compile(rb"(ack|rej)([A-Za-z0-9]{1,5})(?:\}[A-Za-z0-9]{0,5})?\s*\Z")
_NUMBER = re.compile(rb"\{([A-Za-z0-9]{1,5})(?:\}([A-Za-z0-9]{0,5}))?\s*\Z")
_TELEMETRY = (b"PARM.", b"UNIT.", b"EQNS.", b"BITS.")
_BULLETIN = re.compile(r"BLN[0-9A-Z]|NWS[-_]|SKY|CWA|BOM")
"""Addressees that are nobody, but a name for everybody (APRS 1.0.1 chapter 14)."""


def content_of(packet: Packet) -> Content:
    """Return what a packet says."""
    said = packet.body
    reader = _READERS.get(said[0])
    if said[0] in TYPES and is_mic_e(packet):
        found = mic_e(packet)
        text = text_of(comment_of(said)) if found.spot else text_of(said[1:])
        return replace(found, text=text)
    if reader is None:
        return _other(said)
    return reader(said)


def said_of(packet: Packet, gates: tuple[str, ...]) -> AprsDetail:
    """Return what a packet says, and who passed it on."""
    content = content_of(packet)
    return AprsDetail(
        form=content.form,
        source=packet.source,
        to=packet.to,
        path=packet.path,
        gates=gates,
        kiss_port=packet.kiss_port,
        spot=content.spot,
        mic_e=content.mic_e,
        exchange=content.exchange,
        object_name=content.object_name,
        alive=content.alive,
        time=content.time,
        text=content.text,
        odd=content.odd,
    )


def text_of(said: bytes) -> str | None:
    r"""Return it as text for people: UTF-8, and what is none or can't be shown as \xNN."""
    text = said.decode("utf-8", "backslashreplace").strip(" \r\n\x00")
    if not text.isprintable():
        text = "".join(
            char if char.isprintable() else char.encode("unicode_escape").decode("ascii")
            for char in text
        )
    return text or None


def _position(said: bytes) -> Content:
    if said[:2] == b"!!":
        return Content(form="weather", text=text_of(said))
    return _placed("position", said[1:], said)


def _dated_position(said: bytes) -> Content:
    time = said[1:8]
    if not _TIME.fullmatch(time):
        return _placed("position", said[8:], said, odd=("the time stated can't be",))
    return _placed("position", said[8:], said, time=time.decode("ascii"))


def _placed(
    form: str, rest: bytes, said: bytes, *, time: str | None = None, odd: tuple[str, ...] = ()
) -> Content:
    found = place_at(rest)
    if found is None:
        odd = (*odd, "the position in it can't be")
        return Content(form=form, time=time, text=text_of(said[1:]), odd=odd)
    spot, comment = found
    return Content(form=form, spot=spot, time=time, text=text_of(comment), odd=odd)


def _object(said: bytes) -> Content:
    found = _OBJECT.match(said)
    if found is None:
        return Content(form="object", text=text_of(said[1:]), odd=("no object has such a name",))
    name, mark, time = found.groups()
    dated = bool(_TIME.fullmatch(time))
    content = _placed(
        "object",
        said[found.end() :],
        said,
        time=time.decode("ascii") if dated else None,
        odd=() if dated else ("the time stated can't be",),
    )
    return replace(content, object_name=text_of(name), alive=mark == b"*")


def _item(said: bytes) -> Content:
    found = _ITEM.match(said)
    if found is None:
        return Content(form="item", text=text_of(said[1:]), odd=("no item has such a name",))
    content = _placed("item", said[found.end() :], said)
    return replace(content, object_name=text_of(found[1]), alive=found[2] == b"!")


def _said_to(said: bytes) -> Content:
    found = _SAID_TO.match(said)
    if found is None:
        return Content(form="other", text=text_of(said), odd=("no message has such an addressee",))
    to, text = found[1].decode("ascii").rstrip(), found[2]
    if text[:5] in _TELEMETRY:
        return Content(form="telemetry", exchange=Addressed(addressee=to), text=text_of(text))
    if answer := _ANSWER.match(text):
        number = answer[2].decode("ascii")
        accepted = answer[1] == b"ack"
        exchange = Addressed(
            addressee=to,
            acknowledges=number if accepted else None,
            rejects=None if accepted else number,
        )
        return Content(form="message", exchange=exchange)
    number, acknowledged = None, None
    if tail := _NUMBER.search(text):
        text = text[: tail.start()]
        number = tail[1].decode("ascii")
        acknowledged = (tail[2] or b"").decode("ascii") or None
    return Content(
        form="bulletin" if _BULLETIN.match(to) else "message",
        exchange=Addressed(addressee=to, number=number, acknowledges=acknowledged),
        text=text_of(text),
    )


def _status(said: bytes) -> Content:
    if _STATUS_TIME.match(said, 1):
        return Content(form="status", time=said[1:8].decode("ascii"), text=text_of(said[8:]))
    return Content(form="status", text=text_of(said[1:]))


def _telemetry(said: bytes) -> Content:
    return Content(form="telemetry", text=text_of(said)) if said[:2] == b"T#" else _other(said)


def _as_text(form: str) -> Callable[[bytes], Content]:
    def reader(said: bytes) -> Content:
        return Content(form=form, text=text_of(said))

    return reader


def _sentence(said: bytes) -> Content:
    spot = sentence_place(said)
    return Content(form="position" if spot else "nmea", spot=spot, text=text_of(said))


def _other(said: bytes) -> Content:
    """Return text, or the position that stands behind some (APRS 1.0.1 chapter 5, X1J nodes)."""
    at = said.find(b"!", 0, X1J_BYTES_MAX)
    found = place_at(said[at + 1 :]) if at >= 0 else None
    if found is None:
        return Content(form="other", text=text_of(said))
    spot: Spot = found[0]
    return Content(form="position", spot=spot, text=text_of(said[:at] + found[1]))


_READERS: dict[int, Callable[[bytes], Content]] = {
    ord("!"): _position,
    ord("="): _position,
    ord("/"): _dated_position,
    ord("@"): _dated_position,
    ord(";"): _object,
    ord(")"): _item,
    ord(":"): _said_to,
    ord(">"): _status,
    ord("T"): _telemetry,
    ord("_"): _as_text("weather"),
    ord("#"): _as_text("weather"),
    ord("*"): _as_text("weather"),
    ord("<"): _as_text("capabilities"),
    ord("?"): _as_text("query"),
    ord("{"): _as_text("user_defined"),
    ord("$"): _sentence,
    ord("["): _as_text("maidenhead"),
}


def write_position(
    lat_deg: float,
    lon_deg: float,
    *,
    symbol: str = "/-",
    comment: str = "",
    answers: bool = True,
) -> bytes:
    """Return the contents of a packet that says where its sender is; one that answers messages."""
    place = write_place(lat_deg, lon_deg, symbol=symbol)
    return (b"=" if answers else b"!") + place + comment.encode("utf-8")


def write_message(addressee: str, text: str, *, number: str | None = None) -> bytes:
    """Return the contents of a packet that says this to somebody, to be acknowledged by number."""
    asked = f"{{{number}" if number else ""
    return _addressed(addressee) + f"{text}{asked}".encode()


def write_answer(addressee: str, number: str, *, accepted: bool = True) -> bytes:
    """Return the contents of a packet that acknowledges a message, or rejects it."""
    return _addressed(addressee) + f"{'ack' if accepted else 'rej'}{number}".encode("ascii")


def _addressed(addressee: str) -> bytes:
    return f":{addressee:<{_ADDRESSEE_BYTES}}:".encode("ascii")
