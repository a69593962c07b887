"""What is wrong with the links, in words for a person: the texts of alerts. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from gateway.model.status import AlertName
from gateway.mqtt.link import LinkState

CLIENT_ID_TEXT = (
    "another client at the broker of link {link} bears our name: we go by {names} meanwhile; "
    "give each gateway a client_id of its own in [link.{link}], then restart this one"
)


def troubles_of(states: Sequence[LinkState]) -> Iterator[tuple[AlertName, str | None]]:
    """Give each alert that is about links, and what is wrong; None when nothing is."""
    yield AlertName.CLIENT_ID, _together(map(_client_id, states))


def _client_id(state: LinkState) -> str | None:
    if not state.disputed:
        return None
    return CLIENT_ID_TEXT.format(link=state.name, names=", ".join(state.disputed))


def _together(texts: Iterator[str | None]) -> str | None:
    return ". ".join(filter(None, texts)) or None
