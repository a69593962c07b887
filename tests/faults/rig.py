"""The real process, four modems, a real mosquitto and a consumer of record, to do faults to.

    with Rig(folder) as rig:
        life = rig.live()                     the process, until it is on watch
        rig.speaker.speak(rig.traffic.mixed(share=0.02), per_s=100)
        life.kill()                           or rig.live(point="journal.committed", turn=7)
        ...
        rig.settled()                         all that was kept is told and signed for
        rig.ledger.faults()                   what is not as promised

What a modem said, and when, and what came of it stands in the ledger: `told` is what the consumer
of record read, `kept` what the journal's file holds. Times are those of the monotonic clock, which
all processes of this machine share.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
import tty
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Self

import msgspec
import paho.mqtt.client as paho
from msgspec import Struct

from gateway.journal import sql
from gateway.journal.shelves import RANKED
from gateway.model.entry import Lane
from tests.conftest import Mosquitto
from tests.faults.ledger import Ledger, Said, Told
from tests.faults.traffic import PORTS, Sentence, Traffic

ROOT = Path(__file__).parents[2]
LOOPBACK = "127.0.0.1"
STATION = "rig"
CONSUMER = "rcc"
WAIT_S = 30.0
SIGN_S = 0.02
"""How long the consumer of record collects before it signs."""

BELOW = (
    *("report", "refused", "clock", "alarm", "alert", "port", "ruling", "statement"),
    *("incident", "test/incident", "exercise/incident"),
)
"""What the consumer reads, besides the status."""

RECONNECT_S = 0.1
"""How long the consumer waits before it looks again for a broker that is away."""

LOG_LINES_MAX = 400
"""The newest lines of a life's log that are kept, for whoever looks into a failure."""


class _Identity(Struct):
    mmsi: str = ""


class _Heard(Struct):
    mono_ns: int
    port: str


class _Report(Struct):
    report_id: str
    urgency: str
    heard: _Heard
    sender: _Identity | None = None


class _Envelope(Struct):
    epoch: str
    number: int


class _Record(_Envelope):
    journaled: bool
    late: bool
    report: _Report


class _Named(Struct, frozen=True):
    names: tuple[str, ...] = ()


class _Stated(_Envelope):
    incident: _Named = _Named()


class _Sighting(Struct):
    report: _Report


class _Body(Struct):
    incident: msgspec.Raw = msgspec.Raw()
    sighting: _Sighting | None = None


class Modem:
    """A pty with a name that stays; both ends are ours, so it outlives each gateway."""

    def __init__(self, link: Path) -> None:
        self.link = link
        self.master = self._slave = -1
        self.plug_in()

    def plug_in(self) -> None:
        """Stand at the name."""
        self.master, self._slave = os.openpty()
        tty.setraw(self._slave)
        os.set_blocking(self.master, False)
        fresh = self.link.with_suffix(".fresh")
        fresh.symlink_to(os.ttyname(self._slave))
        fresh.replace(self.link)

    def yank(self) -> None:
        """Be gone, in the middle of whatever it is."""
        self.link.unlink(missing_ok=True)
        master, slave, self.master, self._slave = self.master, self._slave, -1, -1
        for end in (master, slave):
            if end >= 0:
                os.close(end)

    def say(self, data: bytes) -> bool:
        """Say it whole; False when the kernel did not take all of it."""
        try:
            return os.write(self.master, data) == len(data)
        except OSError:
            return False


