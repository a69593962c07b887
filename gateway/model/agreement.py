"""An agreement: who may use which frequency for what, who listens, how near craft may come.

What is written in a file of `config/agreements/`, checked and complete. What a rule of one kind
asks stands with that kind, in `gateway/rules/kinds/`; here stands what all agreements share.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from msgspec import Meta, Struct

from gateway.model.text import Words

AgreementName = Annotated[
    str,
    Meta(
        pattern=r"\A[a-z0-9-]{1,64}\Z",
        description="1 to 64 of the characters a-z, 0-9 and -",
        examples=["air-safety"],
    ),
]
"""It becomes a level of MQTT topics."""

Version = Annotated[
    str,
    Meta(
        pattern=r"\A[0-9]{1,9}(?:\.[0-9]{1,9}){0,3}\Z",
        description="one to four whole numbers with points between them",
        examples=["2026.1"],
    ),
]
"""Of two it has to be clear which is the later: they are compared number by number."""

PublicKey = Annotated[
    str,
    Meta(
        # The last digit holds two bits that have to be 0: one key has one form.
        pattern=r"\Aed25519:[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=\Z",
        description="the line that `agreement keygen` prints: ed25519: and 32 bytes in base64",
        examples=["ed25519:O2onvM62pC1io6jQKm8Nc2UyFXcd4kOmOsBIoYtZ2ik="],
    ),
]

_PART = r"\A[a-z][a-z0-9_]{0,31}\Z"

PartName = Annotated[
    str,
    Meta(
        pattern=_PART,
        description="a lower-case name of letters, digits and _",
        examples=["guard"],
    ),
]
"""A lower-case name: of a party, channel, group, zone or class of craft, or of what the field calls
so."""

PartyName = Annotated[
    str,
    Meta(
        pattern=_PART,
        description="the name or role of a party: a word of a-z, 0-9 and _",
        examples=["alpha"],
        extra={"names": "parties"},
    ),
]
"""A party by its own name, or all that have a role."""

ChannelName = Annotated[
    str,
    Meta(
        pattern=_PART,
        description="the name of a channel or of a group of channels: a word of a-z, 0-9 and _",
        examples=["guard_vhf"],
        extra={"names": "channels"},
    ),
]

ZoneName = Annotated[
    str,
    Meta(
        pattern=_PART,
        description="the name of a zone: a word of a-z, 0-9 and _",
        examples=["area"],
        extra={"names": "zones"},
    ),
]

CraftName = Annotated[
    str,
    Meta(
        pattern=_PART,
        description="the name of a class of craft: a word of a-z, 0-9 and _",
        examples=["combat"],
        extra={"names": "craft"},
    ),
]

_RULE = r"\A[A-Za-z0-9-]{1,16}\Z"

RuleName = Annotated[
    str,
    Meta(
        pattern=_RULE,
        description="the id of a rule: 1 to 16 letters, digits and -",
        examples=["M07"],
        extra={"names": "rules"},
    ),
]

Parties = Annotated[tuple[PartyName, ...], Meta(max_length=64, examples=[["alpha", "bravo"]])]
Channels = Annotated[
    tuple[ChannelName, ...], Meta(min_length=1, max_length=64, examples=[["guard_vhf"]])
]
Fields = Annotated[tuple[PartName, ...], Meta(min_length=1, max_length=64)]
"""What a message holds: position, nature, time, identity, …"""

Seconds = Annotated[float, Meta(ge=0, le=1e9, examples=[60])]
Metres = Annotated[float, Meta(ge=0, le=2.1e7, examples=[5556])]


class EventWord(StrEnum):
    """What a rule can wait for."""

    HEARD = "heard"
    """Anything that a receiver decoded off the air of its channel, copies too: it is not deaf."""
    USE = "use"
    """A transmission that was heard on a channel of the agreement."""
    POSITION = "position"
    """A craft has said where it is."""
    TEST = "test"
    """A transmission that says of itself that it is a test."""
    DISTRESS_ALERT = "distress_alert"
    """A call for help of whoever needs it, on whatever radio."""
    DISTRESS_ACK = "distress_ack"
    """A call for help was acknowledged."""
    DISTRESS_RELAY = "distress_relay"
    """A call for help was passed on by another station."""
    CANCEL = "cancel"
    """The casualty has taken its call back."""
    URGENCY_CALL = "urgency_call"
    """A call that says PAN PAN, or its like in another radio's way."""
    SAFETY_CALL = "safety_call"
    """A call that says SECURITE, or its like in another radio's way."""
    CALL = "call"
    """Any other call to somebody."""
    BEACON = "beacon"
    """An alert of a 406 MHz beacon."""
    ELT = "elt"
    """An alert of a 406 MHz beacon of an aircraft."""
    SQUAWK_7500 = "squawk_7500"
    """A transponder says: unlawful interference."""
    SQUAWK_7600 = "squawk_7600"
    """A transponder says: no radio."""
    SQUAWK_7700 = "squawk_7700"
    """A transponder says: emergency."""
    ADSB_EMERGENCY = "adsb_emergency"
    """An aircraft has stated an emergency by ADS-B."""
    TRANSMITTED = "transmitted"
    """This station has transmitted."""
    GUARD_CALL = "guard_call"
    """A voice call on a guard frequency, as somebody on watch says."""
    ANSWER = "answer"
    """A call was answered."""
    SPOKEN = "spoken"
    """Words of procedure were spoken: SEELONCE MAYDAY, SEELONCE FEENEE, …"""
    CONSENT = "consent"
    """Somebody has consented to something."""
    ATTESTED = "attested"
    """A party has stated, and signed, that it keeps to something."""
    NOTICE = "notice"
    """A party has told of an activity ahead of it."""
    HAZARDOUS_ACTIVITY = "hazardous_activity"
    """An activity of which notice was due has begun."""
    RCC_REQUEST = "rcc_request"
    """A rescue centre has asked for a relay."""
    TOLD = "told"
    """Somebody was told of something."""
    RECEIPT = "receipt"
    """Somebody has signed for what they were told."""
    WATCH_EVIDENCE = "watch_evidence"
    """A receiver has shown that it hears: `words` say how."""
    WATCH_MONTH = "watch_month"
    """This station has counted how much of a month a watch was kept."""
    RECORDED = "recorded"
    """This station has stated what it keeps, and for how long."""
    WATCH_SET = "watch_set"
    """Somebody has begun to listen on a channel."""
    BUSY = "busy"
    """A channel is taken: an exchange, or a carrier, has begun."""
    IDLE = "idle"
    """It is taken no longer."""
    HEARTBEAT = "heartbeat"
    """A line that is no radio has given a sign of life."""
    LINK_LOST = "link_lost"
    """A line that is no radio is known to be cut."""
    COMM_CHECK = "comm_check"
    """A channel was tried out, and the other party answered."""
    ENCOUNTER = "encounter"
    """Craft of two parties have come near each other."""
    VIOLATION = "violation"
    """A rule of this agreement was broken."""
    SEPARATION_VIOLATION = "separation_violation"
    """Craft were too near each other for longer than is agreed."""


