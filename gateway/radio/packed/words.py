"""What a packed modem says in its own words. Absent is None."""

from __future__ import annotations

from gateway.model.inbound import Detail


class PackedDetail(Detail, frozen=True, kw_only=True, omit_defaults=True, tag="packed"):
    """One letter of a modem that speaks the packed link, or what became of the link."""

    said: str
    """report, hello, health, outcome, test, echo, nak, or gap: numbers are missing."""
    number: int | None = None
    """Of its packet, 0 to 255."""
    missing: int | None = None
    """How many packets were lost before this one."""
    modem: str | None = None
    firmware: str | None = None
    serial: str | None = None
    radios: tuple[str, ...] = ()
    """The radio systems that it hears."""
    start: int | None = None
    """Another number each time that the modem is started."""
    up_s: int | None = None
    heard: int | None = None
    """Transmissions since its start."""
    refused: int | None = None
    """Those of them that nothing proved."""
    lost: int | None = None
    """Letters that it gave up for want of room or of an acknowledgement."""
    noise_dbm: float | None = None
    supply_v: float | None = None
    temp_c: float | None = None
    antenna: str | None = None
    clock: str | None = None
    order: str | None = None
    """Which order an outcome is of."""
    done: str | None = None
    why: str | None = None
    proof: str | None = None
    """How the modem says that a transmission was proven on the air."""
    nature: str | None = None
    """The nature of distress in the modem's word."""
