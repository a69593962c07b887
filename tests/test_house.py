"""The house rules that no linter knows: sizes, names, the three-file rule, promises and papers."""

import ast
import io
import re
import tokenize
import tomllib
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

import msgspec
import pytest

from gateway import __version__
from gateway.model.plan import ModemName
from gateway.points import POINTS

ROOT = Path(__file__).parents[1]
GATEWAY = ROOT / "gateway"

MODULE_LINES_MAX = 400
"""More than one idea stands in a longer file."""
FUNCTION_LINES_MAX = 60
"""What fits on one screen."""

BANNED = {
    *("utils", "util", "helpers", "helper", "common", "core", "manager", "base"),
    *("handle", "process", "message", "data", "info"),
}
"""Names that say nothing; the operator's words stand in docs/GLOSSARY.md."""

PLAN = {
    *("__init__", "__main__", "cli", "verbs", "app", "pipeline", "settings", "transport"),
    *("journal", "mqtt", "health", "clock", "log", "framing", "radio", "normalise", "correlate"),
    *("rules", "export", "codes", "model", "points", "pulse", "ear", "py.typed"),
}
"""What may stand in gateway/; a new room needs a place in the layers of pyproject.toml as well."""

TOP = {
    *(".ci", ".gitignore", "CHANGELOG.md", "CONTRIBUTING.md", "LICENSE", "Makefile", "README.md"),
    *("SECURITY.md", "config", "docs", "gateway", "hardware", "pyproject.toml", "tests"),
    *("requirements.txt", "requirements-build.txt", "requirements-dev.txt"),
    "requirements-campaigns.txt",
}
PASSING = [".git", *(line.strip("/") for line in (ROOT / ".gitignore").read_text().splitlines())]
"""What comes and goes, and is no part of the tree."""

