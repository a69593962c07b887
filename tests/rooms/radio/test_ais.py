"""AIS: what one port makes of VDM and VDO sentences, well-formed, broken, mixed and hostile."""

import random
import re
import time
from functools import reduce
from operator import xor

import pytest
from msgspec import structs
from pyais import encode_dict

from gateway.framing.nmea import Nmea
from gateway.model.inbound import Chunk, Detail, Moment, Reading, Refused, Ruling, Tick, Unread
from gateway.model.plan import PortPlan, Profile
from gateway.model.words import Confidence, Kind, Mode, Nature, Relation, Urgency
from gateway.pipeline import hallway
from gateway.radio.ais import ACTIVE_IDENTITIES_MAX, ACTIVE_MEMORY_NS, RADIO, Ais
from gateway.radio.ais.assembly import (
    CROSSED_NS,
    OPEN_MESSAGES_MAX,
    PARTS_APART_MAX,
    PARTS_WINDOW_NS,
    PAYLOAD_CHARS_MAX,
    WRONG_ORDER_MAX,
)
from gateway.radio.ais.tables import ship_type
from tests.rooms.spoken import without_notes

SECOND_NS = 10**9
SART, MOB, EPIRB = 970_123_456, 972_123_456, 974_123_456
SHIP = 211_234_567
REFUSAL_S_MAX = 0.005

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_ !\"#$%&'()*+,-./0123456789:;<=>?"
"""The six-bit alphabet without `@`, which is padding."""


# ---- The hallway around one port ----------------------------------------------------------------


def station(*ports):
    profile = Profile(title="test", radio=("ais",), framing="nmea", proven="test")
    return hallway(
        "test",
        [
            PortPlan(name=port, device="tape:test", modem="test", profile=profile)
            for port in ports or ("a",)
        ],
    )


def say(pipeline, *lines, at_ns=0, port="a"):
    """Return what comes out when a port hears these lines."""
    data = b"".join((ln if isinstance(ln, bytes) else ln.encode()) + b"\r\n" for ln in lines)
    return without_notes(pipeline.inbound(Chunk(port=port, heard=Moment(at_ns), data=data)))


def wait(pipeline, at_ns=3600 * SECOND_NS):
    return without_notes(pipeline.tick(Tick(Moment(at_ns))))


def reports(items):
    return [item.sighting.report for item in items if isinstance(item, Ruling)]


def refused(items):
    return [item for item in items if isinstance(item, Refused)]


def one(*lines):
    """Return the one report that these lines make, and nothing beside it."""
    pipeline = station()
    items = say(pipeline, *lines) + wait(pipeline)

    assert [type(item) for item in items] == [Ruling], items
    return reports(items)[0]


def encoded(*, talker="AI", formatter="VDM", channel="A", number=0, **fields):
    return encode_dict(
        fields, talker_id=talker, sentence_type=formatter, radio_channel=channel, seq_id=number
    )


def position(mmsi, status=0, **fields):
    placed = {"lat": 51.5, "lon": 1.25, "speed": 4, "course": 90, "heading": 91, "second": 7}
    return encoded(msg_type=1, mmsi=mmsi, status=status, **{**placed, **fields})


def text(mmsi, words, **more):
    return encoded(msg_type=14, mmsi=mmsi, text=words, **more)


def static(name, **more):
    """Return the two sentences of a message 5."""
    return encoded(msg_type=5, mmsi=SHIP, shipname=name, callsign="TEST", destination=name, **more)


def text_payload(mmsi, text):
    """Return payload and fill bits of a message 14."""
    [sentence] = encoded(msg_type=14, mmsi=mmsi, text=text)
    *_, payload, tail = sentence.split(",")
    return payload, tail[0]


def sealed(body):
    """Return a body, start mark first, with its right checksum."""
    raw = body if isinstance(body, bytes) else body.encode("latin-1")
    return raw + b"*%02X" % reduce(xor, raw[1:], 0)


def tagged(tags, sentence):
    return b"\\%b*%02X\\" % (tags.encode(), reduce(xor, tags.encode(), 0)) + sentence.encode()


def frame_of(line):
    return Nmea().split(Chunk(port="a", heard=Moment(0), data=line.encode() + b"\r\n"))[0]


# ---- Users' pains -------------------------------------------------------------------------------


