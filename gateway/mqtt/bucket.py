"""A token bucket: how much routine a link may be given, whatever comes in. Pure."""

from __future__ import annotations

BURST_S = 2.0
"""What may come at once, in seconds of the rate: after a quiet while, a whole flush of places."""


class Bucket:
    """Filled at a rate, emptied one by one."""

    def __init__(self, per_s: float) -> None:
        self._per_s = per_s
        self._full = max(1.0, per_s * BURST_S)
        self._left = self._full
        self._filled_ns: int | None = None

    def take(self, now_ns: int) -> bool:
        """Take one out, if there is one."""
        if self._filled_ns is not None:
            since_s = (now_ns - self._filled_ns) / 1e9
            self._left = min(self._full, self._left + since_s * self._per_s)
        self._filled_ns = now_ns
        if self._left < 1:
            return False
        self._left -= 1
        return True
