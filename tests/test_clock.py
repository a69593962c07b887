"""What the kernel says of the time of day, and how dear it is to ask."""

import ctypes
import time

import pytest

from gateway import clock as clocks
from gateway.clock import Clock, Held, Kernel, Timex, held_of
from gateway.model.inbound import CLOCK_FLOOR_UTC_NS
from gateway.model.words import ClockState

SYNCHRONISED = 0x2001  # PLL and nanoseconds, as chrony and timesyncd leave it
ROWS = [
    ("held by NTP", SYNCHRONISED, 11_200, Held(ClockState.NTP, 12)),
    ("held, no error to speak of", SYNCHRONISED, 0, Held(ClockState.NTP, 0)),
    ("not held", 0x2041, 16_000_000, Held(ClockState.FREE)),
    ("its hardware fails", 0x3001, 100, Held(ClockState.FREE)),
    ("held to a pulse", 0x2106 | 1, 3, Held(ClockState.GNSS, 1)),
    ("a pulse for the frequency alone", 0x2102, 3_000, Held(ClockState.NTP, 3)),
    ("a leap second to come", SYNCHRONISED | 0x10, 5_000, Held(ClockState.NTP, 5, "insert")),
    ("one to leave out, not held", 0x2041 | 0x20, 0, Held(ClockState.FREE, None, "delete")),
]


class Answering(Kernel):
    """A kernel that says what a test wants it to say, and counts how often it is asked."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.asked = 0

    def held(self):
        self.asked += 1
        return self.answers[min(self.asked, len(self.answers)) - 1]


def on_hands(monkeypatch, *, utc_ns, mono_ns=10**9):
    """Return two hands that stand still until a test moves them."""
    hands = {"utc": utc_ns, "mono": mono_ns}
    monkeypatch.setattr(clocks.time, "time_ns", lambda: hands["utc"])
    monkeypatch.setattr(clocks.time, "monotonic_ns", lambda: hands["mono"])
    return hands


@pytest.mark.parametrize(("_name", "status", "maxerror_us", "held"), ROWS, ids=[r[0] for r in ROWS])
def test_what_the_kernel_says_is_told_as_it_is(_name, status, maxerror_us, held):
    assert held_of(status, maxerror_us) == held


def test_the_real_kernel_answers_and_is_not_told_anything():
    told = Kernel().held()

    assert isinstance(told, Held)
    assert (told.error_ms is None) == (told.state is ClockState.FREE)


def test_the_fields_stand_where_the_kernel_puts_them_on_32_and_64_bits():
    """Linux: unsigned modes; long offset, freq, maxerror, esterror; int status."""
    word = ctypes.sizeof(ctypes.c_long)

    assert [getattr(Timex, name).offset for name, _ in Timex._fields_] == [
        *(0, word, 2 * word, 3 * word, 4 * word, 5 * word),
        6 * word if word == 8 else 5 * word + 4,
    ]
    assert Timex.maxerror.offset == (24 if word == 8 else 12)
    assert ctypes.sizeof(Timex) >= 208


def test_a_kernel_that_does_not_answer_makes_the_clock_free():
    kernel = Kernel()
    kernel._ask = None
    silent = kernel.held()
    kernel._ask = lambda _: -1

    assert [silent, kernel.held()] == [Held(), Held()]


def test_the_kernel_is_asked_once_a_second_and_at_once_when_the_clock_was_moved(monkeypatch):
    hands = on_hands(monkeypatch, utc_ns=CLOCK_FLOOR_UTC_NS + 10**15)
    clock = Clock()
    clock._kernel = kernel = Answering(Held(ClockState.NTP, 7), Held())
    first = [clock.now() for _ in range(100)]
    hands["utc"] += 400_000_000
    slewed = clock.now()
    hands["utc"] += 3600 * 10**9
    moved = clock.now()
    asked = kernel.asked
    hands["mono"] += clocks.LOOK_NS
    hands["utc"] += clocks.LOOK_NS
    clock.now()

    assert {(now.clock, now.error_ms) for now in first} == {(ClockState.NTP, 7)}
    assert slewed.clock is ClockState.NTP
    assert (moved.clock, moved.error_ms) == (ClockState.FREE, None)
    assert (asked, kernel.asked) == (2, 3)


def test_a_clock_from_before_the_release_is_unset_whatever_the_kernel_says(monkeypatch):
    on_hands(monkeypatch, utc_ns=5 * 10**9)
    clock = Clock()
    clock._kernel = Answering(Held(ClockState.NTP, 1))
    now = clock.now()

    assert (now.clock, now.error_ms, now.utc_ns) == (ClockState.UNSET, None, 5 * 10**9)


def test_asking_the_time_costs_next_to_nothing():
    """Some 0.3 microseconds, of the 30 and more that a chunk takes; the slowest box has 30."""
    clock = Clock()
    began = time.perf_counter()
    for _ in range(10_000):
        clock.now()

    assert time.perf_counter() - began < 0.3


def test_a_start_of_the_machine_has_one_name(monkeypatch, tmp_path):
    (tmp_path / "boot_id").write_text("3f2a91bc-0000-4000-8000-0123456789ab\n")
    monkeypatch.setattr(clocks, "_BOOT_ID", tmp_path / "boot_id")
    named = {Clock().boot, Clock().boot}
    monkeypatch.setattr(clocks, "_BOOT_ID", tmp_path / "nothing")
    alone = Clock()

    assert named == {"3f2a91bc"}
    assert alone.boot == alone.boot != Clock().boot
    assert len(alone.boot) == clocks.BOOT_DIGITS
