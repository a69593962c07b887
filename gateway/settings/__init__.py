"""The configuration: TOML files in, one frozen plan out, or every fault in them at once.

It reads files and nothing else: it opens no device, asks no broker and changes nothing.
"""

from gateway.settings.effective import effective
from gateway.settings.faults import BadSettings, ConfigFault
from gateway.settings.places import default_config, shipped
from gateway.settings.profiles import (
    folders_for,
    framing_names,
    profile_named,
    profile_names,
    radio_names,
)
from gateway.settings.station import is_name, load

__all__ = [
    "BadSettings",
    "ConfigFault",
    "default_config",
    "effective",
    "folders_for",
    "framing_names",
    "is_name",
    "load",
    "profile_named",
    "profile_names",
    "radio_names",
    "shipped",
]
