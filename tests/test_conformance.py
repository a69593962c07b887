"""The gateway holds against test data that nobody in this project wrote, and the scale is true.

The data lie outside of the repository: `$VECTORS`, or `../shared/vectors`.
"""

from __future__ import annotations

import json
import os
import sys
from importlib.util import module_from_spec, spec_from_file_location
from itertools import pairwise
from pathlib import Path

import pytest
from msgspec.structs import replace

from gateway.radio.cospas_sarsat.words import BeaconDetail
from gateway.radio.cospas_sarsat.write import write_beacon
from tests.conformance import check_spec, proofs
from tests.conformance.rows import Proven

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


@pytest.mark.skipif(not (vectors() / "spec.json").is_file(), reason="the samples are not here")
def test_every_value_of_every_sample_is_compared():
    """A sample that states another value disagrees, whichever it is; a note is no value."""
    samples = json.loads((vectors() / "spec.json").read_text(encoding="utf-8"))
    for before, sample in pairwise([{}, *samples]):
        for name, value in sample["expect"].items():
            if sample["system"] in check_spec.TABLES and name not in ("note", "same_as"):
                stated = {name: otherwise(value)}
                said = [*check_spec.of_sample({**sample, "expect": stated}, before)]

                assert said[0], (sample["frame"], stated)


def otherwise(value):
    """Return another value of the same kind; of a text one that is as long and begins otherwise."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, str):
        return ("9" if value[0] != "9" else "8") + value[1:]
    return 1.0 if value is None else value + 1


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
    counts = "agreed      2  other's proven fault   0  disagreed    0 (explained 0)  out of scope 0"
    assert f"tried      2  {counts}" in words
    assert "A fields 9/9 = 100.000 %" in words


def test_disagreement_without_a_reason_fails(run):
    status, words = run([("1", "B", ("lat: 1, not 2",))])

    assert status == 1
    assert f"{A_FILE} 1: lat: 1, not 2" in words


def test_reason_explains_and_still_counts_as_disagreement(run):
    status, words = run([("1", "B", ("lat: 1, not 2",))], [REASON])

    assert status == 0
    assert "agreed      0  other's proven fault   0  disagreed    1 (explained 1)" in words


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


FAULT = Proven("lat: 1, not 2", "the standard has it in bit 7")


def test_proven_fault_of_another_decoder_is_counted_apart_and_printed_with_its_rule(run):
    rows = [("1", "A", (FAULT,), 9), ("2", "A", (), 9)]
    goals = [A_GOAL, ROW_GOAL, ("ais", "rows", 99.0)]
    status, words = run(rows, goals=goals)

    assert status == 0
    assert "tried      2  agreed      1  other's proven fault   1  disagreed    0" in words
    assert "A fields 17/17" in words
    assert "rows 1/1 = 100.000 %  proven faults counted in: 50.000 % of rows" in words
    assert "ais: proven 1: the standard has it in bit 7" in words


def test_row_with_a_proven_fault_and_a_disagreement_disagrees_and_needs_its_reason(run):
    rows = [("1", "A", (FAULT, "lon: 3, not 4"))]

    assert run(rows)[0] == 1
    assert run(rows, [(A_FILE, ("1",), "lon", "the row is wrong")])[0] == 0
    assert "other's proven fault   0  disagreed    1" in run(rows)[1]


def test_reason_for_what_is_proven_is_idle(run):
    assert run([("1", "B", (FAULT,))], [REASON])[0] == 1


USER_LOCATION = BeaconDetail(
    generation=1,
    form="message",
    protocol="user_serial",
    beacon="elt",
    hex_id="",
    country="232",
    long=True,
    serial=573,
    homing="none",
    position_source="internal",
    lat_deg=43 + 32 / 60,
    lon_deg=1 + 28 / 60,
)
"""Its second field is the one printed in T.001 annex B: bit 107 is 1, internal; bit 111 is 0."""
BOTH_PROVEN = {"bch1_ok": True, "bch2_ok": True}


def a_row(said, **differing):
    return {"input_hex": write_beacon(said), "cross_check": BOTH_PROVEN, **differing}


def test_source_of_a_position_is_proven_by_the_sample_of_the_standard():
    row = a_row(USER_LOCATION)

    assert f"{int(row['input_hex'], 16):0120b}"[82:108] == "10010101110000000000010111"
    assert proofs.of_source(row, "EXTERNAL", "INTERNAL") == proofs.SOURCE_RULE


@pytest.mark.parametrize(
    ("row", "wanted", "actual"),
    [
        (a_row(USER_LOCATION), "INTERNAL", "EXTERNAL"),
        (a_row(USER_LOCATION), "OTHER", "INTERNAL"),
        (a_row(replace(USER_LOCATION, lat_deg=16)), "EXTERNAL", "INTERNAL"),
        (a_row(USER_LOCATION, cross_check={"bch1_ok": True}), "EXTERNAL", "INTERNAL"),
        (a_row(replace(USER_LOCATION, protocol="user_test")), "EXTERNAL", "INTERNAL"),
    ],
    ids=["we are wrong", "no misreading", "same by both", "not proven", "no user location"],
)
def test_source_of_a_position_is_not_proven_by_less(row, wanted, actual):
    assert proofs.of_source(row, wanted, actual) is None


RETURN_LINK = "96ED42A13489D4D52A97F851A3B140"
SUITLAND = (38 + 51 / 60 + 8 / 3600, -(76 + 56 / 60 + 16 / 3600))


def test_place_of_a_return_link_beacon_is_proven_and_by_nothing_less():
    row = {"input_hex": RETURN_LINK, "cross_check": BOTH_PROVEN}
    misread = (39 - 4 / 60 - 24 / 3600, -(77 - 1 / 60 - 20 / 3600))

    assert proofs.of_place(row, misread, SUITLAND) == proofs.OFFSET_RULE
    assert proofs.of_place(row, SUITLAND, misread) is None
    assert proofs.of_place(row, (39.0, -77.0), SUITLAND) is None
    assert proofs.of_place(row, None, SUITLAND) is None
    assert proofs.of_place({**row, "cross_check": {}}, misread, SUITLAND) is None


ANSWER = {"input": "A>B::N0CALL   :ackRG}", "aprslib": {"response": "ack", "msgNo": "RG"}}


def test_number_that_is_answered_is_proven_by_a_third_decoder_and_by_nothing_less():
    def rule(**differing):
        return proofs.of_answer(ANSWER | differing, "acknowledges", "RG}", "RG")

    assert rule() == proofs.REPLY_RULE
    assert rule(aprslib=None) is None
    assert rule(aprslib={"response": "ack", "msgNo": "RG}"}) is None
    assert rule(aprslib={"response": "rej", "msgNo": "RG"}) is None
    assert rule(input="A>B::N0CALL   :ackRG") is None
    assert proofs.of_answer(ANSWER, "acknowledges", "R", "RG") is None


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
    assert "disagreed    0 (explained 0)  out of scope 1" in words


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