PROMISES = {
    "The first copy never waits": [
        "tests/rooms/correlate/test_copies.py::test_first_passes_at_once_and_is_its_own_witness",
        "tests/rooms/radio/test_dsc.py::test_p1_an_alert_waits_for_no_expansion_and_takes_it_when_it_comes",
        "tests/test_vectors.py::test_heard_on_two_ports",
    ],
    "Inward at least once": [
        "tests/rooms/test_normalise.py::test_name_of_a_report_is_stable",
        "tests/live/test_brokers.py::test_a_broker_killed_again_and_again_leaves_nothing_unsent",
        "tests/journal/test_failing.py::test_a_killed_gateway_has_every_number_that_it_had_told",
        "tests/journal/test_journal.py::test_what_one_link_has_taken_still_waits_for_the_other_also_after_a_restart",
    ],
    "Outward at most once; silent by default": [
        "tests/test_house.py::test_nothing_transmits_whose_name_does_not_say_so",
        "tests/test_one_way_out.py::test_nobody_but_the_gate_makes_a_permit",
        "tests/app/test_authority.py::test_ten_thousand_that_are_no_orders_put_no_byte_on_the_air",
        (
            "tests/app/test_transmitting.py"
            "::test_after_a_crash_it_is_said_truthfully_what_became_of_it_and_nothing_goes_out_twice"
        ),
        (
            "tests/live/test_transmissions.py"
            "::test_without_its_agreement_a_station_hears_and_keeps_everything_and_transmits_nothing"
        ),
    ],
    "Nothing falls on the floor": [
        "tests/live/test_service.py::test_a_damaged_call_for_help_is_told_as_refused_and_never_as_a_report",
        "tests/rooms/test_pipeline.py::test_bad_input_is_refused_kept_and_counted",
        "tests/rooms/test_pipeline.py::test_decoder_that_raises_loses_nothing",
        "tests/rooms/test_pipeline.py::test_language_that_nobody_speaks_is_kept_unread",
        "tests/rooms/framing/test_nmea.py::test_any_bytes_are_counted",
        "tests/test_vectors.py::test_between_noise",
        "tests/test_vectors.py::test_cut_short",
    ],
    "No rule, filter, queue or limit ever drops or delays a received distress": [
        "tests/rooms/correlate/test_copies.py::test_memory_is_bounded_and_the_oldest_goes_first",
        "tests/rooms/radio/test_ais.py::test_messages_that_wait_for_a_part_are_bounded",
        "tests/journal/test_failing.py::test_a_hanging_disk_stops_nobodys_ears",
        "tests/live/test_service.py::test_a_mayday_does_not_wait_behind_thousands_of_routine_reports",
        "tests/live/test_service.py::test_a_garbage_flood_on_one_port_lets_the_others_reports_flow",
        "tests/journal/test_journal.py::test_rings_keep_the_newest_and_throw_out_nothing_else",
        "tests/journal/test_journal.py::test_the_outbox_gives_distress_before_urgency_before_safety_then_by_number",
        "tests/rooms/radio/test_dsc.py::test_waiting_calls_are_bounded_and_the_oldest_goes_first",
    ],
    "Absent is absent": [
        "tests/rooms/radio/test_ais.py::test_p3_an_impossible_place_is_taken_out_and_said_so",
        "tests/rooms/test_normalise.py::test_place_that_is_not_on_the_earth_becomes_none",
        "tests/rooms/radio/test_dsc.py::test_p3_a_distress_without_a_usable_position_is_a_distress",
        "tests/test_vectors.py::test_whole",
    ],
    "Marked tests never page as real; unmarked alerts are always real": [
        "tests/rooms/radio/test_ais.py::test_p5_a_marked_test_is_visible_and_never_real",
        "tests/rooms/radio/test_ais.py::test_p5_status_15_of_a_ship_is_nothing_but_undefined",
        "tests/rooms/radio/test_ais.py::test_a_test_after_active_is_told_as_real_until_the_memory_ends",
        "tests/journal/test_journal.py::test_a_marked_test_is_no_distress",
        "tests/live/test_service.py::test_each_radio_arrives_at_an_ordinary_subscriber",
        "tests/rooms/radio/test_dsc.py::test_p5_a_test_call_is_told_and_marked_and_a_distress_never_is_a_test",
    ],
    "Deterministic": [
        "tests/rooms/test_pipeline.py::test_same_input_gives_the_same_items_byte_for_byte",
        "tests/verbs/test_replay.py::test_the_same_file_gives_the_same_bytes",
        "tests/transport/test_tape.py::test_what_was_written_is_read",
        "tests/journal/test_journal.py::test_same_items_same_bodies",
        "tests/live/test_service.py::test_a_recorded_live_run_replays_to_the_same_entries",
        "tests/test_vectors.py::test_whole",
    ],
    "A broken disk must not silence a MAYDAY": [
        "tests/live/test_service.py::test_a_broken_disk_does_not_silence_a_mayday",
        "tests/live/test_service.py::test_a_hanging_disk_delays_a_mayday_by_two_seconds_at_most",
        "tests/journal/test_failing.py::test_a_full_disk_fails_loudly_and_the_journal_goes_on_by_itself_once_there_is_space",
        "tests/journal/test_failing.py::test_a_hanging_disk_stops_nobodys_ears",
    ],
}
"""The promises of the design, and the tests that keep them."""


# ---- Reading the tree ---------------------------------------------------------------------------


def passing(path: Path) -> bool:
    return any(fnmatch(path.name, pattern) for pattern in PASSING)


def below(folder: Path) -> Iterator[Path]:
    """Yield each file of the tree below a folder."""
    for path in sorted(folder.iterdir()):
        if passing(path):
            continue
        if path.is_dir():
            yield from below(path)
        else:
            yield path


def words_in(path: Path) -> str:
    """Return the text of a file, or nothing when it holds no text."""
    try:
        return path.read_text("utf-8")
    except UnicodeDecodeError:
        return ""


