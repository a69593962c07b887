"""The symbols of a call as the fields of the sentence that would tell it, and back.

What a place may hold is set by ITU-R M.493-15, tables A1-4.1 to A1-4.10:

    alert          112   self-ID 5  nature  position 5  time 2  subsequent
    about another  fmt   address 5  112  self-ID 5  telecommand  casualty 5  nature  position 5
                         time 2  subsequent                       all ships (116): no address
    other          fmt   address 5  category  self-ID 5  telecommand  telecommand  message

    message        one or two frequencies or channels of 3 or 4 symbols; 55 and a position of 5,
                   with or without a time of 2; in position reports the position and the time
                   alone; a symbol 105 or 106 and a telephone number; 126 for nothing

So what is read from the air and what a radio tells of the same call is put into words in one place.
Beyond what a sentence has room for, the air says whom a call is for, and who sends an area call.
"""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace

from gateway.radio.dsc import fields as field
from gateway.radio.dsc import tables
from gateway.radio.dsc.air import ENDS, Sequence
from gateway.radio.dsc.expansion import Sentence, expansion_of
from gateway.radio.dsc.words import DscDetail, SymbolProof

_ID, _PLACE, _TIME = 5, 5, 2
_DIGITS_BELOW = 100
_POSITION_MARK = 55
_NUMBER_MARKS = {105: 1, 106: 0}  # M.493-15: an odd, an even number of digits
_FINE_FREQUENCY = range(40, 50)
_FORMAT_ALL_SHIPS = 116
_NOTHING_SYMBOLS = 3
"""In place of a frequency: 126 as often as it has symbols."""
_LOST = "?"
"""Two of these stand for a symbol that holds no digits or was lost: no field can be read so."""
_ASKS, _HAS_NONE = 110, 126  # M.821-1 table 3
_EXPANSION_SYMBOLS = {100: 4, 101: 3, 102: 2, 103: 2, 105: 12, 106: 2}  # M.821-1
_TEXT = 104
_ALPHABET = "0123456789?ABCDEFGHIJKLMNOPQRSTUVWXYZ.,-/ "
"""M.821-1 table 2: symbols 0 to 41. The sign for 10 is as decoders in use show it."""


class Told(Struct, frozen=True):
    """A call as the fields of a sentence, and what a sentence has no room for."""

    texts: list[str]
    sender: str | None
    addressee: str | None
    whole: bool
    """Whether it has as many symbols as such a call has."""


class _Row:
    """Symbols, taken from the front."""

    def __init__(self, symbols: tuple[int | None, ...]) -> None:
        self.left = list(symbols)

    def code(self) -> str:
        """Take one symbol that commands."""
        if not self.left:
            return ""
        symbol = self.left.pop(0)
        return _LOST * 2 if symbol is None else field.code_text(symbol)

    def casualty(self) -> str:
        """Take who is in distress; nothing is said five times where nobody knows."""
        if self.left[:_ID] == [tables.NOTHING] * _ID:
            self.left = self.left[_ID:]
            return ""
        return self.digits(_ID)

    def digits(self, count: int) -> str:
        """Take so many symbols, two digits each."""
        taken, self.left = self.left[:count], self.left[count:]
        return digits_of(taken)


def digits_of(symbols: list[int | None]) -> str:
    """Return two digits a symbol."""
    return "".join(
        _LOST * 2 if symbol is None or symbol >= _DIGITS_BELOW else f"{symbol:02d}"
        for symbol in symbols
    )


def told(call: Sequence) -> Told | None:
    """Return the call; None when its format was lost or is none."""
    format_code, *inside = call.symbols[:-1]
    if format_code not in tables.FORMATS:
        return None
    end = ENDS.get(call.symbols[-1] or 0, "")
    row = _Row(tuple(inside))
    if format_code == tables.FORMAT_DISTRESS:
        return _alert(row, end)
    return _other(row, format_code, end)


def _alert(row: _Row, end: str) -> Told:
    whole = len(row.left) == _ID + 1 + _PLACE + _TIME + 1
    sender, nature = row.digits(_ID), row.code()
    place, time, subsequent = row.digits(_PLACE), row.digits(_TIME), row.code()
    texts = ["12", sender, "12", nature, subsequent, place, time, "", "", end, ""]
    return Told(texts, _mmsi(sender), None, whole)


