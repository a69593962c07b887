"""`agreement graph`: what an agreement says of a tape, as a picture.

A row a rule, time to the right. A bar begins with a verdict that something is not as agreed, and
ends when another word is said of the same subject. It is an SVG without any script; whatever a
radio sent stands in it as text alone.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from xml.etree import ElementTree as ET

from msgspec import Struct
from msgspec.structs import replace

from gateway.model.agreement import Agreement, Clause
from gateway.model.inbound import Moment
from gateway.model.verdict import Judgement, Verdict
from gateway.settings.parties import agreement_asked
from gateway.settings.register import register_of
from gateway.transport.tape import NothingRead, TapeBroken
from gateway.verbs.simulate import judged
from gateway.verbs.telling import printable, verdict_line

LANES_MAX = 8
"""Bars of one rule below each other. Of more at once the graver are drawn; the others are counted,
for nobody could tell them apart."""

TICKS_MAX = 12
"""Times on the axis: as many as can be read side by side."""

LABEL_PX, AXIS_PX, MARGIN_PX = 340, 940, 20
HEAD_PX, LANE_PX, BAR_PX = 112, 16, 13

BAR_PX_MIN = 12
"""So wide is a bar at the least, that its letter can be read."""

NAMESPACE = "http://www.w3.org/2000/svg"

_STEPS_S = (
    *(1, 2, 5, 10, 15, 30),
    *(60, 120, 300, 600, 900, 1_800),
    *(3_600, 7_200, 10_800, 21_600, 43_200),
    *(86_400, 172_800),
)
"""Between two times on the axis; weeks after these."""

_WEEK_S = 604_800


class Look(Struct, frozen=True):
    """How a judgement is drawn: whoever can't tell colours apart has the letter and the lines."""

    letter: str
    colour: str
    lines: str
    """The lines across a bar, as the path of a tile of 8 by 8."""


LOOKS = {
    Judgement.VIOLATION: Look("V", "#f4a582", "M0 8L8 0"),
    Judgement.AT_RISK: Look("R", "#fddc7d", "M0 0L8 8"),
    Judgement.DENIED: Look("D", "#e3b7d2", "M0 0L8 8M0 8L8 0"),
    Judgement.DEFERRED: Look("W", "#a6d4f2", "M4 0V8"),
    Judgement.UNKNOWN: Look("?", "#cccccc", "M0 4H8"),
    Judgement.EXEMPT: Look("E", "#a5d9c3", ""),
}
"""The graver first; what is as agreed is not drawn."""

_GRAVE = {judgement: rank for rank, judgement in enumerate(LOOKS)}


class Bar(Struct, frozen=True):
    """Something that is not as agreed, from when it was said."""

    verdict: Verdict
    until_ns: int
    ended: bool = False
    """Whether another word was said of it; else it lasts to the end of the tape."""
    times: int = 1
    """How often the same was judged of it in a row."""


