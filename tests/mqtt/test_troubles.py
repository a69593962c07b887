"""Incidents on their topics: the newest word of each stands, after any trouble of the broker."""

from __future__ import annotations

import msgspec
import pytest
from msgspec.structs import replace

from gateway.model.words import Mode, Urgency
from gateway.mqtt import troubles
from gateway.mqtt.topics import Topics
from gateway.mqtt.troubles import Troubles


def shown(make, troubles_, number=1, **over):
    entry = make.incident(number, **over)
    return troubles_.put(entry, entry.item)


def order(troubles_):
    """Return the identities in the order in which they are told, and tell them."""
    found = []
    while (one := troubles_.next(lambda _: True)) is not None:
        found.append(one.topic.rpartition("/")[2])
        troubles_.told(one)
    return found


def standing(at):
    """Return what stands on the broker: the last word on each topic."""
    found = {}
    for outgoing in at.urgent.signed:
        if outgoing.retain and "/incident/" in outgoing.topic:
            found[outgoing.topic.rpartition("/")[2]] = outgoing.payload
    return {name: msgspec.json.decode(said) for name, said in found.items() if said}


# -- which is next -----------------------------------------------------------------------------


def test_the_gravest_are_told_first_then_tests_and_last_what_is_over(make):
    board = Troubles(Topics("alpha").incident)
    shown(make, board, incident_id="over", gone=True)
    shown(make, board, incident_id="test", mode=Mode.TEST)
    shown(make, board, incident_id="urgency", severity=Urgency.URGENCY)
    shown(make, board, incident_id="distress")

    assert order(board) == ["distress", "urgency", "test", "over"]
    assert order(board) == []


def test_what_was_never_told_goes_before_news_of_what_was(make):
    """A flood of repeats of invented calls keeps no new one waiting."""
    board = Troubles(Topics("alpha").incident)
    shown(make, board, 1, incident_id="old")
    order(board)
    shown(make, board, 2, incident_id="old")
    shown(make, board, 3, incident_id="new")

    assert order(board) == ["new", "old"]


def test_a_new_connection_is_told_all_and_the_newest_first(make):
    board = Troubles(Topics("alpha").incident)
    for number, name in enumerate(("a", "b", "a"), start=1):
        shown(make, board, number, incident_id=name)
    shown(make, board, 4, incident_id="over", gone=True)
    order(board)
    board.renew()

    assert order(board) == ["a", "b"]


def test_an_older_word_changes_nothing(make):
    board = Troubles(Topics("alpha").incident)
    shown(make, board, 5, say="newer")
    shown(make, board, 4, say="older")

    assert b"newer" in board.next(lambda _: True).entry.body


def test_an_older_word_that_the_disk_took_late_changes_nothing(make):
    """A failing disk numbers what it could not take behind what came since."""
    board = Troubles(Topics("alpha").incident)
    shown(make, board, 5, say="newer", revision=3)
    shown(make, board, 6, say="older", revision=2)

    assert b"newer" in board.next(lambda _: True).entry.body


def test_what_has_no_number_stands_until_the_disk_has_it(make):
    board = Troubles(Topics("alpha").incident)
    for number in (4, 0, 5):
        shown(make, board, number)

    assert board.next(lambda _: True).entry.number == 5


def test_a_word_that_came_while_another_was_told_is_told_too(make):
    board = Troubles(Topics("alpha").incident)
    shown(make, board, 1)
    under_way = board.next(lambda _: True)
    shown(make, board, 2)
    board.told(under_way)

    assert not board.is_untold(under_way)
    assert board.next(lambda _: True).entry.number == 2


def test_what_begins_again_while_its_end_is_told_stands(make):
    board = Troubles(Topics("alpha").incident)
    shown(make, board, 1, gone=True)
    under_way = board.next(lambda _: True)
    shown(make, board, 2)
    board.told(under_way)
    board.renew()

    assert board.next(lambda _: True).entry.number == 2


@pytest.mark.parametrize(
    ("least", "over"),
    [
        ("over", {"gone": True}),
        ("test", {"mode": Mode.TEST}),
        ("urgency", {"severity": Urgency.URGENCY}),
        ("oldest", {}),
    ],
)
def test_where_there_is_no_room_the_least_goes_and_is_counted(make, monkeypatch, least, over):
    monkeypatch.setattr(troubles, "INCIDENTS_MAX", 3)
    board = Troubles(Topics("alpha").incident)
    shown(make, board, 1, incident_id=least, **over)
    for number, name in enumerate(("b", "c", "d"), start=2):
        shown(make, board, number, incident_id=name)
    (bound,) = board.bounds()

    assert (bound.held, bound.limit, bound.evicted) == (3, 3, 1)
    assert sorted(order(board)) == ["b", "c", "d"]


