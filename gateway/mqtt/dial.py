"""The way to a broker, up to the first byte of MQTT. No threads, so it can be given up."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable

KERNEL_BYTES = 65_536
"""What the kernel may hold each way: what stands there can't be overtaken, nor refused."""


class HandshakeTimeout(TimeoutError):  # noqa: N818  # a fact about a line, named as one
    """Somebody takes the connection, and doesn't answer the TLS handshake."""


async def dial(
    host: str, port: int, context: ssl.SSLContext | None, *, limit_s: float
) -> socket.socket:
    """Return a connection to the first address of the host that takes it, protected if asked for.

    Raises:
        OSError: none does, or the broker isn't who it should be.
    """
    loop = asyncio.get_running_loop()
    refusal: OSError = OSError(f"{host} has no address")
    for family, kind, protocol, _, address in await loop.getaddrinfo(
        host, port, type=socket.SOCK_STREAM
    ):
        sock = socket.socket(family, kind, protocol)
        try:
            sock.settimeout(0)
            # Without it the last packet of a burst waits 40 ms for the broker's delayed ACK.
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, KERNEL_BYTES)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, KERNEL_BYTES)
            async with asyncio.timeout(limit_s):
                await loop.sock_connect(sock, address)
        except TimeoutError:
            sock.close()
            refusal = TimeoutError(f"{host}:{port} doesn't answer")
        except OSError as error:
            sock.close()
            refusal = error
        except asyncio.CancelledError:
            sock.close()
            raise
        else:
            return sock if context is None else await _secured(sock, context, host, limit_s)
    raise refusal


async def _secured(
    sock: socket.socket, context: ssl.SSLContext, host: str, limit_s: float
) -> ssl.SSLSocket:
    """Return the connection after the TLS handshake."""
    tls = context.wrap_socket(sock, server_hostname=host, do_handshake_on_connect=False)
    try:
        async with asyncio.timeout(limit_s):
            await _shake_hands(tls)
    except TimeoutError:
        tls.close()
        silence = f"{host} doesn't answer the TLS handshake"
        raise HandshakeTimeout(silence) from None
    except BaseException:
        tls.close()
        raise
    return tls


async def _shake_hands(tls: ssl.SSLSocket) -> None:
    loop = asyncio.get_running_loop()
    while True:
        try:
            tls.do_handshake()
        except ssl.SSLWantReadError:
            await _ready(tls, loop.add_reader, loop.remove_reader)
        except ssl.SSLWantWriteError:
            await _ready(tls, loop.add_writer, loop.remove_writer)
        else:
            return


async def _ready(
    sock: socket.socket,
    add: Callable[[socket.socket, Callable[[], object]], None],
    remove: Callable[[socket.socket], object],
) -> None:
    """Return once the socket can go on in one direction."""
    ready = asyncio.Event()
    add(sock, ready.set)
    try:
        await ready.wait()
    finally:
        remove(sock)