class Speaker:
    """Speaks on the modems at an even pace, in a thread of its own, until it is told to stop."""

    def __init__(self, rig: Rig) -> None:
        self._rig = rig
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self.untaken = 0
        """Sentences that the kernel had no room for: nobody reads, and the modem can't wait."""

    def speak(self, sentences: Iterator[Sentence], *, per_s: float) -> None:
        """Begin to say these, so many a second."""
        self._stop.clear()
        self._thread = threading.Thread(target=self._run, args=(sentences, per_s), daemon=True)
        self._thread.start()

    def hush(self) -> None:
        """Say nothing more."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(WAIT_S)
            self._thread = None

    def _run(self, sentences: Iterator[Sentence], per_s: float) -> None:
        due_s = time.monotonic()
        for sentence in sentences:
            due_s += 1 / per_s
            if self._stop.wait(max(0.0, due_s - time.monotonic())):
                return
            self.untaken += not self._rig.say(sentence)


class Consumer:
    """The consumer of record: reads everything of the station, and signs for what it has read."""

    def __init__(self, port: int, ledger: Ledger) -> None:
        self.signing = True
        self.connected = threading.Event()
        self._ledger = ledger
        self._unsigned: dict[str, list[int]] = {}
        self._turn = threading.Lock()
        self._stopped = threading.Event()
        self._root = f"distress/v1/{STATION}/"
        self._client = paho.Client(
            paho.CallbackAPIVersion.VERSION2,
            client_id=CONSUMER,
            clean_session=False,
            protocol=paho.MQTTv311,
            reconnect_on_failure=True,
        )
        self._client.reconnect_delay_set(RECONNECT_S, RECONNECT_S)
        self._client.on_connect = self._on_connect
        self._client.on_disconnect = lambda *_: self.connected.clear()
        self._client.on_message = self._on_message
        self._client.connect_async(LOOPBACK, port, keepalive=30)
        self._client.loop_start()
        self._signer = threading.Thread(target=self._sign, daemon=True)
        self._signer.start()

    def stop(self) -> None:
        """Leave."""
        self._stopped.set()
        self._signer.join(WAIT_S)
        self._client.disconnect()
        self._client.loop_stop()

    def ask(self, epoch: str, last: int) -> None:
        """Ask for the last few numbers again."""
        asked = json.dumps({"epoch": epoch, "first": max(1, last - 20), "last": max(1, last)})
        self._client.publish(f"{self._root}request/{CONSUMER}", asked, qos=1)

    def _on_connect(self, client: paho.Client, *_: object) -> None:
        client.subscribe(
            [(f"{self._root}{below}/#", 1) for below in BELOW] + [(f"{self._root}status", 1)]
        )
        self.connected.set()

    def _on_message(self, _client: paho.Client, _userdata: object, found: paho.MQTTMessage) -> None:
        at_ns = time.monotonic_ns()
        kind, _, rest = found.topic.removeprefix(self._root).partition("/")
        if kind == "report":
            self._read(found.payload, at_ns)
        elif kind in {"refused", "clock", "alarm", "ruling", "statement"} or rest.endswith("/log"):
            record = _STATED.decode(found.payload)
            self._note(record.epoch, record.number)
            for name in record.incident.names:
                self._ledger.noted.setdefault(name.removeprefix("mmsi:"), at_ns)
        elif kind == "alert":
            self._ledger.alerts.setdefault(rest, []).append((at_ns, found.payload))
        elif kind == "port":
            self._ledger.ports.setdefault(rest, []).append((at_ns, json.loads(found.payload)))
        elif kind == "status":
            self._ledger.status = json.loads(found.payload)

    def _read(self, payload: bytes, at_ns: int) -> None:
        record = _RECORD.decode(payload)
        report = record.report
        told = Told(
            at_ns=at_ns,
            number=record.number,
            epoch=record.epoch,
            report_id=report.report_id,
            lane=report.urgency,
            heard_ns=report.heard.mono_ns,
            late=record.late,
            journaled=record.journaled,
            port=report.heard.port,
        )
        mmsi = report.sender.mmsi if report.sender else ""
        if report.urgency != Lane.ROUTINE:
            self._ledger.told.setdefault(mmsi, []).append(told)
            self._note(record.epoch, record.number)

    def _note(self, epoch: str, number: int) -> None:
        if number:
            with self._turn:
                self._unsigned.setdefault(epoch, []).append(number)

    def _sign(self) -> None:
        while not self._stopped.wait(SIGN_S):
            if not self.signing or not self._unsigned:
                continue
            with self._turn:
                unsigned, self._unsigned = self._unsigned, {}
            for epoch, numbers in unsigned.items():
                receipt = json.dumps({"epoch": epoch, "numbers": numbers[:1000]})
                self._client.publish(f"{self._root}receipt/{CONSUMER}", receipt, qos=1)
                if numbers[1000:]:
                    with self._turn:
                        self._unsigned.setdefault(epoch, []).extend(numbers[1000:])


class Life:
    """One run of the gateway's process."""

    def __init__(self, arguments: list[str], *, environment: dict[str, str] | None = None) -> None:
        self.log: deque[tuple[int, str]] = deque(maxlen=LOG_LINES_MAX)
        """When each line of its log came, and the line."""
        self.watch_ns: int | None = None
        """When it said that it is on watch."""
        self.began_ns = time.monotonic_ns()
        self.ended_ns: int | None = None
        self.process = subprocess.Popen(
            [sys.executable, *arguments],
            stderr=subprocess.PIPE,
            cwd=ROOT,
            env=os.environ | {"PYTHONPATH": str(ROOT)} | (environment or {}),
        )
        self._watch = threading.Event()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def on_watch(self) -> bool:
        """Whether it is on watch at this moment, as far as anybody can know."""
        return self.watch_ns is not None and self.ended_ns is None

    def wait_watch(self, limit_s: float = WAIT_S) -> bool:
        """Wait until it is on watch; False when it died before."""
        self._watch.wait(limit_s)
        return self.watch_ns is not None

    def wait_end(self, limit_s: float = WAIT_S) -> int:
        """Wait until it has ended, and return how."""
        code = self.process.wait(limit_s)
        self._reader.join(limit_s)
        return code

    def kill(self) -> None:
        """End it at once, as nothing else does."""
        with contextlib.suppress(ProcessLookupError):
            self.process.kill()
        self.wait_end()

    def end(self) -> int:
        """Tell it to end, and return how it did."""
        self.process.send_signal(signal.SIGTERM)
        return self.wait_end()

    def said(self, *words: str) -> list[int]:
        """Return when its log said something with all of these words in it."""
        return [at_ns for at_ns, line in list(self.log) if all(word in line for word in words)]

    def memory_mb(self, field: str = "VmRSS") -> float:
        """Return how much memory it holds; VmHWM for the most it ever held."""
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith(f"{field}:"):
                return int(line.split()[1]) / 1e3
        raise LookupError(field)

    def back_s(self) -> float | None:
        """Return how long it took from its start until it was on watch."""
        return None if self.watch_ns is None else (self.watch_ns - self.began_ns) / 1e9

    def _read(self) -> None:
        pipe = self.process.stderr
        assert pipe is not None
        with pipe:
            for line in pipe:
                self.log.append((time.monotonic_ns(), line.decode(errors="replace").rstrip()))
                if self.watch_ns is None and b"watch_begun" in line:
                    self.watch_ns = self.log[-1][0]
                    self._watch.set()
        self.ended_ns = time.monotonic_ns()
        self._watch.set()


