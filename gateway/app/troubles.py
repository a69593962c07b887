"""What is wrong with the links, in words for a person: the texts of alerts. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from gateway.model.status import AlertName
from gateway.mqtt.link import LinkState

DOWN_TEXT = (
    "link {link} is down: {lanes}; what is heard meanwhile is kept, and told when it is back; "
    "look at its last_error in the status, at the broker and at the line"
)

CLIENT_ID_TEXT = (
    "another client at the broker of link {link} bears our name: we go by {names} meanwhile; "
    "give each gateway a client_id of its own in [link.{link}], then restart this one"
)


def troubles_of(states: Sequence[LinkState]) -> Iterator[tuple[AlertName, str | None]]:
    """Give each alert that is about links, and what is wrong; None when nothing is."""
    yield AlertName.LINK, _together(map(_down, states))
    yield AlertName.CERTIFICATE, _together(map(_certificate, states))
    yield AlertName.CLIENT_ID, _together(map(_client_id, states))


def _down(state: LinkState) -> str | None:
    if not state.down:
        return None
    return DOWN_TEXT.format(link=state.name, lanes=", ".join(state.down))


def _certificate(state: LinkState) -> str | None:
    trouble = state.certificate_trouble
    return None if trouble is None else f"link {state.name}: {trouble}"


def _client_id(state: LinkState) -> str | None:
    if not state.disputed:
        return None
    return CLIENT_ID_TEXT.format(link=state.name, names=", ".join(state.disputed))


def _together(texts: Iterator[str | None]) -> str | None:
    return ". ".join(filter(None, texts)) or None
