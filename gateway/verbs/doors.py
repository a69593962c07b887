"""The page that `explain` prints: one block a door, labels on the left, words on the right."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec

from gateway.codes.checksum import nmea_checksum
from gateway.codes.rawtext import escape
from gateway.model.entry import Lane, lane_of
from gateway.model.inbound import Frame, Report, Ruling, Sighting, Unread
from gateway.model.place import Identity
from gateway.model.words import Fault, Integrity, Relation
from gateway.mqtt.topics import Topics, name_of
from gateway.verbs.published import record_of
from gateway.verbs.telling import mark, motion, party, printable, where
from gateway.verbs.walk import PORT, STATION, Made, Step, Walk

Rows = Iterator[tuple[str, str]]

_LABEL_WIDTH_MIN = 12
_BOLD, _PLAIN = "\x1b[1m", "\x1b[0m"

_FAULTS = {
    Fault.NOISE: "these bytes are not even the start of a message; they are counted and let go",
    Fault.NO_CHECKSUM: "there is no checksum, so nothing proves that it came through whole",
    Fault.UNREADABLE_CHECKSUM: "the checksum is not two hexadecimal digits",
    Fault.WRONG_CHECKSUM: "the checksum is wrong: the message was damaged on its way",
    Fault.ILLEGAL_CHARACTER: "there are bytes that no message may hold",
    Fault.BROKEN_TAG_BLOCK: "the TAG block in front is not whole, or no sentence follows it",
    Fault.OVERSIZE: "it is longer than any message can be",
    Fault.CUT: "it was cut short",
}


def doors(walk: Walk, *, colour: bool = False) -> Iterator[str]:
    """Yield the page, line by line."""
    bold, plain = (_BOLD, _PLAIN) if colour else ("", "")
    yield f"read as {walk.modem}: {walk.profile.title}"
    for step in walk.steps:
        yield ""
        if step.frame is None:
            yield f"{bold}An hour later{plain}"
            yield "  nothing more came; what still waited for its other half comes out as it is"
        else:
            yield f"{bold}{_title(walk, step.frame)}{plain}"
        for title, rows in _blocks(walk, step):
            yield ""
            yield f"  {bold}{title}{plain}"
            yield from _aligned(rows)
    for number, ruling in enumerate(walk.rulings, start=1):
        yield ""
        yield f"{bold}As subscribers read it, {number}{plain}"
        yield from _record(walk, ruling, number)


def _aligned(rows: Rows) -> Iterator[str]:
    """Yield the rows of one block, all words in one column."""
    listed = list(rows)
    width = max([_LABEL_WIDTH_MIN, *(len(label) for label, _ in listed)])
    for label, words in listed:
        yield f"    {label:<{width}}  {words}".rstrip()


def _blocks(walk: Walk, step: Step) -> Iterator[tuple[str, Rows]]:
    frame = step.frame
    if frame is not None:
        yield f"framing: {walk.profile.framing}", _framing(walk, step, frame)
        if frame.fault is not None:
            return
        if not step.made:
            yield "radio", _not_yet(walk, step)
    for made in step.made:
        yield f"radio: {made.radio}", _radio(made)
        if made.ruling is not None:
            sighting = made.ruling.sighting
            yield "meaning", _meaning(sighting.report)
            yield "copies", _copies(sighting)
            yield "published", _published(walk, made.ruling)


def _title(walk: Walk, frame: Frame) -> str:
    return _bytes(walk, frame.raw).replace("\\x5c", "\\")


def _bytes(walk: Walk, raw: bytes) -> str:
    """Return bytes in digits where they came as such, and else as text."""
    return escape(raw) if walk.wire.end else raw.hex(" ").upper()


def _framing(walk: Walk, step: Step, frame: Frame) -> Rows:
    if frame.fault is Fault.NOISE:
        yield "noise", _FAULTS[frame.fault]
        return
    if walk.profile.framing == "nmea":
        yield from _sentence(frame)
    else:
        yield "body", _bytes(walk, frame.body)
    if frame.fault is None:
        proven = frame.integrity is not Integrity.NONE
        yield "whole", f"yes, by its {frame.integrity}" if proven else "nothing here proves it"
        return
    yield "fault", frame.fault
    yield "", _FAULTS[frame.fault]
    yield "becomes", "a refused frame: counted and kept, never guessed at, no report is made of it"
    if step.distress_like:
        yield "and", f"told at once on {Topics(STATION).refused(PORT)}: it may be a distress"


def _sentence(frame: Frame) -> Rows:
    """Take an NMEA 0183 sentence apart: start mark, address, fields, checksum."""
    tag, sentence = _parted(frame.raw)
    if tag:
        yield "TAG block", escape(tag)
        if frame.fault is Fault.BROKEN_TAG_BLOCK:
            inside, _, given = tag.strip(b"\\").partition(b"*")
            right = f"{nmea_checksum(inside):02X}"
            yield "its checksum", f"{escape(given) or 'none'} given, {right} computed"
    if frame.tags is not None:
        yield from _tags(frame)
    if not sentence:
        return
    body, _, given = sentence[1:].partition(b"*")
    right = f"{nmea_checksum(body):02X}"
    kind = "encapsulated" if sentence.startswith(b"!") else "parametric"
    yield "start", f"{escape(sentence[:1])} ({kind} sentence)"
    yield "body", escape(body)
    yield "checksum", f"{escape(given) or 'none'} given, {right} computed"
    illegal = [byte for byte in body if not 0x20 <= byte < 0x7F]
    if illegal:
        found = ", ".join(f"{byte:02x}" for byte in illegal[:8])
        yield "illegal", f"byte {found} (hexadecimal)"
    elif frame.fault in (Fault.NO_CHECKSUM, Fault.UNREADABLE_CHECKSUM, Fault.WRONG_CHECKSUM):
        yield "right is", f"{escape(sentence[:1] + body)}*{right}, if no other byte is damaged"


def _parted(raw: bytes) -> tuple[bytes, bytes]:
    """Return the TAG block, backslashes and all, and the sentence behind it; either may lack."""
    if not raw.startswith(b"\\"):
        return b"", raw
    end = raw.find(b"\\", 1) + 1
    return (raw[:end], raw[end:]) if end else (raw, b"")


def _tags(frame: Frame) -> Rows:
    tags = frame.tags
    if tags is None:
        return
    if tags.source is not None:
        yield "receiver", printable(tags.source)
    if tags.time_ns is not None:
        yield "its time", f"{tags.time_ns / 1e9:.3f} s since 1970 UTC"
    if tags.group is not None:
        yield "group", printable(tags.group)


def _not_yet(walk: Walk, step: Step) -> Rows:
    if step.reader is not None:
        yield step.reader, "understood; it waits for the rest of its message"
        return
    asked = ", ".join(walk.profile.radio)
    yield "unread", f"whole, but no radio system of this port speaks this language: {asked}"
    yield "becomes", "an unread frame: counted and kept, no report is made of it"


def _radio(made: Made) -> Rows:
    if isinstance(made.found, Unread):
        yield "unread", printable(made.found.reason)
        if not made.found.kept:
            yield "becomes", "a number among the unread: it is counted, and not kept"
        if made.found.distress_like:
            yield "and", f"told at once on {Topics(STATION).refused(PORT)}: it may be a distress"
        return
    if len(made.found.frames) > 1:
        yield "made of", f"{len(made.found.frames)} frames"
    if made.found.refines:
        yield "completes", "the call before it"
    yield from _said("", msgspec.to_builtins(made.found.said))


def _said(above: str, said: Mapping[str, object]) -> Rows:
    """Yield what the radio system says in its own words, the parts of parts with a dot."""
    for key, value in said.items():
        word = key.removesuffix("_code")
        if key == "type" or (word != key and word in said):
            continue
        code = said.get(f"{key}_code")
        if isinstance(value, Mapping):
            yield from _said(f"{above}{key}.", value)
        elif isinstance(value, list | tuple):
            yield f"{above}{key}", ", ".join(_plain(part) for part in value)
        else:
            yield f"{above}{key}", _plain(value) + ("" if code is None else f" ({_plain(code)})")


def _plain(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return "=".join(_plain(part) for part in value)
    return printable(str(value))


def _meaning(report: Report) -> Rows:
    yield "", mark(report)
    yield "kind", report.kind
    yield "urgency", report.urgency
    yield "mode", report.mode
    yield "sender", _party(report.sender, "nobody named")
    if report.casualty is not None:
        yield "casualty", party(report.casualty)
    yield "addressee", _party(report.addressee, "not said")
    yield from _place(report)
    yield from _circumstances(report)
    if report.covert:
        yield "covert", "whoever threatens the craft must not learn of it"
    yield "proven by", report.integrity
    if report.corrected_bits:
        yield "put right", f"{report.corrected_bits} bits"
    yield "confidence", report.confidence
    for place, doubt in enumerate(report.doubts):
        yield "" if place else "doubts", printable(doubt)


def _circumstances(report: Report) -> Rows:
    if report.nature is not None:
        yield "nature", report.nature.replace("_", " ")
    if report.persons_on_board is not None:
        yield "on board", f"{report.persons_on_board} persons"
    if report.text is not None:
        yield "text", f'"{printable(report.text)}"'
    if report.claimed_utc is not None:
        yield "its own time", report.claimed_utc
    if report.heard.channel is not None:
        yield "channel", printable(report.heard.channel)
    if report.heard.freq_hz is not None:
        yield "frequency", f"{report.heard.freq_hz / 1e6:.9g} MHz"


def _party(identity: Identity | None, absent: str) -> str:
    return absent if identity is None else party(identity)


def _place(report: Report) -> Rows:
    position = report.position
    if position is None:
        yield "where", "not said"
    else:
        yield "where", where(position)
        yield "", f"{position.lat_deg:.6f}°, {position.lon_deg:.6f}°"
        if position.resolution_m is not None:
            yield "", f"coded to within {position.resolution_m:.3g} m"
        if position.accuracy_m is not None:
            yield "", f"accurate to {position.accuracy_m:.3g} m, as the sender claims"
        if position.source is not None:
            yield "", f"by {printable(position.source)}"
    if report.velocity is not None and (words := motion(report.velocity)):
        yield "motion", words


def _copies(sighting: Sighting) -> Rows:
    if sighting.relation is Relation.COPY:
        yield "a copy", f"of report {sighting.first_id}, heard by {len(sighting.witnesses)}"
    elif sighting.relation is Relation.REFINEMENT:
        yield "a refinement", f"of report {sighting.report.refines}"
    else:
        yield "first", "nobody has heard this transmission before"


def _published(walk: Walk, ruling: Ruling) -> Rows:
    sighting = ruling.sighting
    report = sighting.report
    topics = Topics(walk.station)
    lane = lane_of(ruling)
    qos = 0 if lane is Lane.ROUTINE else 1
    yield "topic", topics.report(report.urgency, report.system, report.mode)
    craft = name_of(report.sender)
    yield "", f"QoS {qos}, not retained, in the lane {lane}"
    if report.position is not None and craft is not None and lane is Lane.ROUTINE:
        yield "and", f"{topics.position(report.system, craft)} (retained, the newest only)"


def _record(walk: Walk, ruling: Ruling, number: int) -> Iterator[str]:
    record = msgspec.json.encode(record_of(number, ruling, walk.station))
    for line in msgspec.json.format(record, indent=2).decode().splitlines():
        yield f"  {line}"
