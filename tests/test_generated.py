"""The generated schema and pages are current, and what is really published keeps to them."""

import json
import subprocess
import sys
import tomllib
from datetime import UTC, datetime
from pathlib import Path

import jsonschema
import msgspec
import pytest
import referencing

from gateway.model.inbound import Chunk, Moment, Refused, Ruling, Tick
from gateway.model.incident import IncidentNote
from gateway.model.listening import (
    Availability,
    ChannelWatch,
    Evidence,
    PartyWatch,
    WatchState,
)
from gateway.model.plan import PortPlan
from gateway.model.status import Alert
from gateway.model.words import ClockState
from gateway.mqtt.topics import Topics
from gateway.pipeline import hallway
from gateway.radio import system_names
from gateway.settings import profile_named, radio_names
from gateway.verbs.published import record_of

ROOT = Path(__file__).parents[1]
SCHEMA = ROOT / "config/schema"

SENTENCES = (
    b"$CVDSC,12,3601234560,12,05,00,1474712519,0817,,,S,E,*51",
    b"$CVDSE,1,1,A,3601234560,00,12345678*0C",
    b"$CVDSC,12,3601234560,12,05,00,1474712519,0817,,,S,E,*51",
    rb"\s:rx1,c:1700000000*5A\!AIVDM,1,1,,A,13u?etPv2;0n:dDPwUM1U1Cb069D,0*24",
    b"!AIVDM,1,1,,A,>>QK2khE0U8:1@E=@0,4*52",
    b"$GPRMC,042504.900,A,4012.1002,N,00440.4650,E,0.00,334.28,110321,,,A*6D",
    b"$CVDSE,1,1,A,3601111110,00,12345678*08",
    b"$CDDSC,12,3380400790,12,06,00,1423108312,2019,,,S,E*6B",
    b"$GPGSV,1,1,00*79",
)
IN_SENTENCES = ("ais", "dsc", "gnss")
"""The radio systems that say them; the others say their vectors."""


def schema(name: str) -> dict[str, object]:
    return json.loads((SCHEMA / name).read_text("utf-8"))


def check(name: str, published: object) -> None:
    """Hold what would be published against the schema of that name."""
    whole = schema(name)
    jsonschema.Draft202012Validator(whole, format_checker=jsonschema.FormatChecker()).validate(
        json.loads(msgspec.json.encode(published))
    )


def entries():
    """Yield real entries of every radio system, refused ones among them."""
    port = PortPlan(
        name="all", device="tape:x", modem="generic-nmea", profile=profile_named("generic-nmea")
    )
    pipeline = hallway("test", [port])
    at = Moment(0)
    for place, sentence in enumerate(SENTENCES):
        at = Moment(place * 10**8, 1_793_491_200 * 10**9 + place, ClockState.NTP)
        yield from pipeline.inbound(Chunk("all", at, sentence + b"\r\n"))
    yield from pipeline.tick(Tick(Moment(3600 * 10**9)))
    for name in radio_names():
        if name not in IN_SENTENCES:
            yield from entries_of(name)


def entries_of(radio):
    """Yield what its vectors make at a port with its generic profile."""
    profile = profile_named(f"generic-{radio}")
    pipeline = hallway("test", [PortPlan(name=radio, device="x", modem=radio, profile=profile)])
    rows = tomllib.loads((ROOT / f"tests/vectors/{radio}.toml").read_text("utf-8"))["vector"]
    for place, row in enumerate(rows):
        sent = [line.encode("latin-1") + b"\r\n" for line in row.get("wire", ())]
        sent += [bytes.fromhex(digits) for digits in row.get("wire_hex", ())]
        for wire in sent:
            yield from pipeline.inbound(Chunk(radio, Moment(place * 10**8), wire))


def test_every_generated_file_is_current():
    """`python docs/make.py --check` finds nothing to write."""
    found = subprocess.run(
        [sys.executable, "docs/make.py", "--check"], cwd=ROOT, capture_output=True, check=False
    )

    assert found.stdout.decode() == ""
    assert found.stderr.decode() == ""
    assert found.returncode == 0


@pytest.mark.parametrize("path", sorted(SCHEMA.glob("*.json")), ids=lambda path: path.stem)
def test_each_schema_is_a_schema(path):
    if path.stem != "asyncapi":
        jsonschema.Draft202012Validator.check_schema(schema(path.name))


