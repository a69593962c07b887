# ruff: noqa: INP001
# A script beside the pages that it writes, and no package.
"""JSON Schema and AsyncAPI of everything the gateway publishes, made from the structs themselves.

The words under a field in the source are its description here: there is one text, in one place.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterable, Iterator
from enum import Enum
from itertools import pairwise
from pkgutil import walk_packages
from textwrap import dedent
from typing import Any, NamedTuple

import msgspec
from msgspec import Struct

import gateway.radio
from gateway import __version__
from gateway.model.advice import Advice
from gateway.model.command import IncidentCommand, Outcome, StatementCommand
from gateway.model.compliance import Compliance
from gateway.model.hotline import LineMessage, Shared
from gateway.model.inbound import Detail, Report
from gateway.model.listening import ChannelWatch
from gateway.model.status import Alert, PortLink, Status
from gateway.model.transmission import Envelope, Letter
from gateway.model.words import Mode
from gateway.mqtt.payload import (
    POSITION_EXPIRY_S,
    AlarmRecord,
    ClockRecord,
    IncidentRecord,
    Record,
    RefusedRecord,
    RulingRecord,
    StatementRecord,
    TransmissionRecord,
)
from gateway.mqtt.ranges import Answer, Request
from gateway.mqtt.receipts import Receipt
from gateway.mqtt.topics import Topics
from gateway.radio import system_names

DIALECT = "https://json-schema.org/draft/2020-12/schema"
STATION = "{station}"

Json = dict[str, Any]


class Foreign(NamedTuple):
    """A payload in a format of others, which has its own schema elsewhere."""

    name: str
    content_type: str
    about: str


class Channel(NamedTuple):
    """One kind of topic: what is told there, and how."""

    name: str
    address: str
    about: str
    """The promise of the method of Topics that names it."""
    payload: type[Struct] | None
    """None for a topic on which nothing but formats of others is told."""
    qos: int
    retain: bool
    expiry_s: int | None = None
    note: str = ""
    inbound: bool = False
    """Told to the gateway, not by it."""
    beside: tuple[type[Struct], ...] = ()
    """What else is told there."""
    foreign: tuple[Foreign, ...] = ()
    """What is told there in the formats of others."""

    @property
    def payloads(self) -> tuple[type[Struct], ...]:
        """Everything that is told there."""
        return (*((self.payload,) if self.payload else ()), *self.beside)


def channels() -> list[Channel]:
    """Return every channel, in the order of the class Topics."""
    topics = Topics(STATION)
    found: list[Channel] = []
    for name, method in inspect.getmembers(Topics, inspect.isfunction):
        if name.startswith("_") or name == "under":
            continue
        for title, words in _WORDS.get(name, {name: None}).items():
            wanted = list(inspect.signature(method).parameters)[1:]
            address = getattr(topics, name)(*(words or [f"{{{word}}}" for word in wanted]))
            others = _BESIDE.get(title, ()), _FOREIGN.get(title, ())
            about = _doc(method).removeprefix("Return ")
            found.append(
                Channel(title, address, about[:1].upper() + about[1:], *_TOLD[title], *others)
            )
    order = list(vars(Topics))
    return sorted(found, key=lambda one: order.index(one.name.split("_")[0]))


def schemas() -> dict[str, Json]:
    """Return each JSON Schema by the name of its file."""
    made = {
        "record.json": schema_of(Record),
        "refused.json": schema_of(RefusedRecord),
        "clock.json": schema_of(ClockRecord),
        "alarm.json": schema_of(AlarmRecord),
        "incident.json": schema_of(IncidentRecord),
        "advice.json": schema_of(Advice),
        "statement.json": schema_of(StatementRecord),
        "ruling.json": schema_of(RulingRecord),
        "transmission.json": schema_of(TransmissionRecord),
        "compliance.json": schema_of(Compliance),
        "watch.json": schema_of(ChannelWatch),
        "report.json": schema_of(Report),
        "status.json": schema_of(Status),
        "port.json": schema_of(PortLink),
        "alert.json": schema_of(Alert),
        "receipt.json": schema_of(Receipt),
        "request.json": schema_of(Request),
        "answer.json": schema_of(Answer),
        "command-incident.json": schema_of(IncidentCommand),
        "command-statement.json": schema_of(StatementCommand),
        "command-transmit.json": schema_of(Envelope),
        "letter.json": schema_of(Letter),
        "outcome.json": schema_of(Outcome),
        "hotline.json": schema_of(LineMessage),
        "hotline-shared.json": schema_of(Shared),
    }
    for system in system_names():
        made[f"detail-{system}.json"] = _union(details_of(system))
    return made


def schema_of(struct: type[Struct]) -> Json:
    """Return the schema of one struct, whole in itself."""
    (root,), components = components_of([struct])
    return {"$schema": DIALECT, "$id": _urn(struct.__name__), **root, "$defs": components}


def components_of(
    structs: Iterable[type[Struct]], template: str = "#/$defs/{name}"
) -> tuple[list[Json], Json]:
    """Return references to the schemas of these structs, and the schemas, with their words."""
    listed = [*structs]
    details = [detail for system in system_names() for detail in details_of(system)]
    roots, components = msgspec.json.schema_components([*listed, *details], ref_template=template)
    wanted = dict(components)
    wanted["Detail"] = {
        "title": "Detail",
        "description": _doc(Detail),
        "anyOf": [{"$ref": template.format(name=detail.__name__)} for detail in details],
    }
    for kind in _kinds():
        if kind.__name__ in wanted:
            _put_words(wanted[kind.__name__], kind)
    found = [dict(root) for root in roots[: len(listed)]]
    return found, _reachable(found, wanted)


def details_of(system: str) -> list[type[Detail]]:
    """Return every detail that a radio system's reports may carry."""
    module = f"gateway.radio.{system}"
    return [kind for kind in _details() if kind.__module__.startswith(module)]


