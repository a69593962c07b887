"""How long certificates are still good for, in words for a person. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Literal

from msgspec import Struct

from gateway.model.inbound import Moment
from gateway.model.status import CertificateStatus
from gateway.model.words import ClockState
from gateway.mqtt.x509 import NoValidity, certificates_in, validity_of
from gateway.normalise import utc_of

WARN_DAYS = (1, 7, 30)
"""The alarm is raised thirty days before the end, and told anew at each of these. Renewal takes a
person, and on a ship the next port."""

CERTIFICATES_MAX = 16
"""Certificates looked at in one file: a chain has three or four, a change of authorities two."""

CLOCK_UNKNOWN = "the clock of this box is not set, so every certificate looks not valid yet: set it"

_REMEDY = {
    "ours": "have it renewed and put the new files in its place; no restart is needed",
    "authority": "put its successor into the file beside it, or take it out if nothing needs it",
    "broker": "whoever runs the broker has to renew it",
}


class Certificate(Struct, frozen=True, kw_only=True):
    """One certificate that a link depends on."""

    whose: Literal["ours", "authority", "broker"]
    file: str | None = None
    not_before: datetime | None = None
    not_after: datetime | None = None
    """None when it can't be read."""

    @property
    def words(self) -> str:
        """What a person calls it."""
        named = {"ours": "our certificate", "authority": "the authority's certificate"}
        about = named.get(self.whose, "the broker's certificate")
        return f"{about} in {self.file}" if self.file else about


def found_in(whose: Literal["ours", "authority"], file: str, pem: bytes) -> tuple[Certificate, ...]:
    """Return the certificates in a file, in their order."""
    found = certificates_in(pem)[:CERTIFICATES_MAX]
    return tuple(certificate_of(whose, der, file=file) for der in found)


def certificate_of(
    whose: Literal["ours", "authority", "broker"], der: bytes, *, file: str | None = None
) -> Certificate:
    """Return what is known of a certificate."""
    try:
        not_before, not_after = validity_of(der)
    except NoValidity:
        return Certificate(whose=whose, file=file)
    return Certificate(whose=whose, file=file, not_before=not_before, not_after=not_after)


def status_of(certificate: Certificate, now: Moment) -> CertificateStatus:
    """Return how a certificate stands, for the station's status."""
    utc = _known_utc(now)
    left = certificate.not_after - utc if certificate.not_after and utc else None
    return CertificateStatus(
        file=certificate.file,
        not_after=certificate.not_after,
        days_left=None if left is None else left // timedelta(days=1),
    )


def named(certificates: Sequence[Certificate]) -> Iterator[tuple[str, Certificate]]:
    """Give each certificate with its name in the status; no two of one link have the same."""
    counts: dict[str, int] = {}
    for certificate in certificates:
        kind = certificate.whose
        counts[kind] = counts.get(kind, 0) + 1
        yield f"{kind}-{counts[kind]}" if counts[kind] > 1 else kind, certificate


def troubles(certificates: Sequence[Certificate], now: Moment) -> Iterator[str]:
    """Give what is wrong with each, or soon will be. Without the time of day nothing is said."""
    utc = _known_utc(now)
    for certificate in certificates:
        trouble = utc and _trouble(certificate, utc)
        if trouble is not None:
            yield f"{certificate.words} {trouble}"


def is_valid(certificate: Certificate, now: Moment) -> bool:
    """Say whether a certificate is good at this time; true when the time is not known."""
    utc = _known_utc(now)
    if utc is None or certificate.not_before is None or certificate.not_after is None:
        return True
    return certificate.not_before <= utc <= certificate.not_after


def is_clock_known(now: Moment) -> bool:
    """Say whether dates can be judged at all."""
    return _known_utc(now) is not None


def _known_utc(now: Moment) -> datetime | None:
    return None if now.clock is ClockState.UNSET else utc_of(now.utc_ns)


def _trouble(certificate: Certificate, utc: datetime) -> str | None:
    if certificate.not_before is None or certificate.not_after is None:
        return "has dates that can't be read: nobody will be warned of its end"
    remedy = _REMEDY[certificate.whose]
    end = f"{certificate.not_after.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    if utc > certificate.not_after:
        return f"expired at {end}: {remedy}"
    if utc < certificate.not_before:
        begin = f"{certificate.not_before.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
        return f"is not valid before {begin}: is the clock of this box right?"
    for days in WARN_DAYS:
        if certificate.not_after - utc <= timedelta(days=days):
            left = "a day" if days == 1 else f"{days} days"
            return f"expires at {end}, in less than {left}: {remedy}"
    return None
