"""What a rule remembers over a restart: its monotonic times are moved into the new run."""

from __future__ import annotations

from typing import TypeVar

import msgspec
from msgspec import Struct

AnyStruct = TypeVar("AnyStruct", bound=Struct)


def moved(memory: AnyStruct, shift_ns: int) -> AnyStruct:
    """Return the same with every time in it, each field whose name ends in `_ns`, moved so far."""
    if shift_ns == 0:
        return memory
    builtins = msgspec.to_builtins(memory, builtin_types=(bytes,))
    return msgspec.convert(_moved(builtins, shift_ns), type(memory), builtin_types=(bytes,))


def _moved(value: object, shift_ns: int) -> object:
    if isinstance(value, dict):
        return {
            key: one + shift_ns
            if isinstance(one, int) and isinstance(key, str) and key.endswith("_ns")
            else _moved(one, shift_ns)
            for key, one in value.items()
        }
    if isinstance(value, list | tuple):
        return [_moved(one, shift_ns) for one in value]
    return value
