"""What operators order about incidents: carried out, or refused with the reason. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from msgspec.structs import replace

from gateway.correlate import flooded, sounding
from gateway.correlate.links import SURE
from gateway.correlate.standing import Standing
from gateway.correlate.web import Web
from gateway.model.incident import (
    CLOSED,
    Action,
    AlarmPhase,
    IncidentOrder,
    Link,
    LinkKind,
    OrderVerb,
    Phase,
    Split,
)
from gateway.model.words import Mode

ORDERS_MAX = 256
"""Orders to join and to take apart that are in force, the newest."""


class OrderRefused(ValueError):  # noqa: N818  # it is an answer, not an error
    """An order that can't be carried out; the text says why, and what would help."""


def known(standing: Mapping[str, Standing], incident_id: str) -> Standing:
    """Return what is known of an incident; raise OrderRefused when it is not on the board."""
    found = standing.get(incident_id)
    if found is None:
        why = f"there is no incident {incident_id} on the board; `incident list` names them"
        raise OrderRefused(why)
    return found


def carry_out(
    web: Web,
    standing: Mapping[str, Standing],
    order: IncidentOrder,
    mono_ns: int,
    utc: datetime | None,
) -> tuple[list[str], set[str]]:
    """Carry out an order; return the incidents that it is about, and around what to look anew.

    Raises:
        OrderRefused: it can't be done; the text says why.
    """
    one = known(standing, order.incident_id)
    if order.verb is OrderVerb.MERGE:
        return [order.incident_id], join(web, one, known(standing, order.other or ""), order)
    if order.verb is OrderVerb.SPLIT:
        return [order.incident_id], take_apart(web, one, order, utc)
    names = _flood(web, standing, order, utc)
    for name in names:
        act(standing[name], order, mono_ns, utc)
    return names, set()


def _flood(
    web: Web, standing: Mapping[str, Standing], order: IncidentOrder, utc: datetime | None
) -> list[str]:
    """Return the incident alone, or what one order closes of the flood that it is of."""
    heard_from, heard_until = order.flood_from, order.flood_until
    if heard_from is None or heard_until is None:
        return [order.incident_id]
    why = flooded.why_not(heard_from, heard_until, utc)
    if why is not None:
        raise OrderRefused(why)
    singles: dict[str, str] = {}
    for name, one in standing.items():
        evidence = [web.strands[member].evidence for member in one.members]
        is_open = one.incident is not None and one.closed is None
        if is_open and flooded.is_single(evidence, one.alarm, one.actions, web.carried):
            singles[evidence[0].evidence_id] = name
    pieces = [web.strands[member].evidence for member in singles]
    wanted = next(
        (piece for piece in pieces if singles[piece.evidence_id] == order.incident_id), None
    )
    found = (
        []
        if wanted is None
        else flooded.at_once(pieces, heard_from, heard_until, wanted.evidence_id)
    )
    if not found:
        why = (
            f"{order.incident_id} is of no flood in that time: two dozen calls within ten minutes,"
            " each heard once, unanswered, dealt with by nobody, of no craft in the register"
        )
        raise OrderRefused(why)
    return [singles[piece] for piece in found]


def act(one: Standing, order: IncidentOrder, mono_ns: int, utc: datetime | None) -> None:
    """Carry out an order that concerns one incident alone.

    Raises:
        OrderRefused: it makes no sense as the incident stands.
    """
    refuse_out_of_turn(one, order.verb)
    alarm, by = one.alarm, order.author
    if order.verb is OrderVerb.SILENCE:
        one.alarm = sounding.silenced(alarm, by, mono_ns, utc, order.silence_s)
    elif order.verb is OrderVerb.REOPEN:
        one.closed = None
        if one.incident is not None and sounding.may_sound(one.incident):
            one.alarm = sounding.raised(alarm, f"reopened by {by}", mono_ns, utc)
    elif order.verb in _ALARMS:
        one.alarm = sounding.taken(alarm, _ALARMS[order.verb], by, mono_ns, utc)
    elif order.verb in _CLOSES:
        one.closed = _CLOSES[order.verb]
        cleared = sounding.taken(alarm, AlarmPhase.CLEARED, by, mono_ns, utc)
        one.alarm = replace(cleared, why=order.words or order.verb.value)


