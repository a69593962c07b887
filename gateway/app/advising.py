"""The next step of the procedure, for each distress that stands open: looked at once a second.

What is proposed stands on `incident/<id>/advice`, and is taken off when the incident is over. It is
told anew when it has changed, and never transmits anything: a person signs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from gateway.app.composing import says_of
from gateway.app.telling import Teller
from gateway.clock import Clock
from gateway.model.advice import Advice
from gateway.model.bounds import Bound
from gateway.model.inbound import Moment
from gateway.model.incident import CLOSED, Incident
from gateway.model.plan import StationPlan
from gateway.model.transmission import Letter
from gateway.model.words import Mode, Urgency
from gateway.pipeline import Pipeline
from gateway.pulse import PULSE_S, Pulse
from gateway.rules.advice import Outlet, advise
from gateway.rules.asking import Air, request_of
from gateway.rules.engine import Gated

LOOK_S = 1.0
"""How often it is looked what there is to propose: procedures count in minutes."""

ADVISED_MAX = 32
"""Incidents that are advised about at once, the newest: nobody works more of them. In a flood the
others are still told, without a proposal."""

CALL_OCTETS = 64
"""What a call by DSC has in a sentence, for the time that it takes on the air."""

SOMEBODY = ("whoever signs",)
"""The person for whom the agreements are asked: one, as for most calls."""


class Advising:
    """What is proposed about each incident, as it was told last."""

    def __init__(
        self, plan: StationPlan, pipeline: Pipeline, teller: Teller, *, clock: Clock
    ) -> None:
        self._own = plan.transmit
        self._outlets = tuple(
            Outlet(
                port=port.name,
                air=Air(
                    freq_hz=port.profile.freq_hz,
                    system=port.profile.radio[0],
                    exercise=port.exercise,
                ),
                says=says_of(port) if port.profile.transmit else frozenset(),
            )
            for port in plan.ports
        )
        self._pipeline = pipeline
        self._teller = teller
        self._clock = clock
        self._told: dict[str, Advice] = {}
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
        """Tell what is proposed now, and take off what is not any more."""
        now = self._clock.now()
        found = {}
        for incident in self._open():
            advice = advise(
                incident,
                self._outlets,
                self._own,
                lambda letter, outlet: self._would(letter, outlet, now),
                now,
            )
            if advice is not None:
                found[incident.incident_id] = advice
        before = self._of_the_run_before()
        for name in (self._told.keys() | before - self._looked) - found.keys():
            self._teller.retain(_topic(name), None)
        self._looked = before
        for name, advice in found.items():
            if advice != self._told.get(name):
                self._teller.retain(_topic(name), advice)
        self._told = found

    def bounds(self) -> Iterator[Bound]:
        """Yield how many incidents are advised about."""
        yield Bound(
            of="Advising._told",
            what="advice",
            held=len(self._told),
            limit=ADVISED_MAX,
            rule="the incidents that were opened first are told without a proposal",
        )

    def _of_the_run_before(self) -> frozenset[str]:
        """Return what stood when it ended, as far as it is on the board."""
        standing = self._pipeline.incidents.board.standing.items()
        return frozenset(name for name, known in standing if known.restored)

    def _open(self) -> Sequence[Incident]:
        """Return the distress that stands, the newest last, as far as it is advised about."""
        told = (known.incident for known in self._pipeline.incidents.board.standing.values())
        standing = [
            one
            for one in told
            if one is not None
            and (one.mode, one.severity) == (Mode.REAL, Urgency.DISTRESS)
            and one.phase not in CLOSED
        ]
        return sorted(standing, key=lambda one: one.opened_mono_ns)[-ADVISED_MAX:]

    def _would(self, letter: Letter, outlet: Outlet, now: Moment) -> Gated:
        request = request_of(letter, outlet.air, now, persons=SOMEBODY, octets=CALL_OCTETS)
        return self._pipeline.docket.would(request)


def _topic(incident: str) -> str:
    return f"incident/{incident}/advice"
