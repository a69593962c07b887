r"""Exact bytes as text that a person can read: printable ASCII as it is, all else as \\xNN.

The backslash itself is written \\x5c, so that the text turns back into exactly the same bytes.
"""

import re

_PRINTABLE = bytes(range(0x20, 0x7F)).replace(b"\\", b"")
_ESCAPES = {**{byte: f"\\x{byte:02x}" for byte in range(256)}, **{b: chr(b) for b in _PRINTABLE}}
_ESCAPED = re.compile(r"\\x([0-9a-f]{2})")


def escape(raw: bytes) -> str:
    """Return the bytes as readable text."""
    if not raw.translate(None, _PRINTABLE):
        return raw.decode("ascii")
    return "".join(_ESCAPES[byte] for byte in raw)


def unescape(text: str) -> bytes:
    """Return the bytes that the text was made of."""
    return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text).encode("latin-1")
