"""Who we are to a broker, and how we know that it is the broker. It is always verified."""

from __future__ import annotations

import ssl
from pathlib import Path

from gateway.model.plan import TlsPlan
from gateway.mqtt.bus import CredentialFault

PASSWORD_BYTES_MAX = 65_535
"""A password has a length of two bytes in CONNECT (MQTT 5, section 3.1.3.6)."""


def tls_context(plan: TlsPlan) -> ssl.SSLContext:
    """Return what the link is protected with: the broker's name and certificate are verified.

    Raises:
        CredentialFault: a file is missing, or doesn't hold what it should.
    """
    try:
        context = ssl.create_default_context(cafile=plan.ca_file)
    except (OSError, ValueError) as error:
        raise CredentialFault(plan.ca_file or "the system's authorities", _words(error)) from None
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if plan.cert_file is not None:
        _show(context, plan.cert_file, plan.key_file)
    return context


def password(file: str) -> str:
    """Return the password in a file: its first line.

    Raises:
        CredentialFault: it can't be read, is empty, or is no text.
    """
    try:
        with Path(file).open(encoding="utf-8") as lines:
            found = lines.readline(PASSWORD_BYTES_MAX).rstrip("\r\n")
    except (OSError, ValueError) as error:
        raise CredentialFault(file, _words(error)) from None
    if not found:
        raise CredentialFault(file, "the first line should be the password, and is empty")
    return found


def _show(context: ssl.SSLContext, cert_file: str, key_file: str | None) -> None:
    """Have the context show our certificate to the broker."""
    for file in (cert_file, key_file):
        if file is not None and not Path(file).is_file():
            raise CredentialFault(file, "no such file")
    try:
        context.load_cert_chain(cert_file, key_file)
    except (OSError, ValueError) as error:
        files = f"{cert_file} with {key_file or 'no key file'}"
        raise CredentialFault(files, _words(error)) from None


def _words(error: Exception) -> str:
    return (isinstance(error, OSError) and error.strerror) or str(error) or type(error).__name__
