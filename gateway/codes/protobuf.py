"""The wire format of protocol buffers: fields, each with its number and one of four forms.

    NNNNNWWW value          N  number of the field, W  form; both together a varint

    0  varint: seven bits a byte, the lowest first, the highest bit set when more follow
    1  eight bytes          5  four bytes, the lowest first
    2  length, a varint, and so many bytes: text, bytes, or another message

Source: protobuf.dev, "Encoding". Forms 3 and 4, groups, are written by nothing in use.
"""

from __future__ import annotations

VARINT_BYTES_MAX = 10
"""64 bits, seven a byte."""
NUMBER_MAX = 2**29 - 1

Value = int | bytes
"""Of forms 0, 1 and 5 an integer without a sign; of form 2 the bytes."""

_FIXED_BYTES = {1: 8, 5: 4}
_BYTES = 2
_FIXED32 = 5
_FORMS = frozenset({0, 1, 2, 5})


def fields_of(message: bytes) -> dict[int, Value] | None:
    """Return each field by its number, the last of a number; None when it is no message."""
    found: dict[int, Value] = {}
    at = 0
    while at < len(message):
        field = _field(message, at, len(message))
        if field is None or field[2] > len(message):
            return None
        number, value, at = field
        found[number] = value
    return found


def may_begin(begun: bytes, size: int) -> bool:
    """Say whether a message of this size may begin with these bytes, or be them."""
    at = 0
    while at < len(begun):
        field = _field(begun, at, size)
        if field is None:
            return False
        at = field[2]
    return len(begun) < size or at == size


def write_field(number: int, value: Value) -> bytes:
    """Return a field of form 0, or of form 2 when the value is bytes."""
    if isinstance(value, bytes):
        return _written(number << 3 | _BYTES) + _written(len(value)) + value
    return _written(number << 3) + _written(value)


def write_fixed32(number: int, value: int) -> bytes:
    """Return a field of four bytes; of a number below zero what stands for it (sfixed32)."""
    return _written(number << 3 | _FIXED32) + (value & 0xFFFFFFFF).to_bytes(4, "little")


def signed(value: int, bits: int) -> int:
    """Return the number with a sign that stands in so many bits (sfixed32, and int32 in 64)."""
    value &= (1 << bits) - 1
    return value - (1 << bits) if value >> (bits - 1) else value


def _field(message: bytes, at: int, size: int) -> tuple[int, Value, int] | None:
    """Return number, value and end of the field here; None when a message of this size has none.

    An end beyond what is there says that more has to come.
    """
    key = _varint(message, at)
    if key is None:
        return None
    number, form, at = key[0] >> 3, key[0] & 7, key[1]
    if at > len(message):
        return (number, 0, at) if at <= size else None
    if not 1 <= number <= NUMBER_MAX or form not in _FORMS:
        return None
    value: Value
    if form in _FIXED_BYTES:
        end = at + _FIXED_BYTES[form]
        value = int.from_bytes(message[at:end], "little")
    else:
        value, end = _varint(message, at) or (0, size + 1)
        if form == _BYTES and end <= len(message):
            start, end = end, end + value
            value = message[start:end]
    return (number, value, end) if end <= size else None


def _varint(message: bytes, at: int) -> tuple[int, int] | None:
    """Return the number and where it ends: beyond what is there when more has to come."""
    value = 0
    for place, byte in enumerate(message[at : at + VARINT_BYTES_MAX]):
        value |= (byte & 0x7F) << (7 * place)
        if byte < 0x80:
            return value, at + place + 1
    return (0, len(message) + 1) if at + VARINT_BYTES_MAX > len(message) else None


def _written(value: int) -> bytes:
    """Return a varint."""
    digits = bytearray()
    while value > 0x7F:
        digits.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes((*digits, value))
