"""The DSE sentence: what a sender adds to its call (IEC 61162-1, ITU-R M.821-1).

    $--DSE,t,n,f,aaaaaaaaaa,cc,data,cc,data,…
           1 2 3 4          5  6

    1  how many sentences, 2 which of them       3  Q query, R reply, A automatic
    4  address of the call's sender              5  code of a data set, 6 the set; repeated

    00 llllLLLL  ten-thousandths of a minute: latitude, longitude; added to the whole minutes
    01 ssrrdd    source, dilution of precision in tenths, datum
    02 ssss      speed in tenths of a knot       03 cccc  course in tenths of a degree
    04 text      more of the station's identity; an apostrophe stands for a comma
    05 …         the area in finer steps         06 pppp  persons on board

Each sentence holds whole data sets, so each is used when it is heard: none waits for another.
`C10` in place of a set asks for it, `C26` says that there is none.
"""

from __future__ import annotations

from msgspec import Struct

from gateway.radio.dsc import fields as field
from gateway.radio.dsc import tables
from gateway.radio.dsc.words import Expansion

SENTENCES_MAX = 9
"""One digit counts them."""

_ASKED = "C10"
_NONE = "C26"
_COMMA = "'"
_COURSE_TENTHS_MAX = 3599
_NUMBER_DIGITS = 4
_FINE_DIGITS = 8
_ORIGIN_DIGITS = 6


class Sentence(Struct, frozen=True):
    """One DSE sentence, cut into its data sets."""

    self_id: str
    flag: str | None
    total: int | None
    sets: tuple[tuple[str, str], ...]
    unreadable: tuple[str, ...]


def read_sentence(texts: list[str]) -> Sentence | None:
    """Return the data sets of these fields, or None when they don't say whose they are."""
    if len(texts) < 4 or not field.is_digits(texts[3]):
        return None
    self_id = field.mmsi_of(texts[3])
    if self_id is None:
        return None
    total, number, flag = texts[:3]
    unreadable = []
    counted = _is_count(total) and _is_count(number) and number <= total
    if not counted:
        unreadable.append("number of sentences")
    if flag not in tables.FLAGS:
        unreadable.append("flag")
    if not field.is_plain_address(texts[3]):
        unreadable.append("last digit of sender")
    if len(texts) % 2:
        unreadable.append("last data set")
    return Sentence(
        self_id=self_id,
        flag=tables.FLAGS.get(flag),
        total=int(total) if counted else None,
        sets=tuple(zip(texts[4::2], texts[5::2], strict=False)),
        unreadable=tuple(unreadable),
    )


def expansion_of(sentences: tuple[Sentence, ...]) -> Expansion:
    """Return what these sentences of one sender say together; the later word counts."""
    sets = {code: data for sentence in sentences for code, data in sentence.sets}
    said = {code: data for code, data in sets.items() if data not in ("", _ASKED, _NONE)}
    fine = _fixed(said.get(tables.POSITION_FINE), _FINE_DIGITS)
    origin = _fixed(said.get(tables.POSITION_ORIGIN), _ORIGIN_DIGITS) or ""
    source = tables.SOURCES.get(origin[:2])
    speed = _number(said.get(tables.SPEED))
    course = _number(said.get(tables.COURSE), _COURSE_TENTHS_MAX)
    persons = _number(said.get(tables.PERSONS))
    values: dict[str, object] = {
        tables.POSITION_FINE: fine,
        tables.POSITION_ORIGIN: source,
        tables.SPEED: speed,
        tables.COURSE: course,
        tables.PERSONS: persons,
    }
    failed = (tables.EXPANSIONS[code] for code in values if values[code] is None and code in said)
    noted = dict.fromkeys([name for each in sentences for name in each.unreadable])
    return Expansion(
        flag=sentences[-1].flag,
        sentences_total=sentences[-1].total,
        sentences_heard=len(sentences),
        sets=tuple(sets.items()),
        fine_minutes=fine,
        source=source,
        dilution=int(origin[2:4]) / 10 if origin else None,
        datum=tables.DATUMS.get(origin[4:]),
        speed_kn=None if speed is None else speed / 10,
        course_deg=None if course is None else course / 10,
        text=_text(said.get(tables.STATION)),
        persons_on_board=persons,
        unreadable=(*noted, *failed),
    )


def text_set(text: str) -> tuple[str, str]:
    """Return the data set that says this text."""
    return tables.STATION, text.replace(",", _COMMA)


def _is_count(text: str) -> bool:
    return len(text) == 1 and "1" <= text <= str(SENTENCES_MAX)


def _fixed(text: str | None, length: int) -> str | None:
    return text if text and len(text) == length and field.is_digits(text) else None


def _number(text: str | None, top: int = 10**_NUMBER_DIGITS - 1) -> int | None:
    if not text or len(text) > _NUMBER_DIGITS or not field.is_digits(text) or int(text) > top:
        return None
    return int(text)


def _text(text: str | None) -> str | None:
    return text.replace(_COMMA, ",") if text else None
