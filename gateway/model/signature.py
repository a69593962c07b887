"""Who has signed an agreement: what stands in the file beside it, and what it comes to."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from msgspec import Meta, Struct

from gateway.model.agreement import AgreementName, State, Version

_DIGEST_EXAMPLE = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

KeyId = Annotated[
    str,
    Meta(
        pattern=r"\A[0-9a-f]{16}\Z",
        description="16 hexadecimal digits: the beginning of the SHA-256 of a public key",
        examples=["3b6a27bcceb6a42d"],
    ),
]
"""Short enough to be read out over a telephone."""

Digest = Annotated[
    str,
    Meta(
        pattern=r"\A[0-9a-f]{64}\Z",
        description="64 hexadecimal digits, as `agreement show` prints them",
        examples=[_DIGEST_EXAMPLE],
    ),
]

SignatureText = Annotated[
    str,
    Meta(
        # The last digit holds four bits that have to be 0: one signature has one form.
        pattern=r"\A[A-Za-z0-9+/]{85}[AQgw]==\Z",
        description="the 64 bytes of an Ed25519 signature (RFC 8032) in base64",
    ),
]


class Signature(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One party's signature under one text."""

    key: KeyId
    """The key that it was made with."""
    version: Version
    digest: Digest
    """Of the text that was signed; that beside it may be another by now."""
    signed_utc: Annotated[
        datetime,
        Meta(
            tz=True,
            description="a date and time with its zone, 2026-01-01T00:00:00Z",
        ),
    ]
    """By the clock of whoever signed; it is part of what is signed."""
    signature: SignatureText


class Consent(Signature, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A party of the text in place agrees that this one takes its place."""

    instead_of: Digest
    """The text that goes."""


class Signatures(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The whole file beside an agreement."""

    agreement: AgreementName
    signatures: dict[str, Signature] = {}
    """By the name of the party."""
    instead: dict[str, Consent] = {}
    """By the name that the party has in the text in place."""


class Check(StrEnum):
    """What the signature of one party is worth."""

    SIGNED = "signed"
    MISSING = "missing"
    CHANGED = "changed"
    """It is genuine, and under another text: this one was changed after."""
    WRONG_KEY = "wrong_key"
    """It was made with a key that is not the party's in this text."""
    FALSE = "false"
    """It is not what this key makes of this text: damaged, or made up."""
    NOT_ASKED = "not_asked"
    """Somebody who has no key in this text has signed: it counts for nothing."""


class Checked(Struct, frozen=True, kw_only=True):
    """One party, and its signature."""

    party: str
    check: Check
    key: KeyId | None
    """That of the party in the agreement; None for whoever has none there."""
    signature: Signature | None = None


class Takeover(StrEnum):
    """What becomes of a text that is to take the place of another."""

    TAKES = "takes"
    """It holds from now on, in the state that it says."""
    PROPOSED = "proposed"
    """It waits until more have signed; what was in place stays."""
    REFUSED = "refused"
    """No signature can help it; what was in place stays."""


class Succession(Struct, frozen=True, kw_only=True):
    """Whether a text takes the place of the one that was there, and why not."""

    takeover: Takeover
    state: State
    """Of the new text: as its file says when it takes the place, else proposed."""
    words: str
    """One sentence for whoever is on duty."""
