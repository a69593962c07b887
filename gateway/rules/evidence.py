"""What shows that a receiver hears, and what shows that it does not. Pure.

    evidence            proves      keeps a watch
    bytes_heard         line        no: a modem without antenna says as much
    signal_strength     receiver    beside the call that it was measured with
    decode_rate         receiver    no: that few come is a sign against it
    receiver_heartbeat  modem       yes
    idle_noise_sample   receiver    yes
    loop_test           modem       yes
    decoded_call        receiver    yes

Silence is no sign against a receiver: a quiet channel is an ordinary one. What makes it deaf is a
line that is lost, a modem that its profile does not let be silent so long, a heartbeat that stays
away, an antenna that the modem says is gone, a link test after which it says nothing more, and far
fewer calls than are usual at this hour.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Literal

from msgspec import Struct

from gateway.model.inbound import Moment, Report
from gateway.model.listening import Evidence
from gateway.rules.hearing import shows_hearing
from gateway.rules.usual import Usual

BYTES = "bytes_heard"
DECODED = "decoded_call"
RATE = "decode_rate"
HEARTBEAT = "receiver_heartbeat"
NOISE = "idle_noise_sample"
SIGNAL = "signal_strength"
LOOP = "loop_test"

Proves = Literal["line", "modem", "receiver", "word"]

PROVES: dict[str, Proves] = {
    BYTES: "line",
    DECODED: "receiver",
    RATE: "receiver",
    HEARTBEAT: "modem",
    NOISE: "receiver",
    SIGNAL: "receiver",
    LOOP: "modem",
}
"""How far each kind of evidence reaches."""

KEEPS = (DECODED, HEARTBEAT, NOISE, LOOP)
"""The kinds that keep a watch, as agreements name them."""

TOLD = (HEARTBEAT, NOISE, LOOP)
"""Those that rules have to be told of: a call they hear themselves."""

HEARTBEAT_S = 60.0
"""A packed modem says once a minute who and how it is (docs/LINK.md, section 4)."""

HEARTBEAT_S_MAX = 150.0
"""Twice missed, and half a minute more."""

LOOP_NS = 3 * 10**9
"""A link test is answered within a second (docs/LINK.md, section 3); a slow line has three."""

DEAF_SHARE = 0.5
"""A line that is lost is deafness after this share of the agreed gap: a cable that is put back at
once rings no bell, and the alarm comes well within the gap."""

PATIENCE_S_MAX = 60.0
"""And after a minute, however long the gap: nobody puts a cable back after that."""

_MODEM_SAYS = frozenset({"hello", "health"})
_OF_THE_LINK = frozenset({"gap", "nak", "test", "outcome"})
_NO_ANTENNA = frozenset({"open", "short"})


class Line(Struct, frozen=True, kw_only=True):
    """How the port of a receiver stands."""

    is_open: bool
    opened_ns: int | None = None
    """When it was last opened; None for when it was first seen open."""
    is_silent: bool = False
    """Whether no byte came for the time that its profile allows."""
    last_byte_ns: int | None = None
    last_error: str | None = None
    tested_ns: int | None = None
    """When its modem was last handed a link test."""


class Sign(Struct, frozen=True):
    """The newest evidence of one kind."""

    at_ns: int
    says: str | None = None


class Deaf(Struct, frozen=True):
    """Why a receiver hears nothing, and since when."""

    words: str
    since_ns: int


class Receiver:
    """The receiver at one port, and everything that it has shown."""

    def __init__(
        self,
        port: str,
        *,
        heartbeat_s: float | None,
        gap_s: float,
        modes: Collection[str | None] = (None,),
    ) -> None:
        """Follow the receiver at this port; `modes` are those of the channels it is tuned to."""
        self.port = port
        self._modes = tuple(modes)
        self.usual = Usual()
        self._heartbeat_ns = None if heartbeat_s is None else round(heartbeat_s * 1e9)
        """None where its modem gives no sign of life."""
        self._patience_ns = round(min(gap_s * DEAF_SHARE, PATIENCE_S_MAX) * 1e9)
        self._signs: dict[str, Sign] = {}
        self._told_ns: dict[str, int] = {}
        self._line = Line(is_open=False)
        self._opened_ns: int | None = None
        self._lost_ns: int | None = None
        self._antenna: Deaf | None = None
        self._lived_ns: int | None = None
        """When its modem has said anything last that it says only while it works."""

    def heard(self, report: Report, at: Moment) -> None:
        """Take what it has told of: a call, or how its modem is."""
        detail = report.detail
        said = getattr(detail, "said", None) if report.system == "packed" else None
        if said in _OF_THE_LINK:
            return
        self._lived_ns = at.mono_ns
        if said == "echo":
            self._sign(LOOP, at)
        elif said in _MODEM_SAYS:
            self._sign(HEARTBEAT, at, said)
            self._health(detail, at)
        elif any(shows_hearing(report, mode) for mode in self._modes):
            self.usual.heard(at)
            self._sign(DECODED, at, report.system)
            if report.heard.rssi_dbm is not None:
                self._sign(SIGNAL, at, f"{report.heard.rssi_dbm:g} dBm")

    def look(self, line: Line, now: Moment) -> None:
        """Take how its port stands now; asked about twice a second."""
        before = self._line
        if line.is_open and (not before.is_open or line.opened_ns != before.opened_ns):
            if self._opened_ns is not None:
                self.usual.begin_anew()
            self._opened_ns = now.mono_ns if line.opened_ns is None else line.opened_ns
            self._lost_ns = self._antenna = None
        elif not line.is_open and self._lost_ns is None:
            self._lost_ns = now.mono_ns
        self._line = line
        if line.last_byte_ns is not None:
            self._signs[BYTES] = Sign(line.last_byte_ns)
        self.usual.tick(now, listens=self._wrong(now) is None)
        usual = self.usual.usual(now)
        if usual is not None:
            said = f"{self.usual.count} since the hour began, {usual} are usual in an hour"
            self._sign(RATE, now, said)

    def proof(self, kinds: tuple[str, ...]) -> tuple[str, Sign] | None:
        """Return the newest sign of these kinds that keeps a watch; None where there is none.

        What came before the port was opened was of another modem, for all that anybody knows.
        """
        since_ns = self._opened_ns
        found = [(kind, self._signs[kind]) for kind in kinds if kind in self._signs]
        newest = max(found, key=lambda one: one[1].at_ns, default=None)
        if newest is None or since_ns is None or newest[1].at_ns < since_ns:
            return None
        return newest

    def doubted(self, now: Moment) -> Deaf | None:
        """Return what stands against it at this moment, be it for a second."""
        return self._wrong(now) or self._few(now)

    def deaf(self, now: Moment) -> Deaf | None:
        """Return why it hears nothing; None where it may hear."""
        found = self.doubted(now)
        if found is None or self._line.is_open:
            return found
        return found if now.mono_ns - found.since_ns >= self._patience_ns else None

    def evidence(self, now: Moment) -> Iterator[Evidence]:
        """Yield the newest sign of each kind."""
        for kind, sign in self._signs.items():
            yield Evidence(
                kind=kind,
                by=self.port,
                age_s=round(max(now.mono_ns - sign.at_ns, 0) / 1e9, 1),
                proves=PROVES[kind],
                says=sign.says,
            )

    def news(self) -> Iterator[tuple[str, int]]:
        """Yield each sign that rules have to be told of and have not been, and when it came."""
        for kind in TOLD:
            sign = self._signs.get(kind)
            if sign is not None and self._told_ns.get(kind) != sign.at_ns:
                self._told_ns[kind] = sign.at_ns
                yield kind, sign.at_ns

    def _sign(self, kind: str, at: Moment, says: str | None = None) -> None:
        self._signs[kind] = Sign(at.mono_ns, says)

    def _health(self, detail: object, at: Moment) -> None:
        noise_dbm = getattr(detail, "noise_dbm", None)
        if noise_dbm is not None:
            self._sign(NOISE, at, f"{noise_dbm:g} dBm")
        antenna = getattr(detail, "antenna", None)
        if antenna not in _NO_ANTENNA:
            self._antenna = None if antenna is not None else self._antenna
        elif self._antenna is None:
            self._antenna = Deaf(f"its modem says that the antenna is {antenna}", at.mono_ns)

    def _wrong(self, now: Moment) -> Deaf | None:
        """Return what is wrong with line, modem or antenna: what is heard then teaches nothing."""
        return (
            self._lost(now)
            or self._silent()
            or self._lifeless(now)
            or self._antenna
            or self._unanswered(now)
        )

    def _lost(self, now: Moment) -> Deaf | None:
        if self._lost_ns is None and self._opened_ns is not None:
            return None
        why = f": {self._line.last_error}" if self._line.last_error else ""
        return Deaf(f"the port is not open{why}", self._lost_ns or now.mono_ns)

    def _silent(self) -> Deaf | None:
        if not self._line.is_silent:
            return None
        since_ns = self._line.last_byte_ns or self._opened_ns or 0
        return Deaf("no byte came for longer than its profile says is normal", since_ns)

    def _lifeless(self, now: Moment) -> Deaf | None:
        if self._heartbeat_ns is None:
            return None
        sign = self._signs.get(HEARTBEAT)
        last_ns = max(self._opened_ns or 0, 0 if sign is None else sign.at_ns)
        if now.mono_ns - last_ns < self._heartbeat_ns:
            return None
        return Deaf("its modem has given no sign of life", last_ns)

    def _unanswered(self, now: Moment) -> Deaf | None:
        tested_ns = self._line.tested_ns
        if tested_ns is None or tested_ns < (self._opened_ns or 0):
            return None
        # The answer may be lost on the line: whatever the modem says later shows that it lives.
        is_answered = self._lived_ns is not None and self._lived_ns >= tested_ns
        if is_answered or now.mono_ns - tested_ns < LOOP_NS:
            return None
        return Deaf("its modem has not answered a link test", tested_ns)

    def _few(self, now: Moment) -> Deaf | None:
        low = self.usual.low(now)
        return None if low is None else Deaf(low.words, low.since_ns)
