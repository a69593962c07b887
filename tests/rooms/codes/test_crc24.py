"""The check bits of Mode S."""

import random

from gateway.codes.crc24 import overlay, parity

ADDRESS = 0xF01234


def test_a_squitter_decoded_by_others_holds():
    assert overlay(bytes.fromhex("8DF01234E12AAA0000000068C1E2")) == 0


def test_the_address_laid_over_a_reply_comes_out():
    assert overlay(bytes.fromhex("2A000AAAED4C5B")) == ADDRESS


def test_every_error_of_one_or_two_bits_and_every_burst_of_24_is_seen():
    body = random.Random(1).randbytes(11)
    message = int.from_bytes(body + parity(body).to_bytes(3, "big"), "big")
    bent = [1 << one for one in range(112)]
    bent += [1 << one | 1 << other for one in range(112) for other in range(one)]
    bent += [0xC00003 << one for one in range(88)]

    assert all(overlay((message ^ error).to_bytes(14, "big")) for error in bent)