def _other(row: _Row, format_code: int, end: str) -> Told:
    address = "" if format_code == _FORMAT_ALL_SHIPS else row.digits(_ID)
    category, sender, first = row.code(), row.digits(_ID), row.code()
    area = format_code == tables.FORMAT_AREA
    head = [field.code_text(format_code), address if area else sender, category, first]
    addressee = None if area else _mmsi(address)
    if category == field.code_text(tables.CATEGORY_DISTRESS):
        whole = len(row.left) == _ID + 1 + _PLACE + _TIME + 1
        casualty, nature, place = row.casualty(), row.code(), row.digits(_PLACE)
        time, subsequent = row.digits(_TIME), row.code()
        texts = [*head, subsequent, place, time, casualty, nature, end, ""]
        return Told(texts, _mmsi(sender), addressee, whole)
    second = row.code()
    place, time = _proposal(row, format_code, first)
    texts = [*head, second, place, time, "", "", end, ""]
    return Told(texts, _mmsi(sender), addressee, not row.left)


def _proposal(row: _Row, format_code: int, first: str) -> tuple[str, str]:
    """Take what a call of urgency, safety or routine proposes or states."""
    about_place = first == field.code_text(tables.POSITION_UPDATE)
    row.left = _without_nothing(row.left)
    if row.left[:1] == [_POSITION_MARK]:
        row.left.pop(0)
        about_place = True
    if about_place and len(row.left) in (_PLACE, _PLACE + _TIME):
        return row.digits(_PLACE), row.digits(_TIME)
    working = _working(row)
    if format_code != tables.FORMAT_AUTOMATIC:
        working += _working(row)
    return working, _number(row)


def _working(row: _Row) -> str:
    """Take one frequency or channel, or nothing in its place."""
    if row.left[:1] == [tables.NOTHING]:
        row.left = row.left[_NOTHING_SYMBOLS:]
        return ""
    if not row.left or row.left[0] in _NUMBER_MARKS:
        return ""
    return row.digits(4 if row.left[0] in _FINE_FREQUENCY else 3)


def _number(row: _Row) -> str:
    """Take a telephone number."""
    if not row.left or row.left[0] not in _NUMBER_MARKS:
        return ""
    odd = _NUMBER_MARKS[row.left.pop(0) or 0]
    digits = row.digits(len(row.left))
    return digits[odd:]


def _without_nothing(symbols: list[int | None]) -> list[int | None]:
    """Return the symbols without those at the end that say that there is nothing."""
    while symbols and symbols[-1] == tables.NOTHING:
        symbols = symbols[:-1]
    return symbols


def _mmsi(address: str) -> str | None:
    return field.mmsi_of(address) if address else None


def expansion_sets(expansion: Sequence) -> tuple[tuple[str, str], ...] | None:
    """Return the data sets of an expansion as a sentence has them; None when one can't be cut."""
    left = list(expansion.symbols[:-1])
    sets = []
    while left:
        code = left.pop(0)
        if code not in _EXPANSION_SYMBOLS and code != _TEXT:
            return None
        length = 1 if left[:1] in ([_ASKS], [_HAS_NONE]) else _length(code, left)
        taken, left = left[:length], left[length:]
        sets.append((field.code_text(code), _data_set(code, taken)))
    return tuple(sets)


def _length(code: int, left: list[int | None]) -> int:
    if code != _TEXT:
        return _EXPANSION_SYMBOLS[code]
    ends = (at for at, symbol in enumerate(left) if symbol is None or symbol >= _DIGITS_BELOW)
    return next(ends, len(left))


def _data_set(code: int, taken: list[int | None]) -> str:
    if taken in ([_ASKS], [_HAS_NONE]):
        return f"C{field.code_text(taken[0])}"
    if code == _TEXT:
        return "".join(_letter(symbol) for symbol in taken).replace(",", "'")
    return digits_of(taken)


def _letter(symbol: int | None) -> str:
    return "?" if symbol is None or symbol >= len(_ALPHABET) else _ALPHABET[symbol]


