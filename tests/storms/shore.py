"""What stands at the other end of the links: brokers with bad habits, and a consumer of record.

A `Line` does what gateway.mqtt.client.Wire does, with nothing between the two but delays. The
carrier over it (gateway/mqtt/carrier.py) is the one in service.
"""

from __future__ import annotations

import asyncio
from collections import deque

import msgspec

from gateway.mqtt.bus import Incoming, LinkLost, PublishRefused
from gateway.mqtt.limits import CANARY_S, CONNECT_S_MAX, PUBACK_S_MAX, WINDOW_MAX
from gateway.mqtt.naming import TAKEN_OVER
from gateway.mqtt.receipts import SPANS_MAX
from gateway.points import reached

QUEUE_MAX = 1000
"""What mosquitto keeps for a subscriber that is away; the rest falls without a word."""

NOT_AUTHORISED = 0x87

WAY_S = (0.001, 0.03)

ASKS_S = 200.0
"""How often the consumer asks for a range of numbers again, in the mean."""

ASKED_MAX = 120
"""Numbers that it asks for."""


class Broker:
    """One broker: whoever connects may find it away, half open, forgetful, deaf or unwilling."""

    def __init__(self, world, name, dice):
        self.world = world
        self.name = name
        self.dice = dice
        self.up = True
        self.half_open = False
        """Nothing passes, and nobody is told so."""
        self.hole = False
        """What is published arrives, and the signature for it doesn't."""
        self.forgets = False
        """What is published is signed for, and is gone."""
        self.refuses = None
        """Part of the topics that may not be published on."""
        self.slow_s = 0.0
        self.way_s = WAY_S
        """How long one way takes at the least and at the most, with nothing wrong."""
        self.doubles = 0.0
        """Share of what is passed on twice."""
        self.retained = {}
        self.lines = {}
        self.connections = 0
        self.session = None
        """The queue of the consumer behind this broker, if there is one."""
        self.arrived = 0

    @property
    def well(self):
        """Whether it does all that a broker should."""
        ill = self.half_open or self.hole or self.forgets or self.refuses or self.slow_s
        return self.up and not ill

    def heal(self):
        self.up, self.half_open, self.hole, self.forgets = True, False, False, False
        self.refuses, self.slow_s, self.doubles = None, 0.0, 0.0

    def delay_s(self):
        """Return how long one way takes."""
        return self.dice.uniform(*self.way_s) + self.slow_s

    def cut(self, reason):
        """End every connection."""
        for line in list(self.lines.values()):
            line.end(reason)
            self.drop(line)

    def stall(self):
        """Let nothing pass any more; each client finds that out by asking, the broker as well."""
        self.half_open = True
        for line in list(self.lines.values()):
            self.world.time.after(
                self.dice.uniform(CANARY_S, 2 * CANARY_S),
                lambda line=line: self.half_open and line.end("the broker doesn't answer"),
            )

    def forget(self):
        """Lose all that is kept."""
        self.retained.clear()
        if self.session is not None:
            self.session.clear()

    def admit(self, line):
        """Take a connection; one of the same name is thrown out, and its will told."""
        before = self.lines.get(line.client_id)
        if before is not None:
            before.parting = TAKEN_OVER
            before.end("another client took over")
            self.drop(before)
        self.lines[line.client_id] = line
        self.connections += 1
        line.serial = self.connections

    def drop(self, line):
        """Note that a connection is over, and tell its will unless it left in order."""
        if self.lines.get(line.client_id) is line:
            del self.lines[line.client_id]
            line.land()
            if line.will is not None and not line.left_in_order:
                self.route(line.will)

    def route(self, outgoing):
        """Pass on what was published; return the reason code of the signature."""
        if self.refuses is not None and self.refuses in outgoing.topic:
            return NOT_AUTHORISED
        self.arrived += 1
        if self.forgets:
            return 0
        self._keep(outgoing)
        self.world.oracle.arrived(self.name, outgoing)
        copies = 2 if self.dice.random() < self.doubles else 1
        for _ in range(copies if outgoing.qos else 1):
            if self.session is not None:
                self.session.put(outgoing.topic, outgoing.payload)
            for line in list(self.lines.values()):
                if outgoing.topic in line.topics:
                    self.world.time.after(self.delay_s(), lambda line=line: line.tell(outgoing))
        return 0

    def _keep(self, outgoing):
        if outgoing.retain and outgoing.payload:
            self.retained[outgoing.topic] = outgoing.payload
        elif outgoing.retain:
            self.retained.pop(outgoing.topic, None)


