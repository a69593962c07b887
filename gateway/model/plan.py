"""What the configuration asks for: frozen, checked, complete. The limits of each value stand here.

A default that depends on something else (a port that depends on TLS) is given by settings.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from gateway.model.agreement import Agreement, AgreementName, PartyName
from gateway.model.keys import KeyPlan
from gateway.model.text import Words

MB = 1_000_000
"""What every name in `…_mb` counts in."""

Name = Annotated[
    str,
    Meta(
        pattern=r"\A[a-z0-9-]{1,32}\Z",
        description="1 to 32 of the characters a-z, 0-9 and -",
        examples=["cape-light"],
    ),
]
"""The name of a station, port or link: it becomes a level of MQTT topics."""

ModemName = Annotated[
    str,
    Meta(
        pattern=r"\A[a-z0-9_-]{1,64}\Z",
        description="the name of a profile: 1 to 64 of the characters a-z, 0-9, _ and -",
        examples=["generic-dsc"],
    ),
]
"""The name of a profile is the name of its file, so it can't lead out of its folder."""

WordName = Annotated[
    str,
    Meta(pattern=r"\A[a-z][a-z0-9_]{0,31}\Z", description="a lower-case name", examples=["nmea"]),
]
"""The name of a radio system or framing is the name of its module."""

PUBACK = "puback"
"""Instead of a consumer's name: the broker's own signature is enough."""