def refuse_out_of_turn(one: Standing, verb: OrderVerb) -> None:
    """Raise OrderRefused where an order makes no sense as the incident stands."""
    phase = None if one.incident is None else one.incident.phase
    why = None
    if verb is OrderVerb.REOPEN and phase not in CLOSED:
        why = "it is open"
    elif verb in (*_ALARMS, *_CLOSES, OrderVerb.SILENCE) and phase in CLOSED:
        why = f"it is over ({phase}); reopen it first"
    elif verb is OrderVerb.CONFIRM_CANCEL and phase is not Phase.AWAITING_CONFIRMATION:
        why = "the casualty has cancelled nothing; `resolve` or `false-alert` says that it is over"
    elif verb is OrderVerb.SILENCE and one.alarm.phase not in _SOUNDING:
        why = f"its alarm is {one.alarm.phase}, and makes no sound"
    if why is not None:
        raise OrderRefused(why)


def deed_of(order: IncidentOrder, mono_ns: int, utc: datetime | None) -> Action:
    """Return the note of what an operator did, as it stays with the incident."""
    return Action(verb=order.verb, author=order.author, mono_ns=mono_ns, utc=utc, words=order.words)


def join(web: Web, one: Standing, other: Standing, order: IncidentOrder) -> set[str]:
    """Join two incidents, and take back what took them apart; return where to look anew.

    Raises:
        OrderRefused: they are one already, or one is real and the other is not, or one name is
            used in both, at places where one thing can't have been.
    """
    if one is other:
        why = "a merge needs the name of another incident"
        raise OrderRefused(why)
    if _mode(one) is not _mode(other):
        why = "what is real, a test or an exercise can't be merged with another"
        raise OrderRefused(why)
    if any(name in other.members for member in one.members for name in web.strands[member].twice):
        why = "both use one name, at places where one thing can't have been: one of them is another"
        raise OrderRefused(why)
    first, second = sorted((min(one.members), min(other.members)))
    web.splits = [split for split in web.splits if not _between(split, one.members, other.members)]
    web.joins[frozenset((first, second))] = Link(
        kind=LinkKind.OPERATOR,
        weight=SURE,
        one=first,
        other=second,
        words=f"{order.author} says so" + (f": {order.words}" if order.words else ""),
    )
    while len(web.joins) > ORDERS_MAX:
        del web.joins[next(iter(web.joins))]
    return {first, second}


def take_apart(web: Web, one: Standing, order: IncidentOrder, utc: datetime | None) -> set[str]:
    """Take evidence out of an incident; return where to look anew.

    Raises:
        OrderRefused: nothing would be left on one side.
    """
    out = frozenset(order.evidence) & one.members
    rest = one.members - out
    if not out or not rest:
        why = (
            "a split needs some of the evidence of the incident, and not all of it;"
            " `incident show` names it"
        )
        raise OrderRefused(why)
    for ends in [ends for ends in web.joins if ends & out and ends & rest]:
        del web.joins[ends]
    split = Split(one=tuple(sorted(out)), other=tuple(sorted(rest)), by=order.author, utc=utc)
    web.splits = [*web.splits, split][-ORDERS_MAX:]
    return {min(out), min(rest)}


_SOUNDING = (AlarmPhase.RAISED, AlarmPhase.SILENCED)
_ALARMS = {
    OrderVerb.ACK: AlarmPhase.ACKNOWLEDGED,
    OrderVerb.TRANSFER: AlarmPhase.TRANSFERRED,
}
_CLOSES = {
    OrderVerb.RESOLVE: Phase.RESOLVED,
    OrderVerb.FALSE_ALERT: Phase.FALSE_ALERT,
    OrderVerb.CONFIRM_CANCEL: Phase.CANCELLED,
}


def _mode(one: Standing) -> Mode | None:
    return None if one.incident is None else one.incident.mode


def _between(split: Split, one: frozenset[str], other: frozenset[str]) -> bool:
    left, right = set(split.one), set(split.other)
    return bool((left & one and right & other) or (left & other and right & one))
