"""From the bits of one transmission to words (ICAO Annex 10 volume IV, 3.1.2).

    format   bits 1-5 and on                                             check bits
    0, 16    DDDDD V      …  altitude, bits 20-32                        A
    4, 20    DDDDD FFF    …  altitude, bits 20-32                        A
    5, 21    DDDDD FFF    …  squawk,   bits 20-32                        A
    11       DDDDD CCC    address, bits 9-32                             I
    17       DDDDD CCC    address, bits 9-32   squitter, bits 33-88      P
    18       DDDDD OOO    address, bits 9-32   squitter, bits 33-88      P

    D  downlink format   V  on the ground   F  flight status   C  capability   O  who made it
    P  nothing is laid over them   I  the interrogator's number is, seven bits
    A  the address is: whoever asks knows it, and nobody else can tell it from noise

What is not read (formats 19, 22 and 24, and what is asked for in 16, 20 and 21) stays in `raw`.
"""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace

from gateway.codes.crc24 import overlay
from gateway.radio.mode_s import altitude
from gateway.radio.mode_s.forms import Burst
from gateway.radio.mode_s.squitter import read_squitter
from gateway.radio.mode_s.words import ModeSDetail

_OVERLAID = {0, 4, 5, 16, 20, 21}
_OF_ALTITUDE = {0, 4, 16, 20}
_OF_FLIGHT_STATUS = {4, 5, 20, 21}
_ON_GROUND = {0: None, 1: True, 2: None, 3: True}
_INTERROGATOR = 0x7F
_ANONYMOUS = {1, 5}
"""Values of CF: no address of ICAO's by CF alone (DO-260B, table 2-11)."""
_MANAGEMENT = {3, 4, 7}
"""Values of CF whose 56 bits are no extended squitter."""
_REBROADCAST = {2, 6}
"""Values of CF whose squitters have a flag for whose address it is (IMF)."""
_IMF_BITS = {
    **dict.fromkeys((*range(9, 19), *range(20, 23)), 8),
    **dict.fromkeys(range(5, 9), 21),
    19: 9,
}
"""Where it stands, by type code (DO-260B, 2.2.17)."""


class Said(Struct, frozen=True, gc=False):
    """What a transmission says, and how far it proves itself."""

    words: ModeSDetail
    proven: bool
    """Whether its check bits hold. Where the address is laid over them, only who knows it can say:
    then it is not."""


def read_burst(burst: Burst) -> Said | None:
    """Return what a transmission says; None for a downlink format that is not read."""
    octets = burst.octets
    form = octets[0] >> 3
    if form in (17, 18):
        words = _squitter(form, octets)
        return Said(replace(words, receiver=burst.receiver), overlay(octets) == 0)
    if form == 11:
        words = ModeSDetail(
            df=11,
            address=octets[1:4].hex().upper(),
            capability=octets[0] & 7,
            on_ground=_BY_CAPABILITY.get(octets[0] & 7),
            receiver=burst.receiver,
        )
        return Said(words, overlay(octets) == 0)
    if form not in _OVERLAID:
        return None
    return Said(_reply(form, burst), proven=False)


_BY_CAPABILITY = {4: True, 5: False}
"""What a capability says of being on the ground; the others say nothing."""


def answers_interrogator(octets: bytes) -> bool:
    """Say whether an all-call reply is whole when a ground station's number is laid over it.

    Seventeen bits prove it: too few for noise, unless its address is known.
    """
    return overlay(octets) <= _INTERROGATOR


def _reply(form: int, burst: Burst) -> ModeSDetail:
    octets = burst.octets
    pulses = int.from_bytes(octets[2:4], "big") & 0x1FFF
    has_status = form in _OF_FLIGHT_STATUS
    return ModeSDetail(
        df=form,
        address=f"{overlay(octets):06X}",
        flight_status=octets[0] & 7 if has_status else None,
        on_ground=_ON_GROUND.get(octets[0] & 7) if has_status else bool(octets[0] & 4),
        altitude_ft=altitude.of_13(pulses) if form in _OF_ALTITUDE else None,
        squawk=None if form in _OF_ALTITUDE else altitude.squawk_of(pulses),
        receiver=burst.receiver,
    )


def _squitter(form: int, octets: bytes) -> ModeSDetail:
    address = octets[1:4].hex().upper()
    low = octets[0] & 7
    if form == 17:
        words = read_squitter(octets[4:11])
        on_ground = words.on_ground or _BY_CAPABILITY.get(low)
        return replace(words, df=17, address=address, capability=low, on_ground=on_ground)
    if low in _MANAGEMENT:
        return ModeSDetail(df=18, address=address, control=low, anonymous=low != 7)
    words = read_squitter(octets[4:11])
    return replace(
        words, df=18, address=address, control=low, anonymous=_is_anonymous(low, octets[4:11])
    )


def _is_anonymous(control: int, squitter: bytes) -> bool:
    if control in _ANONYMOUS:
        return True
    flag = _IMF_BITS.get(squitter[0] >> 3)
    if control not in _REBROADCAST or flag is None:
        return False
    return bool(int.from_bytes(squitter, "big") >> 56 - flag & 1)
