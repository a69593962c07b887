"""The metrics on a port of this machine: HTTP/1.0, GET /metrics, and nothing else.

It listens on loopback only, and answers nobody who believes to speak to another host. Whoever asks
too much, too slowly or too often is cut off; nothing else notices.
"""

from __future__ import annotations

import asyncio
from asyncio import IncompleteReadError, LimitOverrunError, StreamReader, StreamWriter
from collections.abc import Callable
from typing import NoReturn

from gateway.clock import Clock
from gateway.health.metrics import CONTENT_TYPE
from gateway.log import Log

HOST = "127.0.0.1"

REQUEST_BYTES_MAX = 4096
"""Ten times what Prometheus sends."""

REQUEST_S_MAX = 2.0
"""For the whole of a request, and then for the whole of its answer: both stay on this machine."""

CONNECTIONS_MAX = 4
"""Two of Prometheus, one of a person, one to spare. Each further one is closed at once."""

BACKLOG_MAX = 8
"""Callers that the kernel keeps waiting."""

RETRY_S = 30.0
"""How often a port that somebody else holds is tried again."""

OURS = frozenset({"127.0.0.1", "localhost", "[::1]", ""})
"""Names of this machine. A web page that has its own name lead here learns nothing."""

_END = b"\r\n\r\n"


class Scrape:
    """The port that answers with the metrics."""

    def __init__(self, port: int, text: Callable[[], str], *, clock: Clock, log: Log) -> None:
        self.refused = 0
        """Callers that were turned away, or cut off."""
        self._port = port
        self._text = text
        self._clock = clock
        self._log = log
        self._speaking = 0

    async def run(self) -> NoReturn:
        """Answer for ever. A port that can't be had is tried again, and costs nothing else."""
        said = ""
        while True:
            try:
                await self._listen()
            except OSError as error:
                if str(error) != said:
                    self._log.warning("metrics_unserved", port=self._port, error=str(error))
                said = str(error)
            await self._clock.sleep(RETRY_S)

    async def _listen(self) -> None:
        server = await asyncio.start_server(
            lambda reader, writer: self._called(group, reader, writer),
            HOST,
            self._port,
            limit=REQUEST_BYTES_MAX,
            backlog=BACKLOG_MAX,
            start_serving=False,
        )
        async with server, asyncio.TaskGroup() as group:
            await server.serve_forever()

    def _called(self, group: asyncio.TaskGroup, reader: StreamReader, writer: StreamWriter) -> None:
        if self._speaking >= CONNECTIONS_MAX:
            self.refused += 1
            writer.transport.abort()
            return
        self._speaking += 1
        group.create_task(self._speak(reader, writer), name="metrics caller")

    async def _speak(self, reader: StreamReader, writer: StreamWriter) -> None:
        try:
            async with asyncio.timeout(REQUEST_S_MAX):
                head = await reader.readuntil(_END)
            async with asyncio.timeout(REQUEST_S_MAX):
                writer.write(self._answer(head))
                writer.close()
                await writer.wait_closed()
        except (OSError, TimeoutError, IncompleteReadError, LimitOverrunError):
            self.refused += 1
        finally:
            self._speaking -= 1
            writer.transport.abort()

    def _answer(self, head: bytes) -> bytes:
        lines = head.decode("latin-1").split("\r\n")
        method, _, rest = lines[0].partition(" ")
        path = rest.partition(" ")[0].partition("?")[0]
        if any(not _is_ours(line) for line in lines[1:]):
            return self._refusal("403 Forbidden")
        if method != "GET":
            return self._refusal("405 Method Not Allowed")
        if path != "/metrics":
            return self._refusal("404 Not Found")
        return _response("200 OK", self._text())

    def _refusal(self, status: str) -> bytes:
        self.refused += 1
        return _response(status, f"{status}\n")


def _is_ours(line: str) -> bool:
    """Say whether a header names this machine, if it names any."""
    name, _, value = line.partition(":")
    if name.strip().lower() != "host":
        return True
    host, colon, port = value.strip().rpartition(":")
    return (host if colon and port.isdecimal() else value.strip()).lower() in OURS


def _response(status: str, text: str) -> bytes:
    body = text.encode()
    head = (
        f"HTTP/1.0 {status}\r\nContent-Type: {CONTENT_TYPE}\r\n"
        f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    return head.encode() + body
