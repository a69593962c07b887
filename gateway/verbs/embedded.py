"""An MQTT broker inside the demonstration: rumqttd, in a child process that ends with this one.

It listens on loopback only, on ports that were free a moment ago: one for MQTT 3.1.1, which most
people's tools speak, and one for MQTT 5. Whoever publishes must use the former: this broker drops a
3.1.1 subscriber at the first message that was published with properties of MQTT 5 (rumqttd 0.20,
"unreachable code" in its v4 writer). Not for a station: it keeps nothing.
"""

from __future__ import annotations

import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from iotcore import Broker
from msgspec import Struct

LOOPBACK = "127.0.0.1"

_TRIES_MAX = 5
"""Somebody may take a free port before the broker does; five times in a row nobody does."""

_LISTENER = """
[{version}.1]
name = "{version}"
listen = "{host}:{port}"
next_connection_delay_ms = 1
[{version}.1.connections]
connection_timeout_ms = 5000
max_payload_size = 262144
max_inflight_count = 200
dynamic_filters = true
"""

_ROUTER = """
id = 0
[router]
id = 0
max_connections = 100
max_outgoing_packet_count = 200
max_segment_size = 10485760
max_segment_count = 10
"""


class BrokerFailed(Exception):  # noqa: N818  # named for what happened, as all our exceptions are
    """There is no broker to be had."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason

    def __str__(self) -> str:
        return f"no broker: {self.reason}"


class Listening(Struct, frozen=True):
    """Where the embedded broker can be reached."""

    port_v5: int
    port_v311: int


@contextmanager
def embedded_broker(port: int | None = None) -> Iterator[Listening]:
    """Run a broker for as long as the context lasts; `port` fixes the one for MQTT 3.1.1.

    Raises:
        BrokerFailed: The port asked for is taken, or the broker does not come up.
    """
    with tempfile.TemporaryDirectory(prefix="distress-gateway-") as folder:
        for attempt in range(1, _TRIES_MAX + 1):
            where = Listening(port_v5=_free_port(), port_v311=port or _free_port())
            config = Path(folder, "broker.toml")
            config.write_text(
                _ROUTER
                + _LISTENER.format(version="v4", host=LOOPBACK, port=where.port_v311)
                + _LISTENER.format(version="v5", host=LOOPBACK, port=where.port_v5)
            )
            broker = Broker(config_path=str(config))
            try:
                broker.start()
            except (OSError, RuntimeError) as error:
                if port is not None or attempt == _TRIES_MAX:
                    raise BrokerFailed(str(error)) from error
                continue
            try:
                yield where
            finally:
                broker.stop()
            return


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
        return port
