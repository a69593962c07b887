"""The one judge of what the gateway owes: it sees all that happens, and says which promise broke.

It is told of events as they happen, by whatever drives the gateway: a storm, or a test of its own.
The numbers are those of the invariants that the station has to hold; each breach names one.

    I1   journal before telling   told(): an entry with a number is on disk when it is told; one
                                  without a number only while the disk is in trouble, marked so
    I2   raw kept                 look(): bytes in = decoded + refused + noise + held, and no byte
                                  read is missing; finish(): each damaged call was told, raw
    I3   at least once, one name  received(), committed(): one number, one report, one name, at
                                  each telling; finish(): every call heard has arrived; died():
                                  what is nowhere had not been in the program's hands for long
    I4   delivered is receipted   committed(): only what was signed for is struck out of an outbox;
                                  receipt_acknowledged(): only what is struck out is acknowledged
    I5   gap-free numbers         committed(), opened(): 1, 2, 3 … in each epoch, across deaths
    I6   nothing unsigned gone    opened(): each urgent row is there until every link has signed;
                                  each incident that stood is known to
    I7   distress not behind      look(): in calm a distress is told within DISTRESS_S_MAX of its
                                  hearing, whatever else waits
    I8   nothing unbounded        look(): queues, maps and tasks below their named limits
    I9   no starvation            look(): in calm urgency and safety are told within URGENT_S_MAX;
                                  finish(): routine went on
    I11  no alarm from one        received(): a real distress record is of a sentence that was said
         unverified frame         so, whole; a damaged one never makes one
    I12  nothing suppressed       received(): a marked test is never told as real, nothing real as
                                  a test; finish(): both arrive
    I13  provenance               received(): port, monotonic time, clock state are those of hearing
    I14  clock steps do no harm   committed(): what a port said keeps its order; look(): the alarms
                                  at 60 s and 240 s are neither early nor late, by real time
    I20  no echo                  told(): an entry is told again on one connection only after a
                                  pause; look(): nothing is ever sent to a modem
    I21  faults stay apart        look(): a port whose modem is plugged in is open again
    I22  state is not guessed     look(): what stands on a broker in calm is how things are;
                                  look_at_absence(): so it is when the gateway is dead
    I23  petted by progress       look(): whatever goes wrong outside, no stage stands still
    I24  downgrades are loud      told(): what is not on disk has its alarm; look(): a healed
                                  journal has none
    OWN  no fault of the program  fault_of_ours(): a duty that failed, a loop that stands still

Not here, because time is virtual: I10 (tests/faults, F14 and F18; tests/bench). Not in this
release, which takes no commands and transmits nothing: I15 to I19. What a power cut leaves of the
file is for tests/faults, F2: here a transaction is on disk or is not.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from functools import lru_cache

import msgspec

from gateway.model.entry import Lane
from gateway.model.inbound import ClockOffset, ClockStep, Refused
from gateway.model.incident import IncidentNote
from gateway.model.status import AlarmNote
from gateway.mqtt.alarms import NONDELIVERY_S, UNDELIVERED_S
from gateway.mqtt.outbox import UNSIGNED_MAX

BREACHES_MAX = 20
"""Named one by one; more of them say nothing new."""

DISTRESS_S_MAX = 1.0
"""From the last byte to the broker, with all well: some commits, and two ways of 30 ms."""

URGENT_S_MAX = 5.0
"""As for distress, and a pause to let distress pass."""

CALM_S = 35.0
"""All is as it should be so long after the last fault: the longest back-off is 15 s, a line is
found dead in 8 s, and what was told in vain is told again in 30 s."""

IN_HAND_S_MAX = 1.0
"""From the last byte to the disk, with the disk well."""

GIVEN_UP_S = 3.0
"""A disk that has not answered by then is not waited for: two seconds, and a commit."""

AGAIN_S_MIN = 10.0
"""Nothing is told again sooner on the same connection, but once."""

ALARM_SLACK_S = 4.0
"""Between the limit of an alarm and when it must stand: two looks, and a slow disk."""

STATE_S_MAX = 75.0
"""For a state that a broker refused to be told again: a minute, and until the next status."""

TASKS_MAX = 90
"""Four ports and two links need some fifty; each link may have eighteen publications under way."""

PAYLOADS_MAX = 256
"""Remembered as read: each is looked at when it is told, when it arrives and when it is signed."""

EXPECTED = {"distress": "distress", "urgency": "urgency", "safety": "safety"}


class Oracle:
    """All that was heard, kept, told and signed for, and what broke."""

    def __init__(self, world, *, links, consumers):
        self._world = world
        self._links = tuple(links)
        self._consumers = frozenset(consumers)
        """Links behind which a consumer of record signs."""
        self.breaches = []
        self.excused, self.tally = Counter(), Counter()
        self.said = {}
        """By port and sentences; those that must arrive."""
        self.open = {}
        """Of these, what is heard and has not arrived everywhere, by the same key."""
        self._read = Counter()
        """Bytes by port, in this life."""
        self._rows = {}
        """What each number of each epoch stands for: name, key, lane."""
        self._last = Counter()
        """The newest number of each epoch."""
        self._owed = {link: {} for link in self._links}
        """Urgent rows not struck out, and since when they are there: the outboxes."""
        # Of each incident, by epoch, the newest word: its revision, and whether it is over.
        self._signed, self._words = defaultdict(set), defaultdict(dict)
        self._order = {}
        """The newest hearing that was committed, by port and kind of lane."""
        self._told = {}
        self._told_places = set()
        """What was told in this life, to which link."""
        self._too_many = set()
        """Links that were owed more in this life than the gateway remembers."""
        self._contents = {}
        self._alarmed_s = {}
        self._raised = {}
        self._cleared_s = defaultdict(lambda: -1.0)

    # -- what happens ------------------------------------------------------------------------------

    def breach(self, invariant, words):
        """Note that a promise was broken."""
        self.tally[f"breach of {invariant}"] += 1
        if len(self.breaches) < BREACHES_MAX:
            self.breaches.append(f"{invariant} at {self._now_s:.3f} s: {words}")
        self._world.breached(enough=len(self.breaches) == BREACHES_MAX)

    def alarmed(self, name, raised):
        """The gateway says in its log that an alarm begins, or that it is over."""
        self._raised[name] = raised
        if not raised:
            self._cleared_s[name] = self._now_s

    def fault_of_ours(self, words):
        """The program complained of itself."""
        self.breach("OWN", words)

    def began(self):
        """A life of the gateway begins."""
        self._read.clear()
        self._order.clear()
        self._told.clear()
        self._told_places.clear()
        self._too_many.clear()
        self._alarmed_s.clear()
        self._raised.clear()

    def read(self, port, count):
        """The gateway took bytes off a wire."""
        self._read[port] += count

    def heard(self, said):
        """The gateway has read the whole of a transmission."""
        said.heard_s = self._now_s
        said.life = self._world.life
        said.moment = self._world.clock.now()
        self.tally[f"heard {said.sort}"] += 1
        if said.sort not in ("routine", "noise"):
            self.said[said.key] = self.open[said.key] = said

    def opened(self, epoch, db):
        """A journal was opened: what had been committed must be in it."""
        rows = list(db.execute("SELECT number, lane, body FROM entry ORDER BY number"))
        found = {number for number, _, _ in rows}
        (last,) = db.execute("SELECT number_last FROM journal").fetchone()
        if last < self._last[epoch]:
            self.breach("I5", f"{self._last[epoch]} was given, the file knows {last}")
        for number, lane, body in rows:
            if number > self._last[epoch]:  # committed when the process died, and nobody knew
                item = msgspec.msgpack.decode(body)
                self._keep(epoch, number, lane, *_of_body(item), born=self._world.life - 1)
                self._word_of_body(epoch, item)
        self._last[epoch] = last
        self._look_for_lost(epoch, found)
        self._look_for_incidents(epoch, db)
        owed = set(db.execute("SELECT link, number FROM outbox"))
        for link in self._links:  # struck out when the process died, and nobody knew
            for place in [place for place in self._owed[link] if place[0] == epoch]:
                if (link, place[1]) not in owed:
                    self._strike(link, place)

    def committed(self, entries, struck):
        """A transaction is on disk, with these entries and these struck out of outboxes."""
        for entry in entries:
            if entry.number != self._last[entry.epoch] + 1:
                self.breach("I5", f"{entry.number} follows {self._last[entry.epoch]}")
            self._last[entry.epoch] = entry.number
            name, key, port, mono_ns = _of_item(entry.item)
            self._look_at_flood(entry.item, key)
            if isinstance(entry.item, IncidentNote):
                told = entry.item.incident
                self._word(entry.epoch, told.incident_id, told.revision, entry.item.gone)
            lane = (port, entry.lane is Lane.ROUTINE)
            # What a failing disk took in the end comes behind what was heard after it.
            late = self._world.disk.within(60.0)
            if mono_ns < self._order.get(lane, 0) and not late:
                self.breach("I14", f"{entry.number} of {port} was heard before the one before")
            self._order[lane] = mono_ns
            if entry.lane is not Lane.ROUTINE:
                at = entry.epoch, entry.number, entry.lane.value
                self._keep(*at, name, key, born=self._world.life)
        for link, epoch, numbers in struck:
            for number in numbers:
                self._strike(link, (epoch, number))

    def _look_for_incidents(self, epoch, db):
        stood = {name for (name,) in db.execute("SELECT incident FROM standing WHERE NOT gone")}
        for name, (_, gone) in self._words[epoch].items():
            if not gone and name not in stood:
                self.breach("I6", f"incident {name} stood, and nobody will take it up")

    def _word_of_body(self, epoch, item):
        if "incident" in item:
            told = item["incident"]
            self._word(epoch, told["incident_id"], told.get("revision", 1), "gone" in item)

    def _word(self, epoch, name, revision, gone):
        before, _ = self._words[epoch].get(name, (0, False))
        if revision >= before:
            self._words[epoch][name] = (revision, gone)

    def told(self, link, outgoing):
        """A publication is handed to a broker."""
        topic = outgoing.topic
        if not _is_record(topic):
            return
        record = _record(outgoing.payload)
        number, epoch = record["number"], record["epoch"]
        if number == 0:
            self._look_at_excuse(topic, record)
        elif number > self._last[epoch] or not record["journaled"]:
            self.breach("I1", f"{topic}: {number} is told, and not on disk")
        if self._world.verbose:
            self._world.note(f"told {link} {number} {topic}")
        if not number or outgoing.qos == 0:
            return
        key = (link, epoch, number, self._world.connection(link))
        before_s, hasty = self._told.get(key, (-AGAIN_S_MIN, 0))
        hasty += self._now_s - before_s < AGAIN_S_MIN
        # Once is fair: what was read for the connection before may come first on this one.
        if hasty > 1:
            self.breach("I20", f"{link}: {number} again after {self._now_s - before_s:.2f} s")
        self._told[key] = (self._now_s, hasty)
        self._told_places.add((link, epoch, number))

    def arrived(self, link, outgoing):
        """A broker has taken a publication, for all that it knows."""
        if "/position/" in outgoing.topic or "/routine/" in outgoing.topic:
            self.tally[f"routine to {link}"] += 1
            return
        if link not in self._consumers and outgoing.qos == 1 and not outgoing.retain:
            self._arrive(link, outgoing.topic, outgoing.payload)

    def acknowledged(self, link, outgoing):
        """A broker's signature has reached the gateway."""
        if link not in self._consumers and outgoing.qos == 1 and not outgoing.retain:
            record = _record(outgoing.payload)
            self._signed[link].add((record["epoch"], record["number"]))

    def received(self, link, topic, payload):
        """A consumer of record was told something; return the record, if it is one."""
        if "/routine/" not in topic and _is_record(topic):
            return self._arrive(link, topic, payload)
        return None

    def signed(self, link, epoch, numbers):
        """A consumer of record signs."""
        self._signed[link].update((epoch, number) for number in numbers)

    def receipt_acknowledged(self, link, incoming):
        """The gateway tells the broker that it has dealt with a receipt."""
        receipt = msgspec.json.decode(incoming.payload)
        if "numbers" not in receipt or link in self._too_many:
            return  # a request; or more than it remembers: the rest is told again, and signed for
        for number in receipt["numbers"]:
            place = (receipt["epoch"], number)
            if place in self._owed[link] and (link, *place) in self._told_places:
                self.breach("I4", f"{link}: the receipt for {number} was taken and not carried out")

    def died(self, *, in_order):
        """The process is gone: what was in its hands is lost, if it had not been there for long."""
        for key, said in list(self.open.items()):
            if said.life != self._world.life or said.numbers or said.excuse:
                continue
            missing = [link for link in self._links if link not in said.received]
            age_s = self._now_s - said.heard_s
            if not missing:
                self.open.pop(key, None)
            elif self._world.disk.within(age_s + 3):
                said.excuse = "the disk failed, and then the process died"
            elif age_s <= IN_HAND_S_MAX and not in_order:
                said.excuse = "the process died with it in its hands"
            else:
                self.breach("I3", f"{said.raws} was held for {age_s:.2f} s and nobody has it")
                said.excuse = "lost"
            if said.excuse:
                self.excused[said.excuse] += 1
                self.open.pop(key, None)

    # -- how things stand --------------------------------------------------------------------------

    def look(self, watch):
        """Look into the running gateway, and at the brokers."""
        status = watch.status()
        self._look_at_bytes(status)
        self._look_at_limits(watch)
        self._look_at_ports(status)
        self._look_at_alarms(watch)
        self._look_at_brokers(watch)
        self._look_at_haste()
        late = [*watch.late(self._world.clock.now().mono_ns)]
        if late:
            self.breach("I23", f"no progress of {late}")

    def settled(self):
        """Say whether everything that is owed has arrived, and all is signed for."""
        return not self.open and not any(self._owed.values())

    def finish(self):
        """Say what never came, now that everything had its time."""
        for said in self.open.values():
            missing = [link for link in self._links if link not in said.received]
            if missing:
                invariant = {"test": "I12", "damaged": "I2"}.get(said.sort, "I3")
                self.breach(
                    invariant,
                    f"{said.sort} {said.raws} heard at {said.heard_s:.3f} s in life {said.life}, "
                    f"numbers {sorted(number for _, number in said.numbers)}, "
                    f"never came to {missing}",
                )
        for link, owed in self._owed.items():
            for (_, number), (since_s, *_) in owed.items():
                if since_s >= self._world.ended_s:
                    continue  # kept at the very end, for the next life
                self.breach("I4", f"{link}: {number} is still in the outbox")
        for link in self._links:
            if self.tally["heard routine"] and not self.tally[f"routine to {link}"]:
                self.breach("I9", f"{link}: nothing routine was told in all the time")

    # -- in detail ---------------------------------------------------------------------------------

    @property
    def _now_s(self):
        return self._world.time.now_s

    def _look_at_flood(self, item, key):
        """Of a flood of frames that can't be read, the rest is kept, and not told one by one."""
        if isinstance(item, Refused) and item.flood and key in self.open:
            self.open.pop(key).excuse = "one of a flood of damaged calls"
            self.excused["one of a flood of damaged calls"] += 1

    def _keep(self, epoch, number, lane, name, key, *, born):
        self._rows[epoch, number] = (name, key, lane)
        for link in self._links:
            owed = self._owed[link]
            owed[epoch, number] = (self._now_s, born, lane)
            if len(owed) > UNSIGNED_MAX:
                self._too_many.add(link)
        said = self.said.get(key)
        if said is not None:
            said.numbers.add((epoch, number))

    def _strike(self, link, place):
        if self._owed[link].pop(place, None) and place not in self._signed[link]:
            self.breach("I4", f"{link}: {place[1]} was struck out, and nobody had signed for it")

    def _look_for_lost(self, epoch, found):
        for link, owed in self._owed.items():
            for row_epoch, number in owed:
                if row_epoch == epoch and number not in found:
                    self.breach("I6", f"{link}: row {number} is gone, and not signed for")

    def _look_at_excuse(self, topic, record):
        """Something is told that is not on disk: the disk must be the reason."""
        self.tally["told unjournaled"] += 1
        if record["journaled"]:
            self.breach("I1", f"{topic}: without a number, and said to be journaled")
        told = _told_in(record)
        said = self.said.get(_of_told(told)[1])
        if said and not self._world.disk.ailed(said.heard_s, said.heard_s + GIVEN_UP_S):
            self.breach("I1", f"{topic}: told without a number while the disk is well")
        stood_s = self._now_s if self._raised.get("journal") else self._cleared_s["journal"]
        if said and stood_s < said.heard_s:
            self.breach("I24", f"{topic}: not on disk, and no alert/journal says so")

    def _arrive(self, link, topic, payload):
        record = _record(payload)
        told = _told_in(record)
        name, key, *_ = _of_told(told)
        number, epoch = record["number"], record["epoch"]
        self._compare(epoch, number, name, told)
        said = self.said.get(key)
        if "report" in record:
            self._judge(record["report"], topic, said)
        if said is None:
            return record
        if said.moment is not None and "report" in record:
            self._look_at_provenance(record["report"]["heard"], said)
        self.tally[f"received {said.sort}"] += link not in said.received
        said.received.setdefault(link, self._now_s)
        if len(said.received) == len(self._links):
            self.open.pop(key, None)
        return record

    def _compare(self, epoch, number, name, told):
        """One number stands for one thing, word for word, however often it is told."""
        if number == 0:
            return
        row = self._rows.get((epoch, number))
        if row is not None and name is not None and row[0] != name:
            self.breach("I3", f"{number} was kept as {row[0]}, and told as {name}")
        content = hash(msgspec.json.encode(told))
        if self._contents.setdefault((epoch, number), content) != content:
            self.breach("I3", f"{number} was told again in other words")

    def _judge(self, report, topic, said):
        mode, urgency = report["mode"], report["urgency"]
        is_alarm = mode == "real" and urgency == "distress"
        sort = said.sort if said else None
        if is_alarm and sort != "distress":
            self.breach("I11", f"a distress was told that nobody said: {report['raw']}")
        if said is None:
            return
        if (sort == "test") is not (mode == "test"):
            self.breach("I12", f"{sort} was told with mode {mode}: {report['raw']}")
        if (mode == "test") is not ("/report/test/" in topic):
            self.breach("I12", f"mode {mode} on {topic}")
        if sort in EXPECTED and urgency != EXPECTED[sort]:
            self.breach("I12", f"{sort} was told as {urgency}: {report['raw']}")

    def _look_at_provenance(self, heard, said):
        moment = said.moment
        close = abs(heard["mono_ns"] - moment.mono_ns) < 50_000_000
        if heard["port"] != said.port or heard["clock"] != moment.clock.value or not close:
            self.breach("I13", f"{said.raws} is said to be heard {heard}, and was at {moment}")

    def _look_at_bytes(self, status):
        for name, port in status.ports.items():
            count = port.bytes
            if count.heard != count.decoded + count.refused + count.noise + count.held:
                self.breach("I2", f"{name}: {count} does not add up")
            if count.heard != self._read[name]:
                self.breach("I2", f"{name}: {self._read[name]} bytes were read, {count.heard} told")

    def _look_at_limits(self, watch):
        tasks = self._world.tasks()
        if tasks > TASKS_MAX:
            self.breach("I8", f"{tasks} tasks, and {TASKS_MAX} is the limit")
        for bound in watch.bounds():
            if bound.held > bound.limit:
                self.breach("I8", f"{bound.what}: {bound.held}, and {bound.limit} is the limit")

    def _look_at_ports(self, status):
        for name, port in status.ports.items():
            modem = self._world.modems[name]
            if modem.written:
                self.breach("I20", f"{name}: {bytes(modem.written)} was sent to the modem")
            if port.state not in ("open", "silent") and self._world.plugged_for_s(name) > CALM_S:
                self.breach("I21", f"{name}: plugged in, and {port.state} ({port.last_error})")

    def _look_at_alarms(self, watch):
        standing = watch.board.standing
        if self._world.disk.within(CALM_S):
            return
        life, began_s = self._world.life, self._world.began_s
        waiting = [
            (since_s, born)
            for owed in self._owed.values()
            for since_s, born, lane in owed.values()
            if lane == "distress"
        ]
        none_s = self._now_s + 1.0  # so that the oldest of none is younger than any limit
        since_s = min((since_s for since_s, _ in waiting), default=none_s)
        oldest_s = self._now_s - max(since_s, began_s)
        are_ours = all(born == life for _, born in waiting)
        for alert, limit_s in (("undelivered", UNDELIVERED_S), ("nondelivery", NONDELIVERY_S)):
            if oldest_s >= limit_s + ALARM_SLACK_S and alert not in standing:
                self.breach("I14", f"{alert} is not raised after {oldest_s:.1f} s")
            # What an earlier life left is aged by the time of day: it may be older than it is.
            # So is what was committed while the disk hung.
            is_ours = are_ours and not self._world.disk.within(2 * limit_s)
            if alert in standing and is_ours and oldest_s < limit_s - 0.01:
                self._linger(alert, oldest_s)
            else:
                self._alarmed_s.pop(alert, None)
        journal = standing.get("journal")
        if journal is not None and self._world.calm_s() > CALM_S and self._world.spoke_s() > 0:
            self.breach("I24", f"alert/journal stands with the disk well: {journal.text}")

    def _linger(self, alert, oldest_s):
        """An alarm may stand for one more look after its cause is gone, and no longer."""
        since_s = self._alarmed_s.setdefault(alert, self._now_s)
        if self._now_s - since_s > ALARM_SLACK_S:
            self.breach("I14", f"{alert} stands; the oldest distress is {oldest_s:.1f} s old")

    def _look_at_brokers(self, watch):
        for link in self._links:
            calm_s = self._world.calm_s(link)
            if calm_s <= CALM_S:
                continue
            broker = self._world.brokers[link]
            stands = {
                topic.partition("/alert/")[2] for topic in broker.retained if "/alert/" in topic
            }
            raised = {str(name) for name in watch.board.standing}
            for name in stands ^ raised:
                since_s = self._alarmed_s.setdefault((link, name), self._now_s)
                # What was refused before is refused again in the next trouble: that one counts.
                if min(self._now_s - since_s, calm_s) > STATE_S_MAX:
                    self.breach("I22", f"{link}: alert/{name} {'raised' * (name in raised)}")
            for key in list(self._alarmed_s):
                if key[0] == link and key[1] not in stands ^ raised:
                    del self._alarmed_s[key]
            status = broker.retained.get("distress/v1/alpha/status")
            told = _record(status) if status else {"state": "missing"}
            if told["state"] != "online" or not told["links"][link]["connected"]:
                self.breach("I22", f"{link}: the status says {told['state']}")

    def look_at_absence(self, dead_s, limit_s):
        """Look at the brokers while the gateway is dead."""
        for link, broker in self._world.brokers.items():
            status = broker.retained.get("distress/v1/alpha/status")
            is_told = status is None or _record(status)["state"] == "offline"
            if dead_s > limit_s and self._world.well_for_s(link) > dead_s and not is_told:
                self.breach("I22", f"{link}: dead for {dead_s:.1f} s, and the status says online")

    def _look_at_haste(self):
        """In calm nothing urgent waits."""
        calm = [
            (link, calm_s) for link in self._links if (calm_s := self._world.calm_s(link)) >= CALM_S
        ]
        for said in self.open.values() if calm else ():
            age_s = self._now_s - said.heard_s
            limit_s = DISTRESS_S_MAX if said.sort == "distress" else URGENT_S_MAX
            for link, calm_s in calm:
                is_calm = calm_s >= CALM_S + age_s
                if link not in said.received and age_s > limit_s and is_calm:
                    invariant = "I7" if said.sort == "distress" else "I9"
                    words = f"{link}: {said.sort} {said.raws} waits for {age_s:.1f} s"
                    self.breach(invariant, words)


