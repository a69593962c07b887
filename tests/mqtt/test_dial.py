"""The way to a broker, when nobody is at the other end of it."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl

import pytest
import trustme

from gateway.mqtt.dial import _shake_hands, dial

LOOPBACK = "127.0.0.1"
LIMIT_S = 0.1


@pytest.fixture
def full():
    """Return the port of a listener whose queue is full: what knocks there is not answered."""
    with contextlib.ExitStack() as held:
        listener = held.enter_context(socket.socket())
        listener.bind((LOOPBACK, 0))
        listener.listen(0)
        for _ in range(3):
            knocking = held.enter_context(socket.socket())
            knocking.settimeout(0)
            with contextlib.suppress(BlockingIOError):
                knocking.connect(listener.getsockname())
        yield listener.getsockname()[1]


@pytest.fixture
def mute():
    """Return the port of a listener that never says a word."""
    with socket.socket() as listener:
        listener.bind((LOOPBACK, 0))
        listener.listen(5)
        yield listener.getsockname()[1]


def test_a_host_that_does_not_answer_is_given_up(full):
    with pytest.raises(TimeoutError, match=f"{LOOPBACK}:{full} doesn't answer"):
        asyncio.run(dial(LOOPBACK, full, None, limit_s=LIMIT_S))


def test_a_handshake_that_is_not_answered_is_given_up(mute):
    context = ssl.create_default_context()

    with pytest.raises(TimeoutError, match="handshake"):
        asyncio.run(dial(LOOPBACK, mute, context, limit_s=LIMIT_S))


def test_a_host_without_an_address_is_said_so():
    with pytest.raises((OSError, ValueError)):
        asyncio.run(dial("no such host", 1, None, limit_s=LIMIT_S))


def test_the_next_address_is_tried(monkeypatch):
    """A name with an address where nobody listens, and one where somebody does."""

    async def play():
        server = await asyncio.start_server(lambda _, writer: writer.close(), LOOPBACK, 0)
        port = server.sockets[0].getsockname()[1]
        loop = asyncio.get_running_loop()

        async def both(_host, port, *, type):  # noqa: A002  # the loop's own word
            found = (socket.AF_INET, type, 0, "")
            return [(*found, ("127.0.0.2", port)), (*found, (LOOPBACK, port))]

        monkeypatch.setattr(loop, "getaddrinfo", both)
        sock = await dial("broker.example", port, None, limit_s=1.0)
        peer = sock.getpeername()
        sock.close()
        server.close()
        await server.wait_closed()
        return peer, port

    peer, port = asyncio.run(play())

    assert peer == (LOOPBACK, port)


def test_giving_up_leaves_nothing_open(full, mute):
    """`filterwarnings` makes an unclosed socket an error."""

    async def play():
        tasks = [
            asyncio.create_task(dial(LOOPBACK, full, None, limit_s=5)),
            asyncio.create_task(dial(LOOPBACK, mute, ssl.create_default_context(), limit_s=5)),
        ]
        await asyncio.sleep(LIMIT_S)
        for task in tasks:
            task.cancel()
        return await asyncio.gather(*tasks, return_exceptions=True)

    assert {type(fate) for fate in asyncio.run(play())} == {asyncio.CancelledError}


def test_a_handshake_may_have_to_wait_to_write():
    steps = iter([ssl.SSLWantWriteError, ssl.SSLWantReadError, None])
    here, there = socket.socketpair()
    there.send(b"x")

    class Shaking:
        fileno = here.fileno

        def do_handshake(self):
            if (wanted := next(steps)) is not None:
                raise wanted

    with here, there:
        asyncio.run(asyncio.wait_for(_shake_hands(Shaking()), 1))

    assert next(steps, "done") == "done"


def test_a_protected_connection_is_handed_over_after_the_handshake():
    authority = trustme.CA()
    inside, outside = (
        ssl.SSLContext(p) for p in (ssl.PROTOCOL_TLS_SERVER, ssl.PROTOCOL_TLS_CLIENT)
    )
    authority.issue_cert(LOOPBACK).configure_cert(inside)
    authority.configure_trust(outside)

    async def play():
        server = await asyncio.start_server(
            lambda _, writer: writer.close(), LOOPBACK, 0, ssl=inside
        )
        port = server.sockets[0].getsockname()[1]
        sock = await dial(LOOPBACK, port, outside, limit_s=2.0)
        version = sock.version()
        sock.close()
        server.close()
        await server.wait_closed()
        return version

    assert asyncio.run(play()) == "TLSv1.3"
