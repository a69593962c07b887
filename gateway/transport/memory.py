"""A modem in memory: for tests, ours and yours. It can be fed, unplugged, stalled and listened to.

modem = Modem()
port = Port(plan, clock=clock, log=log, jitter=dice, modems={"bench": modem})   # memory:bench
modem.feed(b"$GPZDA,…")
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from types import MappingProxyType

from gateway.transport import (
    READ_BYTES_MAX,
    WRITE_BYTES_MAX,
    WRITE_S_MAX,
    Key,
    Node,
    WireAbsent,
    WireLost,
    WriteStalled,
)

FED_BYTES_MAX = 16 * 1024 * 1024
"""A test that feeds more without anyone reading has lost its reader."""


class Modem:
    """What hangs on the wire: the test's end of it."""

    def __init__(self) -> None:
        self.written = bytearray()
        """What the gateway has sent, newest WRITE_BYTES_MAX bytes."""
        self.stalled = False
        """Whether it takes no bytes, as a modem does that holds CTS down."""
        self.adapter: str | None = None
        """What adapter it says that it hangs on; None where nobody can tell."""
        self.key: Key | None = None
        """What keys its transmitter; None where nothing does."""
        self.plugged = True
        self.plugs = 1
        self._fed = bytearray()
        self._woken = asyncio.Event()

    def feed(self, data: bytes) -> None:
        """Say something. A modem without its cable says it to nobody."""
        if self.plugged:
            if len(self._fed) + len(data) > FED_BYTES_MAX:
                raise BufferError(FED_BYTES_MAX)
            self._fed += data
            self._woken.set()

    def hang_up(self) -> None:
        """Pull the cable; what was on its way is gone."""
        self.plugged = False
        self._fed.clear()
        self._woken.set()

    def plug_in(self) -> None:
        """Put the cable back."""
        self.plugged = True
        self.plugs += 1

    async def heard(self, plug: int) -> bytes:
        """Return the next bytes for the wire of that plug; none when it is no longer in."""
        while self.plugged and self.plugs == plug and not self._fed:
            self._woken.clear()
            await self._woken.wait()
        if not self.plugged or self.plugs != plug:
            return b""
        data = bytes(self._fed[:READ_BYTES_MAX])
        del self._fed[:READ_BYTES_MAX]
        return data

    def let_go(self) -> None:
        """Wake whoever reads, so that it sees what has changed."""
        self._woken.set()


class MemoryWay:
    """The way to a modem in memory; None is a name that no modem answers to."""

    def __init__(self, device: str, modem: Modem | None) -> None:
        self.refused_senders = 0
        self._device = device
        self._modem = modem

    async def open(self) -> tuple[MemoryWire, Node]:
        """Open the wire when the cable is in."""
        node = self.standing()
        if node is None or self._modem is None:
            raise WireAbsent(self._device, "no such modem in memory")
        return MemoryWire(self._device, self._modem), node

    def standing(self) -> Node | None:
        """Return the modem's plug: each time it is put in is another node."""
        if self._modem is None or not self._modem.plugged:
            return None
        return Node(path=self._device, identity=(self._modem.plugs,))

    def close(self) -> None:
        """Nothing outlives the wire."""


class MemoryWire:
    """An open wire to a modem in memory."""

    def __init__(self, device: str, modem: Modem) -> None:
        self.adapter = modem.adapter
        self.key = modem.key
        self._device = device
        self._modem = modem
        self._plug = modem.plugs
        self._closed = False

    async def read(self) -> bytes:
        """Return the next bytes; raise WireLost."""
        data = b"" if self._closed else await self._modem.heard(self._plug)
        if not data:
            raise WireLost(self._device, "closed by us" if self._closed else "hung up")
        return data

    async def write(self, data: bytes) -> None:
        """Let the modem hear this; raise WriteStalled or WireLost."""
        if self._closed or not self._modem.plugged or self._modem.plugs != self._plug:
            raise WireLost(self._device, "hung up")
        if len(data) > WRITE_BYTES_MAX:
            raise WriteStalled(self._device, len(data))
        if self._modem.stalled:
            raise WriteStalled(self._device, len(data), waited_s=WRITE_S_MAX)
        self._modem.written += data
        del self._modem.written[:-WRITE_BYTES_MAX]

    def close(self) -> None:
        """Let go of the modem."""
        self._closed = True
        self._modem.let_go()


NO_MODEMS: Mapping[str, Modem] = MappingProxyType({})
"""Of a station that has none in memory."""
