"""Ed25519 keys (RFC 8032): made, read from their file, signed with, and signatures proven.

The one module that knows the library. A private key stands in a file of its own, PKCS #8 in PEM
(RFC 5958), without a password: a station signs with nobody there to type one. The file's mode
guards it, and it is refused when others may read it.
"""

from __future__ import annotations

import os
import stat
from base64 import b64decode, b64encode
from pathlib import Path

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from gateway.settings.faults import BadSettings, ConfigFault

KEY_BYTES_MAX = 4096
"""A private key of this kind is 119 bytes in PEM; a little more room for words before it."""

_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_MAKE = "`distress-gateway agreement keygen FILE` makes one"


class Key:
    """A private key."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key

    @property
    def public(self) -> str:
        """The public key as agreements write it."""
        return "ed25519:" + b64encode(self._key.public_key().public_bytes_raw()).decode()

    @property
    def pem(self) -> bytes:
        """All of it, as it is kept in its file."""
        return self._key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

    def sign(self, statement: bytes) -> str:
        """Return the signature under this statement, in base64."""
        return b64encode(self._key.sign(statement)).decode()


def new_key() -> Key:
    """Return a key that nobody has, made from the dice of the system."""
    return Key(Ed25519PrivateKey.generate())


def read_key(path: Path) -> Key:
    """Return the private key in this file, or raise BadSettings."""
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            pem = file.read(KEY_BYTES_MAX + 1)
    except FileNotFoundError:
        raise _bad(path, "no such file", _MAKE) from None
    except OSError as error:
        raise _bad(path, f"can't be read: {error.strerror}", "see its owner and mode") from None
    if mode & _OTHERS:
        raise _bad(path, "may be read or written by others", f"chmod 600 {path}")
    try:
        key = load_pem_private_key(pem[:KEY_BYTES_MAX], password=None)
    except TypeError:
        raise _bad(path, "is locked with a password", "name a key without one") from None
    except (ValueError, UnsupportedAlgorithm):
        raise _bad(path, "is no private key in PEM", _MAKE) from None
    if not isinstance(key, Ed25519PrivateKey):
        raise _bad(path, "is a key of another kind than Ed25519", _MAKE)
    return Key(key)


def proves(public_key: str, statement: bytes, signature: str) -> bool:
    """Say whether this signature was made under this statement with the key of this public key."""
    key = Ed25519PublicKey.from_public_bytes(b64decode(public_key.partition(":")[2]))
    try:
        key.verify(b64decode(signature), statement)
    except InvalidSignature:
        return False
    return True


def _bad(path: Path, what: str, remedy: str) -> BadSettings:
    return BadSettings((ConfigFault(str(path), 0, "", what, remedy),))
