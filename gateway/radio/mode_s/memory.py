"""What one port remembers of the craft it hears: that they are real, where, and what is wrong."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator

from msgspec import Struct, field

from gateway.codes.cpr import Place
from gateway.model.bounds import Bound
from gateway.model.words import Nature, Urgency
from gateway.radio.mode_s.tables import NAC_P_M, SQUAWKS, trouble_of
from gateway.radio.mode_s.track import RESOLUTION_M, Track
from gateway.radio.mode_s.words import Emergency, ModeSDetail
from gateway.radio.mode_s.words import Place as SaidPlace

CRAFT_MAX = 4096
"""Ten times what the best site hears at once. The one longest silent goes first."""

KNOWN_NS = 60 * 10**9
"""So long after its last squitter a craft's replies are believed: it sends one each second."""

AGREE_NS = 750 * 10**6
"""Between two replies that confirm an emergency: a code that is only dialled through is shorter."""

AGAIN_NS = 30 * 10**9
"""How often an emergency that goes on is an alert anew; it is said several times a second."""

PLACE_NS_MAX = 60 * 10**9
"""How old a place may be that an alert brings along: some 15 km for an airliner."""


class Contact(Struct, gc=False):
    """One craft, as far as it is remembered."""

    proven_ns: int | None = None
    """When it was last heard in a message that proves its address; None for never."""
    squawk: str | None = None
    squawk_since_ns: int = 0
    squawk_ns: int = 0
    callsign: str | None = None
    version: int | None = None
    nac_p: int | None = None
    track: Track = field(default_factory=Track)
    told: dict[tuple[str | None, int | None], tuple[int, bool]] = field(default_factory=dict)
    """By squawk or state, when an alert was told last, and whether it was a confirmed one."""

    def known(self, now_ns: int) -> bool:
        """Say whether a reply that fits this address is taken for one of this craft."""
        return self.proven_ns is not None and now_ns - self.proven_ns <= KNOWN_NS

    def hear(self, said: ModeSDetail) -> None:
        """Remember what later messages need to be understood."""
        self.callsign = said.callsign or self.callsign
        if said.quality is not None:
            version = said.quality.adsb_version
            self.version = self.version if version is None else version
            self.nac_p = said.quality.nac_p

    def emergency(self, said: ModeSDetail, now_ns: int) -> Emergency | None:
        """Return what is wrong by this message, and whether that is confirmed, or known."""
        is_reply = said.type_code is None
        agreed = said.squawk is not None and is_reply and self._agreed(said.squawk, now_ns)
        wrong = wrong_by(said, self.version)
        if wrong is None:
            return None
        confirmed = said.form == "message" and (agreed or not is_reply)
        key = (wrong.squawk, wrong.state)
        told_ns, told_confirmed = self.told.get(key, (None, False))
        again = (
            told_ns is not None
            and now_ns - told_ns < AGAIN_NS
            and (told_confirmed or not confirmed)
        )
        if not again:
            self.told[key] = (now_ns, confirmed)
        return Emergency(
            squawk=wrong.squawk,
            state=wrong.state,
            state_words=wrong.state_words,
            confirmed=confirmed,
            again=again,
        )

    def place(self, now_ns: int) -> SaidPlace | None:
        """Return where it was told to be last, for an alert that says no place."""
        if self.track.place is None or now_ns - self.track.place_ns > PLACE_NS_MAX:
            return None
        return said_place(
            self.track.place,
            surface=False,
            nac_p=self.nac_p,
            age_s=float(round((now_ns - self.track.place_ns) / 1e9)),
        )

    def _agreed(self, squawk: str, now_ns: int) -> bool:
        """Take note of a squawk, and say whether one like it came long enough before."""
        if squawk != self.squawk or now_ns - self.squawk_ns > KNOWN_NS:
            self.squawk, self.squawk_since_ns = squawk, now_ns
        self.squawk_ns = now_ns
        return now_ns - self.squawk_since_ns >= AGREE_NS


class Memory:
    """All craft of one port."""

    def __init__(self) -> None:
        self._craft: OrderedDict[str, Contact] = OrderedDict()
        self._evicted = 0

    def bounds(self) -> Iterator[Bound]:
        """Yield how many craft are remembered."""
        yield Bound(
            of="Memory._craft",
            what="mode_s_craft",
            held=len(self._craft),
            limit=CRAFT_MAX,
            rule="the one longest silent goes; it is known again with its next squitter",
            evicted=self._evicted,
        )

    def get(self, address: str) -> Contact | None:
        """Return the craft with this address, if it was heard."""
        return self._craft.get(address)

    def heard(self, address: str) -> Contact:
        """Return the craft with this address, the newest heard from now on."""
        craft = self._craft.get(address)
        if craft is not None:
            self._craft.move_to_end(address)
            return craft
        craft = self._craft[address] = Contact()
        if len(self._craft) > CRAFT_MAX:
            self._craft.popitem(last=False)
            self._evicted += 1
        return craft


def wrong_by(said: ModeSDetail, version: int | None) -> Emergency | None:
    """Return what is wrong by squawk and state of this message alone; None when nothing is."""
    squawk = said.squawk if said.squawk in SQUAWKS else None
    trouble = None
    if said.emergency_state:
        # Only version 1 (DO-260A) has the state in type 29.
        is_meant = said.type_code != 29 or version == 1
        trouble = trouble_of(said.emergency_state, version) if is_meant else None
    if squawk is None and trouble is None:
        return None
    return Emergency(
        squawk=squawk,
        state=said.emergency_state if trouble else None,
        state_words=trouble[0] if trouble else None,
    )


def gravest(wrong: Emergency, version: int | None) -> tuple[Urgency, Nature | None]:
    """Return how urgent it is, and what it is: the squawk tells it, unless the state says worse."""
    trouble = trouble_of(wrong.state, version) if wrong.state else None
    nature = SQUAWKS[wrong.squawk] if wrong.squawk else None
    if trouble is None or (nature is not None and trouble[1] is not Urgency.DISTRESS):
        return Urgency.DISTRESS, nature
    if nature is not None and trouble[2] is Nature.UNDESIGNATED:
        return Urgency.DISTRESS, nature
    if nature is Nature.PIRACY_UNLAWFUL:
        return Urgency.DISTRESS, nature
    return trouble[1], trouble[2]


def said_place(
    place: Place, *, surface: bool, nac_p: int | None, age_s: float | None = None
) -> SaidPlace:
    """Return a place with what is known of its precision."""
    return SaidPlace(
        lat_deg=place[0],
        lon_deg=place[1],
        resolution_m=RESOLUTION_M[surface],
        accuracy_m=None if nac_p is None else NAC_P_M.get(nac_p),
        age_s=age_s,
    )
