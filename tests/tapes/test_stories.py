"""The tapes of the stories: real bytes through the whole hallway, and every verdict on them."""

from __future__ import annotations

import asyncio
import re
import runpy
import tomllib
from pathlib import Path

import msgpack
import msgspec
import pytest
from msgspec.structs import replace
from rooms.rules.stories import seen_from, story_of, written
from tapes.stories import BEGIN_MONO_NS, HERE, asked, compose, verdicts_of

from gateway import cli
from gateway.model.asked import Fact, Request
from gateway.model.entry import encode_item
from gateway.model.inbound import Ruling, Tick
from gateway.model.plan import JournalPlan
from gateway.model.verdict import VerdictNote
from gateway.pipeline import docket_of
from gateway.settings.agreement import agreement_names, agreement_path, read_agreement
from gateway.settings.register import register_of
from gateway.transport.tape import read_start, read_tape
from gateway.verbs.replay import Replay
from gateway.verbs.signing import private_key_in
from gateway.verbs.telling import verdict_line

NAMES = tuple(agreement_names())
HOUSE = runpy.run_path(str(Path(__file__).parents[1] / "journal/conftest.py"))
TAPE_BYTES_MAX = 200_000

FAR = re.compile(r"\d+ m\b")
COARSE_M = 10
"""Two places in the air, each to 5 m (17 bits of a zone of 6 degrees)."""

TELLS = [
    ("air-safety-mou", "12:01:40  at_risk    air-safety-mou/M07", "they infringe, 830 m apart"),
    ("air-safety-mou", "12:02:13  violation  air-safety-mou/M04", "bravo has not answered"),
    ("air-safety-mou", "12:05:01  violation  air-safety-mou/M09", "bravo has been silent for 300"),
    ("air-safety-mou", "12:05:30  ok         air-safety-mou/M12", "alpha was told of it"),
    ("air-safety-mou", "12:06:30  ok         air-safety-mou/M12", "bravo was told of it"),
    ("air-safety-mou", "12:08:20  ok         air-safety-mou/M20", "working_group has a report"),
    ("aero-guard", "12:00:10  ok         aero-guard/A08", "minutes 0 to 5 of the hour"),
    ("aero-guard", "12:05:05  deferred   aero-guard/A08", "minutes 0 to 5 of the hour"),
    ("aero-guard", "12:05:10  violation  aero-guard/A09", "no time for it is agreed"),
    ("gmdss-coast-station", "12:00:50  ok         gmdss-coast-station/G14", "is silent"),
    ("gmdss-coast-station", "12:00:55  denied     gmdss-coast-station/G14", "SEELONCE FEENEE"),
    ("gmdss-coast-station", "12:03:20  ok         gmdss-coast-station/G14", "is free again"),
    ("gmdss-coast-station", "12:02:31  violation  gmdss-coast-station/G06", "listens on mf_dsc"),
]
"""What a story is there for: the seed of the project, tests of ELTs in their time and out of it, a
MAYDAY worked from SEELONCE to FEENEE, a watch that has lapsed."""


def tape_of(name):
    return HERE / f"{name}.tape"


def bound_by(name):
    """Return the agreement of a story, and the register of its station."""
    register = HERE / f"{name}.register.toml"
    return {
        "agreements": [seen_from(name)],
        "register": register_of(str(register) if register.exists() else None),
    }


def running(name, path=None):
    """Return the tape of a story on its way through the hallway, with its agreement."""
    return Replay(path or tape_of(name), **bound_by(name))


def notes_of(items):
    return [item for item in items if isinstance(item, VerdictNote)]


def lines_of(notes):
    return [verdict_line(note.verdict) for note in notes]


