# ruff: noqa: INP001
# A script beside the pages that it writes, and no package.
"""The generated pages: what is published, where, and which radios are read. Tables, no opinions."""

from __future__ import annotations

import ast
import tomllib
from collections import Counter
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

from bounds import bound_rows
from schemas import Channel, Json, asyncapi, channels
from tables import NOTE, cell, page, table

from gateway.radio import composer_named, words_for
from gateway.settings import profile_named, profile_names, radio_names

ROOT = Path(__file__).parents[1]


def schema_page() -> str:
    """Return docs/SCHEMA.md: every struct field by field, every closed list word by word."""
    components = asyncapi()["components"]
    parts = components["schemas"]
    first = ["Record", "Report", "RefusedRecord", "Refused"]
    order = [*first, *(name for name in parts if name not in first)]
    lines = [
        "# What subscribers read",
        NOTE,
        "Machines read [`config/schema/`](../config/schema/): JSON Schema 2020-12 and AsyncAPI 3.",
        "A field that is not known is absent: there are no magic values. Units are last in names.",
        "Fields may be added at any time; `schema` rises when one changes its meaning or goes.",
    ]
    for name in order:
        lines += [f"## {name}", *_struct(parts[name])]
    return page(lines)


def topics_page() -> str:
    """Return docs/TOPICS.md: every topic, who tells it, how, and with which payload."""
    return page(
        [
            "# Topics",
            NOTE,
            'Payloads are JSON, or msgpack where a link says `payload = "msgpack"`.',
            "What is told in the formats of others is the same on every link.",
            table(
                ("topic", "payload", "QoS", "retained", "what is told"),
                [_told(channel) for channel in channels()],
            ),
            "Everything of every station: `distress/v1/#`.",
            "Every real distress, and nothing else: `distress/v1/+/report/distress/#`.",
        ]
    )


def radios_page() -> str:
    """Return docs/RADIOS.md: the radio systems, and the modems whose facts are known."""
    lines = ["# Radio systems and modems", NOTE]
    for system in radio_names():
        lines += list(_radio(system))
    lines += [
        "# Profiles",
        "One file of facts each. The name leads to its page: wiring, settings, quirks.",
        table(
            ("profile", "what", "radio", "framing", "speed", "transmits", "proven"),
            [_profile(name) for name in profile_names()],
        ),
    ]
    return page(lines)


def bounds_page() -> str:
    """Return docs/BOUNDS.md: every place where things wait or are remembered, and its limit."""
    return page(
        [
            "# Bounds",
            NOTE,
            "Places that live as long as the program, and in which things wait or are remembered.",
            "Each has a limit, a rule for when it is full, and a count of what that has cost.",
            "`bounds` of the status says of each kind how full the fullest one is.",
            "Where distress passes through, more than half full is `alert/backlog`.",
            "No rule drops or delays distress that the disk has, or that a broker would take.",
            table(
                ("what", "limit", "when it is full", "distress", "where"),
                [tuple(map(cell, row)) for row in sorted(bound_rows())],
            ),
            "`tests/health/test_bounds.py` fails on a place with neither a line here nor a reason.",
        ]
    )


def modules_page() -> str:
    """Return docs/MODULES.md: every module of the gateway in its folder, by its own first words."""
    folders: dict[str, list[tuple[str, ...]]] = {}
    for path in sorted((ROOT / "gateway").rglob("*.py")):
        place = path.relative_to(ROOT)
        words = ast.get_docstring(ast.parse(path.read_text("utf-8"))) or ""
        first = " ".join(words.split("\n\n")[0].split())
        folders.setdefault(place.parent.as_posix(), []).append((f"`{place.name}`", cell(first)))
    lines = [
        "# Every module, by its own first words",
        NOTE,
        "Who may know whom, and how they work together: [ARCHITECTURE.md](ARCHITECTURE.md).",
    ]
    for folder, modules in folders.items():
        lines += [f"## {folder}/", table(("module", "what it is"), modules)]
    return page(lines)


def reliability_page() -> str:
    """Return docs/RELIABILITY.md: its own words, with the table of faults in its place anew."""
    faults = tomllib.loads((ROOT / "tests/faults/faults.toml").read_text("utf-8"))
    begin, end = "<!-- faults: tests/faults/faults.toml -->", "<!-- end of faults -->"
    words = (ROOT / "docs/RELIABILITY.md").read_text("utf-8")
    (before, rest) = words.split(begin)
    (_, after) = rest.split(end)
    head = ("fault", "injected", "must hold", "seen", "not promised", "tests")
    rows = table(head, [_fault(*one) for one in faults.items()])
    return f"{before}{begin}\n\n{rows}\n\n{end}{after}"


