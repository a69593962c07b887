"""What of a publication may cross to another party, field by field. Pure.

It reads what the link was about to publish, and makes another publication of what may cross: on a
topic of its own, of fields that have names. What it does not know stays here. So nothing that is
added to records one day goes to another party because nobody thought of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec
from msgspec import Struct

from gateway.model.hotline import (
    SEPARATION_ALERT,
    SIGNS,
    TOLD_TO,
    LineMessage,
    LineWord,
    Shared,
    is_pressing,
)
from gateway.model.place import Identity, Position
from gateway.model.verdict import Judgement
from gateway.model.words import Mode, Urgency
from gateway.mqtt.bus import Outgoing
from gateway.mqtt.payload import CONTENT_TYPES
from gateway.rules.crossing import Crossing, Parcel, Policy, crossing

DISTRESS = "distress"
"""What agreements call a call for help; any other report goes by its `kind`."""

OWN_CALL_SIGN = "callsign_of_own_craft"

_FREE = ("raw", "detail", "text", "doubts")
"""Fields that may hold anything, the exact place too: they cross with a call for help alone, and
only where nothing else of it stays here but how it was heard."""

_PEOPLE = ("sender", "casualty", "addressee")
_SENSOR = ("sensor", "witnesses")
_SAME = {"identity": frozenset(_PEOPLE), "sensor": frozenset(_SENSOR)}
"""What an agreement calls several fields by."""

_APART = ("separation", "approach")
_NAMES = ("callsign", "name", "tail")
_OF_VERDICT = ("rule", "judgement", "subject", "words", "utc")


_NOW = datetime(1970, 1, 1, tzinfo=UTC)
"""When a person says something is when it is said: it is of no age."""


class Sifted(Struct, frozen=True):
    """What became of a publication at the border."""

    outgoing: Outgoing | None
    """None when nothing crosses."""
    withheld: tuple[str, ...] = ()
    """Fields that stay here."""
    shared: Shared | None = None
    words: str = ""
    """Why nothing crosses."""


class _Offered(Struct, kw_only=True):
    """What a report or a verdict is made of, as far as it may ever cross."""

    message_id: str
    about: str
    what: str
    of_distress: bool
    said: datetime | None
    fields: dict[str, object]


class Sieve:
    """What one link may publish to one party."""

    def __init__(
        self,
        topic: str,
        policies: tuple[Policy, ...],
        *,
        station: str,
        agreement: str,
        ours: Callable[[Identity | None, str], bool],
    ) -> None:
        self._topic = topic
        self._words = {f"{topic}/{word}": word for word in LineWord if word not in TOLD_TO}
        self._policies = tuple(
            msgspec.structs.replace(one, redact=_widened(one.redact)) for one in policies
        )
        self._station = station
        self._agreement = agreement
        self._ours = ours

    def sift(self, outgoing: Outgoing, utc_ns: int | None) -> Sifted:
        """Return what of this crosses; of what can't be told for certain nothing does."""
        as_json = outgoing.content_type == CONTENT_TYPES["json"]
        form: Any = msgspec.json if as_json else msgspec.msgpack
        word = self._words.get(outgoing.topic)
        if word is not None:
            return self._word(word, outgoing, form)
        offered = self._offered(form.decode(outgoing.payload)) if outgoing.payload else None
        if offered is None:
            return Sifted(None)
        found = self._crossing(offered, utc_ns)
        if found.fields is None:
            return Sifted(None, found.withheld, words=found.words)
        shared = Shared(
            station=self._station,
            message_id=offered.message_id,
            what=offered.what,
            about=offered.about,
            of_distress=offered.of_distress,
            fields=dict(found.fields),
            withheld=found.withheld,
            words=found.words,
        )
        told = msgspec.structs.replace(
            outgoing,
            topic=f"{self._topic}/{LineWord.SHARED if is_pressing(shared) else LineWord.ROUTINE}",
            payload=form.encode(shared),
            retain=False,
            expiry_s=None,
            correlation=None,
        )
        return Sifted(told, found.withheld, shared)

    def _word(self, word: LineWord, outgoing: Outgoing, form: Any) -> Sifted:  # noqa: ANN401  # json or msgpack
        """Return what is said over the line itself; signs of life hold nothing that could cross."""
        if word in SIGNS:
            return Sifted(outgoing)
        said = form.decode(outgoing.payload, type=LineMessage)
        told: dict[str, object] = dict.fromkeys(said.fields, True)
        told |= {"words": said.words, "about": said.about}
        found = self._crossing(
            _Offered(
                message_id=said.message_id,
                about=said.about or "",
                what=word,
                of_distress=False,
                said=_NOW,
                fields={name: one for name, one in told.items() if one},
            ),
            int(_NOW.timestamp() * 1e9),
        )
        if found.fields is None or found.withheld:
            # A person says it again, without it.
            return Sifted(None, found.withheld, words=found.words)
        return Sifted(outgoing)

    def _offered(self, record: object) -> _Offered | None:
        """Return what this is made of; None for what is of no kind that may cross."""
        if not isinstance(record, Mapping):
            return None
        if isinstance(report := record.get("report"), Mapping):
            return self._report(report, record)
        note = record.get("note")
        if isinstance(note, Mapping) and isinstance(verdict := note.get("verdict"), Mapping):
            return self._verdict(verdict, str(note["verdict_id"]))
        return None

    def _report(self, report: Mapping[str, Any], record: Mapping[str, Any]) -> _Offered:
        heard, is_real = dict(report["heard"]), report["mode"] == Mode.REAL
        of_distress = is_real and report["urgency"] == Urgency.DISTRESS
        fields = {key: value for key, value in report.items() if key not in {"heard", "report_id"}}
        fields["witnesses"] = record.get("witnesses", ())
        fields["time"] = heard.get("utc")
        fields["sensor"] = {key: one for key, one in heard.items() if key not in {"utc", "station"}}
        if "position" in fields:
            fields["position"] = msgspec.convert(fields["position"], Position)
        for one in _PEOPLE:
            who = fields.get(one)
            if isinstance(who, Mapping) and self._is_ours(who, str(report["system"])):
                own = {name: who[name] for name in _NAMES if name in who}
                fields[one] = {name: told for name, told in who.items() if name not in _NAMES}
                fields |= {OWN_CALL_SIGN: own} if own else {}
        what = DISTRESS if of_distress else str(report["kind"] if is_real else report["mode"])
        return _Offered(
            message_id=str(report["report_id"]),
            about=str(report["report_id"]),
            what=what,
            of_distress=of_distress,
            said=_moment(heard.get("utc")),
            fields={key: value for key, value in fields.items() if value not in (None, ())},
        )

    def _verdict(self, verdict: Mapping[str, Any], verdict_id: str) -> _Offered | None:
        """Return who was too near whom, by this agreement: no other verdict crosses."""
        too_near = verdict["judgement"] in {Judgement.AT_RISK, Judgement.VIOLATION}
        if verdict["kind"] not in _APART or not too_near:
            return None
        if verdict["agreement"] != self._agreement:
            return None
        fields = {key: verdict[key] for key in _OF_VERDICT if key in verdict}
        subject = str(verdict["subject"])
        if "callsign:" in subject:  # whose it is, nobody can tell here: it goes as ours would
            fields[OWN_CALL_SIGN] = {key: fields.pop(key) for key in ("subject", "words")}
        return _Offered(
            message_id=verdict_id,
            about=f"{verdict['agreement']}/{verdict['rule']}/{subject}",
            what=SEPARATION_ALERT,
            of_distress=False,
            said=_moment(verdict.get("utc")),
            fields=fields,
        )

    def _is_ours(self, who: Mapping[str, Any], system: str) -> bool:
        return self._ours(msgspec.convert(dict(who), Identity), system)

    def _crossing(self, offered: _Offered, utc_ns: int | None) -> Crossing:
        """Return what all policies together let cross."""
        if not (self._policies or offered.of_distress):
            words = "no clause in force lets anything but distress cross"
            return Crossing(fields=None, withheld=tuple(sorted(offered.fields)), words=words)
        free = [name for name in _FREE if name in offered.fields]
        fields, withheld, words = dict(offered.fields), set[str](), ""
        if not offered.of_distress:
            withheld = {*free, *(name for name in _SENSOR if name in fields)}
            fields = {name: one for name, one in fields.items() if name not in withheld}
        for policy in self._policies:
            found = crossing(self._parcel(offered, fields, utc_ns), policy)
            withheld |= {*found.withheld}
            words = words or found.words
            if found.fields is None:
                return Crossing(fields=None, withheld=tuple(sorted(withheld)), words=words)
            fields = dict(found.fields)
        if withheld - {*_SENSOR}:
            withheld |= {*free}
        kept = {name: one for name, one in fields.items() if name not in withheld}
        return Crossing(fields=kept, withheld=tuple(sorted(withheld)), words=words)

    def _parcel(
        self, offered: _Offered, fields: Mapping[str, object], utc_ns: int | None
    ) -> Parcel:
        age_s = float("inf")  # where nobody knows the time, it may be of any age
        if offered.said is not None and utc_ns is not None:
            age_s = utc_ns / 1e9 - offered.said.timestamp()
        return Parcel(
            what=offered.what, fields=fields, of_distress=offered.of_distress, age_s=age_s
        )


def _widened(redact: frozenset[str]) -> frozenset[str]:
    return redact.union(*(fields for name, fields in _SAME.items() if name in redact))


def _moment(said: object) -> datetime | None:
    """Return a time of day as a record has it: text in JSON, a time in msgpack."""
    if isinstance(said, str):
        return msgspec.convert(said, datetime)
    return said.astimezone(UTC) if isinstance(said, datetime) else None
