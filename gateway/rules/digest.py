"""One number for the text of an agreement, the same for whoever has the same rules.

It is the SHA-256 of the tables of the file as JSON in UTF-8, with keys in order and no blanks
(RFC 8785 for what TOML can say here). Comments, order and layout don't count; nor does
`[status] state`, `since` and what parties have signed: those change while the text stays.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import date, time

CHANGING = ("state", "since")
"""Keys of `[status]` that are not of the text."""


def digest_of(tables: Mapping[str, object]) -> str:
    """Return the digest of an agreement, 64 hexadecimal digits, from the tables of its file."""
    return hashlib.sha256(canonical(tables)).hexdigest()


def canonical(tables: Mapping[str, object]) -> bytes:
    """Return the text of an agreement in its one form: what is signed."""
    text = {key: value for key, value in tables.items() if key != "status"}
    status = tables.get("status", {})
    if isinstance(status, Mapping):
        text["status"] = {key: value for key, value in status.items() if key not in CHANGING}
    return json.dumps(
        text, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=_moment
    ).encode()


def _moment(value: date | time) -> str:
    """Return a date or time as TOML writes it: all that JSON has no form of its own for."""
    return value.isoformat()
