"""Whether bytes may leave by one port now: with a permit for them, to a modem that takes them.

It says no unless it knows better. Nothing here writes to a wire, and nothing here is tried twice.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Literal

from msgspec import Struct

from gateway.model.plan import PortPlan, Profile
from gateway.rules.permit import Permit
from gateway.transport import WRITE_BYTES_MAX, TransmitRefused

USED_MAX = 1024
"""Permits remembered as used, each until it ends by itself after some seconds: two hundred a second
are more than any modem takes. Where more are used none is good: nobody knows which was used."""

ADAPTER_CHARACTERS_MAX = 160
"""What an adapter says of itself is shown to this length: a USB descriptor has 126 characters."""

NO_TRANSMITTER = "its profile has transmit = false"
PLAYED = "a tape is played there, which takes nothing"
ANYBODY = "whoever calls there would be spoken to"
NOBODY = "nobody has said which serial number its modem has to say"
NOT_OPEN = "the port is not open"
NO_LINE = "what stands there has no {line} to key by"
_NO_LINES = ("tcp:", "tape:")
UNTOLD = "nobody has said which adapter has to stand there"
UNKNOWN = "nobody can tell which adapter stands there"
NO_HELLO = "the modem has not said who it is since the port was opened"
STALLED = (
    "the modem took no bytes when it was last asked to; "
    "only opening it anew, or a link test that it answers, heals that"
)


class Standing(Struct, frozen=True):
    """Whether a port may transmit, and why not."""

    now: Literal["never", "ready", "unproven", "dead"]
    reason: str | None = None
    """As a sentence without its end; None when it is ready."""


class Leave:
    """Gives bytes leave to go, one permit at a time."""

    def __init__(self, plan: PortPlan) -> None:
        self._plan = plan
        self._never = _never(plan)
        self._opened_mono_ns: int | None = None
        self._adapter: str | None = None
        """Why nothing may be said to the adapter that was found; None where it is the right one."""
        self._key: str | None = None
        """Why what stands there can't be keyed; None where it can, or keys by itself."""
        self._modem: str | None = NO_HELLO
        """Why nothing may be said to the modem; None when it is the right one."""
        self._stalled = False
        self._tested_mono_ns: int | None = None
        """When a link test went out to a modem that had stalled."""
        self._used: dict[int, Permit] = {}
        """By identity. Held, so that no other permit can come to stand at the same place."""

    @property
    def standing(self) -> Standing:
        """Return how the port stands now."""
        if self._never:
            return Standing("never", self._never)
        found = self._adapter or self._key or self._modem
        doubt = NOT_OPEN if self._opened_mono_ns is None else found
        if doubt:
            return Standing("unproven", doubt)
        return Standing("dead", STALLED) if self._stalled else Standing("ready")

    def opened(self, adapter: str | None, mono_ns: int, *, has_key: bool = False) -> None:
        """Begin anew: what was known of the modem was known of the one before."""
        ptt = self._plan.profile.ptt
        self._key = NO_LINE.format(line=ptt.upper()) if ptt and not has_key else None
        self._opened_mono_ns, self._stalled, self._tested_mono_ns = mono_ns, False, None
        self._adapter = _another(self._plan, adapter)
        self._modem = NO_HELLO if self._plan.profile.hello else None

    def lost(self) -> None:
        """Nothing goes anywhere until it is opened again."""
        self._opened_mono_ns = None

    def recognised(self, serial: str | None, heard_mono_ns: int) -> None:
        """Take what the modem says of itself; what it said before the opening is of another one."""
        if self._plan.profile.hello and heard_mono_ns >= (self._opened_mono_ns or heard_mono_ns):
            wanted = self._plan.modem_serial
            said = f"serial number {serial}" if serial else "no serial number"
            self._modem = None if serial == wanted else f"the modem says {said}, not {wanted}"

    def stalled(self) -> None:
        """The modem has left bytes untaken: nothing is transmitted by it until that is healed."""
        self._stalled, self._tested_mono_ns = True, None

    def answered(self, heard_mono_ns: int) -> None:
        """Take a modem's answer to a link test: it heals what stalled before the test was made."""
        if self._tested_mono_ns is not None and heard_mono_ns >= self._tested_mono_ns:
            self._stalled, self._tested_mono_ns = False, None

    def take(self, permit: Permit, data: bytes, mono_ns: int) -> None:
        """Use this permit up for these bytes; raise TransmitRefused, and then it is not used."""
        if type(permit) is not Permit:
            raise TypeError(permit)
        reason = self._refusal(permit, data, mono_ns)
        if reason is not None:
            raise TransmitRefused(self._plan.name, reason)
        self._used[id(permit)] = permit
        if self._stalled:
            self._tested_mono_ns = mono_ns

    def _refusal(self, permit: Permit, data: bytes, mono_ns: int) -> str | None:
        standing = self.standing
        # What keys nothing may be said to a modem that has stalled: how else would it be tested?
        if standing.now != "ready" and (standing.now != "dead" or permit.load.airtime_s):
            return standing.reason
        if not data:
            return "there is nothing to transmit"
        if len(data) > WRITE_BYTES_MAX:
            return (
                f"{len(data)} bytes are more than the {WRITE_BYTES_MAX} that may wait for a modem"
            )
        return (
            _too_long(self._plan.profile, permit, data)
            or self._used_up(permit, mono_ns)
            or permit.covers(self._plan.name, sha256(data).digest(), mono_ns)
        )

    def _used_up(self, permit: Permit, mono_ns: int) -> str | None:
        ended = [key for key, used in self._used.items() if used.until_mono_ns < mono_ns]
        for key in ended:
            del self._used[key]
        if id(permit) in self._used:
            return "the permit was used already"
        if len(self._used) >= USED_MAX:
            return f"{USED_MAX} permits were used within seconds"
        return None


def _never(plan: PortPlan) -> str | None:
    """Return why this port never transmits, whatever stands there; None when it may."""
    if not plan.profile.transmit:
        return NO_TRANSMITTER
    if plan.device.startswith("tcp-listen:"):
        return ANYBODY
    if plan.profile.ptt and plan.device.startswith(_NO_LINES):
        return NO_LINE.format(line=plan.profile.ptt.upper())
    if "packed" in plan.profile.radio and not (plan.profile.hello and plan.modem_serial):
        return NOBODY
    return PLAYED if plan.played else None


def _too_long(profile: Profile, permit: Permit, data: bytes) -> str | None:
    """Return why this would take too long; None where it would not."""
    takes_s = permit.load.airtime_s
    if profile.ptt and takes_s:
        # The key is held while they go out: one bit before each byte, and at least one behind it.
        bits = 1 + profile.data_bits + (profile.parity != "none") + profile.stop_bits
        takes_s = profile.ptt_lead_s + max(takes_s, len(data) * bits / profile.baud)
    if takes_s <= profile.transmit_s_max:
        return None
    return f"it would take {takes_s:.1f} s, and transmit_s_max is {profile.transmit_s_max:g} s"


def _another(plan: PortPlan, found: str | None) -> str | None:
    """Return why the adapter that stands there is not the one that was meant; None when it is."""
    if plan.adapter is None:
        return None if plan.pinned else UNTOLD
    if found is None:
        return UNKNOWN
    if found == plan.adapter:
        return None
    return f"adapter {found[:ADAPTER_CHARACTERS_MAX]} stands there, not {plan.adapter}"