class Line:
    """One connection of the gateway to a broker."""

    def __init__(self, broker, _plan, *, client_id, name, will=None, **_doors):
        self.client_id = client_id
        self.will = will
        self.topics = ()
        self.left_in_order = False
        self.parting = None
        self.overflowed = 0
        self.retains = True
        self.serial = 0
        self._broker = broker
        self._name = name
        self._life = broker.world.life
        self._loop = asyncio.get_running_loop()
        self._window = asyncio.Semaphore(WINDOW_MAX)
        self._unsigned = {}
        self._inbox = asyncio.Queue()
        self._gone = asyncio.Event()
        self._lost = None
        self._order_s = 0.0
        """When the last packet arrives: none overtakes another."""
        self._told = 0
        self._under_way = deque()

    async def open(self):
        """As `Wire.open`: it takes a moment, or in vain as long as one may."""
        broker = self._broker
        await asyncio.sleep(broker.delay_s())
        if broker.half_open:
            await asyncio.sleep(CONNECT_S_MAX)
            raise LinkLost(self._name, "the broker accepts, but says nothing")
        if not broker.up:
            raise LinkLost(self._name, "refused")
        broker.admit(self)

    async def subscribe_all(self, topics):
        self.topics = tuple(topics)

    async def publish_signed(self, outgoing):
        async with self._window:
            self._raise_if_lost()
            signed = self._loop.create_future()
            key = self._unsigned_key = object()
            self._unsigned[key] = signed
            self._broker.world.oracle.told(self._broker.name, outgoing)
            self._send(outgoing, signed)
            reached("publish.sent")
            try:
                async with asyncio.timeout(PUBACK_S_MAX):
                    await signed
            except TimeoutError:
                self.end(f"the broker didn't sign within {PUBACK_S_MAX:g} s")
                self._broker.drop(self)
                self._raise_if_lost()
            finally:
                del self._unsigned[key]
        self._broker.world.oracle.acknowledged(self._broker.name, outgoing)

    def offer(self, outgoing):
        if self._lost is not None:
            return False
        self._broker.world.oracle.told(self._broker.name, outgoing)
        self._send(outgoing, None)
        return True

    async def receive(self):
        incoming = await self._inbox.get()
        if incoming is None:
            raise LinkLost(self._name, self._lost)
        return incoming

    def acknowledge(self, incoming):
        if self._lost is None:
            self._broker.world.oracle.receipt_acknowledged(self._broker.name, incoming)

    async def wait_lost(self):
        await self._gone.wait()
        return self._lost

    async def close(self):
        self.left_in_order = self._lost is None and not self._broker.world.dead
        self.end("closed")
        if not self._broker.world.dead:
            self._broker.drop(self)

    # -- the broker's end --------------------------------------------------------------------------

    def end(self, reason):
        """Break off, on the gateway's end."""
        if self._lost is not None:
            return
        self._lost = reason
        if self._loop.is_closed() or self._broker.world.dead:
            return
        for signed in self._unsigned.values():
            if not signed.done():
                signed.set_exception(LinkLost(self._name, reason))
        self._inbox.put_nowait(None)
        self._gone.set()

    def tell(self, outgoing):
        """Tell the gateway something that was published."""
        broker = self._broker
        if self._lost is None and broker.up and not broker.half_open:
            self._told += 1
            self._inbox.put_nowait(
                Incoming(
                    topic=outgoing.topic,
                    payload=outgoing.payload,
                    qos=outgoing.qos,
                    retained=False,
                    mid=self._told,
                )
            )

    def _send(self, outgoing, signed):
        time = self._broker.world.time
        self._order_s = max(self._order_s, time.now_s + self._broker.delay_s())
        self._under_way.append((outgoing, signed))
        time.after(self._order_s - time.now_s, self._arrive)

    def land(self):
        """Some of what was under way when the line was cut goes through, the first of it."""
        count = self._broker.dice.randrange(len(self._under_way) + 1)
        while self._under_way:
            outgoing, _ = self._under_way.popleft()
            if count > 0 and self._broker.up and not self._broker.half_open:
                self._broker.route(outgoing)
            count -= 1

    def _arrive(self):
        broker = self._broker
        if not self._under_way:
            return
        outgoing, signed = self._under_way.popleft()
        if not broker.up or broker.half_open:
            return
        code = broker.route(outgoing)
        if signed is not None and not broker.hole:
            broker.world.time.after(broker.delay_s(), lambda: self._sign(outgoing, signed, code))

    def _sign(self, outgoing, signed, code):
        if self._lost is not None or signed.done() or self._broker.half_open:
            return
        if code:
            signed.set_exception(PublishRefused(outgoing.topic, code, "Not authorized"))
        else:
            signed.set_result(None)

    def _raise_if_lost(self):
        if self._lost is not None:
            raise LinkLost(self._name, self._lost)


