"""Meshtastic: a mesh of LoRa radios, as one of them tells it on its serial port.

    FromRadio   2 packet: MeshPacket           4 node_info: NodeInfo, out of the device's memory
    MeshPacket  1 from  2 to  4 decoded: Data  5 encrypted  6 id  8 snr  12 rssi  14 via_mqtt
    Data        1 port  2 payload              port 1 text  3 position  4 user  11 alert

Source: the field numbers of the project's mesh.proto and portnums.proto, 2.7; any other field is
passed over. The radio proves what it hears, the wire proves nothing, so no report is better than
tentative. An alert (port 11, "critical alerts") is taken for distress: the network has nothing
higher. Text with MAYDAY or SOS in it is taken for distress as well, and is suspect.

    reading.py  from bytes to words       words.py  what a node says, and what that means
    compose.py  packets that are ordered
"""

from __future__ import annotations

from collections.abc import Iterator

from gateway.model.bounds import Bound
from gateway.model.inbound import Draft, Frame, Moment, Reading, Unread
from gateway.radio.meshtastic.compose import COMPOSER
from gateway.radio.meshtastic.reading import Illegible, content_of, read_message
from gateway.radio.meshtastic.words import MeshtasticDetail, called_words, draft_of

__all__ = ["COMPOSER", "RADIO", "Meshtastic"]


class Meshtastic:
    """Reads what a device says. It remembers nothing."""

    name = "meshtastic"

    def bounds(self) -> Iterator[Bound]:
        """Yield nothing: nothing waits here."""
        return iter(())

    def read(self, frame: Frame) -> tuple[Reading | Unread, ...] | None:
        """Return what a packet says; what is not about the mesh is None."""
        if not _is_packet(frame):
            return None
        said = read_message(frame.body)
        if said is None:
            return None
        if isinstance(said, Illegible):
            return (Unread((frame,), said.reason, distress_like=said.distress_like),)
        return (Reading((frame,), self.name, said, content_of(said, frame.body)),)

    def report(self, reading: Reading) -> Draft:
        """Return what a packet means to everybody."""
        if isinstance(reading.said, MeshtasticDetail):
            return draft_of(reading.said)
        raise TypeError(reading.said)

    def expire(self, _now: Moment) -> tuple[Reading | Unread, ...]:
        """Return nothing: each packet stands for itself."""
        return ()

    def distress_like(self, frame: Frame) -> bool:
        """Say whether a packet, broken or unread, may be an alert, or has words of distress."""
        if not frame.raw.startswith(_START):
            return False
        return _ALERT in frame.raw or called_words(frame.raw.decode("latin-1")) is not None


_START = b"\x94\xc3"
_ALERT = b"\x08\x0b\x12"
"""Port 11, and the tag of the payload behind it."""


def _is_packet(frame: Frame) -> bool:
    return frame.raw.startswith(_START) and frame.raw.endswith(frame.body)


RADIO = Meshtastic
