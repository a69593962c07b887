"""`explain`: each door in words, of good sentences and of bad ones, and a test at the end."""

import argparse
import io
import json
import re
import tomllib
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from gateway import cli
from gateway.model.inbound import Chunk, Moment, Ruling, Tick
from gateway.model.plan import PortPlan
from gateway.pipeline import hallway
from gateway.radio import radio_names, system_names
from gateway.settings import BadSettings, profile_named
from gateway.verbs import explain
from gateway.verbs.chosen import choice, generic_profiles
from gateway.verbs.walk import END_NS, PORT, SENTENCE_NS, STATION, Wire
from tests.rooms.spoken import without_notes

PROFILES = generic_profiles()
VECTORS = Path(__file__).parents[1] / "vectors"

MAYDAY = "$CVDSC,12,3601234560,12,05,00,1474712519,0817,,,S,E,*51"
FINER = "$CVDSE,1,1,A,3601234560,00,12345678*0C"
OVERBOARD = "$IIMOB,,A,,1,,,5108.10,N,00120.40,E,,,200100009,*3B"
NAVTEX = "$CRNRX,001,001,00,JE05,2,,,,,19,3,A,WES^2AER^2A BALT^2AC NE 3*00"
SHIP = "!AIVDM,1,1,,A,13u?etPv2;0n:dDPwUM1U1Cb069D,0*24"


@pytest.fixture
def told(capsys):
    """Return what is told of some sentences."""

    def explained(*raw: str, profile: str | None = None) -> str:
        assert explain.main(argparse.Namespace(profile=profile, raw=list(raw))) == 0
        return capsys.readouterr().out

    return explained


def rows(page: str) -> list[str]:
    """Return the lines with single spaces, so that alignment is free to change."""
    return [" ".join(line.split()) for line in page.splitlines()]


def test_a_distress_call_is_told_door_by_door(told):
    page = rows(told(MAYDAY))

    for row in (
        "read as generic-dsc: Any radio with DSC over NMEA 0183",
        MAYDAY,
        "start $ (parametric sentence)",
        "checksum 51 given, 51 computed",
        "whole yes, by its checksum",
        "format distress (112)",
        "dialect 12 fields instead of 11",
        "!!! DISTRESS",
        "kind alert",
        "sender 360123456 ship",
        "casualty 360123456 ship",
        "addressee not said",
        "where 47°47'N 125°19'W",
        "47.783333°, -125.316667°",
        "coded to within 926 m",
        "nature sinking",
        "its own time 08:17Z",
        "confidence verified",
        "first nobody has heard this transmission before",
        f"topic distress/v1/{STATION}/report/distress/dsc",
        '"urgency": "distress",',
    ):
        assert row in page


def test_several_sentences_are_told_as_what_they_are_together(told):
    page = rows(told(MAYDAY, FINER, MAYDAY))

    assert "completes the call before it" in page
    assert "where 47°47.1234'N 125°19.5678'W" in page
    assert len([row for row in page if row.startswith("a refinement of report ")]) == 1
    assert len([row for row in page if row.startswith("a copy of report ")]) == 1


def test_a_part_alone_waits_and_then_comes_out_as_unread(told):
    page = rows(
        told("!AIVDM,2,1,3,B,55P5TL01VIaAL@7WKO@mBplU@<PDhh000000001S;AJ::4A80?4i@E53,0*3E")
    )

    assert "ais understood; it waits for the rest of its message" in page
    assert "An hour later" in page
    assert any("part 2 of 2" in row for row in page)
    assert "refused = 1" in page


