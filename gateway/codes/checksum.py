"""Exclusive-or checksum of NMEA 0183 / IEC 61162-1 (section 7.3.3)."""

from functools import reduce
from operator import xor


def nmea_checksum(body: bytes) -> int:
    """Return the exclusive-or of every byte between the start mark and the asterisk."""
    return reduce(xor, body, 0)
