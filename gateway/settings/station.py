"""The station's file: gateway.toml and everything it points at, read into one frozen plan."""

from __future__ import annotations

import os
import ssl
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta, Struct
from msgspec.structs import asdict, replace

from gateway.model.keys import KeyPlan
from gateway.model.plan import (
    PUBACK,
    FilePath,
    HealthPlan,
    JournalPlan,
    LinkPlan,
    LogPlan,
    Name,
    Place,
    PortPlan,
    Profile,
    RecordPlan,
    RegisterPlan,
    StationPlan,
    TlsPlan,
)
from gateway.model.text import Words
from gateway.rules.bench import AGREEMENTS_MAX
from gateway.settings.binding import read_binding
from gateway.settings.faults import BadSettings, ConfigFault
from gateway.settings.keys import read_keys
from gateway.settings.lines import KeyPath
from gateway.settings.parties import Sides
from gateway.settings.places import default_config, shipped
from gateway.settings.profiles import folders_for, no_profile, profile_path, read_profile
from gateway.settings.register import read_register
from gateway.settings.tables import Table, TomlFile, read_file
from gateway.settings.transmit import read_transmit
from gateway.settings.wanted import wanted
from gateway.settings.wiring import check_wiring

JOURNAL_PATH = "/var/lib/distress-gateway/journal.db"
"""Where systemd's StateDirectory= puts it."""

MQTT_PORT = 1883
MQTT_TLS_PORT = 8883

PORTS_MAX = 64
"""More serial ports than any box has; each costs a task and a descriptor."""

LINKS_MAX = 8
"""Each link keeps its own outbox on disk."""

PASSWORD_BYTES_MAX = 65_535
"""MQTT 5 section 3.1.3.6: binary data of two length bytes."""

_TAPE = "tape:"
_TABLES = ("station", "port", "link", "journal", "record", "health", "log", "transmit")


class StationTable(Struct, frozen=True):
    """What stands in the table [station]."""

    name: Name
    register: FilePath | None = None
    agreements: Annotated[
        tuple[Words, ...],
        Meta(
            max_length=AGREEMENTS_MAX,
            description=f"the names or files of at most {AGREEMENTS_MAX} agreements",
            examples=[["agreements/strait.toml"]],
        ),
    ] = ()
    party: Sides = {}
    position: Place | None = None
    keys: FilePath | None = None


def load(
    path: Path | str | None = None,
    *,
    device_faults: Callable[[str], Iterable[str]] = lambda _device: (),
    on_watch: bool = False,
) -> StationPlan:
    """Return the checked configuration, or raise BadSettings with every fault in it.

    For whoever goes on watch, an agreement or a file of keys that can't be read is left out and
    named in the plan: calls have to be heard, whatever became of a file that only transmitting
    needs.

    Without a path it is the one that the environment names, the system's, or `config/gateway.toml`.
    Paths in the file count from the folder of the file. What may be wrong with a device is known
    where devices are opened: the caller says whom to ask.
    """
    example = shipped("config") / "gateway.toml"
    file = read_file(
        Path(path) if path is not None else default_config(),
        if_missing=f"name one with --config, or begin with a copy of {example}",
    )
    reader = _StationFile(file, device_faults, on_watch=on_watch)
    plan = reader.plan()
    faults = (*file.faults, *reader.other_faults)
    if plan is None or faults:
        raise BadSettings(tuple(sorted(faults, key=lambda fault: (fault.file, fault.line))))
    return plan


