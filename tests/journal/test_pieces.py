"""A file that the disk gives only in part is read as far as it does, in little memory."""

import errno
import os
import re

import pytest

from gateway.journal import pieces
from gateway.journal.pieces import PIECE_BYTES, PIECES_MAX, SECTOR_BYTES, Pieces

LENGTH = 3 * PIECE_BYTES + 1000
CONTENT = bytes(n % 251 for n in range(LENGTH))


class Card:
    """What is read of files; parts of them can't be."""

    def __init__(self, *bad):
        self.bad = bad
        self.preads = 0

    def pread(self, file, length, start):
        self.preads += 1
        if any(first < start + length and start < last for first, last in self.bad):
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return os.pread(file, length, start)


@pytest.fixture
def card(monkeypatch):
    """Have files be read from a card with these parts bad."""

    def card(*bad):
        made = Card(*bad)
        monkeypatch.setattr(pieces, "os", made)
        made.fstat = os.fstat
        return made

    return card


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "content"
    path.write_bytes(CONTENT)
    file = os.open(path, os.O_RDWR)
    yield file
    os.close(file)


@pytest.mark.parametrize("start", [0, 1, PIECE_BYTES - 1, PIECE_BYTES, LENGTH - 1, LENGTH, 9**9])
@pytest.mark.parametrize("length", [0, 1, 2, 4096, PIECE_BYTES, 2 * PIECE_BYTES, LENGTH])
def test_what_is_read_is_what_stands_there(file, start, length):
    content = Pieces(file)

    assert content.read(start, start + length) == CONTENT[start : start + length]
    assert len(content) == LENGTH
    assert content.failure is None


def test_without_a_file_there_is_nothing():
    assert (len(Pieces(None)), Pieces(None).read(0, 9)) == (0, b"")


def test_a_part_that_cant_be_read_is_nought_and_no_more_than_its_sectors(file, card):
    card((PIECE_BYTES + 5000, PIECE_BYTES + 5001), (2 * PIECE_BYTES - 1, 2 * PIECE_BYTES + 1))
    content = Pieces(file)
    read = content.read(0, LENGTH)

    bad = [
        place
        for place in range(0, LENGTH, SECTOR_BYTES)
        if read[place : place + SECTOR_BYTES] != CONTENT[place : place + SECTOR_BYTES]
    ]

    assert [place - PIECE_BYTES for place in bad] == [4096, PIECE_BYTES - 4096, PIECE_BYTES]
    assert all(not any(read[place : place + SECTOR_BYTES]) for place in bad)
    assert content.failure.errno == errno.EIO


def test_a_file_that_can_t_be_read_at_all_is_nought(file, card):
    card((0, LENGTH))

    assert Pieces(file).read(0, LENGTH) == bytes(LENGTH)


def test_a_file_that_is_cut_short_meanwhile_ends_in_nought(file):
    content = Pieces(file)
    os.ftruncate(file, PIECE_BYTES + 10)
    read = content.read(0, LENGTH)

    assert read == CONTENT[: PIECE_BYTES + 10] + bytes(LENGTH - PIECE_BYTES - 10)


def test_a_pattern_is_found_wherever_it_stands_also_across_two_pieces(file):
    places = [0, 77, PIECE_BYTES - 2, 2 * PIECE_BYTES - 1, 3 * PIECE_BYTES, LENGTH - 3]
    for place in places:
        os.pwrite(file, b"\xfd\xfe\xff", place)
    os.pwrite(file, b"\xfd", PIECE_BYTES + 1)

    found = Pieces(file).found(re.compile(rb"\xfd(\xfe\xff)?"), 3)

    assert list(found) == sorted([*places, PIECE_BYTES + 1])


def test_little_is_held_and_what_was_used_last_is_not_read_again(file, card, monkeypatch):
    monkeypatch.setattr(pieces, "PIECE_BYTES", SECTOR_BYTES)
    made = card()
    content = Pieces(file)
    for start in range(0, LENGTH, SECTOR_BYTES):
        content.read(start, start + 1)
        content.read(0, 1)
    once = -(-LENGTH // SECTOR_BYTES)

    assert len(content._held) == PIECES_MAX
    assert made.preads == once
