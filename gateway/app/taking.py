"""From a letter to an order: whether its port can say it at all, and in which bytes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from hashlib import sha256

from gateway.app.stages import Order, Signed
from gateway.model.asked import Request
from gateway.model.inbound import Moment
from gateway.model.plan import Own, PortPlan, StationPlan
from gateway.model.transmission import CannotSay, Letter, tag_of
from gateway.model.words import HELD
from gateway.normalise import utc_of
from gateway.radio.packed.packet import NUMBERS
from gateway.rules.asking import Air, airtime_s, is_link_test, request_of
from gateway.rules.governor import Wish
from gateway.rules.permit import Load
from gateway.transport.supervisor import Port

Compose = Callable[[Letter, PortPlan, Own, int], tuple[bytes, ...]]
"""Returns the bytes that say it to this port's modem, which was handed so many messages before;
raises CannotSay."""


ASIDE = "nothing is transmitted until this is put right"
"""What can't be read, or is not signed by all, may hold the rule that would forbid it."""


def stands_aside(plan: StationPlan) -> str | None:
    """Return what can't be read or is not signed, and keeps this station from transmitting."""
    found = (*plan.left_out, *plan.agreement_doubts)
    return f"{ASIDE}: {found[0]}" if found else None


class Taking:
    """The ports of a station, as far as letters are about them."""

    def __init__(self, plan: StationPlan, ports: Mapping[str, Port], compose: Compose) -> None:
        self._plans = {port.name: port for port in plan.ports}
        self._aside = stands_aside(plan)
        self._ports = ports
        self._own = plan.transmit
        self._compose = compose
        self._said = dict.fromkeys(self._plans, 0)
        """Messages that each modem was handed: those of an order that came to nothing count too."""

    def order(self, signed: Signed, now: Moment, *, exercising: bool) -> Order | str:
        """Return the order that the letter gives, with its bytes; or why its port can't say it."""
        letter = signed.letter
        plan = self._plans.get(letter.port)
        if plan is None:
            return f"there is no port {letter.port}: {', '.join(self._plans)} are there"
        unable = self._unable(letter, plan, exercising=exercising)
        if unable is not None:
            return unable
        try:
            said = self._compose(letter, plan, self._own, self._said[plan.name])
        except CannotSay as cannot:
            return str(cannot)
        first = self._said[plan.name]
        self._said[plan.name] += len(said)
        data = b"".join(said)
        ends_ns = now.mono_ns + round(_good_s(letter, now) * 1e9)
        air = _air(plan)
        request = request_of(letter, air, now, persons=signed.persons, octets=len(data))
        load = Load(
            port=letter.port,
            sha256=sha256(data).digest(),
            airtime_s=airtime_s(letter.action, air, len(data)),
            not_after_mono_ns=ends_ns,
        )
        wish = Wish(
            request_id=letter.command_id,
            port=letter.port,
            channel=_channel(plan),
            urgency=request.category,
            same=sha256(letter.port.encode() + data).digest(),
            airtime_s=load.airtime_s,
            asked_ns=now.mono_ns,
            not_before_ns=now.mono_ns,
            not_after_ns=ends_ns,
        )
        numbers = tuple(number % NUMBERS for number in range(first, first + len(said)))
        say = f"{tag_of(letter.action)} by {letter.port}"
        return Order(signed=signed, data=data, numbers=numbers, load=load, wish=wish, say=say)

    def request(self, order: Order, now: Moment) -> Request:
        """Return what the rules are asked about an order now."""
        signed = order.signed
        air = _air(self._plans[signed.letter.port])
        return request_of(signed.letter, air, now, persons=signed.persons, octets=len(order.data))

    def channel(self, port: str) -> str:
        """Return what is the same for two ports that are tuned to one frequency."""
        return _channel(self._plans[port])

    def _unable(self, letter: Letter, plan: PortPlan, *, exercising: bool) -> str | None:
        """Return why it can't go out by this port now, whatever the agreements say."""
        if self._aside is not None:
            return self._aside
        if letter.exercise != plan.exercise:
            of = "an exercise" if plan.exercise else "no exercise"
            return f"port {plan.name} is of {of}, and the letter is not: nothing crosses"
        if letter.exercise and not exercising:
            return "no exercise runs: order `exercise start` first"
        standing = self._ports[plan.name].state.transmit
        if standing.now == "ready" or (standing.now == "dead" and is_link_test(letter.action)):
            return None
        return f"port {plan.name}: {standing.reason}"


def _good_s(letter: Letter, now: Moment) -> float:
    """Return how long it is good for, from now on, by whichever clock ends it sooner."""
    span_s = (letter.not_after - letter.issued).total_seconds()
    utc = utc_of(now.utc_ns) if now.clock in HELD else None
    left_s = span_s if utc is None else (letter.not_after - utc).total_seconds()
    return max(min(span_s, left_s), 0.0)


def _air(plan: PortPlan) -> Air:
    profile = plan.profile
    return Air(freq_hz=profile.freq_hz, system=profile.on_air, exercise=plan.exercise)


def _channel(plan: PortPlan) -> str:
    return plan.name if plan.profile.freq_hz is None else f"{plan.profile.freq_hz}"