def asyncapi() -> Json:
    """Return the AsyncAPI document: every channel told on, its payload, QoS and retention."""
    told = channels()
    structs = list(dict.fromkeys(payload for channel in told for payload in channel.payloads))
    roots, components = components_of(structs, "#/components/schemas/{name}")
    payloads = dict(zip(structs, roots, strict=True))
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Distress gateway",
            "version": __version__,
            "description": "Distress and position messages of every radio system, in one schema.",
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/json",
        "channels": {channel.name: _channel(channel) for channel in told},
        "operations": {
            f"{'take' if channel.inbound else 'tell'}_{channel.name}": _operation(channel)
            for channel in told
        },
        "components": {
            "messages": {
                struct.__name__: {
                    "name": struct.__name__,
                    "summary": _doc(struct).splitlines()[0],
                    "payload": payloads[struct],
                }
                for struct in structs
            }
            | {
                one.name: {"name": one.name, "summary": one.about, "contentType": one.content_type}
                for channel in told
                for one in channel.foreign
            },
            "schemas": components,
        },
    }


_WORDS = {
    # A mode is no level of its own: it moves the whole topic, so each has its channel.
    "report": {
        "report": ["{urgency}", "{system}", Mode.REAL],
        "report_test": ["{urgency}", "{system}", Mode.TEST],
        "report_exercise": ["{urgency}", "{system}", Mode.EXERCISE],
    },
    "incident": {
        "incident": ["{incident}", Mode.REAL],
        "incident_test": ["{incident}", Mode.TEST],
        "incident_exercise": ["{incident}", Mode.EXERCISE],
    },
    "incident_log": {
        "incident_log": ["{incident}", Mode.REAL],
        "incident_log_test": ["{incident}", Mode.TEST],
        "incident_log_exercise": ["{incident}", Mode.EXERCISE],
    },
    "refused": {
        "refused": ["{port}", Mode.REAL],
        "refused_exercise": ["{port}", Mode.EXERCISE],
    },
    "incident_advice": {"incident_advice": ["{incident}"]},
    "incident_geojson": {
        "incident_geojson": ["{incident}", Mode.REAL],
        "incident_geojson_test": ["{incident}", Mode.TEST],
        "incident_geojson_exercise": ["{incident}", Mode.EXERCISE],
    },
    "out": {
        "out": ["{form}", Mode.REAL],
        "out_test": ["{form}", Mode.TEST],
        "out_exercise": ["{form}", Mode.EXERCISE],
    },
    "command": {
        "command_incident": ["incident"],
        "command_statement": ["statement"],
        "command_transmit": ["transmit"],
    },
    "hotline": {"hotline": ["{party}", "{word}"], "hotline_shared": ["{party}", "shared"]},
}

