"""Binary BCH codes: check digits made, and errors found and put right.

A word is an integer whose most significant of `length` bits went over the air first: the data,
then the check digits. The codes are shortened: the bits that would stand before them are 0, and an
error found there proves that there are more errors than the code can put right.

The three of Cospas-Sarsat (C/S T.001 annex A, sections A2.3 and A2.4; C/S T.018 section 2.2.4):
their generators have the odd powers of a primitive element of GF(2^m) as roots, m1·m3·m5 and so on.
"""

from __future__ import annotations

from functools import cached_property

_BYTE = 8


class Bch:
    """One code: systematic, shortened to `length` bits, correcting up to `corrects` of them."""

    def __init__(self, generator: int, *, length: int, field: int, corrects: int) -> None:
        """Field is the primitive polynomial of GF(2^m) that the generator's roots belong to."""
        self.length = length
        self.checks = generator.bit_length() - 1
        self.corrects = corrects
        self.generator = generator
        self._field = field

    def check(self, data: int) -> int:
        """Return the check digits of these data."""
        return self._remainder(data << self.checks, self.length)

    def put_right(self, word: int) -> tuple[int, int] | None:
        """Return the word without its errors, and how many there were; None for too many."""
        remainder = self._remainder(word, self.length)
        if remainder == 0:
            return word, 0
        wrong = self._wrong_bits(remainder)
        if wrong is None:
            return None
        for place in wrong:
            word ^= 1 << place
        return word, len(wrong)

    def _remainder(self, word: int, length: int) -> int:
        """Divide by the generator, eight bits a step."""
        steps, checks = -(-length // _BYTE), self.checks
        mask, table = (1 << checks) - 1, self._table
        remainder = 0
        for step in range(steps - 1, -1, -1):
            remainder = (remainder << _BYTE) | (word >> (step * _BYTE)) & 0xFF
            remainder = (remainder & mask) ^ table[remainder >> checks]
        return remainder

    def _wrong_bits(self, remainder: int) -> list[int] | None:
        """Return the places, counted from the last bit, of all errors; None for too many."""
        locator = self._locator(self._syndromes(remainder))
        if len(locator) - 1 > self.corrects:
            return None
        # Chien's search: the places whose inverse power is a root of the locator.
        order, logs = self._order, [self._log[factor] if factor else None for factor in locator]
        powers, found = self._power, []
        for place in range(self.length):
            value = 0
            for degree, log in enumerate(logs):
                if log is not None:
                    value ^= powers[(log - place * degree) % order]
            if value == 0:
                found.append(place)
                if len(found) == len(locator) - 1:
                    return found
        return None

    def _syndromes(self, remainder: int) -> list[int]:
        """Return the values of the remainder at the first 2t powers of the primitive element."""
        order, powers = self._order, self._power
        places = [place for place in range(self.checks) if remainder >> place & 1]
        syndromes = [0] * (2 * self.corrects + 1)
        for power in range(1, 2 * self.corrects, 2):
            for place in places:
                syndromes[power] ^= powers[power * place % order]
        for power in range(2, 2 * self.corrects + 1, 2):  # squares, in a field of characteristic 2
            half = syndromes[power // 2]
            syndromes[power] = powers[2 * self._log[half] % order] if half else 0
        return syndromes

    def _locator(self, syndromes: list[int]) -> list[int]:
        """Return the error locator polynomial, lowest degree first (Berlekamp and Massey)."""
        current, before = [1], [1]
        errors, shift, last = 0, 1, 1
        for step in range(2 * self.corrects):
            gap = syndromes[step + 1]
            for degree in range(1, errors + 1):
                if degree < len(current):
                    gap ^= self._times(current[degree], syndromes[step + 1 - degree])
            if gap == 0:
                shift += 1
                continue
            factor = self._over(gap, last)
            longer = current + [0] * (len(before) + shift - len(current))
            for degree, value in enumerate(before):
                longer[degree + shift] ^= self._times(factor, value)
            if 2 * errors <= step:
                before, last, shift = current, gap, 1
                errors = step + 1 - errors
            else:
                shift += 1
            current = longer
        while current[-1] == 0:
            current.pop()
        return current

    def _times(self, one: int, other: int) -> int:
        if not one or not other:
            return 0
        return self._power[(self._log[one] + self._log[other]) % self._order]

    def _over(self, one: int, other: int) -> int:
        return self._power[(self._log[one] - self._log[other]) % self._order]

    @cached_property
    def _order(self) -> int:
        return (1 << (self._field.bit_length() - 1)) - 1

    @cached_property
    def _power(self) -> list[int]:
        """The powers of the primitive element."""
        powers = [1]
        while len(powers) < self._order:
            value = powers[-1] << 1
            powers.append(value ^ self._field if value > self._order else value)
        return powers

    @cached_property
    def _log(self) -> dict[int, int]:
        return {value: exponent for exponent, value in enumerate(self._power)}

    @cached_property
    def _table(self) -> list[int]:
        """What each byte over the top leaves behind when it is divided away."""
        table = []
        for top in range(1 << _BYTE):
            value = top << self.checks
            for place in range(_BYTE - 1, -1, -1):
                if value >> (self.checks + place) & 1:
                    value ^= self.generator << place
            table.append(value)
        return table


BCH_82_61 = Bch(0b1001101101100111100011, length=82, field=0b10001001, corrects=3)
"""First protected field of a first-generation beacon: BCH (82,61), T.001 section A2.3."""

BCH_38_26 = Bch(0b1010100111001, length=38, field=0b1000011, corrects=2)
"""Second protected field: BCH (38,26), T.001 section A2.4."""

BCH_250_202 = Bch(
    0b1110001111110101110000101110111110011110010010111, length=250, field=0b100011101, corrects=6
)
"""The whole of a second-generation beacon's message: BCH (250,202), T.018 section 2.2.4."""
