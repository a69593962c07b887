"""How an agreement stands: what each of its rules says now."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from gateway.model.verdict import Judgement, Verdict


class Compliance(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How one rule of one agreement stands, retained on `compliance/<agreement>/<rule>`."""

    agreement: str
    version: str
    digest: str
    rule: str
    kind: str
    judgement: Judgement
    """The gravest of what stands; `unknown` until anything was found."""
    mono_ns: int
    """When the last verdict was given; 0 when none has been."""
    utc: datetime | None = None
    standing: tuple[Verdict, ...] = ()
    """What is not as agreed, the gravest first: eight of them at the most."""
    others: int = 0
    """How much more stands than is shown."""
    found: dict[str, int] = {}
    """How often each judgement was given since this station has been on watch."""
