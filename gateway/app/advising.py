"""The next step of the procedure, for each call for help that stands open: looked at once a second.

What is proposed stands on `incident/<id>/advice`, and is taken off when the incident is over. It is
told anew at once when another step is proposed, and at its leisure when only its words have
changed. It never transmits anything: a person signs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec import Struct

from gateway.app.composing import says_of
from gateway.app.telling import Teller
from gateway.app.transmitting import Transmitting
from gateway.clock import Clock
from gateway.model.advice import Advice
from gateway.model.bounds import Bound
from gateway.model.inbound import Moment
from gateway.model.incident import Incident
from gateway.model.plan import StationPlan
from gateway.model.transmission import Letter
from gateway.model.words import Urgency
from gateway.pipeline import Pipeline
from gateway.pulse import PULSE_S, Pulse
from gateway.rules.advice import advise, is_advised
from gateway.rules.answers import Asks, Outlet
from gateway.rules.asking import Air, request_of
from gateway.rules.engine import Gated

LOOK_S = 1.0
"""How often it is looked what there is to propose: procedures count in minutes."""

ADVISED_MAX = 32
"""Incidents that are advised about at once, distress before urgency and the newest first: nobody
works more of them. In a flood the others are still told, without a proposal."""

PACE_S = 15.0
"""How often one is told anew in which nothing has changed but its words."""

CALL_OCTETS = 64
"""What a call by DSC has in a sentence, for the time that it takes on the air."""

SOMEBODY = ("whoever signs",)
"""The person for whom the agreements are asked: one, as for most calls."""


class _Told(Struct, frozen=True):
    """What was told of one incident, and when."""

    advice: Advice
    mono_ns: int


class Advising:
    """What is proposed about each incident, as it was told last."""

    def __init__(
        self,
        plan: StationPlan,
        pipeline: Pipeline,
        teller: Teller,
        transmitting: Transmitting,
        *,
        clock: Clock,
    ) -> None:
        self._own = plan.transmit
        self._outlets = tuple(
            Outlet(
                port=port.name,
                air=Air(
                    freq_hz=port.profile.freq_hz,
                    system=port.profile.on_air,
                    exercise=port.exercise,
                ),
                says=says_of(port) if port.profile.transmit else frozenset(),
            )
            for port in plan.ports
        )
        self._pipeline = pipeline
        self._teller = teller
        self._clock = clock
        self._answered_ns = transmitting.answered_ns
        self._told: dict[str, _Told] = {}
        """By the incident. Never more than were advised about at the last look."""
        self._looked: frozenset[str] = frozenset()
        """Incidents of the run before that have been looked at: what it proposed may still stand
        on a broker, about one that is closed by now."""
        self.pulse = Pulse(clock)

    async def run(self) -> None:
        """Look what there is to propose, for ever."""
        while True:
            self.pulse.beat(LOOK_S + PULSE_S)
            self.look()
            await self._clock.sleep(LOOK_S)

    def look(self) -> None:
        """Tell what is proposed now, and take off what is not any more.

        Until the rules know what the run before remembered nobody knows what is covert: nothing is
        proposed, and what stands is left alone.
        """
        if not self._pipeline.docket.begun:
            return
        now = self._clock.now()
        found = self._found(now)
        before = self._of_the_run_before()
        for name in sorted((self._told.keys() | before - self._looked) - found.keys()):
            self._teller.retain(_topic(name), None)
        self._looked = before
        for name, advice in found.items():
            told = self._told.get(name)
            if told is None or _is_due(advice, told, now):
                self._teller.retain(_topic(name), advice)
                self._told[name] = _Told(advice, now.mono_ns)
        self._told = {name: self._told[name] for name in found}

    def bounds(self) -> Iterator[Bound]:
        """Yield how many incidents are advised about."""
        yield Bound(
            of="Advising._told",
            what="advice",
            held=len(self._told),
            limit=ADVISED_MAX,
            rule="those of urgency, then those opened first, are told without a proposal",
        )

    def _found(self, now: Moment) -> dict[str, Advice]:
        """Return what is proposed, by the incident."""
        bench = self._pipeline.docket.bench
        asks = Asks(
            would=lambda letter, outlet: self._would(letter, outlet, now),
            hides=bench.hides,
            quiet=bench.quiet,
            coasts=tuple(one for one in bench.coasts() if one != self._own.mmsi),
            answered_ns=self._answered_ns,
        )
        advised = (advise(one, self._outlets, self._own, asks, now) for one in self._open())
        return {one.incident_id: one for one in advised if one is not None}

    def _of_the_run_before(self) -> frozenset[str]:
        """Return what stood when it ended, as far as it is on the board."""
        standing = self._pipeline.incidents.board.standing.items()
        return frozenset(name for name, known in standing if known.restored)

    def _open(self) -> Sequence[Incident]:
        """Return what stands, distress and the newest last, as far as it is advised about."""
        board = self._pipeline.incidents.board
        told = (known.incident for known in board.standing.values())
        standing = [one for one in told if one is not None and is_advised(one)]
        return [board.heard(one) for one in sorted(standing, key=_rank)[-ADVISED_MAX:]]

    def _would(self, letter: Letter, outlet: Outlet, now: Moment) -> Gated:
        request = request_of(letter, outlet.air, now, persons=SOMEBODY, octets=CALL_OCTETS)
        return self._pipeline.docket.would(request)


def _rank(incident: Incident) -> tuple[bool, int]:
    return incident.severity is Urgency.DISTRESS, incident.opened_mono_ns


def _is_due(advice: Advice, told: _Told, now: Moment) -> bool:
    """Say whether it has to be told anew: at once when something else is to be done."""
    if _gist(advice) != _gist(told.advice):
        return True
    rested = now.mono_ns - told.mono_ns >= round(PACE_S * 1e9)
    return rested and advice != told.advice


def _gist(advice: Advice) -> object:
    """Return what is to be done, by which port and when, and what is not known for it."""
    steps = [
        (one.kind, one.port, one.action, one.not_before, one.not_after) for one in advice.steps
    ]
    return steps, advice.unknown


def _topic(incident: str) -> str:
    return f"incident/{incident}/advice"
