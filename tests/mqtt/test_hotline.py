"""The line between parties: what is due is said, what comes is read as hostile, all is bounded."""

from __future__ import annotations

import asyncio
import contextlib
import random

import msgspec
import pytest
import structlog

from gateway.clock import Clock
from gateway.model.hotline import LineMessage, LineWord, Shared, is_pressing
from gateway.mqtt import hotline as module
from gateway.mqtt.bus import Incoming, LinkLost, PublishRefused
from gateway.mqtt.hotline import BURST, TOLD_MAX, UNSAID_MAX, Hotline, Sign, listens_to
from gateway.mqtt.topics import Topics
from gateway.rules.sharing import LineTerms

TERMS = LineTerms(
    agreement="a", own="alpha", party="bravo", channel="hotline", endpoint="line", heartbeat_s=0.1,
    check_s=5.0,
)  # fmt: skip
HEARD = "distress/v1/them/hotline/alpha"
AWAY = ("line", "away")
FIRST, SECOND = "11111111", "22222222"


class Bus:
    """Takes what is said, and tells what a test puts into it."""

    def __init__(self):
        self.connected, self.said, self.inbox = True, [], asyncio.Queue()
        self.drops = self.refuses = False

    async def publish(self, outgoing):
        if not self.connected or self.drops:
            raise LinkLost(*AWAY)
        if self.refuses:
            raise PublishRefused(outgoing.topic, 0x87, "not authorised")
        self.said.append((outgoing.topic, msgspec.json.decode(outgoing.payload, type=LineMessage)))

    async def received(self):
        while True:
            yield await self.inbox.get()

    def words(self, word):
        return [one for topic, one in self.said if topic.endswith(f"/bravo/{word}")]

    def tell(self, word, payload=None, *, topic=HEARD, retained=False, **said):
        if payload is None:
            payload = msgspec.json.encode({"station": "them", "message_id": FIRST} | said)
        self.inbox.put_nowait(
            Incoming(topic=f"{topic}/{word}", payload=payload, qos=1, retained=retained, mid=1)
        )


class Line:
    """A line, and what it hands on."""

    def __init__(self, terms=TERMS):
        self.bus, self.taken, self.stood = Bus(), [], []
        self.log = structlog.testing.CapturingLogger()
        self.line = Hotline(
            terms,
            Topics("us"),
            station="us",
            form="json",
            bus=self.bus,
            taken=self.taken.append,
            stands=self.stood.append,
            clock=Clock(),
            log=structlog.wrap_logger(self.log, processors=[]),
            jitter=random.Random(1),
        )


def kept(story, terms=TERMS):
    async def run():
        found = Line(terms)
        duty = asyncio.create_task(found.line.run())
        try:
            async with asyncio.timeout(20):
                await story(found)
        finally:
            duty.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await duty

    asyncio.run(run())


async def until(holds):
    while not holds():
        await asyncio.sleep(0.005)


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    monkeypatch.setattr(module, "LOOK_S", 0.02)


def test_signs_of_life_go_out_as_often_as_agreed_and_a_cut_is_known_at_once():
    async def story(found):
        await until(lambda: len(found.bus.words("heartbeat")) > 2)
        assert set(found.stood) == {Sign.OURS}
        assert found.bus.words("check") == []  # nobody is there yet who could answer
        found.bus.tell("heartbeat")
        await until(lambda: Sign.THEIRS in found.stood)
        found.bus.connected = False
        await until(lambda: found.stood[-1] is Sign.CUT)

    kept(story)


def test_signs_of_life_that_come_too_soon_are_none():
    async def story(found):
        for _ in range(40):
            found.bus.tell("heartbeat")
        await until(lambda: found.line.count.heard == 40)
        assert found.stood.count(Sign.THEIRS) <= 2

    kept(story)


def test_a_check_is_answered_and_the_answer_to_ours_is_timed_and_no_other():
    async def story(found):
        found.bus.tell("check", message_id=SECOND)
        await until(lambda: found.bus.words("echo"))
        assert found.bus.words("echo")[0].re == SECOND
        found.bus.tell("heartbeat")
        await until(lambda: found.bus.words("check"))
        (ours,) = found.bus.words("check")
        found.bus.tell("echo", re=SECOND)
        found.bus.tell("echo", re=ours.message_id)
        found.bus.tell("echo", re=ours.message_id)
        await until(lambda: found.line.count.refused == 2)
        (echo,) = found.taken
        assert 0 < echo.lasts_s < 5
        assert found.line.count.check_s == echo.lasts_s

    kept(story)


def test_a_check_without_an_answer_is_counted_and_made_again(monkeypatch):
    monkeypatch.setattr(module, "AGAIN_S", 0.05)

    async def story(found):
        found.bus.tell("heartbeat")
        await until(lambda: len(found.bus.words("check")) > 1)
        assert found.line.count.checks_unanswered >= 1

    kept(story)


def shared(number, **said):
    found = {
        "station": "us",
        "message_id": f"{number:08x}",
        "what": "distress",
        "about": f"r{number}",
    }
    return Shared(**found | {"of_distress": True, "fields": {"nature": "fire"}} | said)


