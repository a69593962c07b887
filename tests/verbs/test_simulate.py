"""What an agreement would have said of recorded traffic."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from gateway import cli
from gateway.model.verdict import Judgement, Verdict
from gateway.settings.agreement import read_agreement
from gateway.verbs.simulate import simulated

STRAIT = Path(__file__).parents[2] / "config" / "demo" / "strait.tape"

AGREEMENT = """\
id = "strait"
version = "1"
title = "Watch in the strait"
[parties]
station = { name = "This station", match = { mmsi = ["00#######"] } }
[channels]
vhf70 = { hz = 156_525_000, mode = "dsc" }
[rules.quick]
kind = "ack_deadline"
who = ["station"]
when = { type = ["distress_alert"], system = ["dsc"] }
window = { max_s = 30 }
source = "a test"
basis = "design"
[rules.calm]
kind = "ack_deadline"
who = ["station"]
when = { type = ["distress_alert"], system = ["dsc"] }
window = { max_s = 60 }
source = "a test"
basis = "design"
"""
"""The alert on the tape is acknowledged after 42 s."""


@pytest.fixture
def write(tmp_path):
    def written(text=AGREEMENT, name="strait.toml"):
        path = tmp_path / name
        path.write_text(text)
        return path

    return written


def test_the_tape_of_the_demonstration_is_judged_call_by_call(write, capsys):
    assert cli.main(["simulate", "--agreement", str(write()), str(STRAIT)]) == 0

    *lines, _, summary = capsys.readouterr().out.splitlines()
    late, answered = lines
    assert late.startswith("12:00:36  violation  strait/quick  mmsi:200100005: nobody has")
    assert answered.startswith("12:00:48  ok         strait/calm  mmsi:200100005: station has")
    assert summary == "2 verdicts: 1 violation, 1 ok"


def test_the_same_tape_gives_the_same_verdicts(write):
    agreement = read_agreement(write())

    one, other = (list(simulated(STRAIT, [agreement])) for _ in range(2))
    assert one == other != []


def test_each_line_of_json_is_a_verdict_that_names_the_text_it_is_of(write, capsys):
    agreement = read_agreement(write())
    cli.main(["simulate", "--json", "--agreement", str(write()), str(STRAIT)])

    lines = capsys.readouterr().out.splitlines()
    found = [msgspec.json.decode(line, type=Verdict) for line in lines]
    assert {verdict.digest for verdict in found} == {agreement.digest}
    assert {verdict.judgement for verdict in found} >= {Judgement.OK, Judgement.VIOLATION}


def test_two_agreements_are_compared_by_what_they_say(write, capsys):
    old, same = write(), write(AGREEMENT.replace("quick", "hasty"), "same.toml")
    patient = write(AGREEMENT.replace("max_s = 30", "max_s = 35"), "patient.toml")

    cli.main(["simulate", "--agreement", str(same), "--against", str(old), str(STRAIT)])
    assert capsys.readouterr().out.startswith("\n0 verdicts differ, ")

    cli.main(["simulate", "--agreement", str(patient), "--against", str(old), str(STRAIT)])
    lines = capsys.readouterr().out.splitlines()
    assert [line[:10] for line in lines] == ["- 12:00:36", "+ 12:00:41", "", "2 verdicts"]
    assert "within 35 s is agreed" in lines[1]
    assert lines[-1].startswith(
        "2 verdicts differ (+ of --agreement alone, - of --against alone), "
    )


@pytest.mark.parametrize(("state", "says"), [("proposed", 2), ("suspended", 0), ("terminated", 0)])
def test_what_is_proposed_is_tried_as_though_it_were_in_force(write, state, says):
    text = AGREEMENT.replace("[parties]", f'status = {{ state = "{state}" }}\n[parties]')

    assert len([*simulated(STRAIT, [read_agreement(write(text))])]) == says


def test_what_is_no_tape_is_said_so(write, tmp_path, capsys):
    status = cli.main(["simulate", "--agreement", str(write()), str(tmp_path / "none.tape")])

    assert (status, "none.tape: No such file" in capsys.readouterr().err) == (1, True)


def test_a_file_of_which_nothing_can_be_read_is_said_to_be_no_tape(write, capsys):
    """Whoever names the agreement twice is not told that it was kept."""
    path = write()

    assert cli.main(["simulate", "--agreement", str(path), str(path)]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err == f"{path}: is no tape, and nothing in it could be read\n"
