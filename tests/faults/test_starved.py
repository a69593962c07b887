"""F22, F23: a box that runs out of memory, of descriptors, of threads. Nobody stops listening."""

from __future__ import annotations

import contextlib
import itertools
import os
import resource
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from pyais import encode_dict

from tests.faults.rig import Life, Rig, Setting
from tests.faults.traffic import FIRST_SHIP, Sentence

PEAK_MB_MAX = 128.0
"""Half of what the unit gives it."""

DISTRESS_SHARE = 0.02
HURT_S = {True: 10.0, False: 0.5}
"""How long it lasts, in the whole form and in the short one."""


def fleet(craft: int) -> list[bytes]:
    """Return one place of each of so many ships."""
    lines = []
    for ship in range(craft):
        fields = {"type": 1, "mmsi": FIRST_SHIP + ship, "lat": 51.0, "lon": ship / 1e4}
        lines += encode_dict(fields, talker_id="AI", radio_channel="A")
    return [f"{line}\r\n".encode() for line in lines]


def crowd(rig: Rig, craft: int) -> Iterator[Sentence]:
    """Yield places of ever other ships on one port, and now and then a call for help on another."""
    places = itertools.cycle(fleet(craft))
    for turn in itertools.count():
        yield Sentence("ais", b"".join(itertools.islice(places, 10)))
        if not turn % 20:
            yield rig.traffic.distress("dsc")


@contextlib.contextmanager
def limited(life: Life, kind: int, soft: int) -> Iterator[None]:
    """Have the running process get no more than this of something, until the block ends."""
    before = resource.prlimit(life.process.pid, kind)
    resource.prlimit(life.process.pid, kind, (soft, before[1]))
    try:
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):  # it may have died of it
            resource.prlimit(life.process.pid, kind, before)


def descriptors(life: Life) -> int:
    """Return how many it has open."""
    return sum(1 for _ in Path(f"/proc/{life.process.pid}/fd").iterdir())


def told_of(rig: Rig, sentence: Sentence) -> bool:
    return sentence.mmsi in rig.ledger.told


def heard_on(rig: Rig, port: str) -> float:
    """Say a call on this port, and return how long it took until it was told."""
    sentence = rig.traffic.distress(port)
    assert rig.say(sentence)
    return rig.until(lambda: told_of(rig, sentence))


def test_a_crowd_and_a_broker_that_takes_nothing_cost_bounded_memory(tmp_path, whole, figure):
    """Every craft is another one, each place is told one by one, and the broker stands still."""
    craft = 20_000 if whole else 3_000
    with Rig(tmp_path, Setting(link="positions = 'every'")) as rig:
        life = rig.live()
        rig.until(lambda: rig.ledger.status)
        before_mb = life.memory_mb()
        rig.broker.freeze()
        rig.speaker.speak(crowd(rig, craft), per_s=400)
        time.sleep(60.0 if whole else 1.5)
        rig.speaker.hush()
        rig.broker.thaw()
        said = set(rig.ledger.said)
        rig.until(lambda: said <= rig.ledger.told.keys(), limit_s=60.0)
        rig.keep()
        peak_mb = life.memory_mb("VmHWM")
        figure(
            "F22",
            f"{craft} craft at up to 4000/s, broker frozen: {before_mb:.0f} MB before, peak "
            f"{peak_mb:.0f} MB of {PEAK_MB_MAX:g}; {len(said)} calls, all told",
        )

        assert len(said) > 10
        assert peak_mb <= PEAK_MB_MAX
        assert not list(rig.ledger.faults())


def test_who_dies_for_want_of_memory_has_lost_nothing_that_was_kept(tmp_path, whole, figure):
    """Not a page more than it has, while more comes in than it can tell, until it dies of it.

    Python itself can't go on without memory. What is left is what holds for any sudden death.
    """
    rounds = 10 if whole else 1
    deaths, backs_s = 0, []
    with Rig(tmp_path, Setting(link="positions = 'every'")) as rig:
        places = crowd(rig, 3_000)
        next(places)
        for _ in range(rounds):
            life = rig.live()
            backs_s.append(life.back_s())
            heard_on(rig, "dsc")
            with limited(life, resource.RLIMIT_DATA, 1):
                rig.broker.freeze()
                rig.speaker.speak(places, per_s=400)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    life.wait_end(5.0)
            rig.speaker.hush()
            rig.broker.thaw()
            deaths += not life.on_watch
            if life.on_watch:  # it goes on, or hangs: then the watchdog would end it
                life.kill()
        life = rig.live()
        backs_s.append(life.back_s())
        rig.settled()
        figure(
            "F22",
            f"without memory {rounds} times, died of it {deaths} times: "
            f"{len(rig.ledger.kept)} calls kept, "
            f"{len(rig.ledger.lost())} lost, on watch after {max(backs_s):.2f} s at the most",
        )

        assert not rig.ledger.lost()
        assert not list(rig.ledger.faults())


