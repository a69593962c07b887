"""Who may order this station to transmit: keys of persons, and what each is for. Values only."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from msgspec import Meta, Struct

from gateway.model.agreement import PublicKey
from gateway.model.text import Words

KeyName = Annotated[
    str,
    Meta(
        pattern=r"\A[a-z0-9][a-z0-9._-]{0,63}\Z",
        description="the name of a key: 1 to 64 of the characters a-z, 0-9, ., _ and -",
        examples=["officer-smith"],
    ),
]


class Role(StrEnum):
    """What a person may order."""

    OFFICER = "officer"
    """Everything that goes on the air: acknowledge, relay, cancel, call, text, position; and that
    silence was imposed or lifted."""
    OPERATOR = "operator"
    """Calls, texts and the station's own position; nothing of anybody's distress."""
    TECHNICIAN = "technician"
    """What sets a modem, and puts nothing on the air."""
    INSTRUCTOR = "instructor"
    """Begins and ends exercises, and orders everything within them; nothing else."""
    SECOND = "second"
    """Signs beside another where an agreement asks for two persons; orders nothing alone."""


class KeyPlan(Struct, frozen=True, kw_only=True):
    """One key of one person."""

    name: KeyName
    person: Words
    """Whose it is: two keys of one person are one person to the two-person rule."""
    roles: Annotated[tuple[Role, ...], Meta(min_length=1, max_length=5)]
    public_key: PublicKey
    revoked: (
        Annotated[
            datetime,
            Meta(
                tz=True,
                description="a date and time with its zone, 2026-01-01T00:00:00Z",
            ),
        ]
        | None
    ) = None
    """When it was given up: nothing that it signs counts any more. Its name is not used again."""
