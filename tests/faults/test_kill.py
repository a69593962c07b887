"""F1: SIGKILL at every named step of the real process, and at any moment: nobody kept is lost."""

from __future__ import annotations

import random
import time
from bisect import bisect_right
from contextlib import contextmanager

from msgspec import Struct

from gateway.journal.proving import proof_of
from gateway.points import POINTS
from tests.faults.rig import CONSUMER, Rig, Setting

DISTRESS_SHARE = 0.3
"""Of a hundred sentences a second: more than anywhere, so that each death finds some under way."""

BACK_S_MAX = 2.0
"""From the command to the watch, p99."""

UNKEPT_S_MAX = 1.0
"""A call heard this long before a death is on disk by then, at a hundred sentences a second."""

ASK_S = 0.1
RESTS_MAX = 3

WHOLE_TURNS = 25
SHORT_TURN_MAX = 15
WHOLE_RANDOM = 200
RANDOM_S_MAX = 3.0


class Death(Struct, frozen=True):
    """How a point is come to."""

    turn_max: int = 100
    """One of the first so many times, by dice."""
    fresh: bool = False
    """Only a journal that is begun comes to it."""
    puback: bool = False
    """Only where the broker's signature is enough."""
    leaving: bool = False
    """Only a gateway that is told to end comes to it."""
    asking: bool = False
    """Only a consumer that asks for numbers again brings it there."""
    noise: bool = False
    """Only a tape that fills comes to it."""


DEATHS = {
    "port.opened": Death(turn_max=4),
    "port.read": Death(),
    "hallway.entered": Death(),
    "hallway.left": Death(),
    "tape.written": Death(),
    "tape.rotated": Death(turn_max=1, noise=True),
    "journal.named": Death(turn_max=1, fresh=True),
    "journal.migrated": Death(turn_max=2, fresh=True),
    "journal.opened": Death(turn_max=1),
    "journal.begun": Death(),
    "journal.appended": Death(),
    "journal.struck": Death(turn_max=20),
    "journal.tidied": Death(),
    "journal.sealed": Death(),
    "journal.committed": Death(),
    "journal.settled": Death(),
    "journal.remembered": Death(turn_max=5),
    "journal.closing": Death(turn_max=1, leaving=True),
    "told.journaled": Death(),
    "link.connected": Death(turn_max=3),
    "outbox.read": Death(turn_max=10),
    "publish.begun": Death(),
    "publish.sent": Death(),
    "publish.signed": Death(),
    "outbox.signed": Death(turn_max=20, puback=True),
    "outbox.struck": Death(turn_max=20, puback=True),
    "state.told": Death(turn_max=20),
    "place.offered": Death(),
    "receipt.heard": Death(turn_max=20),
    "receipt.struck": Death(turn_max=20),
    "receipt.acknowledged": Death(turn_max=20),
    "request.heard": Death(turn_max=5, asking=True),
    "request.answered": Death(turn_max=3, asking=True),
    "incidents.restored": Death(turn_max=1),
    "rules.begun": Death(turn_max=1),
    "watch.ended": Death(turn_max=1, leaving=True),
}

NOT_COME_TO = {
    "certificates.taken": "only over TLS: tests/faults/test_certificates.py",
    **dict.fromkeys(
        ("transmit.intended", "transmit.committed", "transmit.handed", "transmit.ended"),
        "only where somebody orders a transmission: F25, tests/faults/test_transmit.py",
    ),
    "port.write_begun": "only where somebody orders a transmission: F25",
    "port.written": "only where somebody orders a transmission: F25",
    "command.heard": "only where an operator orders: tests/live/test_incidents.py",
    "command.answered": "only where an operator orders: tests/live/test_incidents.py",
    "told.unjournaled": "only with a failing disk: tests/live/test_service.py, F13, F14",
    "told.afterwards": "only after a disk that failed: tests/app/test_telling.py, F12, F13, F14",
    "journal.set_aside": "only with a damaged row: F15",
    "journal.mended": "only with a damaged outbox: F15",
    "journal.linked_aside": "only with a damaged file: tests/journal/test_aside.py, F15",
    "journal.set_away": "only with a damaged file: tests/journal/test_aside.py, F15",
    "journal.taken_over": "only with a damaged file: tests/journal/test_aside.py, F15",
}
"""Points that a healthy station never comes to."""

SHORT = (
    "port.opened",
    "hallway.left",
    "journal.opened",
    "journal.remembered",
    "rules.begun",
    "journal.appended",
    "journal.sealed",
    "journal.committed",
    "told.journaled",
    "publish.sent",
    "receipt.struck",
    "watch.ended",
)


