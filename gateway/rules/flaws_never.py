"""Rules that can never bind: what they wait for never happens, or is about nobody and nowhere."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct, inspect
from msgspec.structs import fields

from gateway.model.agreement import Clause, EventWord, Match, Zone
from gateway.rules.channels import TRAFFIC
from gateway.rules.events import SEPARATION
from gateway.rules.flaws_overlap import BY_RADIO, systems_of
from gateway.rules.ground import Ground
from gateway.rules.when import When
from gateway.rules.zones import half_round, is_around_pole

ADVICE = frozenset(
    {
        "approach",
        "call_attempts",
        "distress_override",
        "priority_order",
        "repeat_expect",
        "share_policy",
        "test_marking",
        "transmit_authority",
    }
)
"""Kinds that advise, warn, or answer requests: none of them ever says that it was violated."""

_BY_PLACE = frozenset({SEPARATION, "approach", "identification", "keep_out"})
"""Kinds that are about craft as radios hear them, and about nothing that people state."""

_WHOEVER = frozenset({("call_response", "who")})
"""Where `addressee` says what is so anyhow: whoever is called."""

_BY_RULES = frozenset({EventWord.VIOLATION, EventWord.SEPARATION_VIOLATION, EventWord.ENCOUNTER})

_CORNERS_MIN = 3
_ENDS_MIN = 2
_FLAT_DEG2 = 1e-12
"""A polygon smaller than this, some square centimetres, is a line."""

_HALF_ROUND = "a side goes half round the world, either way: put a corner between"


def idle(ground: Ground) -> Iterator[tuple[str, str]]:
    """Yield each rule that can never bind, or never binds somebody whom it names, and why."""
    for clause in ground.agreement.rules:
        for find in (_nobody, _no_channel, _nowhere, _no_craft, _unknown, _unheard):
            for words in find(clause, ground):
                yield clause.id, words


def _nobody(clause: Clause, ground: Ground) -> Iterator[str]:
    for path, names in _referred(clause.terms, "parties"):
        if (clause.kind, path) not in _WHOEVER and not ground.rolls.named(names):
            yield f"`{path}` names no party: who is meant by {', '.join(names)} only a call tells"


def _no_channel(clause: Clause, ground: Ground) -> Iterator[str]:
    for path, names in _referred(clause.terms, "channels"):
        if TRAFFIC not in names and not ground.dial.named(names):
            yield f"`{path}` names no channel: nothing is in the group {', '.join(names)}"


def _nowhere(clause: Clause, ground: Ground) -> Iterator[str]:
    for _, names in _referred(clause.terms, "zones"):
        for name in names:
            why = _emptiness(ground.agreement.zones[name])
            if why is not None:
                yield f"nothing is ever in the zone {name}: {why}"


def _no_craft(clause: Clause, ground: Ground) -> Iterator[str]:
    for _, names in _referred(clause.terms, "craft"):
        for name in names:
            if not ground.agreement.craft[name]:
                yield f"the class {name} covers no kind of craft"


def _unknown(clause: Clause, ground: Ground) -> Iterator[str]:
    """Yield whose craft nobody can recognise, where the rule is about nothing else of theirs."""
    if clause.kind not in _BY_PLACE:
        return
    named = (name for _, names in _referred(clause.terms, "parties") for name in names)
    for party in sorted(ground.rolls.named(named)):
        if ground.agreement.parties[party].match == Match():
            yield f"nothing says by what a craft of {party} is known: give `parties.{party}.match`"


def _unheard(clause: Clause, ground: Ground) -> Iterator[str]:
    for field in fields(type(clause.terms)):
        when = getattr(clause.terms, field.name)
        if isinstance(when, When):
            yield from _never(when, ground)


def _never(when: When, ground: Ground) -> Iterator[str]:
    """Yield why what is waited for never happens."""
    of_radio = [word for word in when.type if word in BY_RADIO]
    kinds = {clause.id: clause.kind for clause in ground.agreement.rules}
    if when.test and not of_radio:
        yield f"{_named(when.type)} never is a test: people state it, and state what is so"
    if (when.system or when.band or when.protocol or when.generation) and not of_radio:
        yield f"{_named(when.type)} is heard by no radio, and a system or band is asked for"
    elif of_radio and all(systems_of(when, word) == frozenset() for word in of_radio):
        yield f"{_named(of_radio)} is never heard on a system that `when` asks for"
    if when.between and len(ground.rolls.named(when.between)) < 2:
        yield "`when.between` names fewer than two parties: nothing is ever from one to another"
    if {*when.type} == {EventWord.SEPARATION_VIOLATION} and SEPARATION not in kinds.values():
        yield "no rule here is about separation: none is ever violated"
    if when.rules and _BY_RULES.isdisjoint(when.type):
        yield f"{_named(when.type)} is no verdict of a rule, and `when.rules` asks for one"
    elif when.rules and all(kinds[name] in ADVICE for name in when.rules):
        yield f"{', '.join(when.rules)} never says that it was violated: it warns, or is asked"


def _named(words: tuple[EventWord, ...] | list[EventWord]) -> str:
    return ", ".join(word.value for word in words)


def _emptiness(zone: Zone) -> str | None:
    """Return why nothing is in a zone; None where something may be."""
    if zone.floor_m is not None and zone.ceiling_m is not None and zone.floor_m > zone.ceiling_m:
        return f"its floor of {zone.floor_m:g} m is above its ceiling of {zone.ceiling_m:g} m"
    if (zone.centre is None) != (zone.radius_m is None):
        return "a circle needs `centre` and `radius_m`"
    if zone.centre is not None:
        return None if zone.radius_m else "its radius is 0"
    if zone.width_m is not None:
        return _no_corridor(zone)
    return _no_polygon(zone)


def _no_corridor(zone: Zone) -> str | None:
    if not zone.width_m or len(set(zone.points)) < _ENDS_MIN:
        return "a corridor needs a width and two places"
    return _HALF_ROUND if half_round(zone.points) else None


def _no_polygon(zone: Zone) -> str | None:
    if len(set(zone.points)) < _CORNERS_MIN:
        return f"a polygon needs {_CORNERS_MIN} corners"
    if half_round((*zone.points, zone.points[0])):
        return _HALF_ROUND
    if is_around_pole(zone.points):
        return "its sides go round a pole, where no polygon can be drawn: take a circle"
    return None if _area_deg2(zone) > _FLAT_DEG2 else "all of its corners are on one line"


def _area_deg2(zone: Zone) -> float:
    """Return the size of a polygon on a plain map, sides the shorter way round."""
    line: list[tuple[float, float]] = []
    for lat_deg, lon_deg in zone.points:
        before = line[-1][1] if line else lon_deg
        line.append((lat_deg, before + (lon_deg - before + 180.0) % 360.0 - 180.0))
    sides = zip(line, (*line[1:], line[0]), strict=True)
    (lat0, lon0) = line[0]
    return abs(
        sum(
            (y - lat0) * (to_x - lon0) - (to_y - lat0) * (x - lon0)
            for (y, x), (to_y, to_x) in sides
        )
    )


def _referred(terms: Struct, of: str, path: str = "") -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield each key that leads to these parts of the agreement, and the names it holds, if any."""
    for field in fields(type(terms)):
        value = getattr(terms, field.name)
        if isinstance(value, Struct):
            yield from _referred(value, of, f"{path}{field.name}.")
        elif value and of in _leads(inspect.type_info(field.type)):
            yield f"{path}{field.name}", (value,) if isinstance(value, str) else tuple(value)


def _leads(kind: inspect.Type) -> Iterator[object]:
    """Yield to which parts of an agreement a type leads."""
    match kind:
        case inspect.Metadata():
            yield (kind.extra or {}).get("names")
            yield from _leads(kind.type)
        case inspect.UnionType():
            for one in kind.types:
                yield from _leads(one)
        case inspect.VarTupleType():
            yield from _leads(kind.item_type)
        case _:
            return