def with_proof(call: DscDetail, told: Told, sequence: Sequence) -> DscDetail:
    """Return a call read from its fields, with what only its symbols say."""
    return replace(
        call,
        self_id=call.self_id or told.sender,
        address_id=told.addressee,
        unreadable=call.unreadable if told.whole else (*call.unreadable, "number of symbols"),
        proof=SymbolProof(
            check=sequence.check,
            lost=sequence.symbols.count(None) + (sequence.check == "spent"),
            corrected_bits=sequence.corrected_bits,
            bits=sequence.proof_bits,
        ),
    )


def raw_sentence(self_id: str, expansion: Sequence) -> Sentence | None:
    """Return an expansion as the one sentence that would tell it; None when it can't be cut."""
    sets = expansion_sets(expansion)
    if sets is None:
        return None
    asks = any(data == f"C{field.code_text(_ASKS)}" for _, data in sets)
    return Sentence(self_id, "query" if asks else "automatic", 1, sets, ())


def expanded(call: DscDetail, more: tuple[Sentence, ...], expansion: Sequence) -> DscDetail:
    """Return the call with its expansion."""
    proof = call.proof and replace(call.proof, expansion_check=expansion.check)
    return replace(call, expansion=expansion_of(more), expansion_announced=True, proof=proof)


def symbols_told(texts: list[str], *, sender: str | None, addressee: str | None) -> tuple[int, ...]:
    """Return the symbols, from the format once to the end, that say the fields of a sentence."""
    format_code, category = field.code_of(texts[0]), field.code_of(texts[2])
    end = next(symbol for symbol, letter in ENDS.items() if letter == (texts[9] or "S"))
    if format_code == tables.FORMAT_DISTRESS:
        inside = (texts[1], _c(texts[3]), texts[5], texts[6], _c(texts[4]))
        return _symbols(format_code, *inside, end)
    area = format_code == tables.FORMAT_AREA
    address = texts[1] if area else f"{addressee}0" if addressee else ""
    head = (address, _c(texts[2]), f"{sender}0" if area else texts[1], _c(texts[3]))
    if category == tables.CATEGORY_DISTRESS:
        casualty = (texts[7],) if texts[7] else (tables.NOTHING,) * _ID
        about = (_c(texts[8]), texts[5] or field.ABSENT, texts[6] or "8888", _c(texts[4]))
        return _symbols(format_code, *head, *casualty, *about, end)
    return _symbols(format_code, *head, _c(texts[4]), *_said(texts, format_code), end)


def _said(texts: list[str], format_code: int | None) -> tuple[int | str, ...]:
    """Return the message of a call that is not of distress."""
    place, more = texts[5], texts[6]
    if field.position_digits(place) is not None:
        marked = _c(texts[3]) != tables.POSITION_UPDATE
        return (*([_POSITION_MARK] if marked else []), place[-10:], more)
    nothing = (tables.NOTHING,) * _NOTHING_SYMBOLS
    filled = (place,) if place else nothing
    if more:
        mark = 105 if len(more) % 2 else 106
        return (*filled, mark, "0" * (len(more) % 2) + more)
    one = len(place) <= field.POSITION_DIGITS - 2 and format_code != tables.FORMAT_AUTOMATIC
    return (*filled, *nothing) if one else filled


def _c(text: str) -> int:
    code = field.code_of(text)
    return tables.NOTHING if code is None else code


def _symbols(*said: int | str | None) -> tuple[int, ...]:
    """Return one symbol for each number, and one for each two digits of text."""
    found: list[int] = []
    for part in said:
        if isinstance(part, str):
            found += (int(part[at : at + 2]) for at in range(0, len(part), 2))
        elif part is not None:
            found.append(part)
    return tuple(found)


def expansion_symbols(sets: tuple[tuple[str, str], ...]) -> tuple[int, ...]:
    """Return the symbols of an expansion, with the end of its sequence."""
    found: list[int] = []
    for code, data in sets:
        found.append(_c(code))
        if data[:1] == "C":
            found.append(_c(data[1:]))
        elif _c(code) == _TEXT:
            found += (_ALPHABET.index(letter) for letter in data.replace("'", ","))
        else:
            found += _symbols(data)
    return (*found, 127)
