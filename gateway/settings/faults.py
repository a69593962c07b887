"""What is wrong with a configuration, said so that a person can put it right.

BadSettings
    faults: every ConfigFault found, in the order of the files
"""

from __future__ import annotations

from msgspec import Struct


class ConfigFault(Struct, frozen=True):
    """One thing wrong: in which file, on which line, at which key, and what to do about it."""

    file: str
    line: int
    """Counted from 1; 0 when it is the file as a whole."""
    key: str
    """The full name of the key, with dots; empty when it is the file as a whole."""
    what: str
    remedy: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}:" if self.line else f"{self.file}:"
        key = f" {self.key}:" if self.key else ""
        return f"{place}{key} {self.what}; {self.remedy}"


class BadSettings(Exception):  # noqa: N818  # it names what the operator has, as our others do
    """A configuration that nothing may be started with."""

    def __init__(self, faults: tuple[ConfigFault, ...]) -> None:
        super().__init__(faults)
        self.faults = faults

    def __str__(self) -> str:
        return "\n".join(str(fault) for fault in self.faults)