def _fault(number: str, facts: dict[str, str]) -> tuple[str, ...]:
    told = [cell(facts[key]) for key in ("injected", "must", "seen", "not_promised")]
    tests = "<br>".join(f"`{test}`" for test in facts["tests"])
    return (f"{number} {cell(facts['fault'])}", *told, tests)


def _radio(system: str) -> Iterator[str]:
    about = str(import_module(f"gateway.radio.{system}").__doc__)
    first, _, rest = about.partition("\n")
    file = f"tests/vectors/{system}.toml"
    vectors = tomllib.loads((ROOT / file).read_text("utf-8"))
    rows = vectors["vector"]
    framings = [row.get("framing", vectors.get("framing", "nmea")) for row in rows]
    kinds = Counter(report["kind"] for row in rows for report in row["reports"] if "kind" in report)
    profiles = [name for name in profile_names() if system in profile_named(name).radio]
    yield f"## {system}"
    yield first
    if rest.strip():
        yield f"```text\n{rest.strip(chr(10)).rstrip()}\n```"
    yield table(
        ("", ""),
        [
            ("told as", ", ".join(kind for kind, _ in kinds.most_common())),
            ("framing", ", ".join(f"`{name}`" for name in dict.fromkeys(framings))),
            ("can be ordered", _ordered(system)),
            ("profiles", ", ".join(f"[{name}](../hardware/modems/{name}.md)" for name in profiles)),
            ("vectors", f"{len(rows)}, in [{file}](../{file}), each in seven weathers"),
        ],
    )
    yield "Sources of the vectors:"
    yield "\n".join(f"- {cell(source)}" for source in sorted({row["source"] for row in rows}))


def _ordered(system: str) -> str:
    """Return which orders a system has words for, and what carries them."""
    composer = composer_named(system)
    if composer is None:
        return "nothing: it is only received"
    framings = ", ".join(f"`{name}`" for name in composer.framings)
    return f"{', '.join(f'`{word}`' for word in composer.says)}, by {framings}"


def _profile(name: str) -> tuple[str, ...]:
    facts = profile_named(name)
    return (
        f"[{name}](../hardware/modems/{name}.md)",
        cell(facts.title),
        ", ".join(facts.radio),
        facts.framing,
        str(facts.baud),
        ", ".join(words_for(facts.radio, facts.framing, facts.dialect)) if facts.transmit else "no",
        cell(facts.proven),
    )


def _told(channel: Channel) -> tuple[str, ...]:
    retained = "yes" if channel.retain else "no"
    if channel.expiry_s is not None:
        retained += f", for {channel.expiry_s} s"
    words = f"{channel.about} {channel.note[:1].upper()}{channel.note[1:]}".strip()
    names = [payload.__name__ for payload in channel.payloads]
    links = ", ".join(
        [
            *(f"[{name}](SCHEMA.md#{name.lower()})" for name in names),
            *(f"[{one.name}](EXPORTS.md)" for one in channel.foreign),
        ]
    )
    return f"`{channel.address}`", links, str(channel.qos), retained, cell(words)


def _struct(schema: Json) -> Iterator[str]:
    yield str(schema.get("description", "")).split("\n")[0]
    if "enum" in schema:
        told = dict(
            line.split(": ", 1)
            for line in str(schema["description"]).splitlines()
            if line[:1] == "`"
        )
        words = schema["enum"]
        yield table(
            ("word", "meaning"), [(f"`{word}`", cell(told.get(f"`{word}`", ""))) for word in words]
        )
        return
    if "anyOf" in schema:
        yield f"One of: {_kind(schema)}."
        return
    properties, always = schema.get("properties", {}), schema.get("required", [])
    yield table(
        ("field", "type", "always", "meaning"),
        [
            (
                f"`{name}`",
                _kind(field),
                "yes" if name in always else "",
                cell(str(field.get("description", ""))),
            )
            for name, field in properties.items()
        ],
    )


def _kind(field: Json) -> str:
    """Return the type of a field in a few words, with a link where it has a table of its own."""
    if "$ref" in field:
        name = str(field["$ref"]).rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if "anyOf" in field:
        kinds = [_kind(part) for part in field["anyOf"] if part != {"type": "null"}]
        return " or ".join(kinds)
    if "enum" in field:
        return " or ".join(f"`{word}`" for word in field["enum"])
    if field.get("type") == "array":
        return f"list of {_kind(field['items'])}" if field.get("items") else "list"
    if field.get("type") == "object" and isinstance(field.get("additionalProperties"), dict):
        return f"by name: {_kind(field['additionalProperties'])}"
    words = {"date-time": "time (RFC 3339)"}
    return words.get(str(field.get("format")), str(field.get("type", "anything")))
