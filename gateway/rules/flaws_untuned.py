"""Which watches of this station can't be kept with the ports that it has? Asked of a configuration.

It is said by the agreements who has to listen where, and by the ports what is tuned to what.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from operator import attrgetter

from gateway.model.plan import PortPlan
from gateway.rules.bench import Bench
from gateway.rules.evidence import HEARTBEAT, HEARTBEAT_S
from gateway.rules.watching import Duty, duties_of, tuned_of


def untuned(bench: Bench, ports: Sequence[PortPlan]) -> Iterator[tuple[str, str]]:
    """Yield each rule by which this station has to listen and can't show it, and why."""
    own = [duty for duty in duties_of(bench, tuned_of(ports)) if duty.own]
    saying = {port.name for port in ports if port.profile.hello}
    for _, group in groupby(own, attrgetter("account")):
        together = list(group)
        yield from _never(together)
        yield from _too_short(together, saying)


def _never(together: Sequence[Duty]) -> Iterator[tuple[str, str]]:
    """Find a watch for which too few channels have a receiver."""
    first = together[0]
    missing = [duty.channel for duty in together if not duty.ports]
    if len(together) - len(missing) < (first.needed or 1):
        where = " and ".join(missing)
        yield _where(first), f"no port is tuned to {where} (`freq_hz`): the watch is never shown"


def _too_short(together: Iterable[Duty], saying: set[str]) -> Iterator[tuple[str, str]]:
    """Find a gap that is over before a modem gives its next sign of life.

    Where the rule names that sign, the rule says so of itself.
    """
    for duty in together:
        named = duty.stated is not None and HEARTBEAT in duty.stated
        if named or HEARTBEAT not in duty.kinds or duty.gap_s > HEARTBEAT_S:
            continue
        for port in (port for port in duty.ports if port in saying):
            often = f"the modem of port {port} gives a sign of life every {HEARTBEAT_S:g} s"
            yield _where(duty), f"`max_gap_s` is {duty.gap_s:g}, and {often}: agree on more"


def _where(duty: Duty) -> str:
    return f"{duty.agreement} {duty.rule}"