# -- on a link ---------------------------------------------------------------------------------


def test_an_incident_stands_and_each_change_of_it_is_told(rig, make):
    async def scene(at):
        at.up()
        at.heard(make.incident(1))
        await make.until(lambda: len(at.topics()) == 2)
        at.heard(make.incident(2, say="it is worse"))
        await make.until(lambda: len(at.topics()) == 4)

    at = rig(scene)

    name = "incident/00ff00ff00ff00ff"
    assert sorted(at.topics()) == [name, name, f"{name}/log", f"{name}/log"]
    assert standing(at)["00ff00ff00ff00ff"]["incident"]["say"] == "it is worse"
    assert at.outbox.struck == [1, 2]


def test_an_incident_that_is_over_is_taken_off_the_broker(rig, make):
    async def scene(at):
        at.up()
        at.heard(make.incident(1))
        await make.until(lambda: standing(at))
        at.heard(make.incident(2, gone=True))
        await make.until(lambda: not standing(at))
        at.urgent.signed.clear()
        await at.urgent.renew()
        await make.settled()

    assert rig(scene).topics() == []


def test_a_broker_that_lost_its_memory_is_told_all_incidents_again(rig, make):
    async def scene(at):
        at.up()
        at.heard(make.incident(1), make.incident(2, incident_id="another"))
        await make.until(lambda: len(standing(at)) == 2)
        at.urgent.signed.clear()
        await at.urgent.renew()
        await make.until(lambda: len(standing(at)) == 2)

    rig(scene)


def test_what_changes_while_the_line_is_down_is_told_once_as_it_is_then(rig, make):
    async def scene(at):
        for number in range(1, 6):
            at.heard(make.incident(number, say=f"word {number}"))
        at.up()
        await make.until(lambda: standing(at))
        await make.settled()

    at = rig(scene)
    states = [o for o in at.urgent.signed if o.retain and "/incident/" in o.topic]

    assert [msgspec.json.decode(o.payload)["number"] for o in states] == [5]


def test_how_the_box_is_is_told_before_any_incident(rig, make):
    async def scene(at):
        at.heard(*(make.incident(n, incident_id=f"i{n}") for n in range(1, 9)))
        at.link.retain("alert/disk", at.link.state())
        at.up()
        await make.until(lambda: len(standing(at)) == 8)

    at = rig(scene)
    retained = [o.topic.split("/")[3] for o in at.urgent.signed if o.retain]

    assert retained[:2] == ["status", "alert"]


def test_an_incident_that_the_disk_did_not_take_stands_marked_so(rig, make):
    async def scene(at):
        at.up()
        at.link.tell_unjournaled(replace(make.incident(0), journaled_utc_ns=None))
        await make.until(lambda: standing(at))
        await make.settled()

    at = rig(scene)

    assert standing(at)["00ff00ff00ff00ff"]["journaled"] is False
    assert sorted(at.topics()) == ["incident/00ff00ff00ff00ff", "incident/00ff00ff00ff00ff/log"]


def test_what_an_earlier_run_left_is_shown_and_told_to_nobody_again(rig, make):
    async def scene(at):
        at.up()
        entry = make.incident(7)
        at.link.show(entry, entry.item)
        await make.until(lambda: standing(at))
        await make.settled()

    assert rig(scene).topics() == ["incident/00ff00ff00ff00ff"]


def test_an_incident_that_the_broker_refuses_holds_up_no_other(rig, make):
    async def scene(at):
        at.urgent.refuse = lambda o: o.topic.endswith("/incident/bad")
        at.up()
        at.heard(make.incident(1, incident_id="bad"), make.incident(2, incident_id="good"))
        await make.until(lambda: standing(at).keys() == {"good"})
        await make.until(lambda: at.link.state().refused == 1)
        at.urgent.refuse = lambda _: False
        at.heard(make.incident(3, incident_id="bad"))
        await make.until(lambda: standing(at).keys() == {"good", "bad"})

    rig(scene)


def test_an_incident_that_can_not_be_written_holds_up_no_other(rig, make):
    async def scene(at):
        at.up()
        broken = make.incident(1, incident_id="bad")
        at.link.show(replace(broken, body=b"\xc1"), broken.item)
        at.link.show(good := make.incident(2, incident_id="good"), good.item)
        await make.until(lambda: standing(at).keys() == {"good"})

    rig(scene)