class Setting(Struct, frozen=True, kw_only=True):
    """What is not as shipped: lines of configuration, put in as they are."""

    receipts: str = CONSUMER
    link: str = ""
    """More of the table of the link."""
    journal: str = ""
    """More of the table of the journal."""
    record: bool = False
    """Whether all that is heard goes on tape, too."""
    agreements: tuple[str, ...] = ()
    """Those that bind the station, by their ids or files of that name: as the party `station`."""
    station: str = ""
    """More of the table of the station."""
    broker: tuple[str, ...] = ()
    """Lines for mosquitto."""


AS_SHIPPED = Setting()


class Rig:
    """All of it together, stopped by process identity when the block ends."""

    def __init__(self, folder: Path, setting: Setting = AS_SHIPPED, *, seed: int = 1) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.ledger = Ledger()
        self.traffic = Traffic(seed)
        self.modems = {name: Modem(folder / name) for name in PORTS}
        self.broker = Mosquitto(folder, *setting.broker)
        self.speaker = Speaker(self)
        self.life: Life | None = None
        self._setting = setting
        self._seen: dict[Path, int] = {}
        self.notes = 0
        """Notes of incidents that keep() has found on disk."""

    def __enter__(self) -> Self:
        """Start the broker and the consumer; no gateway yet."""
        self.broker.start()
        self.consumer = Consumer(self.broker.port, self.ledger)
        assert self.consumer.connected.wait(WAIT_S)
        return self

    def __exit__(self, *_: object) -> None:
        """Stop everything."""
        self.speaker.hush()
        if self.life is not None and self.life.process.poll() is None:
            self.life.kill()
        self.consumer.stop()
        self.broker.stop()
        for modem in self.modems.values():
            modem.yank()

    def say(self, sentence: Sentence) -> bool:
        """Have a modem say this, and write down that it was said if all of it was."""
        watched = self.life is not None and self.life.on_watch
        at_ns = time.monotonic_ns()
        if self.ledger.spoken is not None:
            words = sentence.wire.decode().rstrip()
            self.ledger.spoken.setdefault(words, []).append(at_ns)
        if sentence.mmsi:
            # Before it is said: the consumer may have it before we come back from the kernel.
            self.ledger.said[sentence.mmsi] = Said(sentence, at_ns, watched)
        taken = self.modems[sentence.port].say(sentence.wire)
        if sentence.mmsi and not taken:
            del self.ledger.said[sentence.mmsi]
        return taken

    def live(
        self,
        *,
        point: str = "-",
        turn: int = 1,
        deed: str = "kill",
        journal: str = "journal.db",
        wait: bool = True,
    ) -> Life:
        """Start the process, armed or not; wait until it is on watch or dead."""
        if point == "-":
            return self.live_by("-m", "gateway", journal=journal, wait=wait)
        armed = str(Path(__file__).with_name("armed.py"))
        return self.live_by(armed, point, str(turn), deed, journal=journal, wait=wait)

    def live_by(self, *entry: str, journal: str = "journal.db", wait: bool = True) -> Life:
        """Start the process by an entry of the caller's, which runs the command line."""
        self.life = Life([*entry, "run", "--config", str(self._configured(journal))])
        if wait:
            self.life.wait_watch()
        return self.life

    def settled(self, *, journal: str = "journal.db", limit_s: float = WAIT_S) -> None:
        """Wait until everybody on disk has been told, and nothing is left in the outbox."""
        self.until(lambda: self.is_settled(journal), limit_s)

    def is_settled(self, journal: str = "journal.db") -> bool:
        """Say whether everybody on disk has been told, and nothing is left in the outbox."""
        self.keep(journal)
        return not self.open(journal) and not self.ledger.lost()

    def open(self, journal: str = "journal.db") -> int:
        """Return how many entries nobody has signed for."""
        with self._looking(self.folder / journal) as db:
            return 0 if db is None else db.execute("SELECT count(*) FROM outbox").fetchone()[0]

    def rows(self, journal: str = "journal.db") -> dict[str, int]:
        """Return how many rows a journal holds, by lane, and by ring."""
        with self._looking(self.folder / journal) as db:
            return {} if db is None else dict.fromkeys(RANKED, 0) | dict(db.execute(sql.COUNT_ROWS))

    def newest(self, journal: str = "journal.db") -> tuple[str, int]:
        """Return the epoch of a journal and the newest number in it."""
        with self._looking(self.folder / journal) as db:
            found = db and db.execute("SELECT epoch, number_last FROM journal").fetchone()
            return found or ("none", 0)

    def keep(self, journal: str = "journal.db") -> None:
        """Look into the journal's file, and note in the ledger who is kept there."""
        path = self.folder / journal
        with self._looking(path) as db:
            if db is None:
                return
            (epoch,) = db.execute("SELECT epoch FROM journal").fetchone() or ("",)
            rows = db.execute(
                "SELECT number, body FROM entry WHERE number > ? ORDER BY number",
                (self._seen.get(path, 0),),
            )
            for number, body in rows:
                self._seen[path] = number
                kept = _BODY.decode(body)
                self.notes += bool(bytes(kept.incident))
                sighting = kept.sighting
                if sighting is not None and sighting.report.sender is not None:
                    self.ledger.kept.setdefault(sighting.report.sender.mmsi, (epoch, number))

    def until(self, condition: Callable[[], object], limit_s: float = WAIT_S) -> float:
        """Wait until this is true, and return how long that took in seconds."""
        began_s = time.monotonic()
        while not condition():
            assert time.monotonic() - began_s < limit_s, self._troubles()
            time.sleep(0.005)
        return time.monotonic() - began_s

    @contextlib.contextmanager
    def _looking(self, path: Path) -> Iterator[sqlite3.Connection | None]:
        """Give the journal's file to be read; None when there is nothing in it yet."""
        if not path.exists():
            yield None
            return
        with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=5)) as db:
            known = {name for (name,) in db.execute("SELECT name FROM sqlite_schema")}
            yield db if {"entry", "journal", "outbox"} <= known else None

    def _troubles(self) -> str:
        return "\n".join(line for _, line in self.life.log) if self.life else "nothing was started"

    def _configured(self, journal: str) -> Path:
        ports = "".join(
            f"[port.{name}]\ndevice = '{self.modems[name].link}'\nmodem = 'generic-{profile}'\n"
            for name, profile in PORTS.items()
        )
        sides = ", ".join(f"{Path(one).stem} = 'station'" for one in self._setting.agreements)
        tapes = f"[record]\ndirectory = '{self.folder}/tapes'\nrotate_mb = 1\nkeep_mb = 4\n"
        config = self.folder / "gateway.toml"
        config.write_text(
            f"[station]\nname = '{STATION}'\n"
            f"agreements = {list(self._setting.agreements)}\n{self._setting.station}\n"
            f"party = {{ {sides} }}\n{ports}"
            f"[link.local]\nhost = '{LOOPBACK}'\nport = {self.broker.port}\n"
            f"receipts = '{self._setting.receipts}'\n{self._setting.link}\n"
            f"[journal]\npath = '{self.folder / journal}'\n{self._setting.journal}\n"
            f"{tapes if self._setting.record else ''}[log]\nformat = 'json'\n"
        )
        return config


_RECORD = msgspec.json.Decoder(_Record)
_STATED = msgspec.json.Decoder(_Stated)
_BODY = msgspec.msgpack.Decoder(_Body)
