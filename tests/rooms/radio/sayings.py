"""What the tests of all composers order, and how they hear it."""

from __future__ import annotations

from gateway.model.inbound import Chunk, Moment, Ruling
from gateway.model.plan import Own, PortPlan, Profile
from gateway.model.transmission import Saying
from gateway.pipeline import hallway
from tests.rooms.spoken import without_notes

OWN = Own(mmsi="002320001", callsign="N0CALL-7", node=0x1234ABCD)
VHF_HZ = 156_525_000
MF_HZ = 2_187_500


def saying(action, framing, **other):
    """Return an order to say this, by this framing."""
    said = {"own": OWN, "command_id": "c-1", "not_after_s": 1_800_000_000, "freq_hz": VHF_HZ}
    return Saying(action=action, framing=framing, **{**said, **other})


def reports(system, framing, wire):
    """Return what a station that hears this wire tells of it."""
    profile = Profile(title="test", radio=(system,), framing=framing, proven="test")
    port = PortPlan(name="a", device="tape:test", modem="test", profile=profile)
    heard = hallway("test", [port]).inbound(Chunk("a", Moment(10**9), wire))
    items = without_notes(heard)
    assert all(isinstance(item, Ruling) for item in items), items
    return [item.sighting.report for item in items]
