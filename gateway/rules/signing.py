"""Who has signed an agreement: what it is that parties sign, and what their signatures are worth.

All parties that have a key in the agreement have to sign it. Nothing here reckons with curves:
whether a signature is genuine is asked of a function that is handed in.
"""

from __future__ import annotations

import hashlib
import json
from base64 import b64decode
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime

from gateway.model.agreement import Agreement
from gateway.model.signature import Check, Checked, Consent, Signature, Signatures

FORM = "distress-gateway agreement signature 1"
"""Stands in all that is signed: what a key signs elsewhere is never taken for this."""

KEY_ID_DIGITS = 16
"""Of the SHA-256 of the key: nobody makes a second key with the same 64 bits for a telephone call,
and the whole key is what a signature is proven with."""

WEAK_KEYS = frozenset(
    map(
        bytes.fromhex,
        (
            "0000000000000000000000000000000000000000000000000000000000000000",
            "0100000000000000000000000000000000000000000000000000000000000000",
            "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
            "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
            "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
            "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
            "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        ),
    )
)
"""The points of order 1, 2, 4 and 8 of the curve, in each form that stands for them, without the
sign: by such a key anybody can sign, and RFC 8032 lets it be used."""

Proves = Callable[[str, bytes, str], bool]
"""Asked with a public key, a statement and a signature in base64: is it genuine?"""


def statement(agreement: str, party: str, signature: Signature) -> bytes:
    """Return what this party has signed: JSON in UTF-8, keys in order and no blanks (RFC 8785)."""
    said = {
        "form": FORM,
        "agreement": agreement,
        "version": signature.version,
        "digest": signature.digest,
        "party": party,
        "signed_utc": utc_words(signature.signed_utc),
    }
    if isinstance(signature, Consent):
        said["instead_of"] = signature.instead_of
    return signed_line(said)


def signed_line(said: Mapping[str, str]) -> bytes:
    """Return what is said in one line of JSON: one text has one form, whoever writes it."""
    return json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def utc_words(moment: datetime) -> str:
    """Return a time as it is signed and written down, with the Z of Greenwich."""
    return moment.astimezone(UTC).isoformat().removesuffix("+00:00") + "Z"


def key_id(public_key: str) -> str:
    """Return the short name of a public key."""
    raw = b64decode(public_key.partition(":")[2])
    return hashlib.sha256(raw).hexdigest()[:KEY_ID_DIGITS]


def is_weak(public_key: str) -> bool:
    """Say whether anybody could sign by this public key, without having a private one."""
    raw = b64decode(public_key.partition(":")[2])
    return bytes([*raw[:-1], raw[-1] & 0x7F]) in WEAK_KEYS


def keys_of(agreement: Agreement) -> dict[str, str]:
    """Return the public key of each party that has to sign, by its name."""
    parties = agreement.parties.items()
    return {name: party.public_key for name, party in parties if party.public_key is not None}


def checked(agreement: Agreement, signatures: Signatures, proves: Proves) -> tuple[Checked, ...]:
    """Return what the signature of each party under this text is worth, in the file's order.

    Whoever has signed and has no key in it stands at the end.
    """
    return tuple(_checked(agreement, keys_of(agreement), signatures.signatures, proves))


def consents(
    place: Agreement, following: Agreement, signatures: Signatures, proves: Proves
) -> tuple[Checked, ...]:
    """Return which parties of the text in place agree that the following takes its place."""
    given = {
        name: consent
        for name, consent in signatures.instead.items()
        if consent.instead_of == place.digest
    }
    return tuple(_checked(following, keys_of(place), given, proves))


def all_signed(found: tuple[Checked, ...]) -> bool:
    """Say whether all have signed who have to, and whether anybody has to."""
    asked = [one for one in found if one.check is not Check.NOT_ASKED]
    return bool(asked) and all(one.check is Check.SIGNED for one in asked)


def unsigned(found: tuple[Checked, ...]) -> tuple[str, ...]:
    """Return the parties whose good signature is missing."""
    passing = (Check.SIGNED, Check.NOT_ASKED)
    return tuple(one.party for one in found if one.check not in passing)


def _checked(
    agreement: Agreement,
    keys: Mapping[str, str],
    signatures: Mapping[str, Signature],
    proves: Proves,
) -> Iterator[Checked]:
    for name, key in keys.items():
        signature = signatures.get(name)
        check = Check.MISSING
        if signature is not None:
            check = _check(agreement, name, key, signature, proves)
        yield Checked(party=name, check=check, key=key_id(key), signature=signature)
    for name, signature in signatures.items():
        if name not in keys:
            yield Checked(party=name, check=Check.NOT_ASKED, key=None, signature=signature)


def _check(
    agreement: Agreement, party: str, key: str, signature: Signature, proves: Proves
) -> Check:
    if signature.key != key_id(key):
        return Check.WRONG_KEY
    if not proves(key, statement(agreement.id, party, signature), signature.signature):
        return Check.FALSE
    # The digest is of the version too: one that is the same is of the same version.
    if signature.digest != agreement.digest or signature.version != agreement.version:
        return Check.CHANGED
    return Check.SIGNED
