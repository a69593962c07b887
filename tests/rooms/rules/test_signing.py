"""What parties sign, what their signatures are worth, and which text takes the place of which."""

from __future__ import annotations

import hashlib
import json
from base64 import b64encode
from datetime import UTC, datetime, timedelta, timezone

import msgspec
import pytest
from msgspec.structs import replace

from gateway.model.agreement import Agreement, Party, State, Status
from gateway.model.signature import Check, Consent, Signature, Signatures, Takeover
from gateway.rules.signing import (
    WEAK_KEYS,
    all_signed,
    checked,
    is_weak,
    key_id,
    statement,
    unsigned,
)
from gateway.rules.succession import MOVES, order_of, succession

NOON = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)


def key(name: str) -> str:
    return "ed25519:" + b64encode(hashlib.sha256(name.encode()).digest()).decode()


def seal(public_key: str, said: bytes) -> str:
    """Stand in for a signature: here only one's own key is known by its public half."""
    return b64encode(hashlib.sha512(public_key.encode() + said).digest()).decode()


def proves(public_key: str, said: bytes, signature: str) -> bool:
    return signature == seal(public_key, said)


def text(version: str = "2", words: str = "", state: State = State.IN_FORCE, **keys: str | None):
    """Return an agreement of the parties that are named, each with the key of this name."""
    parties = {name: Party(name=name, public_key=one and key(one)) for name, one in keys.items()}
    said = json.dumps([version, words, keys], sort_keys=True).encode()
    return Agreement(
        id="strait",
        version=version,
        digest=hashlib.sha256(said).hexdigest(),
        title="Watch",
        status=Status(state=state),
        parties=parties,
        channels={},
        rules=(),
    )


def signature(agreement: Agreement, party: str, by: str, **changed: object) -> Signature:
    blank = Signature(
        key=key_id(key(by)),
        version=agreement.version,
        digest=agreement.digest,
        signed_utc=NOON,
        signature="",
    )
    sealed = seal(key(by), statement(agreement.id, party, blank))
    return replace(replace(blank, signature=sealed), **changed)


def consent(agreement: Agreement, party: str, by: str, place: Agreement) -> Consent:
    blank = Consent(
        key=key_id(key(by)),
        version=agreement.version,
        digest=agreement.digest,
        signed_utc=NOON,
        signature="",
        instead_of=place.digest,
    )
    return replace(blank, signature=seal(key(by), statement(agreement.id, party, blank)))


OURS = text(alpha="a", bravo="b", ships=None)


def found(**given: Signature) -> dict[str, Check]:
    signatures = Signatures(agreement="strait", signatures=given)
    return {one.party: one.check for one in checked(OURS, signatures, proves)}


# ---- What is signed ------------------------------------------------------------------------------


def test_what_is_signed_is_one_line_that_anybody_can_write_down():
    said = statement("strait", "alpha", signature(OURS, "alpha", "a"))

    assert said.decode() == (
        f'{{"agreement":"strait","digest":"{OURS.digest}",'
        '"form":"distress-gateway agreement signature 1","party":"alpha",'
        '"signed_utc":"2026-11-23T12:00:00Z","version":"2"}'
    )


def test_a_time_is_signed_as_that_of_greenwich_wherever_it_was_written():
    here = NOON.astimezone(timezone(timedelta(hours=9)))
    one, other = (signature(OURS, "alpha", "a", signed_utc=utc) for utc in (NOON, here))

    assert statement("strait", "alpha", one) == statement("strait", "alpha", other)


def test_all_who_have_a_key_have_to_sign_and_nobody_else():
    assert found() == {"alpha": Check.MISSING, "bravo": Check.MISSING}


