"""`incident`: the board of a station on watch, and what an officer orders about it, over MQTT.

It asks the broker like any other client: what it may see and order is for the broker to say. A name
is given by as many of its digits as no other incident has.
"""

from __future__ import annotations

import argparse
import asyncio
import getpass
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from random import SystemRandom

import msgspec
from msgspec import MsgspecError, Struct

from gateway.clock import Clock
from gateway.correlate.flooded import flood_of, is_single
from gateway.export.cap import cap
from gateway.export.cot import cot
from gateway.export.geojson import geojson
from gateway.export.sitrep import sitrep
from gateway.model.command import IncidentCommand, Outcome, OutcomeState
from gateway.model.incident import CLOSED, Incident
from gateway.model.plan import LinkPlan
from gateway.mqtt.bus import CredentialFault, LinkLost, PublishRefused, SubscribeRefused
from gateway.mqtt.caller import Caller, Standing, calling
from gateway.mqtt.payload import IncidentRecord
from gateway.settings import load
from gateway.verbs.graph import explained, shown
from gateway.verbs.steps import advised
from gateway.verbs.telling import printable

FAILED, MISUSED = 1, 2

NOT_AFTER_S = 30.0
"""From now: longer than the outcome is waited for, and half of what a gateway lets pass."""

NO_ANSWER = """\
no outcome came in 5 s, and nobody knows whether the order was carried out: look with
`distress-gateway incident show`; does the link have `commands = true`, and is the station online?
"""


NO_ADVICE = """\
nothing is proposed: it is over, no distress, a test, an exercise or covert; or nobody is on watch
"""


class Unfit(Exception):  # noqa: N818  # it is an answer, not an error
    """What was asked for can't be done; the text says why, and what would help."""


def main(args: argparse.Namespace) -> int:
    """Do what the arguments ask for; 1 when it is refused, 2 when it can't be asked."""
    try:
        plan, station = broker_of(args)
        return asyncio.run(_do(args, plan, station))
    except Unfit as unfit:
        sys.stderr.write(f"{printable(str(unfit))}\n")
    except (LinkLost, PublishRefused, SubscribeRefused, CredentialFault) as error:
        sys.stderr.write(f"the broker: {printable(str(error))}\n")
    return FAILED


async def _do(args: argparse.Namespace, plan: LinkPlan, station: str) -> int:
    async with calling(plan) as caller:
        standing = await caller.standing(station)
        for name, online in standing.online.items():
            if not online:
                sys.stderr.write(f"station {printable(name)} is offline: this may be old\n")
        if args.action == "list":
            return _listed(standing, as_json=args.json)
        record = found(standing.records, args.id)
        if args.action in _SHOWN:
            return _SHOWN[args.action](args, record)
        if args.action == "advise":
            return await _advised(args, caller, record)
        if getattr(args, "flood", None):
            return await _closed(args, caller, standing.records, record)
        return await _ordered(args, caller, standing.records, record)


def found(records: Sequence[IncidentRecord], prefix: str) -> IncidentRecord:
    """Return the one incident whose name begins so; raise Unfit."""
    near = [one for one in records if one.incident.incident_id.startswith(prefix.lower())]
    if len(near) == 1:
        return near[0]
    if not near:
        words = f"no incident {prefix} stands on this broker; `incident list` names those that do"
        raise Unfit(words)
    names = ", ".join(one.incident.incident_id for one in near[:4])
    words = f"{prefix} may be any of {len(near)}: {names}; give more digits"
    raise Unfit(words)


def broker_of(args: argparse.Namespace) -> tuple[LinkPlan, str]:
    """Return the broker to ask, and whose incidents are wanted."""
    if args.host is not None:
        port = args.port or 1883
        plan = LinkPlan(name="incident", host=args.host, port=port, client_id="incident")
        return plan, args.station or "+"
    station = load(args.config)
    links = {link.name: link for link in station.links}
    name = args.link or next(iter(links), None)
    if name not in links:
        words = f"there is no link {name}; there are: {', '.join(links) or 'none'}"
        raise Unfit(words)
    link = links[name]
    return (
        msgspec.structs.replace(link, port=args.port or link.port),
        args.station or station.station,
    )


def _listed(standing: Standing, *, as_json: bool) -> int:
    records = sorted(standing.records, key=lambda one: one.incident.opened_mono_ns)
    if as_json:
        for record in records:
            sys.stdout.buffer.write(msgspec.json.encode(record) + b"\n")
        return 0
    if not standing.online:
        sys.stderr.write("no station says anything of itself on this broker\n")
    for record in records:
        told = record.incident
        sys.stdout.write(f"{told.incident_id}  {told.alarm.phase:<12}  {printable(told.say)}\n")
    if not records:
        sys.stdout.write("no incident stands\n")
    if standing.unread:
        sys.stderr.write(f"{standing.unread} records could not be read\n")
    return 0


def _show(args: argparse.Namespace, record: IncidentRecord) -> int:
    return page(record, shown(record.incident), as_json=args.json)


def _explain(args: argparse.Namespace, record: IncidentRecord) -> int:
    return page(record, explained(record.incident), as_json=args.json)


def page(record: Struct, lines: Iterator[str], *, as_json: bool) -> int:
    """Print these lines, or the record as JSON."""
    if as_json:
        sys.stdout.buffer.write(msgspec.json.encode(record) + b"\n")
    else:
        sys.stdout.write("\n".join(lines) + "\n")
    return 0


def _export(args: argparse.Namespace, record: IncidentRecord) -> int:
    now = Clock().now().utc_ns
    utc = datetime.fromtimestamp((now or 0) / 1e9, UTC)
    sys.stdout.buffer.write(_FORMS[args.form](record.incident, utc))
    return 0