@pytest.mark.parametrize("name", NAMES)
def test_a_tape_and_its_verdicts_are_current(name, tmp_path):
    """Else run `PYTHONPATH=tests python -m tapes.stories`, and read the difference."""
    compose(name, tmp_path / "fresh.tape")

    assert (tmp_path / "fresh.tape").read_bytes() == tape_of(name).read_bytes()
    assert verdicts_of(name, tape_of(name)) == (HERE / f"{name}.verdicts").read_text("utf-8")
    assert tape_of(name).stat().st_size < TAPE_BYTES_MAX


@pytest.mark.parametrize("name", NAMES)
def test_all_that_a_story_tells_is_on_its_tape_and_each_byte_is_understood(name):
    steps = story_of(name).story
    _, records = read_tape(tape_of(name))
    told = [one for one in records if isinstance(one, Fact | Request)]
    replay = running(name)
    reports = [item for _, item in replay.entries() if isinstance(item, Ruling)]
    count = replay.count()

    assert len(told) == sum("fact" in step or "request" in step for step in steps)
    assert len(reports) >= sum("report" in step for step in steps)
    assert count.bytes_in == count.bytes_decoded
    assert (count.refused, count.unread, count.decoder_errors, count.suspect) == (0, 0, 0, 0)
    assert replay.pipeline.docket.bench.rule_errors == replay.pipeline.incident_errors == 0


@pytest.mark.parametrize("name", NAMES)
def test_a_tape_is_judged_as_its_table_but_for_what_is_explained(name):
    table = [re.sub(r" \[.*\]$", "", line) for line in written(name).read_text().splitlines()]
    tape = [
        f"{(note.verdict.mono_ns - BEGIN_MONO_NS) / 1e9:7.1f} {note.verdict.rule}"
        f" {note.verdict.judgement} {note.verdict.subject}: {note.verdict.words}"
        for note in notes_of(item for _, item in running(name).entries())
    ]
    explained = tomllib.loads((HERE / "differences.toml").read_text()).get(name, ())
    only_table = [line for one in explained for line in one.get("table", ())]
    only_tape = [line for one in explained for line in one.get("tape", ())]

    assert all(one["why"] for one in explained)
    assert missing(table, tape) == only_table
    assert missing(tape, table) == only_tape


def missing(lines, others):
    """Return the lines that stand nowhere else, but for places as coarse as radios tell them."""
    left = [*others]
    found = []
    for line in lines:
        same = next((other for other in left if is_same(line, other)), None)
        if same is None:
            found.append(line)
        else:
            left.remove(same)
    return found


def is_same(line, other):
    if FAR.sub("", line) != FAR.sub("", other):
        return False
    far = [[int(one[:-2]) for one in FAR.findall(text)] for text in (line, other)]
    return all(abs(one - two) <= COARSE_M for one, two in zip(*far, strict=True))


@pytest.mark.parametrize("name", NAMES)
def test_a_tape_gives_the_same_entries_and_verdicts_each_time(name):
    one, other = ([item for _, item in running(name).entries()] for _ in range(2))
    page = (HERE / f"{name}.verdicts").read_text("utf-8").splitlines()

    assert [*map(encode_item, one)] == [*map(encode_item, other)]
    assert lines_of(notes_of(one)) == page[:-2]


@pytest.mark.parametrize("name", NAMES)
def test_the_rules_forget_nothing_when_they_are_begun_anew_at_each_step(name):
    """Behind all that is heard, stated or asked, and once a minute.

    But for the places of craft: a run that begins hears each anew, and here they are taken along.
    """
    whole = notes_of(item for _, item in running(name).entries())
    bound, replay, found = bound_by(name), running(name), []
    for number, (heard, items) in enumerate(replay.steps()):
        found += notes_of(items)
        if not isinstance(heard, Tick) or number % 60 == 0:
            begin_anew(replay.pipeline.docket.bench, bound)

    assert lines_of(found) == lines_of(whole)


def begin_anew(bench, bound):
    """Put rules onto the bench that know only what was kept of those before."""
    anew = docket_of(bound["agreements"], register=bound["register"]).bench.engines
    for agreement, engine in bench.engines.items():
        assert anew[agreement].restore(engine.keep(), 0) == ()
    bench.engines = anew