SCHEMAS = {Refused: "refused.json", IncidentNote: "incident.json"}


def test_what_is_really_published_keeps_to_the_schema():
    items = list(entries())
    systems = {item.sighting.report.system for item in items if isinstance(item, Ruling)}

    assert systems == set(system_names())
    assert {type(item) for item in items} >= {Refused, IncidentNote}
    for number, item in enumerate(items, start=1):
        name = SCHEMAS.get(type(item), "record.json")
        check(name, record_of(number, item, "test"))
        if isinstance(item, Ruling):
            report = item.sighting.report
            check("report.json", report)
            check(f"detail-{report.system}.json", report.detail)


def test_what_is_not_a_record_does_not_pass_for_one():
    """A schema that lets everything pass would make the other tests worthless."""
    record = next(record_of(1, item, "test") for item in entries() if isinstance(item, Ruling))
    good = json.loads(msgspec.json.encode(record))
    for bent in (
        {**good, "relation": "cousin"},
        {**good, "number": "1"},
        {key: value for key, value in good.items() if key != "report"},
        {**good, "report": {**good["report"], "position": {"lat_deg": 1.0}}},
        {**good, "report": {**good["report"], "urgency": "urgent"}},
        {**good, "report": {**good["report"], "detail": 7}},
    ):
        with pytest.raises(jsonschema.ValidationError):
            check("record.json", bent)


def test_an_alert_keeps_to_its_schema():
    since = datetime(2026, 11, 1, tzinfo=UTC)

    check("alert.json", Alert(name="journal", since=since, text="the disk is full"))


def test_a_watch_keeps_to_its_schema():
    since = datetime(2026, 11, 1, tzinfo=UTC)
    sign = Evidence(kind="loop_test", by="vhf", age_s=1.5, proves="modem", says="in 3 ms")
    month = Availability(month="2026-11", due_s=60.0, kept=0.5, unknown=0.25, enough=False)
    watch = PartyWatch(
        agreement="coast",
        rule="W1",
        party="station",
        own=True,
        state=WatchState.KEPT,
        since=since,
        since_mono_ns=1,
        why="loop_test of port vhf",
        gap_s=60.0,
        due=None,
        evidence=(sign,),
        months=(month,),
    )
    told = ChannelWatch(
        channel="vhf70", state=WatchState.KEPT, utc=since, mono_ns=2, watches=(watch,)
    )

    check("watch.json", told)


def test_words_under_a_field_are_its_description():
    record = schema("record.json")["$defs"]

    assert record["Report"]["properties"]["sender"]["description"] == "Who transmitted."
    assert "`copy`: The same transmission" in record["Relation"]["description"]
    assert record["Urgency"]["enum"] == ["distress", "urgency", "safety", "routine"]


def test_asyncapi_names_every_channel_its_payload_and_its_delivery():
    whole = schema("asyncapi.json")
    registry = referencing.Registry().with_resource(
        "", referencing.jsonschema.DRAFT202012.create_resource(whole)
    )
    resolver = registry.resolver()
    addresses = {channel["address"] for channel in whole["channels"].values()}

    assert whole["asyncapi"] == "3.0.0"
    assert addresses >= {
        Topics("{station}").status(),
        Topics("{station}").port("{port}"),
        "distress/v1/{station}/report/{urgency}/{system}",
        "distress/v1/{station}/report/test/{urgency}/{system}",
        "distress/v1/{station}/exercise/report/{urgency}/{system}",
        Topics("{station}").refused("{port}"),
        Topics("{station}").position("{system}", "{identity}"),
        Topics("{station}").alert("{name}"),
        "distress/v1/{station}/test/incident/{incident}/geojson",
        "distress/v1/{station}/exercise/out/{form}",
    }
    for operation in whole["operations"].values():
        channel = resolver.lookup(operation["channel"]["$ref"]).contents
        assert channel["messages"]
        for told in channel["messages"].values():
            message = resolver.lookup(told["$ref"]).contents
            if "contentType" in message:  # a format of others, with a schema of theirs
                continue
            payload = message["payload"]
            assert resolver.lookup(payload["$ref"]).contents["type"] == "object"
        assert set(operation["bindings"]["mqtt"]) >= {"qos", "retain"}
    assert whole["operations"]["tell_status"]["bindings"]["mqtt"]["retain"] is True
    assert whole["operations"]["tell_report"]["bindings"]["mqtt"]["retain"] is False
