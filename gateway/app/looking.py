"""What fails beside the way of a report: looked at twice a second, and raised or cleared."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from gateway.app.disk import DiskWatch
from gateway.app.strain import Strain
from gateway.app.troubles import flood_in, transmitters_in, troubles_of
from gateway.clock import Clock
from gateway.health.board import Board
from gateway.model.bounds import Bound
from gateway.model.status import AlertName
from gateway.mqtt.link import Link
from gateway.pipeline import Pipeline
from gateway.transport.recording import Recording
from gateway.transport.supervisor import Port


class Looking:
    """The eye on the box itself."""

    def __init__(  # noqa: PLR0913  # each is a door of its own, opened in one place
        self,
        pipeline: Pipeline,
        links: Sequence[Link],
        ports: Sequence[Port],
        recorder: Recording | None,
        *,
        disk: DiskWatch,
        strain: Strain,
        bounds: Callable[[], Iterable[Bound]],
        aside: str | None,
        board: Board,
        clock: Clock,
    ) -> None:
        self._pipeline = pipeline
        self._links = links
        self._ports = ports
        self._recorder = recorder
        self._disk = disk
        self._strain = strain
        self._bounds = bounds
        self._aside = aside
        self._board = board
        self._clock = clock
        self._troubles: dict[AlertName, str | None] = {}

    def look(self) -> None:
        """Raise and clear the alarms."""
        now = self._clock.now()
        self._disk.look(now.mono_ns)
        self._strain.look(self._bounds(), now.mono_ns)
        lost = self._recorder.last_error if self._recorder else None
        self._board.alarm(AlertName.RECORD, f"the tape is not written: {lost}" if lost else None)
        for name, trouble in troubles_of([link.state() for link in self._links]):
            self._say(name, trouble)
        self._say(AlertName.FLOOD, flood_in(self._pipeline.floods, now.mono_ns))
        self._say(AlertName.TRANSMITTER, transmitters_in(port.state for port in self._ports))
        self._board.alarm(AlertName.AGREEMENT, self._aside)
        self._say(AlertName.CLOCK, self._pipeline.timekeeping.trouble(now))

    def _say(self, name: AlertName, trouble: str | None) -> None:
        """Raise and clear an alarm; one that has more to say is told anew."""
        self._board.alarm(name, trouble, anew=trouble != self._troubles.get(name))
        self._troubles[name] = trouble
