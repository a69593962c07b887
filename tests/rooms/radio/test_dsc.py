"""Digital selective calling: what the vectors don't show. No call of distress is ever lost."""

from __future__ import annotations

import random
import re
import tomllib
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.framing.nmea import Nmea
from gateway.model.inbound import Chunk, Detail, Moment, Reading, Refused, Ruling, Tick, Unread
from gateway.model.plan import PortPlan, Profile
from gateway.model.words import Kind, Mode, Nature, Relation, Urgency
from gateway.pipeline import hallway
from gateway.radio import Radio, radio_named
from gateway.radio.dsc import EXPANSION_WINDOW_NS, PENDING_MAX, Dsc, fields, tables
from gateway.radio.dsc.call import spelt
from gateway.radio.dsc.expansion import SENTENCES_MAX, expansion_of, read_sentence, text_set
from gateway.radio.dsc.words import Area, DscDetail, Working
from gateway.radio.dsc.write import ExpansionLengthError, write_call, write_expansion
from tests.rooms.spoken import without_notes

ROWS = tomllib.loads((Path(__file__).parents[2] / "vectors" / "dsc.toml").read_text("utf-8"))
VECTORS = {"vector": [row for row in ROWS["vector"] if "framing" not in row]}
"""The sentences; symbols are in test_dsc_symbols.py."""
PROFILE = Profile(title="test", radio=("dsc",), framing="nmea", proven="test")
SECOND_NS = 10**9
ALERT = "$CDDSC,12,3380400790,12,05,00,1423108312,2019,,,S,E"
ALERT_FINE = "$CDDSE,1,1,A,3380400790,00,45894494"
WORD = re.compile(r"[a-z0-9_]+")
MUTATED = 6000
"""Mutated sentences in one run of the fuzz; each costs about 0.1 ms."""


class Ears:
    """A hallway with DSC receivers at it, and a clock that only a test moves."""

    def __init__(self, *ports: str) -> None:
        self.pipeline = hallway(
            "test",
            [
                PortPlan(name=port, device="tape:test", modem="test", profile=PROFILE)
                for port in ports or ("a",)
            ],
        )
        self.now_ns = 0

    def hear(self, *bodies: str, port: str = "a", after_ns: int = SECOND_NS):
        """Return what comes out when a port hears these sentences, whole and with checksums."""
        items = []
        for body in bodies:
            self.now_ns += after_ns
            chunk = Chunk(port, Moment(self.now_ns), Nmea.wrap(body.encode("latin-1")))
            items += without_notes(self.pipeline.inbound(chunk))
        return items

    def reports(self, *bodies: str, port: str = "a", after_ns: int = SECOND_NS):
        found = self.hear(*bodies, port=port, after_ns=after_ns)
        return [item.sighting.report for item in found if isinstance(item, Ruling)]

    def errors(self):
        return sum(ear.count.decoder_errors for ear in self.pipeline.ears.values())


def frame(body: str):
    return Nmea().split(Chunk("a", Moment(0), Nmea.wrap(body.encode("latin-1"))))[0]


# The tables, whole.


def test_the_radio_is_found_by_its_name_and_keeps_the_protocol():
    radio: Radio = radio_named("dsc")()

    assert radio.name == "dsc"
    assert radio.expire(Moment(0)) == ()


def test_natures_are_those_of_m493_and_no_others():
    assert {
        100: Nature.FIRE_EXPLOSION,
        101: Nature.FLOODING,
        102: Nature.COLLISION,
        103: Nature.GROUNDING,
        104: Nature.LISTING,
        105: Nature.SINKING,
        106: Nature.DISABLED_ADRIFT,
        107: Nature.UNDESIGNATED,
        108: Nature.ABANDONING,
        109: Nature.PIRACY_UNLAWFUL,
        110: Nature.MAN_OVERBOARD,
        112: Nature.BEACON_EMISSION,
    } == tables.NATURES


def test_formats_categories_and_urgencies_are_those_of_m493():
    assert set(tables.FORMATS) == {102, 112, 114, 116, 120, 121, 123}
    assert set(tables.CATEGORIES) == set(tables.URGENCIES) == {100, 108, 110, 112}
    assert {c: str(u) for c, u in tables.URGENCIES.items()} == tables.CATEGORIES


