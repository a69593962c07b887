"""Faults on purpose: a short form within `make test`, the whole form with `make faults`."""

from __future__ import annotations

import pytest
from conftest import WHOLE


@pytest.fixture(scope="session")
def whole() -> bool:
    """Say whether this is the whole form, which may take its time."""
    return WHOLE
