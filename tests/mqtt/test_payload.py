"""What subscribers read."""

from __future__ import annotations

import json

import msgpack
import msgspec
import pytest

from gateway.model.agreement import EventWord
from gateway.model.asked import Fact, Stated
from gateway.model.command import OutcomeState
from gateway.model.entry import Lane
from gateway.model.inbound import Moment, Report
from gateway.model.incident import Action
from gateway.model.transmission import TransmissionNote
from gateway.model.verdict import Judgement, Verdict, VerdictNote
from gateway.model.words import Kind, Mode, Relation, Urgency
from gateway.mqtt import payload
from gateway.mqtt.payload import (
    INCIDENT_BYTES_MAX,
    LATE_S,
    POSITION_EXPIRY_S,
    AlarmRecord,
    ClockRecord,
    IncidentRecord,
    Record,
    RefusedRecord,
    RulingRecord,
    StatementRecord,
    TransmissionRecord,
    Writer,
)
from gateway.mqtt.topics import Topics, TopicUnsafe


def writer(form="json"):
    return Writer(Topics("alpha"), form, station="alpha")


def decoded(outgoing, form, kind=Record):
    decode = msgspec.json.decode if form == "json" else msgspec.msgpack.decode
    return decode(outgoing.payload, type=kind)


@pytest.mark.parametrize("form", ["json", "msgpack"])
def test_a_record_says_all_that_the_report_says(make, form):
    item = make.ruling_of(7, relation=Relation.COPY, first_id="f" * 32)
    entry = make.entry_of(item, 7)

    outgoing = writer(form).record(entry, published_utc_ns=make.later(1), waited=False)
    record = decoded(outgoing, form)

    report = item.sighting.report
    assert msgspec.structs.replace(record.report, detail=None) == msgspec.structs.replace(
        report, detail=None
    )
    plain = json.loads(outgoing.payload) if form == "json" else msgpack.unpackb(outgoing.payload)
    assert plain["report"]["detail"] == msgspec.json.decode(msgspec.json.encode(report.detail))
    assert record.witnesses == item.sighting.witnesses
    assert record.verdicts == item.verdicts
    assert (record.station, record.epoch, record.number) == ("alpha", "e1", 7)
    assert (record.relation, record.first_id) == (Relation.COPY, "f" * 32)
    assert (record.journaled, record.late) == (True, False)
    assert record.times.journaled_utc == make.began
    assert outgoing.content_type == f"application/{form}"


def test_json_and_msgpack_say_the_same(make):
    entry = make.mayday(3)

    as_json, as_msgpack = (
        decoded(writer(form).record(entry, published_utc_ns=make.began_ns, waited=True), form)
        for form in ("json", "msgpack")
    )

    assert as_json == as_msgpack


def test_json_is_read_by_any_reader(make):
    outgoing = writer().record(make.mayday(), published_utc_ns=make.began_ns, waited=False)
    plain = json.loads(outgoing.payload)

    assert plain["report"]["heard"]["utc"] == "2026-11-20T12:00:00.250000Z"
    assert plain["report"]["detail"]["remark"] == "µ\N{CJK UNIFIED IDEOGRAPH-6D77}"
    assert "content" not in outgoing.payload.decode()


@pytest.mark.parametrize("form", ["json", "msgpack"])
@pytest.mark.parametrize("maker", ["mayday", "safety", "place", "refused", "alarm", "incident"])
def test_told_again_after_a_restart_it_says_the_same(make, form, maker):
    """The entry read back has no item; only the time of telling and `late` may differ."""
    first = getattr(make, maker)(5)
    again = msgspec.structs.replace(first, item=None)
    form_writer = writer(form)

    told = form_writer.record(first, published_utc_ns=make.began_ns, waited=False)
    retold = form_writer.record(again, published_utc_ns=make.began_ns, waited=False)

    assert told == retold


def test_the_published_types_are_what_is_written():
    """Schemas are made from `Record`; what is written is another type with the same fields."""
    for shown, written in (
        (Record, payload._RecordAgain),
        (RefusedRecord, payload._RefusedAgain),
        (ClockRecord, payload._ClockAgain),
        (AlarmRecord, payload._AlarmAgain),
        (IncidentRecord, payload._IncidentAgain),
        (RulingRecord, payload._RulingAgain),
        (StatementRecord, payload._StatementAgain),
        (TransmissionRecord, payload._TransmissionAgain),
    ):
        assert shown.__struct_fields__ == written.__struct_fields__
        assert shown.__struct_defaults__ == written.__struct_defaults__


@pytest.mark.parametrize(
    ("told_s", "waited", "late"),
    [
        (0.0, False, False),
        (LATE_S, False, False),
        (LATE_S + 0.001, False, True),
        (3600, False, True),
        (0.0, True, True),
        (-3600, False, False),
    ],
)
def test_a_record_that_waited_says_so(make, told_s, waited, late):
    for entry, kind in ((make.mayday(), Record), (make.refused(), RefusedRecord)):
        outgoing = writer().record(entry, published_utc_ns=make.later(told_s), waited=waited)

        assert decoded(outgoing, "json", kind).late is late


