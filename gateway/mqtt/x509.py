"""When a certificate is valid: the one thing that is read of it here. Pure.

    Certificate     SEQUENCE
      tbs           SEQUENCE
        version     [0]         may be absent
        serial      INTEGER
        signature   SEQUENCE
        issuer      SEQUENCE
        validity    SEQUENCE    of two times: not before, not after
        …

RFC 5280, section 4.1, in DER (X.690). Whether a certificate is genuine is for TLS to say.
"""

from __future__ import annotations

import re
from base64 import b64decode
from datetime import UTC, datetime

_SEQUENCE, _INTEGER, _VERSION = 0x30, 0x02, 0xA0
_UTC_TIME, _GENERALIZED_TIME = 0x17, 0x18

_BEFORE_VALIDITY = (_INTEGER, _SEQUENCE, _SEQUENCE)
"""What stands before it: serial number, signature algorithm, issuer."""

_INDEFINITE = b"\x80"
"""A length that is given by an end mark; DER has none (X.690, section 10.1)."""

_TIMES = {_UTC_TIME: re.compile(rb"\A\d{12}Z\Z"), _GENERALIZED_TIME: re.compile(rb"\A\d{14}Z\Z")}
"""In seconds, and of Greenwich: RFC 5280, section 4.1.2.5, allows nothing else."""

_CENTURY_SPLIT = 50
"""UTCTime has two digits of the year: from 50 on they are of 1950 (section 4.1.2.5.1)."""

_PEM = re.compile(
    rb"^-----BEGIN CERTIFICATE-----\s+([A-Za-z0-9+/=\s]+?)-----END CERTIFICATE-----", re.MULTILINE
)


class NoValidity(ValueError):  # noqa: N818  # a fact about some bytes, named as one
    """These bytes are no certificate, or one whose validity can't be read."""


def certificates_in(pem: bytes) -> list[bytes]:
    """Return every certificate of a PEM file, in DER; what else stands there is no matter."""
    return [_decoded(found.group(1)) for found in _PEM.finditer(pem)]


def validity_of(der: bytes) -> tuple[datetime, datetime]:
    """Return from when on and until when a certificate is valid.

    Raises:
        NoValidity: it isn't there to be read.
    """
    certificate, _ = _content(der, _SEQUENCE)
    rest, _ = _content(certificate, _SEQUENCE)
    if rest[:1] == bytes((_VERSION,)):
        _, rest = _content(rest, _VERSION)
    for tag in _BEFORE_VALIDITY:
        _, rest = _content(rest, tag)
    validity, _ = _content(rest, _SEQUENCE)
    not_before, rest = _time(validity)
    not_after, _ = _time(rest)
    return not_before, not_after


def _decoded(text: bytes) -> bytes:
    """Return what stands there in base64; nothing where that is damaged."""
    try:
        return b64decode(text)
    except ValueError:
        return b""


def _time(der: bytes) -> tuple[datetime, bytes]:
    tag = der[0] if der else 0
    text, rest = _content(der, tag)
    if tag not in _TIMES or not _TIMES[tag].match(text):
        raise NoValidity
    if tag == _UTC_TIME:
        text = (b"19" if int(text[:2]) >= _CENTURY_SPLIT else b"20") + text
    try:
        return datetime.strptime(text.decode(), "%Y%m%d%H%M%SZ").replace(tzinfo=UTC), rest
    except ValueError:
        raise NoValidity from None


def _content(der: bytes, tag: int) -> tuple[bytes, bytes]:
    """Return the content of the element that stands first, and what stands behind it."""
    if der[:1] != bytes((tag,)) or der[1:2] in {b"", _INDEFINITE}:
        raise NoValidity
    size, begin = der[1], 2
    if size & 0x80:  # the length has a length: X.690, section 8.1.3.5
        begin += size & 0x7F
        size = int.from_bytes(der[2:begin], "big")
    if len(der) < begin + size:
        raise NoValidity
    return der[begin : begin + size], der[begin + size :]
