"""`replay`: a tape, or a capture made with another tool, walks the hallway again.

Nothing of the clock on the wall gets into an entry: the same file gives the same entries, byte for
byte, each time and on each box.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import msgspec
from msgspec.structs import replace

from gateway import __version__
from gateway.clock import Clock
from gateway.correlate.timekeeping import redated
from gateway.model.agreement import Agreement
from gateway.model.asked import Fact, Request, Stated, Taped
from gateway.model.counts import PortCount
from gateway.model.inbound import (
    Chunk,
    ClockOffset,
    ClockStep,
    Inbound,
    Moment,
    Refused,
    Ruling,
    Tick,
)
from gateway.model.incident import IncidentNote
from gateway.model.plan import PortPlan, RegisterPlan
from gateway.model.verdict import VerdictNote
from gateway.model.words import Mode
from gateway.pipeline import CLOCK, NOBODY, Pipeline, docket_of, hallway
from gateway.rules.docket import kept_of
from gateway.settings import BadSettings, ConfigFault, is_name, profile_named
from gateway.settings.parties import agreement_asked
from gateway.settings.register import register_of
from gateway.transport.salvage import Lost, Salvage
from gateway.transport.tape import NothingRead, TapeBroken, is_tape, read_capture
from gateway.verbs.published import Replayed, record_of
from gateway.verbs.telling import (
    clock_line,
    incident_line,
    one_line,
    printable,
    refused_line,
    statement_line,
    verdict_line,
)

STATION = "replay"
"""The station of a capture that names none."""

PORT = "capture"
PROFILE = "generic-nmea"
"""What a capture is read with when nobody says what it came from: every radio system there is."""

TICK_NS = 10**9
"""A capture has no ticks on it; as much time as this between two chunks is told to the rooms."""

END_NS = 3600 * 10**9
"""After the end of a capture nothing more comes: longer than any room waits."""

PROGRESS_BYTES_MIN = 4 * 1024 * 1024
PROGRESS_CHUNKS = 2048
"""The bar moves every so many chunks: often enough for the eye, too seldom to cost time."""

REASONS_MAX = 1000
"""Reasons counted apart; a reason may quote what was heard, so there is no end of them."""

INCIDENTS_MAX = 10_000
"""Incidents counted apart."""

_SHOWN_MAX = 10
_BAR_WIDTH = 30
_ADDRESS = re.compile(r"[$!]([A-Za-z0-9]{3,16})(?=[,*]|$)")


def main(args: argparse.Namespace) -> int:
    """Print the entries of a file, and what came of every byte of it."""
    try:
        return _main(args)
    except BrokenPipeError:
        raise
    except (TapeBroken, NothingRead) as broken:
        sys.stderr.write(f"{printable(str(broken))}\n")
    except OSError as error:
        sys.stderr.write(f"{printable(args.file)}: {error.strerror}\n")
    return 1


class Replay:
    """One file on its way through the hallway."""

    def __init__(
        self,
        path: Path,
        *,
        profile: str | None = None,
        station: str | None = None,
        agreements: Iterable[Agreement] = (),
        register: RegisterPlan = NOBODY,
    ) -> None:
        self.path = path
        self.pipeline: Pipeline
        self.station: str
        self._heard: Iterable[Taped]
        self.lost: list[Lost] = []
        """Where a tape was damaged, as far as it has been read."""
        self.chunks = 0
        self.size_bytes = path.stat().st_size
        self._boot = position = None
        self.is_tape = is_tape(path)
        if self.is_tape:
            tape = Salvage(path)
            header, self._heard, self.lost = tape.header, tape.records(), tape.lost
            self.station, self._boot = station or header.station, header.boot
            position = header.position
            ports = [
                PortPlan(
                    name=name,
                    device=f"tape:{path}",
                    modem=port.modem,
                    profile=port.profile,
                    played=port.played,
                    exercise=port.exercise,
                )
                for name, port in header.ports.items()
            ]
        else:
            modem = profile or PROFILE
            facts = profile_named(modem)
            self._heard = _with_ticks(read_capture(path, PORT, baud=facts.baud))
            self.station = station or STATION
            ports = [PortPlan(name=PORT, device=str(path), modem=modem, profile=facts)]
        self.pipeline = hallway(
            self.station,
            ports,
            boot=self._boot,
            register=register,
            at=position,
            docket=docket_of(agreements, register=register),
        )

    def steps(self) -> Iterator[tuple[Taped, Sequence[Replayed]]]:
        """Yield all that was heard, stated and asked, and the time that passed, with its items."""
        pipeline = self.pipeline
        for heard in self._heard:
            match heard:
                case Tick():
                    yield heard, pipeline.tick(heard)
                case Fact():
                    yield heard, kept_of(heard, self._boot, pipeline.state(heard))
                case Request():
                    yield heard, pipeline.docket.asked(heard)
                case Chunk():
                    self.chunks += 1
                    yield heard, pipeline.inbound(heard)

    def entries(self) -> Iterator[tuple[int, Replayed]]:
        """Yield each entry with its number, from 1 without gaps."""
        items = (item for _, found in self.steps() for item in found)
        yield from enumerate(items, start=1)

    def stated(self) -> Iterator[Inbound]:
        """Yield what is stated about the clock, and little else: only witnesses are listened to."""
        pipeline = self.pipeline
        for heard in self._heard:
            if isinstance(heard, Fact | Request):
                continue
            if isinstance(heard, Tick):
                yield from pipeline.tick(heard)
            elif any(radio.name == CLOCK for radio in pipeline.ears[heard.port].radios):
                yield from pipeline.inbound(heard)
            else:
                yield from pipeline.timekeeping.at(heard.heard)

    def end(self) -> None:
        """Raise NothingRead when all has been gone through, and it can't be what was meant."""
        if not self.is_tape and not self.count().bytes_decoded:
            raise NothingRead(self.path)

    def count(self) -> PortCount:
        """Return the counts of all ports together."""
        counts = [msgspec.structs.asdict(ear.count) for ear in self.pipeline.ears.values()]
        return PortCount(**{name: sum(count[name] for count in counts) for name in counts[0]})