_TOLD: dict[str, tuple[type[Struct] | None, int, bool, int | None, str, bool]] = {
    "status": (Status, 1, True, None, "birth and will share this topic", False),
    "port": (PortLink, 1, True, None, "told whenever it changes", False),
    "watch": (
        ChannelWatch,
        1,
        True,
        None,
        "whenever it changes, and every ten seconds: it holds only while the station is online",
        False,
    ),
    "report": (Record, 1, False, None, "QoS 0 for `routine`", False),
    "report_test": (Record, 1, False, None, "QoS 0 for `routine`", False),
    "report_exercise": (Record, 1, False, None, "QoS 0 for `routine`", False),
    **{
        f"refused{mode}": (
            RefusedRecord,
            1,
            False,
            None,
            "only frames that may be calls for help",
            False,
        )
        for mode in ("", "_exercise")
    },
    "clock": (ClockRecord, 1, False, None, "`step` or `offset`: see OPERATIONS.md", False),
    "alarm": (
        AlarmRecord,
        1,
        False,
        None,
        "`raised` or `cleared`: see OPERATIONS.md",
        False,
    ),
    **{
        f"incident{mode}": (
            IncidentRecord,
            1,
            True,
            None,
            "the newest word of it; an empty payload takes it off",
            False,
        )
        for mode in ("", "_test", "_exercise")
    },
    **{
        f"incident_log{mode}": (IncidentRecord, 1, False, None, "each change, signed for", False)
        for mode in ("", "_test", "_exercise")
    },
    **{
        f"incident_geojson{mode}": (
            None,
            1,
            True,
            None,
            "where the link has `geojson` among its `exports`; an empty payload takes it off",
            False,
        )
        for mode in ("", "_test", "_exercise")
    },
    **{
        f"out{mode}": (
            None,
            1,
            False,
            None,
            "`cot`, `cap` or `sitrep`, where the link has it among its `exports`",
            False,
        )
        for mode in ("", "_test", "_exercise")
    },
    "incident_advice": (
        Advice,
        1,
        True,
        None,
        "of real distress that stands open; an empty payload takes it off",
        False,
    ),
    "ruling": (RulingRecord, 1, False, None, "each verdict that is no matter of course", False),
    "compliance": (Compliance, 1, True, None, "how each rule stands now", False),
    "position": (Record, 0, True, POSITION_EXPIRY_S, "the newest of each craft, conflated", False),
    "alert": (Alert, 1, True, None, "an empty payload clears it", False),
    "command_incident": (
        IncidentCommand,
        1,
        False,
        None,
        "told to the gateway, JSON or msgpack; only where the link has `commands = true`",
        True,
    ),
    "command_statement": (
        StatementCommand,
        1,
        False,
        None,
        "told to the gateway, JSON or msgpack; only where the link has `commands = true`",
        True,
    ),
    "command_transmit": (
        Envelope,
        1,
        False,
        None,
        "told to the gateway, JSON or msgpack; in it a letter, signed: see OPERATIONS.md",
        True,
    ),
    "hotline": (
        LineMessage,
        1,
        False,
        None,
        "to the broker of a link with `party`, and read there from the gateways of that party",
        False,
    ),
    "hotline_shared": (Shared, 1, False, None, "QoS 0 for what is routine", False),
    "statement": (
        StatementRecord,
        1,
        False,
        None,
        "what somebody has stated, as it is kept",
        False,
    ),
    "transmission": (
        TransmissionRecord,
        1,
        False,
        None,
        "each stage of an order to transmit, as it is kept",
        False,
    ),
    "outcome": (Outcome, 1, False, None, "and on the response topic, when it is below it", False),
    "receipt": (Receipt, 1, False, None, "told to the gateway, JSON or msgpack", True),
    "request": (Request, 1, False, None, "told to the gateway, JSON or msgpack", True),
    "answer": (Answer, 1, False, None, "the records first, then this", False),
}
_BESIDE: dict[str, tuple[type[Struct], ...]] = {
    "answer": (
        Record,
        RefusedRecord,
        ClockRecord,
        AlarmRecord,
        IncidentRecord,
        RulingRecord,
        StatementRecord,
        TransmissionRecord,
    )
}
_MAPS = (Foreign("GeoJSON", "application/geo+json", "A map of one incident (RFC 7946)."),)
_EVENTS = (
    Foreign("CoT", "application/xml", "One Cursor-on-Target event of version 2.0."),
    Foreign("CAP", "application/cap+xml", "A message of the Common Alerting Protocol 1.2."),
    Foreign("Sitrep", "text/plain", "A telex in the style of SIT 185, its lines ended by CR LF."),
)
_FOREIGN: dict[str, tuple[Foreign, ...]] = {
    f"{name}{mode}": told
    for name, told in (("incident_geojson", _MAPS), ("out", _EVENTS))
    for mode in ("", "_test", "_exercise")
}


def _channel(channel: Channel) -> Json:
    structs = [struct.__name__ for struct in channel.payloads]
    structs += [one.name for one in channel.foreign]
    levels = [level[1:-1] for level in channel.address.split("/") if level.startswith("{")]
    return {
        "address": channel.address,
        "description": channel.about,
        "parameters": {level: {"description": _LEVELS[level]} for level in levels},
        "messages": {struct: {"$ref": f"#/components/messages/{struct}"} for struct in structs},
    }


