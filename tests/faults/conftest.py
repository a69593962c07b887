"""Faults on purpose: a short form within `make test`, the whole form with `make faults`."""

from __future__ import annotations

import os
from collections import defaultdict

import pytest

WHOLE = os.environ.get("FAULTS") == "whole"
FIGURES = pytest.StashKey[defaultdict[str, list[str]]]()


@pytest.fixture(scope="session")
def whole() -> bool:
    """Say whether this is the whole form, which may take its time."""
    return WHOLE


@pytest.fixture(scope="session")
def figure(request):
    """Return what notes a figure of a fault: `figure("F16", "noticed p99 1.4 ms of 100")`."""
    found = request.config.stash.setdefault(FIGURES, defaultdict(list))
    return lambda fault, words: found[fault].append(words)


def pytest_terminal_summary(terminalreporter, config):
    """Print what was seen of each fault, below the tests."""
    found = config.stash.get(FIGURES, {})
    if found:
        terminalreporter.section(f"faults, {'whole' if WHOLE else 'short'} form")
        for fault in sorted(found, key=lambda name: int(name[1:])):
            for words in found[fault]:
                terminalreporter.write_line(f"{fault:4} {words}")
