"""`send`: an officer signs an order to transmit, hands it in, and hears what becomes of it.

The private key never leaves the box on which this runs. Everything that goes on the air stands in
the letter that is signed; what an incident says of the casualty is put in here, and shown.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from base64 import b64decode
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from random import SystemRandom
from typing import Any

import msgspec
from msgspec import MsgspecError, Struct

from gateway.model.command import FINAL, Outcome, OutcomeState
from gateway.model.incident import Incident
from gateway.model.plan import LinkPlan
from gateway.model.transmission import Action, Envelope, Letter, Signature, signed_bytes
from gateway.mqtt.bus import CredentialFault, LinkLost, PublishRefused, SubscribeRefused
from gateway.mqtt.caller import Caller, Standing, calling
from gateway.settings.ed25519 import Key, read_key
from gateway.settings.keys import read_keys
from gateway.verbs.incident import FAILED, Unfit, broker_of, found
from gateway.verbs.keys import keys_file
from gateway.verbs.signing import now_utc
from gateway.verbs.telling import printable

ASKED_AGAIN = "the station has asked back twice: nothing was transmitted; order it again\n"
NO_ANSWER = """\
no outcome came, and nobody knows whether the order was taken: look at transmission/<port>; does the
link have `commands = true`, and is the station online?
"""

GOOD = frozenset({OutcomeState.ACCEPTED, OutcomeState.TRANSMITTED, OutcomeState.CONFIRMED})
"""What an order that was carried out ends with; one to a modem alone, or of an exercise, too."""


class Pen(Struct, frozen=True):
    """A private key, and the name by which the station knows it."""

    name: str
    key: Key


def main(args: argparse.Namespace) -> int:
    """Sign, hand in and follow one order; 1 when it comes to nothing, 2 when it can't be given."""
    try:
        pens = pens_of(args)
        plan, station = broker_of(args)
        return asyncio.run(_sent(args, plan, station, pens))
    except Unfit as unfit:
        sys.stderr.write(f"{printable(str(unfit))}\n")
    except (LinkLost, PublishRefused, SubscribeRefused, CredentialFault) as error:
        sys.stderr.write(f"the broker: {printable(str(error))}\n")
    return FAILED


def pens_of(args: argparse.Namespace) -> tuple[Pen, ...]:
    """Return the keys that sign, the author's first, by the names that the station knows."""
    path = keys_file(args)
    names = {one.public_key: one.name for one in read_keys(path)}
    return tuple(_pen(file, names, path) for file in (args.key, *args.second))


def _pen(file: str, names: dict[str, str], path: Path) -> Pen:
    key = read_key(Path(file))
    if key.public not in names:
        words = f"{file} is a key that {path} does not know; `distress-gateway keys list` names all"
        raise Unfit(words)
    return Pen(names[key.public], key)


async def _sent(args: argparse.Namespace, plan: LinkPlan, station: str, pens: Sequence[Pen]) -> int:
    async with calling(plan) as caller:
        standing = await caller.standing(station)
        name = _online(standing, station)
        incident = _incident(args, standing)
        letter = letter_of(args, name, standing.agreements.get(name, {}), incident)
        outcome = await _followed(args, caller, letter, pens)
        if outcome is not None and outcome.challenge is not None:
            fresh = {"challenge": outcome.challenge, **_when(args)}
            letter = msgspec.structs.replace(letter, **fresh)
            outcome = await _followed(args, caller, letter, pens)
    if outcome is None:
        sys.stderr.write(NO_ANSWER)
        return FAILED
    if outcome.challenge is not None:
        sys.stderr.write(ASKED_AGAIN)
        return FAILED
    return 0 if outcome.state in GOOD else FAILED


def _online(standing: Standing, station: str) -> str:
    """Return the one station that is there to take it."""
    there = [name for name, online in standing.online.items() if online]
    if len(there) == 1:
        return there[0]
    if not there:
        words = f"station {station} is not online on this broker: nobody would take it"
        raise Unfit(words)
    words = f"there are several stations: {', '.join(there)}; say which with --station"
    raise Unfit(words)


def _incident(args: argparse.Namespace, standing: Standing) -> Incident | None:
    return None if args.about is None else found(standing.records, args.about).incident


