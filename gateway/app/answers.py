"""What a packed modem answers to whoever transmits by it (docs/LINK.md, sections 3 to 5).

hello     who it is: nothing is handed to another one
echo      it lives: one that had stalled may be handed something again
nak       it can't take a message
outcome   what became of one that it has taken
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from gateway.app.echoes import Echoes
from gateway.app.stages import Order
from gateway.model.command import OutcomeState
from gateway.model.inbound import Report
from gateway.radio.packed.words import PackedDetail
from gateway.transport.supervisor import Port

SENT = "sent"
"""What an outcome says that is as it should be; `refused` and `expired` are the others."""


class Answer(Struct, frozen=True):
    """What has become of an order, as its modem says."""

    order: Order
    stage: OutcomeState
    why: str


def is_of_link(report: Report) -> bool:
    """Say whether a modem speaks of itself or of the link: that was on no air."""
    return isinstance(report.detail, PackedDetail) and report.detail.said != "report"


def answer_of(report: Report, ports: Mapping[str, Port], echoes: Echoes) -> Answer | None:
    """Have its port take what a modem says; return what that means for an order of ours."""
    said, at = report.detail, report.heard
    if not isinstance(said, PackedDetail):
        return None
    order, stage, why = None, OutcomeState.CONFIRMED, "its modem has answered"
    match said.said:
        case "hello":
            ports[at.port].recognised(said.serial, at.mono_ns)
        case "echo":
            ports[at.port].answered(at.mono_ns)
            order = echoes.answered(at.port)
        case "nak" if said.number is not None:
            order, stage = echoes.refused(at.port, said.number), OutcomeState.FAILED
            why = f"its modem can't take it: {said.why}"
        case "outcome" if said.order is not None:
            order = echoes.ended(at.port, said.order, sent=said.done == SENT)
            why = "its modem has sent it"
            if said.done != SENT:
                stage = OutcomeState.FAILED
                why = f"its modem has not sent it: {said.why or said.done}"
    return None if order is None else Answer(order, stage, why)
