"""What the box says of itself."""

import asyncio

import msgspec
import pytest

from gateway.clock import Clock
from gateway.health import (
    LAG_MS_BOUNDS,
    LAG_PERIOD_S,
    LoopLag,
    Vitals,
    absence_of,
    port_status,
    status_of,
)
from gateway.model.bounds import Bound
from gateway.model.counts import PortCount
from gateway.model.inbound import Moment
from gateway.model.status import (
    Alert,
    AlertName,
    HealthCounts,
    JournalCounts,
    LinkStatus,
    PortLink,
)
from gateway.model.words import ClockState

COUNT = PortCount(
    bytes_in=100,
    bytes_decoded=60,
    bytes_refused=20,
    bytes_noise=15,
    bytes_held=5,
    frames=4,
    refused=1,
    unread=2,
    reports=3,
    copies=6,
    suspect=7,
    decoder_errors=8,
)

JOURNAL = JournalCounts(
    number_last=9, rows={"distress": 9}, outbox={"shore": 2}, size_bytes=4096, backlog=3
)


ALERT = Alert(name=AlertName.RECORD, since=None, text="the tape is not written")


def bound(held):
    return Bound(of="Ear._calls", what="calls", held=held, limit=10, rule="", evicted=1)


def told(status):
    return msgspec.json.decode(msgspec.json.encode(status))


def test_a_ports_counts_stand_beside_its_state_each_under_its_own_name():
    link = PortLink(state="open", modem="generic-dsc", device="by-id:x", reopened=2)

    assert told(port_status(link, COUNT)) == {
        "state": "open",
        "modem": "generic-dsc",
        "device": "by-id:x",
        "reopened": 2,
        "bytes": {"in": 100, "decoded": 60, "refused": 20, "noise": 15, "held": 5},
        "frames": 4,
        "reports": 3,
        "refused": 1,
        "unread": 2,
        "copies": 6,
        "suspect": 7,
        "decoder_errors": 8,
    }


def test_every_count_of_the_hallway_is_told():
    """A count added to the hallway and forgotten here would be a count that nobody sees."""
    counted = {name.removeprefix("bytes_") for name in PortCount.__struct_fields__}
    port = told(port_status(PortLink(state="open", modem="m", device="d"), COUNT))

    assert counted <= port["bytes"].keys() | port.keys()
    assert set(msgspec.structs.asdict(COUNT).values()) == {
        value for value in (*port["bytes"].values(), *port.values()) if isinstance(value, int)
    }


def test_a_port_in_trouble_says_why_and_until_when():
    link = PortLink(
        state="waiting", modem="m", device="d", last_error="cable pulled", retry_in_s=1.5
    )

    port = told(port_status(link, PortCount()))

    assert (port["last_error"], port["retry_in_s"]) == ("cable pulled", 1.5)


def test_a_status_carries_all_that_was_handed_in():
    port = port_status(PortLink(state="open", modem="m", device="d"), COUNT)
    vitals = Vitals(
        station="kust",
        version="1.2.3",
        epoch="00ff",
        seq=7,
        began=Moment(mono_ns=1_000_000_000),
        now=Moment(mono_ns=3_500_000_000, utc_ns=1_800_000_000_000_000_000, clock=ClockState.NTP),
        ports={"p1": port},
        links={"shore": LinkStatus(connected=True, queued=2, published=5)},
        journal=JOURNAL,
        loop_lag_ms_max=4.2,
        loop_lag_ms_p999=3.1,
        bounds=[bound(3), bound(5), bound(1)],
        duties_failed=6,
        incident_errors=3,
        rule_errors=4,
        agreements={"strait": "ab" * 32},
        orders_refused=8,
        health=HealthCounts(notify_failures=2),
        alerts={AlertName.RECORD: ALERT},
    )

    assert told(status_of(vitals)) == {
        "station": "kust",
        "state": "online",
        "version": "1.2.3",
        "epoch": "00ff",
        "seq": 7,
        "utc": "2027-01-15T08:00:00Z",
        "clock": {"state": "ntp"},
        "schema": {"min": 1, "max": 1},
        "ports": {"p1": told(port)},
        "links": {"shore": {"connected": True, "queued": 2, "published": 5}},
        "journal": told(JOURNAL),
        "uptime_s": 2.5,
        "loop_lag_ms_max": 4.2,
        "loop_lag_ms_p999": 3.1,
        "bounds": {"calls": {"held": 5, "limit": 10, "evicted": 3}},
        "duties_failed": 6,
        "incident_errors": 3,
        "rule_errors": 4,
        "agreements": {"strait": "ab" * 32},
        "orders_refused": 8,
        "health": {"notify_failures": 2},
        "alerts": {"record": {"name": "record", "since": None, "text": "the tape is not written"}},
    }


def test_an_absence_says_only_what_is_known_beforehand():
    assert told(absence_of("kust", version="1.2.3", epoch="00ff")) == {
        "station": "kust",
        "state": "offline",
        "version": "1.2.3",
        "epoch": "00ff",
        "schema": {"min": 1, "max": 1},
    }


class LateClock(Clock):
    """Sleeps as asked, and so much longer; then ends the meter."""

    def __init__(self, lags_ms):
        self._lags_ms = iter(lags_ms)
        self._mono_ns = 5

    def now(self):
        return Moment(mono_ns=self._mono_ns)

    async def sleep(self, seconds):
        lag_ms = next(self._lags_ms, None)
        if lag_ms is None:
            raise asyncio.CancelledError
        self._mono_ns += int(seconds * 1e9 + lag_ms * 1e6)


def measured(lags_ms):
    lag = LoopLag(LateClock(lags_ms))
    with pytest.raises(asyncio.CancelledError):
        asyncio.run(lag.run())
    return lag


def test_the_longest_lag_is_kept_and_each_is_counted_in_its_step():
    lag = measured([0, 0.5, 1.5, 70, 3, 9_999])

    assert lag.ms_max == 9_999
    assert dict(zip([*LAG_MS_BOUNDS, "over"], lag.counts, strict=True)) == {
        **dict.fromkeys(LAG_MS_BOUNDS, 0), 1: 2, 2: 1, 5: 1, 100: 1, "over": 1,
    }  # fmt: skip


def test_a_clock_that_comes_back_early_counts_as_no_lag():
    assert measured([-1]).ms_max == 0


@pytest.mark.parametrize(
    ("lags_ms", "share", "expected"),
    [
        ([], 0.999, 0),
        ([0.4] * 999 + [70], 0.5, 1),
        ([0.4] * 999 + [70], 0.999, 1),
        ([0.4] * 998 + [70] * 2, 0.999, 70),
        ([3, 4], 1.0, 4),
        ([7_000], 1.0, 7_000),
    ],
)
def test_a_share_of_the_lags_is_read_off_the_histogram(lags_ms, share, expected):
    assert measured(lags_ms).ms_at(share) == expected


def test_a_loop_that_is_held_up_shows_it():
    """On the real clock: a stall shows at least its length less one period of the meter."""

    async def story():
        lag = LoopLag(Clock())
        meter = asyncio.ensure_future(lag.run())
        await asyncio.sleep(0)
        began_ns = Clock().now().mono_ns
        while Clock().now().mono_ns - began_ns < 100e6:
            pass
        await asyncio.sleep(LAG_PERIOD_S)
        meter.cancel()
        return lag.ms_max

    assert asyncio.run(story()) >= 100 - 1000 * LAG_PERIOD_S - 1