def test_a_record_of_unknown_times_says_none(make):
    entry = msgspec.structs.replace(make.mayday(), number=0, journaled_utc_ns=None)

    record = decoded(writer().record(entry, published_utc_ns=None, waited=False), "json")

    assert (record.times.journaled_utc, record.times.published_utc) == (None, None)
    assert (record.journaled, record.late) == (False, False)


@pytest.mark.parametrize(
    ("over", "topic", "qos"),
    [
        ({"urgency": Urgency.DISTRESS, "kind": Kind.ALERT}, "report/distress/ais", 1),
        ({"urgency": Urgency.URGENCY}, "report/urgency/ais", 1),
        ({"urgency": Urgency.SAFETY}, "report/safety/ais", 1),
        ({"urgency": Urgency.ROUTINE}, "report/routine/ais", 0),
        ({"urgency": Urgency.DISTRESS, "mode": Mode.TEST}, "report/test/distress/ais", 1),
        ({"urgency": Urgency.SAFETY, "mode": Mode.EXERCISE}, "exercise/report/safety/ais", 1),
    ],
)
def test_a_record_goes_where_its_urgency_and_mode_say(make, over, topic, qos):
    entry = make.entry_of(make.ruling_of(**over))

    outgoing = writer().record(entry, published_utc_ns=None, waited=False)

    assert (outgoing.topic, outgoing.qos, outgoing.retain) == (
        f"distress/v1/alpha/{topic}",
        qos,
        False,
    )


def test_a_frame_that_may_be_a_call_for_help_is_told_as_it_was_heard(make):
    outgoing = writer().record(make.refused(9), published_utc_ns=make.began_ns, waited=False)
    record = decoded(outgoing, "json", RefusedRecord)

    assert (outgoing.topic, outgoing.qos) == ("distress/v1/alpha/refused/dsc1", 1)
    assert record.refused == make.refused(9).item
    assert record.number == 9


@pytest.mark.parametrize("form", ["json", "msgpack"])
@pytest.mark.parametrize("number", [9, 0], ids=["journaled", "unjournaled"])
def test_an_alarm_is_told_as_it_was_noted_and_never_in_the_way_of_distress(make, form, number):
    entry = make.alarm(number)
    outgoing = writer(form).record(entry, published_utc_ns=make.began_ns, waited=False)
    record = decoded(outgoing, form, AlarmRecord)

    assert (outgoing.topic, outgoing.qos) == ("distress/v1/alpha/alarm/raised", 1)
    assert record.note == entry.item
    assert (record.number, record.journaled) == (number, number > 0)
    assert entry.lane is Lane.SAFETY


@pytest.mark.parametrize("form", ["json", "msgpack"])
def test_a_verdict_is_told_word_for_word_on_the_topic_of_its_rule(make, form):
    verdict = Verdict(
        agreement="coast",
        version="1",
        digest="0a",
        rule="A1",
        kind="ack_deadline",
        judgement=Judgement.VIOLATION,
        subject="mmsi:211000001",
        words="nobody has acknowledged",
        mono_ns=5,
        evidence=("e" * 32,),
    )
    note = VerdictNote(verdict_id="f" * 32, verdict=verdict, untold=3)
    told = writer(form).record(make.entry_of(note, 9), published_utc_ns=None, waited=False)

    assert (told.topic, told.qos, told.retain) == ("distress/v1/alpha/ruling/coast/A1", 1, False)
    assert decoded(told, form, RulingRecord).note == note


@pytest.mark.parametrize("form", ["json", "msgpack"])
def test_what_becomes_of_an_order_is_told_word_for_word_on_the_topic_of_its_port(make, form):
    note = TransmissionNote(
        command_id="c1",
        stage=OutcomeState.TRANSMITTED,
        port="vhf",
        action="ack",
        say="ack by vhf",
        persons=("smith",),
        mono_ns=1,
    )
    told = writer(form).record(make.entry_of(note, 9), published_utc_ns=None, waited=False)

    assert (told.topic, told.qos) == ("distress/v1/alpha/transmission/vhf", 1)
    assert decoded(told, form, TransmissionRecord).note == note


@pytest.mark.parametrize("form", ["json", "msgpack"])
def test_a_statement_is_told_word_for_word_on_the_topic_of_what_it_is(make, form):
    fact = Fact(fact_id="f" * 32, what=EventWord.SPOKEN, at=Moment(5), person="A", words="MAYDAY")
    stated = Stated(fact=fact, boot="b")
    told = writer(form).record(make.entry_of(stated, 9), published_utc_ns=None, waited=False)

    assert (told.topic, told.qos) == ("distress/v1/alpha/statement/spoken", 1)
    assert decoded(told, form, StatementRecord).statement == stated


def test_a_place_is_retained_and_expires(make):
    topic = "distress/v1/alpha/position/ais/244000001"

    outgoing = writer().position(make.place(), topic, published_utc_ns=None, retain=True)

    assert (outgoing.topic, outgoing.qos, outgoing.retain) == (topic, 0, True)
    assert outgoing.expiry_s == POSITION_EXPIRY_S
    assert decoded(outgoing, "json").report.position is not None