@pytest.mark.parametrize(
    ("given", "check"),
    [
        (signature(OURS, "alpha", "a"), Check.SIGNED),
        (signature(text(alpha="a", words="before"), "alpha", "a"), Check.CHANGED),
        (signature(text("1", alpha="a"), "alpha", "a"), Check.CHANGED),
        (signature(OURS, "alpha", "b"), Check.WRONG_KEY),
        (signature(OURS, "bravo", "a"), Check.FALSE),
        (signature(OURS, "alpha", "b", key=key_id(key("a"))), Check.FALSE),
        (signature(OURS, "alpha", "a", signed_utc=NOON + timedelta(seconds=1)), Check.FALSE),
        (signature(text(alpha="x"), "alpha", "a", digest=OURS.digest), Check.FALSE),
        (signature(OURS, "alpha", "a", version="3"), Check.FALSE),
    ],
    ids=[
        *("good", "changed", "earlier version", "another key", "of another party"),
        *("forged", "time changed", "digest changed", "version changed"),
    ],
)
def test_a_signature_is_worth_what_it_proves(given, check):
    assert found(alpha=given)["alpha"] == check


def test_a_consent_moved_among_the_signatures_proves_nothing():
    moved = msgspec.convert(
        {
            name: value
            for name, value in msgspec.structs.asdict(consent(OURS, "alpha", "a", OURS)).items()
            if name != "instead_of"
        },
        Signature,
    )

    assert found(alpha=moved)["alpha"] is Check.FALSE


def test_who_signs_without_a_key_in_the_text_counts_for_nothing():
    given = found(alpha=signature(OURS, "alpha", "a"), ships=signature(OURS, "ships", "s"))

    assert given == {
        "alpha": Check.SIGNED,
        "bravo": Check.MISSING,
        "ships": Check.NOT_ASKED,
    }


def test_all_have_signed_when_all_of_them_have_and_never_when_nobody_has_to():
    both = {name: signature(OURS, name, name[0]) for name in ("alpha", "bravo")}
    stranger = {"ships": signature(OURS, "ships", "s")}

    def asked(agreement, given):
        return checked(agreement, Signatures(agreement="strait", signatures=given), proves)

    assert all_signed(asked(OURS, both))
    assert all_signed(asked(OURS, both | stranger))
    assert not all_signed(asked(OURS, {"alpha": both["alpha"]}))
    assert not all_signed(asked(text(ships=None), stranger))
    assert unsigned(asked(OURS, {"alpha": both["alpha"]} | stranger)) == ("bravo",)


P = 2**255 - 19
D = -121665 * pow(121666, -1, P) % P
"""The curve of RFC 8032, section 5.1: -x² + y² = 1 + D x² y², modulo P."""
ORDER = 2**252 + 27742317777372353535851937790883648493


def added(one, other):
    (x1, y1), (x2, y2) = one, other
    both = D * x1 * x2 * y1 * y2 % P
    x = (x1 * y2 + x2 * y1) * pow(1 + both, -1, P) % P
    return x, (y1 * y2 + x1 * x2) * pow(1 - both, -1, P) % P


def times(number, point):
    found = (0, 1)
    while number:
        if number & 1:
            found = added(found, point)
        point, number = added(point, point), number >> 1
    return found


