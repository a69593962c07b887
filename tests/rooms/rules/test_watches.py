"""The watch of each party on each channel: never kept on missing data, lapsed only when known."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rooms.rules.cases import KINDS, agreement_of, cases_of, tables
from rooms.rules.test_evidence import LOST, OPEN, calls, says

from gateway.model.asked import Fact
from gateway.model.inbound import Moment
from gateway.model.listening import WatchState
from gateway.model.verdict import Judgement
from gateway.model.words import ClockState
from gateway.rules import watching
from gateway.rules.availability import Account
from gateway.rules.bench import Bench
from gateway.rules.evidence import KEEPS, Receiver
from gateway.rules.watching import GAP_S, Tuned, Watching, duties_of, gap_of, modes_of

S = 10**9
NOON_NS = 1_793_534_400 * S
TABLE = tables()["watch"]
TUNED = {
    "vhf": Tuned(156_525_000, "dsc"),
    "second": Tuned(156_525_000, "dsc"),
    "mf": Tuned(2_187_500, "dsc"),
    "tape": Tuned(156_525_000, "dsc", listens=False),
}
KEPT, LAPSED, UNKNOWN = WatchState


def at(second, clock=ClockState.NTP):
    mono_ns = 1_000 * S + round(second * S)
    utc_ns = None if clock is ClockState.UNSET else NOON_NS + round(second * S)
    return Moment(mono_ns, utc_ns, clock, 0)


def bench_of(rule=None, others=None):
    case = msgspec.structs.replace(
        cases_of(TABLE)[0], rule={**TABLE["rule"], **(rule or {})}, others=others
    )
    return Bench([agreement_of("watch", TABLE, case)], KINDS)


class Site:
    """A station with its receivers and its watches."""

    def __init__(self, rule=None, ports=("vhf",), others=None):
        tuned = {port: TUNED[port] for port in ports}
        self.duties = duties_of(bench_of(rule, others), tuned)
        self.receivers = {
            port: Receiver(port, heartbeat_s=None, gap_s=gap_of(self.duties, port))
            for port in ports
            if TUNED[port].listens
        }
        self.watching = Watching(self.duties, self.receivers)

    def look(self, moment, /, *, clock=ClockState.NTP, **lines):
        """Let a second come; a port is open unless its line is given. Return what has changed."""
        for port, one in self.receivers.items():
            one.look(lines.get(port, OPEN), at(moment, clock))
        return self.watching.tick(at(moment, clock))

    def watch(self, second, party="station", channel="vhf70"):
        found = self.watching.channel(channel, at(second))
        return next(one for one in found.watches if one.party == party)

    def state(self, second, **which):
        return self.watch(second, **which).state


GAP = TABLE["rule"].get("max_gap_s", 60)


def test_it_is_unknown_then_kept_then_unknown_again_on_a_quiet_channel():
    site = Site()
    assert site.look(0) == {"vhf70"}
    assert site.state(0) is UNKNOWN
    calls(site.receivers["vhf"], 1)
    assert site.look(1) == {"vhf70"}
    assert (site.state(1), site.watch(1).why) == (KEPT, "decoded_call of port vhf")
    assert site.look(GAP + 0.9) == set()
    assert site.look(GAP + 1) == {"vhf70"}

    quiet = site.watch(GAP + 1)
    assert quiet.state is UNKNOWN
    assert quiet.why.startswith("nothing has shown")
    assert quiet.since_mono_ns == at(GAP + 1).mono_ns


def test_it_lapses_when_the_only_radio_is_deaf_since_it_was_lost_and_is_unknown_when_it_is_back():
    site = Site()
    calls(site.receivers["vhf"], 0)
    site.look(0)
    site.look(1, vhf=LOST)
    assert site.state(1) is KEPT
    site.look(1 + GAP / 2, vhf=LOST)
    lapsed = site.watch(1 + GAP / 2)
    assert (lapsed.state, lapsed.since_mono_ns) == (LAPSED, at(1).mono_ns)
    assert lapsed.why == "port vhf is deaf: the port is not open: hung up"
    assert f"{lapsed.since:%H:%M:%S}" == "12:00:01"
    site.look(GAP + 2)
    assert site.state(GAP + 2) is UNKNOWN


def test_a_second_radio_keeps_it_and_where_that_is_quiet_nobody_knows():
    site = Site(ports=("vhf", "second"))
    calls(site.receivers["second"], 0)
    site.look(0, vhf=LOST)
    site.look(GAP - 1, vhf=LOST)
    assert site.state(GAP - 1) is KEPT
    site.look(GAP, vhf=LOST)
    assert site.state(GAP) is UNKNOWN
    site.look(2 * GAP, vhf=LOST, second=LOST)
    site.look(3 * GAP, vhf=LOST, second=LOST)
    assert site.state(3 * GAP) is LAPSED


def test_what_a_deaf_radio_has_shown_before_keeps_nothing():
    site = Site()
    site.look(0)
    says(site.receivers["vhf"], 1, "health", antenna="open")
    site.look(1)

    assert site.state(1) is LAPSED


def test_a_channel_to_which_no_port_is_tuned_is_unknown():
    site = Site(ports=("mf",))
    site.look(0)

    assert site.watch(0).why == "no port of this station is tuned to vhf70"
    assert site.state(0) is UNKNOWN


def test_a_tape_is_no_receiver_and_is_said_to_be_none():
    site = Site(ports=("tape",))
    site.look(0)

    assert site.watch(0).why == "only tape is tuned to vhf70: a tape or an exercise is on no air"
    assert site.state(0) is UNKNOWN


def test_only_what_the_agreement_takes_for_evidence_keeps_it():
    site = Site({"evidence": ["receiver_heartbeat"]})
    calls(site.receivers["vhf"], 0)
    site.look(0)
    assert site.state(0) is UNKNOWN
    says(site.receivers["vhf"], 1, "hello")
    site.look(1)
    assert site.state(1) is KEPT


def stated(site, second, **said):
    word = {"fact_id": "f", "what": "watch_evidence", "channel": "vhf70", "person": "A. Smith"}
    site.watching.stated(msgspec.convert({**word, "at": at(second), **said}, Fact))
    site.look(second)


def test_another_party_is_known_by_what_is_stated_of_it_and_never_lapses_by_our_radios():
    site = Site({"who": ["station", "alpha"]})
    site.look(0, vhf=LOST)
    assert site.watch(0, party="alpha").why == "alpha has shown nothing"
    stated(site, 1, by="alpha", words="loop_test")
    theirs = site.watch(1, party="alpha")
    assert (theirs.state, theirs.own) == (KEPT, False)
    assert theirs.why == "loop_test, as A. Smith has stated"
    assert [(one.kind, one.by, one.proves) for one in theirs.evidence] == [
        ("loop_test", "A. Smith", "word")
    ]
    assert site.state(1) is not KEPT
    site.look(GAP + 1, vhf=LOST)
    assert site.state(GAP + 1, party="alpha") is UNKNOWN


@pytest.mark.parametrize(
    "said",
    [
        {"what": "spoken"},
        {"channel": "vhf16"},
        {"by": "alpha"},
        {"person": None},
        {"words": "a_feeling"},
    ],
    ids=["another word", "another channel", "another party", "nobody", "no such evidence"],
)
def test_what_is_stated_of_something_else_keeps_nothing(said):
    site = Site({"evidence": ["loop_test"]})
    stated(site, 0, **{"words": "loop_test", **said})

    assert site.state(0) is UNKNOWN
    stated(site, 1, words="loop_test")
    assert site.state(1) is KEPT


def test_of_two_rules_each_has_its_own_hours_with_its_own_gap_and_evidence():
    """By day a call in five minutes is enough; by night it takes a link test in five seconds."""
    night = {**TABLE["rule"], "kind": "watch", "max_gap_s": 5, "evidence": ["loop_test"]}
    night |= {"source": "a test", "basis": "design", "hours": ["22:00-06:00"]}
    site = Site({"hours": ["06:00-22:00"], "max_gap_s": 300}, others={"R2": night})
    assert (gap_of(site.duties, "vhf"), gap_of(site.duties, "nobody")) == (5.0, GAP_S)
    assert modes_of(site.duties, "vhf") == ("dsc",)
    calls(site.receivers["vhf"], 0)
    for second in range(101):
        site.look(second)
    by_day, by_night = site.watching.channel("vhf70", at(100)).watches

    assert [(one.rule, one.gap_s, one.due) for one in (by_day, by_night)] == [
        ("case", 300.0, True),
        ("R2", 5.0, False),
    ]
    assert (by_day.state, by_night.state) == (KEPT, UNKNOWN)
    assert site.watching.channel("vhf70", at(100)).state is KEPT
    assert [month.kept for month in by_day.months] == [1.0]
    assert by_night.months == ()


def test_a_lost_radio_is_lapsed_within_a_minute_and_its_month_says_so_however_long_the_gap():
    """One account: what is told of the month is what its rule judges."""
    rule = {"max_gap_s": 7200, "min_availability": 0.999}
    site = Site(rule)
    for second in range(7200):
        if second in (0, 7100):
            calls(site.receivers["vhf"], second)
        site.look(second, vhf=LOST if 100 <= second < 3600 else OPEN)
        if second == 160:
            assert site.state(second) is LAPSED
    (month,) = site.watch(7199).months
    assert month.kept == pytest.approx(199 / 7199, abs=1e-5)
    (engine,) = bench_of(rule).engines.values()
    (over,) = turned(site, 7200)
    (verdict,) = engine.fact(fact_of(over, 0))

    assert (verdict.judgement, verdict.subject) == (
        Judgement.VIOLATION,
        "availability:station/vhf70/2026-11",
    )
    assert f"for {over.month.kept:.3%} of the time" in verdict.words
    assert (over.month.month, over.month.kept) == ("2026-11", pytest.approx(month.kept, abs=1e-3))


def turned(site, second):
    """Let the next month run, and return what is over by then."""
    found = []
    month_ns = 30 * 86_400 * S
    for passed in (second, second + 601):
        now = at(passed)
        now = msgspec.structs.replace(now, utc_ns=now.utc_ns + month_ns)
        site.watching.tick(now)
        found += site.watching.over(now)
    return found


def fact_of(over, second):
    said = {"fact_id": "m", "what": "watch_month", "at": at(second), "by": over.party}
    said |= {"about": over.clause, "words": over.whose, "month": over.month}
    return msgspec.convert(said, Fact)


@pytest.mark.parametrize(
    ("mode", "lost", "kept"),
    [
        ({"mode": "any"}, ("vhf",), 1.0),
        ({"mode": "any"}, ("vhf", "mf"), 0.0),
        ({"mode": "at_least", "count": 2}, ("vhf",), 0.0),
        ({"mode": "at_least", "count": 2}, (), 1.0),
    ],
)
def test_of_several_channels_together_the_month_is_of_all_of_them(mode, lost, kept):
    site = Site({"channels": ["vhf70", "mf_dsc"], **mode}, ports=("vhf", "mf"))
    for second in range(100):
        for port in ("vhf", "mf"):
            calls(site.receivers[port], second)
        site.look(second, **dict.fromkeys(lost, LOST))
    months = [site.watch(99, channel=name).months for name in ("vhf70", "mf_dsc")]

    assert months[0] == months[1]
    assert months[0][0].kept == kept
    (over,) = turned(site, 100)
    assert over.whose == "station"


def test_of_several_channels_together_nobody_knows_while_one_may_be_heard():
    site = Site({"channels": ["vhf70", "mf_dsc"], "mode": "any"}, ports=("vhf", "mf"))
    for second in range(11):
        site.look(second, vhf=LOST)

    assert site.watch(10).months[0].unknown == 1.0


def test_a_watch_that_is_kept_by_ear_counts_while_the_word_stands_and_no_longer():
    site = Site()
    site.look(0, vhf=LOST)
    for second in range(1, 201):
        if second == 50:
            stated(site, second, what="watch_set")
        site.look(second, vhf=LOST)
        assert (site.state(second) is KEPT) is (50 <= second < 50 + GAP)

    assert site.watch(200).months[0].kept == pytest.approx(GAP / 200, abs=0.011)


def test_what_a_radio_has_shown_before_it_was_lost_counts_not_while_a_quiet_one_is_left():
    site = Site(ports=("vhf", "second"))
    calls(site.receivers["vhf"], 0)
    for second in range(21):
        site.look(second, vhf=LOST if second > 10 else OPEN)
    (month,) = site.watch(20).months

    assert (month.kept, month.unknown) == (0.5, 0.5)


def test_the_gravest_of_our_own_watches_stands_for_the_channel():
    site = Site({"who": ["station", "alpha"]})
    stated(site, 0, by="alpha", words="loop_test")
    assert site.watching.channel("vhf70", at(0)).state is UNKNOWN
    calls(site.receivers["vhf"], 1)
    site.look(1)
    assert site.watching.channel("vhf70", at(1)).state is KEPT


def test_the_month_counts_only_what_was_due_and_nothing_stood_against():
    site = Site({"hours": ["12:00-12:01"]})
    for second in range(91):
        calls(site.receivers["vhf"], second)
        site.look(second, vhf=LOST if 10 <= second < 15 else OPEN)
    (month,) = site.watch(90).months

    assert (month.month, month.due_s) == ("2026-11", 59.0)
    assert month.kept == pytest.approx(54 / 59, abs=1e-5)
    assert (site.watch(90).due, month.unknown, month.enough) == (False, 0.0, False)


def test_where_nobody_knows_the_time_it_is_due_and_counts_as_unknown():
    site = Site({"hours": ["12:00-12:01"]})
    for second in range(11):
        calls(site.receivers["vhf"], second)
        site.look(second, clock=ClockState.UNSET)
    site.look(11)
    (month,) = site.watch(11).months

    assert (month.due_s, month.unknown) == (11.0, pytest.approx(10 / 11, abs=1e-5))


def test_what_months_came_to_outlives_a_restart_and_the_time_between_is_unknown():
    site = Site()
    for second in range(11):
        calls(site.receivers["vhf"], second)
        site.look(second)
    kept = msgspec.msgpack.decode(
        msgspec.msgpack.encode(site.watching.keep("b1", at(10))), type=watching.WatchesKept
    )
    other = {"coast/gone/station/vhf70": Account().keep()}
    kept = msgspec.structs.replace(kept, accounts={**kept.accounts, **other})
    anew = Site()
    anew.look(20)
    anew.watching.restore(kept, "b1", at(20))
    calls(anew.receivers["vhf"], 21)
    anew.look(21)
    (month,) = anew.watch(21).months

    assert (month.due_s, month.kept, month.unknown) == (
        21.0,
        0.52380,
        pytest.approx(10 / 21, abs=1e-5),
    )


def test_a_watch_of_which_nothing_was_kept_counts_from_now_on():
    site = Site()
    site.look(0)
    kept = site.watching.keep("b1", at(0))
    site.watching.restore(msgspec.structs.replace(kept, accounts={}), "b1", at(0))
    site.look(5)
    (month,) = site.watch(5).months

    assert month.due_s == 5.0


def test_watches_are_bounded_and_what_is_more_is_left_to_its_rule(monkeypatch):
    monkeypatch.setattr(watching, "WATCHES_MAX", 1)
    site = Site({"who": ["station", "alpha"]})
    site.look(0)
    (bound,) = site.watching.bounds()

    assert (bound.held, bound.limit, bound.evicted) == (1, 1, len(site.duties) - 1)


def test_an_agreement_that_is_suspended_has_nobody_watch():
    bench = bench_of()
    (engine,) = bench.engines.values()
    engine.rules.clear()

    assert duties_of(bench, TUNED) == ()


CLOCKS = st.sampled_from([ClockState.UNSET, ClockState.FREE, ClockState.NTP])
LINES = st.sampled_from([OPEN, LOST])
STEPS = st.lists(st.tuples(st.integers(1, 7200), CLOCKS, LINES, LINES), max_size=40)


@settings(max_examples=50, deadline=None)
@given(STEPS)
def test_where_nothing_is_heard_nothing_is_ever_kept(steps):
    site, second = Site(ports=("vhf", "second")), 0
    for passed_s, clock, one, other in steps:
        second += passed_s
        site.look(second, clock=clock, vhf=one, second=other)
        assert site.state(second) is not KEPT
        assert all(month.kept == 0 for month in site.watch(second).months)


@settings(max_examples=50, deadline=None)
@given(STEPS, st.sampled_from(KEEPS))
def test_what_is_older_than_the_gap_keeps_nothing_whatever_the_clock_does(steps, kind):
    site, second = Site({"evidence": [kind]}), 0
    site.look(0)
    shows = {
        "decoded_call": lambda one: calls(one, 0),
        "loop_test": lambda one: says(one, 0, "echo"),
        "receiver_heartbeat": lambda one: says(one, 0, "hello"),
        "idle_noise_sample": lambda one: says(one, 0, "health", noise_dbm=-110.0),
    }
    shows[kind](site.receivers["vhf"])
    for passed_s, clock, line, _ in steps:
        second += passed_s
        site.look(second, clock=clock, vhf=line)
        assert second < GAP or site.state(second) is not KEPT