class Deaths:
    """What is seen over many lives on one journal and one broker."""

    def __init__(self, rig: Rig) -> None:
        self.rig = rig
        self.killed = 0
        self.back_s: list[float] = []
        self.at_ns: list[int] = []
        self.files: set[str] = set()

    def die(self, point: str, turn: int, *, place: int) -> None:
        """Live until this point has been come to so often."""
        how = DEATHS[point]
        journal = f"{point}-{place}.db" if how.fresh else "journal.db"
        life = self.rig.live(point=point, turn=turn, journal=journal, wait=how.leaving)
        if how.leaving:
            life.process.terminate()
        while how.noise and life.process.poll() is None:
            self.rig.modems["gnss"].say(b"\xff" * 2000)
        while how.asking and life.process.poll() is None:
            self.rig.consumer.ask(*self.rig.newest(journal))
            time.sleep(ASK_S)
        code = life.wait_end()
        self.rig.keep(journal)
        self.killed += 1
        self._note(life, journal)

        said = "\n".join(line for _, line in life.log)
        assert code == -9, f"{point}, the {turn}. time: ended with {code}\n{said}"

    def kill(self, after_s: float) -> None:
        """Live so long."""
        life = self.rig.live(wait=False)
        time.sleep(after_s)
        life.kill()
        self.rig.keep()
        self.killed += 1
        self._note(life, "journal.db")

    def rest(self) -> None:
        """Live on each journal in peace, until all that was kept is signed for."""
        for journal in sorted(self.files):
            for _ in range(RESTS_MAX):
                life = self.rig.live(journal=journal)
                self.rig.until(lambda: self.rig.ledger.told)  # also on a busy machine
                self.rig.speaker.hush()
                self.rig.settled(journal=journal)
                assert life.end() == 0
                self._note(life, journal)
                # What was kept in the last moment before the end is for the next life to tell.
                if self.rig.is_settled(journal):
                    break

    def _note(self, life, journal: str) -> None:
        self.files.add(journal)
        self.at_ns.append(life.ended_ns)
        if (back_s := life.back_s()) is not None:
            self.back_s.append(back_s)

    def unkept_s(self) -> list[float]:
        """Return how long before a death those were said who died with it, ascending."""
        said = [one.at_ns for one in self.rig.ledger.unkept().values()]
        deaths = [self.at_ns[min(bisect_right(self.at_ns, ns), len(self.at_ns) - 1)] for ns in said]
        return sorted((death - ns) / 1e9 for death, ns in zip(deaths, said, strict=True))


def test_every_point_is_died_at_or_said_why_not():
    assert DEATHS.keys() | NOT_COME_TO.keys() == POINTS.keys()
    assert not DEATHS.keys() & NOT_COME_TO.keys()
    assert set(SHORT) <= DEATHS.keys()


@contextmanager
def dying(folder, figure, what, *, timed, share=DISTRESS_SHARE, receipts=CONSUMER):
    """Give many lives on one journal, then look at what came of all that was said.

    Few lives on a busy machine prove nothing about time: that is for the whole form to judge.
    """
    setting = Setting(receipts=receipts, record=True, agreements=("gmdss-coast-station",))
    with Rig(folder, setting) as rig:
        deaths = Deaths(rig)
        rig.speaker.speak(rig.traffic.mixed(share=share), per_s=100)
        yield deaths
        deaths.rest()
        ledger, unkept_s = rig.ledger, deaths.unkept_s()
        back_s = sorted(deaths.back_s)
        figure(
            "F1",
            f"{what}: {deaths.killed} kills; of {len(ledger.said)} distress {len(ledger.kept)} "
            f"were kept, {len(ledger.lost())} of these lost; {len(unkept_s)} heard and not yet "
            f"kept died with the process, at most {1e3 * max(unkept_s, default=0):.0f} ms old; "
            f"{len(ledger.unkept(watched=False))} were said while nobody was on watch",
        )
        figure("F1", f"{what}: back on watch {spread(back_s)} s, of {len(back_s)}")

        assert ledger.kept
        assert not ledger.lost()
        assert not list(ledger.faults())
        assert all(proof_of(str(folder / journal)).holds for journal in deaths.files)
        assert back_s[int(len(back_s) * 0.99)] <= BACK_S_MAX or not timed
        assert max(unkept_s, default=0) <= UNKEPT_S_MAX or not timed


def spread(values: list[float]) -> str:
    """Say the middle, the 99th percentile and the end of ascending values."""
    middle, late = values[len(values) // 2], values[int(len(values) * 0.99)]
    return f"p50 {middle:.2f}, p99 {late:.2f}, max {values[-1]:.2f}"


def test_killed_at_a_named_step_it_loses_nobody_who_was_kept(tmp_path, whole, figure):
    """0 lost, 0 numbers used twice, the chain holds, and the watch is back within 2 s."""
    dice = random.Random(1)
    signed = [point for point in DEATHS if not DEATHS[point].puback]
    with dying(tmp_path, figure, "at a named step", timed=whole) as deaths:
        for point in signed if whole else SHORT:
            how = DEATHS[point]
            for place in range(WHOLE_TURNS if whole else 1):
                turn = dice.randint(1, how.turn_max if whole else min(how.turn_max, SHORT_TURN_MAX))
                deaths.die(point, turn, place=place)


def test_killed_where_the_broker_signs_it_loses_nobody_who_was_kept(tmp_path, whole, figure):
    """The same where the broker's signature ends an entry: this broker keeps its memory."""
    dice = random.Random(2)
    with dying(
        tmp_path, figure, "where the broker signs", timed=whole, share=1.0, receipts="puback"
    ) as deaths:
        for point in (name for name, how in DEATHS.items() if how.puback):
            for place in range(WHOLE_TURNS if whole else 1):
                deaths.die(point, dice.randint(1, 5), place=place)


def test_killed_at_any_moment_it_loses_nobody_who_was_kept(tmp_path, whole, figure):
    dice = random.Random(3)
    with dying(tmp_path, figure, "at any moment", timed=whole) as deaths:
        for _ in range(WHOLE_RANDOM if whole else 2):
            deaths.kill(dice.uniform(0.0, RANDOM_S_MAX if whole else 1.5))
