"""Who orders it, and may he: an envelope becomes a signed letter, or is refused with its reason.

    read     its bytes are a letter, and nothing else
    ours     it is for this station, under the agreements that bind it now
    genuine  each signature is of a key that is known, and not given up
    allowed  the author's roles let him order this; no person stands for two
    fresh    by a clock that is held, or by an answer to what this station has asked
    new      its number is above every one that this key has used; that is on disk before anything
             is done

What costs most comes last, and what is known of nobody is told nothing of what is known here.
"""

from __future__ import annotations

import asyncio
import secrets
from base64 import b64encode
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from hashlib import sha256

import msgspec
from msgspec import Struct

from gateway.app.outside import KeysNow
from gateway.app.stages import Signed, outcome_of, unordered
from gateway.app.taking import stands_aside
from gateway.app.telling import JOURNAL_S_MAX, Teller
from gateway.app.transmitting import BEGINNING, Transmitting
from gateway.clock import Clock
from gateway.log import Log
from gateway.model.agreement import State
from gateway.model.bounds import Bound
from gateway.model.command import Outcome, OutcomeState
from gateway.model.inbound import Moment
from gateway.model.keys import KeyPlan, Role
from gateway.model.plan import StationPlan
from gateway.model.transmission import Letter, Ordered, signed_bytes, tag_of
from gateway.model.words import HELD
from gateway.mqtt.commands import Followed
from gateway.normalise import utc_of
from gateway.rules.signing import Proves

GOOD_S_MAX = 60.0
"""The longest that a letter may be good for: it is an order for now, not for later."""

AHEAD_S_MAX = 5.0
"""How far ahead of ours the clock of whoever signs may be."""

CHALLENGE_S = 60.0
"""How long what this station has asked to be repeated may be answered."""

CHALLENGE_BYTES = 16
"""Nobody guesses it."""

CHALLENGES_MAX = 256
"""One for each key that there may be."""

CHALLENGES_A_KEY = 8
"""Of one key: somebody may order several things at once."""

TAKEN_MAX = 1024
"""Letters that are known again when they come twice; each is good for a minute."""

_ON_AIR = frozenset({"ack", "relay", "cancel", "call", "text", "position"})
_MAY: Mapping[Role, frozenset[str]] = {
    Role.OFFICER: _ON_AIR | {"modem", "silence"},
    Role.OPERATOR: frozenset({"call", "text", "position"}),
    Role.TECHNICIAN: frozenset({"modem"}),
    Role.INSTRUCTOR: frozenset({"exercise"}),
    Role.SECOND: frozenset(),
}

NOBODY = "nobody may order transmissions here: no keys are configured"


class Denied(Struct, frozen=True):
    """Why an order is not taken."""

    reason: str
    proven: bool = False
    """Whether it is of somebody whose key is known: then it is kept."""
    challenge: str | None = None
    again: bool = False
    """The letter was taken before."""


class _Asked(Struct, frozen=True):
    """Of which key something was asked, and until when it may answer."""

    key: str
    until_ns: int


