"""docs/AGREEMENTS.md can be followed to the letter: each command answers as the page says."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import re
import shlex
import tty
from pathlib import Path

import aiomqtt
import pytest

from gateway import cli
from gateway.app import Service
from gateway.clock import Clock
from gateway.log import set_up
from gateway.settings import load

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs/AGREEMENTS.md").read_text("utf-8")
BLOCK = re.compile(
    r"^```(toml (?P<file>\S+)|console)\n(?P<text>.*?)^```$", re.DOTALL | re.MULTILINE
)
COMMAND = re.compile(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", re.MULTILINE)
LEFT_OUT = "…"
OF_EACH_RUN = re.compile(
    r"ed25519:[\w+/]{43}="
    r"|\b[0-9a-f]{64}\b|\b[0-9a-f]{16}\b"
    r"|\b\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ"
)
"""Keys, their ids, digests of a text with keys in it, times: others for everybody who follows."""

CALL = b"$CDDSC,12,3380400790,12,06,00,1423108312,2019,,,S,E*6A\r\n"
WAIT_S = 20.0


class Desk:
    """Follows the page in an empty folder."""

    def __init__(self, capsys) -> None:
        self.capsys = capsys
        self.files: dict[str, dict[str, str]] = {}
        self.keys: list[str] = []
        self.listened: list[str] = []

    def write(self, name: str, text: str) -> None:
        """Put each part of the text into the file; a part that it has is written again."""
        keys = iter(self.keys)
        text = re.sub(r"ed25519:[^\"]+", lambda _: next(keys), text)
        parts = self.files.setdefault(name, {})
        for part in re.split(r"\n(?=\[)", text.strip()):
            head = part.splitlines()[0] if part.startswith("[") else ""
            parts[head] = part.strip()
        Path(name).write_text("\n\n".join(parts.values()) + "\n", encoding="utf-8")

    def answer(self, command: str) -> str:
        """Return what the command says."""
        (_, *words) = shlex.split(command)
        with contextlib.suppress(SystemExit):
            cli.main(words)
        told = self.capsys.readouterr()
        self.keys += re.findall(r'"(ed25519:\S+)"', told.out)
        return told.out + told.err


def steps():
    """Yield each file that is written, and each command with the answer that the page gives."""
    for block in BLOCK.finditer(PAGE):
        if block["file"]:
            yield "write", block["file"], block["text"]
        else:
            for command, answer in COMMAND.findall(block["text"]):
                yield "say", command, answer


def is_as_told(answer: str, told: str) -> bool:
    """Say whether an answer is what the page has; what it leaves out may be anything in a line."""
    wanted = re.escape(OF_EACH_RUN.sub("*", told)).replace(LEFT_OUT, "[^\n]*")
    return re.fullmatch(wanted, OF_EACH_RUN.sub("*", answer)) is not None


@pytest.fixture
def desk(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "strait.tape").write_bytes((ROOT / "config/demo/strait.tape").read_bytes())
    return Desk(capsys)


def test_each_command_answers_as_the_page_says(desk):
    followed = 0
    for does, what, text in steps():
        if does == "write":
            desk.write(what, text)
        elif what.startswith("distress-gateway "):
            answer = desk.answer(what)
            assert is_as_told(answer, text), f"$ {what}\n{answer}"
            followed += 1
    assert followed > 10


def test_how_each_rule_stands_is_told_as_the_page_says(desk, mosquitto):
    """A station with the files of the page tells its rules before the first call, and after it."""
    port = mosquitto().port
    told = []
    for does, what, text in steps():
        if does == "write":
            desk.write(what, text)
        elif what.startswith("mosquitto_sub "):
            told.append(text)
        elif " agreement " in what:
            desk.answer(what)
        if len(told) == 2:
            break

    before, after = _watched(port)

    for found, wanted in zip((before, after), told, strict=True):
        assert is_as_told(found, wanted), found


def _watched(port: int) -> tuple[str, str]:
    """Run the station of the page, on a modem of this test; return what is retained, twice."""
    modem, gateway_end = os.openpty()
    tty.setraw(gateway_end)
    config = Path("gateway.toml").read_text("utf-8")
    config = re.sub(r'device = ".*"', f'device = "{os.ttyname(gateway_end)}"', config)
    config += f'port = {port}\n\n[journal]\npath = "journal.db"\n'
    Path("gateway.toml").write_text(config, encoding="utf-8")
    try:
        return asyncio.run(_before_and_after(port, modem))
    finally:
        os.close(modem)
        os.close(gateway_end)


async def _before_and_after(port: int, modem: int) -> tuple[str, str]:
    log = set_up(level="critical", as_json=True)
    plan = load(Path("gateway.toml"))
    service = Service(plan, clock=Clock(), log=log, dice=random.Random(1))
    duty = asyncio.create_task(service.run())
    try:
        async with asyncio.timeout(WAIT_S):
            await service.on_watch.wait()
            before = await _retained(port, '"standing"')
            os.write(modem, CALL)
            after = await _retained(port, '"judgement":"ok"')
    finally:
        duty.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await duty
    return before, after


async def _retained(port: int, until: str) -> str:
    """Return how both rules stand, as mosquitto_sub -v shows it, once this is said of one."""
    told: dict[str, str] = {}
    async with aiomqtt.Client("127.0.0.1", port) as client:
        await client.subscribe("distress/v1/north/compliance/#", qos=1)
        async for said in client.messages:
            topic = said.topic.value
            told[topic] = f"{topic} {said.payload.decode()}\n"
            lines = "".join(told[one] for one in sorted(told))
            if len(told) == 2 and until in lines:
                return lines
    raise AssertionError(told)