@pytest.mark.parametrize("mmsi", [SART, MOB, EPIRB, 970_000_000, 972_999_999, 974_000_001])
@pytest.mark.parametrize("status", range(16))
@pytest.mark.parametrize(
    "place",
    [
        {},
        {"lat": 91, "lon": 181, "speed": 102.3, "course": 360, "heading": 511, "second": 63},
        {"lat": 101.5, "lon": -200, "course": 400, "heading": 500},
        {"lat": 91},
        {"lon": 181},
    ],
    ids=["placed", "no fix", "impossible", "no latitude", "no longitude"],
)
def test_p3_no_field_combination_of_a_device_yields_no_alert(mmsi, status, place):
    """P3: a locating device is an alert, whatever else its message says or lacks."""
    report = one(*position(mmsi, status, **place))

    assert report.kind is Kind.ALERT
    assert report.urgency is Urgency.DISTRESS
    assert report.mode is (Mode.TEST if status == 15 else Mode.REAL)
    assert report.sender == report.casualty
    assert report.casualty.mmsi == str(mmsi)
    assert (report.position is None) is bool(place)


def test_p3_an_impossible_place_is_taken_out_and_said_so():
    """P3: the alert stays, the place goes, and a doubt tells why."""
    report = one(*position(SART, 14, lat=101.5))

    assert report.position is None
    assert report.doubts == ("the position stated is not on the Earth",)
    assert report.confidence is Confidence.TENTATIVE


@pytest.mark.parametrize("mmsi", [SART, MOB, EPIRB, SHIP])
@pytest.mark.parametrize("word", ["SART", "MOB", "EPIRB", "AIS"])
def test_p5_a_marked_test_is_visible_and_never_real(mmsi, word):
    """P5: TEST in message 14 is an alert of mode test, by itself and without a place."""
    report = one(*text(mmsi, f"{word} TEST"))

    assert (report.kind, report.mode) == (Kind.ALERT, Mode.TEST)
    assert report.text == f"{word} TEST"


@pytest.mark.parametrize("mmsi", [SART, MOB, EPIRB])
def test_p5_status_15_of_a_device_is_a_test(mmsi):
    report = one(*position(mmsi, 15))

    assert (report.kind, report.mode) == (Kind.ALERT, Mode.TEST)
    assert report.confidence is Confidence.VERIFIED


def test_p5_status_15_of_a_ship_is_nothing_but_undefined():
    """P5: 15 is every ship's default; only a device's 15 is a test."""
    report = one(*position(SHIP, 15))

    assert (report.kind, report.urgency) == (Kind.POSITION, Urgency.ROUTINE)


@pytest.mark.parametrize("mmsi", [SART, MOB, EPIRB, SHIP])
@pytest.mark.parametrize(
    ("word", "nature"),
    [
        ("SART", Nature.UNDESIGNATED),
        ("MOB", Nature.MAN_OVERBOARD),
        ("EPIRB", Nature.BEACON_EMISSION),
        ("AIS", Nature.UNDESIGNATED),
    ],
)
def test_p7_active_words_are_an_alert_by_themselves(mmsi, word, nature):
    """P7: message 14 needs no position report and no device's MMSI; identity goes before word."""
    report = one(*text(mmsi, f"{word} ACTIVE"))
    by_identity = {
        SART: Nature.UNDESIGNATED,
        MOB: Nature.MAN_OVERBOARD,
        EPIRB: Nature.BEACON_EMISSION,
    }

    assert (report.kind, report.mode) == (Kind.ALERT, Mode.REAL)
    assert report.nature is by_identity.get(mmsi, nature)


@pytest.mark.parametrize("length", range(1, 162))
def test_p7_a_safety_text_of_every_length_is_whole(length):
    """P7: no character is lost and none is added, at any length that message 14 can have."""
    words = "".join(random.Random(length).choices(ALPHABET, k=length - 1)) + "!"

    assert one(*text(SHIP, words)).text == words


@pytest.mark.parametrize("length", range(1, 157))
def test_p7_an_addressed_text_of_every_length_is_whole(length):
    words = "".join(random.Random(length).choices(ALPHABET, k=length - 1)) + "!"

    report = one(*encoded(msg_type=12, mmsi=SHIP, dest_mmsi=3_160_001, text=words))

    assert (report.text, report.kind, report.urgency) == (words, Kind.TEXT, Urgency.SAFETY)
    assert report.addressee.mmsi == "003160001"


def test_p7_an_at_sign_inside_a_text_does_not_end_it():
    """P7: padding is cut from the end only; what may follow an `@` may be the point."""
    assert one(*text(SHIP, "CALL OPS@COAST")).text == "CALL OPS@COAST"


@pytest.mark.parametrize(
    ("mmsi", "written", "kind"),
    [
        (3_160_001, "003160001", "coast"),
        (21_123_456, "021123456", "group"),
        (1, "000000001", "coast"),
        (111_232_506, "111232506", "sar_aircraft"),
        (992_111_001, "992111001", "aid_to_navigation"),
    ],
)
def test_p7_leading_zeros_of_an_mmsi_are_kept(mmsi, written, kind):
    report = one(*text(mmsi, "TEXT"))

    assert (report.sender.mmsi, report.sender.mmsi_class) == (written, kind)


