"""What the connections of one link are protected with: the files as they were when last taken.

A file that is replaced by a broken one costs no link: who connects anew goes on with what was good.
"""

from __future__ import annotations

import socket
import ssl
from pathlib import Path

from gateway.model.plan import TlsPlan
from gateway.mqtt.bus import CredentialFault
from gateway.mqtt.certificates import Certificate, certificate_of, found_in
from gateway.mqtt.credentials import tls_context
from gateway.mqtt.dial import HandshakeTimeout, dial

FILE_BYTES_MAX = 1 << 20
"""Read of a file of certificates: that of a whole operating system is a fifth of it."""

Print = tuple[tuple[int, int, int] | None, ...]
"""What tells one state of the files from another: time, size and node of each; None without it."""


class Protection:
    """The credentials of one link. Without a plan its connections are plain."""

    def __init__(self, plan: TlsPlan | None) -> None:
        self._plan = plan
        self._context: ssl.SSLContext | None = None
        self._ours: tuple[Certificate, ...] = ()
        self._brokers: tuple[Certificate, ...] = ()
        self.taken: Print | None = None
        """What the files were like when they were taken; None before."""
        self.refusal: str | None = None
        """Why the last protected connection could not be made; None when it could."""

    @property
    def protected(self) -> bool:
        """Whether there is anything to protect with."""
        return self._plan is not None

    @property
    def certificates(self) -> tuple[Certificate, ...]:
        """Every certificate that the link depends on, as far as it is known by now."""
        return self._ours + self._brokers

    def seen(self) -> Print:
        """Return what the files are like now."""
        plan = self._plan or TlsPlan()
        return tuple(_print(file) for file in (plan.ca_file, plan.cert_file, plan.key_file))

    def fresh(self) -> Protection:
        """Return the same with the files as they are now.

        Raises:
            CredentialFault: they can't be used.
        """
        made = Protection(self._plan)
        made.context()
        return made

    def adopt(self, fresh: Protection) -> None:
        """Make the next connection with these."""
        self._context, self._ours, self.taken = fresh._context, fresh._ours, fresh.taken

    def context(self) -> ssl.SSLContext | None:
        """Return what the next connection is made with; None when it is plain.

        Raises:
            CredentialFault: the files can't be used, and never could.
        """
        plan = self._plan
        if self._context is None and plan is not None:
            seen = self.seen()
            try:
                context, ours = tls_context(plan), _certificates(plan)
            except CredentialFault as fault:
                self.refusal = str(fault)
                raise
            self._context, self._ours, self.taken = context, ours, seen
        return self._context

    def doubted(self, reason: str) -> str:
        """Return why the broker left right after the handshake, in which it lets everybody in.

        TLS 1.3 looks at our certificate only then, and most often says nothing of it.
        """
        if self.protected:
            self.refusal = reason = f"{reason} (our certificate?)"
        return reason

    async def dial(self, host: str, port: int, *, limit_s: float) -> socket.socket:
        """Return a connection to the broker; see dial.py. Who it was is remembered."""
        context = self.context()
        try:
            sock = await dial(host, port, context, limit_s=limit_s)
        except (ssl.SSLError, HandshakeTimeout) as error:
            self.refusal = str(error)
            raise
        if isinstance(sock, ssl.SSLSocket):
            shown = sock.getpeercert(binary_form=True)
            self._brokers = (certificate_of("broker", shown),) if shown else ()
        return sock


def _certificates(plan: TlsPlan) -> tuple[Certificate, ...]:
    ours = found_in("ours", plan.cert_file, _read(plan.cert_file)) if plan.cert_file else ()
    theirs = found_in("authority", plan.ca_file, _read(plan.ca_file)) if plan.ca_file else ()
    return ours + theirs


def _print(file: str | None) -> tuple[int, int, int] | None:
    if file is None:
        return None
    try:
        found = Path(file).stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def _read(file: str) -> bytes:
    try:
        with Path(file).open("rb") as opened:
            return opened.read(FILE_BYTES_MAX)
    except OSError as error:
        raise CredentialFault(file, error.strerror or str(error)) from None