@pytest.mark.parametrize(
    ("raw", "told_rows"),
    [
        (
            "$CDDSC,12,3380400790,12,06,00,1423108312,2019,,,S,E*6B",
            [
                "read as generic-nmea: Any mixed NMEA 0183 stream",
                "checksum 6B given, 6A computed",
                ("right is $CDDSC,12,3380400790,12,06,00,1423108312,2019,,,S,E*6A, "
                "if no other byte is damaged"),
                "fault wrong checksum",
                f"and told at once on distress/v1/{STATION}/refused/{PORT}: it may be a distress",
            ],
        ),
        (
            "$GPRMC,042504.900,A,4012.1002,N",
            ["checksum none given, 7E computed", "fault no checksum"],
        ),
        ("$GPGSV,1,1,00*7x", ["checksum 7x given, 79 computed", "fault unreadable checksum"]),
        ("$GPGSV,\\x07*7E", ["illegal byte 07 (hexadecimal)", "fault illegal character"]),
        ("$GP" + "GSV" * 400, ["fault oversize"]),
        ("\\s:x*00\\" + SHIP, ["its checksum 00 given, 31 computed", "fault broken tag block"]),
        ("hello", [("noise these bytes are not even the start of a message; they are counted and "
                   "let go")]),
        ("$GPGSV,1,1,00*79", [("unread whole, but no radio system of this port speaks this "
                              "language: dsc, ais, shipboard, navtex, gnss")]),
        ('$GPRMC,042504.900,A,401".1002,N,00440.4650,E,0.00,334.28<110321,,,A*6D',
         ["whole yes, by its checksum"]),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_sentence_is_told_and_what_would_be_right(told, raw, told_rows):
    page = rows(told(raw))

    for row in told_rows:
        assert row in page
    assert "reports = []" in page or "broken tag block" in " ".join(page)


def test_a_tag_block_is_told(told):
    page = rows(told(r"\s:rx1,g:1-1-7,c:1700000000*47" + "\\" + SHIP))

    assert "receiver rx1" in page
    assert "its time 1700000000.000 s since 1970 UTC" in page
    assert "group 1-1-7" in page


def test_a_routine_position_is_told_with_both_its_topics(told):
    page = rows(told(SHIP, profile="generic-nmea"))

    assert f"topic distress/v1/{STATION}/report/routine/ais" in page
    assert f"and distress/v1/{STATION}/position/ais/265547250 (retained, the newest only)" in page


def test_a_test_is_visibly_a_test(told):
    page = rows(told("!AIVDM,1,1,,A,>>QK2khE0U8:1@E=@0,4*52"))

    assert "[TEST]" in page
    assert "!!! DISTRESS" not in page
    assert f"topic distress/v1/{STATION}/report/test/distress/ais" in page


def test_sentences_are_read_from_standard_input(told, monkeypatch):
    stdin = io.TextIOWrapper(io.BytesIO(f"12:00:01 {MAYDAY}\n\n{FINER}\r\n".encode()))
    monkeypatch.setattr("sys.stdin", stdin)

    assert "completes the call before it" in rows(told("-"))


def test_bytes_may_be_written_as_published_reports_write_them(told):
    assert told(MAYDAY.replace("$", "\\x24")) == told(MAYDAY)


def test_nothing_to_explain_is_told(capsys):
    assert explain.main(argparse.Namespace(profile=None, raw=["  "])) == 1
    told = capsys.readouterr().err

    assert told.startswith("there is no message to explain")
    assert "--help" in told


def test_an_unknown_profile_is_told():
    with pytest.raises(BadSettings, match="did you mean `generic-ais`"):
        explain.main(argparse.Namespace(profile="generic-aiz", raw=[SHIP]))


def test_a_standard_input_that_is_closed_says_nothing(monkeypatch, capsys):
    monkeypatch.setattr("sys.stdin", None)

    assert explain.main(argparse.Namespace(profile=None, raw=["-"])) == 1
    assert capsys.readouterr().err


def test_nothing_that_steers_a_terminal_is_printed(told):
    page = told("$GPRMC,\x1b[2J\x07*00", "\x1b]0;x\x07", "!AIVDM,1,1,,\x9b,x,0*00", "\udcff")

    assert all(character.isprintable() or character == "\n" for character in page)


HELP = cli._EXPLAIN_EXAMPLES
ONE_OF_EACH = re.findall(r"^  (\w+) (?:\(\w+\))? *'(.+)'$", HELP, re.MULTILINE)


def test_the_help_shows_each_radio_system():
    assert {system for system, _ in ONE_OF_EACH} == set(radio_names())


@pytest.mark.parametrize(("system", "raw"), ONE_OF_EACH)
def test_which_modem_says_such_a_thing_is_found_out_from_text_and_from_digits(told, system, raw):
    page = told(raw)
    (row,) = tomllib.loads(page[page.index("[[vector]]") :])["vector"]

    assert page.startswith("read as generic-")
    assert "  framing: " in page
    assert f"  radio: {system}\n" in page
    (told_as,) = [report["system"] for report in row["reports"]]
    assert told_as == system or (system not in system_names() and told_as in system_names())


def test_the_commands_in_the_help_do_as_it_says(told):
    raw, profiled = re.findall(r"explain (?:--profile (\S+) )?'(.+)'", HELP)

    assert told(raw[1])
    assert told(profiled[1], profile=profiled[0]).startswith(f"read as {profiled[0]}: ")


@pytest.mark.parametrize(
    "written",
    [
        "1A 33 00 01 25 21 7A 89 5C 8D F0 12 34 E1 0A AA 00 00 00 00 CC B7 3B",
        "1a:33:00:01:25:21:7a:89:5c:8d:f0:12:34:e1:0a:aa:00:00:00:00:cc:b7:3b",
        "0x1A33 0x0001 0x2521 0x7A89 0x5C8D 0xF012 0x34E1 0x0AAA 0x0000 0x0000 0xCCB7 0x3B",
        r"\x1a3\x00\x01%!z\x89\x5c\x8d\xf0\x124\xe1\x0a\xaa\x00\x00\x00\x00\xcc\xb7;",
    ],
)
def test_bytes_are_taken_however_people_write_them(told, written):
    page = told(written)

    assert page == told("1A33000125217A895C8DF01234E10AAA00000000CCB73B")
    assert "body 33 00 01 25 21 7A 89 5C 8D F0 12 34 E1 0A AA 00 00 00 00 CC B7 3B" in rows(page)
    assert "wire_hex = ['1A 33 00 01 25 21 7A 89 5C 8D F0 12 34 E1 0A AA" in page


def test_bytes_are_read_from_standard_input_as_they_are(told, monkeypatch):
    frame = bytes.fromhex("1A330001250A0D895C8DF01234E10AAA00000000CCB73B")
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(frame * 2)))
    page = rows(told("-"))

    assert page[0].startswith("read as generic-mode_s: ")
    assert page.count("radio: mode_s") == 2


