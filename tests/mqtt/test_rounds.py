"""Where a pump stands in its outbox. What it does with that is told in test_receipts.py."""

from __future__ import annotations

from gateway.model.entry import Lane
from gateway.mqtt.rounds import Rounds


def test_what_is_passed_without_a_round_begins_none(make):
    rounds = Rounds((Lane.DISTRESS,))
    rounds.passed(make.mayday(7))

    assert list(rounds.open(10**12)) == []
    assert list(rounds.new()) == [(Lane.DISTRESS, 0)]
