"""Stuffed packets are those that others write: the examples of COBS and of SLIP."""

import pytest

from gateway.codes.stuffing import stuff_cobs, stuff_slip, unstuff_cobs, unstuff_slip


def run(first, last):
    return bytes(range(first, last + 1))


@pytest.mark.parametrize(
    ("packet", "stuffed"),
    [
        (b"", b"\x01"),
        (b"\0", b"\1\1"),
        (b"\0\0", b"\1\1\1"),
        (b"\0\x11\0", b"\1\2\x11\1"),
        (b"\x11\x22\0\x33", b"\3\x11\x22\2\x33"),
        (b"\x11\x22\x33\x44", b"\5\x11\x22\x33\x44"),
        (b"\x11\0\0\0", b"\2\x11\1\1\1"),
        # around the block of 254 bytes that no 0x00 ends
        (run(1, 253), b"\xfe" + run(1, 253)),
        (run(1, 254), b"\xff" + run(1, 254)),
        (b"\0" + run(1, 254), b"\1\xff" + run(1, 254)),
        (run(1, 255), b"\xff" + run(1, 254) + b"\2\xff"),
        (run(1, 254) + b"\0", b"\xff" + run(1, 254) + b"\1\1"),
        (run(2, 255) + b"\0", b"\xff" + run(2, 255) + b"\1\1"),
        (run(3, 255) + b"\0\1", b"\xfe" + run(3, 255) + b"\2\1"),
        (run(1, 254) * 2, (b"\xff" + run(1, 254)) * 2),
        (run(1, 254) * 2 + b"\7", (b"\xff" + run(1, 254)) * 2 + b"\2\7"),
    ],
)
def test_cobs_is_as_its_authors_write_it(packet, stuffed):
    assert stuff_cobs(packet) == stuffed
    assert unstuff_cobs(stuffed) == packet


@pytest.mark.parametrize(
    "stuffed",
    [b"\3\x11", b"\2", b"\1\0", b"\3\x11\0", b"\0", b"\xff" + run(1, 253)],
)
def test_cobs_that_does_not_end_where_it_says_is_no_packet(stuffed):
    assert unstuff_cobs(stuffed) is None


@pytest.mark.parametrize(
    ("packet", "stuffed"),
    [
        (b"", b""),
        (b"\xc0", b"\xdb\xdc"),
        (b"\xdb", b"\xdb\xdd"),
        (b"\xdb\xdc", b"\xdb\xdd\xdc"),
        (b"a\xc0\xdbz", b"a\xdb\xdc\xdb\xddz"),
    ],
)
def test_slip_is_as_its_rfc_writes_it(packet, stuffed):
    assert stuff_slip(packet) == stuffed
    assert unstuff_slip(stuffed) == packet


@pytest.mark.parametrize("stuffed", [b"\xdb", b"\xdba", b"a\xdb\xdb", b"\xc0", b"a\xc0b"])
def test_slip_whose_escape_means_nothing_is_no_packet(stuffed):
    assert unstuff_slip(stuffed) is None