def short(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def names_in(folder: Path) -> set[str]:
    """Return the modules and folders of a package, without itself and what is private."""
    return {
        path.stem
        for path in folder.iterdir()
        if not passing(path)
        and not path.name.startswith("_")
        and (path.is_dir() or path.suffix == ".py")
    }


FILES = list(below(ROOT))
TEXTS = {short(path): words_in(path) for path in FILES}
MODULES = [path for path in FILES if path.suffix == ".py"]
OURS = [path for path in MODULES if GATEWAY in path.parents]
TREES = {path: ast.parse(path.read_text("utf-8")) for path in MODULES}
PAGES = [path for path in FILES if path.suffix == ".md"]
PROFILES = sorted((ROOT / "hardware/modems").glob("*.toml"))

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def definitions(path: Path) -> Iterator[Definition]:
    for node in ast.walk(TREES[path]):
        if isinstance(node, Definition):
            yield node


# ---- Sizes and names ----------------------------------------------------------------------------


def test_a_module_is_short():
    lines = {short(path): TEXTS[short(path)].count("\n") for path in OURS}

    assert not {name: count for name, count in lines.items() if count > MODULE_LINES_MAX}


def test_a_function_fits_on_a_screen():
    long = [
        f"{short(path)}: {found.name}, {lines} lines"
        for path in MODULES
        for found in definitions(path)
        if not isinstance(found, ast.ClassDef)
        and (lines := found.end_lineno - found.lineno + 1) > FUNCTION_LINES_MAX
    ]

    assert not long


def test_no_name_says_nothing():
    named = [(short(path), path.stem) for path in OURS]
    named += [(short(path), part) for path in OURS for part in path.relative_to(ROOT).parts[:-1]]
    named += [(short(path), found.name) for path in OURS for found in definitions(path)]

    assert not [f"{where}: {name}" for where, name in named if name.strip("_").lower() in BANNED]


def test_everything_has_its_place_in_the_plan():
    inside = [path for path in GATEWAY.iterdir() if not passing(path)]

    assert {path.name.removesuffix(".py") for path in inside} <= PLAN
    assert {path.name for path in ROOT.iterdir() if not passing(path)} <= TOP


# ---- One radio, three files ---------------------------------------------------------------------


def profile(path: Path) -> dict[str, object]:
    return tomllib.loads(path.read_text("utf-8"))


def radios_of(path: Path) -> set[str]:
    radio = profile(path)["radio"]
    return {radio} if isinstance(radio, str) else set(radio)


@pytest.mark.parametrize("radio", sorted(names_in(GATEWAY / "radio")))
def test_a_radio_is_its_file_a_profile_and_its_vectors(radio):
    assert any(radio in radios_of(path) for path in PROFILES)
    assert (ROOT / "tests/vectors" / f"{radio}.toml").is_file()
    assert (ROOT / "hardware/modems" / f"generic-{radio}.toml").is_file()


@pytest.mark.parametrize("framing", sorted(names_in(GATEWAY / "framing")))
def test_a_framing_is_its_file_and_its_vectors_or_tests(framing):
    vectors = [profile(path) for path in sorted((ROOT / "tests/vectors").glob("*.toml"))]
    tests = list((ROOT / "tests/rooms").glob(f"**/test_*{framing}*.py"))

    assert tests or any(found.get("framing", "nmea") == framing for found in vectors)


@pytest.mark.parametrize("path", PROFILES, ids=lambda path: path.stem)
def test_a_profile_names_what_exists_and_has_a_page(path):
    assert radios_of(path) <= names_in(GATEWAY / "radio")
    assert profile(path)["framing"] in names_in(GATEWAY / "framing")
    assert profile(path)["proven"]
    assert path.with_suffix(".md").is_file()
    assert msgspec.convert(path.stem, ModemName)


def test_every_vector_says_who_says_so():
    rows = [
        (path.name, row["name"], row.get("source"))
        for path in sorted((ROOT / "tests/vectors").glob("*.toml"))
        for row in profile(path)["vector"]
    ]

    assert rows
    assert not [row for row in rows if not row[2]]


# ---- Silent by default --------------------------------------------------------------------------


def test_nothing_transmits_whose_name_does_not_say_so():
    """Only profiles that end in `-transmit` may key a radio; nobody else hands a modem bytes."""
    hands = [
        f"{short(path)}:{call.lineno}: {ast.unparse(call.func)}"
        for path in OURS
        for call in ast.walk(TREES[path])
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute)
        if call.func.attr == "wrap"
        or (call.func.attr == "write" and re.search(r"port|wire|modem", ast.unparse(call.func)))
    ]
    inside = ("gateway/transport/", "gateway/verbs/")  # test_one_way_out.py; virtual modems

    keying = {path.stem for path in PROFILES if profile(path).get("transmit")}
    assert keying == {path.stem for path in PROFILES if path.stem.endswith("-transmit")}
    assert not [hand for hand in hands if not hand.startswith(inside)]


