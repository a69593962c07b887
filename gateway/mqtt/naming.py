"""The name that a connection bears, when somebody else bears it too. Pure.

A broker has one client of a name: whoever comes throws out who is there (MQTT 5, section 3.1.4).
Two gateways of one name would do that to each other for ever, and neither would tell anything.
"""

from __future__ import annotations

import random
from collections import deque

from msgspec import Struct

TAKEN_OVER = 0x8E
"""The reason code of MQTT 5 (section 2.4) for who is thrown out. MQTT 3.1.1 has none, and not every
broker of MQTT 5 sends it: mosquitto 2.0.11 just hangs up (seen 2026-11)."""

HUNG_UP = 0x00
"""What stands for a broker that closes the connection and says nothing."""

TAKEOVER_S = 5.0
"""The shortest pause after a takeover; dice make it up to twice as long, so that two who throw each
other out don't keep step."""

TAKEOVERS_MAX = 3
"""After so many within the window a connection takes another name."""

WINDOW_S = 120.0
"""Takeovers are counted over this time: twice what three rounds with the longest pauses take."""

SHORT_S = 30.0
"""A connection that was hung up on sooner may have been taken over: by then the other was back."""

OWN_NAME_S = 3600.0
"""After so long under another name the next connection tries the configured one again."""


class Ending(Struct, frozen=True):
    """How a connection, or an attempt at one, came to its end."""

    stood: bool
    """Whether it ever was of use."""
    lasted_s: float
    parting: int | None
    """The broker's reason code; HUNG_UP if it said nothing; None when it was not the broker."""


class Naming:
    """The name of one connection, from each one to the next."""

    def __init__(self, configured: str, dice: random.Random) -> None:
        self._configured = configured
        self._dice = dice
        self._suffix: str | None = None
        self._since_ns = 0
        self._takeovers: deque[int] = deque(maxlen=TAKEOVERS_MAX)
        self._cut_short = 0
        """Connections in a row, without an attempt in vain between them, that may be takeovers."""
        self._tried_again_ns: int | None = None

    @property
    def name(self) -> str:
        """The name borne now."""
        return f"{self._configured}-{self._suffix}" if self._suffix else self._configured

    @property
    def undisputed(self) -> bool:
        """Whether nobody has ever borne the configured name beside us: mostly so, for years."""
        return self._suffix is None and self._tried_again_ns is None

    def disputed(self, now_ns: int) -> str | None:
        """Return the name borne, when the configured one is not known to be ours alone again."""
        tried_ns = self._tried_again_ns
        unsure = tried_ns is not None and now_ns - tried_ns < WINDOW_S * 1e9
        return self.name if self._suffix or unsure else None

    def begun(self, now_ns: int) -> str:
        """Return the name for a new connection."""
        if self._suffix and now_ns - self._since_ns >= OWN_NAME_S * 1e9:
            self._suffix, self._tried_again_ns = None, now_ns
        return self.name

    def ended(self, ending: Ending, now_ns: int) -> float | None:
        """Return how long to wait after a takeover, in seconds; None when it was none.

        After too many of them the name is another, and there is nothing to wait for.
        """
        if not self._is_takeover(ending):
            return None
        self._takeovers.append(now_ns)
        first_ns = self._takeovers[0]
        if len(self._takeovers) == TAKEOVERS_MAX and now_ns - first_ns <= WINDOW_S * 1e9:
            self._suffix, self._since_ns = f"{self._dice.randrange(1 << 16):04x}", now_ns
            self._takeovers.clear()
            self._cut_short = 0
            return 0.0
        return TAKEOVER_S * self._dice.uniform(1.0, 2.0)

    def _is_takeover(self, ending: Ending) -> bool:
        if ending.stood and ending.parting == TAKEN_OVER:
            return True
        # Without a reason code one sign is left: the broker takes us at once, each time, and soon
        # hangs up. One that is being restarted refuses an attempt between.
        hung_up = ending.parting == HUNG_UP and ending.lasted_s < SHORT_S
        self._cut_short = self._cut_short + 1 if ending.stood and hung_up else 0
        return self._cut_short > 1