def test_what_several_modems_may_have_said_is_asked_back_with_what_each_would_mean(capsys):
    beacon = "56E6804002202009655250"
    status = explain.main(argparse.Namespace(profile=None, raw=[MAYDAY, beacon]))
    told = capsys.readouterr()

    assert status == 1
    assert told.out == ""
    assert "more than one way" in told.err
    assert re.search(r"--profile generic-dsc .*\n.*DISTRESS  dsc .*360123456", told.err)
    assert re.search(r"--profile generic-cospas_sarsat .*\n.*DISTRESS  cospas_sarsat", told.err)


def test_a_mixed_stream_is_read_whole_by_the_one_profile_that_hears_it_all(told):
    page = told(f"{MAYDAY}\n{OVERBOARD}\n{NAVTEX}\n{SHIP}")

    assert page.startswith("read as generic-nmea: ")
    for system in ("dsc", "shipboard", "navtex", "ais"):
        assert f"radio: {system}" in rows(page)


@pytest.mark.parametrize(
    ("raw", "modem"),
    [(MAYDAY, "generic-dsc"), (OVERBOARD, "generic-shipboard"), (NAVTEX, "generic-navtex")],
)
def test_what_one_radio_says_alone_is_read_by_its_own_profile(told, raw, modem):
    assert told(raw).startswith(f"read as {modem}: ")


def test_what_is_proven_goes_before_what_is_not(told):
    """Both the packet and the sentence in it can be read; the sentence has a checksum."""
    assert told(f"N0CALL>APRS:>x\n{MAYDAY}").startswith("read as generic-dsc: ")