# ---- What may not stand in a file ---------------------------------------------------------------

# One letter of each stands in brackets, so that the patterns don't find themselves.
UNFINISHED = re.compile(r"\b(TOD[O]|FIXM[E]|XX[X]|HAC[K])\b")
REGISTRIES = re.compile(
    r"pyp[i]\.org|pythonhoste[d]|deb\.debia[n]|npmj[s]\.|crates\.i[o]|golan[g]\."
)
MACHINE = re.compile(r"(?<![\w.])/(wor[k]|roo[t]|home/\w+)/")
OUTSIDE = re.compile(r"\bshare[d]/")
EXCUSE = re.compile(r"#\s*(noqa|type:\s*ignore|pragma:\s*no cover)")
REASONED = re.compile(
    r"#\s*(noqa: [A-Z]+\d+(, ?[A-Z]+\d+)*|type: ignore\[[\w, -]+\]|pragma: no cover)  # \S+"
)


def test_the_patterns_find_what_they_look_for():
    for pattern, text in (
        (UNFINISHED, "# TO" + "DO: later"),
        (REGISTRIES, "https://py" + "pi.org/simple"),
        (MACHINE, 'open("/ro' + 'ot/x")'),
        (OUTSIDE, "../sha" + "red/vectors"),
    ):
        assert pattern.search(text)
    assert not REASONED.match("# noqa: S603")
    assert REASONED.match("# noqa: S603  # our own script")
    assert is_code("value = 1")
    assert is_code("print(value)")
    assert not is_code("a sentence")


def lines_with(pattern: re.Pattern[str], *, but: tuple[str, ...] = ()) -> list[str]:
    return [
        f"{name}:{number}: {line.strip()}"
        for name, text in TEXTS.items()
        if not name.startswith(but)
        for number, line in enumerate(text.splitlines(), 1)
        if pattern.search(line)
    ]


def test_nothing_is_left_unfinished():
    assert not lines_with(UNFINISHED)


def test_no_registry_is_named():
    """Whoever installs chooses the mirror."""
    assert not lines_with(REGISTRIES)


def test_no_path_of_a_machine_is_named():
    assert not lines_with(MACHINE)


def test_only_the_conformance_test_looks_beside_the_tree():
    assert not lines_with(OUTSIDE, but=("tests/conformance/", "tests/test_conformance.py"))


def comments(path: Path) -> Iterator[tuple[int, str]]:
    """Yield each comment with the number of its line."""
    for token in tokenize.generate_tokens(io.StringIO(TEXTS[short(path)]).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string


def test_every_exception_from_a_rule_has_a_reason():
    unreasoned = [
        f"{short(path)}:{number}: {comment}"
        for path in MODULES
        for number, comment in comments(path)
        if EXCUSE.match(comment) and not REASONED.match(comment)
    ]
    settings = (ROOT / "pyproject.toml").read_text("utf-8")
    ignored = re.search(r"^ignore = \[\n(.*?)^\]", settings, re.MULTILINE | re.DOTALL)

    assert not unreasoned
    assert all("#" in line for line in ignored[1].splitlines())


def test_no_code_is_kept_as_a_comment():
    """A comment is a sentence. An old line is in the history, which says when and why it went."""
    kept = [
        f"{short(path)}:{number}: {comment}"
        for path in MODULES
        for number, comment in comments(path)
        if is_code(comment.lstrip("# "))
    ]

    assert not kept


def is_code(text: str) -> bool:
    try:
        body = ast.parse(text).body
    except (SyntaxError, ValueError):
        return False
    return any(
        not isinstance(found, ast.Expr | ast.AnnAssign) or isinstance(found.value, ast.Call)
        for found in body
    )


def test_only_the_command_line_prints():
    """What a program says on its own goes to the log; what was asked for is printed by a verb."""
    printing = ("gateway/verbs/", "gateway/cli.py", "gateway/log.py")
    said = [
        f"{short(path)}:{call.lineno}"
        for path in OURS
        if not short(path).startswith(printing)
        for call in ast.walk(TREES[path])
        if isinstance(call, ast.Call)
        and ast.unparse(call.func) in {"print", "sys.stdout.write", "sys.stderr.write"}
    ]

    assert not said


def test_each_named_point_is_reached_by_one_line_and_nothing_in_the_house_listens():
    called = [
        (call.func.id, ast.literal_eval(call.args[0]))
        for path in OURS
        for call in ast.walk(TREES[path])
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name)
        if call.func.id in {"reached", "listening"}
    ]

    assert sorted(called) == sorted(("reached", point) for point in POINTS)


