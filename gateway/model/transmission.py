"""What somebody orders to be transmitted, in words of no radio system. Values only, no behaviour.

A `Letter` is what a person signs: it says everything that is to go on the air, so that nothing is
added to it later by anybody. An `Envelope` carries it, with the signature over its very bytes.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal

from msgspec import Meta, Struct

from gateway.model.command import OutcomeState
from gateway.model.keys import KeyName
from gateway.model.plan import Mmsi, Name, Own
from gateway.model.words import ClockState, Nature, Urgency

Hhmm = Annotated[
    str,
    Meta(
        pattern=r"\A(?:[01][0-9]|2[0-3])[0-5][0-9]\Z",
        description="hours and minutes, UTC",
        examples=["1207"],
    ),
]
Latitude = Annotated[float, Meta(ge=-90, le=90)]
Longitude = Annotated[float, Meta(ge=-180, le=180)]
Addressee = Annotated[str, Meta(pattern=r"\A[A-Za-z0-9!^-]{1,16}\Z", examples=["M0ABC-7"])]
"""A call sign with its SSID, an MMSI, or the number of a node."""


class Place(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A place that is said in a call, WGS 84."""

    lat_deg: Latitude
    lon_deg: Longitude


class Area(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The area that a call is meant for, in whole degrees from its north-west corner (M.493)."""

    lat_deg: Annotated[int, Meta(ge=-90, le=90)]
    lon_deg: Annotated[int, Meta(ge=-180, le=180)]
    southwards_deg: Annotated[int, Meta(ge=1, le=99)]
    eastwards_deg: Annotated[int, Meta(ge=1, le=99)]


class To(StrEnum):
    """Whom a call is meant for."""

    ALL_SHIPS = "all_ships"
    AREA = "area_ships"
    GROUP = "group"
    INDIVIDUAL = "individual"


class Distress(Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """Whose distress a call is about, as the alert said it; what it did not say is absent."""

    mmsi: Mmsi | None = None
    """Of the craft in distress; None where nobody knows it."""
    nature: Nature | None = None
    """None is said as undesignated."""
    place: Place | None = None
    time: Hhmm | None = None
    """Of the place."""


class Acknowledge(
    Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True, tag="ack"
):
    """Acknowledge a distress alert (DSC distress acknowledgement, M.493 format 116)."""

    distress: Distress
    """With its `mmsi`: nobody can acknowledge whom he does not know."""


class Relay(
    Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True, tag="relay"
):
    """Relay somebody's distress."""

    distress: Distress
    to: To
    address: Mmsi | None = None
    """Of `group` and `individual`."""
    area: Area | None = None
    """Of `area_ships`."""


class Call(
    Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True, tag="call"
):
    """Announce urgency or safety traffic, call a station, or test (telecommand 118)."""

    category: Urgency
    """Never distress: who is in distress does not call by a machine's leave, and relays are not
    calls."""
    to: To
    address: Mmsi | None = None
    area: Area | None = None
    test: bool = False
    """A test call to one station (M.493 telecommand 118): category safety, to an individual."""
    freq_hz: Annotated[int, Meta(ge=1_605_000, le=30_000_000)] | None = None
    """MF and HF: where to go on."""
    vhf_channel: Annotated[str, Meta(pattern=r"\A[0-9]{1,4}\Z")] | None = None


class Cancel(
    Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True, tag="cancel"
):
    """Cancel a distress alert of this station itself (DSC self-acknowledgement)."""

    distress: Distress


class Text(
    Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True, tag="text"
):
    """Say something in words: an APRS or Meshtastic message, an AIS safety-related one (12, 14)."""

    category: Urgency
    words: Annotated[str, Meta(min_length=1, max_length=200, pattern=r"\A[^\x00-\x1f\x7f]+\Z")]
    to: Addressee | None = None
    """None is everybody who hears it."""
    bulletin: Annotated[str, Meta(pattern=r"\A[A-Z0-9]{1,6}\Z")] | None = None
    """Of an APRS bulletin: its number or letter, and its group."""


class Beacon(
    Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    forbid_unknown_fields=True,
    tag="position",
):
    """Say where this station is."""

    place: Place
    words: Annotated[str, Meta(max_length=40, pattern=r"\A[^\x00-\x1f\x7f]*\Z")] = ""


class Adjust(
    Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True, tag="modem"
):
    """Set a modem that takes it, or prove the line to it. Nothing goes on the air by it."""

    what: Literal["channel", "power", "link_test"]
    channel: Annotated[int, Meta(ge=0, le=9999)] | None = None
    power_dbm: Annotated[int, Meta(ge=-30, le=60)] | None = None


class Drill(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="exercise"):
    """Begin or end an exercise: while one runs, and only then, letters of an exercise are taken."""

    what: Literal["start", "stop"]


class Silence(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="silence"):
    """State that silence was imposed on a channel, restricted or lifted, in the words spoken there.

    Nothing goes on the air by it: the agreements hear it, and hold every order against it.
    """

    channel: Annotated[str, Meta(pattern=r"\A[a-z][a-z0-9_]{0,31}\Z", examples=["vhf16"])]
    """As the agreement calls it."""
    words: Annotated[
        str,
        Meta(min_length=1, max_length=100, pattern=r"\A[^\x00-\x1f\x7f]+\Z"),
        Meta(examples=["SEELONCE MAYDAY"]),
    ]


Action = Acknowledge | Relay | Call | Cancel | Text | Beacon | Adjust | Drill | Silence
"""What may be ordered. Tagged by `type`."""


Consent = Annotated[str, Meta(pattern=r"\A[a-z][a-z0-9_]{0,63}\Z", examples=["rcc_consent"])]
"""Whose consent the person who signs has on record, as the agreements call it."""


class Letter(Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """One order to transmit, as a person signs it: its very bytes, msgpack or JSON."""

    command_id: Annotated[
        str, Meta(min_length=1, max_length=64, pattern=r"\A[^\x00-\x1f\x7f/#+]+\Z")
    ]
    audience: Name
    """The station that it is for; any other refuses it."""
    seq: Annotated[int, Meta(ge=1, le=2**53)]
    """Rises with each letter of this key; the station commits it before it does anything."""
    issued: Annotated[datetime, Meta(tz=True)]
    not_after: Annotated[datetime, Meta(tz=True)]
    """At most 60 s behind `issued`. Nothing begins to be transmitted after it."""
    agreements: tuple[str, ...] = ()
    """The digests of the agreements under which it is meant, all that bind the station; another
    agreement in force is a reason to refuse."""
    challenge: Annotated[str, Meta(max_length=64)] | None = None
    """What the station has asked to be repeated, where it does not know the time of day."""
    port: Name
    """By which port of the station it goes out."""
    action: Action
    about: Annotated[str, Meta(min_length=1, max_length=64)] | None = None
    """The incident, or the report, that it answers or relays."""
    consents: Annotated[tuple[Consent, ...], Meta(max_length=8)] = ()
    language: Annotated[str, Meta(pattern=r"\A[a-z]{2}\Z")] | None = None
    exercise: bool = False
    """Whether it is of an exercise: such a letter goes to a port of exercises alone, and no other
    goes there."""


FORM = b"distress-gateway order to transmit 1"
"""Stands before every letter that is signed: what a key signs elsewhere is never taken for one."""


class Signature(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One person's signature (Ed25519, RFC 8032) over `FORM`, a line feed and a letter's bytes."""

    key: KeyName
    signature: Annotated[bytes, Meta(min_length=64, max_length=64)]


class Envelope(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A letter and who has signed it: its author first, then a second where an agreement wants two.

    As JSON its bytes are in base64.
    """

    letter: Annotated[bytes, Meta(max_length=4096)]
    signatures: Annotated[tuple[Signature, ...], Meta(min_length=1, max_length=4)]


class Ordered(Struct, frozen=True, kw_only=True):
    """An envelope that could be read, and whose letter could; nobody has looked who it is from."""

    envelope: Envelope
    letter: Letter

    @property
    def command_id(self) -> str:
        """Return the name under which its outcome is told."""
        return self.letter.command_id


def signed_bytes(letter: bytes) -> bytes:
    """Return what is signed of a letter: its very bytes, and before them what they are."""
    return FORM + b"\n" + letter


def tag_of(action: Action) -> str:
    """Return what is ordered, as its `type` says: ack, relay, call and so on."""
    return str(type(action).__struct_config__.tag)


class TransmissionNote(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What came of an order to transmit, stage by stage: kept, and told on `transmission/<port>`.

    The note that says `transmitting` is on disk before the first byte, with every verdict that let
    it pass. One that is on disk without a later one was interrupted.
    """

    command_id: str
    stage: OutcomeState
    port: str
    action: str
    say: str
    """What it says on the air, for a person."""
    reason: str | None = None
    clause: str | None = None
    until: datetime | None = None
    persons: tuple[str, ...] = ()
    """Who has signed it, the author first; nobody where the station acknowledges by itself."""
    keys: tuple[KeyName, ...] = ()
    about: str | None = None
    exercise: bool = False
    sha256: str | None = None
    """Of all bytes for the modem, in hexadecimal."""
    octets: int = 0
    airtime_s: float = 0.0
    digests: tuple[str, ...] = ()
    """Of the agreements that let it pass."""
    rules: tuple[str, ...] = ()
    """`agreement/rule` of each rule that has said so."""
    verdicts: tuple[str, ...] = ()
    """Every verdict on it, by `verdict_id`."""
    mono_ns: int
    utc: datetime | None = None
    clock: ClockState | None = None
    boot: str | None = None


class CannotSay(ValueError):  # noqa: N818  # it is an answer, not an error
    """A radio system has no words for an action, or a word of it does not fit.

    The text says which and what would.
    """


class Saying(Struct, frozen=True, kw_only=True):
    """What a radio system is asked to put into bytes, and all that it may know for that."""

    action: Action
    own: Own
    command_id: str
    """Of the letter: what is said twice bears the same name twice."""
    not_after_s: int
    """Seconds since 1970 UTC. Nothing of it begins to be transmitted after it."""
    framing: str
    """Of the port's profile: what the bodies are to be wrapped by."""
    dialect: str | None = None
    """Of the port's profile: what its framing leaves open."""
    freq_hz: int | None = None
    """What the port's transmitter is tuned to; None where nobody has said."""
    number: Annotated[int, Meta(ge=0)] = 0
    """How many bodies were handed to this port before: systems that number what they say count on
    from it, each in its own range."""
