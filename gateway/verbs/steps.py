"""The steps that procedure proposes, as a person reads them: what, why, when, in which words."""

from __future__ import annotations

from collections.abc import Iterator

from gateway.model.advice import Advice, Step
from gateway.model.transmission import tag_of
from gateway.verbs.telling import printable

_IN = "   "


def advised(advice: Advice) -> Iterator[str]:
    """Yield the page, line by line."""
    for number, step in enumerate(advice.steps, start=1):
        yield f"{number}. {printable(step.words)}"
        yield from (f"{_IN}{line}" for line in _below(advice, step))
    if advice.unknown:
        yield f"not known: {printable('; '.join(advice.unknown))}"
    yield "Nothing of this is done by itself."


def _below(advice: Advice, step: Step) -> Iterator[str]:
    if step.not_before is not None:
        yield f"not before {step.not_before:%H:%M:%S}Z"
    if step.not_after is not None:
        yield f"until {step.not_after:%H:%M:%S}Z"
    yield f"because {printable(step.why)}"
    if step.action is not None:
        yield (
            f"distress-gateway send {tag_of(step.action)} --about {advice.incident_id[:8]}"
            f" --by {step.port} --key YOUR.key"
        )
    for line in step.script:
        yield f"say: {printable(line)}"
