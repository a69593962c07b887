"""Two gateways that hear each other never answer each other for ever."""

from __future__ import annotations

import asyncio

import pytest
from app.sending import ACKED, MAYDAY, SHIP, Desk, on_duty

from gateway.app import transmitting, twins
from gateway.model.transmission import Area, Distress, Relay, To

TWIN = "002320009"
AREA = Area(lat_deg=52, lon_deg=-6, southwards_deg=3, eastwards_deg=5)
RELAY = Relay(distress=Distress(mmsi=SHIP), to=To.AREA, area=AREA)
RELAYED = b"$CDDSC,16,%b,12,12,09,1503000500,1207,2321234560,05,S,E"
"""A relay by a station (M.493 telecommand 112), of this ship's sinking."""


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    monkeypatch.setattr(transmitting, "LOOK_S", 0.002)
    monkeypatch.setattr(transmitting, "REST_S", 0.002)


def told(scene, **how):
    async def run():
        async with on_duty(Desk(twins=(TWIN,), **how)) as desk:
            await desk.until(lambda: desk.duty.unfinished.begun)
            await scene(desk)
            await desk.settled()
        return desk

    return asyncio.run(run())


def relayed_by(mmsi):
    return RELAYED % f"{mmsi}0".encode()


def reason(desk):
    return desk.order(RELAY).outcome.reason or ""


@pytest.mark.parametrize("sender", [TWIN, "002320000"])
def test_what_only_a_twin_has_told_of_is_not_relayed_again(sender):
    async def scene(desk):
        desk.hears(relayed_by(sender))
        assert "it was relayed already" in reason(desk)

    assert not told(scene).air


@pytest.mark.parametrize(
    "said", [(), (MAYDAY,), (MAYDAY, relayed_by(TWIN)), (relayed_by("232999999"),)]
)
def test_what_somebody_else_has_told_of_is_no_loop(said):
    async def scene(desk):
        for one in said:
            desk.hears(one)
        assert "it was relayed already" not in reason(desk)

    told(scene)


def test_after_an_hour_it_is_no_echo_any_more():
    async def scene(desk):
        desk.hears(relayed_by(TWIN))
        desk.clock.pass_s(3601)
        assert "it was relayed already" not in reason(desk)

    told(scene)


@pytest.mark.parametrize(("by", "air"), [(b"0023200000", 0), (b"0023200090", 0), (None, 1)])
def test_what_a_twin_has_acknowledged_no_machine_acknowledges_again(by, air):
    async def scene(desk):
        if by is not None:
            desk.hears(ACKED.replace(b"0023200000", by))
        desk.hears(MAYDAY)

    assert len(told(scene, acknowledges=("vhf",)).air) == air


def test_what_is_remembered_of_casualties_is_bounded(monkeypatch):
    monkeypatch.setattr(twins, "CASUALTIES_MAX", 1)

    async def scene(desk):
        desk.hears(relayed_by(TWIN))
        desk.hears(MAYDAY.replace(b"2321234560", b"2329876540"))
        (bound,) = desk.duty._twins.bounds()
        assert (bound.held, bound.evicted) == (1, 1)
        assert "it was relayed already" not in reason(desk)

    told(scene)