@pytest.mark.parametrize(
    "body",
    [
        "!AIVDM,1,1,,A,15RTgt0PAso;90TKcjM8h6g208C\x7f,0",
        "!AIVDM,1,1,,A,15RTgt0PAso;90TKcjM8h6g208X,0",
        "!AIVDM,1,1,,A,15RTgt0PAso;90TKcjM8h6g208 ,0",
        "!AIVDM;1,1,,A,15RTgt0PAso;90TKcjM8h6g208CQ,0",
        "!AIVDM,1,1,A,15RTgt0PAso;90TKcjM8h6g208CQ,0",
        "!AIVDM,1,1,,A,15RTgt0PAso;90TK,cjM8h6g208CQ,0",
        "!AIVDM,1,1,,A,15RTgt0PAso;90TKcjM8h6g208CQ,0,raishub",
        "!AIVDM,1,1,,A,,0",
    ],
)
def test_p23_a_corrupt_sentence_with_a_right_checksum_is_refused_and_kept(body):
    """P23: the checksum is eight bits; the grammar of every field is checked after it."""
    pipeline = station()
    items = say(pipeline, sealed(body)) + wait(pipeline)

    assert not reports(items)
    assert len(refused(items)) == 1


@pytest.mark.parametrize(
    "line",
    [
        "!AIVDM,1,1,,A,>>M;`h1<59B04=@UHD,2*38",
        "!AIVDM,1,1,,A,>>M;`h1<59B04=@UHD,2",
        "!AIVDM,1,1,,A,>>M;`h1<59B04=@UHD,2*",
        "!AIVDM,1,1,,A,>>M;`h1<59B04=@UHD,2*3G",
    ],
)
def test_p23_a_call_for_help_with_a_bad_checksum_is_no_report_but_stands_out(line):
    """P23: it is never believed, and never lost among the noise."""
    items = say(station(), line)

    assert not reports(items)
    assert [item.distress_like for item in refused(items)] == [True]


@pytest.mark.parametrize(
    ("body", "like"),
    [
        (b"AIVDM,1,1,,A,1>M;`h>P03OdRpPPqe`8=?vIP000,0", True),
        (b"AIVDM,1,1,,A,15O8@Tf0?w<tSF0l4Q@>4?wj0000,0", True),
        (b"AIVDM,1,1,,A,>0003rh98t4@", True),
        (b"\\s:x\\!AIVDM,1,1,,A,>0003rh98t4@", True),
        (b"AIVDM,1,1,,A,15RTgt0PAso;90TKcjM8h6g208CQ,0", False),
        (b"AIVDM,1,1,,A,H3KHjI0d4hhD000000000000000,0", False),
        (b"AIVDM,1,1", False),
        (b"AIVDM,1,1,,A,,0", False),
        (b"GPRMC,042504.900,A,4012.1002,N", False),
    ],
)
def test_a_broken_sentence_is_judged_by_what_is_left_of_it(body, like):
    frame = frame_of("!AIVDM,1,1,,A,15RTgt0PAso;90TKcjM8h6g208CQ,0*4A")

    assert Ais().distress_like(structs.replace(frame, body=body)) is like


# ---- Precedence of active over test -------------------------------------------------------------


def test_a_test_after_active_is_told_as_real_until_the_memory_ends():
    """What called for help within the memory is not silenced by the word TEST; later it is."""
    pipeline = station()
    say(pipeline, *position(SART, 14))
    soon = reports(say(pipeline, *text(SART, "SART TEST"), at_ns=ACTIVE_MEMORY_NS))[0]
    late = reports(say(pipeline, *text(SART, "SART TEST"), at_ns=ACTIVE_MEMORY_NS + 1))[0]

    assert (soon.mode, soon.confidence) == (Mode.REAL, Confidence.TENTATIVE)
    assert soon.doubts == ("marked as a test, but the same identity called for help lately",)
    assert (late.mode, late.doubts) == (Mode.TEST, ())


def test_the_memory_of_who_called_for_help_is_a_quarter_of_an_hour():
    assert ACTIVE_MEMORY_NS == 15 * 60 * SECOND_NS


def test_a_ship_with_the_status_of_a_device_is_remembered_as_active_too():
    """Status 14 of an ordinary ship is suspect, and still no test after it is just a test."""
    pipeline = station()
    say(pipeline, *position(SHIP, 14))

    assert reports(say(pipeline, *text(SHIP, "SART TEST")))[0].mode is Mode.REAL


