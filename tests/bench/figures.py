"""A promise and what came of it, and the machine it was taken on."""

from __future__ import annotations

import os
import platform
import re
import statistics
from collections.abc import Callable
from pathlib import Path

import msgspec

MEMORY_MB_MAX = 128


class Figure(msgspec.Struct):
    """One promise and what came of it."""

    name: str
    unit: str
    goal: str
    values: list[float]
    kept: Callable[[float], bool]

    def line(self) -> str:
        """Return the figure as a line of the table."""
        median = statistics.median(self.values)
        verdict = "no goal" if not self.goal else f"goal {self.goal}: kept"
        if not self.kept(median):
            verdict = f"goal {self.goal}: MISSED"
        spread = f"{min(self.values):,.1f} .. {max(self.values):,.1f}"
        found = f"{self.name:<58} {median:>10,.1f} {self.unit:<6} ({spread})"
        return f"{found}  {verdict}"


def at_most(name: str, unit: str, limit: float, values: list[float]) -> Figure:
    """Return a figure that may not be above its limit."""
    return Figure(name, unit, f"<= {limit:,g}", values, lambda value: value <= limit)


def at_least(name: str, unit: str, limit: float, values: list[float]) -> Figure:
    """Return a figure that may not be below its limit."""
    return Figure(name, unit, f">= {limit:,g}", values, lambda value: value >= limit)


def told(name: str, unit: str, values: list[float]) -> Figure:
    """Return a figure that nobody has set a goal for."""
    return Figure(name, unit, "", values, lambda _: True)


def share_of(ascending: list[float], share: float) -> float:
    """Return what this share of the values does not exceed."""
    return ascending[min(int(len(ascending) * share), len(ascending) - 1)]


def peak_mb() -> float:
    """Return the most memory that this process has ever had resident."""
    held = Path("/proc/self/status").read_text()
    return int(re.findall(r"VmHWM:\s+(\d+)", held)[0]) / 1e3


def machine() -> str:
    """Name the machine."""
    found = re.findall(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    model = found[0] if found else platform.machine()
    load = os.getloadavg()[0]
    return (
        f"{model}, {os.cpu_count()} cores, {platform.system()} {platform.release()}, "
        f"Python {platform.python_version()}, load {load:.1f}"
    )
