"""What is said of certificates, and when."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import trustme

from gateway.model.inbound import Moment
from gateway.model.status import CertificateStatus
from gateway.model.words import ClockState
from gateway.mqtt.certificates import (
    CERTIFICATES_MAX,
    Certificate,
    certificate_of,
    found_in,
    is_valid,
    named,
    status_of,
    troubles,
)

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)
DAY = timedelta(days=1)


def at(utc, clock=ClockState.NTP):
    return Moment(mono_ns=0, utc_ns=int(utc.timestamp() * 1e9), clock=clock)


def ending(not_after, whose="ours", file="/etc/box.pem", not_before=NOW - 300 * DAY):
    return Certificate(whose=whose, file=file, not_before=not_before, not_after=not_after)


def said(certificate, now=NOW, clock=ClockState.NTP):
    return list(troubles([certificate], at(now, clock)))


@pytest.mark.parametrize(
    ("left", "words"),
    [
        (timedelta(days=30, seconds=1), None),
        (30 * DAY, "in less than 30 days"),
        (7 * DAY + timedelta(seconds=1), "in less than 30 days"),
        (7 * DAY, "in less than 7 days"),
        (1 * DAY + timedelta(seconds=1), "in less than 7 days"),
        (1 * DAY, "in less than a day"),
        (timedelta(0), "in less than a day"),
        (-timedelta(seconds=1), "expired at"),
        (-9999 * DAY, "expired at"),
    ],
)
def test_an_end_is_said_thirty_days_before_and_again_at_seven_and_at_one(left, words):
    certificate = ending(NOW + left, not_before=NOW - 10_000 * DAY)
    found = said(certificate)

    assert [words in text for text in found] == ([True] if words else [])
    assert is_valid(certificate, at(NOW)) is (left >= timedelta(0))


def test_an_alarm_names_the_file_the_date_and_what_to_do():
    end = datetime(2026, 12, 1, 12, 30, 15, tzinfo=UTC)

    (text,) = said(ending(end))
    assert text == (
        "our certificate in /etc/box.pem expires at 2026-12-01 12:30 UTC, in less than 30 days: "
        "have it renewed and put the new files in its place; no restart is needed"
    )
    (text,) = said(ending(end, "authority", "/etc/ca.pem"))
    assert "the authority's certificate in /etc/ca.pem" in text
    (text,) = said(ending(end, "broker", None))
    assert text.startswith("the broker's certificate expires")
    assert "whoever runs the broker" in text


def test_a_certificate_of_the_future_makes_one_look_at_the_clock():
    early = ending(NOW + 99 * DAY, not_before=NOW + DAY)

    assert ["is the clock of this box right?" in text for text in said(early)] == [True]
    assert not is_valid(early, at(NOW))


@pytest.mark.parametrize("utc", [datetime(1970, 1, 2, tzinfo=UTC), NOW])
def test_without_the_time_of_day_nothing_is_said_of_dates(utc):
    certificate = ending(NOW - DAY)

    assert said(certificate, utc, ClockState.UNSET) == []
    assert is_valid(certificate, at(utc, ClockState.UNSET))
    assert status_of(certificate, at(utc, ClockState.UNSET)).days_left is None


@pytest.mark.parametrize(("left", "days"), [(30 * DAY, 30), (DAY / 2, 0), (-DAY / 2, -1)])
def test_the_status_counts_whole_days(left, days):
    assert status_of(ending(NOW + left), at(NOW)) == CertificateStatus(
        file="/etc/box.pem", not_after=NOW + left, days_left=days
    )


def test_dates_that_can_not_be_read_are_said_to_be_so():
    unread = certificate_of("broker", b"\x30\x00")

    assert ["can't be read" in text for text in said(unread)] == [True]
    assert is_valid(unread, at(NOW))
    assert status_of(unread, at(NOW)) == CertificateStatus()


def test_no_two_certificates_of_a_link_have_one_name():
    kinds = ["ours", "ours", "authority", "broker", "authority", "authority"]
    found = dict(named([Certificate(whose=kind) for kind in kinds]))

    assert [*found] == ["ours", "ours-2", "authority", "broker", "authority-2", "authority-3"]
    assert [one.whose for one in found.values()] == kinds


def test_each_certificate_of_a_file_counts_up_to_a_bound():
    authority = trustme.CA()
    pem = authority.cert_pem.bytes()

    assert len(found_in("authority", "ca.pem", pem * 3)) == 3
    assert len(found_in("authority", "ca.pem", pem * 50)) == CERTIFICATES_MAX
