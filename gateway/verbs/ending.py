"""How a verb that goes on for ever is told to end: in order, as though its time were up."""

import asyncio
from signal import Signals


def end_on(*signals: Signals) -> None:
    """Cancel the task that asks for this when one of these signals comes."""
    task = asyncio.current_task()
    if task is not None:
        for each in signals:
            asyncio.get_running_loop().add_signal_handler(each, task.cancel)