def replay(
    path: Path | str, *, profile: str | None = None, station: str | None = None
) -> Iterator[tuple[int, Replayed]]:
    """Yield the entries of a tape or capture, each with its number."""
    return Replay(Path(path), profile=profile, station=station).entries()


def offsets_on(path: Path) -> tuple[ClockOffset, ...]:
    """Return what a tape states about the clock that it was taken with."""
    found: list[ClockOffset] = []
    if is_tape(path):
        found += (item for item in Replay(path).stated() if isinstance(item, ClockOffset))
    return tuple(found)


def _main(args: argparse.Namespace) -> int:
    if args.station is not None and not is_name(args.station):
        fault = ConfigFault("--station", 0, "", "is no good name", "use a-z, 0-9 and -, at most 32")
        raise BadSettings((fault,))
    path = Path(args.file)
    if args.profile is not None and is_tape(path):
        what = "is for captures: a tape says itself what each of its ports was read with"
        raise BadSettings((ConfigFault("--profile", 0, "", what, "leave it out"),))
    agreements = [agreement_asked(name, args.party) for name in args.agreement]
    running = Replay(
        path,
        profile=args.profile,
        station=args.station,
        agreements=agreements,
        register=register_of(args.register),
    )
    offsets = () if args.json else offsets_on(path)
    tally = _Tally()
    for number, item in _watched(running):
        tally.add(item)
        line = _json(number, item, running) if args.json else _words(item, offsets)
        sys.stdout.write(line + "\n")
    sys.stdout.flush()
    out = sys.stderr if args.json else sys.stdout
    out.write("\n".join(tally.summary(path, running)) + "\n")
    for lost in running.lost:
        where = f"{printable(args.file)}: byte {lost.offset}"
        sys.stderr.write(f"{where}: {lost.reason}; {lost.span} bytes are lost\n")
    if running.lost:
        return 1
    if not running.count().bytes_in:
        sys.stderr.write(f"{printable(args.file)}: nothing was ever heard on it\n")
        return 1
    running.end()
    return 0


def _json(number: int, item: Replayed, running: Replay) -> str:
    """Return an entry as it is published; who reads it knows what to make of the offsets."""
    return msgspec.json.encode(record_of(number, item, running.station)).decode()


def _words(item: Replayed, offsets: Sequence[ClockOffset]) -> str:
    """Return an entry in one line, at the time at which it really was heard."""
    colour = sys.stdout.isatty()
    if isinstance(item, ClockStep | ClockOffset):
        return clock_line(item)
    if isinstance(item, IncidentNote):
        return incident_line(item, colour=colour)
    if isinstance(item, VerdictNote):
        return verdict_line(item.verdict)
    if isinstance(item, Stated):
        return statement_line(item)
    heard = item if isinstance(item, Refused) else item.sighting.report.heard
    found = redated(boot=heard.boot, mono_ns=heard.mono_ns, clock=heard.clock, offsets=offsets)
    told = replace(heard, utc=found[0]) if found else heard
    anew = "  (dated anew)" if found else ""
    if isinstance(told, Refused):
        return refused_line(told, colour=colour) + anew
    assert isinstance(item, Ruling)  # noqa: S101  # nothing else is left
    report = replace(item.sighting.report, heard=told)
    return one_line(report, item.sighting.relation, colour=colour) + anew


def _with_ticks(chunks: Iterable[Chunk]) -> Iterator[Chunk | Tick]:
    """Yield the chunks, and between and behind them the time that passed."""
    now = told = Moment(0)
    for chunk in chunks:
        now = chunk.heard
        if now.mono_ns - told.mono_ns >= TICK_NS:
            yield Tick(now)
            told = now
        yield chunk
    yield Tick(replace(now, mono_ns=now.mono_ns + END_NS))


