"""What is wrong with links, or comes in over ports, in words for a person. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from gateway.correlate.floods import CALLERS_FLOOD, WINDOW_NS, Floods
from gateway.model.status import AlertName
from gateway.mqtt.linkstate import LinkState
from gateway.transport.supervisor import PortState

DOWN_TEXT = (
    "link {link} is down: {lanes}; what is heard meanwhile is kept, and told when it is back; "
    "look at its last_error in the status, at the broker and at the line"
)

CLIENT_ID_TEXT = (
    "another client at the broker of link {link} bears our name: we go by {names} meanwhile; "
    "give each gateway a client_id of its own in [link.{link}], then restart this one"
)

CALLERS_TEXT = (
    f"{CALLERS_FLOOD} or more have called for help within {WINDOW_NS // 60 // 10**9} minutes: some "
    "may be invented; all are told, and each may be real; ask a second receiver, and by voice"
)

KEYED_TEXT = (
    "the transmitter on port {port} may be keyed: {why}; look at it now, and cut its power if it "
    "is: nobody hears anything on its channel meanwhile"
)

DEAD_TEXT = "nothing is transmitted by port {port} any more, and it is heard as before: {why}"

FRAGMENTS_TEXT = (
    "port {ports} brings more damaged calls than are told one by one; the newest are kept; "
    "somebody may call and not be understood: listen by ear, then look at modem, cable and baud "
    "rate"
)


def troubles_of(states: Sequence[LinkState]) -> Iterator[tuple[AlertName, str | None]]:
    """Give each alert that is about links, and what is wrong; None when nothing is."""
    yield AlertName.LINK, _together(map(_down, states))
    yield AlertName.CERTIFICATE, _together(map(_certificate, states))
    yield AlertName.CLIENT_ID, _together(map(_client_id, states))


def flood_in(floods: Floods, mono_ns: int) -> str | None:
    """Return what flood stands at this moment; None when none does."""
    many = floods.callers(mono_ns) >= CALLERS_FLOOD
    ports = ", ".join(floods.ports(mono_ns))
    fragments = FRAGMENTS_TEXT.format(ports=ports) if ports else None
    return _together((CALLERS_TEXT if many else None, fragments))


def transmitters_in(states: Iterable[PortState]) -> str | None:
    """Return which transmitters may be stuck on the air, or transmit no more; None when none."""
    return _together(map(_transmitter, states))


def _transmitter(state: PortState) -> str | None:
    if state.key_stuck is not None:
        return KEYED_TEXT.format(port=state.name, why=state.key_stuck)
    if state.transmit.now == "dead":
        return DEAD_TEXT.format(port=state.name, why=state.transmit.reason)
    return None


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


def _together(texts: Iterable[str | None]) -> str | None:
    return ". ".join(filter(None, texts)) or None
