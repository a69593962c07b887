"""What became of what came in at a port."""

from __future__ import annotations

from msgspec import Struct


class PortCount(Struct):
    """What came in at one port. bytes_in is always the sum of the four that follow it."""

    bytes_in: int = 0
    bytes_decoded: int = 0
    """In whole frames."""
    bytes_refused: int = 0
    """In frames with a fault."""
    bytes_noise: int = 0
    """In no frame at all."""
    bytes_held: int = 0
    """Waiting for the rest of their frame."""
    frames: int = 0
    refused: int = 0
    """Frames with a fault, and whole ones that could not be read."""
    unread: int = 0
    """Whole frames in a language that no decoder of this port speaks, or that are of no radio."""
    reports: int = 0
    copies: int = 0
    suspect: int = 0
    """Reports of confidence `suspect`."""
    decoder_errors: int = 0
    """Exceptions out of a decoder: faults of this program. Always 0, or please report it."""
