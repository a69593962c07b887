"""Where one craft is, from message to message: zones found, and the impossible left out."""

from __future__ import annotations

from math import cos, hypot, radians

from msgspec import Struct

from gateway.codes.cpr import Cpr, Place, near, of_pair

PAIR_NS = {False: 10 * 10**9, True: 25 * 10**9}
"""So far apart two messages tell a place together: in the air, on the ground (DO-260B, A.1.7)."""

NEAR_NS = {False: 300 * 10**9, True: 60 * 10**9}
"""So old a place still tells the zone: no craft flies half of one (330 km; 83 km on the ground)."""

ABOUT_NS = 3600 * 10**9
"""So old a place still tells in which quarter of the globe a craft is that has landed."""

SPEED_MPS_MAX = 700.0
"""Beyond what flies at altitude with a transponder switched on, wind and all."""

SLACK_M = 3000.0
"""What the time of reception and rough positions may add."""

RESOLUTION_M = {False: 2.6, True: 0.7}
"""Half the step of latitude: 6 degrees in 2^17, and a quarter of it on the ground."""

_DEGREE_M = 111_195.0


class Track(Struct, gc=False):
    """What is remembered of one craft's places: one of each kind, and the last one told."""

    even: Cpr | None = None
    even_ns: int = 0
    odd: Cpr | None = None
    odd_ns: int = 0
    place: Place | None = None
    place_ns: int = 0

    def step(self, code: Cpr, now_ns: int) -> tuple[Place | None, bool]:
        """Return the place that this message tells, if any, and whether it can't be true.

        What can't be true is not told. Then all that was remembered goes, because it may have been
        the earlier place that was wrong; the next two messages begin anew.
        """
        if code.odd:
            self.odd, self.odd_ns = code, now_ns
        else:
            self.even, self.even_ns = code, now_ns
        found = self._found(code, now_ns)
        if found is None:
            return None, False
        if self.place is not None and not self._reachable(found, now_ns):
            self.even = self.odd = self.place = None
            return None, True
        self.place, self.place_ns = found, now_ns
        return found, False

    def _found(self, code: Cpr, now_ns: int) -> Place | None:
        if self.place is not None and now_ns - self.place_ns <= NEAR_NS[code.surface]:
            return near(code, self.place)
        even, odd = self.even, self.odd
        if even is None or odd is None or even.surface is not odd.surface:
            return None
        if abs(self.even_ns - self.odd_ns) > PAIR_NS[code.surface]:
            return None
        is_about = code.surface and now_ns - self.place_ns <= ABOUT_NS
        about = self.place if is_about else None
        return of_pair(even, odd, newest_odd=code.odd, about=about)

    def _reachable(self, found: Place, now_ns: int) -> bool:
        if self.place is None:
            return True
        span_s = max(0, now_ns - self.place_ns) / 1e9
        return distance_m(self.place, found) <= SPEED_MPS_MAX * span_s + SLACK_M


def distance_m(one: Place, other: Place) -> float:
    """Return how far two near places lie apart, to within a few per cent."""
    east = (other[1] - one[1] + 180) % 360 - 180
    return hypot(other[0] - one[0], east * cos(radians(one[0]))) * _DEGREE_M
