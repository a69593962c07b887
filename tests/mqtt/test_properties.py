"""The properties of MQTT 5 that we pack ourselves, against the library's own packing."""

from __future__ import annotations

import pytest
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from gateway.mqtt.properties import of_connection, of_publication


@pytest.mark.parametrize("expiry_s", [None, 0, 1, 900, 2**32 - 1])
@pytest.mark.parametrize("content_type", [None, "application/json", "æ"])
@pytest.mark.parametrize("kind", [PacketTypes.PUBLISH, PacketTypes.WILLMESSAGE])
def test_the_properties_of_a_publication(expiry_s, content_type, kind):
    expected = Properties(kind)
    if expiry_s is not None:
        expected.MessageExpiryInterval = expiry_s
    if content_type is not None:
        expected.ContentType = content_type

    assert of_publication(expiry_s=expiry_s, content_type=content_type) == expected.pack()


def test_the_properties_of_a_connection():
    expected = Properties(PacketTypes.CONNECT)
    expected.ReceiveMaximum = 1024
    expected.MaximumPacketSize = 262_144

    assert of_connection(receive_max=1024, packet_bytes_max=262_144) == expected.pack()
