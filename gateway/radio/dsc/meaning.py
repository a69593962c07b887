"""What a call means to everybody: its own words turned into the vocabulary of all radios. Pure."""

from __future__ import annotations

from gateway.codes.mmsi import mmsi_class
from gateway.model.inbound import Draft
from gateway.model.place import Identity, Position, velocity_of
from gateway.model.words import Confidence, Integrity, Kind, Mode, Urgency
from gateway.radio.dsc import tables
from gateway.radio.dsc.fields import minutes_of
from gateway.radio.dsc.words import DscDetail, DseDetail, Expansion, SymbolProof

RESOLUTION_M = 926.0
"""Half a minute of latitude."""
RESOLUTION_FINE_M = 0.0926
"""Half a ten-thousandth of a minute of latitude."""

PROOF_BITS_MIN = 21
"""Symbols are believed when noise would pass for a call no oftener than once in two million: the
error-check character is right, and two more symbols are what they repeat."""

_FINE_STEPS = 10_000
_CHECKS = {
    "wrong": "its error-check character is wrong",
    "missing": "its error-check character was lost",
    "spent": "a symbol was lost in both copies, and made out of the error-check character",
}
_IN_WORDS = {
    "number of fields": "it has too few or too many fields",
    "last digit of sender": "the sender's address is not an MMSI with a 0 behind",
    "number of symbols": "it has too few or too many symbols",
    "last digit of casualty": "the casualty's address is not an MMSI with a 0 behind",
}
"""What is odd but legible has a sentence of its own."""


def draft_of_call(call: DscDetail) -> Draft:
    """Return what a call means, with what its expansion adds to it."""
    doubts = _doubts(call)
    more = call.expansion or Expansion()
    # Of another's distress only the finer minutes are told: they belong to the position in the
    # call. Motion, persons and text may be the sender's own; they stay in the detail.
    own = Expansion() if call.purpose in tables.ABOUT_ANOTHERS_DISTRESS else more
    sender = _identity(call.self_id)
    distress = call.purpose in tables.ABOUT_DISTRESS
    return Draft(
        kind=tables.KINDS[call.purpose],
        urgency=Urgency.DISTRESS if distress else tables.URGENCIES[call.category_code or 0],
        mode=Mode.TEST if call.purpose == "test" else Mode.REAL,
        sender=sender,
        casualty=sender if call.purpose in tables.ALERTS else _identity(call.distress_id),
        addressee=_identity(call.address_id),
        nature=tables.NATURES.get(call.nature_code or 0),
        position=_position(call.position, more),
        velocity=velocity_of(speed_kn=own.speed_kn, course_deg=own.course_deg),
        persons_on_board=own.persons_on_board,
        text=own.text,
        claimed_utc=f"{call.time[:2]}:{call.time[2:]}Z" if call.time else None,
        integrity=_integrity(call.proof),
        corrected_bits=call.proof.corrected_bits if call.proof else 0,
        confidence=Confidence.TENTATIVE if doubts else Confidence.VERIFIED,
        doubts=doubts,
    )


def draft_of_orphan(said: DseDetail) -> Draft:
    """Return what an expansion without its call means: whose it is, and what stands by itself.

    An automatic one belonged to a call that this port has missed, and nobody knows how urgent
    that was: it is kept like a safety call.
    """
    more = said.expansion
    missed = more.flag not in ("query", "reply")
    return Draft(
        kind=Kind.CALL if more.flag == "query" else Kind.STATUS,
        urgency=Urgency.SAFETY if missed else Urgency.ROUTINE,
        sender=_identity(said.self_id),
        velocity=velocity_of(speed_kn=more.speed_kn, course_deg=more.course_deg),
        persons_on_board=more.persons_on_board,
        text=more.text,
        confidence=Confidence.TENTATIVE,
        doubts=("the call that this belongs to was not heard", *_doubts_of_expansion(more)),
    )


def _identity(mmsi: str | None) -> Identity | None:
    return None if mmsi is None else Identity(mmsi=mmsi, mmsi_class=mmsi_class(mmsi))