@pytest.mark.parametrize("place", [{"lat": 91}, {"lon": 181}])
def test_half_a_place_is_no_place_and_no_doubt(place):
    """Latitude 91 or longitude 181 alone says "not available" as both do."""
    report = one(*position(SHIP, **place))

    assert (report.position, report.doubts) == (None, ())


def test_another_identity_s_test_stays_a_test():
    pipeline = station()
    say(pipeline, *text(SART, "SART ACTIVE"))

    assert reports(say(pipeline, *text(SART + 1, "SART TEST")))[0].mode is Mode.TEST


def test_what_another_port_heard_is_not_this_port_s_memory():
    pipeline = station("a", "b")
    say(pipeline, *text(SART, "SART ACTIVE"), port="a")

    assert reports(say(pipeline, *text(SART, "SART TEST"), port="b"))[0].mode is Mode.TEST


def test_the_memory_of_active_identities_is_bounded():
    """The identity heard longest ago goes first; each of them was an alert all the same."""
    radio = Ais()
    for mmsi in range(SART, SART + ACTIVE_IDENTITIES_MAX + 10):
        radio.read(frame_of(position(mmsi, 14)[0]))

    assert len(radio._active) == ACTIVE_IDENTITIES_MAX
    assert str(SART) not in radio._active


# ---- Assembly -----------------------------------------------------------------------------------


def names(items):
    return sorted(report.sender.name for report in reports(items))


@pytest.mark.parametrize(
    "other",
    [{"channel": "B"}, {"talker": "BS"}, {"formatter": "VDO"}, {"number": 4}],
    ids=["channel", "talker", "own ship", "identifier"],
)
@pytest.mark.parametrize("order", [(0, 2, 1, 3), (0, 2, 3, 1), (1, 3, 0, 2), (2, 0, 1, 3)])
def test_parts_of_two_messages_never_mix(other, order):
    """Each comes out whole, in whatever order its parts and the other's are heard."""
    parts = static("ALPHA", number=3) + static("BRAVO", **{"number": 3, **other})
    pipeline = station()
    items = say(pipeline, *(parts[place] for place in order)) + wait(pipeline)

    assert names(items) == ["ALPHA", "BRAVO"]
    for report in reports(items):
        assert report.detail.voyage.destination == report.sender.name
    assert not refused(items)


@pytest.mark.parametrize(
    ("tags", "others"),
    [
        (("s:rx1", "s:rx1"), ("s:rx2", "s:rx2")),
        (("g:1-2-77,s:rx1", "g:2-2-77"), ("g:1-2-78,s:rx2", "g:2-2-78")),
        (("g:1-2-77,s:rx1", "g:2-2-77,s:rx1"), ("g:1-2-77,s:rx2", "g:2-2-77,s:rx2")),
        (("s:rx1", "s:rx1"), ("g:1-2-77", "g:2-2-77")),
    ],
    ids=["sources", "groups", "one group name, two sources", "source and group"],
)
def test_parts_of_two_sources_never_mix(tags, others):
    """Two receivers that use one identifier at one time are told apart by their TAG blocks."""
    alpha = [tagged(*pair) for pair in zip(tags, static("ALPHA"), strict=True)]
    bravo = [tagged(*pair) for pair in zip(others, static("BRAVO"), strict=True)]
    pipeline = station()
    items = say(pipeline, alpha[0], bravo[0], alpha[1], bravo[1]) + wait(pipeline)

    assert names(items) == ["ALPHA", "BRAVO"]
    for report in reports(items):
        assert report.detail.voyage.destination == report.sender.name


def test_parts_of_one_group_name_without_a_source_are_not_guessed_at():
    """When two sources use one group name, a part that names neither belongs to nobody."""
    alpha, bravo = static("ALPHA"), static("BRAVO")
    pipeline = station()
    items = say(
        pipeline,
        tagged("g:1-2-77,s:rx1", alpha[0]),
        tagged("g:1-2-77,s:rx2", bravo[0]),
        tagged("g:2-2-77", alpha[1]),
    ) + wait(pipeline)

    assert not reports(items)
    assert len(refused(items)) == 3


def test_parts_on_two_ports_never_mix():
    alpha, bravo = static("ALPHA"), static("BRAVO")
    pipeline = station("a", "b")
    items = [
        item
        for port, line in (("a", alpha[0]), ("b", bravo[0]), ("a", alpha[1]), ("b", bravo[1]))
        for item in say(pipeline, line, port=port)
    ]

    assert names(items) == ["ALPHA", "BRAVO"]


