"""Calls that somebody orders: an action to the call that says it, in whatever form a modem takes.

    nmea     $IIDSC,…   given to a radio, which calls by itself and puts its own identity in
    symbols  both copies with their phasing, two bytes a symbol, for a modem that keys them
    lines    the same symbols, printed

The second field of a sentence given to a radio is whom it is to call, and empty for all ships; of
one that tells of a call it is who called (IEC 61162-1, notes to DSC). What each call holds is set
by ITU-R M.493-15, tables A1-4.1 to A1-4.10. Nothing here writes to a port.
"""

from __future__ import annotations

from collections.abc import Callable

from msgspec.structs import replace

from gateway.codes.mmsi import mmsi_class
from gateway.model.transmission import (
    Acknowledge,
    Action,
    Area,
    Call,
    Cancel,
    CannotSay,
    Distress,
    Place,
    Relay,
    Saying,
    To,
)
from gateway.model.words import Urgency
from gateway.radio import Composer
from gateway.radio.dsc import fields as field
from gateway.radio.dsc import tables, words
from gateway.radio.dsc.call import spelt
from gateway.radio.dsc.send import write_pairs, write_printed, write_symbols
from gateway.radio.dsc.words import DscDetail
from gateway.radio.dsc.write import write_call

TALKER = "II"
"""Integrated instrumentation (IEC 61162-1): not CD, CT or CV, by which a radio tells of a call."""

_VHF_HZ_MIN = 30_000_000
_SUBSEQUENT_VHF, _SUBSEQUENT_HF = 100, 109  # F3E/G3E all modes; J3E (M.493 table A1-3)
_CHANNEL_DSC = 70  # RR appendix 18: for digital selective calling and nothing else
_FREQ_STEP_HZ = 10  # M.493-15 table A1-5
_MINUTE_SLACK = 1e-6
"""Of a minute: whole minutes that have been degrees come back a little short."""

_FORMATS = {To.ALL_SHIPS: 116, To.AREA: 102, To.GROUP: 114, To.INDIVIDUAL: 120}
_CATEGORIES = {urgency: code for code, urgency in tables.URGENCIES.items()}
_NATURES = {nature: code for code, nature in tables.NATURES.items()}
_UNDESIGNATED = 107
_GROUPS = frozenset({"group", "coast"})  # M.585: 0MIDXXXXX; of coast stations 00MID0000


def compose(saying: Saying) -> tuple[bytes, ...]:
    """Return the one call that says this; raise CannotSay."""
    call = call_for(saying)
    writer = _WRITERS.get(saying.framing)
    if writer is None:
        raise CannotSay(f"no call can be written as {saying.framing}: {', '.join(_WRITERS)} can")
    return (writer(call),)


def call_for(saying: Saying) -> DscDetail:
    """Return the call that says this, as its receivers will read it; raise CannotSay."""
    own = saying.own.mmsi
    if own is None:
        raise CannotSay("this station has no MMSI to call by: [transmit] mmsi gives one")
    if saying.freq_hz is None:
        raise CannotSay("nobody knows whether the port is VHF or MF/HF: give it its freq_hz")
    return spelt(replace(_call(saying.action, own, saying.freq_hz), self_id=own))


def _call(action: Action, own: str, freq_hz: int) -> DscDetail:
    if isinstance(action, Acknowledge):
        return _acknowledgement(action.distress, own, freq_hz)
    if isinstance(action, Cancel):
        return _cancellation(action.distress, own, freq_hz)
    if isinstance(action, Relay):
        return _relay(action, own, freq_hz)
    if isinstance(action, Call):
        return _other(action, own, freq_hz)
    raise CannotSay("a DSC call has no words for that: ack, relay, call and cancel it has")


def _acknowledgement(distress: Distress, own: str, freq_hz: int) -> DscDetail:
    if distress.mmsi is None:
        raise CannotSay("nobody can acknowledge whom he does not know: say the MMSI in distress")
    if distress.mmsi == own:
        raise CannotSay("it would cancel this station's own alert: if that is meant, say cancel")
    return _about("distress_acknowledgement", distress, freq_hz)


def _cancellation(distress: Distress, own: str, freq_hz: int) -> DscDetail:
    if distress.mmsi != own:
        raise CannotSay(f"a station cancels its own alert alone: the MMSI in distress is not {own}")
    return _about("self_cancellation", distress, freq_hz)


def _relay(relay: Relay, own: str, freq_hz: int) -> DscDetail:
    if relay.distress.mmsi == own:
        raise CannotSay("a station relays another's distress: this is its own")
    call = _about("distress_relay", relay.distress, freq_hz)
    return _to(call, relay.to, relay.address, relay.area)


def _about(purpose: str, distress: Distress, freq_hz: int) -> DscDetail:
    """Return a call to all ships about somebody's distress (M.493 tables A1-4.2 and A1-4.3)."""
    relayed = purpose == "distress_relay"
    return DscDetail(
        purpose=purpose,
        format_code=_FORMATS[To.ALL_SHIPS],
        category_code=tables.CATEGORY_DISTRESS,
        telecommand1_code=tables.DISTRESS_RELAYED if relayed else tables.DISTRESS_ACKNOWLEDGED,
        distress_id=distress.mmsi,
        nature_code=_nature(distress),
        position=position_of(distress.place) if distress.place else None,
        time=distress.time,
        subsequent_code=_SUBSEQUENT_VHF if freq_hz >= _VHF_HZ_MIN else _SUBSEQUENT_HF,
        end=tables.ENDS["S"],
    )


