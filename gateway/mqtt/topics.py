"""The names of all topics. Pure; nothing unsafe can get into a name.

A level comes out of the configuration, or, as the identity of a craft, off the air. A text that
could step out of its level, match a wildcard, or hide on a screen makes no topic at all.
"""

from __future__ import annotations

from gateway.model.place import Identity
from gateway.model.words import Mode, Urgency

ROOT = "distress/v1"
"""The version is that of the topics: raised when one changes its meaning or goes away."""

LEVEL_CHARACTERS_MAX = 64
"""The longest identity on any radio is 23 characters; names in the configuration stay readable."""

STATUS = "status"
"""Birth, will and every status in between: one topic, so that none can contradict another."""


class TopicUnsafe(ValueError):  # noqa: N818  # a fact about a text, named as one
    """This text can't be a level of a topic."""

    def __init__(self, text: str) -> None:
        super().__init__(f"{text[:LEVEL_CHARACTERS_MAX]!r} can't be part of a topic")
        self.text = text


class Topics:
    """Every topic of one station."""

    def __init__(self, station: str) -> None:
        self.root = f"{ROOT}/{level(station)}"
        self.outcomes = f"{self.root}/outcome"
        """Below it is told what came of commands; whoever gives one may say where."""

    def status(self) -> str:
        """Return where the station says that it is there, or its broker that it isn't."""
        return f"{self.root}/{STATUS}"

    def port(self, port: str) -> str:
        """Return where the state of a port stands: it holds only while the station is online."""
        return f"{self.root}/port/{level(port)}"

    def watch(self, channel: str) -> str:
        """Return where it stands whether the watch on a channel is kept."""
        return f"{self.root}/watch/{level(channel)}"

    def report(self, urgency: Urgency, system: str, mode: Mode) -> str:
        """Return where reports go: tests and exercises never where real ones do."""
        if mode is Mode.REAL:
            return f"{self.root}/report/{urgency}/{level(system)}"
        if mode is Mode.TEST:
            return f"{self.root}/report/test/{urgency}/{level(system)}"
        return f"{self.root}/exercise/report/{urgency}/{level(system)}"

    def refused(self, port: str, mode: Mode = Mode.REAL) -> str:
        """Return where frames go that may be calls for help and can't be read.

        Nobody knows of one whether it is a test: it is real, or of an exercise.
        """
        apart = "exercise/" if mode is Mode.EXERCISE else ""
        return f"{self.root}/{apart}refused/{level(port)}"

    def position(self, system: str, identity: str) -> str:
        """Return where the last known place of a craft stands."""
        return f"{self.root}/position/{level(system)}/{level(identity)}"

    def incident(self, incident: str, mode: Mode) -> str:
        """Return where an incident stands, until it is over: a test never where a real one does."""
        if mode is Mode.REAL:
            return f"{self.root}/incident/{level(incident)}"
        return f"{self.root}/{mode}/incident/{level(incident)}"

    def incident_log(self, incident: str, mode: Mode) -> str:
        """Return where it is told what has changed about an incident, change by change."""
        return f"{self.incident(incident, mode)}/log"

    def incident_advice(self, incident: str) -> str:
        """Return where it stands what procedure proposes to do next about a distress."""
        return f"{self.incident(incident, Mode.REAL)}/advice"

    def incident_geojson(self, incident: str, mode: Mode) -> str:
        """Return where the map of an incident stands, as long as the incident does."""
        return f"{self.incident(incident, mode)}/geojson"

    def out(self, form: str, mode: Mode) -> str:
        """Return where incidents go in a format of others: a test never where a real one does."""
        prefix = "" if mode is Mode.REAL else f"{mode}/"
        return f"{self.root}/{prefix}out/{level(form)}"

    def alert(self, name: str) -> str:
        """Return where a trouble of the box itself stands, until it is cleared."""
        return f"{self.root}/alert/{level(name)}"

    def clock(self, what: str) -> str:
        """Return where it is told that the time of day was moved, or what it really was."""
        return f"{self.root}/clock/{level(what)}"

    def alarm(self, event: str) -> str:
        """Return where it is told, and kept, that a trouble of the box itself began or is over."""
        return f"{self.root}/alarm/{level(event)}"

    def ruling(self, agreement: str, rule: str) -> str:
        """Return where the verdicts of a rule go."""
        return f"{self.root}/ruling/{level(agreement)}/{level(rule)}"

    def compliance(self, agreement: str, rule: str) -> str:
        """Return where it stands how a rule is being kept."""
        return f"{self.root}/compliance/{level(agreement)}/{level(rule)}"

    def statement(self, what: str) -> str:
        """Return where it is told what somebody has stated that no radio says."""
        return f"{self.root}/statement/{level(what)}"

    def transmission(self, port: str) -> str:
        """Return where it is told what comes of each order to transmit by a port."""
        return f"{self.root}/transmission/{level(port)}"

    def hotline(self, party: str, word: str) -> str:
        """Return where another party is told something over the line between the two."""
        return f"{self.root}/hotline/{level(party)}/{level(word)}"

    def command(self, verb: str) -> str:
        """Return where a command is given."""
        return f"{self.root}/command/{level(verb)}"

    def outcome(self, command_id: str) -> str:
        """Return where it is told what came of a command."""
        return f"{self.root}/outcome/{level(command_id)}"

    def receipt(self, consumer: str) -> str:
        """Return where a consumer of record signs for entries."""
        return f"{self.root}/receipt/{level(consumer)}"

    def request(self, consumer: str) -> str:
        """Return where a consumer of record asks for a range of numbers again."""
        return f"{self.root}/request/{level(consumer)}"

    def answer(self, consumer: str) -> str:
        """Return where it is answered, unless it asked for that on a topic below this."""
        return f"{self.root}/answer/{level(consumer)}"

    def under(self, suffix: str) -> str:
        """Return the topic of a retained state, named by its levels after the station's."""
        return f"{self.root}/{'/'.join(level(text) for text in suffix.split('/'))}"


def level(text: str) -> str:
    """Return the text if it can be a level of a topic; refuse it otherwise.

    Raises:
        TopicUnsafe: it is empty, too long, or holds a separator, a wildcard or what can't be shown.
    """
    # MQTT 5, sections 1.5.4 and 4.7: "/" parts levels, "#" and "+" match them, NUL is forbidden.
    if (
        0 < len(text) <= LEVEL_CHARACTERS_MAX
        and text.isprintable()
        and "/" not in text
        and "#" not in text
        and "+" not in text
    ):
        return text
    raise TopicUnsafe(text)


def name_of(identity: Identity | None) -> str | None:
    """Return the name a craft is followed by: the most certain of those it gave, or None."""
    if identity is None:
        return None
    imo = None if identity.imo is None else str(identity.imo)
    return (
        identity.mmsi
        or identity.icao24
        or identity.beacon_hex
        or imo
        or identity.callsign
        or identity.tail
        or identity.name
        or identity.tag
    )