class Consumer:
    """The consumer of record: keeps all that it is told, and signs for it, mostly."""

    def __init__(self, world, broker, root, dice):
        self._world = world
        self._broker = broker
        self._root = root
        self._dice = dice
        self._queue = deque()
        self._epoch = None
        self._to_sign = []
        self.asleep = False
        self.loses = 0.0
        """Share of its receipts that nobody gets."""
        self.twice = 0.1
        self.away_lost = 0
        """What the broker did not keep for it while it was away."""

    def heal(self):
        self.loses = 0.0
        self.wake()

    def ask_now_and_then(self):
        """Ask for a range of numbers; what comes of that is not signed for."""
        if self._epoch and not self.asleep and self._broker.up:
            first = self._dice.randrange(1, 400)
            asked = {
                "epoch": self._dice.choice((self._epoch,) * 9 + ("another",)),
                "first": first,
                "last": first + self._dice.randrange(ASKED_MAX),
            }
            self._broker.route(_Told(f"{self._root}/request/rcc", msgspec.json.encode(asked)))
        self._world.time.after(self._dice.expovariate(1 / ASKS_S), self.ask_now_and_then)

    def put(self, topic, payload):
        """Take what the broker passes on; or have it kept there for a while."""
        if self.asleep:
            if len(self._queue) < QUEUE_MAX:
                self._queue.append((topic, payload))
            else:
                self.away_lost += 1
            return
        self._world.time.after(self._broker.delay_s(), lambda: self._take(topic, payload))

    def clear(self):
        self._queue.clear()

    def wake(self):
        self.asleep = False
        while self._queue:
            self._take(*self._queue.popleft())

    def _take(self, topic, payload):
        record = self._world.oracle.received(self._broker.name, topic, payload)
        if record is None or not record.get("number") or "/routine/" in topic:
            return
        if record["epoch"] != self._epoch:
            self._sign_now()
            self._epoch = record["epoch"]
        self._to_sign.append(record["number"])
        if len(self._to_sign) == SPANS_MAX:
            self._sign_now()  # who has more to sign for signs twice
        elif len(self._to_sign) == 1:
            self._world.time.after(self._dice.uniform(0.02, 1.5), self._sign_now)

    def _sign_now(self):
        numbers, self._to_sign = self._to_sign, []
        if not numbers:
            return
        for _ in range(2 if self._dice.random() < self.twice else 1):
            self._world.oracle.signed(self._broker.name, self._epoch, numbers)
            if self._dice.random() >= self.loses and self._broker.up:
                payload = msgspec.json.encode({"epoch": self._epoch, "numbers": numbers})
                self._broker.route(_Told(f"{self._root}/receipt/rcc", payload))


class _Told(msgspec.Struct):
    topic: str
    payload: bytes
    qos: int = 1
    retain: bool = False
