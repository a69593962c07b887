"""What crosses to another party: what a policy lets, field by field, and a call for help whole."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from gateway.clock import Clock
from gateway.model.hotline import LineMessage, Shared
from gateway.model.place import Identity
from gateway.model.verdict import Judgement, Verdict, VerdictNote
from gateway.model.words import Kind, Mode, Urgency
from gateway.mqtt.border import Border
from gateway.mqtt.bus import LinkLost, Outgoing
from gateway.mqtt.payload import Writer
from gateway.mqtt.sieve import Sieve
from gateway.mqtt.topics import Topics
from gateway.rules.crossing import Policy

LINE = "distress/v1/alpha/hotline/bravo"
AWAY = ("line", "away")
BEGAN_NS = 1_795_176_000_250_000_000
AGREED = Policy(
    allow=frozenset({"position", "separation_alert", "told"}),
    redact=frozenset({"sensor", "mission", "callsign_of_own_craft"}),
    position_grid_m=1000,
    max_age_s=600,
)
OURS = Identity(mmsi="244000001", mmsi_class="ship", callsign="PABC", name="OURS")


def sieve(*policies, ours=lambda _craft, _system: False):
    return Sieve(LINE, policies, station="alpha", agreement="a", ours=ours)


@pytest.fixture(params=["json", "msgpack"])
def told(request, make):
    """Return what comes of a report, or of anything else, at the border, read again."""
    writer = Writer(Topics("alpha"), request.param, station="alpha")
    form = msgspec.json if request.param == "json" else msgspec.msgpack

    def sift(item, through, *, later_s=1.0):
        utc_ns = BEGAN_NS + int(later_s * 1e9)
        entry = make.entry_of(item)
        outgoing = writer.record(entry, published_utc_ns=utc_ns, waited=False)
        found = through.sift(outgoing, utc_ns)
        if found.outgoing is None:
            return None, found
        shared = form.decode(found.outgoing.payload, type=Shared)
        word = "shared" if shared.of_distress or shared.about.startswith("a/") else "routine"
        assert (found.outgoing.topic, found.outgoing.retain) == (f"{LINE}/{word}", False)
        return shared, found

    return sift


def test_a_place_crosses_on_the_grid_and_nothing_that_would_tell_it_exactly(told, make):
    shared, found = told(make.ruling_of(), sieve(AGREED))

    place = shared.fields["position"]
    assert (shared.what, place["resolution_m"]) == ("position", 500)
    assert abs(place["lat_deg"] - 52.4568) > 1e-6
    assert found.withheld == ("detail", "raw", "sensor", "witnesses")
    assert shared.withheld == found.withheld
    assert shared.fields.keys().isdisjoint(found.withheld)
    assert shared.words == "places are on a grid of 1000 m"
    exact = b"52.456"
    assert exact not in found.outgoing.payload


def test_a_call_for_help_crosses_whole_but_for_what_never_crosses(told, make):
    call = make.ruling_of(
        system="dsc", kind=Kind.ALERT, urgency=Urgency.DISTRESS, text="we sink", sender=OURS
    )
    whole, _ = told(call, sieve(), later_s=10_000)
    part, found = told(call, sieve(AGREED), later_s=10_000)

    assert (whole.what, whole.of_distress, whole.withheld) == ("distress", True, ())
    assert whole.fields["position"]["lat_deg"] == 52.4568
    assert {"raw", "detail", "text", "sensor", "sender"} <= whole.fields.keys()
    assert found.withheld == ("sensor", "witnesses")
    assert part.fields["position"] == whole.fields["position"]
    assert part.fields["raw"] == whole.fields["raw"]


def test_where_a_part_of_a_call_stays_so_does_what_might_hold_it(told, make):
    call = make.ruling_of(system="dsc", kind=Kind.ALERT, urgency=Urgency.DISTRESS, sender=OURS)
    shared, found = told(call, sieve(AGREED, ours=lambda craft, _system: craft == OURS))

    assert found.withheld == ("callsign_of_own_craft", "detail", "raw", "sensor", "witnesses")
    assert shared.fields["sender"] == {"mmsi": "244000001", "mmsi_class": "ship"}
    assert b"PABC" not in found.outgoing.payload


@pytest.mark.parametrize(
    ("report", "policies", "later_s", "why"),
    [
        ({}, (), 1, "no clause in force"),
        ({"kind": Kind.CALL}, (AGREED,), 1, "call is none of what may cross"),
        ({}, (AGREED,), 601, "601 s old"),
        ({"mode": Mode.EXERCISE}, (AGREED,), 1, "exercise is none of what may cross"),
        (
            {"mode": Mode.TEST, "kind": Kind.ALERT, "urgency": Urgency.DISTRESS},
            (AGREED,),
            1,
            "test is none",
        ),
        ({}, (Policy(), Policy(allow=frozenset({"call"}))), 1, "position is none"),
    ],
    ids=["no agreement", "kind", "age", "exercise", "marked test", "the stricter of two"],
)
def test_what_no_clause_lets_cross_stays_here(told, make, report, policies, later_s, why):
    through = sieve(*policies)
    shared, found = told(make.ruling_of(**report), through, later_s=later_s)

    assert shared is None
    assert {"position", "sender", "raw"} <= {*found.withheld}
    assert why in found.words


def test_what_is_of_an_unknown_age_is_too_old(told, make):
    silent = msgspec.structs.replace(make.report_of().heard, utc=None)

    assert told(make.ruling_of(heard=silent), sieve(AGREED))[0] is None
    assert told(make.ruling_of(heard=silent), sieve(Policy(position_grid_m=1)))[0] is not None


def verdict(**said):
    found = {
        "agreement": "a", "version": "1", "digest": "0" * 64, "rule": "M07", "kind": "separation",
        "judgement": Judgement.VIOLATION, "subject": "icao24:ABCDEF+icao24:123456",
        "words": "0.5 NM apart", "mono_ns": 1,
    } | said  # fmt: skip
    return VerdictNote(verdict_id="ab" * 16, verdict=Verdict(**found))


def test_who_was_too_near_whom_crosses_and_no_other_verdict(told):
    through = sieve(msgspec.structs.replace(AGREED, max_age_s=None))
    shared, _ = told(verdict(), through)

    assert (shared.what, shared.about) == (
        "separation_alert", "a/M07/icao24:ABCDEF+icao24:123456",
    )  # fmt: skip
    assert shared.fields["words"] == "0.5 NM apart"
    for other in ({"kind": "watch"}, {"agreement": "b"}, {"judgement": Judgement.UNKNOWN}):
        assert told(verdict(**other), through)[0] is None
    named, found = told(verdict(subject="callsign:PABC+mmsi:1"), through)
    assert "callsign_of_own_craft" in found.withheld
    assert "subject" not in named.fields


@pytest.mark.parametrize("word", ["heartbeat", "check", "echo", "receipt", "told", "call"])
def test_words_of_persons_cross_as_their_kind_may_and_signs_of_the_line_always(word):
    writer = Writer(Topics("alpha"), "json", station="alpha")
    message = LineMessage(station="alpha", message_id="00000000", words="words")
    said = msgspec.structs.replace(writer.closing(message), topic=f"{LINE}/{word}")

    assert (sieve(AGREED).sift(said, None).outgoing is said) is (word != "call")
    lacks = msgspec.structs.replace(message, fields=("mission",))
    said = msgspec.structs.replace(writer.closing(lacks), topic=f"{LINE}/{word}")
    assert (sieve(AGREED).sift(said, None).outgoing is None) is (word in {"told", "call"})


def test_what_the_border_does_not_know_never_crosses(make):
    writer = Writer(Topics("alpha"), "json", station="alpha")
    state = writer.state("status", make.report_of())
    gone = writer.state("incident/ab", None)

    assert sieve(Policy()).sift(state, None).outgoing is None
    assert sieve(Policy()).sift(gone, None).outgoing is None


class Bus:
    """Takes what it is given, or is away."""

    disputed, taken = "another", 7

    def __init__(self):
        self.took, self.away, self.renewed = [], False, 0

    async def renew(self):
        self.renewed += 1

    async def publish(self, outgoing):
        if self.away:
            raise LinkLost(*AWAY)
        self.took.append(outgoing)

    def offer(self, outgoing):
        self.took.append(outgoing)
        return not self.away


def test_the_border_tells_and_counts_what_has_crossed_and_keeps_the_will(make):
    inner, crossed, made = Bus(), [], {}
    border = Border(sieve(AGREED), clock=Clock(), crossed=crossed.append)

    def makes(_plan, **said):
        made.update(said)
        return inner

    bus = border.carrier(makes)(
        None, lane="distress", clock=None, log=None, jitter=None, will=lambda: 1 / 0
    )
    writer = Writer(Topics("alpha"), "json", station="alpha")
    call = make.ruling_of(system="dsc", kind=Kind.ALERT, urgency=Urgency.DISTRESS)

    def record(item):
        return writer.record(make.entry_of(item), published_utc_ns=None, waited=False)

    async def story():
        await bus.publish(record(call))
        await bus.publish(record(make.ruling_of(kind=Kind.CALL)))
        assert bus.offer(record(make.ruling_of(kind=Kind.TEXT)))
        inner.away = True
        with pytest.raises(LinkLost):
            await bus.publish(record(call))

    asyncio.run(story())

    assert "will" not in made
    assert [one.what for one in crossed] == ["distress"]
    assert len(inner.took) == 1
    assert (border.count.crossed, border.count.stayed) == (1, 2)
    assert border.count.withheld["sensor"] == 3
    assert border.count.withheld["position"] == 2


def test_what_the_connection_says_of_itself_is_said_of_the_border_too():
    inner = Bus()
    bus = Border(sieve(AGREED), clock=Clock()).carrier(lambda _plan, **_said: inner)(
        None, lane="distress", clock=None, log=None, jitter=None
    )
    asyncio.run(bus.renew())

    assert (bus.disputed, bus.taken, inner.renewed) == ("another", 7, 1)


def test_what_the_connection_has_no_room_for_counts_neither_as_crossed_nor_as_kept_here(make):
    inner = Bus()
    inner.away = True
    border = Border(sieve(AGREED), clock=Clock())
    bus = border.carrier(lambda _plan, **_said: inner)(
        None, lane="routine", clock=None, log=None, jitter=None
    )
    record = Writer(Topics("alpha"), "json", station="alpha").record(
        make.entry_of(
            make.ruling_of(system="dsc", kind=Kind.ALERT, urgency=Urgency.DISTRESS, position=None)
        ),
        published_utc_ns=None,
        waited=False,
    )

    assert not bus.offer(record)
    assert (border.count.crossed, border.count.stayed) == (0, 0)


@pytest.mark.parametrize(
    "payload", [b"7", b"[]", b"{}", b'{"note": 7}', b'{"note": {"verdict": 7}}'], ids=str
)
def test_what_is_of_no_kind_that_may_cross_stays(payload):
    found = sieve(AGREED).sift(
        Outgoing(
            topic="distress/v1/alpha/x", payload=payload, qos=1, content_type="application/json"
        ),
        BEGAN_NS,
    )

    assert found.outgoing is None
