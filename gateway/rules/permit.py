"""Leave to transmit: given by what the agreements say, once, for these bytes, on this port, soon.

Whoever holds a port's writer has to show one. Nobody can make one but `permitted`, and that asks
for what all rules together have said.
"""

from __future__ import annotations

from typing import Final, final

from msgspec import Struct

from gateway.model.verdict import PASSES
from gateway.rules.engine import Gated

GOOD_FOR_NS = 5 * 10**9
"""From the verdict until the first byte: the disk has to take it, and may be waited for two
seconds. What the rules said is no longer said after this; whoever still wants it asks them anew."""


class Load(Struct, frozen=True, kw_only=True):
    """What is to be handed to a port."""

    port: str
    sha256: bytes
    """Of every byte, in order."""
    airtime_s: float
    """How long it keys the transmitter, by estimate."""
    not_after_mono_ns: int
    """Whoever ordered it wants nothing of it begun after this."""


class _Seal:
    """What only this module has."""


_SEAL: Final = _Seal()


@final
class Permit:
    """Leave to hand a load to its port, once."""

    __slots__ = ("digests", "load", "request_id", "rules", "until_mono_ns")

    def __init__(
        self,
        seal: _Seal,
        *,
        request_id: str,
        load: Load,
        digests: tuple[str, ...],
        rules: tuple[str, ...],
        until_mono_ns: int,
    ) -> None:
        if seal is not _SEAL:
            raise TypeError(Permit)
        self.request_id = request_id
        self.load = load
        self.digests = digests
        """Of every agreement that let it pass."""
        self.rules = rules
        """`agreement/rule` of each that has said so."""
        self.until_mono_ns = until_mono_ns
        """Not a byte is begun after this."""

    def covers(self, port: str, sha256: bytes, mono_ns: int) -> str | None:
        """Return why this load may not be handed to this port now; None where it may."""
        if port != self.load.port:
            return f"the permit is for port {self.load.port}"
        if sha256 != self.load.sha256:
            return "the permit is for other bytes"
        if mono_ns > self.until_mono_ns:
            late_s = (mono_ns - self.until_mono_ns) / 1e9
            return f"the permit ended {late_s:.3f} s ago"
        return None


def permitted(request_id: str, gated: Gated, load: Load, mono_ns: int) -> Permit | None:
    """Return leave to transmit, where all agreements together let it pass; else None.

    What no rule says anything of is not allowed: leave is given, never just not refused.
    """
    if gated.judgement not in PASSES or not gated.verdicts:
        return None
    passed = [verdict for verdict in gated.verdicts if verdict.judgement in PASSES]
    return Permit(
        _SEAL,
        request_id=request_id,
        load=load,
        digests=tuple(dict.fromkeys(verdict.digest for verdict in passed)),
        rules=tuple(f"{verdict.agreement}/{verdict.rule}" for verdict in passed),
        until_mono_ns=min(mono_ns + GOOD_FOR_NS, load.not_after_mono_ns),
    )
