"""What goes out of turn: each port has its share, keeps its own order, and loses nothing."""

import random
from collections import Counter

import pytest
from msgspec.structs import replace

from gateway.model.entry import Lane
from gateway.mqtt.early import EARLY_MAX, PORT_MAX, Early

LANE = Lane.DISTRESS
WIDTH = 10


@pytest.fixture
def early():
    return Early((LANE, Lane.SAFETY))


@pytest.fixture
def on(make):
    """Return what makes a call on a port."""

    def called(port, number):
        heard = replace(make.report_of().heard, port=port)
        return make.mayday(number, heard=heard)

    return called


def numbers(entries):
    return [entry.number for entry in entries]


def flooded(early, on, quiet=()):
    """Have a port say a hundred calls, of which these are of another one; return all of them."""
    calls = [on("quiet" if number in quiet else "loud", number) for number in range(1, 101)]
    for call in calls:
        early.put(call)
    return calls


def test_a_port_alone_has_nothing_out_of_turn(early, on):
    flooded(early, on)
    assert early.share(LANE, 0, WIDTH) == 0


def test_what_goes_at_once_goes_by_number(early, on):
    for number, port in enumerate("abcabcabca", 1):
        early.put(on(port, number))
    assert early.share(LANE, 0, WIDTH) == 0


def test_a_call_on_a_quiet_port_goes_with_the_next_batch(early, on):
    calls = flooded(early, on, quiet=(90, 95))
    assert early.share(LANE, 0, WIDTH) == WIDTH // 2
    assert numbers(early.untold(LANE, calls[:5])) == [1, 2, 3, 4, 5]
    assert {90, 95} <= {*numbers(early.take(LANE, 5, WIDTH // 2))}


def test_what_went_out_of_turn_does_not_go_again_when_the_lane_comes_to_it(early, on):
    calls = flooded(early, on, quiet=(90,))
    early.untold(LANE, calls[:5])
    early.take(LANE, 5, 1)
    went = early.take(LANE, 5, 1)
    assert numbers(early.untold(LANE, calls[5:])) == [
        number for number in range(6, 101) if number not in {6, 90}
    ]
    assert numbers(went) == [90]


def test_on_a_new_connection_all_goes_by_number_that_went_before(early, on):
    """What was under way may not have arrived, and none of its port may overtake it."""
    calls = flooded(early, on, quiet=(90, 95))
    early.untold(LANE, calls[:5])
    assert 90 in numbers(early.take(LANE, 5, 2))
    early.anew()
    assert numbers(early.untold(LANE, calls[:5])) == [1, 2, 3, 4, 5]
    assert 95 not in numbers(early.take(LANE, 5, WIDTH))
    assert 90 in numbers(early.untold(LANE, calls[5:94]))
    assert 95 in numbers(early.take(LANE, 94, WIDTH))


def test_what_earlier_runs_have_left_goes_before_anything_goes_out_of_turn(early, on):
    for number in range(1000, 1100):
        early.put(on("quiet" if number == 1050 else "loud", number))
    assert early.take(LANE, 998, WIDTH) == []
    assert 1050 in numbers(early.take(LANE, 999, WIDTH))


def test_of_a_port_no_more_is_at_hand_than_its_share_and_the_rest_goes_by_number(early, on):
    calls = flooded(early, on, quiet=range(40, 100))
    assert {bound.held for bound in early.bounds()} == {PORT_MAX, 0}
    early.untold(LANE, calls[:30])
    assert numbers(early.take(LANE, 30, 100)) == [*range(40, 40 + PORT_MAX)]
    early.untold(LANE, calls[30:99])
    late = on("quiet", 101)
    early.put(late)
    assert early.take(LANE, 98, WIDTH) == []
    assert late in early.take(LANE, 99, WIDTH)


def test_no_more_goes_out_of_turn_than_can_be_remembered(early, on):
    number = 0
    while early.share(LANE, 0, WIDTH) or number < PORT_MAX * 3:
        for port in "ab":
            number += 1
            early.put(on(port, number))
        early.take(LANE, 0, early.share(LANE, 0, WIDTH))
        if number > PORT_MAX * 3 and not early.share(LANE, 0, WIDTH):
            break
    assert max(bound.held / bound.limit for bound in early.bounds()) <= 1
    assert len(early._told[LANE]) <= EARLY_MAX


@pytest.mark.parametrize("seed", range(40))
def test_each_entry_goes_once_a_connection_and_each_port_in_its_order(early, on, seed):
    """Whatever comes in while it is told, and wherever a connection ends."""
    dice = random.Random(seed)
    disk, went, last, number = [], [], 0, 0
    first, connection = [], Counter()
    while number < 600 or last < number:
        for _ in range(dice.randrange(30) if number < 600 else 0):
            number += 1
            entry = on("b" if dice.random() < 0.1 else dice.choice("aaac"), number)
            disk.append(entry)
            early.put(entry)
        if dice.random() < 0.02:
            early.anew()
            last, connection = 0, Counter()
        share = early.share(LANE, last, WIDTH)
        rows = [entry for entry in disk if entry.number > last][: WIDTH - share]
        if not rows:
            continue
        last = rows[-1].number
        went = early.untold(LANE, rows)
        went += early.take(LANE, last, share) if went else []
        connection.update(numbers(went))
        assert max(connection.values(), default=1) == 1
        first += [entry for entry in went if entry not in first]
    assert {*numbers(first)} == {*range(1, number + 1)}
    for port in "abc":
        own = [e.number for e in first if e.item.sighting.report.heard.port == port]
        assert own == sorted(own)
    assert len(early._told[LANE]) == 0