class Axis(Struct, frozen=True):
    """The time that the picture shows."""

    first_ns: int
    last_ns: int
    utc_off_ns: int | None
    """From the monotonic clock to the time of day; None where nobody knew it."""

    def px(self, mono_ns: int) -> int:
        """Return where a moment stands, from the left of the rows."""
        place = (mono_ns - self.first_ns) * AXIS_PX // max(self.last_ns - self.first_ns, 1)
        return min(max(place, 0), AXIS_PX)

    def ticks(self) -> Iterator[tuple[int, str]]:
        """Yield round moments with their names: hours of the day, or since the beginning."""
        off_ns = -self.first_ns if self.utc_off_ns is None else self.utc_off_ns
        step_ns = _step_s((self.last_ns - self.first_ns) / 1e9) * 10**9
        first = -(-(self.first_ns + off_ns) // step_ns)
        last = (self.last_ns + off_ns) // step_ns
        for at in range(first, last + 1):
            yield at * step_ns - off_ns, self._name(at * step_ns, step_ns)

    def _name(self, at_ns: int, step_ns: int) -> str:
        at_s = at_ns // 10**9
        with_seconds = step_ns < 60 * 10**9
        if self.utc_off_ns is not None:
            utc = datetime.fromtimestamp(at_s, UTC)
            if at_s % 86_400 == 0:
                return f"{utc:%Y-%m-%d}"
            return f"{utc:%H:%M:%S}" if with_seconds else f"{utc:%H:%M}"
        minutes, seconds = divmod(at_s, 60)
        hours, minutes = divmod(minutes, 60)
        return f"+{hours}:{minutes:02}:{seconds:02}" if with_seconds else f"+{hours}:{minutes:02}"


def graph(args: argparse.Namespace) -> int:
    """Draw what an agreement says of a tape, into a file or to standard output."""
    agreement = agreement_asked(args.name, args.party)
    verdicts: list[Verdict] = []
    moments: list[Moment] = []
    told = judged(
        Path(args.file), [agreement], profile=args.profile, register=register_of(args.register)
    )
    try:
        for moment, found in told:
            moments = [*moments[:1], moment]
            verdicts += found
    except (TapeBroken, NothingRead) as broken:
        sys.stderr.write(f"{printable(str(broken))}\n")
        return 1
    except OSError as error:
        sys.stderr.write(f"{printable(args.file)}: {error.strerror}\n")
        return 1
    picture = drawn(agreement, axis_of(moments), verdicts, of=Path(args.file).name)
    if args.out is None:
        sys.stdout.write(picture)
        return 0
    try:
        Path(args.out).write_text(picture, "utf-8")
    except OSError as error:
        sys.stderr.write(f"{printable(args.out)}: {error.strerror}\n")
        return 1
    return 0


def axis_of(moments: Sequence[Moment]) -> Axis:
    """Return the time from the first of these moments to the last, by the clock of the first."""
    if not moments:
        return Axis(0, 0, None)
    first, last = moments[0], moments[-1]
    off_ns = None if first.utc_ns is None else first.utc_ns - first.mono_ns
    return Axis(first.mono_ns, last.mono_ns, off_ns)


def bars_of(verdicts: Iterable[Verdict], last_ns: int) -> list[Bar]:
    """Return what was not as agreed, each until another word was said of it.

    What is exempt leaves nothing to be put right: it is a mark at its moment.
    """
    bars: list[Bar] = []
    held: dict[tuple[str, str], Bar] = {}
    for verdict in verdicts:
        key = verdict.rule, verdict.subject
        before = held.pop(key, None)
        if before is not None and before.verdict.judgement is verdict.judgement:
            held[key] = replace(before, times=before.times + 1)
            continue
        if before is not None:
            bars.append(replace(before, until_ns=verdict.mono_ns, ended=True))
        if verdict.judgement is Judgement.EXEMPT:
            bars.append(Bar(verdict, verdict.mono_ns, ended=True))
        elif verdict.judgement is not Judgement.OK:
            held[key] = Bar(verdict, last_ns)
    return [*bars, *held.values()]


def drawn(agreement: Agreement, axis: Axis, verdicts: Iterable[Verdict], *, of: str) -> str:
    """Return the picture; the same verdicts on the same time give the same bytes."""
    rows: dict[str, list[Bar]] = {clause.id: [] for clause in agreement.rules}
    for bar in bars_of(verdicts, axis.last_ns):
        rows[bar.verdict.rule].append(bar)
    root = ET.Element("svg", {"xmlns": NAMESPACE, "role": "img", "font-family": "monospace"})
    _head(root, agreement, of)
    top = HEAD_PX
    for clause in agreement.rules:
        top += _row(root, clause, rows[clause.id], axis, top)
    _times(root, axis, top)
    width, height = 2 * MARGIN_PX + LABEL_PX + AXIS_PX, top + 2 * MARGIN_PX
    root.attrib |= {"viewBox": f"0 0 {width} {height}", "font-size": "12"}
    root.attrib |= {"width": str(width), "height": str(height)}
    ET.indent(root)
    return f"{ET.tostring(root, encoding='unicode')}\n"


def _head(root: ET.Element, agreement: Agreement, of: str) -> None:
    title = f"{agreement.title}: {of}"
    _put(root, "title", {}, title)
    words = "a row a rule, a bar from each verdict that something is not as agreed, until it is"
    _put(root, "desc", {}, words)
    defs = _put(root, "defs", {})
    for judgement, look in LOOKS.items():
        tile = {"id": judgement.value, "width": "8", "height": "8"}
        pattern = _put(defs, "pattern", {**tile, "patternUnits": "userSpaceOnUse"})
        _put(pattern, "rect", {"width": "8", "height": "8", "fill": look.colour})
        if look.lines:
            _put(pattern, "path", {"d": look.lines, "stroke": "#555555", "stroke-width": "1"})
    _put(root, "rect", {"width": "100%", "height": "100%", "fill": "#ffffff"})
    _text(root, MARGIN_PX, 28, title, {"font-size": "16"})
    _text(root, MARGIN_PX, 48, f"{agreement.id}, version {agreement.version}")
    _text(root, MARGIN_PX, 64, f"digest {agreement.digest}")
    for place, (judgement, look) in enumerate(LOOKS.items()):
        left = MARGIN_PX + place * 120
        box = {"x": str(left), "y": "76", "width": str(BAR_PX_MIN), "height": str(BAR_PX)}
        _put(root, "rect", {**box, **_filled(judgement)})
        _text(root, left + 2, 87, look.letter, {"font-weight": "bold"})
        _text(root, left + 18, 87, judgement.value.replace("_", " "))


def _row(root: ET.Element, clause: Clause, bars: Sequence[Bar], axis: Axis, top: int) -> int:
    """Draw a rule with its bars, and return how high it is."""
    lanes, left_out = _lanes(bars, axis)
    height = max(len(lanes), 1) * LANE_PX + 4
    row = _put(root, "g", {})
    line = {"x1": str(MARGIN_PX), "x2": str(MARGIN_PX + LABEL_PX + AXIS_PX)}
    _put(row, "line", {**line, "y1": str(top), "y2": str(top), "stroke": "#dddddd"})
    more = f"  +{left_out} more" if left_out else ""
    label = f"{clause.id}  {clause.kind.replace('_', ' ')}{more}"
    _put(_text(row, MARGIN_PX, top + 14, label), "title", {}, clause.words or clause.source)
    for place, lane in enumerate(lanes):
        for left, right, bar in lane:
            _bar(row, bar, (left, right, top + 3 + place * LANE_PX))
    return height


def _bar(row: ET.Element, bar: Bar, place: tuple[int, int, int]) -> None:
    left, right, top = place
    judgement = bar.verdict.judgement
    left += MARGIN_PX + LABEL_PX
    one = _put(row, "g", {"class": judgement.value})
    _put(one, "title", {}, _words(bar))
    width = right + MARGIN_PX + LABEL_PX - left
    box = {"x": str(left), "y": str(top), "width": str(width), "height": str(BAR_PX)}
    _put(one, "rect", {**box, **_filled(judgement)})
    _text(one, left + 2, top + 11, LOOKS[judgement].letter, {"font-weight": "bold"})


def _words(bar: Bar) -> str:
    times = f" (said {bar.times} times)" if bar.times > 1 else ""
    end = "" if bar.ended else ", to the end of the tape"
    lasts_s = (bar.until_ns - bar.verdict.mono_ns) / 1e9
    return f"{verdict_line(bar.verdict).lstrip()}{times}; for {lasts_s:g} s{end}"


def _lanes(bars: Iterable[Bar], axis: Axis) -> tuple[list[list[tuple[int, int, Bar]]], int]:
    """Return the bars of a rule, below each other where they overlap, and how many are left out."""
    lanes: list[list[tuple[int, int, Bar]]] = []
    left_out = 0
    order = sorted(bars, key=lambda bar: (_GRAVE[bar.verdict.judgement], bar.verdict.mono_ns))
    for bar in order:
        left = min(axis.px(bar.verdict.mono_ns), AXIS_PX - BAR_PX_MIN)
        right = max(axis.px(bar.until_ns), left + BAR_PX_MIN)
        free = (lane for lane in lanes if all(right <= one[0] or one[1] <= left for one in lane))
        lane = next(free, None)
        if lane is None and len(lanes) < LANES_MAX:
            lane = []
            lanes.append(lane)
        if lane is None:
            left_out += 1
        else:
            lane.append((left, right, bar))
    return lanes, left_out


def _times(root: ET.Element, axis: Axis, bottom: int) -> None:
    for mono_ns, name in axis.ticks():
        x = str(MARGIN_PX + LABEL_PX + axis.px(mono_ns))
        line = {"x1": x, "x2": x, "y1": str(HEAD_PX - 4), "y2": str(bottom)}
        _put(root, "line", {**line, "stroke": "#888888", "stroke-dasharray": "2 4"})
        _text(root, int(x), bottom + 16, name, {"text-anchor": "middle"})
    clock = "no time of day is known"
    if axis.utc_off_ns is not None:
        begun = datetime.fromtimestamp((axis.first_ns + axis.utc_off_ns) // 10**9, UTC)
        clock = f"UTC, from {begun:%Y-%m-%d %H:%M}"
    _text(root, MARGIN_PX, bottom + 16, clock)


def _step_s(span_s: float) -> int:
    """Return the time between two ticks."""
    fits = (step_s for step_s in _STEPS_S if span_s / step_s <= TICKS_MAX)
    return next(fits, _WEEK_S * max(-(-int(span_s) // (_WEEK_S * TICKS_MAX)), 1))


def _filled(judgement: Judgement) -> dict[str, str]:
    return {"fill": f"url(#{judgement.value})", "stroke": "#333333"}


def _text(
    parent: ET.Element, x: int, y: int, words: str, how: dict[str, str] | None = None
) -> ET.Element:
    return _put(parent, "text", {"x": str(x), "y": str(y), **(how or {})}, words)


def _put(parent: ET.Element, tag: str, how: dict[str, str], words: str = "") -> ET.Element:
    """Put an element into another; its text is escaped, and holds nothing that XML can't."""
    one = ET.SubElement(parent, tag, how)
    one.text = printable(words) or None
    return one
