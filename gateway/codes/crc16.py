"""CRC-16 with the polynomial x^16 + x^15 + x^2 + 1, lowest bit first, beginning with 0.

Of the names it goes by: CRC-16/ARC, CRC-IBM. The check value of `123456789` is BB3D.
"""

_POLYNOMIAL = 0xA001
"""Its bits in the order in which they are divided away: lowest first."""


def _row(byte: int) -> int:
    for _ in range(8):
        byte = byte >> 1 ^ (_POLYNOMIAL if byte & 1 else 0)
    return byte


_TABLE = tuple(_row(byte) for byte in range(256))


def crc16(data: bytes) -> int:
    """Return the remainder; of data with their own remainder behind them, low byte first, 0."""
    rest, table = 0, _TABLE
    for byte in data:
        rest = rest >> 8 ^ table[(rest ^ byte) & 0xFF]
    return rest
