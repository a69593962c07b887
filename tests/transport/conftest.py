"""A port at hand, and what it is given."""

import random

import pytest
import structlog

from gateway.clock import Clock
from gateway.model.plan import PortPlan, Profile
from gateway.transport.supervisor import Port

PROFILE = {
    "title": "bench",
    "radio": ("dsc",),
    "framing": "nmea",
    "proven": "these tests",
}


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def plan_of():
    """Make a plan of one port."""

    def make(device: str, *, name: str = "one", port=None, **facts) -> PortPlan:
        profile = Profile(**{**PROFILE, **facts})
        return PortPlan(name=name, device=device, modem="bench", profile=profile, **(port or {}))

    return make


@pytest.fixture
def events():
    """What was logged, newest last."""
    return []


@pytest.fixture
def port_of(plan_of, clock, events):
    """Make a port whose log is `events`."""

    def log(_logger, _method, event):
        events.append(event)
        raise structlog.DropEvent

    def make(device: str, *, modems=None, **facts) -> Port:
        quiet = structlog.wrap_logger(
            None,
            processors=[log],
            wrapper_class=structlog.make_filtering_bound_logger(0),
        )
        return Port(
            plan_of(device, **facts),
            clock=clock,
            log=quiet,
            jitter=random.Random(1),
            modems=modems or {},
        )

    return make
