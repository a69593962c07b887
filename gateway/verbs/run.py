"""`run`: keep watch until told to stop."""

from __future__ import annotations

import argparse
import asyncio
import faulthandler
import gc
import os
import random
import signal
import sys
from collections.abc import Mapping
from pathlib import Path

from msgspec.structs import replace

from gateway.app import Service
from gateway.app.outside import Outside
from gateway.clock import Clock
from gateway.health.notify import Notify, notify_from
from gateway.journal.failed import JournalFailed
from gateway.log import Log, set_up
from gateway.model.plan import HealthPlan, StationPlan
from gateway.settings import load
from gateway.settings.keyring import KeyRing
from gateway.verbs.check import malformed

SWITCH_S = 0.0005
"""How long one thread may go on while another waits for the interpreter. A call changes between the
event loop and the journal's thread several times, and Python's 5 ms add up to a delay."""

STATUS_FILE = "status.json"
"""What it is called in the folder that systemd makes in /run."""


def main(args: argparse.Namespace) -> int:
    """Load the configuration, keep watch, end cleanly on SIGTERM and SIGINT."""
    plan = load(args.config, device_faults=malformed, on_watch=True)
    as_json = plan.log.format == "json" or (plan.log.format == "auto" and not sys.stderr.isatty())
    plan = replace(plan, health=with_status_file(plan.health, os.environ))
    log = set_up(level=plan.log.level, as_json=as_json)
    for doubt in plan.agreement_doubts:
        log.warning("agreement_kept_proposed", reason=doubt)
    for left in plan.left_out:
        log.error("left_out", reason=left)
    faulthandler.enable()  # whoever ends a program that hangs wants to know where
    sys.setswitchinterval(SWITCH_S)
    status = 0
    try:
        asyncio.run(watch(plan, log, notify_from(os.environ)))
    except* JournalFailed as failed:
        log.critical("journal_failed", trouble=[str(each) for each in failed.exceptions])
        status = 1
    return status


def with_status_file(health: HealthPlan, environment: Mapping[str, str]) -> HealthPlan:
    """Return the plan with the status file in systemd's RuntimeDirectory, if none is configured."""
    folder = environment.get("RUNTIME_DIRECTORY", "").partition(":")[0]
    if health.status_file is not None or not folder:
        return health
    return replace(health, status_file=str(Path(folder) / STATUS_FILE))


async def watch(plan: StationPlan, log: Log, notify: Notify) -> None:
    """Keep watch until SIGTERM or SIGINT."""
    dice = random.Random()  # noqa: S311  # back-off
    ring = None if plan.keys_file is None else KeyRing(Path(plan.keys_file), plan.keys)
    outside = Outside(notify=notify, keys=None if ring is None else ring.known)
    service = Service(plan, clock=Clock(), log=log, dice=dice, outside=outside)
    if ring is not None:
        ring.watch()
    told = asyncio.Event()
    loop = asyncio.get_running_loop()
    for each in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(each, told.set)
    async with asyncio.TaskGroup() as group:
        duty = group.create_task(service.run(), name="service")
        settling = group.create_task(_settle_in(service), name="settle in")
        await told.wait()
        log.info("watch_ended", station=plan.station)
        settling.cancel()
        duty.cancel()


async def _settle_in(service: Service) -> None:
    """Take all that is there once the watch has begun out of the search for garbage.

    It is there to stay; each look through it held the event loop up for a tenth of a second.
    """
    await service.on_watch.wait()
    gc.freeze()