def test_what_is_graver_or_better_believed_is_said_in_one_place():
    lists = (
        "tuple(Urgency)",
        "tuple(Confidence)",
        "Urgency.URGENCY, Urgency.S",
        "Confidence.VERIFIED, Confidence.T",
    )
    found = [
        path.name for path in GATEWAY.rglob("*.py") for words in lists if words in path.read_text()
    ]
    assert found == ["words.py", "words.py"]


def test_every_public_thing_says_its_contract():
    silent = [short(path) for path in OURS if not ast.get_docstring(TREES[path])]
    silent += [
        f"{short(path)}: {found.name}"
        for path in OURS
        for found in public(TREES[path].body)
        if not ast.get_docstring(found)
    ]

    assert not silent


def public(body: list[ast.stmt]) -> Iterator[Definition]:
    for found in body:
        if isinstance(found, Definition) and not found.name.startswith("_"):
            yield found
            if isinstance(found, ast.ClassDef):
                yield from public(found.body)


# ---- Papers -------------------------------------------------------------------------------------

LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)\s]*)?\)")
TEST_ID = re.compile(r"\btests/[\w/]+\.py::\w+")


def test_every_link_leads_somewhere():
    dead = [
        f"{short(page)}: {target}"
        for page in PAGES
        for target in LINK.findall(TEXTS[short(page)])
        if "://" not in target and not (page.parent / target).exists()
    ]

    assert not dead


def test_every_test_that_a_page_names_exists():
    named = [(short(page), test) for page in PAGES for test in TEST_ID.findall(TEXTS[short(page)])]

    assert not [(page, test) for page, test in named if not exists(test)]


def exists(test: str) -> bool:
    name, _, function = test.partition("::")
    path = ROOT / name
    return path in TREES and any(found.name == function for found in definitions(path))


@pytest.mark.parametrize("promise", PROMISES)
def test_every_promise_has_a_test(promise):
    tests = PROMISES[promise]

    assert tests
    assert not [test for test in tests if not exists(test)]


def test_every_fault_says_what_was_done_what_must_hold_and_what_was_seen():
    """The table of docs/RELIABILITY.md: no line without a test, none without a figure."""
    faults = tomllib.loads((ROOT / "tests/faults/faults.toml").read_text("utf-8"))
    told = ("fault", "injected", "must", "seen", "not_promised")
    tests = [test for facts in faults.values() for test in facts["tests"]]

    assert not [number for number, facts in faults.items() if not all(map(facts.get, told))]
    assert not [number for number, facts in faults.items() if not facts["tests"]]
    assert not [test for test in tests if not exists(test)]


def test_the_changelog_knows_this_version():
    heading = rf"^## \[({re.escape(__version__)}|Unreleased)\]"

    assert re.search(heading, TEXTS["CHANGELOG.md"], re.MULTILINE)


def test_every_dependency_has_its_line():
    """Why it was chosen, what was rejected and under which licence it comes."""
    project = tomllib.loads(TEXTS["pyproject.toml"])
    wanted = [*project["project"]["dependencies"], *project["build-system"]["requires"]]
    wanted += [line for group in project["dependency-groups"].values() for line in group]
    names = {re.match(r"[\w.-]+", line)[0] for line in wanted}
    table = [line for line in TEXTS["docs/DEPENDENCIES.md"].splitlines() if line.startswith("|")]

    assert not {name for name in names if not any(f"`{name}`" in line for line in table)}


def test_decisions_are_numbered_and_complete():
    pages = sorted((ROOT / "docs/decisions").glob("*.md"))
    numbers = [int(path.name[:4]) for path in pages]

    assert numbers == list(range(1, len(pages) + 1))
    for path in pages:
        for part in ("| Status |", "## Context", "## Decision", "## Consequences"):
            assert part in TEXTS[short(path)], path.name
