"""The faults are those that are meant, one at a time, and none is excused that isn't there."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from mutate.planting import Module

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
EXCUSED = tomllib.loads((HERE / "equivalent.toml").read_text(encoding="utf-8"))["fault"]
SOURCE = '''
LIMIT = 3


class Box:
    """Docstrings stay."""

    def fill(self, count: int, *, name: str = "x") -> int:
        """So does this one."""
        whole = False
        while count < LIMIT and not whole:
            count += 1
        match count:
            case 3:
                return self.told(count, kind=name.lower())
        return -count % 2
'''


def module(folder, source=SOURCE):
    (folder / "box.py").write_text(source, encoding="utf-8")
    return Module(folder, "box.py")


def test_each_kind_of_fault_is_planted_where_it_can_be(tmp_path):
    faults = module(tmp_path).faults

    assert {fault.function for fault in faults} == {"Box.fill"}
    assert [fault.now for fault in faults] == [
        "def fill(self, count: int, *, name: str='XXxXX') -> int:",
        "whole = True",
        "while count < LIMIT or not whole:",
        "while count <= LIMIT and (not whole):",
        "while count < LIMIT and whole:",
        "count -= 1",
        "count = 1",
        "count += 2",
        "case 4:",
        "return self.told(None, kind=name.lower())",
        "return self.told(count, kind=None)",
        "return self.told(count)",
        "return self.told(count, kind=name.upper())",
        "return -count / 2",
        "return -count % 3",
    ]


def test_a_module_has_one_fault_at_a_time_and_its_source_is_left_alone(tmp_path):
    box = module(tmp_path)
    seen = set()
    for fault in box.faults:
        names = {}
        exec(box.planted(fault), names)  # noqa: S102  # it is the source above
        code = names["Box"].fill.__code__
        seen.add((code.co_code, code.co_consts, names["Box"].fill.__kwdefaults__["name"]))

    assert len(seen) == len(box.faults)
    assert (tmp_path / "box.py").read_text(encoding="utf-8") == SOURCE


@pytest.mark.parametrize("path", sorted({row["path"] for row in EXCUSED}))
def test_every_fault_that_is_excused_is_there_and_has_its_reason(path):
    there = {fault.key for fault in Module(ROOT, path).faults}

    for row in EXCUSED:
        if row["path"] == path:
            assert row["reason"]
            for now in row["now"]:
                for turn in row.get("turns", [0]):
                    assert (path, row["function"], row["was"], now, turn) in there
