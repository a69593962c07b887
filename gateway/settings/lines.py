"""On which line of a TOML file a key stands: what the standard library's reader does not tell.

It reads only as much TOML as that takes, and only files that the real reader has found good.
"""

from __future__ import annotations

import re
import tomllib

_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_KEY_PART = re.compile(r"""[ \t]*(?:([A-Za-z0-9_-]+)|("(?:[^"\\]|\\.)*"|'[^']*'))[ \t]*""")
_VALUE_PART = re.compile(
    r"""
    "{3} (?: [^\\] | \\. )*? "{3,5}   # strings of several lines
    | '{3} .*? '{3,5}
    | " (?: [^"\\] | \\. )* "         # strings of one line
    | ' [^']* '
    | \# [^\n]*
    | [\[\]{}\n]
    | [^"'\#\[\]{}\n]+
    """,
    re.DOTALL | re.VERBOSE,
)

KeyPath = tuple[str, ...]


def key_lines(text: str) -> dict[KeyPath, int]:
    """Return the line, counted from 1, on which each table and key of a good file is first named.

    A key inside an inline table has no line of its own.
    """
    lines: dict[KeyPath, int] = {}
    table: KeyPath = ()
    place, line = 0, 1
    while True:
        start = _after(_BLANK, text, place)
        line += text.count("\n", place, start)
        if start == len(text):
            return lines
        if text[start] == "[":
            opening = 2 if text.startswith("[[", start) else 1
            table, place = _dotted_key(text, start + opening)
            path = table
            place += opening
        else:
            path, equals = _dotted_key(text, start)
            path = table + path
            place = _value_end(text, equals + 1)
        for depth in range(1, len(path) + 1):
            lines.setdefault(path[:depth], line)
        line += text.count("\n", start, place)


def nearest_line(lines: dict[KeyPath, int], path: KeyPath) -> int:
    """Return the line of a key, or of the innermost table around it that has one, or 0."""
    for depth in range(len(path), 0, -1):
        if path[:depth] in lines:
            return lines[path[:depth]]
    return 0


def _dotted_key(text: str, place: int) -> tuple[KeyPath, int]:
    """Return the key that starts here, and the place right behind it."""
    path: list[str] = []
    while found := _KEY_PART.match(text, place):
        bare, quoted = found.groups()
        path.append(bare or tomllib.loads(f"key = {quoted}")["key"])
        place = found.end()
        if text[place] != ".":
            break
        place += 1
    return tuple(path), place


def _value_end(text: str, place: int) -> int:
    """Return the place where the value that starts here has ended: at its line end."""
    depth = 0
    for found in _VALUE_PART.finditer(text, place):
        part = found[0]
        if part == "\n" and depth == 0:
            return found.start()
        depth += (part in "[{") - (part in "]}")
    return len(text)


def _after(pattern: re.Pattern[str], text: str, place: int) -> int:
    found = pattern.match(text, place)
    return found.end() if found else place