def letter_of(
    args: argparse.Namespace,
    station: str,
    agreements: dict[str, str],
    incident: Incident | None = None,
) -> Letter:
    """Return the letter that says all of this; raise Unfit for what can't be said."""
    said = {
        "command_id": f"{SystemRandom().getrandbits(64):016x}",
        "audience": station,
        **_when(args),
        "agreements": tuple(sorted(agreements.values())),
        "port": args.by,
        "action": {"type": args.action, **_action(args, incident)},
        "about": None if incident is None else incident.incident_id,
        "consents": tuple(args.consent),
        "language": args.language,
        "exercise": args.exercise,
    }
    try:
        return msgspec.convert(said, Letter)
    except MsgspecError as error:
        raise Unfit(str(error)) from None


def _when(args: argparse.Namespace) -> dict[str, Any]:
    """Return when it is given, and its number: the microseconds since 1970 rise by themselves."""
    now = now_utc(whole=False)
    return {
        "seq": round(now.timestamp() * 1e6),
        "issued": now,
        "not_after": now + timedelta(seconds=args.good),
    }


def _action(args: argparse.Namespace, incident: Incident | None) -> dict[str, Any]:
    """Return what is ordered, with what the incident says of the casualty where it is about one."""
    given = vars(args)
    named = {key: given[key] for key in _FIELDS if given.get(key) not in (None, False, "")}
    if args.action in {"ack", "relay", "cancel"}:
        distress = {key: named.pop(key) for key in _DISTRESS if key in named}
        # Who says the MMSI says all of it: an incident may hold what this casualty never said.
        named["distress"] = distress if "mmsi" in distress else {**_told_of(incident), **distress}
    return named


def _told_of(incident: Incident | None) -> dict[str, Any]:
    """Return what an incident says of its casualty; the time that a call has said is not in it."""
    if incident is None:
        return {}
    mmsi = [name.removeprefix("mmsi:") for name in incident.names if name.startswith("mmsi:")]
    at = incident.position
    found = {
        "mmsi": mmsi[0] if mmsi else None,
        "nature": incident.natures[0] if incident.natures else None,
        "place": None if at is None else {"lat_deg": at.lat_deg, "lon_deg": at.lon_deg},
    }
    return {key: value for key, value in found.items() if value is not None}


def sealed(letter: Letter, pens: Sequence[Pen]) -> Envelope:
    """Return the letter, signed by all of these."""
    body = msgspec.json.encode(letter)
    return Envelope(
        letter=body,
        signatures=tuple(
            Signature(key=pen.name, signature=b64decode(pen.key.sign(signed_bytes(body))))
            for pen in pens
        ),
    )


async def _followed(
    args: argparse.Namespace, caller: Caller, letter: Letter, pens: Sequence[Pen]
) -> Outcome | None:
    """Hand it in, print each stage, and return the last."""
    last = None
    async for outcome in caller.hand_in(letter, sealed(letter, pens)):
        last = outcome
        if args.json:
            sys.stdout.buffer.write(msgspec.json.encode(outcome) + b"\n")
            sys.stdout.flush()
        else:
            _say(outcome, letter.action)
    return last


def _say(outcome: Outcome, action: Action) -> None:
    words = [str(outcome.state)]
    if outcome.challenge is not None:
        words = ["asked back"]
    if outcome.state is OutcomeState.ACCEPTED:
        words.append(f": {msgspec.json.encode(action).decode()}")
    if outcome.until is not None:
        words.append(f" until {outcome.until:%H:%M:%S}Z")
    if outcome.clause is not None:
        words.append(f" by {outcome.clause}")
    if outcome.reason is not None:
        words.append(f": {outcome.reason}")
    is_bad = outcome.state in FINAL - GOOD and outcome.challenge is None
    stream = sys.stderr if is_bad else sys.stdout
    stream.write(f"{printable(''.join(words))}\n")
    stream.flush()


_DISTRESS = ("mmsi", "nature", "place", "time")
_FIELDS = (
    *_DISTRESS,
    *("to", "address", "area", "category", "test", "freq_hz", "vhf_channel"),
    *("words", "bulletin", "what", "channel", "power_dbm"),
)
"""What of the arguments stands in an action, by the same name."""