def test_telecommands_are_those_of_m493():
    first = {100, 101, 103, 104, 105, 106, 109, 110, 112, 113, 115, 118, 121}

    assert set(tables.TELECOMMANDS_1) == first
    assert set(tables.TELECOMMANDS_2) == {*range(100, 114), *range(120, 126)}
    assert len(set(tables.TELECOMMANDS_1.values())) == len(first)
    assert tables.TELECOMMANDS_1[109] == "j3e"
    assert tables.TELECOMMANDS_2[110] == "not_party_to_armed_conflict"


def test_sources_and_datums_are_those_of_m821():
    assert tables.SOURCES == {
        "00": "invalid",
        "01": "dgnss",
        "02": "gnss",
        "03": "loran_differential",
        "04": "loran",
        "05": "glonass",
        "06": "radar",
        "07": "decca",
        "08": "other",
    }
    assert tables.DATUMS == {"00": "wgs84", "01": "wgs72", "02": "other"}
    assert set(tables.EXPANSIONS) == {f"{code:02d}" for code in range(7)}


def test_every_word_of_a_table_is_one_plain_word():
    words = [
        *tables.FORMATS.values(),
        *tables.CATEGORIES.values(),
        *tables.TELECOMMANDS_1.values(),
        *tables.TELECOMMANDS_2.values(),
        *tables.ENDS.values(),
        *tables.KINDS,
        *tables.SOURCES.values(),
        *tables.DATUMS.values(),
        *tables.FLAGS.values(),
    ]

    assert all(WORD.fullmatch(word) for word in words)


def test_the_vectors_show_every_purpose_format_nature_and_data_set():
    said = []
    for vector in VECTORS["vector"]:
        said += [
            r.said
            for w in vector["wire"]
            for r in Dsc().read(frame(body_of(w))) or ()
            if isinstance(r, Reading)
        ]
    calls = [one for one in said if isinstance(one, DscDetail)]

    assert {call.purpose for call in calls} == set(tables.KINDS)
    assert {call.format for call in calls} >= set(tables.FORMATS.values())
    assert {call.nature_code for call in calls} >= set(tables.NATURES)
    assert {call.end for call in calls} >= set(tables.ENDS.values())


# What users of other systems suffered from.


def test_p1_an_alert_with_an_empty_category_is_distress():
    (report,) = Ears().reports("$CDDSC,12,5031105200,,05,00,2380814428,1800,,,R,E")

    assert (report.kind, report.urgency) == (Kind.ALERT, Urgency.DISTRESS)
    assert report.nature is Nature.SINKING
    assert report.casualty.mmsi == "503110520"


def test_p1_an_alert_waits_for_no_expansion_and_takes_it_when_it_comes():
    ears = Ears()
    (first,) = ears.reports(ALERT)
    (second,) = ears.reports(ALERT_FINE)

    assert second.refines == first.report_id
    assert second.raw == (*first.raw, "$CDDSE,1,1,A,3380400790,00,45894494*1B")
    assert second.position.resolution_m < 1 < first.position.resolution_m


def test_p2_a_relay_is_about_its_casualty_and_its_nature_not_the_relaying_station():
    (report,) = Ears().reports("$CDDSC,16,0031600010,12,112,00,1423108312,2019,3162009110,12,,")

    assert report.kind is Kind.RELAY
    assert report.sender.mmsi == "003160001"
    assert report.casualty.mmsi == "316200911"
    assert report.nature is Nature.BEACON_EMISSION


def test_p2_an_acknowledgement_is_no_relay():
    (report,) = Ears().reports("$CDDSC,16,0031600010,12,110,00,1423108312,2019,3162009110,12,,")

    assert report.kind is Kind.ACKNOWLEDGEMENT
    assert report.casualty.mmsi == "316200911"


@pytest.mark.parametrize("place", ["", "9999999999", "4423108312", "0960000000", "nan", "1e309"])
def test_p3_a_distress_without_a_usable_position_is_a_distress(place):
    (report,) = Ears().reports(f"$CDDSC,12,3380400790,12,05,00,{place},2019,,,S,")

    assert report.urgency is Urgency.DISTRESS
    assert report.position is None
    assert report.casualty.mmsi == "338040079"