@pytest.mark.parametrize(
    ("raw", "told_rows"),
    [
        (
            "C0 00 6A 62 DB 60 B2 A0 C0",
            ["framing: kiss", "fault illegal character", "C0 00 6A 62 DB 60 B2 A0 C0"],
        ),
        ("56E6804002202009655251FF", ["framing: lines"]),
        ("*8DF01234E10AAA00000000CCB73C;", ["unread its check bits are wrong"]),
        ("hello", ["read as generic-nmea: Any mixed NMEA 0183 stream"]),
    ],
)
def test_of_what_nobody_understands_the_nearest_is_told(told, raw, told_rows):
    page = told(raw)

    assert page.startswith("no report comes of it; of the modems that are known")
    assert all(row in rows(page) for row in told_rows), page
    assert "reports = []" in page


def wires():
    for path in sorted(VECTORS.glob("*.toml")):
        whole = tomllib.loads(path.read_text("utf-8"))
        for row in whole["vector"]:
            if "wire" in row:
                wire = Wire(tuple(sentence.encode("latin-1") for sentence in row["wire"]))
            else:
                wire = Wire(tuple(bytes.fromhex(sent) for sent in row["wire_hex"]), b"")
            framing = row.get("framing", whole.get("framing", "nmea")) if row["reports"] else None
            yield pytest.param(wire, framing, id=f"{path.stem}-{row['name']}")


@pytest.mark.parametrize(("wire", "framing"), list(wires()))
def test_the_walk_that_is_explained_is_the_hallway_s(wire, framing):
    """Whatever is explained is what the service would have reported, in the same order."""
    walk, rivals = choice([wire], PROFILES)
    port = PortPlan(name=PORT, device="tape:x", modem=walk.modem, profile=walk.profile)
    pipeline = hallway(STATION, [port])
    items = []
    for place, piece in enumerate(wire.pieces):
        items += pipeline.inbound(Chunk(PORT, Moment(place * SENTENCE_NS), piece + wire.end))
    last_ns = (len(wire.pieces) - 1) * SENTENCE_NS
    items += pipeline.tick(Tick(Moment(last_ns + END_NS)))

    items = without_notes(items)
    rulings = [item for item in items if isinstance(item, Ruling)]
    heard = [replace(item.sighting, incident=None) for item in rulings]
    assert [ruling.sighting for ruling in walk.rulings] == heard
    assert [ruling.verdicts for ruling in walk.rulings] == [item.verdicts for item in rulings]
    assert walk.refused == len(items) - len(walk.rulings)
    assert not rivals
    assert framing in (None, walk.profile.framing)


@pytest.mark.parametrize(("system", "raw"), ONE_OF_EACH)
def test_what_a_report_was_made_of_can_be_explained_as_it_was_published(told, system, raw):
    page = told(raw)
    published = json.loads(page[page.index("\n  {") : page.index("\n  }") + 4])["report"]["raw"]

    assert f"  radio: {system}\n" in told(*published)


@pytest.mark.parametrize(
    "raw",
    [
        [MAYDAY, FINER],
        ["!AIVDM,1,1,,A,>>QK2khE0U8:1@E=@0,4*52"],
        ["$GPGSV,1,1,00*79", "it's \\x07 no sentence", "$GP'x\\xff*00"],
    ],
)
def test_the_vector_at_the_end_is_a_vector_that_holds(told, raw):
    """Pasted into a vector file it says what the gateway does, in the form the tests read."""
    page = told(*raw, profile="generic-nmea")
    (row,) = tomllib.loads(page[page.index("[[vector]]") :])["vector"]
    port = PortPlan(
        name="a", device="tape:x", modem="generic-nmea", profile=profile_named("generic-nmea")
    )
    pipeline = hallway("test", [port])
    items = []
    for place, wire in enumerate(row["wire"]):
        data = wire.encode("latin-1") + b"\r\n"
        items += without_notes(pipeline.inbound(Chunk("a", Moment(place * SENTENCE_NS), data)))
    reports = [
        msgspec.to_builtins(item.sighting.report) for item in items if isinstance(item, Ruling)
    ]

    assert set(row) <= {"name", "source", "wire", "refused", "reports"}
    assert row.get("refused", 0) == len(items) - len(reports)
    assert len(row["reports"]) == len(reports)
    for wanted, found in zip(row["reports"], reports, strict=True):
        assert {key: found.get(key) for key in wanted} == wanted
