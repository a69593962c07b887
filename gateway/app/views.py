"""How ports and links stand, in the words of the status."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from msgspec.structs import replace

from gateway.health.notify import Notify
from gateway.health.scrape import Scrape
from gateway.health.statusfile import StatusFile
from gateway.model.inbound import Moment
from gateway.model.plan import PortPlan
from gateway.model.status import AlertName, HealthCounts, LinkStatus, PortLink
from gateway.mqtt.linkstate import LinkState
from gateway.normalise import utc_of
from gateway.transport.supervisor import PortState


def port_link(state: PortState, plan: PortPlan, now: Moment) -> PortLink:
    """Return how a port stands now."""
    retry_ns, last_ns = state.retry_at_mono_ns, state.last_byte_mono_ns
    return PortLink(
        state=state.state,
        modem=plan.modem,
        device=plan.device,
        exercise=plan.exercise,
        last_error=state.last_error,
        retry_in_s=None if retry_ns is None else round(max(0, retry_ns - now.mono_ns) / 1e9, 1),
        reopened=state.reopened,
        transmit=state.transmit.now,
        transmit_reason=state.transmit.reason if state.transmit.now != "never" else None,
        last_heard_utc=utc_of(now.utc_ns - (now.mono_ns - last_ns))
        if last_ns is not None and now.utc_ns is not None
        else None,
    )


def link_status(state: LinkState, queued: int) -> LinkStatus:
    """Return how a link stands, and how much it has yet to tell."""
    return LinkStatus(
        connected=state.distress_connected and state.routine_connected and state.receipts_connected,
        queued=queued + state.unjournaled_waiting,
        lost=state.unjournaled_lost + state.unwritable,
        retains=state.retains,
        connects=state.connects,
        published=state.published + state.unjournaled_told,
        resent=state.resent,
        unsigned=state.unsigned,
        oldest_unsigned_s=state.oldest_unsigned_s,
        receipts=state.receipts,
        receipts_refused=state.receipts_refused,
        requests=state.requests.answered,
        requests_refused=state.requests.refused,
        requests_broken_off=state.requests.broken_off,
        answered=state.requests.records,
        commands=state.commands.accepted,
        commands_refused=state.commands.refused,
        outcomes_untold=state.commands.unanswered,
        exports=state.exports.told,
        exports_failed=state.exports.failed,
        exports_superseded=state.exports.superseded,
        poison=len(state.poison) + len(state.unjournaled_poison),
        refused=state.refused,
        offered=state.offered,
        dropped=state.dropped,
        throttled=state.throttled,
        conflated=state.conflated,
        outbox_errors=state.outbox_errors,
        overflowed=state.overflowed,
        certificates=state.certificates,
        certificates_replaced=state.certificates_replaced,
        last_error=state.last_error,
    )


def health_counts(file: StatusFile | None, notify: Notify, scrape: Scrape | None) -> HealthCounts:
    """Return what came of the ways to see the status without a broker."""
    return HealthCounts(
        status_file_failures=file.failures if file else 0,
        notify_failures=notify.failures,
        scrapes_refused=scrape.refused if scrape else 0,
    )


def in_words(
    ports: Sequence[PortState], links: Sequence[LinkState], alerts: Iterable[AlertName]
) -> str:
    """Return how the box is in one line, as `systemctl status` shows it."""
    listening = sum(port.state == "open" for port in ports)
    up = sum(link.distress_connected and link.routine_connected for link in links)
    words = f"{listening} of {len(ports)} ports open, {up} of {len(links)} links up"
    standing = ", ".join(alerts)
    return f"{words}; alerts: {standing}" if standing else words


class PortNews:
    """Which ports stand otherwise than when it was asked last."""

    def __init__(self, ports: Sequence[PortState], plans: Sequence[PortPlan]) -> None:
        self._ports = tuple(zip(ports, plans, strict=True))
        self._told: dict[str, PortLink] = {}

    def since(self, now: Moment) -> Iterator[tuple[str, PortLink]]:
        """Yield each of them by its name, and how it stands now."""
        for state, plan in self._ports:
            told, found = self._told.get(plan.name), port_link(state, plan, now)
            if told is None or differ(told, found):
                self._told[plan.name] = found
                yield plan.name, found


def differ(told: PortLink, now: PortLink) -> bool:
    """Say whether a port's news is worth telling; a clock that runs on is none."""
    still = {"retry_in_s": None, "last_heard_utc": None}
    return replace(told, **still) != replace(now, **still)