def test_p3_no_fields_of_a_distress_give_no_event():
    """However the fields of a distress are mangled, it is told, as real, with safe values."""
    dice = random.Random(20_251)
    ears = Ears()
    seeds = [body_of(w) for vector in VECTORS["vector"] for w in vector["wire"] if "DSC" in w]
    for _ in range(MUTATED):
        body = mutated(dice, dice.choice(seeds))
        found = ears.hear(body, after_ns=SECOND_NS // 10)

        assert len(found) == 1, body
        assert_safe(found[0], body)
    assert ears.errors() == 0


def test_p3_no_damage_to_the_bytes_gives_an_event_or_a_fault_of_ours():
    """A sentence with a damaged byte is told by nobody; with several, never by a fault of ours."""
    dice = random.Random(20_252)
    ears = Ears()
    whole = Nmea.wrap(ALERT.encode())[:-2]
    for _ in range(MUTATED // 2):
        bent = bytearray(whole)
        count = dice.randint(1, 4)
        for _ in range(count):
            bent[dice.randrange(len(bent))] ^= dice.randint(1, 255)
        items = without_notes(ears.pipeline.inbound(Chunk("a", Moment(0), bytes(bent) + b"\r\n")))

        if count == 1:
            assert all(isinstance(item, Refused) for item in items), bytes(bent)
    assert ears.errors() == 0


def test_p5_a_test_call_is_told_and_marked_and_a_distress_never_is_a_test():
    ears = Ears()
    (test,) = ears.reports("$CDDSC,20,3747610000,08,18,26,,,,,R,")
    real = ears.reports(
        "$CDDSC,12,3747610000,12,18,18,,,,,R,", "$CDDSC,16,3747610000,12,18,18,,,,,R,"
    )

    assert (test.mode, test.urgency) == (Mode.TEST, Urgency.SAFETY)
    assert [report.mode for report in real] == [Mode.REAL, Mode.REAL]
    assert {report.urgency for report in real} == {Urgency.DISTRESS}


@pytest.mark.parametrize(
    "wire",
    [
        b"$CDDSC,12,3380400790,12,05,00,1423108312,2019,,,S,E\r\n",
        b"$CDDSC,12,3380400790,12,05,00,1423108312,2019,,,S,E*6A\r\n",
        b"$CDDSC,12,3380400790,12,05,00,1423108\r\n",
        b"$CDDSE,1,1,A,3380400790,00,45894494*1C\r\n",
        b"$CDDSC\r\n",
    ],
    ids=["no checksum", "wrong checksum", "cut", "expansion", "address only"],
)
def test_p23_a_broken_call_is_no_report_and_is_kept_as_distress_like(wire):
    items = without_notes(Ears().pipeline.inbound(Chunk("a", Moment(0), wire)))
    refused = [item for item in items if isinstance(item, Refused)]

    assert refused
    assert any(item.distress_like for item in refused)


@pytest.mark.parametrize("wire", [b"$GPRMC,1,DSC*00\r\n", b"$CDDSX,12*00\r\n", b"!AIVDM,1*00\r\n"])
def test_p23_a_broken_sentence_of_another_kind_is_not_distress_like(wire):
    (item,) = without_notes(Ears().pipeline.inbound(Chunk("a", Moment(0), wire)))

    assert not item.distress_like


# Expansions.


def test_an_expansion_is_taken_to_the_last_nanosecond_of_a_minute():
    assert EXPANSION_WINDOW_NS == 60 * SECOND_NS
    for late_ns, refines in ((EXPANSION_WINDOW_NS, True), (EXPANSION_WINDOW_NS + 1, False)):
        ears = Ears()
        ears.hear(ALERT)
        (report,) = ears.reports(ALERT_FINE, after_ns=late_ns)

        assert (report.refines is not None) is refines
        assert (report.position is not None) is refines


def test_time_takes_waiting_calls_away_and_says_nothing():
    ears = Ears()
    ears.hear(ALERT)
    radio = ears.pipeline.ears["a"].radios[0]
    ends_ns = ears.now_ns + EXPANSION_WINDOW_NS

    assert without_notes(ears.pipeline.tick(Tick(Moment(ends_ns)))) == []
    assert len(radio._pending) == 1
    assert without_notes(ears.pipeline.tick(Tick(Moment(ends_ns + 1)))) == []
    assert len(radio._pending) == 0


def test_ports_never_mix_their_expansions():
    ears = Ears("a", "b")
    ears.hear(ALERT, port="a")
    (report,) = ears.reports(ALERT_FINE, port="b")

    assert report.refines is None
    assert report.position is None
    assert report.sender.mmsi == "338040079"


def test_two_ports_hear_a_call_and_its_expansion_once_each():
    ears = Ears("a", "b")
    relations = [
        item.sighting.relation
        for port in ("a", "b")
        for item in ears.hear(ALERT, ALERT_FINE, port=port)
    ]

    first = [Relation.FIRST, Relation.REFINEMENT]
    assert relations == [*first, Relation.COPY, Relation.COPY]


def test_an_expansion_without_its_call_says_what_stands_by_itself():
    (report,) = Ears().reports("$CDDSE,1,1,A,3380400790,02,0125,03,2705,06,0012")

    assert (report.velocity.speed_kn, report.velocity.course_deg) == (12.5, 270.5)
    assert report.persons_on_board == 12
    assert report.urgency is Urgency.SAFETY


def test_an_expansion_said_twice_is_a_copy_of_itself():
    ears = Ears()
    ears.hear(ALERT, ALERT_FINE)
    (item,) = ears.hear(ALERT_FINE)

    assert item.sighting.relation is Relation.COPY


def test_waiting_calls_are_bounded_and_the_oldest_goes_first():
    ears = Ears()
    for turn in range(PENDING_MAX + 1):
        ears.hear(f"$CDDSC,12,{232000000 + turn}0,12,05,00,1423108312,2019,,,S,E", after_ns=1)
    oldest, next_oldest = ears.reports(
        "$CDDSE,1,1,A,2320000000,00,00010001", "$CDDSE,1,1,A,2320000010,00,00010001"
    )

    radio = ears.pipeline.ears["a"].radios[0]
    assert len(radio._pending) == PENDING_MAX
    assert oldest.refines is None
    assert next_oldest.refines is not None


def test_calls_that_had_to_go_are_counted():
    ears = Ears()
    for turn in range(PENDING_MAX + 3):
        ears.hear(f"$CDDSC,12,{232000000 + turn}0,12,05,00,1423108312,2019,,,S,E", after_ns=1)
    (bound,) = ears.pipeline.ears["a"].radios[0].bounds()

    assert (bound.held, bound.limit, bound.evicted) == (PENDING_MAX, PENDING_MAX, 3)


def test_expansions_of_one_call_are_bounded():
    ears = Ears()
    ears.hear(ALERT)
    for turn in range(3 * SENTENCES_MAX):
        (report,) = ears.reports(f"$CDDSE,1,1,A,3380400790,06,{turn:04d}")

    assert report.persons_on_board == 3 * SENTENCES_MAX - 1
    assert len(report.raw) == 1 + SENTENCES_MAX


def test_a_repeated_alert_takes_the_place_of_the_earlier_one():
    ears = Ears()
    ears.hear(ALERT)
    (again,) = ears.reports(ALERT, after_ns=30 * SECOND_NS)
    (fine,) = ears.reports(ALERT_FINE)

    assert fine.refines == again.report_id


# Dialects, content and bounds of the sentence.


@pytest.mark.parametrize(
    "other",
    [
        "$CTDSC,12,3380400790,12,05,00,1423108312,2019,,,S,E",
        "$CDDSC,112,3380400790,112,105,100,1423108312,2019,,,S,E",
        "$CDDSC,12,3380400790,,05,00,1423108312,2019,,,S,E",
        "$CDDSC,12,3380400790,12,05,00,1423108312,2019,,,S",
        "$CDDSC,12,3380400790,12,05,00,1423108312,2019,,,S,E,,",
        "$CDDSC,12,3380400790,12,05,00,1423108312,2019,,,,S,E",
    ],
    ids=["talker", "three digits", "no category", "ten fields", "thirteen", "shifted end"],
)
def test_dialects_of_one_call_are_copies_of_each_other(other):
    ears = Ears("a", "b")
    ears.hear(ALERT, port="a")
    (item,) = ears.hear(other, port="b")

    assert item.sighting.relation is Relation.COPY
    assert item.sighting.report.detail.end == "end"


@pytest.mark.parametrize(
    "other",
    [
        "$CDDSC,12,3380400790,12,06,00,1423108312,2019,,,S,E",
        "$CDDSC,12,3380400790,12,05,00,1423108312,2020,,,S,E",
        "$CDDSC,12,3380400790,12,05,00,1423108312,2019,,,R,E",
        "$CDDSC,12,3380400790,12,x,00,1423108312,2019,,,S,E",
    ],
)
def test_another_call_is_no_copy(other):
    ears = Ears("a", "b")
    ears.hear(ALERT, port="a")
    (item,) = ears.hear(other, port="b")

    assert item.sighting.relation is Relation.FIRST


@pytest.mark.parametrize("body", ["$GPRMC,1,2", "$PDSC,12", "$CDDSCX,12", "$DSC,12", "$CDDSI,1,2"])
def test_other_sentences_are_not_its_language(body):
    assert Dsc().read(frame(body)) is None


def test_a_detail_of_another_radio_is_a_fault_of_ours():
    with pytest.raises(TypeError):
        Dsc().report(Reading((frame(ALERT),), "dsc", Detail(), b""))


@pytest.mark.parametrize(
    ("body", "distress_like"),
    [
        ("$CDDSC,,,,,,,,,,,", False),
        ("$CDDSC,1x,2320011220,00,00,26,900072,,,,S,", True),
        ("$CDDSC,20,2320011220,9x,00,26,900072,,,,S,", True),
        ("$CDDSC,20,2320011220,00,00,26,900072", False),
        ("$CDDSC,20,23200,00,00,26,900072,,,,S,", False),
        ("$CDDSE,1,1,A", True),
    ],
)
def test_what_can_not_be_read_says_whether_it_might_have_been_a_distress(body, distress_like):
    (found,) = Dsc().read(frame(body))

    assert isinstance(found, Unread)
    assert found.reason
    assert found.distress_like is distress_like


@pytest.mark.parametrize(("count", "legible"), [(9, False), (10, True), (13, True), (14, False)])
def test_a_call_that_says_nothing_of_distress_has_ten_to_thirteen_fields(count, legible):
    fields_ = "20,2320011220,00,00,26,900072,,,,S,,,,"
    body = "$CDDSC," + ",".join(fields_.split(",")[:count])
    (found,) = Dsc().read(frame(body))

    assert isinstance(found, Unread) is not legible


@pytest.mark.parametrize(
    ("code", "data", "word", "value"),
    [
        ("02", "9999", "speed_kn", 999.9),
        ("02", "9998", "speed_kn", 999.8),
        ("02", "0000", "speed_kn", 0.0),
        ("02", "10000", "speed_kn", None),
        ("03", "3599", "course_deg", 359.9),
        ("03", "3600", "course_deg", None),
        ("06", "9999", "persons_on_board", 9999),
        ("06", "10000", "persons_on_board", None),
    ],
)
def test_numbers_of_an_expansion_are_told_up_to_the_largest_and_none_beyond(
    code, data, word, value
):
    sentence = read_sentence(["1", "1", "A", "3380400790", code, data])
    found = expansion_of((sentence,))

    assert getattr(found, word) == value
    assert bool(found.unreadable) is (value is None)


# Fields.


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("12", 112),
        ("112", 112),
        ("00", 100),
        ("27", 127),
        ("28", 28),
        ("99", 99),
        ("5", 5),
        ("128", 128),
        ("", None),
        ("1x", None),
        ("-1", None),
        ("1000", None),
        ("\u0661\u0662", None),
    ],
)
def test_codes_of_two_and_three_digits(text, code):
    assert fields.code_of(text) == code


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("021875", Working(freq_hz=2_187_500)),
        ("41252165", Working(freq_hz=12_521_650)),
        ("42999999", Working(freq_hz=29_999_990)),
        ("301234", Working(hf_channel=1234)),
        ("802087", Working(auto_channel=2087)),
        ("900016", Working(vhf_channel="16")),
        ("901078", Working(vhf_channel="1078")),
        ("902028", Working(vhf_channel="2028")),
        ("0072", Working(vhf_channel="72")),
        ("6", Working(vhf_channel="6")),
        ("40218751", Working(freq_hz=2_187_510)),
        ("40218101", Working(freq_hz=2_181_010)),
    ],
)
def test_frequencies_and_channels(text, expected):
    assert fields.workings_of(text) == (expected, None)
    assert fields.workings_of(fields.working_text(expected)) == (expected, None)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0",
        "000000",
        "40000000",
        "300000",
        "800000",
        "900000",
        "900029",
        "903016",
        "901029",
        "00072",
        "910016",
        "12AB45",
        "700000",
        "500000",
        "126126126",
        "0218750",
        "021875021",
        "021875700000",
        "12.3",
        "0218750218750218",
        "__proto__",
        "-21875",
        "\u0660\u0662\u0661\u0668\u0667\u0665",
    ],
)
def test_what_is_neither_frequency_nor_channel_is_nothing(text):
    assert fields.workings_of(text) is None


