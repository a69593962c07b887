"""What a link counts reaches whoever looks after the station: the status, an alert, or a line."""

from __future__ import annotations

import pytest
from msgspec.structs import fields, replace

from gateway.app.troubles import troubles_of
from gateway.app.views import in_words, link_status
from gateway.model.status import CertificateStatus
from gateway.mqtt.commands import CommandCount
from gateway.mqtt.exports import ExportCount
from gateway.mqtt.linkstate import LinkState
from gateway.mqtt.requests import RequestCount

VALUES = {
    str: ("local", "shore"),
    bool: (True, False),
    int: (0, 1),
    str | None: (None, "said"),
    float | None: (None, 1.5),
    tuple[str, ...]: ((), ("distress",)),
    tuple[int, ...]: ((), (7,)),
    tuple[bytes, ...]: ((), (b"body",)),
    dict[str, CertificateStatus]: ({}, {"ours": CertificateStatus()}),
    RequestCount: (RequestCount(), None),
    CommandCount: (CommandCount(), None),
    ExportCount: (ExportCount(), None),
}
"""What a field of each type says when there is nothing to say, and something else."""

CALM = LinkState(**{field.name: VALUES[field.type][0] for field in fields(LinkState)})

STATES = {
    field.name: replace(CALM, **{field.name: VALUES[field.type][1]})
    for field in fields(LinkState)
    # The name is the key of the others.
    if field.name not in {"name", "requests", "commands", "exports"}
} | {
    f"{name}.{field.name}": replace(CALM, **{name: kind(**{field.name: 1})})
    for name, kind in (
        ("requests", RequestCount),
        ("commands", CommandCount),
        ("exports", ExportCount),
    )
    for field in fields(kind)
}


def told(state):
    return link_status(state, 0), dict(troubles_of([state])), in_words([], [state], [])


@pytest.mark.parametrize("field", STATES)
def test_whatever_a_link_says_of_itself_is_told_to_somebody(field):
    assert told(STATES[field]) != told(CALM)
