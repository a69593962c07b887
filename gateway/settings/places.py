"""Where the configuration and the files that come with the gateway are found."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

CONFIG_VARIABLE = "DISTRESS_GATEWAY_CONFIG"
SYSTEM_CONFIG = Path("/etc/distress-gateway/gateway.toml")
LOCAL_CONFIG = Path("config/gateway.toml")

_PACKAGE = Path(__file__).resolve().parent.parent
_IN_CHECKOUT = {"config": "config", "modems": "hardware/modems"}


def default_config() -> Path:
    """Return the configuration to use when none is named: the variable's, the system's, ours."""
    named = os.environ.get(CONFIG_VARIABLE)
    if named:
        return Path(named)
    return SYSTEM_CONFIG if SYSTEM_CONFIG.exists() else LOCAL_CONFIG


def shipped(kind: Literal["config", "modems"]) -> Path:
    """Return the folder of the files that come with the gateway: in a wheel or in a checkout."""
    in_wheel = _PACKAGE / "_shipped" / kind
    return in_wheel if in_wheel.is_dir() else _PACKAGE.parent / _IN_CHECKOUT[kind]
