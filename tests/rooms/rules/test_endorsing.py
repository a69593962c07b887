"""What parties sign of a report, and what their signatures are worth."""

from __future__ import annotations

import hashlib
import json
from base64 import b64encode
from datetime import UTC, datetime

import pytest
from msgspec.structs import replace

from gateway.model.agreement import Agreement, Party, State, Status
from gateway.model.endorsement import Endorsement, Subject, Worth
from gateway.model.signature import Signature
from gateway.rules.endorsing import endorsed, endorsed_line
from gateway.rules.signing import key_id, statement

NOON = datetime(2026, 12, 1, 12, 0, 0, tzinfo=UTC)
SUBJECT = Subject(report="a" * 64, station="kust", epoch="e1", period="2026-11")
OTHER = "b" * 64


def key(name):
    return "ed25519:" + b64encode(hashlib.sha256(name.encode()).digest()).decode()


def seal(public_key, said):
    """Stand in for a signature: here only one's own key is known by its public half."""
    return b64encode(hashlib.sha512(public_key.encode() + said).digest()).decode()


def proves(public_key, said, signature):
    return signature == seal(public_key, said)


def text(digest="c" * 64, version="1", **keys):
    parties = {name: Party(name=name, public_key=one and key(one)) for name, one in keys.items()}
    return Agreement(
        id="strait", version=version, digest=digest, title="Watch",
        status=Status(state=State.IN_FORCE), parties=parties, channels={}, rules=(),
    )  # fmt: skip


TEXT = text(north="n", south="s", ships=None)


def given(party="north", by="n", agreement=TEXT, subject=SUBJECT, **changed):
    """Return the signature of a party; what is changed is changed after."""
    blank = Endorsement(
        key=key_id(key(by)), version=agreement.version, digest=agreement.digest, signed_utc=NOON,
        signature="", report=subject.report, station=subject.station, epoch=subject.epoch,
        period=subject.period,
    )  # fmt: skip
    made = replace(blank, signature=seal(key(by), endorsed_line((agreement.id, party), blank)))
    return replace(made, **changed)


def worths(given, *texts):
    found = endorsed(SUBJECT, given, texts or (TEXT,), proves)
    return {one.signer: one.worth for one in found}


def test_what_is_signed_is_one_line_with_a_form_of_its_own():
    line = endorsed_line(("strait", "north"), given())

    assert json.loads(line) == {
        "form": "distress-gateway compliance signature 1",
        "report": "a" * 64, "station": "kust", "epoch": "e1", "period": "2026-11",
        "agreement": "strait", "version": "1", "digest": "c" * 64, "party": "north",
        "signed_utc": "2026-12-01T12:00:00Z",
    }  # fmt: skip
    assert line.startswith(b'{"agreement":"strait","digest":"')
    assert b" 1" in line
    assert b'": "' not in line


def test_the_signature_of_an_agreement_is_none_of_a_report():
    agreed = Signature(key=key_id(key("n")), version="1", digest=TEXT.digest, signed_utc=NOON,
                       signature="")  # fmt: skip
    moved = given(signature=seal(key("n"), statement("strait", "north", agreed)))

    assert worths({("strait", "north"): moved})["strait", "north"] is Worth.FALSE


def test_who_has_signed_and_who_has_not():
    found = [*endorsed(SUBJECT, {("strait", "north"): given()}, [TEXT], proves)]

    assert [(one.signer[1], one.worth, one.key) for one in found] == [
        ("north", Worth.SIGNED, key_id(key("n"))),
        ("south", Worth.MISSING, key_id(key("s"))),
    ]


@pytest.mark.parametrize("changed", [
    {"report": OTHER}, {"station": "other"}, {"epoch": "e2"}, {"period": "2026-10"},
    {"version": "2"}, {"digest": OTHER}, {"signed_utc": NOON.replace(minute=1)},
    {"signature": given(party="south").signature},
], ids=lambda changed: next(iter(changed)))  # fmt: skip
def test_nothing_in_a_signature_can_be_changed_after(changed):
    assert worths({("strait", "north"): given(**changed)})["strait", "north"] is Worth.FALSE


@pytest.mark.parametrize(
    ("changed"), [{"report": OTHER}, {"station": "x"}, {"epoch": "e2"}, {"period": "2026-10"}],
    ids=lambda changed: next(iter(changed)),
)  # fmt: skip
def test_a_genuine_signature_under_another_report_is_told_so(changed):
    one = given(subject=replace(SUBJECT, **changed))

    assert worths({("strait", "north"): one})["strait", "north"] is Worth.OTHER_REPORT


@pytest.mark.parametrize(
    ("signer", "one", "worth"),
    [
        (("strait", "south"), given(), Worth.WRONG_KEY),
        (("strait", "north"), given(by="s"), Worth.WRONG_KEY),
        (("strait", "ships"), given(), Worth.NO_PARTY),
        (("strait", "west"), given(), Worth.NO_PARTY),
        (("other", "north"), given(), Worth.NO_TEXT),
        (("strait", "north"), given(agreement=text(OTHER, north="n")), Worth.OTHER_TEXT),
        (("strait", "north"), given(agreement=text(version="2", north="n")), Worth.OTHER_TEXT),
    ],
)
def test_of_whom_and_of_which_text_a_signature_is(signer, one, worth):
    assert worths({signer: one})[signer] is worth


def test_of_two_texts_of_one_name_it_is_the_one_that_was_signed():
    later = text(OTHER, "2", north="m", south="s")

    assert worths({("strait", "north"): given()}, later, TEXT)["strait", "north"] is Worth.SIGNED
