"""Which text of an agreement may take the place of which, and which state may follow which.

A text that names keys holds when all of their parties have signed it. What is in place goes only
with the word of its own parties: else whoever writes the next file would name other keys in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from gateway.model.agreement import Agreement, State
from gateway.model.signature import Signatures, Succession, Takeover
from gateway.rules.signing import Proves, checked, consents, keys_of, unsigned

MOVES: Mapping[State, frozenset[State]] = {
    State.PROPOSED: frozenset({State.PROPOSED, State.IN_FORCE, State.TERMINATED}),
    State.IN_FORCE: frozenset({State.IN_FORCE, State.SUSPENDED, State.TERMINATED}),
    State.SUSPENDED: frozenset({State.SUSPENDED, State.IN_FORCE, State.TERMINATED}),
    State.TERMINATED: frozenset({State.TERMINATED}),
}
"""What the state of one text may become. What is ended begins again only with a new text."""


def succession(
    place: Agreement | None, following: Agreement, signatures: Signatures, proves: Proves
) -> Succession:
    """Say whether a text takes the place of the one that is there.

    Args:
        place: what is in place, in its state of now; None when nothing is
        following: the text that is to take its place
        signatures: what stands beside the following
        proves: whether a signature is genuine
    """
    never = None if place is None else _never(place, following)
    if never is not None:
        return _said(Takeover.REFUSED, never)
    if following.status.state is State.PROPOSED:
        return _said(Takeover.PROPOSED, "its own file says that it is proposed")
    missing = unsigned(checked(following, signatures, proves))
    if missing:
        return _said(Takeover.PROPOSED, f"{_listed(missing)} {_have(missing)} not signed it")
    waits = None if place is None else _waits(place, following, signatures, proves)
    if waits is not None:
        return _said(Takeover.PROPOSED, waits)
    state = following.status.state
    return Succession(takeover=Takeover.TAKES, state=state, words=_taking(place, following))


def order_of(version: str) -> tuple[int, ...]:
    """Return what versions are compared by: 2026.10 comes after 2026.9, and 2 is 2.0."""
    numbers = [int(part) for part in version.split(".")]
    while numbers and numbers[-1] == 0:
        numbers.pop()
    return tuple(numbers)


def _never(place: Agreement, following: Agreement) -> str | None:
    """Return what no signature can put right."""
    if place.id != following.id:
        return f'it is another agreement: "{following.id}" and not "{place.id}"'
    if place.digest == following.digest:
        state = following.status.state
        if state not in MOVES[place.status.state]:
            return f"what is {_words(place.status.state)} can't become {_words(state)}"
        return None
    has_held = place.status.state is not State.PROPOSED
    if has_held and order_of(place.version) == order_of(following.version):
        return (
            f"it has another text than the one in place, and the same version {following.version}"
            ": give it a higher one"
        )
    return None


def _waits(
    place: Agreement, following: Agreement, signatures: Signatures, proves: Proves
) -> str | None:
    """Return whose word is missing to what is in place being replaced."""
    if place.digest == following.digest or place.status.state is State.PROPOSED:
        return None
    keys = keys_of(place)
    silent = set(unsigned(consents(place, following, signatures, proves)))
    if order_of(following.version) < order_of(place.version):
        if not keys:
            return (
                f"it is older than version {place.version}, which is in place and names no keys:"
                " nobody can sign for going back"
            )
        if silent:
            who = tuple(name for name in keys if name in silent)
            return (
                f"it is older than version {place.version}, which is in place, and"
                f" {_listed(who)} {_have(who)} not signed for going back"
            )
        return None
    # Whoever has signed the new text with the key of the old has said all that there is to say.
    same = keys_of(following)
    who = tuple(name for name, key in keys.items() if name in silent and same.get(name) != key)
    if who:
        return (
            f"{_listed(who)} {_have(who)} not signed, with the key of version {place.version},"
            " that it takes its place"
        )
    return None


def _taking(place: Agreement | None, following: Agreement) -> str:
    if place is None:
        return f"version {following.version} holds: nothing was in place"
    if place.digest == following.digest:
        return f"version {following.version} goes on, {_words(following.status.state)}"
    older = order_of(following.version) < order_of(place.version)
    way = "goes back to take" if older else "takes"
    return f"version {following.version} {way} the place of {place.version}"


def _said(takeover: Takeover, words: str) -> Succession:
    return Succession(takeover=takeover, state=State.PROPOSED, words=words)


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names)


def _have(names: tuple[str, ...]) -> str:
    return "has" if len(names) == 1 else "have"


def _words(state: State) -> str:
    return state.value.replace("_", " ")