def test_vhf_channels_are_those_of_appendix_18():
    known = {number for number in range(100) if fields.workings_of(str(number))}

    assert known == {*range(1, 29), *range(60, 89)}


def test_positions_at_the_edges_of_the_earth():
    assert fields.minutes_of("0900018000") == (1, 5400, 1, 10800)
    assert fields.minutes_of("3000000000") == (-1, 0, -1, 0)
    assert fields.minutes_of("0900100000") is None
    assert fields.minutes_of("0000018001") is None
    assert fields.minutes_of("0006000000") is None
    assert fields.minutes_of("0000000060") is None


def test_areas_keep_their_corner_and_sides():
    for digits in ("0600030814", "1510200408", "2101230305", "3901809999", "0901800000"):
        assert fields.area_text(fields.area_of(digits)) == digits
    assert fields.area_of("0910030814") is None
    assert fields.area_of("0601810814") is None
    assert fields.area_of("4600030814") is None


# Written, and read back.

codes_or_none = {
    "end": st.sampled_from([None, *tables.ENDS.values()]),
    "expansion_announced": st.booleans(),
}
mmsis = st.from_regex(r"[2-7][0-9]{8}|00[2-7][0-9]{6}", fullmatch=True)
positions = st.builds(
    lambda quadrant, lat, lon: (
        f"{quadrant}{lat // 60:02d}{lat % 60:02d}{lon // 60:03d}{lon % 60:02d}"
    ),
    st.integers(0, 3),
    st.integers(0, 5400),
    st.integers(0, 10_800),
)
times = st.builds(lambda m: f"{m // 60:02d}{m % 60:02d}", st.integers(0, 1439))
subsequents = st.sampled_from([None, *tables.TELECOMMANDS_1, tables.NOTHING])
alerts = st.builds(
    DscDetail,
    purpose=st.just("distress_alert"),
    format_code=st.just(112),
    category_code=st.just(112),
    self_id=mmsis,
    nature_code=st.sampled_from(list(tables.NATURES)),
    subsequent_code=subsequents,
    position=st.none() | positions,
    time=st.none() | times,
    **codes_or_none,
)
relays = st.builds(
    DscDetail,
    purpose=st.just("distress_relay"),
    format_code=st.sampled_from([114, 116, 120]),
    category_code=st.just(112),
    self_id=mmsis.filter(lambda mmsi: mmsi.startswith("00")),
    telecommand1_code=st.just(112),
    subsequent_code=subsequents,
    distress_id=st.none() | mmsis.filter(lambda mmsi: not mmsi.startswith("00")),
    nature_code=st.none() | st.sampled_from(list(tables.NATURES)),
    position=st.none() | positions,
    time=st.none() | times,
    **codes_or_none,
)
workings = (
    st.builds(Working, freq_hz=st.integers(1, 2_999_999).map(lambda n: n * 10))
    | st.builds(Working, hf_channel=st.integers(1, 99_999))
    | st.builds(Working, vhf_channel=st.sampled_from(["6", "16", "72", "1078", "2006"]))
)
calls = st.builds(
    DscDetail,
    purpose=st.just("safety_call"),
    format_code=st.just(102),
    category_code=st.just(108),
    area=st.builds(
        Area,
        corner_lat_deg=st.integers(-90, 90),
        corner_lon_deg=st.integers(-180, 180),
        southwards_deg=st.integers(0, 99),
        eastwards_deg=st.integers(0, 99),
    ),
    telecommand1_code=st.sampled_from([100, 109]),
    telecommand2_code=st.sampled_from([None, *tables.TELECOMMANDS_2, tables.NOTHING]),
    rx=workings,
    tx=st.none() | workings,
    **codes_or_none,
)


