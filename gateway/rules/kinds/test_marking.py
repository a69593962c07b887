"""What is a test says so in its own radio's way; what doesn't say so is meant."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from msgspec import Meta, Struct

from gateway.model.agreement import EventWord, PartName
from gateway.model.asked import Request
from gateway.model.verdict import Judgement
from gateway.model.words import Mode
from gateway.rules.event import Event
from gateway.rules.ground import Ground
from gateway.rules.rule import Finding, Rule


class Terms(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """On these radio systems a test is what is marked as one, and nothing else is."""

    systems: Annotated[tuple[PartName, ...], Meta(min_length=1, max_length=32, examples=[["dsc"]])]
    """The systems of which a mark counts. What the mark is, each radio system says itself: a
    telecommand 118, a test protocol of a beacon, the words of an AIS safety message."""


class TestMarking(Rule):
    """Lets nothing be sent as a test unmarked, nor a mark stand on what is meant.

    Of what is heard, a marked test of one of these systems is as agreed. A mark of another system
    is `unknown`: nobody agreed what it is worth, so it may be meant.
    """

    terms = Terms
    of_distress = True
    __test__ = False
    """For pytest, which takes every class that is called so for one of tests."""

    def __init__(self, terms: Terms, ground: Ground) -> None:
        del ground
        self._terms = terms

    def hears(self) -> frozenset[EventWord]:
        """Hear what says of itself that it is a test."""
        return frozenset({EventWord.TEST})

    def hear(self, event: Event) -> Iterator[Finding]:
        """Say what a mark is worth."""
        if event.report is None:
            return
        agreed = ", ".join(self._terms.systems)
        if event.system in self._terms.systems:
            judgement, words = Judgement.OK, f"marked as a test on {event.system}: a test record"
        else:
            judgement = Judgement.UNKNOWN
            words = f"marked as a test on {event.system}, and only marks on {agreed} are agreed"
        yield Finding(judgement=judgement, subject=event.subject, words=words)

    def gate(self, request: Request) -> Finding | None:
        """Deny a test that does not say so, and a mark on anything else."""
        is_test, is_marked = request.purpose == EventWord.TEST, request.marked is not Mode.REAL
        if not is_test and not is_marked:
            return None
        if is_test and not is_marked:
            judgement, words = Judgement.DENIED, "a test that is not marked would be taken as meant"
        elif not is_test and request.marked is Mode.TEST:
            words = f"{request.purpose} marked as a test would be taken by nobody as meant"
            judgement = Judgement.DENIED
        else:
            judgement, words = Judgement.OK, "it says of itself what it is"
        return Finding(judgement=judgement, subject=request.request_id, words=words)


KIND = TestMarking
