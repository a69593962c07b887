"""What an AIS message says in its own words (ITU-R M.1371-5, Annex 8).

Place and motion are not repeated here: they stand in the report, in everybody's words. A value
that the standard calls "not available" is absent. This file holds no logic.
"""

from __future__ import annotations

from msgspec import Struct

from gateway.model.inbound import Detail


class Fix(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """How a position report was come by, and what the craft was doing."""

    nav_status_code: int | None = None
    nav_status: str | None = None
    turn: str | None = None
    """Said when there is no turn indicator and the craft turns by more than 5 degrees in 30 s."""
    manoeuvre: str | None = None
    position_accurate: bool | None = None
    """True when the sender claims 10 m or better."""
    position_late: bool | None = None
    """True when the position was older than 5 s when it was sent (message 27)."""
    second: int | None = None
    """Second of the minute of the position."""
    second_state: str | None = None
    """Why there is no second: `not available`, `manual input`, `dead reckoning`, `inoperative`."""
    raim: bool | None = None
    class_b_unit: str | None = None
    """`self-organised` or `carrier sense` (message 18)."""
    assigned: bool | None = None
    """True when a base station told the unit how often to report."""


class Craft(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """What stays the same of a craft or an aid. Names stand in the sender's identity."""

    imo_field: int | None = None
    """What stands in the field of the IMO number; only a possible one is the identity's."""
    ship_type_code: int | None = None
    ship_type: str | None = None
    to_bow_m: int | None = None
    """From the reference point of the position; 511 means that or more."""
    to_stern_m: int | None = None
    to_port_m: int | None = None
    """63 means that or more."""
    to_starboard_m: int | None = None
    vendor_id: str | None = None
    """The maker's three letters."""
    vendor_model: int | None = None
    vendor_serial: int | None = None
    vendor_text: str | None = None
    """The same 42 bits as seven characters, which is how older units mean them."""
    parent_mmsi: str | None = None
    """The ship that an auxiliary craft belongs to."""


class Voyage(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """Where a ship is bound."""

    destination: str | None = None
    draught_m: float | None = None
    """25.5 means that or more."""
    eta_month: int | None = None
    eta_day: int | None = None
    eta_hour: int | None = None
    eta_minute: int | None = None


class Aid(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """What an aid to navigation says of itself (message 21)."""

    aid_type_code: int
    aid_type: str | None = None
    off_position: bool | None = None
    """Absent when the position has no second: the flag means nothing then."""
    virtual: bool


class Exchange(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Who is spoken to, and about which application."""

    to: tuple[str, ...] = ()
    """MMSIs addressed, acknowledged or asked."""
    sequence: int | None = None
    """The sender's number of an addressed message, 0 to 3."""
    retransmitted: bool | None = None
    dac: int | None = None
    """Designated area code of a binary application."""
    fid: int | None = None
    """Its function identifier."""
    ship_type_code: int | None = None
    """Which ships a group assignment is for (message 23); absent for all."""


class AisDetail(Detail, frozen=True, kw_only=True, omit_defaults=True):
    """One AIS message in its own words."""

    message_type: int
    mmsi: str
    """As sent, leading zeros kept; ten digits when the message states the impossible."""
    repeat: int = 0
    """How often it was repeated over the air; 3 means not to be repeated any more."""
    own_ship: bool = False
    """True when the receiver says that its own station sent it (VDO)."""
    channel: str | None = None
    """The receiver's word for the channel: A or B, in some receivers 1 or 2."""
    recently_active: bool = False
    """True when a test came from an identity that had called for help on this port lately."""
    part: str | None = None
    """Which half of message 24: A or B."""
    epfd_code: int | None = None
    epfd: str | None = None
    """Electronic position fixing device."""
    fix: Fix | None = None
    craft: Craft | None = None
    voyage: Voyage | None = None
    aid: Aid | None = None
    exchange: Exchange | None = None