def _other(call: Call, own: str, freq_hz: int) -> DscDetail:
    """Return a call of urgency, safety or routine, or a test (M.493 tables A1-4.4 to A1-4.7)."""
    if call.category is Urgency.DISTRESS:
        raise CannotSay("a call is never one of distress: another's is relayed")
    if call.category is Urgency.ROUTINE and call.to in (To.ALL_SHIPS, To.AREA):
        raise CannotSay("a routine call is for a group or one station, not for all or an area")
    if call.address is not None and call.address == own:
        raise CannotSay("a station can't call itself")
    vhf = freq_hz >= _VHF_HZ_MIN
    said = DscDetail(
        purpose="test" if call.test else f"{call.category.value}_call",
        category_code=_CATEGORIES[call.category],
        telecommand1_code=_SUBSEQUENT_VHF if vhf else _SUBSEQUENT_HF,
        telecommand2_code=tables.NOTHING,
        rx=_working(call, vhf=vhf),
        end=tables.ENDS["S"],
    )
    return _to(_test(call, said) if call.test else said, call.to, call.address, call.area)


def _test(call: Call, said: DscDetail) -> DscDetail:
    if call.category is not Urgency.SAFETY or call.to is not To.INDIVIDUAL:
        raise CannotSay("a test call is of safety, to one station")
    if said.rx is not None:
        raise CannotSay("a test call proposes no channel: leave it out")
    return replace(said, telecommand1_code=tables.TEST)


def _to(call: DscDetail, to: To, address: str | None, area: Area | None) -> DscDetail:
    """Return the call with whom it is for."""
    if (area is not None) != (to is To.AREA):
        raise CannotSay("an area belongs to a call to area_ships, and to no other")
    if (address is not None) != (to in (To.GROUP, To.INDIVIDUAL)):
        raise CannotSay("an address belongs to a call to a group or an individual, and no other")
    if address is not None:
        kind = mmsi_class(address)
        if kind is None or (kind not in _GROUPS if to is To.GROUP else kind == "group"):
            raise CannotSay(f"{address} is no MMSI of {_WHOSE[to]} (ITU-R M.585)")
    individual = to is To.INDIVIDUAL
    return replace(
        call,
        format_code=_FORMATS[to],
        address_id=address,
        area=None if area is None else _area(area),
        end=tables.ENDS["R" if individual else "S"],
    )


def _nature(distress: Distress) -> int:
    if distress.nature is None:
        return _UNDESIGNATED
    code = _NATURES.get(distress.nature)
    if code is None:
        raise CannotSay(
            f"no call can say the nature {distress.nature.value}: undesignated is what it would say"
        )
    return code


def position_of(place: Place) -> str:
    """Return the digits of a place: quadrant, ddmm, dddmm.

    Minutes are cut to whole ones, as those of an alert are, and never rounded: so what answers an
    alert says the same place.
    """
    lat, lon = (int(abs(deg) * 60 + _MINUTE_SLACK) for deg in (place.lat_deg, place.lon_deg))
    quadrant = 2 * (place.lat_deg < 0) + (place.lon_deg < 0)
    return f"{quadrant}{lat // 60:02d}{lat % 60:02d}{lon // 60:03d}{lon % 60:02d}"


def _area(area: Area) -> words.Area:
    if area.lat_deg - area.southwards_deg < -90:
        raise CannotSay("the area reaches over the South Pole: let it end there")
    return words.Area(
        corner_lat_deg=area.lat_deg,
        corner_lon_deg=area.lon_deg,
        southwards_deg=area.southwards_deg,
        eastwards_deg=area.eastwards_deg,
    )


def _working(call: Call, *, vhf: bool) -> words.Working | None:
    """Return where to go on, when the call says where."""
    if call.freq_hz is not None and call.vhf_channel is not None:
        raise CannotSay("a call proposes a frequency or a channel, not both")
    if call.vhf_channel is not None:
        return _channel(call.vhf_channel, vhf=vhf)
    if call.freq_hz is None:
        return None
    if vhf:
        raise CannotSay("on VHF a call proposes a channel, not a frequency")
    if call.freq_hz % _FREQ_STEP_HZ or call.freq_hz >= _VHF_HZ_MIN:
        raise CannotSay(f"{call.freq_hz} Hz can't be said: whole steps of 10 Hz below 30 MHz can")
    return words.Working(freq_hz=call.freq_hz)


def _channel(channel: str, *, vhf: bool) -> words.Working:
    found = field.workings_of(channel)
    if not vhf:
        raise CannotSay("on MF and HF a call proposes a frequency, not a VHF channel")
    if found is None or int(channel) == _CHANNEL_DSC:
        raise CannotSay(f"nobody can go on on VHF channel {channel} (RR appendix 18)")
    return found[0]


def _sentence(call: DscDetail) -> bytes:
    """Return the order to a radio: whom to call stands where a call heard says who called."""
    return write_call(replace(call, self_id=call.address_id), talker=TALKER)


_WHOSE = {To.GROUP: "a group", To.INDIVIDUAL: "one station"}
_WRITERS: dict[str, Callable[[DscDetail], bytes]] = {
    "nmea": _sentence,
    "symbols": lambda call: write_pairs(write_symbols(call)),
    "lines": lambda call: write_printed(write_symbols(call)),
}

COMPOSER = Composer(
    says=("ack", "relay", "call", "cancel"), framings=tuple(_WRITERS), compose=compose
)
