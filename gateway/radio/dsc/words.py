"""What a digital selective call says, in its own words: the detail of its report. No behaviour."""

from __future__ import annotations

from msgspec import Struct

from gateway.model.inbound import Detail


class Working(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A frequency or channel that a call proposes for what follows; one of these, at most."""

    freq_hz: int | None = None
    vhf_channel: str | None = None
    """As in appendix 18 of the Radio Regulations: `16`, `72`, `1078`."""
    hf_channel: int | None = None
    """MF or HF working channel (appendix 17 of the Radio Regulations)."""
    auto_channel: int | None = None
    """VHF channel of the automatic service (ITU-R M.586)."""


class Area(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The area that a call with format 102 is meant for, in whole degrees (M.493-15).

    The corner is read as the north-west one, with the sides southwards and eastwards from it; no
    primary text has confirmed that reading, and one decoder in use counts northwards.
    """

    corner_lat_deg: int
    corner_lon_deg: int
    southwards_deg: int
    eastwards_deg: int


class Expansion(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the sentences behind a call add to it (ITU-R M.821-1)."""

    flag: str | None = None
    """`query`, `reply` or `automatic`."""
    sentences_total: int | None = None
    """How many sentences the sender announced."""
    sentences_heard: int = 0
    sets: tuple[tuple[str, str], ...] = ()
    """The data sets as sent: code and data."""
    fine_minutes: str | None = None
    """Ten-thousandths of a minute to add to latitude and longitude, four digits each."""
    source: str | None = None
    """Where the position comes from."""
    dilution: float | None = None
    """HDOP or GDOP of the fix; 9.9 stands for anything worse."""
    datum: str | None = None
    speed_kn: float | None = None
    course_deg: float | None = None
    text: str | None = None
    """Additional identity of the station."""
    persons_on_board: int | None = None
    unreadable: tuple[str, ...] = ()
    """What was sent but can't be read."""


class SymbolProof(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How a call that came as symbols proved itself (ITU-R M.493-15)."""

    check: str
    """Of the error-check character: `right`, `wrong`, `missing`, or `spent` on a lost symbol."""
    lost: int = 0
    """Symbols that were lost in both copies."""
    corrected_bits: int = 0
    bits: int = 0
    """How many bits of noise would have had to fall right for this call."""
    expansion_check: str | None = None
    """The same of its expansion."""


class DscDetail(Detail, frozen=True, kw_only=True, omit_defaults=True, tag="dsc"):
    """One call. Codes are the symbols of M.493; a word is absent when its code has no meaning."""

    purpose: str
    """What the call is for: one of the keys of `tables.KINDS`."""
    format_code: int | None = None
    format: str | None = None
    category_code: int | None = None
    category: str | None = None
    self_id: str | None = None
    """Nine digits: who sent it. The sentence of an area call does not say."""
    address_id: str | None = None
    """Nine digits: whom it calls. Only symbols say so; the sentence of a call heard does not."""
    area: Area | None = None
    telecommand1_code: int | None = None
    telecommand1: str | None = None
    telecommand2_code: int | None = None
    telecommand2: str | None = None
    subsequent_code: int | None = None
    subsequent: str | None = None
    """How those in distress will go on: the mode of their next transmissions."""
    position: str | None = None
    """Quadrant, ddmm, dddmm, as sent."""
    rx: Working | None = None
    """The first frequency or channel: where the called station is to receive."""
    tx: Working | None = None
    """The second one: where the called station is to transmit."""
    time: str | None = None
    """hhmm UTC, as sent."""
    phone: str | None = None
    distress_id: str | None = None
    """Nine digits: who is in distress, in calls about somebody's distress."""
    nature_code: int | None = None
    end: str | None = None
    """`acknowledgement_requested`, `acknowledgement` or `end`."""
    expansion_announced: bool = False
    expansion: Expansion | None = None
    dialect: tuple[str, ...] = ()
    """How the sentence departs from the printed form, though it can be read."""
    unreadable: tuple[str, ...] = ()
    """Which fields hold something that can't be read."""
    proof: SymbolProof | None = None
    """Of a call that came as symbols; a sentence is proven by its checksum."""


class DseDetail(Detail, frozen=True, kw_only=True, omit_defaults=True, tag="dse"):
    """An expansion whose call was not heard at this port."""

    self_id: str
    expansion: Expansion
