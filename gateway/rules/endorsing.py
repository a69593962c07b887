"""Who has signed a report: what it is that parties sign, and what their signatures are worth.

A signature says whose word it is that the report is right. Whether it is, the journal proves.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence

from gateway.model.agreement import Agreement
from gateway.model.endorsement import Endorsed, Endorsement, Signer, Subject, Worth
from gateway.rules.account import Account
from gateway.rules.signing import Proves, key_id, keys_of, signed_line, utc_words

FORM = "distress-gateway compliance signature 1"
"""Stands in all that is signed: the signature of an agreement is never one of a report."""


def subject_of(body: bytes, account: Account) -> Subject:
    """Return what is signed of the report that has these bytes."""
    return Subject(
        report=hashlib.sha256(body).hexdigest(),
        station=account.end.station,
        epoch=account.end.epoch,
        period=account.period,
    )


def endorsed_line(signer: Signer, given: Endorsement) -> bytes:
    """Return what this party has signed: JSON in UTF-8, keys in order and no blanks (RFC 8785)."""
    agreement, party = signer
    return signed_line(
        {
            "form": FORM,
            "report": given.report,
            "station": given.station,
            "epoch": given.epoch,
            "period": given.period,
            "agreement": agreement,
            "version": given.version,
            "digest": given.digest,
            "party": party,
            "signed_utc": utc_words(given.signed_utc),
        }
    )


def endorsed(
    subject: Subject,
    given: Mapping[Signer, Endorsement],
    agreements: Sequence[Agreement],
    proves: Proves,
) -> Iterator[Endorsed]:
    """Yield what each signature beside a report is worth, then whose is missing.

    Missing are parties that have a key in a text that is at hand.
    """
    for signer, one in given.items():
        texts = [text for text in agreements if text.id == signer[0]]
        same = [text for text in texts if text.digest == one.digest]
        # Of several texts of one name it is the one in which the party says that it stands.
        text = next(iter((*same, *texts)), None)
        key = keys_of(text).get(signer[1]) if text is not None else None
        yield Endorsed(
            signer=signer,
            worth=_worth(subject, signer, one, text, proves),
            key=key and key_id(key),
            given=one,
        )
    for text in agreements:
        for party, key in keys_of(text).items():
            if (text.id, party) not in given:
                signer = text.id, party
                yield Endorsed(signer=signer, worth=Worth.MISSING, key=key_id(key))


def _worth(
    subject: Subject,
    signer: Signer,
    given: Endorsement,
    text: Agreement | None,
    proves: Proves,
) -> Worth:
    if text is None:
        return Worth.NO_TEXT
    key = keys_of(text).get(signer[1])
    if key is None:
        return Worth.NO_PARTY
    if given.key != key_id(key):
        return Worth.WRONG_KEY
    if not proves(key, endorsed_line(signer, given), given.signature):
        return Worth.FALSE
    if (given.digest, given.version) != (text.digest, text.version):
        return Worth.OTHER_TEXT
    return Worth.SIGNED if given.subject == subject else Worth.OTHER_REPORT
