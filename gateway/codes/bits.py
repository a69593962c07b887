"""Fields in a row of bits, by the numbers that standards give them: the first bit is bit 1."""

from __future__ import annotations


class Bits:
    """A row of bits. `bits(41, 64)` are bits 41 to 64, both included, as an unsigned number."""

    __slots__ = ("first", "last", "value")

    def __init__(self, value: int, *, first: int = 1, last: int) -> None:
        """Value holds bits `first` to `last`, the last in its lowest place."""
        self.value = value
        self.first = first
        self.last = last

    def __call__(self, first: int, last: int | None = None) -> int:
        """Return the bits from first to last; of a single bit, its value."""
        last = first if last is None else last
        return self.value >> (self.last - last) & ((1 << (last - first + 1)) - 1)


def joined(*fields: tuple[int, int]) -> int:
    """Return the row of bits that these fields make, each a value and how many bits it is given."""
    row = 0
    for value, width in fields:
        row = row << width | value & ((1 << width) - 1)
    return row