def test_an_identifier_that_comes_round_does_not_join_two_messages():
    """A first part whose second was lost gives way to the next first part of that identifier."""
    alpha, bravo = static("ALPHA"), static("BRAVO")
    pipeline = station()
    items = say(pipeline, alpha[0])
    items += say(pipeline, bravo[0], bravo[1], at_ns=CROSSED_NS + 1)

    assert names(items) == ["BRAVO"]
    assert [item.reason for item in refused(items)] == ["incomplete: part 2 of 2 never came"]
    assert refused(items)[0].raw == (alpha[0],)


@pytest.mark.parametrize("at_ns", [0, CROSSED_NS])
def test_parts_of_two_sources_under_one_name_are_never_put_together(at_ns):
    """A SART under test and one that is active, in parts that cross: whose is whose?"""
    test, active = (
        (
            sealed(f"!AIVDM,2,1,3,A,{payload[:10]},0"),
            sealed(f"!AIVDM,2,2,3,A,{payload[10:]},{fill}"),
        )
        for payload, fill in (
            text_payload(970111111, "SART TEST"),
            text_payload(970222222, "SART ACTIVE"),
        )
    )
    pipeline = station()
    items = say(pipeline, test[0]) + say(pipeline, active[0], test[1], active[1], at_ns=at_ns)
    items += wait(pipeline)

    assert reports(items) == []
    assert [item.distress_like for item in refused(items)] == [True, True, False]
    assert sum(item.span for item in refused(items)) == pipeline.ears["a"].count.bytes_in


@pytest.mark.parametrize("between", [PARTS_APART_MAX - 1, PARTS_APART_MAX])
def test_a_second_part_from_far_behind_belongs_to_another_message(between):
    """Identifiers come round: beyond so many sentences a part finds nobody of its own."""
    alpha, bravo = static("ALPHA"), static("BRAVO")
    pipeline = station()
    others = [position(SHIP, second=at % 60)[0] for at in range(between)]
    items = say(pipeline, alpha[0], *others, bravo[1]) + wait(pipeline)

    joined = [report for report in reports(items) if report.detail.message_type == 5]
    assert len(joined) == (between < PARTS_APART_MAX)
    assert len(refused(items)) == (0 if joined else 2)


def test_parts_of_a_group_may_be_far_apart():
    """The name of a group does not come round as an identifier does."""
    alpha = static("ALPHA")
    pipeline = station()
    others = [position(SHIP, second=at % 60)[0] for at in range(2 * PARTS_APART_MAX)]
    items = say(
        pipeline, tagged("g:1-2-77", alpha[0]), *others, tagged("g:2-2-77", alpha[1])
    ) + wait(pipeline)

    assert "ALPHA" in {report.sender.name for report in reports(items)}
    assert not refused(items)


@pytest.mark.parametrize("between", [WRONG_ORDER_MAX - 1, WRONG_ORDER_MAX])
def test_parts_in_the_wrong_order_must_be_near_each_other(between):
    """A network swaps neighbours; an orphan that waits for longer is not the next one's."""
    alpha = static("ALPHA")
    pipeline = station()
    others = [position(SHIP, second=at % 60)[0] for at in range(between)]
    items = say(pipeline, alpha[1], *others, alpha[0]) + wait(pipeline)

    joined = [report for report in reports(items) if report.detail.message_type == 5]
    assert [report.doubts for report in joined] == (
        [("its parts came in the wrong order",)] if between < WRONG_ORDER_MAX else []
    )
    assert len(refused(items)) == (0 if joined else 2)


def test_parts_without_an_identifier_are_joined_with_a_doubt():
    alpha = [
        sealed(re.sub(r"\*..$", "", line).replace(",0,A,", ",,A,", 1)) for line in static("ALPHA")
    ]
    report = one(*alpha)

    assert report.sender.name == "ALPHA"
    assert report.confidence is Confidence.TENTATIVE
    assert report.doubts == ("its parts were joined without a message identifier",)


def test_a_part_heard_twice_is_kept_and_changes_nothing():
    alpha = static("ALPHA")
    pipeline = station()
    items = say(pipeline, alpha[0], alpha[0], alpha[1]) + wait(pipeline)

    assert names(items) == ["ALPHA"]
    assert [item.reason for item in refused(items)] == ["part 1 of 2 was heard twice"]


def test_a_part_that_never_comes_is_missed_in_time_by_the_clock_and_by_the_next_message():
    """Not before the window ends; then at the tick, or when the next part is heard."""
    for late in (
        wait,
        lambda pipeline, at_ns: say(
            pipeline, static("BRAVO", number=1 + at_ns % 2)[0], at_ns=at_ns
        ),
    ):
        pipeline = station()
        say(pipeline, static("ALPHA")[0])

        assert not late(pipeline, PARTS_WINDOW_NS)
        assert [item.reason for item in refused(late(pipeline, PARTS_WINDOW_NS + 1))] == [
            "incomplete: part 2 of 2 never came"
        ]


