"""Who has signed a report of compliance: what stands in the file beside it, what it comes to."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from msgspec import Meta, Struct

from gateway.model.agreement import AgreementName, PartyName
from gateway.model.signature import Digest, KeyId, Signature

Period = Annotated[
    str,
    Meta(
        pattern=r"\A(?:[0-9]{4}-[0-9]{2}(?:-[0-9]{2})?)?\Z",
        description="a day or a month in UTC, or empty for a whole journal",
        examples=["2026-11"],
    ),
]

Station = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=64,
        description="the name of the station whose journal it is",
        examples=["cape-light"],
    ),
]

Epoch = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=64,
        description="the epoch of the journal, as the report has it",
        examples=["5f0c41d29be84a7795e3a1c26d08b7f4"],
    ),
]


class Subject(Struct, frozen=True, kw_only=True):
    """The report that is signed."""

    report: Digest
    """The SHA-256 of all its bytes."""
    station: Station
    epoch: Epoch
    period: Period


class Endorsement(Signature, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One party's signature under one report.

    Its `version` and `digest` are those of the agreement that names the party and its key.
    """

    report: Digest
    station: Station
    epoch: Epoch
    period: Period

    @property
    def subject(self) -> Subject:
        """What was signed; the report beside it may be another by now."""
        return Subject(
            report=self.report, station=self.station, epoch=self.epoch, period=self.period
        )


Signer = tuple[AgreementName, PartyName]
"""The agreement, and the name that the party has in it."""


class Worth(StrEnum):
    """What the signature of a party under a report is worth."""

    SIGNED = "signed"
    MISSING = "missing"
    OTHER_REPORT = "other_report"
    """It is genuine, and under another report: this one was changed after."""
    OTHER_TEXT = "other_text"
    """It is genuine, and was given as a party of another text of the agreement."""
    WRONG_KEY = "wrong_key"
    """It was made with a key that is not the party's in this text."""
    FALSE = "false"
    """It is not what this key makes of this report: damaged, or made up."""
    NO_PARTY = "no_party"
    """The text has no such party, or no key of it."""
    NO_TEXT = "no_text"
    """The agreement is not at hand: nothing speaks for it or against it."""


class Endorsed(Struct, frozen=True, kw_only=True):
    """One party, and its signature under a report."""

    signer: Signer
    worth: Worth
    key: KeyId | None
    """That of the party in the agreement; None where there is none."""
    given: Endorsement | None = None
