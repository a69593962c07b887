"""MQTT itself: the only module that knows aiomqtt, and paho underneath it.

What the library promises less than `bus.py` does is closed here, and held by tests/live: a publish
that the broker refused is an error; a link that ended ends every wait at once; CONNACK followed by
a close is no connection; a broker that stopped answering is found out; nothing is unbounded.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from typing import TypeVar

import aiomqtt
import paho.mqtt.client as paho
from aiomqtt.types import PahoSocket
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from gateway.model.plan import LinkPlan
from gateway.mqtt.bus import (
    PAYLOAD_BYTES_MAX,
    PAYLOAD_TOO_LARGE,
    TOPIC_INVALID,
    Incoming,
    LinkLost,
    Outgoing,
    PublishRefused,
    SubscribeRefused,
)
from gateway.mqtt.credentials import password
from gateway.mqtt.lastwords import LastWords
from gateway.mqtt.limits import (
    BACKLOG_PACKETS_MAX,
    CANARY_S,
    CONNECT_S_MAX,
    GOODBYE_S_MAX,
    INBOX_MAX,
    INCOMING_BYTES_MAX,
    PUBACK_S_MAX,
    WINDOW_MAX,
)
from gateway.mqtt.naming import HUNG_UP
from gateway.mqtt.properties import GREETING, of_publication
from gateway.mqtt.protection import Protection
from gateway.mqtt.terms import terms_of
from gateway.points import reached

_Answer = TypeVar("_Answer")


class Wire(aiomqtt.Client):
    """One connection, from before CONNECT until after its end. Never used twice."""

    def __init__(
        self,
        plan: LinkPlan,
        *,
        client_id: str,
        name: str,
        will: Outgoing | None = None,
        protection: Protection | None = None,
    ) -> None:
        five = plan.version == "5"
        self._words = LastWords()
        super().__init__(
            hostname=plan.host,
            port=plan.port,
            username=plan.username,
            password=password(plan.password_file) if plan.password_file else None,
            logger=self._words.logger,
            identifier=client_id,
            protocol=aiomqtt.ProtocolVersion.V5 if five else aiomqtt.ProtocolVersion.V311,
            will=None if will is None else _testament(will, five=five),
            clean_session=None if five else True,
            clean_start=five or paho.MQTT_CLEAN_START_FIRST_ONLY,
            timeout=CONNECT_S_MAX,
            keepalive=plan.keepalive_s,
            max_inflight_messages=0,  # the window is ours: theirs queues what is over it unbounded
            properties=_Packed(GREETING) if five else None,
        )
        self._name = name
        self._five = five
        self._protection = protection or Protection(plan.tls)
        self._canary_s = min(CANARY_S, plan.keepalive_s / 2)
        self._client.manual_ack_set(on=True)
        self._client.on_publish = None
        self._packed: dict[tuple[int | None, str | None, bytes | None], Properties] = {}
        self._window = asyncio.Semaphore(WINDOW_MAX)
        self._packet_bytes_max = PAYLOAD_BYTES_MAX
        self._unsigned: dict[int, tuple[str, asyncio.Future[None]]] = {}
        self._inbox: asyncio.Queue[Incoming | None] = asyncio.Queue(INBOX_MAX + 1)
        self._heard = asyncio.Event()
        self._gone = asyncio.Event()
        self._lost: str | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._opened = False
        self.parting: int | None = None
        """The reason code that the broker left with; None when it was not the broker who left."""
        self._file = -1
        self._writing = False
        self.retains: bool | None = None
        """Whether the broker keeps a retained state; None before it has said so."""
        self.overflowed = 0
        """Publications told to us with QoS 0 that nobody fetched in time."""

    async def open(self) -> None:
        """Connect, and have the broker answer a first question.

        Raises:
            LinkLost: it didn't come to that, for this reason.
        """
        try:
            sock = await self._protection.dial(self._hostname, self._port, limit_s=CONNECT_S_MAX)
        except (OSError, ValueError) as error:  # a host may be no name that can be asked for
            raise LinkLost(self._name, str(error)) from None
        self._client._create_socket = lambda: sock  # type: ignore[method-assign]  # noqa: SLF001  # the only way in
        # Not aiomqtt's way in, which takes a thread, and forgets a link lost right after CONNACK.
        self._client_connect()
        if self._protection.protected:
            self._read()  # an alert that came with the handshake says more than a failing write
        try:
            async with asyncio.timeout(CONNECT_S_MAX):
                await self._connected
        except aiomqtt.MqttError as error:
            # TLS 1.3 lets us in before it has looked at our certificate.
            reason = self._protection.doubted(str(error)) if self._lost else str(error)
            raise LinkLost(self._name, reason) from None
        except TimeoutError:
            raise LinkLost(self._name, "the broker accepts, but says nothing") from None
        self._opened = True
        self._heard.set()
        self._ask()
        await self._heard.wait()
        self._raise_if_lost()

    async def publish_signed(self, outgoing: Outgoing) -> None:
        """Publish with QoS 1 and wait for a good reason code; see `Bus.publish`."""
        if len(outgoing.payload) > self._packet_bytes_max:
            raise PublishRefused(outgoing.topic, PAYLOAD_TOO_LARGE, "payload too large")
        async with self._window:
            self._raise_if_lost()
            mid = self._send(outgoing, qos=1)
            signed: asyncio.Future[None] = self._loop.create_future()
            self._unsigned[mid] = (outgoing.topic, signed)
            reached("publish.sent")
            try:
                async with asyncio.timeout(PUBACK_S_MAX):
                    await signed
            except TimeoutError:
                self._end(f"the broker didn't sign within {PUBACK_S_MAX:g} s")
                self._raise_if_lost()
            finally:
                del self._unsigned[mid]

    def offer(self, outgoing: Outgoing) -> bool:
        """Publish with QoS 0, never waiting; see `Bus.offer`."""
        if self._lost is not None or len(outgoing.payload) > self._packet_bytes_max:
            return False
        backlog = self._client._out_packet  # noqa: SLF001  # paho counts it for nobody
        if len(backlog) >= BACKLOG_PACKETS_MAX:
            self._write()
            if len(backlog) >= BACKLOG_PACKETS_MAX or self._lost is not None:
                return False
        self._send(outgoing, qos=0)
        return True

    async def subscribe_all(self, topics: Sequence[str]) -> None:
        """Ask to be told what is published on these topics, with QoS 1."""
        for topic in topics:
            try:
                granted = await self.subscribe(topic, qos=1)
            except aiomqtt.MqttError as error:  # not answered in time, or no longer to be asked
                raise LinkLost(self._name, self._lost or str(error)) from None
            code = granted[0] if isinstance(granted[0], int) else granted[0].value
            if code >= 0x80:  # MQTT 5, section 3.9.3; MQTT 3.1.1, section 3.9.3
                raise SubscribeRefused(topic, code)

    async def receive(self) -> Incoming:
        """Return the next publication told to us."""
        incoming = await self._inbox.get()
        if incoming is None:
            raise LinkLost(self._name, await self.wait_lost())
        return incoming

    def acknowledge(self, incoming: Incoming) -> None:
        """Sign for a publication told to us: it has been dealt with."""
        if self._lost is None and incoming.qos:
            self._client.ack(incoming.mid, incoming.qos)

    async def wait_lost(self) -> str:
        """Return why the connection ended, once it has."""
        await self._gone.wait()
        return self._lost or "closed"

    async def close(self) -> None:
        """Say goodbye, if anybody is there to hear it, and let go of the socket."""
        if self._opened and self._lost is None:
            self._client.disconnect()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(GOODBYE_S_MAX):
                    await self._gone.wait()
        self._end("closed")
        # Not in _end: paho calls that with a lock in its hand which this needs.
        self._client._sock_close()  # noqa: SLF001  # disconnect() would wait for the broker
        if self._connected.done() and not self._connected.cancelled():
            self._connected.exception()

    # -- what ends it ----------------------------------------------------------------------------

    def _ask(self) -> None:
        """Ask whether the broker is there, unless it still owes the answer to the last question."""
        if not self._heard.is_set():
            self._end(f"the broker doesn't answer, asked {self._canary_s:g} s ago")
            return
        self._heard.clear()
        self._client._send_pingreq()  # noqa: SLF001  # paho asks only when nothing else is said
        self._timer = self._loop.call_later(self._canary_s, self._ask)

    def _end(self, reason: str) -> None:
        """Let everybody who waits know, once, that this connection is over; the owner closes it."""
        if self._lost is not None:
            return
        self._lost = reason
        if self._timer is not None:
            self._timer.cancel()
        for _, signed in self._unsigned.values():
            _break_off(signed, LinkLost(self._name, reason))
        for answer in self._pending_subscribes.values():
            _break_off(answer, aiomqtt.MqttError(reason))
        _break_off(self._connected, aiomqtt.MqttError(reason))
        self._inbox.put_nowait(None)
        self._gone.set()
        self._heard.set()

    def _raise_if_lost(self) -> None:
        if self._lost is not None:
            raise LinkLost(self._name, self._lost)

    # -- the traffic -----------------------------------------------------------------------------

    def _send(self, outgoing: Outgoing, *, qos: int) -> int:
        """Put a publication into paho's hands, and return its packet identifier."""
        properties = self._properties_of(outgoing) if self._five else None
        try:
            retain = outgoing.retain and self.retains is not False
            sent = self._client.publish(outgoing.topic, outgoing.payload, qos, retain, properties)
        except ValueError as error:
            raise PublishRefused(outgoing.topic, TOPIC_INVALID, str(error)) from None
        if sent.rc:
            self._end(f"not sent: error {int(sent.rc)} of the library")
            self._raise_if_lost()
        return sent.mid

    def _properties_of(self, outgoing: Outgoing) -> Properties:
        key = (outgoing.expiry_s, outgoing.content_type, outgoing.correlation)
        made = self._packed.get(key)
        if made is None:
            made = _Packed(of_publication(expiry_s=key[0], content_type=key[1], correlation=key[2]))
            if outgoing.correlation is None:  # no two answers have the same
                self._packed[key] = made
        return made

    def _read(self) -> None:
        """Take in what the broker has sent."""
        # Set only here. paho calls it for each QoS 0 packet written as well, with two objects of
        # forty entries made for the purpose, and with an identifier that may be that of a QoS 1
        # publication still unsigned.
        self._client.on_publish = self._on_publish
        try:
            self._client.loop_read()
            # TLS may have deciphered more than was asked for; the socket shows no sign of it.
            while getattr(self._client.socket(), "pending", int)() > 0:
                self._client.loop_read()
        except Exception as error:  # noqa: BLE001  # whatever a broker sends, it ends this link only
            self._end(f"unreadable: {type(error).__name__}: {error}")
            return
        finally:
            self._client.on_publish = None
        self._heard.set()
        if self._client._in_packet["remaining_length"] > INCOMING_BYTES_MAX:  # noqa: SLF001  # before it is all there
            self._end(f"the broker announces a packet of over {INCOMING_BYTES_MAX} bytes")

    def _write(self) -> None:
        """Give the socket what it takes; the rest goes when it has room."""
        if self._lost is not None:
            return
        try:
            self._client.loop_write()
        except Exception as error:  # noqa: BLE001  # see _read
            self._end(f"unwritable: {type(error).__name__}: {error}")
            return
        if self._client.want_write() and not self._writing and self._lost is None:
            self._writing = True
            self._loop.add_writer(self._file, self._write)

    # -- what paho calls; the names and arguments are aiomqtt's ------------------------------------

    def _on_connect(
        self,
        client: paho.Client,
        userdata: object,
        flags: paho.ConnectFlags,
        reason_code: ReasonCode,
        properties: Properties | None = None,
    ) -> None:
        """Keep to the limits that the broker states (MQTT 5, section 3.2.2.3)."""
        terms = terms_of(reason_code.value, properties)
        self._window = asyncio.Semaphore(terms.window)
        self._packet_bytes_max, self.retains = terms.payload_bytes_max, terms.retains
        if terms.refusal is not None:
            self._end(terms.refusal)
            return
        super()._on_connect(client, userdata, flags, reason_code, properties)

    def _on_disconnect(
        self,
        _client: paho.Client,
        _userdata: object,
        flags: paho.DisconnectFlags,
        reason_code: ReasonCode,
        *_: object,
    ) -> None:
        if flags.is_disconnect_packet_from_server:
            self.parting = reason_code.value
            self._end(f"the broker said goodbye: {reason_code}")
        else:
            self.parting = None if self._lost or self._words.text else HUNG_UP
            self._end(self._words.text or "the connection was closed")

    def _on_publish(
        self, _client: paho.Client, _userdata: object, mid: int, reason_code: ReasonCode, *_: object
    ) -> None:
        topic, signed = self._unsigned.get(mid, ("", None))
        if signed is None or signed.done():
            return
        if reason_code.is_failure:
            signed.set_exception(PublishRefused(topic, reason_code.value, str(reason_code)))
        else:
            signed.set_result(None)

    def _on_message(
        self, _client: paho.Client, _userdata: object, message: paho.MQTTMessage
    ) -> None:
        incoming = Incoming(
            topic=message.topic,
            payload=bytes(message.payload),
            qos=message.qos,
            retained=message.retain,
            mid=message.mid,
            response_topic=getattr(message.properties, "ResponseTopic", None),
            correlation=getattr(message.properties, "CorrelationData", None),
        )
        if self._inbox.qsize() < INBOX_MAX:
            self._inbox.put_nowait(incoming)
        else:
            self.overflowed += 1

    def _on_socket_open(self, _client: paho.Client, _userdata: object, sock: PahoSocket) -> None:
        self._file = sock.fileno()
        self._loop.add_reader(self._file, self._read)

    def _on_socket_register_write(
        self, _client: paho.Client, _userdata: object, _sock: PahoSocket
    ) -> None:
        # Once for all that is sent in one turn of the loop.
        self._loop.call_soon(self._write)

    def _on_socket_unregister_write(
        self, _client: paho.Client, _userdata: object, _sock: PahoSocket
    ) -> None:
        if self._writing:
            self._writing = False
            self._loop.remove_writer(self._file)


class _Packed(Properties):
    """Properties that are packed already. The tables of the class it stands for are not built."""

    packed: bytes

    def __init__(self, packed: bytes) -> None:
        object.__setattr__(self, "packed", packed)

    def pack(self) -> bytes:
        """Return what goes on the wire."""
        return self.packed


def _break_off(answer: asyncio.Future[_Answer], error: Exception) -> None:
    if not answer.done():
        answer.set_exception(error)


def _testament(will: Outgoing, *, five: bool) -> aiomqtt.Will:
    packed = of_publication(expiry_s=will.expiry_s, content_type=will.content_type)
    return aiomqtt.Will(
        will.topic, will.payload, will.qos, will.retain, _Packed(packed) if five else None
    )