@given(alerts | relays | calls)
def test_a_call_written_and_read_back_is_the_same_call(call):
    call = spelt(call)
    (reading,) = Dsc().read(frame(write_call(call).decode()))

    assert reading.said == call


def test_every_legible_call_of_the_vectors_is_written_and_read_back():
    seen = 0
    for vector in VECTORS["vector"]:
        for wire in vector["wire"]:
            for reading in Dsc().read(frame(body_of(wire))):
                said = getattr(reading, "said", None)
                if not isinstance(said, DscDetail) or said.unreadable:
                    continue
                (again,) = Dsc().read(frame(write_call(said).decode()))
                seen += 1

                assert plain(again.said) == plain(said)
    assert seen > len(VECTORS["vector"]) // 2


def test_an_expansion_written_and_read_back_is_the_same():
    sets = (("00", "05000250"), ("06", "0012"), text_set("MY SHIP, THE BOAT OF HER " * 2))
    bodies = write_expansion("232001122", sets, talker="CT")
    found = expansion_of(tuple(read_sentence(body.decode().split(",")[1:]) for body in bodies))

    assert all(len(Nmea.wrap(body)) <= 82 for body in bodies)
    assert len(bodies) == 2
    assert found.sets == sets
    assert found.text == "MY SHIP, THE BOAT OF HER " * 2
    assert found.sentences_total == found.sentences_heard == 2