_SHOWN: dict[str, Callable[[argparse.Namespace, IncidentRecord], int]] = {
    "show": _show,
    "explain": _explain,
    "export": _export,
}
_FORMS: dict[str, Callable[[Incident, datetime], bytes]] = {
    "geojson": lambda told, _utc: geojson(told) + b"\n",
    "cot": lambda told, utc: b"\n".join((*cot(told, utc), b"")),
    "cap": lambda told, utc: cap(told, utc, sender=told.station) + b"\n",
    "sitrep": lambda told, utc: sitrep(told, utc).encode() + b"\n",
}


async def _advised(args: argparse.Namespace, caller: Caller, record: IncidentRecord) -> int:
    """Print what stands proposed, step by step."""
    advice = await caller.advice(record.station, record.incident.incident_id)
    if advice is None:
        sys.stderr.write(NO_ADVICE)
        return FAILED
    return page(advice, advised(advice), as_json=args.json)


async def _ordered(
    args: argparse.Namespace,
    caller: Caller,
    records: Sequence[IncidentRecord],
    record: IncidentRecord,
) -> int:
    command = _command(args, records, record.incident)
    outcome = await caller.order(record.station, command)
    if outcome is None:
        sys.stderr.write(NO_ANSWER)
        return FAILED
    accepted = outcome.state is OutcomeState.ACCEPTED
    if args.json:
        sys.stdout.buffer.write(msgspec.json.encode(outcome) + b"\n")
    elif accepted:
        sys.stdout.write(f"{_said(outcome)}\n")
    else:
        sys.stderr.write(f"refused: {printable(outcome.reason or 'no reason given')}\n")
    return 0 if accepted else FAILED


async def _closed(
    args: argparse.Namespace,
    caller: Caller,
    records: Sequence[IncidentRecord],
    record: IncidentRecord,
) -> int:
    """Close a flood, an order after the other, or say how many incidents look like one."""
    left = _alike(args, records, record)
    if not args.yes:
        sys.stdout.write(
            f"{len(left)} incidents of that time are like {record.incident.incident_id}: each was"
            " heard once, and nobody has dealt with it\n"
            "nothing is closed yet: look at them, and order the same again with --yes\n"
        )
        return 0
    closed, seed = 0, record
    while True:
        outcome = await caller.order(record.station, _command(args, records, seed.incident))
        if outcome is None:
            sys.stderr.write(NO_ANSWER)
            return FAILED
        if args.json:
            sys.stdout.buffer.write(msgspec.json.encode(outcome) + b"\n")
        if outcome.state is not OutcomeState.ACCEPTED:
            sys.stderr.write(
                f"closed {closed}, left {len(left)}; refused: {printable(outcome.reason or '')}\n"
            )
            return FAILED
        closed += len(outcome.changed)
        left = {name: one for name, one in left.items() if name not in outcome.changed}
        if not left:
            sys.stdout.write("" if args.json else f"closed {closed} as false alerts\n")
            return 0
        seed = next(iter(left.values()))


def _alike(
    args: argparse.Namespace, records: Sequence[IncidentRecord], record: IncidentRecord
) -> dict[str, IncidentRecord]:
    """Return the incidents that the station may close with this one, as far as it can be seen here.

    It knows more: its register, and what it has not told yet.
    """
    heard_from, heard_until = args.flood
    ours = {
        one.incident.evidence[0].evidence_id: one
        for one in records
        if one.station == record.station
        and one.incident.phase not in CLOSED
        and not one.incident.evidence_more
        and is_single(
            one.incident.evidence, one.incident.alarm, one.incident.actions, lambda _name: ()
        )
    }
    evidence = [one.incident.evidence[0] for one in ours.values()]
    wanted = [piece.evidence_id for piece in record.incident.evidence[:1]]
    found = flood_of(evidence, heard_from, heard_until, *wanted) if wanted else []
    return {ours[name].incident.incident_id: ours[name] for name in found}


def _said(outcome: Outcome) -> str:
    kept = f"entry {outcome.number}" if outcome.journaled else "NOT on disk yet"
    return f"accepted, {kept}: {outcome.verb} {' '.join(outcome.changed)}"


def _command(
    args: argparse.Namespace, records: Sequence[IncidentRecord], told: Incident
) -> IncidentCommand:
    now = Clock().now().utc_ns
    until = datetime.fromtimestamp((now or 0) / 1e9, UTC) + timedelta(seconds=NOT_AFTER_S)
    said = {
        "command_id": f"{SystemRandom().getrandbits(64):016x}",
        "verb": args.action,
        "incident_id": told.incident_id,
        "author": args.author or _login(),
        "not_after": until,
    }
    if getattr(args, "flood", None):
        said["flood_from"], said["flood_until"] = args.flood
    if args.words is not None:
        said["words"] = args.words
    if args.action == "merge":
        said["other"] = found(records, args.other).incident.incident_id
    elif args.action == "split":
        said["evidence"] = [_piece(told, prefix) for prefix in args.evidence]
    elif args.action == "silence":
        said["silence_s"] = args.seconds
    try:
        return msgspec.convert(said, IncidentCommand)
    except MsgspecError as error:
        raise Unfit(str(error)) from None


def _piece(told: Incident, prefix: str) -> str:
    near = [one.evidence_id for one in told.evidence if one.evidence_id.startswith(prefix.lower())]
    if len(near) == 1:
        return near[0]
    words = f"{prefix} names {len(near)} pieces of evidence; `incident show` lists them"
    raise Unfit(words)


def _login() -> str:
    with suppress(OSError, KeyError, ImportError):
        return getpass.getuser()
    words = "nobody knows who orders this; say it with --author"
    raise Unfit(words)
