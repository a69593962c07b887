"""F3: the brokers stay away for an hour, with calls coming in at twenty a second: virtual time."""

from __future__ import annotations

from storms.world import World

PER_S = 20
WHOLE_S = 3600.0
SHORT_S = 40.0

CALLS = ("distress", *["urgency", "safety"] * 24)
"""One in fifty is a distress; all are kept and told one by one."""

WAY_S = (0.0005, 0.002)
"""One way on a local network."""

DISTRESS_S_MAX = 2.0
DRAIN_PER_S_MIN = 300


class Hour:
    """Who calls, and what the gateway is told of it."""

    def __init__(self, away_s: float) -> None:
        self.world = World(1, length_s=away_s + 20.0, every_s=None, haste=None)
        self.calls = 0
        self.back_s = 0.0
        self._away_s = away_s
        for broker in self.world.brokers.values():
            broker.way_s = WAY_S
        self.world.time.after(5.0, self._speak)
        self.world.time.after(10.0, self._take_away)
        self.world.time.after(10.0 + away_s, self._bring_back)

    def _speak(self) -> None:
        world = self.world
        world.say(getattr(world.air, CALLS[self.calls % len(CALLS)])(), whole=True)
        self.calls += 1
        if world.time.now_s < 10.0 + self._away_s:
            world.time.after(1 / PER_S, self._speak)

    def _take_away(self) -> None:
        for broker in self.world.brokers.values():
            broker.cut("reset by peer")
            broker.forget()
            broker.up = False

    def _bring_back(self) -> None:
        for name, broker in self.world.brokers.items():
            broker.up = True
            self.world.troubled(name)
        self._await_connection()

    def _await_connection(self) -> None:
        if "gw-distress" in self.world.brokers["shore"].lines:
            self.back_s = self.world.time.now_s
        else:
            self.world.time.after(0.001, self._await_connection)

    def after_s(self, *sorts: str) -> list[float]:
        """Return how long after reconnection each that was missed was received on shore."""
        return [
            said.received["shore"] - self.back_s
            for said in self.world.oracle.said.values()
            if said.sort in sorts and 10.0 < said.heard_s < self.back_s
        ]


def test_after_an_hour_without_a_broker_all_are_told_and_distress_within_two_seconds(whole, figure):
    """No promise is broken on the way: see tests/storms/oracle.py for what is looked at."""
    hour = Hour(WHOLE_S if whole else SHORT_S)

    outcome = hour.world.run()

    assert not outcome.breaches
    missed_s = hour.after_s("distress", "urgency", "safety")
    distress_s, drain_per_s = max(hour.after_s("distress")), len(missed_s) / max(missed_s)
    figure(
        "F3",
        f"{hour.world.length_s - 20:g} s at {PER_S}/s on a virtual clock: {len(missed_s)} came in "
        f"and all were told and signed for, the last distress {distress_s:.2f} s after "
        f"reconnection, {drain_per_s:.0f}/s in all",
    )
    assert len(missed_s) >= PER_S * (hour.world.length_s - 20) * 0.95
    assert distress_s <= DISTRESS_S_MAX
    assert drain_per_s >= DRAIN_PER_S_MIN
