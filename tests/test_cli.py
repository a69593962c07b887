"""The command line: quick to answer, clear in what it wants, and honest in how it ends."""

import argparse
import os
import re
import subprocess
import sys
import time
from importlib import import_module
from pathlib import Path

import pytest

from gateway import __version__, cli

ROOT = Path(__file__).parents[1]
VERBS = (
    *("run", "demo", "check", "ports", "record", "explain", "incident"),
    *("send", "keys", "agreement", "compliance", "simulate", "replay", "verify"),
)
OURS = dict.fromkeys(("config", "link", "host", "port", "station"))
"""Which broker is asked: that of the first link of our configuration."""
COMMAND = [sys.executable, "-m", "gateway"]

HELP_S_MAX = 0.150
TRIES = 10
"""The machine may be busy with others; the best of so many tries is the command's own time."""


def run(*arguments: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(  # our own command, our own arguments
        [*COMMAND, *arguments], input=stdin, capture_output=True, check=False, cwd=ROOT, timeout=60
    )


def parsed(*arguments: str) -> argparse.Namespace:
    return cli._parser().parse_args(arguments)


def test_help_comes_at_once():
    def seconds() -> float:
        begun = time.perf_counter()
        assert run("--help").returncode == 0
        return time.perf_counter() - begun

    assert min(seconds() for _ in range(TRIES)) <= HELP_S_MAX


def test_help_imports_nothing_heavy():
    code = "import sys, gateway.cli; gateway.cli._parser(); print(*sys.modules, sep='\\n')"
    loaded = subprocess.run(  # the text right above
        [sys.executable, "-c", code], capture_output=True, check=True, cwd=ROOT
    )
    ours = {name for name in loaded.stdout.decode().split() if name.startswith("gateway")}

    assert ours == {
        "gateway",
        "gateway.cli",
        "gateway.verbs",
        "gateway.verbs.actions",
        "gateway.verbs.orders",
    }
    assert not {b"asyncio", b"msgspec", b"serial", b"ssl", b"structlog"} & set(
        loaded.stdout.split()
    )


def test_help_names_every_verb_and_each_verb_teaches_by_an_example(capsys):
    with pytest.raises(SystemExit, match="0"):
        cli.main(["--help"])
    listed = re.findall(r"^    ([a-z]+)\b", capsys.readouterr().out, re.MULTILINE)
    for verb in VERBS:
        with pytest.raises(SystemExit, match="0"):
            cli.main([verb, "--help"])

        assert f"example:\n  distress-gateway {verb}" in capsys.readouterr().out
    assert tuple(listed) == VERBS


@pytest.mark.parametrize("verb", VERBS)
def test_behind_each_verb_stands_a_module_that_runs_it(verb):
    assert callable(import_module(f"gateway.verbs.{verb}").main)


def test_the_version_is_told(capsys):
    with pytest.raises(SystemExit, match="0"):
        cli.main(["--version"])

    assert capsys.readouterr().out == f"distress-gateway {__version__}\n"


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        (["run"], {"config": None}),
        (["run", "--config", "a.toml"], {"config": "a.toml"}),
        (["demo"], {"seconds": None, "speed": 1.0, "json": False, "port": None}),
        (
            ["demo", "--seconds", "1.5", "--speed", "20", "--json", "--port", "1884"],
            {"seconds": 1.5, "speed": 20.0, "json": True, "port": 1884},
        ),
        (["check", "--print"], {"config": None, "print": True}),
        (["ports", "--json"], {"json": True}),
        (
            ["record", "--out", "d", "--port", "a", "--port", "b"],
            {"config": None, "port": ["a", "b"], "out": "d", "seconds": None},
        ),
        (
            ["explain", "--profile", "p", "$A", "-"],
            {
                "profile": "p",
                "raw": ["$A", "-"],
                "journal": None,
                "agreement": [],
                "party": None,
                "json": False,
                **OURS,
            },
        ),
        (
            ["incident", "silence", "4f", "--seconds", "60", "--author", "B", "--link", "shore"],
            {
                "action": "silence",
                "id": "4f",
                "seconds": 60.0,
                "author": "B",
                "words": None,
                "json": False,
                **(OURS | {"link": "shore"}),
            },
        ),
        (
            [
                "replay",
                "--agreement",
                "a",
                "--party",
                "p",
                "--register",
                "r",
                "--station",
                "s",
                "f",
            ],
            {
                "register": "r",
                "profile": None,
                "json": False,
                "station": "s",
                "agreement": ["a"],
                "party": "p",
                "file": "f",
            },
        ),
    ],
)
def test_arguments_reach_the_verb(arguments, found):
    assert vars(parsed(*arguments)) == {"verb": arguments[0], **found}


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "required: VERB"),
        (["sing"], "invalid choice: 'sing'"),
        (["run", "--confg", "x"], "unrecognized arguments: --confg"),
        (["demo", "--seconds", "0"], "a number of seconds above 0 is wanted, not '0'"),
        (["demo", "--seconds", "nan"], "a number of seconds above 0 is wanted, not 'nan'"),
        (["demo", "--speed", "fast"], "a speed above 0 is wanted, not 'fast'"),
        (["demo", "--port", "70000"], "a TCP port is a number from 1 to 65535, not '70000'"),
        (["record"], "required: --out"),
        (["explain"], "required: raw"),
        (["incident"], "required: ACTION"),
        (["incident", "acknowledge", "4f"], "invalid choice: 'acknowledge'"),
        (["incident", "split", "4f"], "required: EVIDENCE"),
        (["incident", "export", "4f", "--as", "pdf"], "invalid choice: 'pdf'"),
        (["replay"], "required: FILE"),
    ],
)
def test_misuse_is_told_with_status_2(arguments, told, capsys):
    with pytest.raises(SystemExit, match="2"):
        cli.main(arguments)

    assert told in capsys.readouterr().err


def test_a_bad_configuration_is_told_with_status_2_and_nothing_runs(tmp_path, capsys):
    path = tmp_path / "gateway.toml"
    path.write_text("[statoin]\n")

    assert cli.main(["check", "--config", str(path)]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert f"{path}:1: statoin: unknown key; did you mean `station`?" in told.err
    assert told.err.endswith("4 faults; nothing was done\n")


def test_an_interrupt_ends_without_a_traceback(monkeypatch, capsys):
    def interrupted(_arguments: argparse.Namespace) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr("gateway.verbs.check.main", interrupted)

    assert cli.main(["check"]) == 130
    assert capsys.readouterr().err == ""


def test_a_reader_that_leaves_ends_it_quietly(tmp_path):
    capture = tmp_path / "long.nmea"
    capture.write_bytes(
        b"$GPRMC,042504.900,A,4012.1002,N,00440.4650,E,0.00,,110321,,,A*4B\r\n" * 5000
    )
    reader, writer = os.pipe()
    with subprocess.Popen(  # our own command
        [*COMMAND, "replay", str(capture)], stdout=writer, stderr=subprocess.PIPE, cwd=ROOT
    ) as running:
        os.close(writer)
        os.read(reader, 10)
        os.close(reader)
        _, errors = running.communicate(timeout=60)

    assert running.returncode == 1
    assert errors == b""


def test_the_module_runs_like_the_command():
    found = run("check", "--config", "config/gateway.toml")

    assert found.returncode == 0
    assert b"the configuration is good" in found.stdout
