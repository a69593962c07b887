"""Which channel of an agreement is it? By frequency, else by the one that this system has."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from gateway.model.agreement import Agreement, Channel
from gateway.model.asked import Request

TRAFFIC = "traffic"
"""Instead of a channel: the one on which one goes on speaking after a call on another."""

_BANDS = ((300_000, "lf"), (3_000_000, "mf"), (30_000_000, "hf"), (300_000_000, "vhf"))
"""Up to which frequency each band goes (Radio Regulations 2.1)."""

_NEAR_HZ = 1_000
"""Receivers state the carrier or the assigned frequency of one emission; these are 1.7 kHz apart
for DSC on MF and HF, and two channels of one mode are at least 3 kHz apart."""


FOUND_MAX = 1_024
"""Frequencies that are remembered: a scanner has fewer. When they are full all are found anew."""


class Dial:
    """The channels of one agreement, found by frequency."""

    def __init__(self, agreement: Agreement) -> None:
        self._channels = agreement.channels
        self._groups = agreement.groups
        self._found: dict[tuple[int | None, str | None], str | None] = {}

    def find(self, freq_hz: int | None, mode: str | None) -> str | None:
        """Return the channel of this frequency, or the only one of this mode; else None."""
        key = (freq_hz, mode)
        if key not in self._found:
            if len(self._found) >= FOUND_MAX:
                self._found.clear()
            self._found[key] = _find(self._channels, freq_hz, mode)
        return self._found[key]

    def of(self, request: Request) -> str | None:
        """Return the channel asked for: as it is named, else by its frequency."""
        if request.channel is not None or request.freq_hz is None:
            return request.channel
        return self.find(request.freq_hz, request.mode)

    def named(self, names: Iterable[str]) -> frozenset[str]:
        """Return the channels of these names, each of a group for the group's name."""
        return frozenset(one for name in names for one in self._groups.get(name, (name,)))

    def mode_of(self, channel: str | None) -> str | None:
        """Return what is sent there: a radio system, or a class of emission."""
        found = self._channels.get(channel or "")
        return None if found is None else found.mode

    def traffic_of(self, channel: str | None) -> str | None:
        """Return the channel on which one goes on speaking after a call on this one."""
        found = self._channels.get(channel or "")
        return None if found is None else found.traffic


def band_of(freq_hz: int | None) -> str | None:
    """Return lf, mf, hf, vhf or uhf; None when nobody knows the frequency."""
    if freq_hz is None:
        return None
    return next((name for below, name in _BANDS if freq_hz < below), "uhf")


def _find(channels: Mapping[str, Channel], freq_hz: int | None, mode: str | None) -> str | None:
    if freq_hz is None:
        same = [name for name, channel in channels.items() if mode and channel.mode == mode]
        return same[0] if len(same) == 1 else None
    exact = [name for name, channel in channels.items() if channel.hz == freq_hz]
    near = exact or [name for name, one in channels.items() if _covers(one, freq_hz)]
    of_mode = [name for name in near if channels[name].mode == mode]
    return next(iter(of_mode or near), None)


def _covers(channel: Channel, freq_hz: int) -> bool:
    if channel.band_hz is not None:
        low, high = channel.band_hz
        return low <= freq_hz <= high
    return channel.hz is not None and abs(channel.hz - freq_hz) <= _NEAR_HZ
