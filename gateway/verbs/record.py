"""`record`: put everything that the ports hear on tape, and nothing else.

No journal, no broker: for a site survey, for a fault that must be shown, for a new modem's first
vectors. The tapes replay to the same entries that a watch would have made.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import signal
import sys
from contextlib import aclosing
from pathlib import Path

from gateway.app import recorder_of
from gateway.clock import Clock
from gateway.log import Log, set_up
from gateway.model.inbound import Tick
from gateway.model.plan import PortPlan, RecordPlan, StationPlan
from gateway.settings import load
from gateway.transport.recorder import Recorder
from gateway.transport.supervisor import Port
from gateway.verbs.check import malformed
from gateway.verbs.ending import end_on

TICK_S = 1.0


def main(args: argparse.Namespace) -> int:
    """Record the ports asked for, all of them by default, until stopped or for `args.seconds`."""
    plan = load(args.config, device_faults=malformed)
    ports = tuple(port for port in plan.ports if not args.port or port.name in args.port)
    if unknown := set(args.port or ()) - {port.name for port in plan.ports}:
        known = ", ".join(port.name for port in plan.ports)
        print(f"no port {', '.join(sorted(unknown))}; there are: {known}", file=sys.stderr)
        return 2
    log = set_up(level=plan.log.level, as_json=False)
    return asyncio.run(_record(plan, ports, log, args=args))


async def _record(
    plan: StationPlan, ports: tuple[PortPlan, ...], log: Log, *, args: argparse.Namespace
) -> int:
    clock = Clock()
    out = RecordPlan(directory=args.out)
    recorder = recorder_of(out, plan, ports, boot=clock.boot)
    dice = random.Random()  # noqa: S311  # for the back-off, no secret
    supervised = [Port(port, clock=clock, log=log, jitter=dice) for port in ports]
    try:
        async with asyncio.timeout(args.seconds), asyncio.TaskGroup() as group:
            end_on(signal.SIGTERM)
            for port in supervised:
                group.create_task(_listen(port, recorder), name=port.state.name)
            while True:
                await clock.sleep(TICK_S)
                recorder.write(Tick(clock.now()))
                _show(supervised, recorder)
    except (TimeoutError, asyncio.CancelledError):
        pass  # time is up, or enough has been heard
    finally:
        recorder.close()
    heard = ", ".join(f"{port.state.name} {port.state.bytes_in:,} bytes" for port in supervised)
    print(f"\nrecorded to {Path(args.out)}: {heard}", file=sys.stderr)
    if not recorder.records_lost:
        return 0
    print(
        f"NOT on tape: {recorder.records_lost} of what was heard; {recorder.last_error}",
        file=sys.stderr,
    )
    return 1


async def _listen(port: Port, recorder: Recorder) -> None:
    async with aclosing(port.chunks()) as chunks:
        async for chunk in chunks:
            recorder.write(chunk)


def _show(ports: list[Port], recorder: Recorder) -> None:
    """Show on a terminal how much has come in."""
    if not sys.stderr.isatty():
        return
    heard = "  ".join(
        f"{port.state.name} {port.state.bytes_in:,} ({port.state.state})" for port in ports
    )
    trouble = (
        f"  LOST {recorder.records_lost}: {recorder.last_error}" if recorder.last_error else ""
    )
    print(f"\r{heard}{trouble}\x1b[K", end="", file=sys.stderr, flush=True)
