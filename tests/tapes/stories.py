"""The stories of the agreements as tapes: bytes that modems would have sent, and what was stated.

    PYTHONPATH=tests python -m tapes.stories            write tests/tapes/stories/
    PYTHONPATH=tests python -m tapes.stories --check    say whether it is current

A story is a table of reports, statements and requests (tests/agreements/stories). Each report goes
onto the tape as the bytes of its radio, each statement and request as itself, and a tick for each
second. `.verdicts` beside a tape is what `distress-gateway simulate` prints of it.
"""

from __future__ import annotations

import argparse
import io
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing, redirect_stdout
from operator import itemgetter
from pathlib import Path

import msgspec
from rooms.rules.cases import Case, steps_of
from rooms.rules.stories import seen_from, story_of
from tapes.airwaves import Airwaves

from gateway import cli
from gateway.model.asked import Fact, Request, Taped
from gateway.model.inbound import Chunk, Moment, Tick
from gateway.settings.agreement import agreement_names
from gateway.transport.tape import TapeHeader, TapeWriter

HERE = Path(__file__).parent / "stories"

BEGIN_MONO_NS = 100 * 10**9
"""The machine was started so long before the story begins."""


def compose(name: str, path: Path) -> None:
    """Write the tape of this agreement's story."""
    story = story_of(name)
    reports = [step["report"] for step in story.story if "report" in step]
    air = Airwaves(name, f"{story.utc:%H%M}")
    ports = dict(sorted(map(air.port_of, reports), key=itemgetter(0)))
    header = TapeHeader(station="story", ports=ports, boot=name)
    with closing(TapeWriter(path, header)) as tape:
        for one in taped(story, air):
            tape.write(one)


def taped(story: Case, air: Airwaves) -> Iterator[Taped]:
    """Yield what the rooms are told in the course of a story."""
    told = sorted(_told(story, air), key=itemgetter(0))
    fresh: set[str] = set()
    for at_s, one in told:
        if isinstance(one, tuple):
            port, wire = one
            yield Chunk(port, moment(story, at_s), wire, gap=port not in fresh)
            fresh.add(port)
        else:
            yield one


def _told(story: Case, air: Airwaves) -> Iterator[tuple[float, Taped | tuple[str, bytes]]]:
    for number, (at_s, step) in enumerate(steps_of(story)):
        at = moment(story, at_s)
        if "report" in step:
            for sent_s, port, wire in air.said(at_s, step["report"]):
                yield sent_s, (port, wire)
        elif "fact" in step:
            fact = {"fact_id": f"stated-{number}", "at": at, **step["fact"]}
            yield at_s, msgspec.convert(fact, Fact)
        elif "request" in step:
            request = {"request_id": f"{round(at_s * 1e9)}", "at": at, **step["request"]}
            yield at_s, msgspec.convert(request, Request)
        else:
            yield at_s, Tick(at)


def moment(story: Case, at_s: float) -> Moment:
    """Return the moment so many seconds into a story."""
    at_ns = round(at_s * 1000) * 10**6
    utc_ns = int(story.utc.timestamp()) * 10**9 + at_ns
    return Moment(BEGIN_MONO_NS + at_ns, utc_ns, story.clock, story.error_ms)


def asked(name: str, tape: Path) -> list[str]:
    """Return what `simulate` is given to judge the tape of this story."""
    register = HERE / f"{name}.register.toml"
    known = ["--register", str(register)] if register.exists() else []
    own = str(seen_from(name).own)
    return ["simulate", "--agreement", name, "--party", own, *known, str(tape)]


def verdicts_of(name: str, tape: Path) -> str:
    """Return what `simulate` prints of the tape of this story."""
    page = io.StringIO()
    with redirect_stdout(page):
        assert cli.main(asked(name, tape)) == 0
    return page.getvalue()


def main() -> int:
    """Compose, or compare with what is there."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 when stale")
    check = parser.parse_args().check
    with tempfile.TemporaryDirectory() as folder:
        for name in agreement_names():
            fresh = Path(folder, f"{name}.tape")
            compose(name, fresh)
            made = {".tape": fresh.read_bytes(), ".verdicts": verdicts_of(name, fresh).encode()}
            for end, content in made.items():
                path = HERE / f"{name}{end}"
                if not check:
                    path.write_bytes(content)
                elif not path.exists() or path.read_bytes() != content:
                    return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
