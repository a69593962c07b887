"""Permits for the tests of ports: made by the gate's own hand, of a verdict that lets all pass."""

from __future__ import annotations

from hashlib import sha256

from gateway.clock import Clock
from gateway.model.verdict import Judgement, Verdict
from gateway.rules.engine import Gated
from gateway.rules.permit import Load, Permit, permitted


def permit_for(
    port: str, data: bytes, *, good_for_s: float = 5.0, airtime_s: float = 0.1
) -> Permit:
    """Return leave to hand these bytes to this port, beginning now; it may have ended already."""
    now_ns = Clock().now().mono_ns
    ends_ns = now_ns + int(good_for_s * 1e9)
    load = Load(
        port=port,
        sha256=sha256(data).digest(),
        airtime_s=airtime_s,
        not_after_mono_ns=ends_ns,
    )
    verdict = Verdict(
        agreement="bench",
        version="1",
        digest="d" * 64,
        rule="all",
        kind="allowed_use",
        judgement=Judgement.OK,
        subject="request:r",
        words="a bench may do all",
        mono_ns=now_ns,
    )
    permit = permitted("r", Gated(judgement=Judgement.OK, verdicts=(verdict,)), load, now_ns)
    assert permit is not None
    return permit


async def transmit(port, data: bytes, **said) -> None:
    """Have a port transmit these bytes, with leave."""
    await port.transmit(permit_for(port.state.name, data, **said), data)