@lru_cache(maxsize=PAYLOADS_MAX)
def _record(payload):
    """Return what a payload says, in whichever form; for reading only."""
    if payload[:1] == b"{":
        return msgspec.json.decode(payload)
    return msgspec.msgpack.decode(payload)


def _is_record(topic):
    parts = ("/report/", "/refused/", "/clock/", "/alarm/")
    is_log = "/incident/" in topic and topic.endswith("/log")  # what stands there is a state
    return is_log or any(part in topic for part in parts)


def _told_in(record):
    parts = ("report", "refused", "statement", "note", "incident")
    return next(record[part] for part in parts if part in record)


def _of_item(item):
    """Return name, key, port and time of an item."""
    if isinstance(item, AlarmNote):  # in their order, and each behind what is noted of others
        return None, None, f"alarm {item.name}", item.mono_ns
    if isinstance(item, IncidentNote):  # each behind what it is about, whenever that was heard
        return None, None, "incidents", 0
    if isinstance(item, ClockStep | ClockOffset):
        return None, None, None, item.mono_ns
    if isinstance(item, Refused):
        return None, (item.port, tuple(item.raw)), item.port, item.mono_ns
    report = item.sighting.report
    heard = report.heard
    return report.report_id, (heard.port, tuple(report.raw)), heard.port, heard.mono_ns


def _of_body(body):
    if body.keys() & {"what", "alarm", "incident"}:
        return None, None
    if "sighting" not in body:
        return None, (body["port"], tuple(body["raw"]))
    report = body["sighting"]["report"]
    return report["report_id"], (report["heard"]["port"], tuple(report["raw"]))


def _of_told(told):
    if told.keys() & {"what", "alarm", "incident_id"}:
        return None, None
    if "heard" not in told:
        return None, (told["port"], tuple(told["raw"]))
    return told["report_id"], (told["heard"]["port"], tuple(told["raw"]))