class Profile(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The facts of one kind of modem: a file in hardware/modems. No logic."""

    title: Words
    """What a person calls it."""
    radio: Annotated[tuple[WordName, ...], Meta(min_length=1, max_length=16, examples=[["dsc"]])]
    """The radio systems it speaks, asked in this order; files in gateway/radio."""
    framing: WordName
    """How its stream is cut; a file in gateway/framing."""
    baud: Annotated[int, Meta(ge=50, le=4_000_000, examples=[4800])] = 4800
    data_bits: Literal[7, 8] = 8
    parity: Literal["none", "even", "odd"] = "none"
    stop_bits: Literal[1, 2] = 1
    silence_s: Annotated[float, Meta(ge=0, le=86_400)] = 0.0
    """Reopen the port after this long without a byte; 0 for modems that speak only when called."""
    channel: Words | None = None
    freq_hz: Annotated[int, Meta(ge=1, le=300_000_000_000, examples=[156_525_000])] | None = None
    transmit: bool = False
    """Whether this wiring can key a transmitter at all."""
    ptt: Literal["rts", "dtr"] | None = None
    """The line of the serial port that keys the transmitter while bytes go out; None where the
    modem keys by itself."""
    ptt_lead_s: Annotated[float, Meta(ge=0, le=2, examples=[0.1])] = 0.1
    """How long before the first byte that line is raised: a transmitter takes so long to be up."""
    transmit_s_max: Annotated[float, Meta(ge=0.1, le=60, examples=[10])] = 10.0
    """The longest transmission: what would take longer is not begun, and a key is dropped then. A
    DSC call on medium wave takes seven seconds."""
    hello: bool = False
    """Whether the modem says who it is: nothing is transmitted before it has. Packed modems do."""
    dialect: (
        Annotated[
            str,
            Meta(
                pattern=r"\A[A-Za-z0-9,-]{1,80}\Z",
                description="1 to 80 of the characters A-Z, a-z, 0-9, the comma and -",
                examples=["WIDE2-1"],
            ),
        ]
        | None
    ) = None
    """What radio system and framing leave open, where something is transmitted by it: of packed
    modems which system they transmit (`dsc`), of APRS by whose repeaters (`WIDE2-1`)."""
    proven: Words
    """How these facts were proven: a bench run with its date, or a manual with its page."""

    @property
    def on_air(self) -> str:
        """Return the radio system that its channel is of: the packed link is on no air itself."""
        first = self.radio[0]
        return first if first != "packed" or self.dialect is None else self.dialect


_BY_ID = ("by-id:", "/dev/serial/by-id/")
_UNITS = ("ID_SERIAL=", "ID_SERIAL_SHORT=")
"""The properties of udev that tell one adapter from another of its kind."""


class PortPlan(Struct, frozen=True, kw_only=True):
    """One port of the station."""

    name: Name
    device: Annotated[
        str,
        Meta(
            pattern=r"\A[^\x00-\x1f\x7f]{1,512}\Z",
            description="the place of a device, as text",
            examples=["by-id:usb-FTDI_FT232R_USB_UART_A50285BI-if00-port0"],
        ),
    ]
    """Where it is: a path, `by-id:…`, `by-path:…`, `udev:KEY=value,…`, `tcp://…`, `tape:…`, …"""
    modem: ModemName
    """The name of its profile."""
    profile: Profile
    played: bool = False
    """Whether what was said at another time is heard there as though it were said now: then it
    tells nobody the time of day."""
    freq_hz: Annotated[int, Meta(ge=1, le=300_000_000_000, examples=[156_525_000])] | None = None
    """What the receiver behind it is tuned to, where its profile does not say: rules of agreements
    know a channel by it."""
    exercise: bool = False
    """Whether all that is heard there is of an exercise: a training set or a simulator is attached,
    and no antenna. It is told apart from what is real, everywhere."""
    adapter: (
        Annotated[
            str,
            Meta(
                pattern=r"\A(?:none|[^:\s]{1,16}:[^:\s]{1,16}:[^\x00-\x1f\x7f]{0,128})\Z",
                description="`vendor:product:serial` as `distress-gateway ports` says it, or none",
                examples=["0403:6001:A50285BI"],
            ),
        ]
        | None
    ) = None
    """The adapter that has to stand there before anything is transmitted. `none` is a port of the
    board, or a virtual one."""
    modem_serial: Words | None = None
    """The serial number that the modem has to say of itself before anything is transmitted."""

    @property
    def pinned(self) -> bool:
        """Whether the name of the device says which adapter it is, or it is no serial port."""
        if self.device.startswith("udev:"):
            pairs = self.device.removeprefix("udev:").split(",")
            return any(pair.startswith(_UNITS) for pair in pairs)
        return self.device.startswith(_BY_ID) or not self.device.startswith(("/", "by-path:"))


FilePath = Annotated[
    str,
    Meta(pattern=r"\A[^\x00-\x1f\x7f]{1,4096}\Z", description="the path of a file, as text"),
]


class TlsPlan(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a broker link is protected. The broker's certificate is always verified."""

    ca_file: FilePath | None = None
    """The authority that signed the broker's certificate; None for the system's own list."""
    cert_file: FilePath | None = None
    key_file: FilePath | None = None


class LinkPlan(Struct, frozen=True, kw_only=True):
    """One broker, and how it is spoken to."""

    name: Name
    host: Annotated[
        str,
        Meta(
            pattern=r"\A[^\s/]{1,253}\Z",
            description="a host name or address, without scheme or port",
            examples=["localhost"],
        ),
    ]
    port: Annotated[int, Meta(ge=1, le=65_535, examples=[1883])]
    version: Literal["5", "3.1.1"] = "5"
    payload: Literal["json", "msgpack"] = "json"
    username: Words | None = None
    password_file: FilePath | None = None
    client_id: Annotated[
        str,
        Meta(
            # MQTT 5 section 3.1.3.1: any UTF-8 goes, but only these characters go everywhere.
            pattern=r"\A[A-Za-z0-9_.:-]{1,128}\Z",
            description="1 to 128 of the characters A-Z, a-z, 0-9, _ . : and -",
        ),
    ]
    keepalive_s: Annotated[int, Meta(ge=5, le=3600)] = 15
    tls: TlsPlan | None = None
    receipts: Annotated[
        str,
        Meta(
            pattern=r"\A[a-z0-9-]{1,32}\Z",
            description=(
                '"puback", or the name of the consumer of record: '
                "1 to 32 of the characters a-z, 0-9 and -"
            ),
        ),
    ] = PUBACK
    """Who has to sign before an entry counts as delivered: the broker, or this consumer."""
    exports: tuple[Literal["geojson", "cot", "cap", "sitrep"], ...] = ("geojson",)
    """The formats of others in which incidents are told here: the map beside each incident, and
    what goes on `out/…` with each change."""
    commands: bool = False
    """Whether operators may order here what becomes of an incident: whoever the broker lets write
    on `command/incident`."""
    positions: Literal["conflated", "every"] = "conflated"
    """Routine positions: only the newest of each craft on its own topic, or each report as well."""
    position_interval_s: Annotated[float, Meta(ge=0, le=3600)] = 2.0
    """The shortest time between two positions of one craft."""
    routine_per_s: Annotated[int, Meta(ge=1, le=100_000)] = 500
    """Routine records and positions told in a second; twice as many may come at once."""
    party: PartyName | None = None
    """The other party whose broker this is: it is told only what the agreement lets cross."""
    agreement: AgreementName | None = None
    """The agreement in which it is that party, by its id."""


class JournalPlan(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the journal is and how much of what may fall away is kept."""

    path: FilePath
    routine_rows_max: Annotated[int, Meta(ge=1_000, le=100_000_000)] = 100_000
    """Newest routine reports kept."""
    refused_rows_max: Annotated[int, Meta(ge=1_000, le=100_000_000)] = 10_000
    """Newest refused frames kept, and as many unread ones; distress-like ones are no routine."""
    keep_hours: Annotated[int, Meta(ge=48, le=87_600)] = 48
    """How long distress, urgency and safety are kept after every link has taken them, at least."""
    reserve_mb: Annotated[int, Meta(ge=8, le=1024)] = 8
    """Held in a file beside the journal, for distress, urgency and safety when the disk is full.
    Half of the smallest may go to the journal's log."""


class RecordPlan(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The byte recorder: everything heard, as tapes that replay to the same entries."""

    directory: Annotated[
        str,
        Meta(
            pattern=r"\A[^\x00-\x1f\x7f]{1,4096}\Z",
            description="the path of a folder, as text",
            examples=["/var/lib/distress-gateway/tapes"],
        ),
    ]
    rotate_mb: Annotated[int, Meta(ge=1, le=4096)] = 64
    keep_mb: Annotated[int, Meta(ge=1, le=1_048_576)] = 1024


class HealthPlan(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the box's own health can be seen without a broker."""

    status_file: FilePath | None = None
    """The status as JSON, written anew every ten seconds; for a folder in memory, as /run is."""
    prometheus_port: Annotated[int, Meta(ge=1024, le=65_535, examples=[9404])] | None = None
    """Answers GET /metrics, on loopback only."""


class LogPlan(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the log is written."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["auto", "json", "words"] = "auto"
    """`auto` is words on a terminal and JSON everywhere else."""


Mmsi = Annotated[
    str,
    Meta(pattern=r"\A[0-9]{9}\Z", description="nine digits, as text", examples=["244123456"]),
]
Beacon = Annotated[
    str,
    Meta(
        pattern=r"\A(?:[0-9A-F]{15}|[0-9A-F]{23})\Z",
        description="15 or 23 of the characters 0-9 and A-F",
        examples=["ADCD00800404040"],
    ),
]


class CraftPlan(Struct, frozen=True, kw_only=True):
    """One craft of the operator's register: its names, and what it carries."""

    key: str
    """What the register calls it."""
    name: Words | None = None
    party: Words | None = None
    """Who answers for it."""
    mmsi: Mmsi | None = None
    icao24: (
        Annotated[
            str,
            Meta(
                pattern=r"\A[0-9A-F]{6}\Z",
                description="six of the characters 0-9 and A-F",
                examples=["A39657"],
            ),
        ]
        | None
    ) = None
    imo: Annotated[int, Meta(ge=1_000_000, le=9_999_999, examples=[9_074_729])] | None = None
    tail: Words | None = None
    callsign: Words | None = None
    tag: Words | None = None
    beacons: Annotated[tuple[Beacon, ...], Meta(max_length=64)] = ()
    """406 MHz beacons on board, by their hexadecimal identity."""
    devices: Annotated[tuple[Mmsi, ...], Meta(max_length=64)] = ()
    """MMSI of AIS-SART, man-overboard devices, EPIRB-AIS and boats on board."""


class RegisterPlan(Struct, frozen=True, kw_only=True):
    """The operator's own register."""

    craft: tuple[CraftPlan, ...] = ()


Place = Annotated[
    tuple[
        Annotated[float, Meta(ge=-90, le=90)],
        Annotated[float, Meta(ge=-180, le=180)],
    ],
    Meta(
        description="a latitude from -90 to 90 and a longitude from -180 to 180: latitude first",
        examples=[[51.129, 1.331]],
    ),
]


class Own(Struct, frozen=True, kw_only=True):
    """How this station itself is called on the air."""

    mmsi: Mmsi | None = None
    callsign: (
        Annotated[
            str,
            Meta(
                pattern=r"\A[A-Z0-9]{3,6}(?:-(?:[1-9]|1[0-5]))?\Z",
                description="a call sign, with its SSID if it has one",
                examples=["M0ABC-1"],
            ),
        ]
        | None
    ) = None
    """For AX.25."""
    node: Annotated[int, Meta(ge=1, le=0xFFFFFFFE)] | None = None
    """Its number, for Meshtastic."""


class TransmitPlan(Own, frozen=True, kw_only=True):
    """Who transmits here, and how much at the most. It takes keys and an agreement as well."""

    twins: Annotated[tuple[Mmsi, ...], Meta(max_length=8)] = ()
    """Other gateways that hear the same: what they transmit is no news, and is not relayed."""
    per_minute: Annotated[int, Meta(ge=1, le=60)] = 6
    """What one channel may have at the most. Distress may use all of it, routine half."""
    per_hour: Annotated[int, Meta(ge=1, le=600)] = 60
    airtime_s_per_hour: Annotated[float, Meta(ge=1, le=3600)] = 180.0
    acknowledges: Annotated[tuple[Name, ...], Meta(max_length=16)] = ()
    """Ports on which this station acknowledges by itself what the agreements let it; none by
    default. Nobody but a coast station does."""


class StationPlan(Struct, frozen=True, kw_only=True):
    """The whole configuration."""

    station: Name
    """The name of this station: in topics, reports and identities."""
    position: Place | None = None
    """Where it stands; incidents say how far from it, and in which direction, they are."""
    ports: tuple[PortPlan, ...]
    links: tuple[LinkPlan, ...]
    journal: JournalPlan
    record: RecordPlan | None
    log: LogPlan
    health: HealthPlan = HealthPlan()
    register_file: FilePath | None = None
    """The register, as the key `register` names it."""
    register: RegisterPlan = RegisterPlan()
    transmit: TransmitPlan = TransmitPlan()
    agreement_names: tuple[Words, ...] = ()
    """The agreements that bind this station, as the key `agreements` names them."""
    sides: dict[str, str] = {}
    """Which party of each this station is, as the table `party` says it."""
    agreements: tuple[Agreement, ...] = ()
    agreement_doubts: tuple[str, ...] = ()
    """Why some of them bind nobody: not all who have to have signed them."""
    keys_file: FilePath | None = None
    """The keys, as the key `keys` names them."""
    keys: tuple[KeyPlan, ...] = ()
    """Who may order transmissions."""
    left_out: tuple[str, ...] = ()
    """What could not be read of agreements and keys, and had to stand aside so that the watch could
    begin: while there is any, nothing is transmitted."""