def test_a_second_part_after_the_window_is_an_orphan():
    alpha = static("ALPHA")
    pipeline = station()
    say(pipeline, alpha[0])
    items = say(pipeline, alpha[1], at_ns=PARTS_WINDOW_NS + 1) + wait(pipeline)

    assert [item.reason for item in refused(items)] == [
        "incomplete: part 2 of 2 never came",
        "incomplete: part 1 of 2 never came",
    ]


def test_messages_that_wait_for_a_part_are_bounded():
    """The one that waits longest gives way, and is kept; nothing is lost in silence."""
    pipeline = station()
    heard = OPEN_MESSAGES_MAX + 30
    items = [
        item
        for at in range(heard)
        for item in say(
            pipeline,
            tagged(f"s:rx{at}", sealed("!AIVDM,9,1,3,A,539p4OT00000@7W3K@08ThiL,0").decode()),
        )
    ]

    assert len(pipeline.ears["a"].radios[0]._assembly) == OPEN_MESSAGES_MAX
    assert len(refused(items)) == 30
    assert len(refused(wait(pipeline))) == OPEN_MESSAGES_MAX


@pytest.mark.parametrize(
    ("words", "like"), [("A" * 80, True), ("", False)], ids=["safety text", "static"]
)
def test_an_incomplete_call_for_help_stands_out(words, like):
    parts = text(SHIP, words) if words else static("ALPHA")
    pipeline = station()
    say(pipeline, parts[0])

    assert [item.distress_like for item in refused(wait(pipeline))] == [like]


def test_the_same_transmission_through_two_receivers_is_a_copy():
    """Channel, talker, identifier and TAG block are the receiver's words, not the sender's."""
    pipeline = station("a", "b")
    say(pipeline, *static("ALPHA", number=1), port="a")
    items = say(pipeline, *static("ALPHA", number=8, talker="BS", channel="B"), port="b")

    assert [item.sighting.relation for item in items] == [Relation.COPY]


def test_a_report_keeps_all_its_sentences_in_the_order_heard():
    lines = text(SHIP, "A" * 150)

    assert one(*lines).raw == tuple(lines)


# ---- Bad input ----------------------------------------------------------------------------------

REFUSED = {
    "sequence id out of range": ["!AIVDM,2,1,10,A,55?MbV02;H;s<HtKR20EHE:0@T4@Dn2,0"],
    "sequence id no number": ["!AIVDM,2,1,x,A,55?MbV02;H;s<HtKR20EHE:0@T4@Dn2,0"],
    "nought of nought": ["!AIVDM,0,0,,A,15RTgt0PAso;90TKcjM8h6g208CQ,0"],
    "ninth of two": ["!AIVDM,2,9,1,A,15RTgt0PAso;90TKcjM8h6g208CQ,0"],
    "ten parts": ["!AIVDM,10,1,1,A,15RTgt0PAso;90TKcjM8h6g208CQ,0"],
    **{
        f"fill bits {fill or 'missing'}": [f"!AIVDM,1,1,,A,15RTgt0PAso;90TKcjM8h6g208CQ,{fill}"]
        for fill in ("6", "7", "8", "9", "", "-1", "00")
    },
    "no fill bits field": ["!AIVDM,1,1,,A,15RTgt0PAso;90TKcjM8h6g208CQ"],
    **{
        f"payload with {char!r}": [f"!AIVDM,1,1,,A,15RTgt0PAso;{char}0TKcjM8h6g208CQ,0"]
        for char in ("X", "Y", "Z", "[", "_", "x", "/", "%", " ")
    },
    "two letters of channel": ["!AIVDM,1,1,,AB,15RTgt0PAso;90TKcjM8h6g208CQ,0"],
    "no payload": ["!AIVDM,1,1,,A,,0"],
    "one character": ["!AIVDM,1,1,,A,1,0"],
    "type 5 too short": ["!AIVDM,1,1,,A,55?MbV02;H;s<HtKR20EHE:0@T4@Dn222222,0"],
    "type 6 with a body too short": ["!AIVDM,1,1,,A,601uEODhrspP0,4"],
    "type 8 with a body too short": ["!AIVDM,1,1,,A,86:hqAh0,0"],
    "type 0": ["!AIVDM,1,1,,B,0S9edj0P03PecbBN`ja@0?w42cFC,0"],
    "type 28": ["!AIVDO,1,1,,A,L1mg=5@@G:uk?S:I0@ph>A5E>L@1,0"],
    "type 63": ["!AIVDM,1,1,,A,w5RTgt0PAso;90TKcjM8h6g208CQ,0"],
    "message 24 part C": ["!AIVDM,1,1,,A,H4`:mH<t00000000J34Gq0073H@@0,0"],
    "longer than nine sentences": [f"!AIVDM,1,1,,A,1{'0' * PAYLOAD_CHARS_MAX},0"],
    "longer than nine sentences in parts": [
        f"!AIVDM,2,{at},1,A,1{'0' * (PAYLOAD_CHARS_MAX // 2)},0" for at in (1, 2)
    ],
    "first part with nothing in it": ["!AIVDM,2,1,1,A,,0"],
    "nine parts of which one comes": ["!AIVDM,9,1,1,A,55?MbV02;H;s<HtKR20EHE:0@T4@Dn2,0"],
}
"""Whole sentences, their checksum right, that no report may be made of."""

