"""What a connection may take: of time, of memory, of a broker's patience. Each with its reason."""

CONNECT_S_MAX = 8.0
"""For the TCP connection, the TLS handshake and CONNACK each: a satellite link takes two."""

CANARY_S = 4.0
"""Pause between questions to the broker. One that goes unanswered until the next ends the link,
so a broker that is there but dead is found in at most twice this time."""

PUBACK_S_MAX = 15.0
"""A broker that answers, but doesn't sign for so long, is taken for dead."""

GOODBYE_S_MAX = 0.8
"""For the will on leaving, and for DISCONNECT, each: a service stops within two seconds."""

WINDOW_MAX = 20
"""Publications unsigned at once. What mosquitto takes by default (max_inflight_messages)."""

SIGNED_S_MAX = WINDOW_MAX * PUBACK_S_MAX
"""By then a publication is signed for, or its connection has ended: a broker that takes one at a
time may have nineteen before it, and all its time for each."""

BACKLOG_PACKETS_MAX = 1024
"""Packets that the socket has not taken; beyond it QoS 0 is refused. A broker that stands still
costs this many records, about a megabyte, and not the machine."""

INBOX_MAX = 1024
"""Publications told to us and not yet dealt with. QoS 1 beyond it stays at the broker (MQTT 5)."""

INCOMING_BYTES_MAX = 262_144
"""A broker that sends a longer packet is not one of ours; a packet may announce 256 MB."""

ENVELOPE_BYTES_MAX = 512
"""Topic, properties and header of a PUBLISH of ours: six levels of 64 characters at the most."""
