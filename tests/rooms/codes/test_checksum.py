"""The checksum of NMEA 0183 against published sentences."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.codes.checksum import nmea_checksum


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"", 0x00),
        (b"LCGLL,4728.31,N,12254.25,W,091342,A,A", 0x4C),  # IEC 61162-1, example of GLL
        (b"CVDSE,1,1,A,3601234560,00,12345678", 0x0C),  # IEC 61162-1, example of DSE
        (b"AIVDM,1,1,,A,>>QK2khE0U8:1@E=@0,4", 0x52),
    ],
)
def test_published_sentences(body, expected):
    assert nmea_checksum(body) == expected


@given(body=st.binary(min_size=1), bit=st.integers(0, 7), at=st.integers(0))
def test_every_bent_bit_is_seen(body, bit, at):
    bent = bytearray(body)
    bent[at % len(body)] ^= 1 << bit

    assert nmea_checksum(bytes(bent)) == nmea_checksum(body) ^ 1 << bit
