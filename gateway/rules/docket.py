"""What agreements say, as it leaves the rooms: labels on what was heard, and notes to be kept.

Until it is known what the run before remembered, nothing is judged: what is heard waits, and its
verdicts come as notes afterwards. So no deadline begins twice, and no silence is forgotten.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator

from msgspec import Struct
from msgspec.structs import replace

from gateway.model.agreement import EventWord
from gateway.model.asked import Fact, Request, Stated
from gateway.model.bounds import Bound
from gateway.model.compliance import Compliance
from gateway.model.inbound import Moment, Ruling, Sighting
from gateway.model.verdict import Judgement, VerdictNote
from gateway.model.words import Mode
from gateway.rules.bench import Bench, note_of
from gateway.rules.engine import Gated
from gateway.rules.permit import Load, Permit, permitted

WAITING_MAX = 4096
"""Sightings that wait for what was remembered: some seconds of a busy station, and it is read in
one. What finds no room is judged by nobody; it is told and kept like everything else."""

TOLD_MAX = 64
"""Verdicts of one rule that are told at once."""

TOLD_PER_S = 2.0
"""And told in a second after that: more than anybody reads. The others are counted."""


class Gate(Struct, frozen=True):
    """What came of asking to transmit."""

    gated: Gated
    notes: tuple[VerdictNote, ...] = ()
    """Every verdict, to be kept before the first byte."""
    permit: Permit | None = None


def kept_of(
    fact: Fact, boot: str | None, notes: Iterable[VerdictNote]
) -> list[Stated | VerdictNote]:
    """Return what is kept of a fact: itself, and what the rules say of it.

    A sign of a receiver that changes no verdict is one of thousands a day, and is not.
    """
    verdicts: list[Stated | VerdictNote] = list(notes)
    is_sign = fact.what is EventWord.WATCH_EVIDENCE and fact.person is None
    return verdicts if is_sign and not verdicts else [Stated(fact=fact, boot=boot), *verdicts]


class _Pace(Struct):
    """How much of one rule may be told."""

    left: float = TOLD_MAX
    mono_ns: int = 0
    untold: int = 0


class Docket:
    """The agreements of a station, asked about what it hears."""

    def __init__(self, bench: Bench, *, begun: bool = True) -> None:
        self.bench = bench
        self.begun = begun or not bench.engines
        """Whether what is heard is judged: what was remembered has been taken up, or waited for."""
        self.remembers = True
        """Whether it has been taken up, as far as there is any: until then nothing is let pass."""
        self._waiting: deque[Callable[[], list[VerdictNote]]] = deque()
        self._unjudged = 0
        self._paces: dict[tuple[str, str], _Pace] = {}
        """Of the rules that have said anything."""

    @property
    def ready(self) -> bool:
        """Whether what was remembered has been taken up, and is judged by."""
        return self.begun and self.remembers

    def judge(self, sighting: Sighting, at: Moment) -> tuple[Ruling, list[VerdictNote]]:
        """Return the sighting with every verdict on it, and those of them that are to be told.

        An exercise is on no air, so it breaks no agreement about it, and keeps none.
        """
        if not self.bench.engines or sighting.report.mode is Mode.EXERCISE:
            return Ruling(sighting), []
        if not self.begun:
            self._wait(lambda: self._paced(self.bench.sighting(sighting, at), at.mono_ns))
            return Ruling(sighting), []
        notes = self.bench.sighting(sighting, at)
        verdicts = tuple(note.verdict for note in notes)
        return Ruling(sighting, verdicts), self._paced(notes, at.mono_ns)

    def begin(self, *, remembers: bool = True) -> list[VerdictNote]:
        """Judge what waited, now that what was remembered has been taken up, or comes too late."""
        self.begun, self.remembers = True, remembers
        notes: list[VerdictNote] = []
        while self._waiting:
            notes += self._waiting.popleft()()
        return notes

    def fact(self, fact: Fact) -> list[VerdictNote]:
        """Return what the rules say of something that stands in no radio message."""
        if not self.begun:
            self._wait(lambda: self._paced(self.bench.fact(fact), fact.at.mono_ns))
            return []
        return self._paced(self.bench.fact(fact), fact.at.mono_ns)

    def gate(self, request: Request, load: Load) -> Gate:
        """Return what the rules say of a transmission asked for, and the leave that they give.

        It fails closed: while nobody knows what the run before remembered, a silence say, there is
        no leave.
        """
        if not self.ready:
            return Gate(Gated(judgement=Judgement.UNKNOWN, verdicts=()))
        gated = self.bench.gate(request)
        permit = permitted(request.request_id, gated, load, request.at.mono_ns)
        return Gate(gated, _noted(gated, request), permit)

    def asked(self, request: Request) -> list[VerdictNote]:
        """Return what the rules say of a transmission that was asked for once; it gets no leave."""
        return [*_noted(self.bench.gate(request), request)]

    def would(self, request: Request) -> Gated:
        """Return what the rules would say of a transmission now, without having been asked."""
        if not self.ready:
            return Gated(judgement=Judgement.UNKNOWN, verdicts=())
        return self.bench.would(request)

    def tick(self, now: Moment) -> list[VerdictNote]:
        """Return what the rules say now that time has passed."""
        return self._paced(self.bench.tick(now), now.mono_ns) if self.begun else []

    def changed(self) -> list[Compliance]:
        """Return how each rule stands that stands otherwise than when this was asked last."""
        return self.bench.changed() if self.begun else []

    def bounds(self) -> Iterator[Bound]:
        """Yield each place in which something waits or is remembered."""
        yield Bound(
            of="Docket._waiting",
            what="sightings_unjudged",
            held=len(self._waiting),
            limit=WAITING_MAX,
            rule="what comes then is judged by no rule; it is told and kept all the same",
            evicted=self._unjudged,
        )
        yield from self.bench.bounds()

    def _wait(self, judge: Callable[[], list[VerdictNote]]) -> None:
        if len(self._waiting) < WAITING_MAX:
            self._waiting.append(judge)
        else:
            self._unjudged += 1

    def _paced(self, notes: Iterable[VerdictNote], mono_ns: int) -> list[VerdictNote]:
        """Return those that may be told; what came to be untold before is counted in the next."""
        told: list[VerdictNote] = []
        for note in notes:
            name = note.verdict.agreement, note.verdict.rule
            pace = self._paces.setdefault(name, _Pace(mono_ns=mono_ns))
            passed_s = max(mono_ns - pace.mono_ns, 0) / 1e9
            pace.left, pace.mono_ns = min(pace.left + passed_s * TOLD_PER_S, TOLD_MAX), mono_ns
            if pace.left < 1:
                pace.untold += 1
                continue
            told.append(replace(note, untold=pace.untold) if pace.untold else note)
            pace.left, pace.untold = pace.left - 1, 0
        return told


def _noted(gated: Gated, request: Request) -> tuple[VerdictNote, ...]:
    """Return every verdict on a request, as it is kept."""
    return tuple(replace(note_of(one), request=request.request_id) for one in gated.verdicts)