def test_an_expansion_as_long_as_can_be_announced_is_written():
    bodies = write_expansion("232001122", tuple(text_set("X" * 50) for _ in range(9)))

    assert len(bodies) == SENTENCES_MAX == 9
    assert all(body.startswith(b"$CDDSE,9,") for body in bodies)
    assert read_sentence(bodies[-1].decode().split(",")[1:]).total == 9


def test_an_expansion_longer_than_can_be_announced_is_not_written():
    with pytest.raises(ExpansionLengthError) as caught:
        write_expansion("232001122", tuple(text_set("X" * 50) for _ in range(10)))

    assert caught.value.sentences == 10


def plain(call: DscDetail) -> DscDetail:
    return msgspec.structs.replace(call, dialect=())


def body_of(wire: str) -> str:
    return wire.rpartition("*")[0] or wire


def mutated(dice: random.Random, body: str) -> str:
    """Return a sentence with some of its fields replaced, dropped, doubled or swapped."""
    head, *texts = body.split(",")
    for _ in range(dice.randint(1, 4)):
        at = dice.randrange(len(texts))
        match dice.randrange(5):
            case 0:
                texts[at] = dice.choice(PIECES)
            case 1:
                texts[at] = "".join(dice.choice("0123456789") for _ in range(dice.randint(0, 20)))
            case 2 if len(texts) > 1:
                del texts[at]
            case 3:
                texts.insert(at, dice.choice(PIECES))
            case _:
                texts[at] = texts[at][: dice.randint(0, 10)] + dice.choice(PIECES)
    return ",".join([head, *texts])


