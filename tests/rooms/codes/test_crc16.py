"""The check value that everybody states for this CRC, and what it is good for."""

from gateway.codes.crc16 import crc16


def test_check_value():
    assert crc16(b"123456789") == 0xBB3D


def test_data_with_their_remainder_behind_them_leave_nothing():
    found = crc16(b"\x80mayday")

    assert crc16(b"\x80mayday" + bytes((found & 0xFF, found >> 8))) == 0


def test_any_bent_bit_leaves_something():
    for bit in range(7 * 8):
        bent = bytearray(b"\x80mayday")
        bent[bit // 8] ^= 1 << bit % 8
        assert crc16(bytes(bent)) != crc16(b"\x80mayday")