def test_without_a_descriptor_open_ports_are_heard_and_closed_ones_come_back(
    tmp_path, whole, figure
):
    """None is left: a port that comes back can't be opened, a link can't be made, others go on."""
    with Rig(tmp_path) as rig:
        life = rig.live()
        heard_on(rig, "dsc")
        opened = len(life.said("port_opened", "gnss"))
        with limited(life, resource.RLIMIT_NOFILE, 3):
            rig.modems["gnss"].yank()
            rig.until(lambda: life.said("port_lost", "gnss"))
            rig.broker.kill()
            rig.modems["gnss"].plug_in()
            rig.broker.start()
            time.sleep(HURT_S[whole])
            said = [rig.traffic.distress(port) for port in ("dsc", "ais", "mixed")]
            for sentence in said:
                assert rig.say(sentence)
            rig.until(lambda: {one.mmsi for one in said} <= _kept(rig))
            assert len(life.said("port_opened", "gnss")) == opened, "it could not be opened"
            assert not any(told_of(rig, sentence) for sentence in said), "no link could be made"
            complaints = len(life.log)
        port_s = rig.until(lambda: len(life.said("port_opened", "gnss")) > opened)
        told_s = port_s + rig.until(lambda: all(told_of(rig, sentence) for sentence in said))
        figure(
            "F23",
            f"no descriptor for {HURT_S[whole]:g} s: calls on the open ports kept; when there are "
            f"some, the port is open {port_s:.1f} s and all told {told_s:.1f} s after",
        )

        assert life.process.poll() is None
        assert complaints < 100, "the log is not flooded"
        assert not rig.ledger.unkept()
        assert not list(rig.ledger.faults())


FEW = """
import resource, sys
from gateway.cli import main
resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
sys.exit(main(sys.argv[1:]))
"""


def test_sixty_four_descriptors_are_enough_for_a_station(tmp_path, figure):
    with Rig(tmp_path, Setting(record=True)) as rig:
        life = rig.live_by("-c", FEW)
        for port in ("dsc", "ais", "mixed"):
            heard_on(rig, port)
        figure("F23", f"{descriptors(life)} descriptors for 4 ports, a link and tapes, of 64")

        assert descriptors(life) < 64


def _kept(rig: Rig) -> set[str]:
    rig.keep()
    return set(rig.ledger.kept)


TASKS = Path("/sys/fs/cgroup/pids")


@pytest.fixture
def no_more_tasks() -> Iterator[object]:
    """Return what lets a process have no thread more than it has."""
    group = TASKS / f"gateway-test-{os.getpid()}"
    try:
        group.mkdir()
    except OSError as error:
        pytest.skip(f"no group of tasks can be made here: {error.strerror}")

    def limit(life: Life) -> None:
        (group / "cgroup.procs").write_text(str(life.process.pid))
        (group / "pids.max").write_text((group / "pids.current").read_text())

    yield limit
    for _ in range(200):
        if not (group / "cgroup.procs").read_text():
            break
        time.sleep(0.01)
    group.rmdir()


def test_without_a_thread_more_all_goes_on(tmp_path, whole, figure, no_more_tasks):
    """No thread can be begun: cable and broker go and come, and nobody needs one."""
    with Rig(tmp_path) as rig:
        life = rig.live()
        heard_on(rig, "dsc")
        no_more_tasks(life)
        opened = len(life.said("port_opened", "gnss"))
        rig.modems["gnss"].yank()
        rig.until(lambda: life.said("port_lost", "gnss"))
        rig.broker.kill()
        rig.modems["gnss"].plug_in()
        time.sleep(HURT_S[whole])
        rig.broker.start()
        port_s = rig.until(lambda: len(life.said("port_opened", "gnss")) > opened)
        told_s = heard_on(rig, "dsc")
        figure(
            "F23", f"no thread more: the port open {port_s:.1f} s, a call told {told_s:.1f} s after"
        )

        assert life.process.poll() is None
        assert not rig.ledger.unkept()
