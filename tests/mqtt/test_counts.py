"""What is counted anywhere in a link is in what the link says of itself, or in its bounds."""

from __future__ import annotations

import asyncio

from msgspec import Struct

from gateway.model.plan import TlsPlan


def pockets(thing):
    """Return what an object of the gateway holds, by name."""
    if not type(thing).__module__.startswith("gateway."):
        return {}
    if isinstance(thing, Struct):
        return {name: getattr(thing, name) for name in thing.__struct_fields__}
    return vars(thing)


def counters_of(thing, *, depth, path=""):
    """Yield each whole number that a part of the link shows to others: its path, owner and name."""
    for name, value in pockets(thing).items():
        if type(value) is int and not name.startswith("_"):
            yield f"{path}.{name}", thing, name
        elif depth:
            yield from counters_of(value, depth=depth - 1, path=f"{path}.{name}")


def said_by(link):
    return link.state(), list(link.bounds())


def test_no_counter_of_a_link_is_told_to_nobody(rig):
    async def scene(at):
        at.counters = [one for one in counters_of(at.link, depth=2) if "_plan" not in one[0]]
        at.untold = []
        for path, owner, name in at.counters:
            before = said_by(at.link)
            setattr(owner, name, getattr(owner, name) + 1)
            if said_by(at.link) == before:
                at.untold.append(path)
        await asyncio.sleep(0)

    at = rig(scene, receipts="rcc", tls=TlsPlan())

    found = {path.lstrip("._") for path, _, _ in at.counters}
    assert {"count.errors", "receipts.count.refused", "routine.places.evicted"} <= found
    assert len(found) > 20
    assert at.untold == []