PIECES = (
    *("", "0", "00", "12", "112", "126", "26", "06", "10", "5", "-1", "1e309", "nan", "9" * 60),
    *("9999999999", "8888", "0000000000", "3380400790", "4423108312", "900016", "4125216"),
    *("__proto__", "x/y", "#", "+", "/", "'; DROP", "%n%s%x", " ", "<b>", "S", "E", "R", "B", "Z"),
)


def assert_safe(item, body: str) -> None:
    """A distress by its format or category is told as real; no report holds what it must not."""
    texts = [*body.split(",")[1:], "", "", ""]
    distress = texts[0] in ("12", "112") or texts[2] in ("12", "112")
    if isinstance(item, Refused):
        assert not distress, body
        return
    report = item.sighting.report
    if distress:
        assert (report.urgency, report.mode) == (Urgency.DISTRESS, Mode.REAL), body
    for party in (report.sender, report.casualty, report.addressee):
        assert party is None or re.fullmatch(r"[0-9]{9}", party.mmsi), body
    assert report.claimed_utc is None or re.fullmatch(
        r"([01][0-9]|2[0-3]):[0-5][0-9]Z", report.claimed_utc
    )
    if report.position:
        assert abs(report.position.lat_deg) <= 90
        assert abs(report.position.lon_deg) <= 180
    assert msgspec.json.decode(msgspec.json.encode(report))["system"] == "dsc"
