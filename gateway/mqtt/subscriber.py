"""An ordinary subscriber: what a consumer of ours sees, for the tools that show it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Literal

from gateway.model.plan import LinkPlan, TlsPlan
from gateway.mqtt.client import Wire


async def subscribe(
    host: str,
    port: int,
    topics: Sequence[str],
    *,
    version: Literal["5", "3.1.1"] = "5",
    tls: TlsPlan | None = None,
) -> AsyncIterator[tuple[str, bytes, bool]]:
    """Yield topic, payload and whether it was retained, as any subscriber would receive them.

    Raises:
        LinkLost: the broker can't be reached, or the connection ended.
        SubscribeRefused: the broker won't tell us.
        CredentialFault: a file of the TLS plan is no use.
    """
    plan = LinkPlan(name="subscriber", host=host, port=port, version=version, client_id="", tls=tls)
    wire = Wire(plan, client_id="", name=f"{host}:{port}")
    try:
        await wire.open()
        await wire.subscribe_all(topics)
        while True:
            incoming = await wire.receive()
            yield incoming.topic, incoming.payload, incoming.retained
            wire.acknowledge(incoming)
    finally:
        await wire.close()