class State(StrEnum):
    """Whether an agreement binds."""

    PROPOSED = "proposed"
    IN_FORCE = "in_force"
    SUSPENDED = "suspended"
    """Only the rules that it names in `on_suspend_keep` hold."""
    TERMINATED = "terminated"


class Basis(StrEnum):
    """Where the figure of a rule comes from, the firmest first."""

    CONFIRMED = "confirmed"
    """Read in the text of the treaty or regulation, or in an official rendering of it."""
    SECONDARY = "secondary"
    """Told by somebody who has read it."""
    REPORTED = "reported"
    """Told by the press."""
    SISTER = "sister"
    """Taken from an agreement of the same form."""
    DESIGN = "design"
    """Chosen here."""
    UNCONFIRMED = "unconfirmed"
    """Recalled, and found nowhere."""


class Match(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the stations of a party are recognised: by any one of these."""

    mmsi: tuple[
        Annotated[
            str,
            Meta(
                # From a digit to one before it is no range.
                pattern=r"\A(?:[0-9#]|\[(?:0-|1-(?!0)|2-(?![01])|3-(?![0-2])|4-(?![0-3])|5-(?![0-4])"
                r"|6-(?![0-5])|7-(?![0-6])|8-(?![0-7])|9-(?![0-8]))?[0-9]+\]){9}\Z",
                description="nine places: a digit, # for any digit, or [2-7] for one of several",
                examples=["[2-7]########"],
            ),
        ],
        ...,
    ] = ()
    mid: tuple[Annotated[int, Meta(ge=200, le=799, examples=[232])], ...] = ()
    """Maritime identification digits of ships, coast stations and beacons (ITU-R M.585)."""
    icao24: tuple[
        Annotated[
            str,
            Meta(
                pattern=r"\A(?:\*|[0-9A-F]{6}(?:-[0-9A-F]{6})?)\Z",
                description="an address, a range A00000-AFFFFF, or * for all",
                examples=["A00000-AFFFFF"],
            ),
        ],
        ...,
    ] = ()
    callsign: tuple[
        Annotated[
            str,
            Meta(
                pattern=r"\A[A-Z0-9]{1,15}\*?\Z",
                description="a call sign, or its beginning and *",
                examples=["RCH*"],
            ),
        ],
        ...,
    ] = ()
    system: tuple[PartName, ...] = ()
    """Everything that this radio system tells of."""
    tag: tuple[Words, ...] = ()
    registry: tuple[Words, ...] = ()
    """Whom the operator's register says that the craft belongs to."""


class Party(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Somebody bound by the agreement, or named in it."""

    name: Words
    roles: tuple[PartName, ...] = ()
    binds: tuple[Words, ...] = ()
    """Others for whom it answers: its coalition, its contractors."""
    public_key: PublicKey | None = None
    """The key that it signs this agreement with; None when nobody asks it to sign."""
    match: Match = Match()


class Channel(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A frequency, a band, or a line that is no radio."""

    hz: Annotated[int, Meta(ge=1, le=300_000_000_000, examples=[156_525_000])] | None = None
    band_hz: Annotated[tuple[int, int], Meta(examples=[[406_000_000, 406_100_000]])] | None = None
    endpoint: Words | None = None
    """Of a line that is no radio: the name under which its heartbeats come."""
    mode: PartName | None = None
    """dsc, ais, or an emission of voice: a3e, g3e, j3e."""
    baud: Annotated[int, Meta(ge=1, le=4_000_000, examples=[1200])] | None = None
    purpose: tuple[PartName, ...] = ()
    traffic: ChannelName | None = None
    """The channel on which one goes on speaking."""
    receive_only: bool = False
    watched_by: Words | None = None
    """Who listens there, where no `watch` of this agreement has to: satellites, every ship."""


Latitude = Annotated[
    float,
    Meta(ge=-90, le=90, description="a latitude from -90 to 90", examples=[34.2]),
]
Longitude = Annotated[
    float,
    Meta(ge=-180, le=180, description="a longitude from -180 to 180", examples=[43.9]),
]


Point = Annotated[
    tuple[Latitude, Longitude],
    Meta(
        description="a latitude from -90 to 90 and a longitude from -180 to 180: latitude first",
        examples=[[34.2, 43.9]],
    ),
]


class Zone(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A part of the world: a polygon, a circle or a corridor, between two heights.

    Latitude first, in degrees; sides are straight on a plain map of degrees, and go the shorter way
    round from corner to corner, also over the antimeridian: none goes half round the world. A
    polygon around a pole is not possible: a circle is.
    """

    points: Annotated[
        tuple[Point, ...],
        Meta(max_length=512, examples=[[[32.3, 35.6], [37.3, 35.6], [37.3, 42.4]]]),
    ] = ()
    """Corners of a polygon; of a corridor the bends of its middle line."""
    centre: Point | None = None
    radius_m: Metres | None = None
    width_m: Metres | None = None
    """Of a corridor, from one side to the other."""
    floor_m: float | None = None
    ceiling_m: float | None = None
    """Heights as craft report them; None for no limit."""


class Status(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whether it binds, and what of it outlives a suspension."""

    state: State = State.IN_FORCE
    since: datetime | None = None
    on_suspend_keep: tuple[RuleName, ...] = ()
    """Rules that hold while it is suspended: distress, guard and separation do."""


class Clause(Struct, frozen=True, kw_only=True):
    """One rule as it is written."""

    id: RuleName
    kind: PartName
    terms: Struct
    """What it asks, in the struct of its kind."""
    words: str = ""
    """The rule in the words of the agreement."""
    source: Words
    basis: Basis


class Agreement(Struct, frozen=True, kw_only=True):
    """The whole file."""

    id: AgreementName
    version: Version
    digest: str
    """SHA-256 of all of it but its standing, 64 hexadecimal digits; see `gateway.rules.digest`."""
    title: Words
    note: str = ""
    basis: tuple[Words, ...] = ()
    """The texts that it rests on."""
    status: Status = Status()
    parties: dict[str, Party]
    channels: dict[str, Channel]
    groups: dict[str, tuple[ChannelName, ...]] = {}
    zones: dict[str, Zone] = {}
    craft: dict[str, tuple[str, ...]] = {}
    """Classes of craft: a name, and the kinds of craft it covers."""
    rules: tuple[Clause, ...]
    own: PartyName | None = None
    """The party that this station is, None for none: of no file that is signed, as each party has
    a station of its own."""