def test_a_state_stands_until_it_is_taken_off(make):
    put = writer().state("alert/journal", make.refused().item)
    off = writer().state("alert/journal", None)

    assert (put.topic, put.qos, put.retain) == ("distress/v1/alpha/alert/journal", 1, True)
    assert (off.topic, off.payload, off.retain) == (put.topic, b"", True)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xc1",
        b"\x80",
        msgspec.msgpack.encode(["sighting"]),
        msgspec.msgpack.encode({"sighting": {"report": {}}}),
        msgspec.msgpack.encode({"sighting": {"report": {"urgency": "loud"}}}),
        msgspec.msgpack.encode({"port": 7}),
    ],
)
def test_a_body_that_is_none_is_an_error_and_no_record(make, body):
    entry = msgspec.structs.replace(make.mayday(), body=body)

    with pytest.raises(msgspec.MsgspecError):
        writer().record(entry, published_utc_ns=None, waited=False)


def test_a_body_with_a_hostile_system_makes_no_topic(make):
    entry = make.entry_of(make.ruling_of(system="#", urgency=Urgency.DISTRESS))

    with pytest.raises(TopicUnsafe):
        writer().record(entry, published_utc_ns=None, waited=False)


def test_the_schema_can_be_made():
    for kind in (Record, RefusedRecord, Report):
        assert msgspec.json.schema(kind)["$defs"]


def test_only_routine_goes_unsigned(make):
    assert {lane: int(lane is not Lane.ROUTINE) for lane in Lane} == {
        lane: writer()
        .record(make.entry_of(make.ruling_of(), lane=lane), published_utc_ns=None, waited=False)
        .qos
        for lane in Lane
    }


@pytest.mark.parametrize("form", ["json", "msgpack"])
@pytest.mark.parametrize(
    ("mode", "topic"),
    [
        (Mode.REAL, "incident/00ff00ff00ff00ff"),
        (Mode.TEST, "test/incident/00ff00ff00ff00ff"),
        (Mode.EXERCISE, "exercise/incident/00ff00ff00ff00ff"),
    ],
)
def test_an_incident_stands_on_its_topic_and_each_change_is_told_on_its_log(
    make, form, mode, topic
):
    entry = make.incident(9, mode=mode)
    told = writer(form).record(entry, published_utc_ns=make.began_ns, waited=False)
    stands = writer(form).incident(entry, published_utc_ns=make.began_ns)

    assert (told.topic, told.qos, told.retain) == (f"distress/v1/alpha/{topic}/log", 1, False)
    assert (stands.topic, stands.qos, stands.retain) == (f"distress/v1/alpha/{topic}", 1, True)
    assert told.payload == stands.payload
    record = decoded(told, form, IncidentRecord)
    assert (record.incident, record.change) == (entry.item.incident, entry.item.change)
    assert (record.number, record.gone, record.late) == (9, False, False)


def test_an_incident_that_is_over_is_taken_off_and_its_end_is_told(make):
    entry = make.incident(9, gone=True)
    told = writer().record(entry, published_utc_ns=make.began_ns, waited=False)
    stands = writer().incident(entry, published_utc_ns=make.began_ns)

    assert decoded(told, "json", IncidentRecord).gone
    assert (stands.payload, stands.retain) == (b"", True)


@pytest.mark.parametrize("form", ["json", "msgpack"])
@pytest.mark.parametrize("evidence", [1, 30, 40, 512])
def test_an_incident_never_takes_more_than_16_kb_and_says_what_is_left_out(make, form, evidence):
    entry = make.incident(9, evidence=evidence, evidence_more=3)
    whole = entry.item.incident
    outgoing = writer(form).record(entry, published_utc_ns=make.began_ns, waited=False)
    told = decoded(outgoing, form, IncidentRecord).incident

    assert len(outgoing.payload) <= INCIDENT_BYTES_MAX
    assert told.evidence == whole.evidence[: len(told.evidence)]
    assert len(told.evidence) + told.evidence_more == evidence + 3
    assert len(told.evidence) == evidence or len(outgoing.payload) > INCIDENT_BYTES_MAX - 1000
    shown = {one.evidence_id for one in told.evidence}
    assert all(link.one in shown and link.other in shown for link in told.links)


def test_an_incident_of_nothing_but_long_lists_is_cut_all_the_same(make):
    actions = tuple(
        Action(verb="note", author="ada", mono_ns=place, words="w" * 500) for place in range(64)
    )
    entry = make.incident(9, actions=actions)
    outgoing = writer().record(entry, published_utc_ns=make.began_ns, waited=False)
    told = decoded(outgoing, "json", IncidentRecord).incident

    assert len(outgoing.payload) <= INCIDENT_BYTES_MAX
    assert told.actions == actions[: len(told.actions)]
    assert (len(told.evidence), told.say) == (1, "a ship sinks")
