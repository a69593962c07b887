"""The steps that procedure proposes, as a person reads them: what, why, when, in which words."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from decimal import Decimal

from msgspec.structs import astuple

from gateway.model.advice import Advice, Proposed, Step
from gateway.model.transmission import (
    Acknowledge,
    Cancel,
    Distress,
    Relay,
    Silence,
    tag_of,
)
from gateway.verbs.telling import printable

_IN = "   "
ID_DIGITS = 8
"""Of an incident's name: no two on one broker begin alike by chance."""


def advised(advice: Advice) -> Iterator[str]:
    """Yield the page, line by line."""
    for number, step in enumerate(advice.steps, start=1):
        yield f"{number}. {printable(step.words)}"
        yield from (f"{_IN}{line}" for line in _below(advice, step))
    if advice.unknown:
        yield f"not known: {printable('; '.join(advice.unknown))}"
    yield "Nothing of this is done by itself."


def typed(action: Proposed, incident: str, port: str) -> str:
    """Return the line by which a person sends this, word for word, with a key of his own."""
    words = ["distress-gateway", "send", *_said(action)]
    ends = ["--about", incident[:ID_DIGITS], "--by", port, "--key", "YOUR.key"]
    return shlex.join([*words, *ends])


def _said(action: Proposed) -> Iterator[str]:
    """Yield the words of an action that stand between `send` and what holds for every letter."""
    yield tag_of(action)
    match action:
        case Silence():
            yield from (action.channel, action.words)
        case Acknowledge() | Cancel():
            yield from _distress(action.distress)
        case Relay():
            yield from _distress(action.distress)
            yield f"--to={action.to.value}"
            if action.address is not None:
                yield f"--address={action.address}"
            if action.area is not None:
                yield f"--area={','.join(str(one) for one in astuple(action.area))}"


def _distress(distress: Distress) -> Iterator[str]:
    if distress.mmsi is not None:
        yield f"--mmsi={distress.mmsi}"
    if distress.nature is not None:
        yield f"--nature={distress.nature.value}"
    if distress.place is not None:
        # Digit for digit: a call says whole minutes, and what falls short of one says another.
        lat, lon = (f"{Decimal(repr(one)):f}" for one in astuple(distress.place))
        yield f"--place={lat},{lon}"
    if distress.time is not None:
        yield f"--time={distress.time}"


def _below(advice: Advice, step: Step) -> Iterator[str]:
    if step.not_before is not None:
        yield f"not before {step.not_before:%H:%M:%S}Z"
    if step.not_after is not None:
        yield f"until {step.not_after:%H:%M:%S}Z"
    yield f"because {printable(step.why)}"
    if step.action is not None and step.port is not None:
        yield printable(typed(step.action, advice.incident_id, step.port))
    for line in step.script:
        yield f"say: {printable(line)}"