def _watched(running: Replay) -> Iterator[tuple[int, Replayed]]:
    """Yield the entries, with a bar on standard error when somebody waits for a long file."""
    if not sys.stderr.isatty() or running.size_bytes < PROGRESS_BYTES_MIN:
        yield from running.entries()
        return
    clock, drawn = Clock(), 0
    begun_ns = clock.now().mono_ns
    for number, item in running.entries():
        if running.chunks - drawn >= PROGRESS_CHUNKS:
            drawn = running.chunks
            seconds = (clock.now().mono_ns - begun_ns) / 1e9
            sys.stderr.write(_bar(running.count().bytes_in, running.size_bytes, number, seconds))
        yield number, item
    sys.stderr.write("\r\x1b[K")


def _bar(heard_bytes: int, size_bytes: int, entries: int, seconds: float) -> str:
    share = min(1.0, heard_bytes / size_bytes)
    full = int(share * _BAR_WIDTH)
    rate = entries / seconds if seconds > 0 else 0.0
    drawn = "#" * full + "." * (_BAR_WIDTH - full)
    return f"\r[{drawn}] {share:4.0%}  {entries} entries, {rate:.0f}/s\x1b[K"


class _Tally:
    """What came out, counted for the summary."""

    def __init__(self) -> None:
        self._reports: Counter[tuple[str, str]] = Counter()
        self._refused: Counter[str] = Counter()
        self._unread: Counter[str] = Counter()
        self._distress_like = 0
        self._clock = self._stated = 0
        self._verdicts: Counter[str] = Counter()
        self._incidents: set[str] = set()

    def add(self, item: Replayed) -> None:
        """Count one entry."""
        if isinstance(item, Ruling):
            report = item.sighting.report
            urgency = str(report.urgency if report.mode is Mode.REAL else report.mode)
            self._reports[urgency, report.system] += 1
        elif isinstance(item, IncidentNote):
            if len(self._incidents) < INCIDENTS_MAX:
                self._incidents.add(item.incident.incident_id)
        elif isinstance(item, VerdictNote):
            self._verdicts[item.verdict.judgement.value] += 1
        elif isinstance(item, Stated):
            self._stated += 1
        elif not isinstance(item, Refused):
            self._clock += 1
        elif item.reason:
            self._distress_like += item.distress_like
            _bounded(self._refused, item.reason)
        else:
            _bounded(self._unread, _sentence_type(item.raw[-1]))

    def summary(self, path: Path, running: Replay) -> Iterator[str]:
        """Yield the closing lines: where every byte went, and what was made of it."""
        count = running.count()
        yield ""
        yield f"{printable(str(path))}, read as station {running.station} by {__version__}"
        yield (
            f"bytes     {count.bytes_in} in = {count.bytes_decoded} decoded"
            f" + {count.bytes_refused} refused + {count.bytes_noise} noise"
            + (f" + {count.bytes_held} held" if count.bytes_held else "")
        )
        yield f"frames    {count.frames}; refused {count.refused}, unread {count.unread}"
        yield f"reports   {count.reports}; copies {count.copies}, suspect {count.suspect}"
        yield from _columns(
            (f"{urgency} {system}", reports)
            for (urgency, system), reports in self._reports.most_common()
        )
        if self._incidents:
            more = " or more" if len(self._incidents) == INCIDENTS_MAX else ""
            yield f"incidents {len(self._incidents)}{more}"
        if self._stated:
            yield f"stated    {self._stated} that no radio says"
        if self._verdicts:
            yield f"verdicts  {self._verdicts.total()}"
            yield from _columns(self._verdicts.most_common())
        if self._refused:
            yield f"refused   {self._refused.total()}, distress-like {self._distress_like}"
            yield from _columns(self._refused.most_common(_SHOWN_MAX))
        if self._unread:
            yield f"unread    {self._unread.total()} of {len(self._unread)} sentence types"
            yield from _columns(self._unread.most_common(_SHOWN_MAX))
        if self._clock:
            yield f"clock     {self._clock} statements about the time of day"
        if count.decoder_errors:
            yield f"ERRORS    {count.decoder_errors} faults of this program: please report them"


def _columns(counts: Iterable[tuple[str, int]]) -> Iterator[str]:
    for name, count in counts:
        yield f"{count:>12}  {printable(name)}"


def _bounded(counter: Counter[str], key: str) -> None:
    counter[key if key in counter or len(counter) < REASONS_MAX else "others"] += 1


def _sentence_type(raw: str) -> str:
    """Return the three letters of a sentence's formatter, or the whole address of a maker's own."""
    found = _ADDRESS.search(raw)
    if found is None:
        return "no address"
    address = found[1]
    return address if address.startswith("P") else address[-3:]
