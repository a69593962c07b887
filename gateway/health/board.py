"""The alarm board: what is wrong with the box itself, as it stands on every broker.

One alarm a name, and no more names than AlertName has. Nothing here decides what is wrong.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Protocol

from msgspec import Struct

from gateway.clock import Clock
from gateway.health.logbook import Logbook
from gateway.log import Log
from gateway.model.status import Alert, AlertName
from gateway.normalise import utc_of


class Told(Protocol):
    """Whoever is told: a link to a broker."""

    def retain(self, topic_suffix: str, payload: Struct | None, /) -> None:
        """Let this stand on its topic; None takes it off."""


class Board:
    """All alarms of one station: told on every link, in the log, and listed in the status."""

    def __init__(self, links: Sequence[Told], *, clock: Clock, log: Log) -> None:
        self._links = links
        self._clock = clock
        self._log = log
        self.logbook = Logbook(clock)
        """Each alarm that began, had more to say, or is over, for the journal."""
        self._standing: dict[AlertName, Alert] = {}
        self._said: set[AlertName] = set()
        """Of which it was said in this run whether they stand."""

    @property
    def standing(self) -> Mapping[AlertName, Alert]:
        """What stands now."""
        return MappingProxyType(self._standing)

    def alarm(self, name: AlertName, trouble: str | None, *, anew: bool = False) -> None:
        """Raise this alarm, once for as long as it lasts; None clears it.

        One that is raised anew is told once more, with what is known of it now.
        """
        if trouble is None:
            self.put(name, None)
        elif anew or name not in self._standing:
            since = utc_of(self._clock.now().utc_ns)
            self._stand(name, Alert(name=name, since=since, text=trouble), loudly=True)

    def put(self, name: AlertName, alert: Alert | None) -> None:
        """Let this stand under its name; None clears it. What stands already is not told again."""
        if alert != self._standing.get(name) or name not in self._said:
            # Said aloud when it begins; how it goes on can be seen on the topic.
            self._stand(name, alert, loudly=name not in self._standing)

    def clear_what_is_not(self, names: Iterable[AlertName]) -> None:
        """Take off what an earlier run left standing, unless this one has said something of it."""
        for name in names:
            if name not in self._said:
                self.put(name, None)

    def _stand(self, name: AlertName, alert: Alert | None, *, loudly: bool) -> None:
        self._said.add(name)
        is_news = loudly
        if alert is None:
            is_news = self._standing.pop(name, None) is not None
            if is_news:
                self._log.warning("alarm_cleared", alarm=name)
        else:
            self._standing[name] = alert
            say = self._log.error if loudly else self._log.debug
            say(
                "alarm_raised",
                alarm=name,
                trouble=alert.text,
                count=alert.count,
                number=alert.number,
            )
        if is_news:
            self.logbook.note(name, alert)
        for link in self._links:
            link.retain(f"alert/{name}", alert)
