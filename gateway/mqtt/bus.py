"""The narrow port to the bus: all that the rest of the house knows of MQTT.

Nothing here imports a library; whatever keeps this page's promises may carry the house's word. Each
promise is a clause of tests/contract, held on every broker that we speak to, over a broken line.

    Exception
    ├── LinkLost           the connection ended: whether what was under way arrived, nobody knows
    ├── PublishRefused     the broker read it and said no
    ├── SubscribeRefused   the broker won't tell us what we asked to hear
    └── CredentialFault    a file that should prove who we are, or who the broker is, is no use
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Protocol

from msgspec import Struct

PAYLOAD_BYTES_MAX = 65_536
"""What the broker configuration that we ship lets through. The longest record is a tenth of it."""

PAYLOAD_TOO_LARGE = 0x95
TOPIC_INVALID = 0x90
"""Reason codes of MQTT 5 (section 2.4), given to what is refused before it is sent as well."""


class Outgoing(Struct, frozen=True, kw_only=True, gc=False):
    """One publication, encoded and ready to go."""

    topic: str
    payload: bytes
    qos: int
    """0 or 1. 2 is never used: a refusal of it goes unseen in the client library."""
    retain: bool = False
    expiry_s: int | None = None
    """How long the broker may keep it; MQTT 5 only."""
    content_type: str | None = None
    """What the payload is written in; MQTT 5 only."""
    correlation: bytes | None = None
    """What whoever asked knows the answer by, 64 bytes at most; MQTT 5 only."""


class Incoming(Struct, frozen=True, kw_only=True, gc=False):
    """One publication that a broker told us."""

    topic: str
    payload: bytes
    qos: int
    retained: bool
    """True when the broker had kept it; false when it was published just now."""
    mid: int
    """Its packet identifier on this connection."""
    response_topic: str | None = None
    """Where an answer is wanted; MQTT 5 only."""
    correlation: bytes | None = None
    """What the answer is to be known by; MQTT 5 only."""


class LinkLost(Exception):  # noqa: N818  # a fact about the link, named as one
    """The connection is gone, or was never there."""

    def __init__(self, link: str, reason: str) -> None:
        super().__init__(f"{link}: {reason}")
        self.link = link
        self.reason = reason


class PublishRefused(Exception):  # noqa: N818  # see LinkLost
    """The broker, or its known limits, refused a publication."""

    def __init__(self, topic: str, reason_code: int, reason: str) -> None:
        super().__init__(f"{topic}: {reason} (0x{reason_code:02x})")
        self.topic = topic
        self.reason_code = reason_code
        self.reason = reason


class SubscribeRefused(Exception):  # noqa: N818  # see LinkLost
    """The broker refused a subscription."""

    def __init__(self, topic: str, reason_code: int) -> None:
        super().__init__(f"{topic}: subscription refused (0x{reason_code:02x})")
        self.topic = topic
        self.reason_code = reason_code


class CredentialFault(Exception):  # noqa: N818  # see LinkLost
    """A certificate, key or password file can't be used."""

    def __init__(self, file: str, reason: str) -> None:
        super().__init__(f"{file}: {reason}")
        self.file = file
        self.reason = reason


class Bus(Protocol):
    """A connection to one broker, made again whenever it ends, for as long as it runs.

    Each connection is a new one. It asks the broker for no session of before, and nothing that was
    under way on the one before is sent, signed for or waited for on it.

    A connection that ends is known to have ended at once where either end says so, and within 10 s
    where nobody says anything any more. Pauses between attempts grow from a moment to 15 s at the
    most, and are diced: many that were thrown out together don't come back together.

    No more than 20 publications are ever unsigned, and no more than the broker says it takes.
    """

    @property
    def connected(self) -> bool:
        """True while the broker is known to answer: more has come from it than a greeting."""

    @property
    def connects(self) -> int:
        """How often a connection was made: the name of the present one."""

    @property
    def taken(self) -> int:
        """Publications that the broker has signed for on the present connection, or the last."""

    @property
    def retains(self) -> bool:
        """Whether the broker keeps retained states; where it doesn't they are told unretained."""

    @property
    def overflowed(self) -> int:
        """Publications told to us with QoS 0 that nobody fetched in time, over all connections."""

    @property
    def last_error(self) -> str | None:
        """Why the last connection, or the last attempt at one, came to its end."""

    @property
    def disputed(self) -> str | None:
        """The name it goes by because another client bears its own; None when it is alone."""

    async def run(self) -> None:
        """Keep the connection until cancelled; then tell the will, if any, and leave in order.

        Leaving takes two seconds at the most. A broker that we vanish from tells the will itself.
        """

    async def publish(self, outgoing: Outgoing) -> None:
        """Publish with QoS 1; return once the broker has signed for it with a good reason code.

        Raises:
            PublishRefused: the broker signed with a bad one, or it would break a known limit and
                was not sent. MQTT 3.1.1 has no words for the former: there a broker that denies
                signs as well.
            LinkLost: at once when there is no link, or when the link ends before the signature.
                `connected` is false by then. Nobody knows whether it arrived; it is not sent
                again unless the caller does so.
        """

    def offer(self, outgoing: Outgoing) -> bool:
        """Publish with QoS 0, never waiting. False when there is no link or it can't keep up."""

    async def renew(self) -> None:
        """Leave in order, and let another connection take the place of this one at once."""

    def received(self) -> AsyncIterator[Incoming]:
        """Yield what is told on our topics, over one connection after the other.

        Each is signed for when the next one is asked for, and not before; never over another
        connection. What was told and not signed for when a connection ended is not told again by
        the broker: whoever told it must be able to say it again. What is told twice is yielded
        twice. There is no connection while the broker refuses one of the topics.
        """

    async def wait_connected(self) -> None:
        """Return as soon as the link is up."""

    async def wait_reconnected(self, since: int) -> int:
        """Return `connects` as soon as it is over `since` and the link is up."""
