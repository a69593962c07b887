# ruff: noqa: INP001
# A script beside the pages that it writes, and no package.
"""Write the generated schema and pages; with --check only say whether they are current.

python docs/make.py            write
python docs/make.py --check    exit status 1 when a file is not what would be written
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

from kinds import rules_page
from pages import (
    bounds_page,
    modules_page,
    radios_page,
    reliability_page,
    schema_page,
    topics_page,
)
from schemas import asyncapi, schemas

ROOT = Path(__file__).parents[1]
SCHEMA = ROOT / "config/schema"


def main(arguments: list[str]) -> int:
    """Write or compare every generated file."""
    wanted = dict(files())
    stale = [path for path in SCHEMA.glob("*.json") if path not in wanted]
    changed = [path for path, text in wanted.items() if _on_disk(path) != text]
    if arguments == ["--check"]:
        for path in sorted([*changed, *stale]):
            sys.stdout.write(f"{path.relative_to(ROOT)} is not current: run `make schema`\n")
        return 1 if changed or stale else 0
    for path in changed:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(wanted[path], encoding="utf-8")
    for path in stale:
        path.unlink()
    sys.stdout.write(f"{len(changed)} of {len(wanted)} files written, {len(stale)} removed\n")
    return 0


def files() -> Iterator[tuple[Path, str]]:
    """Yield each generated file and its text."""
    for name, schema in {**schemas(), "asyncapi.json": asyncapi()}.items():
        yield SCHEMA / name, json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
    yield ROOT / "docs/SCHEMA.md", schema_page()
    yield ROOT / "docs/TOPICS.md", topics_page()
    yield ROOT / "docs/RADIOS.md", radios_page()
    yield ROOT / "docs/BOUNDS.md", bounds_page()
    yield ROOT / "docs/RULES.md", rules_page()
    yield ROOT / "docs/MODULES.md", modules_page()
    yield ROOT / "docs/RELIABILITY.md", reliability_page()


def _on_disk(path: Path) -> str | None:
    return path.read_text("utf-8") if path.is_file() else None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