HARMLESS = {
    "empty sequence id": static("ALPHA"),
    "second part with an empty payload": [
        "!AIVDM,2,1,1,A,15RTgt0PAso;90TKcjM8h6g208CQ,0",
        "!AIVDM,2,2,1,A,,0",
    ],
    "type 6 of one bit": ["!AIVDM,1,1,,A,601uEODhrspP04<100,4"],
    "type 8 of seven bits": ["!AIVDM,1,1,,A,86:hqAh0J010,0"],
    "type 15 full of ones": ["!AIVDM,1,1,,A,?wwwwwrwwwwwwwwwrwwwwwwwwww,3"],
    "type 6 for nobody": ["!AIVDM,1,1,,A,65E4;r5I0Q9R04D0@01000000000,0"],
    "longer than 82 characters": [f"!AIVDM,1,1,,A,>{'5' * 150},0"],
}
"""Whole sentences that are odd, and may become a report."""

BROKEN = {
    "one megabyte": b"!AIVDM,1,1,,A," + b"0" * 10**6 + b",0*00",
    "checksum absent": b"!AIVDM,1,1,,A,15RTgt0PAso;90TKcjM8h6g208CQ,0",
    "checksum wrong": b"!AIVDM,1,1,,A,15RTgt0PAso;90TKcjM8h6g208CQ,0*4B",
    "NUL": sealed("!AIVDM,1,1,,A,15RTgt0PAso;\x0090TKcjM8h6g208CQ,0"),
    "0xFF": sealed("!AIVDM,1,1,,A,15RTgt0PAso;\xff90TKcjM8h6g208CQ,0"),
    "UTF-8": sealed("!AIVDM,1,1,,A,15RTgt0PAso;é,0".encode()),
    "of another maker": sealed("$RAWPL,5200.00,N,0600.00,E,000000000000000000000HELLOWORLD"),
    "format string": sealed("$PGRMT,%n%s%x"),
}
"""What the framing stops, or nobody reads."""


@pytest.mark.parametrize("lines", REFUSED.values(), ids=REFUSED)
def test_bad_input_is_refused_and_kept(lines):
    """Every sentence of it can be found among the refused, whole; no decoder fails."""
    pipeline = station()
    sent = [sealed(line).decode("latin-1") for line in lines]
    items = say(pipeline, *sent) + wait(pipeline)

    assert not reports(items)
    assert sorted(raw for item in refused(items) for raw in item.raw) == sorted(sent)
    assert all(item.reason for item in refused(items))
    assert pipeline.ears["a"].count.decoder_errors == 0


@pytest.mark.parametrize("lines", HARMLESS.values(), ids=HARMLESS)
def test_odd_input_is_harmless(lines):
    """It becomes one report or is refused, and no decoder fails."""
    pipeline = station()
    items = say(pipeline, *(sealed(line.partition("*")[0]) for line in lines)) + wait(pipeline)

    assert len(items) == 1
    assert pipeline.ears["a"].count.decoder_errors == 0


@pytest.mark.parametrize("line", BROKEN.values(), ids=BROKEN)
def test_broken_input_is_no_report(line):
    pipeline = station()
    items = say(pipeline, line, position(SHIP)[0]) + wait(pipeline)

    assert [report.sender.mmsi for report in reports(items)] == [str(SHIP)]
    assert refused(items)
    assert pipeline.ears["a"].count.decoder_errors == 0


def test_a_tag_block_without_end_is_refused_and_its_sentence_stands_by_itself():
    """The sentence proves itself by its own checksum; who heard it is not known."""
    items = say(station(), rb"\s:x,c:1*00!AIVDM,1,1,,A,15RTgt0PAso;90TKcjM8h6g208CQ,0*4A")

    assert [report.heard.receiver for report in reports(items)] == [None]
    assert len(refused(items)) == 1