def x_of(y):
    """Return the x of a point with this y, or None: RFC 8032, section 5.1.3."""
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    for root in (pow(square, (P + 3) // 8, P), pow(square, (P + 3) // 8, P) * pow(2, P // 4, P)):
        if (root * root - square) % P == 0:
            return root % P
    return None


def test_the_keys_by_which_anybody_can_sign_are_those_that_the_curve_has():
    """Each point is one of eight of small order and one of a large one: take the large one off."""
    points = [(x, y) for y in range(2, 30) if (x := x_of(y)) is not None]
    small = {times(number, times(ORDER, point)) for point in points for number in range(8)}
    assert len(small) == 8

    ways = {y + more for _, y in small for more in (0, P) if y + more < 2**255}
    assert {way.to_bytes(32, "little") for way in ways} == WEAK_KEYS


@pytest.mark.parametrize("sign", [0, 0x80])
def test_a_weak_key_is_known_with_either_sign(sign):
    for raw in WEAK_KEYS:
        written = bytes([*raw[:-1], raw[-1] | sign])
        assert is_weak("ed25519:" + b64encode(written).decode())
    assert not is_weak(key("a"))


# ---- Which takes the place of which --------------------------------------------------------------


@pytest.mark.parametrize(
    ("earlier", "later"),
    [("1", "2"), ("2026.9", "2026.10"), ("2", "2.0.1"), ("1.9", "2"), ("2025.12.31", "2026")],
)
def test_versions_are_compared_number_by_number(earlier, later):
    assert order_of(earlier) < order_of(later)


@pytest.mark.parametrize(("one", "other"), [("2", "2.0"), ("2026.1", "2026.01"), ("0", "0.0")])
def test_a_version_is_the_same_however_it_is_written(one, other):
    assert order_of(one) == order_of(other)


BOTH = {"alpha": "a", "bravo": "b"}
PLACE = text("2", alpha="a", bravo="b")
NEWER = text("3", alpha="a", bravo="b")
OLDER = text("1", alpha="a", bravo="b")
NEW_KEY = text("3", alpha="a", bravo="b2")
LEAVING = text("3", alpha="a")
JOINING = text("3", alpha="a", bravo="b", carol="c")
NOBODYS = text("2", ships=None)

CASES = [
    # what stands there, what is to come, who signed it, who signed for taking the place
    ("first", None, PLACE, BOTH, {}, Takeover.TAKES),
    ("first, one missing", None, PLACE, {"alpha": "a"}, {}, Takeover.PROPOSED),
    ("first, one by a wrong key", None, PLACE, {"alpha": "a", "bravo": "x"}, {}, Takeover.PROPOSED),
    ("first, nobody's", None, NOBODYS, {}, {}, Takeover.TAKES),
    ("newer", PLACE, NEWER, BOTH, {}, Takeover.TAKES),
    ("newer, one missing", PLACE, NEWER, {"bravo": "b"}, {}, Takeover.PROPOSED),
    ("newer, nobody", PLACE, NEWER, {}, {}, Takeover.PROPOSED),
    ("newer, with a party more", PLACE, JOINING, {**BOTH, "carol": "c"}, {}, Takeover.TAKES),
    ("newer, the new party missing", PLACE, JOINING, BOTH, {}, Takeover.PROPOSED),
    ("new key", PLACE, NEW_KEY, {"alpha": "a", "bravo": "b2"}, {}, Takeover.PROPOSED),
    (
        "new key, the old one agrees",
        *(PLACE, NEW_KEY, {"alpha": "a", "bravo": "b2"}, {"bravo": "b"}, Takeover.TAKES),
    ),
    (
        "new key agrees with itself",
        *(PLACE, NEW_KEY, {"alpha": "a", "bravo": "b2"}, {"bravo": "b2"}, Takeover.PROPOSED),
    ),
    ("put out of it", PLACE, LEAVING, {"alpha": "a"}, {}, Takeover.PROPOSED),
    ("leaving of its own", PLACE, LEAVING, {"alpha": "a"}, {"bravo": "b"}, Takeover.TAKES),
    ("all keys taken out", PLACE, text("3", alpha=None, bravo=None), {}, {}, Takeover.PROPOSED),
    ("nobody's by a newer", NOBODYS, text("3", ships=None), {}, {}, Takeover.TAKES),
    ("nobody's by a signed one", NOBODYS, NEWER, BOTH, {}, Takeover.TAKES),
    ("nobody's by an older", NOBODYS, OLDER, BOTH, BOTH, Takeover.PROPOSED),
    ("older, as it was signed then", PLACE, OLDER, BOTH, {}, Takeover.PROPOSED),
    ("older, one agrees", PLACE, OLDER, BOTH, {"alpha": "a"}, Takeover.PROPOSED),
    ("older, all agree", PLACE, OLDER, BOTH, BOTH, Takeover.TAKES),
    ("older, all agree, one unsigned", PLACE, OLDER, {"alpha": "a"}, BOTH, Takeover.PROPOSED),
    (
        "older, by the keys of now",
        *(NEW_KEY, OLDER, BOTH, {"alpha": "a", "bravo": "b2"}, Takeover.TAKES),
    ),
    ("older, by a key of then", NEW_KEY, OLDER, BOTH, BOTH, Takeover.PROPOSED),
    ("same text", PLACE, PLACE, BOTH, {}, Takeover.TAKES),
    ("same text, signatures gone", PLACE, PLACE, {}, {}, Takeover.PROPOSED),
    (
        "same version, another text",
        *(PLACE, text("2.0", words="x", **BOTH), BOTH, BOTH, Takeover.REFUSED),
    ),
    ("another agreement", PLACE, replace(NEWER, id="sound"), BOTH, BOTH, Takeover.REFUSED),
    ("proposed by its file", PLACE, text("3", state=State.PROPOSED, **BOTH), BOTH, {}, "proposed"),
    (
        "what never held goes without a word",
        *(text("3", state=State.PROPOSED, alpha="x"), PLACE, BOTH, {}, Takeover.TAKES),
    ),
    (
        "what never held, of the same version",
        *(text("2", "x", State.PROPOSED, **BOTH), PLACE, BOTH, {}, Takeover.TAKES),
    ),
    (
        "what is ended, by a newer",
        *(text("2", state=State.TERMINATED, **BOTH), NEWER, BOTH, {}, Takeover.TAKES),
    ),
    (
        "what is ended, by an older",
        *(text("2", state=State.TERMINATED, **BOTH), OLDER, BOTH, {}, Takeover.PROPOSED),
    ),
]


@pytest.mark.parametrize(
    ("place", "following", "signers", "consenting", "takeover"),
    [case[1:] for case in CASES],
    ids=[case[0] for case in CASES],
)
def test_a_text_takes_a_place_only_with_the_word_of_all_whose_place_it_is(
    place, following, signers, consenting, takeover
):
    signatures = Signatures(
        agreement="strait",
        signatures={name: signature(following, name, by) for name, by in signers.items()},
        instead={
            name: consent(following, name, by, place)
            for name, by in consenting.items()
            if place is not None
        },
    )
    said = succession(place, following, signatures, proves)

    assert said.takeover == takeover, said.words
    taken = said.takeover is Takeover.TAKES
    assert said.state is (following.status.state if taken else State.PROPOSED)


def test_a_consent_for_another_text_in_place_is_none():
    signatures = Signatures(
        agreement="strait",
        signatures={name: signature(OLDER, name, by) for name, by in BOTH.items()},
        instead={name: consent(OLDER, name, by, NEWER) for name, by in BOTH.items()},
    )

    said = succession(PLACE, OLDER, signatures, proves)
    assert said.takeover is Takeover.PROPOSED
    assert said.words == (
        "it is older than version 2, which is in place, and alpha, bravo have not signed for going"
        " back"
    )
    assert succession(NEWER, OLDER, signatures, proves).takeover is Takeover.TAKES


@pytest.mark.parametrize("before", State)
@pytest.mark.parametrize("after", State)
def test_one_text_goes_through_its_states_forward(before, after):
    signatures = Signatures(
        agreement="strait",
        signatures={name: signature(PLACE, name, by) for name, by in BOTH.items()},
    )
    place, following = (replace(PLACE, status=Status(state=one)) for one in (before, after))
    takeover = succession(place, following, signatures, proves).takeover

    if after not in MOVES[before]:
        assert takeover is Takeover.REFUSED
    elif after is State.PROPOSED:
        assert takeover is Takeover.PROPOSED
    else:
        assert takeover is Takeover.TAKES


def test_every_state_has_its_moves_and_the_end_has_none():
    assert set(MOVES) == set(State)
    assert {(one, other) for one in MOVES for other in MOVES[one] if one is not other} == {
        (State.PROPOSED, State.IN_FORCE),
        (State.PROPOSED, State.TERMINATED),
        (State.IN_FORCE, State.SUSPENDED),
        (State.IN_FORCE, State.TERMINATED),
        (State.SUSPENDED, State.IN_FORCE),
        (State.SUSPENDED, State.TERMINATED),
    }