def _position(digits: str | None, more: Expansion) -> Position | None:
    """Return the place: the finer minutes are added to the whole ones, then the sign is set."""
    whole = minutes_of(digits) if digits else None
    if whole is None:
        return None
    north, lat, east, lon = whole
    fine = more.fine_minutes or ""
    lat_steps = lat * _FINE_STEPS + int(fine[:4] or 0)
    lon_steps = lon * _FINE_STEPS + int(fine[4:] or 0)
    return Position(
        lat_deg=north * lat_steps / (60 * _FINE_STEPS),
        lon_deg=east * lon_steps / (60 * _FINE_STEPS),
        resolution_m=RESOLUTION_FINE_M if fine else RESOLUTION_M,
        source=more.source,
        datum=more.datum,
    )


def _integrity(proof: SymbolProof | None) -> Integrity | None:
    """Return how the symbols proved the call; None for a sentence, which its checksum proves."""
    if proof is None:
        return None
    return Integrity.PARITY if proof.check == "right" and not proof.lost else Integrity.NONE


def _doubts(call: DscDetail) -> tuple[str, ...]:
    """Return why this call may not be what it seems, a sentence each."""
    doubts = _doubts_of_proof(call.proof) if call.proof else []
    doubts += [_IN_WORDS.get(name, f"the {name} can't be read") for name in call.unreadable]
    for who, mmsi in (("sender", call.self_id), ("casualty", call.distress_id)):
        if mmsi is not None and mmsi_class(mmsi) is None:
            doubts.append(f"no numbering plan has the {who}'s MMSI {mmsi}")
    if call.nature_code not in (None, tables.NOTHING, *tables.NATURES):
        doubts.append(f"no table has the nature of distress {call.nature_code}")
    if call.purpose in tables.ABOUT_DISTRESS:
        doubts += _doubts_of_distress(call)
    elif call.distress_id is not None:
        doubts.append("it names a casualty, and is no call of distress")
    if call.expansion:
        doubts += _doubts_of_expansion(call.expansion)
        doubts += _doubts_of_joining(call, call.expansion)
    return tuple(doubts)


def _doubts_of_proof(proof: SymbolProof) -> list[str]:
    doubts = []
    if proof.check in _CHECKS:
        doubts.append(_CHECKS[proof.check])
    elif proof.bits < PROOF_BITS_MIN:
        doubts.append("so little in it proves itself that noise might pass for it")
    if proof.expansion_check not in (None, "right"):
        doubts.append("the error-check character of its expansion does not prove it")
    return doubts


def _doubts_of_joining(call: DscDetail, more: Expansion) -> list[str]:
    doubts = []
    if call.purpose in tables.ABOUT_ANOTHERS_DISTRESS:
        doubts.append("its expansion comes from the sender, who is not the one in distress")
    if more.fine_minutes and not call.position:
        doubts.append("it has finer minutes for a position that is missing")
    return doubts


def _doubts_of_distress(call: DscDetail) -> list[str]:
    alert = call.format_code == tables.FORMAT_DISTRESS
    doubts = []
    if call.category_code != tables.CATEGORY_DISTRESS and (call.category_code or not alert):
        doubts.append("its category is not distress, everything else in it is")
    if call.telecommand1_code == tables.TEST:
        doubts.append("a call of distress can't be a test: taken as real")
    if call.purpose in tables.ABOUT_ANOTHERS_DISTRESS:
        doubts += _doubts_about_another(call)
    elif call.purpose == "self_cancellation" and alert:
        doubts.append("an alert that names its sender as the casualty: taken as its cancellation")
    elif alert and call.distress_id is not None and call.distress_id == call.self_id:
        doubts.append("an alert that names its sender as the casualty too, and says more: an alert")
    return doubts


def _doubts_about_another(call: DscDetail) -> list[str]:
    doubts = []
    if call.format_code == tables.FORMAT_DISTRESS:
        kind = tables.KINDS[call.purpose]
        doubts.append(f"an alert that names somebody else: taken as its {kind}")
    elif call.telecommand1_code not in tables.ABOUT_ANOTHER:
        doubts.append("it does not say whether it acknowledges or relays: taken as a relay")
    if call.distress_id is None and "casualty" not in call.unreadable:
        doubts.append("it does not say who is in distress")
    elif call.distress_id is not None and call.distress_id == call.self_id:
        doubts.append("the sender relays its own distress")
    return doubts


def _doubts_of_expansion(more: Expansion) -> list[str]:
    doubts = [f"the {name} in the expansion can't be read" for name in more.unreadable]
    if more.source == tables.SOURCES[tables.SOURCE_INVALID]:
        doubts.append("the sender calls its own position invalid")
    return doubts
