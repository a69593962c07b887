"""Items, plans and a clock for the journal's tests."""

import asyncio
import shutil
import subprocess
from contextlib import asynccontextmanager, contextmanager

import pytest

from gateway.clock import Clock
from gateway.journal.front import Journal
from gateway.model.entry import encode_item
from gateway.model.inbound import (
    CLOCK_FLOOR_UTC_NS,
    Heard,
    Moment,
    Refused,
    Report,
    Ruling,
    Sighting,
)
from gateway.model.plan import JournalPlan
from gateway.model.words import ClockState, Confidence, Integrity, Kind, Mode, Urgency

LINKS = ("shore", "local")


def ruling(ordinal, urgency="routine", mode="real"):
    """One report as it leaves the hallway."""
    heard = Heard(
        station="kust",
        port="p1",
        modem="generic-dsc",
        mono_ns=ordinal,
        clock=ClockState.FREE,
    )
    report = Report(
        report_id=f"{ordinal:032x}",
        schema=1,
        system="dsc",
        kind=Kind.CALL,
        urgency=Urgency(urgency),
        mode=Mode(mode),
        heard=heard,
        integrity=Integrity.CHECKSUM,
        confidence=Confidence.VERIFIED,
        raw=(f"$CDDSC,{ordinal}",),
    )
    return Ruling(Sighting(report, content=ordinal.to_bytes(4, "big")))


def refusal(ordinal, reason="wrong checksum", *, distress_like=False):
    """One frame that no report was made of."""
    return Refused(
        port="p1",
        mono_ns=ordinal,
        reason=reason,
        door="framing",
        distress_like=distress_like,
        raw=("$CDDSC*00",),
        span=9,
    )


class HandClock:
    """A clock that stands still until it is moved: the two hands each for itself."""

    def __init__(self):
        self.mono_h = 0.0
        self.utc_h = 24.0
        """Since the day of the release."""
        self.state = ClockState.FREE

    def pass_h(self, hours):
        """Let time pass."""
        self.mono_h += hours
        self.utc_h += hours

    def now(self):
        return Moment(
            mono_ns=int(self.mono_h * 3600e9),
            utc_ns=CLOCK_FLOOR_UTC_NS + int(self.utc_h * 3600e9),
            clock=self.state,
        )


@pytest.fixture
def clock():
    return HandClock()


@pytest.fixture
def plan(tmp_path):
    return JournalPlan(path=str(tmp_path / "var" / "journal.db"))


@asynccontextmanager
async def opened(plan, *, station="kust", links=LINKS, clock=None):
    """The journal, closed whatever happens."""
    journal = await Journal.open(plan, station=station, links=links, clock=clock or Clock())
    try:
        yield journal
    finally:
        await journal.close()


@contextmanager
def mounted(folder, options):
    """A file system of its own in memory, which only root can make."""
    folder.mkdir()
    mount, umount = shutil.which("mount") or "mount", shutil.which("umount") or "umount"
    words = [mount, "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
    try:
        subprocess.run(words, capture_output=True, check=True)  # words of ours
    except (OSError, subprocess.CalledProcessError) as refusal:
        pytest.skip(f"needs the right to mount a file system: {refusal}")
    try:
        yield
    finally:
        subprocess.run([umount, str(folder)], check=True)  # words of ours


@pytest.fixture
def house():
    """What the tests build with: importlib mode has no shared test modules."""

    class House:
        encode = staticmethod(encode_item)
        links = LINKS
        mounted = staticmethod(mounted)
        opened = staticmethod(opened)
        refusal = staticmethod(refusal)
        ruling = staticmethod(ruling)
        run = staticmethod(asyncio.run)

    return House
