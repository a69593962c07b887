"""What a NAVTEX message says, in its own words: the detail of its report. No behaviour."""

from __future__ import annotations

from msgspec import Struct

from gateway.model.inbound import Detail


class Mention(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A place that the text names."""

    lat_deg: float
    lon_deg: float
    resolution_m: float
    """Half the step in which it is written."""
    begin: int
    """Where in the text it begins, counted in characters from 0."""
    end: int
    """Where it ends: the first character behind it."""


class NavtexDetail(Detail, frozen=True, kw_only=True, omit_defaults=True, tag="navtex"):
    """One message (ITU-R M.540)."""

    form: str
    """`sentences` of a receiver (NRX), or `text` as it is printed."""
    message_id: str | None = None
    """B1 B2 B3 B4, as sent."""
    station: str | None = None
    """B1: the letter of the coast station within its NAVAREA."""
    subject_code: str | None = None
    """B2, as sent."""
    subject: str | None = None
    """What B2 stands for."""
    number: int | None = None
    """B3 B4: 00 is for traffic that every receiver prints."""
    text: str
    """Between header and NNNN; `*` stands for a character that was not received."""
    mentions: tuple[Mention, ...] = ()
    """The places that the text names, in its order; MENTIONS_MAX at most."""
    characters: int
    """How many the message has, as the receiver counts them, else as they came."""
    bad_characters: int = 0
    """How many of them were not received."""
    frequency_code: int | None = None
    """Of NRX: 1 is 490 kHz, 2 is 518 kHz, 3 is 4209.5 kHz."""
    received_utc: str | None = None
    """When the receiver says that it received it."""
    status: str | None = None
    """Of NRX: `A` valid, `V` not."""
    sentences_total: int | None = None
    sentences_heard: int | None = None
    ended: bool = True
    """False when its end did not come: NNNN, or the last of its sentences."""
