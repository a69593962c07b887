# ruff: noqa: INP001
# A script beside the pages that are made with it, and no package.
"""The bounds of the house, read off its source: each `Bound(...)` that it makes is a row."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

ROOT = Path(__file__).parents[1]
GATEWAY = ROOT / "gateway"


def bound_rows() -> Iterator[tuple[str, ...]]:
    """Yield what it holds, its limit, its rule, whether distress passes through, and its place."""
    for path in sorted(GATEWAY.rglob("*.py")):
        for call in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(call, ast.Call) and ast.unparse(call.func) == "Bound":
                yield _row(path, {word.arg: word.value for word in call.keywords})


def _row(path: Path, told: dict[str | None, ast.expr]) -> tuple[str, ...]:
    place = path.relative_to(ROOT)
    module = ".".join(place.with_suffix("").parts).removesuffix(".__init__")
    limit = getattr(import_module(module), ast.unparse(told["limit"]))
    return (
        f"`{ast.literal_eval(told['what'])}`",
        f"{limit:,}".replace(",", " "),
        ast.literal_eval(told["rule"]),
        "passes" if "urgent" in told else "",
        f"`{place}`",
    )
