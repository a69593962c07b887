"""Calls and their expansions as sentences: the twin of what `call` and `expansion` read.

Bodies begin with their start mark; a framing wraps them. Always in the printed dialect.
"""

from __future__ import annotations

from gateway.radio.dsc import expansion, tables
from gateway.radio.dsc.fields import ABSENT, area_text, code_text, working_text
from gateway.radio.dsc.words import DscDetail

SENTENCE_BYTES_MAX = 82
"""IEC 61162-1 section 7.3: from the start mark to the line end."""

_ENVELOPE_BYTES = len("*hh\r\n")


def write_call(call: DscDetail, *, talker: str = "CD") -> bytes:
    """Return the DSC sentence that says this call: what its codes say, not its words for them."""
    return f"${talker}DSC,{','.join(call_texts(call))}".encode("ascii")


def call_texts(call: DscDetail) -> list[str]:
    """Return the fields of that sentence."""
    distress = call.purpose in tables.ABOUT_DISTRESS
    return [
        code_text(call.format_code),
        area_text(call.area) if call.area else _address(call.self_id),
        code_text(call.category_code),
        code_text(call.nature_code if _nature_first(call) else call.telecommand1_code),
        code_text(call.subsequent_code if distress else call.telecommand2_code),
        _place(call, distress=distress),
        call.phone or call.time or ("8888" if distress else ""),
        _address(call.distress_id),
        "" if _nature_first(call) else code_text(call.nature_code),
        tables.END_LETTERS.get(call.end or "", ""),
        "E" if call.expansion_announced else "",
    ]


def write_expansion(
    self_id: str, sets: tuple[tuple[str, str], ...], *, flag: str = "A", talker: str = "CD"
) -> tuple[bytes, ...]:
    """Return the DSE sentences that say these data sets, as few as their length allows."""
    room = SENTENCE_BYTES_MAX - _ENVELOPE_BYTES - len(f"${talker}DSE,n,n,f,{self_id}0")
    parts: list[str] = [""]
    for code, data in sets:
        said = f",{code},{data}"
        if parts[-1] and len(parts[-1]) + len(said) > room:
            parts.append("")
        parts[-1] += said
    if len(parts) > expansion.SENTENCES_MAX:
        raise ExpansionLengthError(len(parts))
    return tuple(
        f"${talker}DSE,{len(parts)},{number},{flag},{self_id}0{part}".encode("ascii")
        for number, part in enumerate(parts, 1)
    )


class ExpansionLengthError(ValueError):
    """More sentences than one digit counts. Only whoever composes a call can cause it."""

    def __init__(self, sentences: int) -> None:
        super().__init__(f"{sentences} sentences")
        self.sentences = sentences


def _nature_first(call: DscDetail) -> bool:
    """Say whether the nature stands in the fourth field, as it does in an alert."""
    return call.format_code == tables.FORMAT_DISTRESS and call.telecommand1_code is None


def _address(mmsi: str | None) -> str:
    return "" if mmsi is None else f"{mmsi}0"


def _place(call: DscDetail, *, distress: bool) -> str:
    if call.position or distress:
        return call.position or ABSENT
    return "".join(working_text(working) for working in (call.rx, call.tx) if working)