def test_a_receipt_is_for_what_was_told_once_and_what_is_told_to_us_is_signed_for():
    async def story(found):
        found.line.told(shared(1))
        found.bus.tell("receipt", re="00000001")
        found.bus.tell("receipt", re="00000001")
        found.bus.tell("shared", msgspec.json.encode(shared(9, station="them")))
        found.bus.tell(
            "shared", msgspec.msgpack.encode(shared(8, what="position", of_distress=False))
        )
        await until(lambda: len(found.taken) == 3)
        receipt, call, _ = found.taken
        assert (receipt.word, receipt.about) == (LineWord.RECEIPT, "r1")
        assert (call.shared.fields, call.about) == ({"nature": "fire"}, "r9")
        assert [one.re for one in found.bus.words("receipt")] == ["00000009"]
        assert (found.line.count.receipts, found.line.count.refused) == (1, 1)

    kept(story)


FORGED = {
    "another topic": {"topic": "distress/v1/them/hotline/carol"},
    "not below the root": {"topic": "x/distress/v1/them/hotline/alpha"},
    "a station that is none": {"topic": "distress/v1/a/b/hotline/alpha"},
    "in our own name": {"topic": "distress/v1/us/hotline/alpha"},
    "kept by the broker": {"retained": True},
    "too long": {"payload": b"{" + b" " * 20_000},
    "nothing": {"payload": b""},
    "no JSON": {"payload": b'{"station": '},
    "too deep": {"payload": b'{"station":' + b"[" * 10_000},
    "a list": {"payload": b"\x93\x01\x02\x03"},
    "another key": {"by": "alpha"},
    "no name": {"message_id": "../../x"},
    "words of two lines": {"words": "a\nb"},
    "a field that is none": {"fields": ["A B"]},
    "too many fields": {"fields": ["a"] * 65},
    "for ever ahead": {"starts_in_s": 1e12},
}


@pytest.mark.parametrize("said", FORGED.values(), ids=FORGED)
def test_what_is_forged_costs_its_reading_and_nothing_else(said):
    async def story(found):
        found.bus.tell("call", **said)
        await until(lambda: found.line.count.refused)
        assert found.taken == []

    kept(story)


@pytest.mark.parametrize("word", ["consent", "violation", "told/more", "routine", ""])
def test_nothing_is_heard_but_the_words_of_the_line(word):
    async def story(found):
        found.bus.tell(word)
        await until(lambda: found.line.count.refused)
        assert found.taken == []

    kept(story)


def test_a_flood_is_taken_at_its_pace(monkeypatch):
    monkeypatch.setattr(module, "PAUSE_S", 0.05)

    async def story(found):
        for _ in range(BURST + 200):
            found.bus.tell("call")
        await until(lambda: len(found.taken) >= BURST)
        before = len(found.taken)
        await asyncio.sleep(0.3)
        assert len(found.taken) - before <= 8

    kept(story)


def test_words_of_officers_wait_for_the_line_but_not_for_long(monkeypatch):
    monkeypatch.setattr(module, "UNSAID_S_MAX", 0.3)
    message = LineMessage(station="us", message_id=FIRST, words="come up")

    async def story(found):
        found.bus.connected = False
        found.line.say(LineWord.CALL, message)
        await until(lambda: found.line.count.unsaid == 1)
        found.line.say(LineWord.CALL, message)
        found.bus.connected = True
        await until(lambda: found.bus.words("call"))
        assert found.bus.words("call") == [message]

    kept(story)


def test_what_may_be_signed_for_and_what_waits_for_the_line_is_bounded():
    async def story():
        found = Line()
        for number in range(TOLD_MAX + 3):
            found.line.told(shared(number))
        message = LineMessage(station="us", message_id=FIRST)
        for _ in range(UNSAID_MAX + 2):
            found.line.say(LineWord.CALL, message)
        return {bound.what: bound for bound in found.line.bounds()}, found.line.count.unsaid

    bounds, unsaid = asyncio.run(story())

    assert (bounds["shared"].held, bounds["shared"].evicted) == (TOLD_MAX, 3)
    assert (bounds["unsaid_words"].held, unsaid) == (UNSAID_MAX, 2)


def test_a_party_is_spoken_to_by_name_and_what_presses_is_known():
    heard = listens_to("alpha")
    assert "distress/v1/+/hotline/alpha/heartbeat" in heard
    assert not [one for one in heard if one.endswith("/routine")]
    assert is_pressing(shared(1, of_distress=False, what="separation_alert"))
    assert not is_pressing(shared(1, of_distress=False, what="position"))


def test_what_the_line_loses_on_its_way_is_said_when_it_takes_it_again():
    async def story(found):
        await until(lambda: found.bus.words("heartbeat"))
        found.bus.drops = True
        found.line.say(LineWord.CALL, LineMessage(station="us", message_id=FIRST, words="come up"))
        await asyncio.sleep(0.3)
        assert not found.bus.words("call")
        beats = len(found.bus.words("heartbeat"))
        found.bus.drops = False
        await until(lambda: found.bus.words("call"))
        await until(lambda: len(found.bus.words("heartbeat")) > beats)

    kept(story)


def test_what_the_other_broker_refuses_is_named_and_stops_nothing():
    async def story(found):
        found.bus.refuses = True
        await until(lambda: len(found.log.calls) > 1)
        assert {call.kwargs["event"] for call in found.log.calls} == {"line_refused"}
        assert "not authorised" in found.log.calls[0].kwargs["reason"]
        found.bus.refuses = False
        await until(lambda: found.bus.words("heartbeat"))

    kept(story)
