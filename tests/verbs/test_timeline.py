"""What an agreement says of a tape, as a picture: each bar in its place, and text alone."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree as ET

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway import cli
from gateway.model.agreement import Agreement
from gateway.model.inbound import Moment
from gateway.model.verdict import Judgement, Verdict
from gateway.model.words import ClockState
from gateway.settings.agreement import agreement_named
from gateway.verbs import timeline
from gateway.verbs.timeline import AXIS_PX, BAR_PX_MIN, LABEL_PX, LOOKS, MARGIN_PX, Axis, drawn

STRAIT = Path(__file__).parents[2] / "config" / "demo" / "strait.tape"
SVG = f"{{{timeline.NAMESPACE}}}"
SHIPPED = "gmdss-coast-station"
S = 10**9
HOUR = Axis(100 * S, 3_700 * S, 1_793_707_100 * S)
"""From 12:00 to 13:00 UTC."""


@pytest.fixture(scope="module")
def agreed():
    whole = agreement_named("aero-guard")
    return msgspec.structs.replace(whole, rules=whole.rules[:2])


def said(agreed: Agreement, judgement: str, at_s: float, **more) -> Verdict:
    wanted = {
        "agreement": agreed.id,
        "version": agreed.version,
        "digest": agreed.digest,
        "rule": agreed.rules[0].id,
        "kind": agreed.rules[0].kind,
        "judgement": Judgement(judgement),
        "subject": "mmsi:200100005",
        "words": "so it is",
        "mono_ns": HOUR.first_ns + round(at_s * S),
    }
    return Verdict(**(wanted | more))


def read(picture: str) -> ET.Element:
    return ET.fromstring(picture)  # noqa: S314  # our own words


def bars(picture: str) -> list[tuple[str, int, int, str]]:
    """Return the judgement, place, width and words of each bar."""
    found = []
    for group in read(picture).iter(f"{SVG}g"):
        rect, title = group.find(f"{SVG}rect"), group.find(f"{SVG}title")
        if "class" in group.attrib and rect is not None and title is not None:
            left = int(rect.attrib["x"]) - MARGIN_PX - LABEL_PX
            found.append((group.attrib["class"], left, int(rect.attrib["width"]), title.text))
    return found


def texts(picture: str) -> list[str]:
    return [one.text.strip() for one in read(picture).iter(f"{SVG}text") if one.text]


# ---- A tape --------------------------------------------------------------------------------------


def test_a_tape_is_drawn_rule_by_rule_the_same_each_time(tmp_path, capsys):
    out = tmp_path / "strait.svg"
    assert cli.main(["agreement", "graph", SHIPPED, str(STRAIT), "-o", str(out)]) == 0
    assert cli.main(["agreement", "graph", SHIPPED, str(STRAIT)]) == 0

    picture = out.read_text("utf-8")
    assert capsys.readouterr().out == picture
    agreement = agreement_named(SHIPPED)
    found = texts(picture)
    for clause in agreement.rules:
        assert f"{clause.id}  {clause.kind.replace('_', ' ')}" in found
    assert f"{agreement.title}: strait.tape" in found
    assert f"digest {agreement.digest}" in found
    assert {"12:00:30", "12:05:00", "UTC, from 2026-11-03 12:00"} <= {*found}
    words = [one[3] for one in bars(picture)]
    assert any("violation  gmdss-coast-station/G12  mmsi:200100005" in one for one in words)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["none.tape"], "none.tape: No such file"),
        (["broken.tape"], "broken.tape"),
        (["words.txt"], "words.txt: is no tape, and nothing in it could be read"),
        ([str(STRAIT), "-o", "no/such/folder.svg"], "folder.svg: No such file"),
    ],
)
def test_what_cannot_be_read_or_written_is_said_so(arguments, says, tmp_path, monkeypatch, capsys):
    (tmp_path / "broken.tape").write_bytes(STRAIT.read_bytes()[:40])
    (tmp_path / "words.txt").write_text("It is calm! $ 5\n")
    monkeypatch.chdir(tmp_path)

    assert cli.main(["agreement", "graph", SHIPPED, *arguments]) == 1
    assert says in capsys.readouterr().err


# ---- Bars ----------------------------------------------------------------------------------------


def test_a_bar_lasts_until_another_word_is_said_of_the_same_subject(agreed):
    picture = drawn(
        agreed,
        HOUR,
        [
            said(agreed, "at_risk", 0),
            said(agreed, "violation", 900, words="too late"),
            said(agreed, "violation", 1_000),
            said(agreed, "violation", 1_200, subject="mmsi:2"),
            said(agreed, "ok", 1_800),
            said(agreed, "ok", 1_900),
            said(agreed, "exempt", 2_700),
        ],
        of="a.tape",
    )

    quarter = AXIS_PX // 4
    assert [one[:3] for one in bars(picture)] == [
        ("violation", quarter, quarter),
        ("at_risk", 0, quarter),
        ("exempt", 3 * quarter, BAR_PX_MIN),
        ("violation", AXIS_PX // 3, AXIS_PX - AXIS_PX // 3),
    ]
    late, risk, exempt, other = (one[3] for one in bars(picture))
    assert late.endswith("mmsi:200100005: too late (said 2 times); for 900 s")
    assert exempt.endswith("; for 0 s")
    assert risk.endswith("so it is; for 900 s")
    assert other.endswith("mmsi:2: so it is; for 2400 s, to the end of the tape")


def test_each_judgement_has_a_colour_lines_and_a_letter_of_its_own():
    drawn_so = {*Judgement} - {Judgement.OK}

    assert {*LOOKS} == drawn_so
    for of in ("letter", "colour", "lines"):
        assert len({getattr(look, of) for look in LOOKS.values()}) == len(drawn_so)


def test_what_is_said_at_the_very_end_stands_inside_the_picture(agreed):
    ((_, left, width, _),) = bars(drawn(agreed, HOUR, [said(agreed, "unknown", 3_600)], of="a"))

    assert (left, width) == (AXIS_PX - BAR_PX_MIN, BAR_PX_MIN)


@pytest.mark.parametrize(("at_s", "left"), [(-50, 0), (4_000, AXIS_PX - BAR_PX_MIN)])
def test_what_a_clock_that_was_moved_puts_outside_stands_at_the_edge(agreed, at_s, left):
    ((_, found, _, _),) = bars(drawn(agreed, HOUR, [said(agreed, "unknown", at_s)], of="a"))

    assert found == left


def test_of_more_at_once_than_can_be_told_apart_the_graver_are_drawn(agreed, monkeypatch):
    monkeypatch.setattr(timeline, "LANES_MAX", 2)
    subjects = ["a", "b", "c"]
    verdicts = [said(agreed, "unknown", 0, subject=name) for name in subjects]
    verdicts += [said(agreed, "violation", 1_800, subject="d")]
    picture = drawn(agreed, HOUR, verdicts, of="a")

    assert [one[0] for one in bars(picture)] == ["violation", "unknown"]
    clause = agreed.rules[0]
    assert f"{clause.id}  {clause.kind.replace('_', ' ')}  +2 more" in texts(picture)


def test_what_touches_and_does_not_overlap_stands_side_by_side(agreed):
    verdicts = [said(agreed, "violation", 0), said(agreed, "unknown", 1_800)]
    root = read(drawn(agreed, HOUR, verdicts, of="a"))

    tops = {
        group.find(f"{SVG}rect").attrib["y"]
        for group in root.iter(f"{SVG}g")
        if "class" in group.attrib
    }
    assert len(tops) == 1


# ---- The axis ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("span_s", "first", "second", "count"),
    [
        (9, "12:00:00", "12:00:01", 10),
        (12, "12:00:00", "12:00:01", 13),
        (13, "12:00:00", "12:00:02", 7),
        (600, "12:00", "12:01", 11),
        (3_600, "12:00", "12:05", 13),
        (86_400, "12:00", "14:00", 13),
        (7 * 86_400, "2026-11-04", "2026-11-05", 7),
        (20 * 86_400, "2026-11-05", "2026-11-07", 10),
        (60 * 86_400, "2026-11-05", "2026-11-12", 9),
        (200 * 86_400, "2026-11-12", "2026-12-03", 10),
    ],
)
def test_the_axis_has_round_times_and_no_more_than_can_be_read(span_s, first, second, count):
    ticks = [*Axis(100 * S, (100 + span_s) * S, HOUR.utc_off_ns).ticks()]

    assert ([name for _, name in ticks[:2]], len(ticks)) == ([first, second], count)


@pytest.mark.parametrize(
    ("span_s", "names"),
    [(3, ["+0:00:00", "+0:00:01", "+0:00:02", "+0:00:03"]), (7_800, ["+0:00", "+0:15", "+0:30"])],
)
def test_without_a_time_of_day_it_counts_from_the_beginning(span_s, names):
    axis = timeline.axis_of([_moment(100 * S, None), _moment((100 + span_s) * S, 5)])

    assert [name for _, name in axis.ticks()][: len(names)] == names
    assert next(axis.ticks())[0] == axis.first_ns


def test_the_clock_of_the_first_moment_counts_and_a_tape_of_nothing_is_drawn_too(agreed):
    assert timeline.axis_of([_moment(5, 12), _moment(9, 99)]) == Axis(5, 9, 7)
    assert "no time of day is known" in texts(drawn(agreed, timeline.axis_of([]), [], of="a"))


def _moment(mono_ns, utc_ns):
    return Moment(mono_ns=mono_ns, utc_ns=utc_ns, clock=ClockState.NTP)


# ---- Whatever was sent ---------------------------------------------------------------------------


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.tuples(st.text(), st.text(), st.sampled_from(Judgement), st.integers(-10, 4_000)),
        max_size=6,
    ),
    st.text(max_size=40),
)
def test_whatever_was_sent_it_is_valid_xml_of_text_alone(agreed, sent, name):
    verdicts = [
        said(agreed, judgement, at_s, subject=subject, words=words)
        for subject, words, judgement, at_s in sent
    ]
    picture = drawn(agreed, HOUR, verdicts, of=name)

    root = read(picture.encode("utf-8").decode())
    assert {one.tag.removeprefix(SVG) for one in root.iter()} <= {
        *("svg", "title", "desc", "defs", "pattern", "rect", "path", "text", "g", "line"),
    }
    assert not [key for one in root.iter() for key in one.attrib if re.match("on|href", key)]
    assert all(one.text.isprintable() for one in root.iter(f"{SVG}title"))
    assert drawn(agreed, HOUR, verdicts, of=name) == picture
