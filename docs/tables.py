# ruff: noqa: INP001
# A script beside the pages that are made with it, and no package.
"""The parts that every generated page is put together from."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

NOTE = (
    "<!-- Written by docs/make.py. Change the source it was made from, then run `make schema`. -->"
)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table; its cells are as they are given."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def cell(text: str) -> str:
    """Return text as one line that ends no cell."""
    return " ".join(text.split()).replace("|", "\\|")


def page(blocks: Iterable[str]) -> str:
    """Return blocks as a page, an empty line between each two."""
    return "\n\n".join(block for block in blocks if block) + "\n"
