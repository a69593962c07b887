"""The configuration as it is in force: every key with its value, as a file that loads again."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct
from msgspec.structs import fields

from gateway.model.plan import LinkPlan, PortPlan, StationPlan


def effective(plan: StationPlan) -> str:
    """Return the whole configuration as TOML, defaults written out and paths made absolute."""
    station = [_line("name", plan.station)]
    if plan.position is not None:
        station.append(_line("position", plan.position))
    if plan.register_file is not None:
        station.append(_line("register", plan.register_file))
    if plan.agreement_names:
        station.append(_line("agreements", plan.agreement_names))
    if plan.sides:
        station.append(_line("party", plan.sides))
    if plan.keys_file is not None:
        station.append(_line("keys", plan.keys_file))
    blocks = ["\n".join(["[station]", *station])]
    blocks += [_port(port) for port in plan.ports]
    blocks += [_link(link) for link in plan.links]
    blocks.append(_table("journal", plan.journal))
    if plan.record is not None:
        blocks.append(_table("record", plan.record))
    blocks.append(_table("transmit", plan.transmit))
    blocks.append(_table("health", plan.health))
    blocks.append(_table("log", plan.log))
    return "\n\n".join(blocks) + "\n"


def _port(port: PortPlan) -> str:
    facts = [f"#   {line}" for line in _lines(port.profile)]
    return "\n".join(
        [
            f"[port.{port.name}]",
            *_lines(port, "name", "profile", "played"),
            f"# The facts of {port.modem}:",
            *facts,
        ]
    )


def _link(link: LinkPlan) -> str:
    text = _table(f"link.{link.name}", link, "name", "tls")
    return text if link.tls is None else f"{text}\n\n{_table(f'link.{link.name}.tls', link.tls)}"


def _table(name: str, struct: Struct, *apart: str) -> str:
    return "\n".join([f"[{name}]", *_lines(struct, *apart)])


def _lines(struct: Struct, *apart: str) -> Iterator[str]:
    for field in fields(struct):
        value = getattr(struct, field.name)
        if field.name not in apart and value is not None:
            yield _line(field.name, value)


def _line(key: str, value: object) -> str:
    return f"{key} = {toml(value)}"


def toml(value: object) -> str:
    """Return a value as TOML writes it, in one line."""
    match value:
        case bool():
            return str(value).lower()
        case str():
            return '"' + "".join(_escaped(character) for character in value) + '"'
        case tuple():
            return "[" + ", ".join(toml(part) for part in value) + "]"
        case dict():
            return "{ " + ", ".join(_line(key, one) for key, one in value.items()) + " }"
        case _:
            return str(value)


def _escaped(character: str) -> str:
    if character in '"\\':
        return f"\\{character}"
    return character if character.isprintable() else f"\\U{ord(character):08X}"