class Authority:
    """Takes orders to transmit from those who may give them."""

    def __init__(  # noqa: PLR0913  # each is a door of its own, opened in one place
        self,
        plan: StationPlan,
        transmitting: Transmitting,
        teller: Teller,
        *,
        clock: Clock,
        log: Log,
        keys: KeysNow | None = None,
        proves: Proves | None = None,
    ) -> None:
        self._station = plan.station
        self._known = keys or (lambda: plan.keys)
        self._read: tuple[KeyPlan, ...] | str = plan.keys
        """The keys that count, as they were read; or why none does."""
        self._keys = {key.name: key for key in plan.keys}
        self._aside = stands_aside(plan)
        self._binding = frozenset(binding_digests(plan).values())
        self.transmitting = transmitting
        self._teller = teller
        self._clock = clock
        self._log = log
        self._proves = proves or _prover(ordered=bool(plan.keys or keys))
        self._memory = transmitting.unfinished
        self._taken: OrderedDict[bytes, None] = OrderedDict()
        """Digests of the letters that were taken last."""
        self._asked: OrderedDict[str, _Asked] = OrderedDict()
        """By the words that are to be repeated, which nobody guesses."""
        self._began = clock.now()
        self.refused = 0
        """Orders that were refused here, for whatever reason."""

    async def obey(self, ordered: Ordered) -> Outcome | Followed:
        """Return what came of an order at first, and where more is heard of it."""
        now = self._clock.now()
        found = self._judged(ordered, now)
        if isinstance(found, Signed):
            found = await self._numbered(found, ordered.envelope.letter)
        if isinstance(found, Denied):
            return self._refusal(ordered, found, now)
        taken = self.transmitting.take(found)
        if taken.outcome.state is OutcomeState.REFUSED:
            self.refused += 1
        if taken.stages is None:
            return taken.outcome
        return Followed(taken.outcome, taken.stages)

    def bounds(self) -> Iterator[Bound]:
        """Yield what is remembered of keys."""
        yield Bound(
            of="Authority._asked",
            what="challenges",
            held=len(self._asked),
            limit=CHALLENGES_MAX,
            rule="the oldest is forgotten: whoever was asked is asked anew",
        )
        yield Bound(
            of="Authority._taken",
            what="letters",
            held=len(self._taken),
            limit=TAKEN_MAX,
            rule="the oldest is forgotten: when it comes again it is refused all the same",
        )

    # ---- Judged --------------------------------------------------------------------------------

    def _judged(self, ordered: Ordered, now: Moment) -> Signed | Denied:
        letter = ordered.letter
        unready = self._unready(letter)
        if unready is not None:
            return Denied(unready)
        keys = self._genuine(ordered)
        if isinstance(keys, str):
            return Denied(keys)
        why = self._forbidden(letter, keys) or self._other_agreements(letter)
        if why is not None:
            return Denied(why, proven=True)
        # A replay before freshness: an old letter that comes again is to be called so.
        denied = self._replay(ordered, keys[0]) or self._stale(letter, keys[0], now)
        if denied is not None:
            return denied
        persons = tuple(key.person for key in keys)
        return Signed(letter=letter, persons=persons, keys=tuple(key.name for key in keys))

    def _unready(self, letter: Letter) -> str | None:
        """Return why no order is taken at all, or none for another station."""
        if self._aside is not None:
            return self._aside
        self._take_up()
        if isinstance(self._read, str):
            return self._read
        if not self._keys:
            return NOBODY
        if not self._memory.begun:
            return BEGINNING
        if letter.audience != self._station:
            return f"it is for station {letter.audience}, and this is {self._station}"
        return None

    def _take_up(self) -> None:
        """Have the keys count that are in the file now."""
        found = self._known()
        if found is self._read:
            return
        self._read = found
        self._keys = {} if isinstance(found, str) else {key.name: key for key in found}
        if isinstance(found, str):
            self._log.error("keys_not_read", reason=found)
        else:
            given_up = sorted(key.name for key in found if key.revoked is not None)
            self._log.info("keys_read", known=[*self._keys], given_up=given_up)

    def _genuine(self, ordered: Ordered) -> list[KeyPlan] | str:
        """Return the keys that have signed it, the author's first; why it counts for nothing."""
        envelope = ordered.envelope
        found: list[KeyPlan] = []
        said = signed_bytes(envelope.letter)
        for signature in envelope.signatures:
            key = self._keys.get(signature.key)
            if key is None:
                return "it bears a signature of a key that is not known here"
            if key in found:
                return f"key {key.name} has signed it twice"
            if not self._proves(key.public_key, said, b64encode(signature.signature).decode()):
                return f"the signature is not what key {key.name} makes of this letter"
            found.append(key)
        return found

    def _forbidden(self, letter: Letter, keys: Sequence[KeyPlan]) -> str | None:
        """Return why these persons may not order this; None where they may."""
        for key in keys:
            if key.revoked is not None:
                return f"key {key.name} was given up"
        persons = [key.person for key in keys]
        if len(set(persons)) < len(persons):
            return f"{persons[0]} has signed it with two keys, and is one person"
        author, tag = keys[0], tag_of(letter.action)
        if tag in _allowed(author) or (letter.exercise and Role.INSTRUCTOR in author.roles):
            return None
        roles = ", ".join(author.roles)
        return f"key {author.name} may not order `{tag}`: its roles are {roles}"

    def _other_agreements(self, letter: Letter) -> str | None:
        """Return why it is meant under other agreements than those that bind the station."""
        if frozenset(letter.agreements) == self._binding:
            return None
        named = len(letter.agreements)
        return (
            f"it names {named} agreement{'' if named == 1 else 's'}, and not just the "
            f"{len(self._binding)} that bind this station now: see its status"
        )

    # ---- Fresh ---------------------------------------------------------------------------------

    def _stale(self, letter: Letter, author: KeyPlan, now: Moment) -> Denied | None:
        """Return why it can't be known to be of now; None where it is."""
        good_s = (letter.not_after - letter.issued).total_seconds()
        if not 0 < good_s <= GOOD_S_MAX:
            reason = f"it is good for {good_s:g} s, and may be for {GOOD_S_MAX:g} at the most"
            return Denied(reason, proven=True)
        if letter.challenge is not None:
            return self._answered(letter.challenge, author, now)
        utc = utc_of(now.utc_ns) if now.clock in HELD else None
        if utc is None:
            return self._ask(author, now, "this station does not know the time of day")
        return self._untimely(letter, author, now, utc)

    def _untimely(
        self, letter: Letter, author: KeyPlan, now: Moment, utc: datetime
    ) -> Denied | None:
        """Return why it is not of now, by a clock that is held."""
        if author.name not in self._memory.numbers and letter.issued < self._began_utc(now, utc):
            return self._ask(author, now, "it is older than this run, which knows none before")
        late_s = (utc - letter.not_after).total_seconds()
        ahead_s = (letter.issued - utc).total_seconds()
        if late_s > 0:
            return Denied(f"it comes {late_s:.1f} s after its end (not_after)", proven=True)
        if ahead_s > AHEAD_S_MAX:
            return Denied(f"it was issued {ahead_s:.1f} s from now: set the clocks", proven=True)
        return None

    def _replay(self, ordered: Ordered, author: KeyPlan) -> Denied | None:
        """Return that its number was used, and whether by this very letter."""
        number = ordered.letter.seq
        if number > self._memory.numbers.get(author.name, 0):
            return None
        again = sha256(ordered.envelope.letter).digest() in self._taken
        reason = f"number {number} of key {author.name}, or a later one, was used already"
        return Denied(reason, again=again)

    def _began_utc(self, now: Moment, utc: datetime) -> datetime:
        """Return when this run began, by the clock of now."""
        return utc - timedelta(microseconds=(now.mono_ns - self._began.mono_ns) // 1000)

    def _ask(self, author: KeyPlan, now: Moment, why: str) -> Denied:
        """Return what is to be repeated, in a new letter that is signed anew."""
        words = secrets.token_hex(CHALLENGE_BYTES)
        of_key = [said for said, asked in self._asked.items() if asked.key == author.name]
        if len(of_key) >= CHALLENGES_A_KEY:
            del self._asked[of_key[0]]
        self._asked[words] = _Asked(author.name, now.mono_ns + round(CHALLENGE_S * 1e9))
        while len(self._asked) > CHALLENGES_MAX:
            self._asked.popitem(last=False)
        return Denied(f"{why}: sign it anew with the challenge", proven=True, challenge=words)

    def _answered(self, said: str, author: KeyPlan, now: Moment) -> Denied | None:
        """Take an answer once; what was asked of one key is answered by that key alone."""
        asked = self._asked.get(said)
        if asked is None or asked.key != author.name or asked.until_ns < now.mono_ns:
            return Denied("this station has asked for no such answer", proven=True)
        del self._asked[said]
        return None

    # ---- New -----------------------------------------------------------------------------------

    async def _numbered(self, signed: Signed, letter: bytes) -> Signed | Denied:
        """Use its number up, on disk; without that nothing is done."""
        # Known from here on, before anybody else has a turn.
        answer = self._memory.number(signed.keys[0], signed.letter.seq)
        self._taken[sha256(letter).digest()] = None
        while len(self._taken) > TAKEN_MAX:
            self._taken.popitem(last=False)
        await asyncio.wait({answer}, timeout=JOURNAL_S_MAX)
        if not answer.done() or answer.exception() is not None:
            return Denied(f"the disk has not taken its number within {JOURNAL_S_MAX:g} s")
        return signed

    # ---- Told ----------------------------------------------------------------------------------

    def _refusal(self, ordered: Ordered, denied: Denied, now: Moment) -> Outcome:
        """Count it, and say why; what somebody has signed whose key is known is kept as well."""
        self.refused += 1
        letter = ordered.letter
        keys = tuple(one.key for one in ordered.envelope.signatures)
        signed = Signed(letter=letter, keys=keys)
        note = unordered(signed, OutcomeState.REFUSED, now, reason=denied.reason)
        if denied.proven:
            self._teller.keep([note])
        return msgspec.structs.replace(
            outcome_of(note, self._station), challenge=denied.challenge, again=denied.again
        )


def binding_digests(plan: StationPlan) -> dict[str, str]:
    """Return the digest of each agreement that binds the station, by its name.

    A letter names them all: whoever signs it has these before him, and no others.
    """
    states = (State.IN_FORCE, State.SUSPENDED)
    return {one.id: one.digest for one in plan.agreements if one.status.state in states}


def _allowed(key: KeyPlan) -> frozenset[str]:
    return frozenset[str]().union(*(_MAY[role] for role in key.roles))


def _prover(*, ordered: bool) -> Proves:
    """Return what proves signatures; a station that nobody may order to transmit needs none."""
    if not ordered:
        return lambda _key, _said, _signature: False
    from gateway.settings.ed25519 import proves  # noqa: PLC0415  # as said above

    return proves
