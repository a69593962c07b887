"""What shows that a receiver hears, what shows that it does not, and that silence shows neither."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from rooms.rules.cases import sighting_of

from gateway.model.inbound import Moment
from gateway.model.words import ClockState
from gateway.rules.evidence import KEEPS, PROVES, Line, Receiver
from gateway.rules.usual import UsualKept

S = 10**9
OPEN = Line(is_open=True)
LOST = Line(is_open=False, last_error="hung up")
GAP_S = 60.0


def at(second):
    return Moment(1_000 * S + round(second * S), None, ClockState.UNSET)


def receiver(*, heartbeat_s=None, gap_s=GAP_S, modes=("dsc",)):
    made = Receiver("vhf", heartbeat_s=heartbeat_s, gap_s=gap_s, modes=modes)
    made.look(OPEN, at(0))
    return made


def says(one, second, said, **facts):
    """Let its packed modem say something of itself."""
    report = sighting_of({"system": "packed", "kind": "status"}, "r", at(second)).report
    detail = {"said": said, "noise_dbm": None, "antenna": None, **facts}
    told = SimpleNamespace(system="packed", heard=report.heard, detail=SimpleNamespace(**detail))
    one.heard(told, at(second))


def calls(one, second, rssi_dbm=None):
    report = sighting_of({"system": "dsc", "kind": "call"}, "r", at(second)).report
    heard = SimpleNamespace(rssi_dbm=rssi_dbm)
    one.heard(SimpleNamespace(system="dsc", detail=report.detail, heard=heard), at(second))


def words(one, second):
    found = one.deaf(at(second))
    return None if found is None else found.words


def test_bytes_prove_the_line_and_keep_no_watch():
    one = receiver()
    one.look(Line(is_open=True, last_byte_ns=at(1).mono_ns), at(2))

    (sign,) = one.evidence(at(3))
    assert (sign.kind, sign.by, sign.age_s, sign.proves) == ("bytes_heard", "vhf", 2.0, "line")
    assert one.proof(KEEPS) is None
    assert "bytes_heard" not in KEEPS


def test_a_call_keeps_a_watch_and_says_how_strong_it_came():
    one = receiver()
    calls(one, 1, rssi_dbm=-97.0)

    kind, sign = one.proof(KEEPS)
    assert (kind, sign.at_ns) == ("decoded_call", at(1).mono_ns)
    assert {one.kind: one.says for one in one.evidence(at(1))} == {
        "decoded_call": "dsc",
        "signal_strength": "-97 dBm",
    }


@pytest.mark.parametrize(
    ("said", "facts", "kinds"),
    [
        ("hello", {}, {"receiver_heartbeat"}),
        ("health", {"noise_dbm": -118.5}, {"receiver_heartbeat", "idle_noise_sample"}),
        ("echo", {}, {"loop_test"}),
        ("report", {}, {"decoded_call"}),
        ("gap", {}, set()),
        ("nak", {}, set()),
        ("test", {}, set()),
        ("outcome", {}, set()),
    ],
)
def test_each_word_of_a_packed_modem_is_the_evidence_that_it_is(said, facts, kinds):
    one = receiver()
    one_of = SimpleNamespace(said=said, noise_dbm=None, antenna=None)
    vars(one_of).update(facts)
    heard = SimpleNamespace(rssi_dbm=None)
    one.heard(SimpleNamespace(system="packed", detail=one_of, heard=heard), at(1))

    assert {one.kind for one in one.evidence(at(1))} == kinds
    assert kinds <= PROVES.keys()


def test_what_came_before_the_port_was_opened_keeps_no_watch():
    one = receiver()
    calls(one, 1)
    one.look(LOST, at(2))
    one.look(OPEN, at(3))
    assert one.proof(KEEPS) is None
    calls(one, 3)
    assert one.proof(KEEPS) is not None


def test_a_port_that_was_opened_anew_between_two_looks_begins_anew():
    one = receiver()
    one.look(Line(is_open=True, opened_ns=at(0).mono_ns), at(1))
    calls(one, 2)
    one.look(Line(is_open=True, opened_ns=at(3).mono_ns), at(4))
    assert one.proof(KEEPS) is None
    calls(one, 3.5)
    assert one.proof(KEEPS) is not None


def test_only_what_the_agreement_takes_for_evidence_counts():
    one = receiver()
    calls(one, 1)
    says(one, 2, "hello")

    assert one.proof(("decoded_call",))[0] == "decoded_call"
    assert one.proof(KEEPS)[0] == "receiver_heartbeat"
    assert one.proof(("loop_test",)) is None


def test_a_quiet_channel_is_never_deaf():
    one = receiver()
    for second in range(0, 7 * 86_400, 600):
        one.look(OPEN, at(second))
        assert one.doubted(at(second)) is None


def test_a_lost_line_is_doubted_at_once_and_deaf_after_half_of_the_gap():
    one = receiver()
    one.look(LOST, at(10))
    assert one.doubted(at(10)).words == "the port is not open: hung up"
    assert one.deaf(at(39.9)) is None
    deaf = one.deaf(at(40))
    assert (deaf.since_ns, deaf.words) == (at(10).mono_ns, "the port is not open: hung up")
    one.look(OPEN, at(41))
    assert one.doubted(at(41)) is None


def test_a_port_that_was_never_opened_is_deaf_too():
    one = Receiver("vhf", heartbeat_s=None, gap_s=GAP_S)
    assert one.doubted(at(0)).words == "the port is not open"
    one.look(Line(is_open=False), at(0))

    assert words(one, 29) is None
    assert words(one, 30) == "the port is not open"


def test_however_long_the_gap_a_lost_line_is_deaf_after_a_minute():
    one = receiver(gap_s=7200.0)
    one.look(LOST, at(10))
    assert words(one, 69.9) is None
    assert words(one, 70) == "the port is not open: hung up"


def test_no_byte_for_longer_than_the_profile_says_is_deaf_since_the_last():
    one = receiver()
    one.look(Line(is_open=True, is_silent=True, last_byte_ns=at(5).mono_ns), at(200))
    assert one.deaf(at(200)).since_ns == at(5).mono_ns
    assert words(one, 200).startswith("no byte came")
    one.look(Line(is_open=True, is_silent=True), at(201))
    assert one.deaf(at(201)).since_ns == at(0).mono_ns


@pytest.mark.parametrize(("second", "deaf"), [(159.9, False), (160, True)])
def test_a_modem_that_lives_says_so_and_one_that_does_not_is_deaf(second, deaf):
    one = receiver(heartbeat_s=150.0)
    says(one, 10, "health")
    one.look(OPEN, at(second))

    assert (words(one, second) == "its modem has given no sign of life") is deaf
    says(one, 161, "hello")
    assert words(one, 161) is None


def test_a_modem_that_was_never_heard_has_its_time_from_the_opening():
    one = receiver(heartbeat_s=150.0)
    assert words(one, 149) is None
    assert words(one, 150) == "its modem has given no sign of life"
    one.look(LOST, at(151))
    one.look(OPEN, at(152))
    assert words(one, 301) is None
    assert words(one, 302) is not None


@pytest.mark.parametrize("antenna", ["open", "short"])
def test_an_antenna_that_the_modem_says_is_gone_is_deafness_until_it_says_otherwise(antenna):
    one = receiver()
    says(one, 1, "health", antenna=antenna)
    says(one, 61, "health", antenna=antenna)
    deaf = one.deaf(at(61))
    assert (deaf.words, deaf.since_ns) == (
        f"its modem says that the antenna is {antenna}",
        at(1).mono_ns,
    )
    says(one, 70, "hello")
    assert one.deaf(at(70)) is not None
    says(one, 121, "health", antenna="ok")
    assert one.deaf(at(121)) is None


def handed(second):
    return Line(is_open=True, tested_ns=at(second).mono_ns)


def test_a_link_test_that_is_not_answered_is_deafness_until_one_is():
    one = receiver()
    one.look(handed(10), at(12.9))
    assert words(one, 12.9) is None
    assert words(one, 13) == "its modem has not answered a link test"
    assert one.deaf(at(13)).since_ns == at(10).mono_ns
    says(one, 14, "echo")
    assert words(one, 14) is None
    one.look(handed(20), at(23))
    assert words(one, 23) is not None


@pytest.mark.parametrize(
    "lives",
    [
        lambda one: says(one, 14, "hello"),
        lambda one: says(one, 14, "health"),
        lambda one: calls(one, 14),
    ],
    ids=["hello", "health", "call"],
)
def test_one_answer_that_was_lost_is_made_good_by_the_next_thing_that_the_modem_says(lives):
    one = receiver()
    says(one, 9, "health")
    one.look(handed(10), at(13))
    assert words(one, 13) is not None
    lives(one)
    assert words(one, 14) is None
    one.look(handed(10), at(4000))
    assert words(one, 4000) is None


@pytest.mark.parametrize("said", ["nak", "gap"])
def test_what_a_modem_says_of_the_wire_answers_no_link_test(said):
    one = receiver()
    one.look(handed(10), at(13))
    says(one, 14, said)

    assert words(one, 14) is not None


@pytest.mark.parametrize(
    ("modes", "system", "detail", "heard"),
    [
        (("dsc",), "dsc", {}, True),
        (("dsc",), "packed", {"said": "report"}, True),
        (("dsc",), "ais", {}, False),
        (("ais",), "ais", {}, True),
        (("ais",), "ais", {"own_ship": True}, False),
        (("dsc", "ais"), "ais", {}, True),
        (("g3e",), "dsc", {}, True),
        (("g3e",), "gnss", {}, False),
        ((None,), "ais", {}, True),
        ((None,), "gnss", {}, False),
        ((None,), "n2k", {}, False),
        ((None,), "ais", {"own_ship": True}, False),
    ],
)
def test_only_what_came_off_the_air_of_its_channel_shows_that_it_hears(
    modes, system, detail, heard
):
    one = receiver(modes=modes)
    told = SimpleNamespace(
        system=system, detail=SimpleNamespace(**detail), heard=SimpleNamespace(rssi_dbm=None)
    )
    one.heard(told, at(1))

    assert (one.proof(KEEPS) is not None) is heard
    assert one.usual.count == heard


def test_a_link_test_of_the_wire_before_says_nothing_of_this_one():
    one = receiver()
    one.look(Line(is_open=False), at(11))
    one.look(handed(10), at(12))

    assert words(one, 20) is None


def test_far_fewer_than_usual_is_deafness():
    one = receiver()
    one.usual.restore(UsualKept(days=((3600,) * 7,) * 24), at(0))
    noon = 1_793_491_200 * S
    for second in range(0, 601, 5):
        now = Moment(at(second).mono_ns, noon + second * S, ClockState.NTP)
        one.look(OPEN, now)

    assert one.deaf(now).words.startswith("nothing was decoded where twenty and more are usual")
    rate = next(sign for sign in one.evidence(now) if sign.kind == "decode_rate")
    assert rate.says == "0 since the hour began, 3600 are usual in an hour"


def test_what_is_low_is_of_the_receiver_that_was_there_and_not_of_the_one_that_is_put_in():
    one = receiver()
    one.usual.restore(UsualKept(low="few", low_ms=5000), at(0))
    assert one.deaf(at(1)).since_ns == at(-5).mono_ns
    one.look(LOST, at(2))
    assert one.usual.low(at(2)).words == "few"
    one.look(OPEN, at(3))
    assert words(one, 3) is None


def test_an_hour_in_which_anything_was_wrong_teaches_nothing():
    """What a modem without antenna decodes is not what is usual."""
    one, noon = receiver(), 490_000 * 3600
    for second in range(-10, 3610, 5):
        now = Moment(at(second).mono_ns, (noon + second) * S, ClockState.NTP)
        if second == 600:
            says(one, second, "health", antenna="open")
        if second == 700:
            says(one, second, "health", antenna="ok")
        one.look(OPEN, now)

    assert not any(one.usual.keep().days)


def test_rules_are_told_of_each_sign_once_and_of_no_call():
    one = receiver()
    calls(one, 1)
    says(one, 2, "health", noise_dbm=-118.0)
    assert [kind for kind, _ in one.news()] == ["receiver_heartbeat", "idle_noise_sample"]
    assert list(one.news()) == []
    says(one, 3, "echo")
    assert list(one.news()) == [("loop_test", at(3).mono_ns)]
