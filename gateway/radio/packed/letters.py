"""The letters in packets: msgpack maps, each with its kind under `t`. docs/LINK.md, section 4.

Keys that are not known here are passed over, so that a newer modem may say more. A key that is
known has to hold what it should, or the whole letter is unread.
"""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta, Struct, msgpack

Word = Annotated[str, Meta(max_length=32)]
"""One of a closed list, or a name."""
Text = Annotated[str, Meta(max_length=512)]
Degrees = Annotated[int, Meta(ge=-1_800_000_000, le=1_800_000_000)]
"""Ten-millionths of a degree, as receivers of satellites give them: 1.1 cm at the equator."""
Seconds = Annotated[int, Meta(ge=0, le=2**40)]
"""Since 1970 UTC, leap seconds not counted."""
Count = Annotated[int, Meta(ge=0, le=2**32 - 1)]


class Letter(Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="t"):
    """What one packet says."""


class Hearing(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How the modem heard what it hands on: the same transmission is heard otherwise elsewhere."""

    at_ms: Annotated[int, Meta(ge=0, le=2**50)] | None = None
    """Milliseconds since 1970 UTC, by the modem's own clock."""
    freq_hz: Annotated[int, Meta(ge=1, le=300_000_000_000)] | None = None
    channel: Word | None = None
    rssi_dbm: Annotated[float, Meta(ge=-300, le=100)] | None = None
    proof: Word | None = None
    """bch, crc, checksum, parity or none: how it was proven on the air."""
    fixed: Annotated[int, Meta(ge=0, le=10_000)] = 0
    """How many bits were put right."""


class Party(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A station or craft, by every name that is known."""

    mmsi: Annotated[str, Meta(pattern=r"\A[0-9]{9}\Z")] | None = None
    imo: Annotated[int, Meta(ge=1, le=9_999_999)] | None = None
    callsign: Word | None = None
    icao24: Annotated[str, Meta(pattern=r"\A[0-9A-F]{6}\Z")] | None = None
    beacon: Annotated[str, Meta(pattern=r"\A([0-9A-F]{15}|[0-9A-F]{23})\Z")] | None = None
    tail: Word | None = None
    name: Word | None = None
    tag: Word | None = None


class Report(Letter, frozen=True, kw_only=True, omit_defaults=True, tag="report"):
    """Something heard, unpacked by the modem itself."""

    kind: Word
    urgency: Word
    test: bool = False
    covert: bool = False
    who: Party | None = None
    """Who sent it."""
    whose: Party | None = None
    """Who is in distress, when that is another."""
    to: Party | None = None
    nature: Word | None = None
    lat7: Degrees | None = None
    lon7: Degrees | None = None
    acc_m: Annotated[float, Meta(ge=0, le=1e7)] | None = None
    alt_m: Annotated[float, Meta(ge=-1e5, le=1e6)] | None = None
    fix_age_s: Annotated[float, Meta(ge=0, le=1e9)] | None = None
    fix_from: Word | None = None
    speed_kn: float | None = None
    course_deg: float | None = None
    pob: Annotated[int, Meta(ge=0, le=100_000)] | None = None
    text: Text | None = None
    said_at: Seconds | None = None
    """What the transmission says of its own time."""
    rx: Hearing | None = None


class Raw(Letter, frozen=True, kw_only=True, omit_defaults=True, tag="raw"):
    """A frame of another radio system, as it was heard: the gateway reads it."""

    radio: Word
    """The name of the system, as in docs/RADIOS.md."""
    body: bytes
    rx: Hearing | None = None


class Hello(Letter, frozen=True, kw_only=True, omit_defaults=True, tag="hello"):
    """Who the modem is. Said when it starts, when asked, and once a minute."""

    modem: Word
    firmware: Word | None = None
    serial: Word | None = None
    radios: Annotated[tuple[Word, ...], Meta(max_length=16)] = ()
    start: Count | None = None
    """How often it has been started, or any number that is another each time."""


class Health(Letter, frozen=True, kw_only=True, omit_defaults=True, tag="health"):
    """How the modem is. Said when asked, and once a minute."""

    up_s: Count
    heard: Count | None = None
    """Transmissions since the start; `refused`: those of them that nothing proved."""
    refused: Count | None = None
    lost: Count | None = None
    """Letters given up for want of room or of an acknowledgement."""
    noise_dbm: Annotated[float, Meta(ge=-300, le=100)] | None = None
    supply_v: Annotated[float, Meta(ge=0, le=1000)] | None = None
    temp_c: Annotated[float, Meta(ge=-273, le=1000)] | None = None
    antenna: Word | None = None
    """ok, open or short."""
    clock: Word | None = None
    """gnss, set or unset."""


class Ask(Letter, frozen=True, kw_only=True, omit_defaults=True, tag="ask"):
    """The gateway wants a letter of this kind: hello or health."""

    what: Word


class Order(Letter, frozen=True, kw_only=True, omit_defaults=True, tag="order"):
    """The gateway wants this transmitted, once, and not after its time."""

    id: Annotated[str, Meta(min_length=1, max_length=32)]
    until: Seconds
    radio: Word
    body: bytes


class Outcome(Letter, frozen=True, kw_only=True, omit_defaults=True, tag="outcome"):
    """What came of an order; the same answer each time it is asked again."""

    id: Annotated[str, Meta(min_length=1, max_length=32)]
    done: Word
    """sent, refused or expired."""
    why: Text | None = None


Said = Report | Raw | Hello | Health | Ask | Order | Outcome
"""Every kind of letter."""

_READER = msgpack.Decoder(Said)
_NESTED_TOO_DEEPLY = "it is nested too deeply"


def read_letter(payload: bytes) -> Said | str:
    """Return the letter, or what is wrong with it."""
    try:
        letter: Said = _READER.decode(payload)
    except RecursionError:
        return _NESTED_TOO_DEEPLY
    except (msgspec.DecodeError, ValueError) as error:
        return str(error)
    return letter


def write_letter(letter: Letter) -> bytes:
    """Return the payload that says it, `t` first."""
    return msgpack.encode(letter)
