"""Distress gateway: one hallway between radios and MQTT.

Inbound, left to right (each arrow is one door; one type fits through it):

    wire -Chunk-> framing -Frame-> radio -Reading-> normalise -Report->
    correlate -Sighting-> rules -Ruling-> journal -Entry-> mqtt
"""

__version__ = "0.1.0"