def _operation(channel: Channel) -> Json:
    binding: Json = {"qos": channel.qos, "retain": channel.retain, "bindingVersion": "0.2.0"}
    if channel.expiry_s is not None:
        binding["messageExpiryInterval"] = channel.expiry_s
    found: Json = {
        "action": "receive" if channel.inbound else "send",
        "channel": {"$ref": f"#/channels/{channel.name}"},
        "bindings": {"mqtt": binding},
    }
    return {**found, "description": channel.note} if channel.note else found


_LEVELS = {
    "party": "the party that is spoken to, as the agreement names it",
    "word": "heartbeat, check, echo, receipt, call, guard_call, answer, told or notice",
    "station": "The name of the station, as configured.",
    "port": "The name of the port, as configured.",
    "channel": "The name of the channel in the agreements that have it watched.",
    "urgency": "distress, urgency, safety or routine.",
    "system": "The radio system: dsc, ais, gnss, …",
    "incident": "The name of the incident: 16 hexadecimal digits, the same while it lasts.",
    "form": "`cot`, `cap` or `sitrep`: the format of others.",
    "identity": "The MMSI of the craft, or the surest other name that it gave.",
    "what": "`step`: the time of day was moved. `offset`: what time it really was.",
    "event": "`raised`: something is wrong, or more than before. `cleared`: it is over.",
    "name": "What is wrong: journal, clock, undelivered, nondelivery, poison, …",
    "agreement": "The `id` of the agreement.",
    "rule": "The id of the rule in it.",
    "command_id": "The name of the command, as whoever gave it chose it.",
    "consumer": "The name of the consumer of record, as configured.",
}


def _urn(name: str) -> str:
    return f"urn:distress-gateway:v1:{name.lower()}"


def _union(structs: list[type[Detail]]) -> Json:
    roots, components = components_of(structs)
    return {
        "$schema": DIALECT,
        "$id": _urn(structs[0].__name__),
        "anyOf": roots,
        "$defs": components,
    }


def _details() -> Iterator[type[Detail]]:
    for found in walk_packages(gateway.radio.__path__, "gateway.radio."):
        module = __import__(found.name, fromlist=["_"])
        for kind in vars(module).values():
            if (
                isinstance(kind, type)
                and issubclass(kind, Detail)
                and kind.__module__ == found.name
                and kind is not Detail
            ):
                yield kind


def _kinds() -> list[type]:
    """Return every struct and every closed list of words there is, by way of the loaded modules."""
    return [*_below(Struct), *_below(Enum)]


def _below(kind: type) -> Iterator[type]:
    one: type
    for one in kind.__subclasses__():
        if one.__module__.startswith("gateway."):
            yield one
        yield from _below(one)


def _put_words(schema: Json, kind: type) -> None:
    """Put the words that stand under the fields in the source into the schema."""
    words = {}
    for one in reversed(kind.__mro__):
        if one.__module__.startswith("gateway."):
            words.update(field_words(one))
    schema["description"] = _doc(kind)
    properties = schema.get("properties")
    if isinstance(properties, dict):
        for name, found in properties.items():
            if name in words and isinstance(found, dict):
                properties[name] = {"description": words[name], **found}
    elif issubclass(kind, Enum):
        schema["enum"] = [member.value for member in kind]
        told = [
            f"`{member.value}`: {words[name]}"
            for name, member in kind.__members__.items()
            if name in words
        ]
        schema["description"] = "\n".join([_doc(kind), *told])


def field_words(kind: type) -> dict[str, str]:
    """Return the text under each field of a class, as it stands in the source."""
    tree = ast.parse(dedent(inspect.getsource(kind)))
    body = tree.body[0].body if isinstance(tree.body[0], ast.ClassDef) else []
    found: dict[str, str] = {}
    for field, below in pairwise(body):
        targets = field.targets if isinstance(field, ast.Assign) else []
        target = field.target if isinstance(field, ast.AnnAssign) else next(iter(targets), None)
        if (
            isinstance(target, ast.Name)
            and isinstance(below, ast.Expr)
            and isinstance(below.value, ast.Constant)
            and isinstance(below.value.value, str)
        ):
            found[target.id] = inspect.cleandoc(below.value.value)
    return found


def _reachable(roots: list[Json], components: Json) -> Json:
    """Return the components that the roots lead to, sorted by name."""
    found: set[str] = set()
    ahead: list[object] = [*roots]
    while ahead:
        part = ahead.pop()
        if isinstance(part, dict):
            ahead += part.values()
            name = str(part.get("$ref", "")).rpartition("/")[2]
            if name and name not in found:
                found.add(name)
                ahead.append(components[name])
        elif isinstance(part, list):
            ahead += part
    return {name: components[name] for name in sorted(found)}


def _doc(subject: object) -> str:
    return str(inspect.getdoc(subject))
