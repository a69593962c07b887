"""`check`: is the configuration good, and what will it do? Nothing is opened and nobody is called.

A fault can never work and stops the start. A warning may be put right without touching a file: a
modem that is not plugged in, a folder that is not there yet.
"""

from __future__ import annotations

import argparse
import os
import stat
import sys
from collections.abc import Iterable, Iterator, Sequence
from ipaddress import ip_address
from pathlib import Path

from gateway.model.agreement import Agreement
from gateway.model.plan import LinkPlan, PortPlan, StationPlan
from gateway.settings import default_config, effective, load
from gateway.transport import WireLost
from gateway.transport.opening import check_device, scheme_of
from gateway.transport.plugged import ROOTS, Finder
from gateway.verbs.telling import printable

_NODES = ("", "by-id", "by-path", "udev")
"""The schemes that name a node of this box."""

_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def main(args: argparse.Namespace) -> int:
    """Print what the configuration comes to; faults are raised, all of them at once."""
    plan = load(args.config, device_faults=fatal_doubts)
    warnings = list(warnings_of(plan))
    if args.print:
        sys.stdout.write(effective(plan))
        sys.stderr.write("".join(f"warning: {warning}\n" for warning in warnings))
        return 0
    lines = [f"configuration  {printable(str(args.config or default_config()))}", *_summary(plan)]
    if warnings:
        lines += ["", "warnings", *(f"  {warning}" for warning in warnings)]
    counted = {0: "", 1: ", with 1 warning"}.get(len(warnings), f", with {len(warnings)} warnings")
    sys.stdout.write("\n".join([*lines, "", f"the configuration is good{counted}"]) + "\n")
    return 0


def fatal_doubts(device: str) -> list[str]:
    """Return why this device can't work as things are: nothing to leave a station with."""
    return [doubt.words for doubt in check_device(device) if doubt.fatal]


def malformed(device: str) -> list[str]:
    """Return why this device can never work as written: the only reason not to start a watch.

    A second adapter of the same name may be plugged in at any time; it costs its own port, and
    must not keep the others off watch.
    """
    return [doubt.words for doubt in check_device(device) if doubt.fatal and not doubt.passing]


def warnings_of(plan: StationPlan) -> Iterator[str]:
    """Yield what may keep the station from working, or from being safe, as things are now."""
    for port in plan.ports:
        if port.exercise:
            yield f"port {port.name}: all that is heard there is an exercise, a MAYDAY as well"
        for doubt in check_device(port.device):
            yield f"port {port.name}: {printable(doubt.words)}"
    for link in plan.links:
        for warning in _link_warnings(link):
            yield f"link {link.name}: {printable(warning)}"
    yield from (f"agreement {printable(doubt)}" for doubt in plan.agreement_doubts)
    yield from _agreement_warnings(plan.agreements, plan.ports)
    yield from _folder_warnings(plan)


def _agreement_warnings(
    agreements: tuple[Agreement, ...], ports: tuple[PortPlan, ...]
) -> Iterator[str]:
    """Yield what makes no sense in the agreements that bind the station, taken together."""
    if not agreements:
        return
    # `run` imports this module too, and is not to wait for every kind of rule that there is.
    from gateway.verbs.flaws import doubts_at_station  # noqa: PLC0415  # as said above

    for one in agreements:
        if one.own is None:
            words = "the station is none of its parties, and sends nothing for any of them"
            yield f"agreement {one.id}: {words}; say which it is in [station.party]"
    for doubt in doubts_at_station(agreements, ports):
        yield f"agreement {printable(doubt.where)}: {printable(doubt.words)}"


def _folder_warnings(plan: StationPlan) -> Iterator[str]:
    if Path(plan.journal.path).is_dir():
        yield f"journal: {printable(plan.journal.path)} is a folder; name a file in it"
    folders = {"journal": str(Path(plan.journal.path).parent)}
    if plan.record is not None:
        folders["record"] = plan.record.directory
    for name, folder in folders.items():
        if not _writable(Path(folder)):
            yield f"{name}: this user may not write in {printable(folder)}"


def _summary(plan: StationPlan) -> Iterator[str]:
    yield f"station        {plan.station}"
    yield f"journal        {printable(plan.journal.path)}"
    yield f"tapes          {printable(plan.record.directory) if plan.record else 'not recorded'}"
    yield f"log            {plan.log.level}, {plan.log.format}"
    for one in plan.agreements:
        as_party = f" as {one.own}" if one.own else ""
        yield f"agreement      {one.id} {one.version}, {_state(one)}{as_party}"
    if plan.keys:
        persons = sorted({key.person for key in plan.keys if key.revoked is None})
        by = ", ".join(port.name for port in plan.ports if port.profile.transmit) or "no port"
        yield printable(f"orders         by {', '.join(persons) or 'nobody'}; transmitted by {by}")
    yield ""
    yield from _table(
        ("port", "modem", "radio", "speed", "device", "now"),
        [_port_row(port) for port in plan.ports],
    )
    yield ""
    yield from _table(
        ("link", "broker", "MQTT", "payload", "protected by", "positions"),
        [_link_row(link) for link in plan.links],
    )


def _state(agreement: Agreement) -> str:
    return agreement.status.state.value.replace("_", " ")


def _port_row(port: PortPlan) -> tuple[str, ...]:
    profile = port.profile
    radios = ", ".join(profile.radio)
    return (
        port.name,
        port.modem,
        radios,
        str(profile.baud),
        printable(port.device),
        _now(port.device) + (", EXERCISE" if port.exercise else ""),
    )


def _now(device: str) -> str:
    """Return the node that bears this name now, or whether it can be used."""
    if check_device(device):
        return "not ready: see below"
    if scheme_of(device) not in _NODES:
        return "ready"
    try:
        return Finder(device, roots=ROOTS).find().path
    except WireLost:
        return "gone just now"


def _link_row(link: LinkPlan) -> tuple[str, ...]:
    broker = f"[{link.host}]" if ":" in link.host else link.host
    if link.tls is None:
        protection = "nothing"
    else:
        protection = "TLS, both sides" if link.tls.cert_file else "TLS"
    if link.username is not None:
        protection += ", password" if link.password_file else ", name"
    broker = f"{printable(broker)}:{link.port}"
    return link.name, broker, link.version, link.payload, protection, link.positions


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Yield the rows under their heads, each column as wide as it must be."""
    widths = [max(len(row[column]) for row in (head, *rows)) for column in range(len(head))]
    for row in (head, *rows):
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        yield "  ".join(cells).rstrip()


def _link_warnings(link: LinkPlan) -> Iterator[str]:
    if link.tls is None and not _is_this_box(link.host):
        yield "not encrypted: whoever is on the way can read, forge and hold back reports"
        if link.password_file is not None:
            yield "the password goes over the network in plain text"
    keys = [link.password_file, link.tls.key_file if link.tls else None]
    for path in keys:
        if path is not None and Path(path).stat().st_mode & _OTHERS:
            yield f"{path} may be read by others: chmod 600"


def _is_this_box(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _writable(folder: Path) -> bool:
    """Say whether this user can write there, or make the folder where it belongs."""
    standing: Iterable[Path] = (one for one in (folder, *folder.parents) if one.exists())
    nearest = next(iter(standing))
    return nearest.is_dir() and os.access(nearest, os.W_OK | os.X_OK)
