"""`run`: keep watch until told to stop."""

from __future__ import annotations

import argparse
import asyncio
import faulthandler
import os
import random
import signal
import sys

from gateway.app import Service
from gateway.app.outside import Outside
from gateway.clock import Clock
from gateway.health.notify import Notify, notify_from
from gateway.journal.failed import JournalFailed
from gateway.log import Log, set_up
from gateway.model.plan import StationPlan
from gateway.settings import load
from gateway.verbs.check import malformed


def main(args: argparse.Namespace) -> int:
    """Load the configuration, keep watch, end cleanly on SIGTERM and SIGINT."""
    plan = load(args.config, device_faults=malformed)
    as_json = plan.log.format == "json" or (plan.log.format == "auto" and not sys.stderr.isatty())
    log = set_up(level=plan.log.level, as_json=as_json)
    faulthandler.enable()  # whoever ends a program that hangs wants to know where
    status = 0
    try:
        asyncio.run(watch(plan, log, notify_from(os.environ)))
    except* JournalFailed as failed:
        log.critical("journal_failed", trouble=[str(each) for each in failed.exceptions])
        status = 1
    return status


async def watch(plan: StationPlan, log: Log, notify: Notify) -> None:
    """Keep watch until SIGTERM or SIGINT."""
    dice = random.Random()  # noqa: S311  # back-off
    service = Service(plan, clock=Clock(), log=log, dice=dice, outside=Outside(notify=notify))
    told = asyncio.Event()
    loop = asyncio.get_running_loop()
    for each in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(each, told.set)
    async with asyncio.TaskGroup() as group:
        duty = group.create_task(service.run(), name="service")
        await told.wait()
        log.info("watch_ended", station=plan.station)
        duty.cancel()