class _StationFile:
    """One reading of one file. A part that is at fault is left out, and its fault is noted."""

    def __init__(
        self, file: TomlFile, device_faults: Callable[[str], Iterable[str]], *, on_watch: bool
    ) -> None:
        self.file = file
        self._on_watch = on_watch
        self._left_out: list[str] = []
        self._device_faults = device_faults
        self.folder = file.path.absolute().parent
        self.other_faults: tuple[ConfigFault, ...] = ()
        self._profiles: dict[str, Profile | None] = {}

    def plan(self) -> StationPlan | None:
        """Return the plan; None, or one with holes, when there was a fault."""
        self.file.known_keys((), self.file.root, _TABLES)
        station = self.file.struct(("station",), StationTable)
        journal = self.file.struct(("journal",), JournalPlan, path=JOURNAL_PATH)
        record = self.file.struct(("record",), RecordPlan) if "record" in self.file.root else None
        if record is not None and record.rotate_mb > record.keep_mb:
            # At the key that was written: the other may be the default.
            written = self.file.table(("record",)) or {}
            key = "keep_mb" if "keep_mb" in written else "rotate_mb"
            what = f"rotate_mb = {record.rotate_mb} is more than keep_mb = {record.keep_mb}"
            self.file.fault(("record", key), what, "no tape would be kept: keep several of them")
        log = self.file.struct(("log",), LogPlan)
        health = self.file.struct(("health",), HealthPlan)
        ports = self._ports()
        links = self._links(station.name if station else "station")
        if not (station and journal and log and health):
            return None
        bound = read_binding(
            self.file,
            station.agreements,
            sides=station.party,
            links=links,
            absolute=self._absolute,
            aside=self._stands_aside,
        )
        register_file = station.register and self._absolute(station.register)
        keys_file = station.keys and self._absolute(station.keys)
        keys = self._keys(keys_file)
        return StationPlan(
            station=station.name,
            position=station.position,
            ports=ports,
            links=links,
            journal=replace(journal, path=self._absolute(journal.path)),
            record=record and replace(record, directory=self._absolute(record.directory)),
            log=log,
            health=replace(
                health, status_file=health.status_file and self._absolute(health.status_file)
            ),
            register_file=register_file,
            register=self._register(register_file),
            transmit=read_transmit(self.file, [port.name for port in ports]),
            agreement_names=bound.names,
            sides=station.party,
            agreements=bound.agreements,
            agreement_doubts=bound.doubts,
            keys_file=keys_file,
            keys=keys,
            left_out=tuple(self._left_out),
        )

    def _keys(self, path: str | None) -> tuple[KeyPlan, ...]:
        """Return who may order transmissions; nobody where the file is at fault."""
        if path is None:
            return ()
        try:
            return read_keys(Path(path))
        except BadSettings as bad:
            self._stands_aside("the keys", bad)
            return ()

    def _stands_aside(self, what: str, bad: BadSettings) -> None:
        """Note the faults of a file that only transmitting needs; on watch it is done without."""
        if self._on_watch:
            self._left_out.append(f"{what}: {bad.faults[0]}")
        else:
            self.other_faults += bad.faults

    def _register(self, path: str | None) -> RegisterPlan:
        """Return the register; its faults are told with its own file and lines."""
        if path is None:
            return RegisterPlan()
        try:
            register, faults = read_register(Path(path))
        except BadSettings as bad:
            register, faults = RegisterPlan(), bad.faults
        self.other_faults += faults
        return register

    def _ports(self) -> tuple[PortPlan, ...]:
        ports: list[PortPlan] = []
        taken: dict[str, str] = {}
        for name in self._named_tables("port", PORTS_MAX, "the gateway would hear nothing"):
            at = ("port", name)
            found = self.file.values(at, PortPlan, given=("name", "profile", "played"))
            device, modem = str(found.get("device", "")), found.get("modem")
            if device:
                found["device"] = self._device((*at, "device"), device)
                first = taken.setdefault(_same_place(device), name)
                if first != name:
                    what = f"is the device of port {first} already"
                    self.file.fault((*at, "device"), what, "give each port its own")
            profile = self._profile((*at, "modem"), modem) if isinstance(modem, str) else None
            if profile and found.get("freq_hz"):
                profile = replace(profile, freq_hz=found["freq_hz"])
            if device and profile:
                made = {"name": name, "profile": profile, "played": device.startswith(_TAPE)}
                ports.append(msgspec.convert({**made, **found}, PortPlan))
                check_wiring(self.file, at, ports[-1])
        return tuple(ports)

    def _device(self, at: KeyPath, device: str) -> str:
        """Return the device, a tape's path made absolute, after asking what is wrong with it."""
        if device.startswith(_TAPE):
            device = _TAPE + self._absolute(device.removeprefix(_TAPE))
        for what in self._device_faults(device):
            self.file.fault(at, what, "`distress-gateway ports` lists what is plugged in")
        return device

    def _profile(self, at: KeyPath, name: str) -> Profile | None:
        """Return the profile of that name; a broken one is told of once."""
        folders = folders_for(self.file.path)
        path = profile_path(name, folders)
        if path is None:
            what, remedy = no_profile(name, folders)
            self.file.fault(at, f'{what}: "{name}"', remedy)
            return None
        if name not in self._profiles:
            self._profiles[name] = None
            try:
                self._profiles[name] = read_profile(path)
            except BadSettings as bad:
                self.other_faults += bad.faults
        return self._profiles[name]

    def _links(self, station: str) -> tuple[LinkPlan, ...]:
        links: list[LinkPlan] = []
        for name in self._named_tables("link", LINKS_MAX, "nobody would be told anything"):
            at = ("link", name)
            with_tls = "tls" in (self.file.table(at) or {})
            defaults = {
                "client_id": f"distress-gateway-{station}-{name}",
                "port": MQTT_TLS_PORT if with_tls else MQTT_PORT,
            }
            found = self.file.values(
                at, LinkPlan, given=("name",), tables=("tls",), defaults=defaults
            )
            found["tls"] = self._tls((*at, "tls")) if with_tls else None
            found["password_file"] = self._password_file(at, found)
            self._line(at, found)
            if found.keys() >= {"host", "port", "client_id"}:
                links.append(msgspec.convert({"name": name, **found}, LinkPlan))
        self._check_clients(links)
        return tuple(links)

    def _line(self, at: KeyPath, found: Table) -> None:
        """Note what a link to another party can't have; nothing is exported there."""
        if (found.get("party") is None) != (found.get("agreement") is None):
            missing = "agreement" if found.get("agreement") is None else "party"
            remedy = f"add `{missing}`: a party is one of an agreement"
            self.file.fault(at, "has half of another party", remedy)
        if found.get("party") is None:
            return
        found["exports"] = ()
        for key, only in (("receipts", PUBACK), ("commands", False)):
            if found.get(key, only) != only:
                what = "is not for a link to another party"
                self.file.fault((*at, key), what, "leave it out: they give no orders here")

    def _tls(self, at: KeyPath) -> TlsPlan | None:
        """Return the TLS plan, after its files have been loaded as the client will load them."""
        plan = self.file.struct(at, TlsPlan)
        if plan is None:
            return None
        named = {key: self._absolute(path) for key, path in asdict(plan).items() if path}
        plan = replace(plan, **named)
        if (plan.cert_file is None) != (plan.key_file is None):
            self.file.fault(at, "has half a certificate", "give both cert_file and key_file")
        elif plan.cert_file and plan.key_file and self._readable((*at, "key_file"), plan.key_file):
            self._loadable(
                (*at, "cert_file"),
                plan.cert_file,
                lambda context: context.load_cert_chain(
                    str(plan.cert_file), plan.key_file, password=""
                ),
            )
        if plan.ca_file:
            self._loadable(
                (*at, "ca_file"),
                plan.ca_file,
                lambda context: context.load_verify_locations(plan.ca_file),
            )
        return plan

    def _loadable(self, at: KeyPath, path: str, load: Callable[[ssl.SSLContext], object]) -> None:
        if not self._readable(at, path):
            return
        try:
            load(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))
        except (ssl.SSLError, ValueError) as error:
            self.file.fault(
                at,
                f"can't be used for TLS: {getattr(error, 'reason', None) or error}",
                "it must be PEM, and a key must fit its certificate and have no passphrase",
            )

    def _readable(self, at: KeyPath, path: str) -> bool:
        try:
            with Path(path).open("rb") as file:
                file.read(1)
        except OSError as error:
            self.file.fault(
                at, f"can't be read: {error.strerror}", f"see {path}, its owner and mode"
            )
            return False
        return True

    def _password_file(self, at: KeyPath, found: Table) -> str | None:
        """Return where the password is, after a look whether it is there."""
        given = found.get("password_file")
        if not isinstance(given, str):
            return None
        at, path = (*at, "password_file"), self._absolute(given)
        if found.get("username") is None:
            self.file.fault(at, "stands without a username", "add `username`")
        try:
            with Path(path).open("rb") as file:
                first = file.readline(PASSWORD_BYTES_MAX + 1).rstrip(b"\r\n")
        except OSError as error:
            # The path is not shown: it may be the password itself, put in the wrong place.
            what = f"names a file that can't be read: {error.strerror}"
            self.file.fault(at, what, f"relative paths count from {self.folder}")
            return None
        if not 0 < len(first) <= PASSWORD_BYTES_MAX:
            remedy = f"its first line must be the password, at most {PASSWORD_BYTES_MAX} bytes"
            self.file.fault(at, f"names a file whose first line has {len(first)} bytes", remedy)
        return path

    def _check_clients(self, links: Iterable[LinkPlan]) -> None:
        """A broker ends the older of two connections with one client identifier, without end."""
        taken: dict[tuple[str, int, str], str] = {}
        for link in links:
            first = taken.setdefault((link.host.lower(), link.port, link.client_id), link.name)
            if first != link.name:
                what = f"is used by link {first} at the same broker"
                self.file.fault(("link", link.name, "client_id"), what, "give each its own")

    def _named_tables(self, kind: str, count_max: int, loss: str) -> list[str]:
        """Return the names of the tables `[kind.<name>]` that may be read on."""
        tables = self.file.table((kind,))
        if tables is None:
            return []
        if not tables:
            self.file.fault((kind,), f"there is no {kind}: {loss}", f"add a table [{kind}.main]")
        if len(tables) > count_max:
            self.file.fault((kind,), f"more than {count_max} of them", "use a second gateway")
        for name in tables:
            if not is_name(name):
                self.file.fault((kind, name), "is no good name", f"use {wanted(Name)}")
        return [name for name in tables if is_name(name)]

    def _absolute(self, path: str) -> str:
        return os.path.normpath(self.folder / path)


def is_name(text: str) -> bool:
    """Say whether a station, port or link may be called so."""
    try:
        msgspec.convert(text, Name)
    except msgspec.ValidationError:
        return False
    return True


def _same_place(device: str) -> str:
    """Return what is equal for two ways of naming one device."""
    for scheme in ("by-id", "by-path"):
        if device.startswith(f"{scheme}:"):
            device = f"/dev/serial/{scheme}/{device.removeprefix(f'{scheme}:')}"
    return os.path.realpath(device) if device.startswith("/") else device