@pytest.mark.parametrize("name", NAMES)
def test_a_tape_that_ends_at_any_step_has_given_all_verdicts_up_to_there(name, tmp_path):
    whole = lines_of(notes_of(item for _, item in running(name).entries()))
    content = tape_of(name).read_bytes()
    for end in ends_of_steps(tape_of(name)):
        path = tmp_path / f"{end}.tape"
        path.write_bytes(content[:end])
        found = lines_of(notes_of(item for _, item in running(name, path).entries()))

        assert found == whole[: len(found)]
        path.unlink()


def ends_of_steps(path):
    """Return where on a tape each step ends that is none of time alone; of many, thirty."""
    with path.open("rb") as file:
        unpacker = msgpack.Unpacker(file)
        rows = [(row, unpacker.tell()) for row in unpacker]
    ends = [end for row, end in rows if isinstance(row, list) and row[0] != "t"]
    assert ends[0] > read_start(path).offset
    return ends[:: len(ends) // 30 + 1]


@pytest.mark.parametrize(("name", "begins", "says"), TELLS)
def test_a_story_tells_what_it_is_there_for(name, begins, says):
    page = (HERE / f"{name}.verdicts").read_text("utf-8").splitlines()

    assert [line for line in page if line.startswith(begins) and says in line]


def test_replay_tells_the_story_with_what_was_stated_and_asked(capsys):
    verb, *given = asked("gmdss-coast-station", tape_of("gmdss-coast-station"))
    assert verb == "simulate"
    assert cli.main(["replay", *given]) == 0

    page = capsys.readouterr().out
    assert 'stated        spoken  on vhf16  "SEELONCE MAYDAY"  (Officer A)\n' in page
    assert "denied     gmdss-coast-station/G14" in page
    assert "stated    14 that no radio says\n" in page


def with_keys(name, folder):
    """Return the file of this agreement with a key for alpha and one for bravo, and their files."""
    text = agreement_path(name).read_text("utf-8")
    for party in ("alpha", "bravo"):
        key = private_key_in(folder / f"{party}.key")
        begins = f"[parties.{party}]\n"
        assert text.count(begins) == 1
        text = text.replace(begins, f'{begins}public_key = "{key.public}"\n')
    path = folder / f"{name}.toml"
    path.write_text(text, "utf-8")
    return path


def test_both_sides_have_the_same_signed_report_of_the_seed_of_it_all(tmp_path, capsys):
    """One makes it and signs, the other proves it by the journal and signs; each can prove both."""
    name, journal = "air-safety-mou", str(tmp_path / "journal.db")
    text, report = with_keys(name, tmp_path), tmp_path / "report.msgpack"
    bound = {**bound_by(name), "agreements": [replace(read_agreement(text), own="alpha")]}
    items = [item for _, item in Replay(tape_of(name), **bound).entries()]

    async def kept():
        async with HOUSE["opened"](JournalPlan(path=journal)) as opened:
            await opened.append(items)

    def asked(*words):
        return cli.main(["compliance", *map(str, words), str(text)])

    def by(party):
        return "--party", party, "--key", tmp_path / f"{party}.key"

    asyncio.run(kept())
    assert asked("--journal", journal, "--form", "msgpack", "-o", report, *by("alpha")) == 0
    first = report.read_bytes()
    assert asked("--sign", report, "--journal", journal, *by("bravo")) == 0
    capsys.readouterr()

    for proof in (("--journal", journal), ()):
        assert asked("--verify", report, *proof) == 0
        said = capsys.readouterr().out
        signed = re.findall(r"(?m)^signed  20\S+ \S+Z by (\w+), key ", said)
        assert signed == ["alpha", "bravo"]
        assert ("and none left out" in said) is bool(proof)
    assert report.read_bytes() == first
    assert "they infringe" in msgspec.json.encode(msgspec.msgpack.decode(first)).decode()
