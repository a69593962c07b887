"""The gateway holds against test data that nobody in this project wrote, and the scale is true.

The data lie outside of the repository: `$VECTORS`, or `../shared/vectors`.
"""

from __future__ import annotations

import os
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest

RUN = Path(__file__).parent / "conformance" / "run.py"
A_FILE = "ais/consensus.jsonl"


def harness():
    spec = spec_from_file_location("conformance_run", RUN)
    module = module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up there
    spec.loader.exec_module(module)
    return module


def vectors():
    return Path(os.environ.get("VECTORS", harness().DEFAULT))


@pytest.mark.skipif(
    not vectors().is_dir(),
    reason=f"the vectors are not here: {vectors()} is no folder; name theirs in $VECTORS",
)
def test_every_vector_agrees_or_has_its_reason(capsys):
    """Every file is tried, every goal reached, every disagreement explained, no reason idle."""
    status = harness().main([str(vectors())])
    table = capsys.readouterr().out

    assert status == 0, table


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """Return a function that runs the harness on these rows and reasons: status and words."""
    module = harness()
    for family in module.FAMILIES:
        (tmp_path / family).mkdir()
    for companion in ("README.md", "consensus.meta.json", "x.log.chk"):
        (tmp_path / "ais" / companion).write_text("")
    (tmp_path / A_FILE).write_text("")

    def run(rows, reasons=(), goals=(), claims=A_FILE):
        monkeypatch.setattr(module, "GOALS", tuple(module.Goal(*goal) for goal in goals))
        monkeypatch.setattr(module, "kept_checks", lambda: [(claims, lambda _path: rows)])
        monkeypatch.setattr(
            module, "kept_reasons", lambda: [module.Reason(*reason) for reason in reasons]
        )
        return module.main([str(tmp_path)]), capsys.readouterr().out

    return run


A_GOAL = ("ais", "A fields", 99.9)
ROW_GOAL = ("ais", "A rows", 100.0)
CHECKSUM_GOAL = ("ais", "bad checksums refused", 100.0)
REASON = (A_FILE, ("1",), "lat", "the row is wrong")


def test_agreement_passes(run):
    status, words = run([("1", "A", (), 9), ("2", "B", ())], goals=[A_GOAL, ROW_GOAL])

    assert status == 0
    assert "tried      2  agreed      2  disagreed    0 (explained 0)  out of scope 0" in words
    assert "A fields 9/9 = 100.000 %" in words


def test_disagreement_without_a_reason_fails(run):
    status, words = run([("1", "B", ("lat: 1, not 2",))])

    assert status == 1
    assert f"{A_FILE} 1: lat: 1, not 2" in words


def test_reason_explains_and_still_counts_as_disagreement(run):
    status, words = run([("1", "B", ("lat: 1, not 2",))], [REASON])

    assert status == 0
    assert "agreed      0  disagreed    1 (explained 1)" in words


@pytest.mark.parametrize(
    "row",
    [("2", "B", ("lat: 1",)), ("1", "B", ("lon: 1",)), ("1", "B", ("lat: 1", "lon: 1"))],
    ids=["other row", "other field", "one field more"],
)
def test_reason_explains_only_what_it_names(run, row):
    status, words = run([("1", "B", ("lat: 1",)), row], [REASON])

    assert status == 1
    assert "(explained 1)" in words


def test_reason_of_another_file_explains_nothing(run):
    status, _ = run([("1", "B", ("lat: 1",))], [("dsc/*", ("*",), "", "elsewhere")])

    assert status == 1


def test_idle_reason_fails(run):
    status, words = run([("1", "B", ())], [REASON])

    assert status == 1
    assert "needed by nothing: the row is wrong" in words


def test_explained_disagreements_do_not_reach_a_goal(run):
    rows = [("1", "A", ("lat: 1",), 100), ("2", "A", (), 100)]

    assert run(rows, [REASON], [A_GOAL])[0] == 1
    assert run(rows, [REASON], [("ais", "A fields", 99.5)])[0] == 0
    assert run(rows, [REASON], [ROW_GOAL])[0] == 1


def test_accepted_bad_checksum_fails(run):
    rows = [("1 bad checksum", "A", ("bad checksum accepted",))]
    status, words = run(rows, [(A_FILE, ("*",), "bad", "why not")], [CHECKSUM_GOAL])

    assert status == 1
    assert "bad checksums refused 0/1 = 0.000 %, wanted 100.0 %" in words


def test_goal_that_nothing_counted_towards_fails(run):
    assert run([("1", "B", ())], goals=[A_GOAL])[0] == 1


def test_row_out_of_scope_is_counted_as_such(run):
    status, words = run([("1", "A", None)])

    assert status == 0
    assert "tried      0  agreed      0  disagreed    0 (explained 0)  out of scope 1" in words


def test_file_that_nobody_claims_fails(run):
    status, words = run([], claims="dsc/*")

    assert status == 1
    assert f"{A_FILE}: no checker claims this file" in words


def test_long_list_is_cut_and_counted(run):
    status, words = run([(str(at), "B", ("lat: 1",)) for at in range(15)])

    assert status == 1
    assert "and 5 more without a reason" in words


def test_missing_folder_is_said_and_fails(tmp_path, capsys):
    assert harness().main([str(tmp_path / "nowhere")]) == 1
    assert "no vectors at" in capsys.readouterr().out


def test_kept_reasons_are_sentences_of_their_own():
    """Each reason names a file and says something in full."""
    for reason in harness().kept_reasons():
        assert reason.file.startswith(harness().FAMILIES)
        assert len(reason.reason) > 40
        assert reason.reason.endswith(".")
