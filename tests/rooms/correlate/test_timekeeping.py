"""Steps, witnesses and offsets: what is stated of a clock, and what it dates anew."""

from datetime import UTC, datetime, timedelta

import pytest

from gateway.correlate.timekeeping import (
    DIFFERS_FOR_NS,
    ROLLOVER_NS,
    SAMPLES_MAX,
    STEPPED_FOR_NS,
    UNHELD_FOR_NS,
    Timekeeping,
    redated,
)
from gateway.model.inbound import (
    CLOCK_FLOOR_UTC_NS,
    SCHEMA_VERSION,
    ClockOffset,
    ClockStep,
    Heard,
    Moment,
    Report,
)
from gateway.model.place import Position
from gateway.model.words import ClockState, Confidence, Integrity, Kind, Mode, Urgency

S = 10**9
HOUR = 3600 * S
TRUE_0 = CLOCK_FLOOR_UTC_NS + 30 * 86_400 * S
"""The true time at the start of the machine."""
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
UNSET, FREE, NTP = ClockState.UNSET, ClockState.FREE, ClockState.NTP


class Box:
    """A box whose clock a test sets, wrongly or rightly, and whose receiver it makes speak."""

    def __init__(self, ahead_ns, clock, *, boot="b00t"):
        self.keeping = Timekeeping(boot)
        self.ahead_ns = ahead_ns
        self.clock = clock
        self.mono_ns = 7 * S
        self.stated = []

    def now(self):
        error_ms = 12 if self.clock is NTP else None
        return Moment(self.mono_ns, self.mono_ns + self.ahead_ns, self.clock, error_ms)

    def run(self, seconds=1.0, *, satellites_ns=None, **heard):
        """Let time pass, second by second; the receiver states the true time and what is added."""
        for _ in range(round(seconds)):
            self.mono_ns += S
            if satellites_ns is not None:
                self.keeping.hear(self.sentence(satellites_ns, **heard))
            self.stated += self.keeping.tick(self.now())
        return self

    def set(self, ahead_ns, clock):
        self.ahead_ns, self.clock = ahead_ns, clock
        return self.run()

    def sentence(self, off_ns=0, *, port="gnss", fix=True, dated=True):
        utc = EPOCH + timedelta(microseconds=(TRUE_0 + self.mono_ns + off_ns) // 1000)
        return Report(
            report_id="0" * 32,
            schema=SCHEMA_VERSION,
            system="gnss",
            kind=Kind.POSITION if fix else Kind.STATUS,
            urgency=Urgency.ROUTINE,
            mode=Mode.REAL,
            position=Position(lat_deg=51.0, lon_deg=1.0) if fix else None,
            claimed_utc=f"{utc:%Y-%m-%dT%H:%M:%S.%f}Z" if dated else f"{utc:%H:%M:%S}Z",
            heard=Heard(station="s", port=port, modem="m", mono_ns=self.mono_ns, clock=self.clock),
            integrity=Integrity.CHECKSUM,
            confidence=Confidence.VERIFIED,
            raw=("",),
        )

    @property
    def steps(self):
        return [one.step_s for one in self.stated if isinstance(one, ClockStep)]

    @property
    def offsets(self):
        return [one for one in self.stated if isinstance(one, ClockOffset)]

    def when(self, mono_ns, clock):
        """Return how far the date of something heard then is from the truth, in seconds."""
        found = redated(boot="b00t", mono_ns=mono_ns, clock=clock, offsets=self.offsets)
        true = EPOCH + timedelta(microseconds=(TRUE_0 + mono_ns) // 1000)
        return None if found is None else (found[0] - true).total_seconds()


@pytest.mark.parametrize("clock", [UNSET, FREE, NTP])
def test_a_clock_that_runs_on_is_not_spoken_of(clock):
    box = Box(0 if clock is UNSET else TRUE_0, clock).run(3)
    box.ahead_ns += 400_000_000  # less than a step: NTP slews it
    box.run(3)

    assert box.stated == []


def test_what_was_heard_before_the_clock_was_set_is_dated_when_ntp_sets_it():
    box = Box(0, UNSET).run(60)
    box.set(TRUE_0, NTP)
    step, offset = box.stated

    assert (step.step_s, step.clock, step.leap) == (TRUE_0 / S, NTP, False)
    assert step.utc_before == EPOCH + timedelta(seconds=68)
    assert (offset.source, offset.error_ms, offset.mono_first_ns) == (NTP, 12, 0)
    assert offset.offset_s == TRUE_0 / S
    assert box.when(9 * S, UNSET) == 0
    assert box.when(9 * S, NTP) is None
    assert box.when(69 * S, UNSET) is None


def test_what_was_set_by_hand_is_put_right_by_ntp():
    box = Box(0, UNSET).run(10).set(TRUE_0 - 90 * S, FREE).run(10).set(TRUE_0, NTP)
    by_hand, by_ntp = box.offsets

    assert (by_hand.source, by_hand.error_ms) == (FREE, None)
    assert (by_ntp.source, by_ntp.offset_s, by_ntp.mono_first_ns) == (NTP, 90.0, 0)
    assert box.when(9 * S, UNSET) == box.when(20 * S, FREE) == 0


@pytest.mark.parametrize(
    "wrong_ns", [-S, -HOUR, HOUR, -24 * HOUR, ROLLOVER_NS, -ROLLOVER_NS, -TRUE_0]
)
def test_only_the_stretch_with_the_wrong_clock_is_dated_anew(wrong_ns):
    wrong = UNSET if wrong_ns < -1000 * HOUR else FREE
    box = Box(TRUE_0, NTP).run(10).set(TRUE_0 + wrong_ns, wrong).run(10).set(TRUE_0, NTP).run(10)
    (offset,) = box.offsets

    assert box.steps == [wrong_ns / S, -wrong_ns / S]
    assert offset.offset_s == -wrong_ns / S
    assert box.when(10 * S, NTP) is None
    assert box.when(10 * S, FREE) is None
    assert box.when(25 * S, wrong) == 0
    assert box.when(35 * S, FREE) is None


def test_a_clock_that_ntp_takes_hold_of_without_a_step_was_right():
    box = Box(TRUE_0, FREE).run(10)
    box.clock = NTP
    box.run(10)

    assert box.stated == []


def test_a_step_between_two_clocks_that_nobody_answers_for_proves_nothing():
    box = Box(TRUE_0, FREE).run(10).set(TRUE_0 - HOUR, FREE)

    assert box.steps == [-3600.0]
    assert box.offsets == []


@pytest.mark.parametrize(
    ("utc", "step_s", "is_leap"),
    [
        ("2027-06-30T23:59:59.7", -1.0, True),
        ("2027-07-01T00:00:00.7", -1.0, True),
        ("2027-12-31T23:59:59.0", 1.0, True),
        ("2027-06-29T23:59:59.7", -1.0, False),
        ("2027-06-30T12:00:00.0", -1.0, False),
        ("2027-06-30T23:59:59.7", -3.0, False),
    ],
)
def test_a_leap_second_is_a_step_and_no_fault(utc, step_s, is_leap):
    at_ns = int((datetime.fromisoformat(utc).replace(tzinfo=UTC) - EPOCH).total_seconds() * S)
    box = Box(0, NTP)
    box.ahead_ns = at_ns - box.mono_ns - 2 * S
    box.run()
    box.ahead_ns += int(step_s * S)
    box.run()
    (step,) = box.stated

    assert (step.step_s, step.leap) == (step_s, is_leap)
    assert (box.keeping.trouble(box.now()) is None) == is_leap


def test_without_the_name_of_the_start_and_without_a_date_nothing_is_stated():
    capture, dateless = Box(0, UNSET, boot=None), Box(0, UNSET)
    capture.run().set(TRUE_0, NTP)
    dateless.run()
    dateless.stated += dateless.keeping.tick(Moment(dateless.mono_ns + 3600 * S))
    dateless.run(2)

    assert capture.stated == dateless.stated == []


def test_a_moment_from_before_the_newest_says_nothing():
    """Two ports' chunks may come in the wrong order by a hair."""
    box = Box(0, UNSET).run(5).set(TRUE_0, NTP)
    known = len(box.stated)
    late = box.keeping.at(Moment(box.mono_ns - 1, box.mono_ns - 1, UNSET))

    assert (known, late) == (2, ())


# ---- The satellites -----------------------------------------------------------------------------


def test_the_satellites_date_what_a_clock_that_was_never_set_can_not():
    box = Box(0, UNSET).run(20, satellites_ns=-300_000_000)
    (offset,) = box.offsets

    assert (offset.source, offset.mono_last_ns, offset.error_ms) == (ClockState.GNSS, None, 1000)
    assert -1 <= box.when(3 * S, UNSET) <= 0
    assert -1 <= box.when(10_000 * S, UNSET) <= 0
    assert box.ahead_ns == 0
    assert box.keeping.status(box.now(), leap=None).gnss_offset_s == pytest.approx(TRUE_0 / S - 0.3)


def test_ntp_has_the_last_word_on_what_the_satellites_dated():
    box = Box(0, UNSET).run(20, satellites_ns=-900_000_000).set(TRUE_0, NTP)

    assert [one.source for one in box.offsets] == [ClockState.GNSS, NTP]
    assert box.when(9 * S, UNSET) == 0


def test_satellites_that_learn_the_leap_seconds_put_their_word_right():
    box = Box(0, UNSET).run(20, satellites_ns=18 * S).run(20, satellites_ns=0)

    assert [round(one.offset_s - TRUE_0 / S) for one in box.offsets] == [18, 0]
    assert box.when(9 * S, UNSET) == 0


def test_satellites_that_agree_are_not_spoken_of():
    box = Box(TRUE_0, FREE).run(1000, satellites_ns=-500_000_000)
    status = box.keeping.status(box.now(), leap="insert")

    assert box.stated == []
    assert (status.gnss, status.gnss_offset_s, status.leap) == ("good", -0.5, "insert")
    assert box.keeping.trouble(box.now()) is None


@pytest.mark.parametrize(
    ("off_ns", "word"),
    [
        (-ROLLOVER_NS, "rolled_over"),
        (-2 * ROLLOVER_NS, "rolled_over"),
        (-TRUE_0 + 10**12, "wrong"),
        (ROLLOVER_NS, "rolled_over"),
        (-40 * 365 * 24 * HOUR, "wrong"),
    ],
)
def test_a_receiver_with_an_impossible_date_is_no_witness(off_ns, word):
    box = Box(TRUE_0, FREE).run(60, satellites_ns=off_ns)
    status = box.keeping.status(box.now(), leap=None)
    trouble = box.keeping.trouble(box.now())

    assert box.stated == []
    assert (status.gnss, status.gnss_offset_s) == (word, None)
    assert ("lost count of the weeks" in (trouble or "")) == (word == "rolled_over")


def test_a_rolled_over_receiver_dates_nothing_while_the_clock_is_unset():
    box = Box(0, UNSET).run(60, satellites_ns=-ROLLOVER_NS)

    assert box.offsets == []
    assert box.when(9 * S, UNSET) is None


def test_false_dates_among_good_ones_do_no_harm():
    """One bent sentence in 256 keeps its checksum; two of five don't move the middle."""
    box = Box(TRUE_0, NTP)
    for number in range(60):
        box.run(satellites_ns=5 * 365 * 24 * HOUR if number % 5 == 0 else 0)

    assert box.keeping.status(box.now(), leap=None).gnss_offset_s == 0
    assert box.keeping.trouble(box.now()) is None


@pytest.mark.parametrize("how", [{"fix": False}, {"dated": False}])
def test_a_receiver_without_a_fix_or_a_date_is_no_witness(how):
    box = Box(0, UNSET).run(30, satellites_ns=0, **how)

    assert box.offsets == []
    assert box.keeping.status(box.now(), leap=None).gnss == "none"


def test_a_date_without_a_fix_holds_as_long_as_a_fix_beside_it():
    """ZDA says nothing of a fix; RMC or GGA of the same second does."""
    box = Box(0, UNSET)
    for _ in range(SAMPLES_MAX + 1):
        box.keeping.hear(box.sentence(dated=False))
        box.keeping.hear(box.sentence(fix=False))
        box.run()

    assert len(box.offsets) == 1


def test_receivers_that_contradict_each_other_are_no_witnesses():
    box = Box(0, UNSET)
    for _ in range(30):
        box.keeping.hear(box.sentence(0, port="one"))
        box.keeping.hear(box.sentence(60 * S, port="two"))
        box.run()

    assert box.offsets == []
    assert box.keeping.status(box.now(), leap=None).gnss == "none"


def test_a_receiver_that_falls_silent_is_no_witness_any_more():
    box = Box(TRUE_0, NTP).run(30, satellites_ns=0).run(60)

    assert box.keeping.status(box.now(), leap=None).gnss_offset_s is None


# ---- The alarm ----------------------------------------------------------------------------------


def test_an_unset_clock_is_an_alarm_at_once_and_a_free_one_after_an_hour():
    unset, free = Box(0, UNSET).run(), Box(TRUE_0, FREE).run(10)
    early = free.keeping.trouble(free.now())
    free.mono_ns += UNHELD_FOR_NS
    free.run()

    assert "never set" in unset.keeping.trouble(unset.now())
    assert early is None
    assert "runs free" in free.keeping.trouble(free.now())


def test_a_step_is_an_alarm_for_an_hour():
    box = Box(TRUE_0, NTP).run().set(TRUE_0 - HOUR, NTP)
    told = box.keeping.trouble(box.now())
    box.mono_ns += STEPPED_FOR_NS
    box.run()

    assert "-3600.0 s" in told
    assert box.keeping.trouble(box.now()) is None


def test_satellites_that_differ_grossly_are_an_alarm_at_once_and_a_little_after_a_while():
    gross = Box(TRUE_0 + HOUR, NTP).run(30, satellites_ns=0)
    little = Box(TRUE_0, NTP).run(30, satellites_ns=18 * S)
    early = little.keeping.trouble(little.now())
    little.run(DIFFERS_FOR_NS // S, satellites_ns=18 * S)

    assert "look at the receiver" in gross.keeping.trouble(gross.now())
    assert early is None
    assert "look at the receiver" in little.keeping.trouble(little.now())
    assert gross.stated == little.stated == []


def test_satellites_that_contradict_a_clock_nobody_answers_for_date_anew_and_raise_the_alarm():
    box = Box(TRUE_0 + ROLLOVER_NS, FREE).run(30, satellites_ns=0)

    assert "nobody answers" in box.keeping.trouble(box.now())
    assert box.when(20 * S, FREE) == 0