def test_an_address_that_no_framing_lets_through_is_refused_all_the_same():
    frame = frame_of("!AIVDM,1,1,,A,15RTgt0PAso;90TKcjM8h6g208CQ,0*4A")
    bent = structs.replace(frame, body=frame.body.replace(b"AIVDM", b"a!VDM"))

    assert Ais().read(bent) == (Unread((bent,), "the address a!VDM can't be read"),)


def test_glued_sentences_are_two_messages():
    items = say(station(), position(SHIP)[0] + position(SHIP + 1)[0])

    assert [report.sender.mmsi for report in reports(items)] == [str(SHIP), str(SHIP + 1)]


def test_a_checksum_in_lower_case_is_the_same_checksum():
    line = "!AIVDM,1,1,,A,15RTgt0PAso;90TKcjM8h6g208CQ,0*4a"

    assert one(line).sender.mmsi == "371798000"


@pytest.mark.parametrize("lines", [*REFUSED.values(), *HARMLESS.values()])
def test_bad_input_is_dealt_with_at_once(lines):
    """No sentence takes longer than 5 ms, so that none can hold up a call for help."""
    sent = [sealed(line.partition("*")[0]) for line in lines]
    fastest_s = 1.0
    for _ in range(3):
        pipeline = station()
        begun_s = time.perf_counter()
        say(pipeline, *sent)
        fastest_s = min(fastest_s, time.perf_counter() - begun_s)

    assert fastest_s / len(sent) <= REFUSAL_S_MAX


def test_parts_that_are_never_completed_hold_nothing():
    """Thousands of them leave no more than the bound behind, and each comes out as refused."""
    pipeline = station()
    heard = 5_000
    items = [
        item
        for at in range(heard)
        for item in say(
            pipeline,
            sealed(f"!AIVDM,9,1,{at % 10},A,5{at:06d}0000,0"),
            at_ns=at * 10**6,
        )
    ]

    assert len(refused(items)) + len(pipeline.ears["a"].radios[0]._assembly) == heard
    assert pipeline.ears["a"].count.decoder_errors == 0


# ---- The door -----------------------------------------------------------------------------------


def test_another_language_is_not_read():
    """What isn't VDM or VDO is left for another radio system."""
    for line in ("$GPZDA,130711,01,06,2011,01,00*49", "$AIVSI,1,2,3*00", "$PFEC,AIcmd,0*00"):
        assert Ais().read(frame_of(line)) is None


def test_a_reading_of_another_radio_system_is_a_fault_of_ours():
    frame = frame_of(position(SHIP)[0])

    with pytest.raises(TypeError):
        Ais().report(Reading(frames=(frame,), system="dsc", said=Detail(), content=b"00"))


@pytest.mark.parametrize("talker", ["AI", "BS", "AB", "SA", "AN", "AR", "SS", "BY", "AX", "X1"])
@pytest.mark.parametrize("formatter", ["VDM", "VDO"])
def test_any_talker_is_heard(talker, formatter):
    """Own ship is told from the others by VDO, whoever says it."""
    report = one(*encoded(msg_type=18, mmsi=SHIP, talker=talker, formatter=formatter))

    assert report.sender.mmsi == str(SHIP)
    assert report.detail.own_ship is (formatter == "VDO")


@pytest.mark.parametrize(
    ("channel", "expected"),
    [
        ("A", ("AIS1", 161_975_000)),
        ("1", ("AIS1", 161_975_000)),
        ("B", ("AIS2", 162_025_000)),
        ("2", ("AIS2", 162_025_000)),
        ("0", (None, None)),
        ("", (None, None)),
    ],
)
def test_the_channel_has_its_frequency(channel, expected):
    report = one(sealed(f"!AIVDM,1,1,,{channel},15RTgt0PAso;90TKcjM8h6g208CQ,0"))

    assert (report.heard.channel, report.heard.freq_hz) == expected


@pytest.mark.parametrize(
    ("code", "word"),
    [
        (0, None),
        (10, None),
        (20, "wing in ground craft"),
        (36, "sailing vessel"),
        (39, None),
        (60, "passenger ship"),
        (64, "passenger ship, hazard category OS"),
        (69, "passenger ship"),
        (84, "tanker, hazard category OS"),
        (99, "other type of ship"),
        (100, None),
        (255, None),
    ],
)
def test_types_of_ship_have_the_standard_s_words(code, word):
    assert ship_type(code) == word


def test_unread_is_kept_by_the_door_with_its_frames():
    """What is cut short at the radio's door carries the frame and a reason in words."""
    frame = frame_of(sealed("!AIVDM,1,1,,A,13oP50Oi420,0").decode())

    assert Ais().read(frame) == (Unread((frame,), "message 1 of 66 bits is cut short"),)


def test_the_radio_is_found_by_its_name():
    assert (RADIO, RADIO.name) == (Ais, "ais")
