"""The file of an agreement: read whole, and every fault in it told with its line and a remedy."""

from __future__ import annotations

import re
import tomllib

import pytest

from gateway import cli
from gateway.model.agreement import Basis, State
from gateway.rules.digest import canonical, digest_of
from gateway.settings import BadSettings
from gateway.settings.agreement import PARTS_MAX, agreement_names, read_agreement

GOOD = """\
id = "strait"
version = "2026.1"
title = "Watch in the strait"
basis = ["ITU Radio Regulations"]

[status]
state = "in_force"
since = 2026-01-01T00:00:00Z
on_suspend_keep = ["G01"]

[parties]
ships = { name = "Any ship", roles = ["ship"], match = { mmsi = ["[2-7]########"] } }

[parties.station]
name = "This station"
roles = ["coast_station"]
match = { mmsi = ["002320000"] }

[channels]
vhf70 = { hz = 156_525_000, mode = "dsc", purpose = ["calling"], traffic = "vhf16" }
vhf16 = { hz = 156_800_000, mode = "g3e" }
beacons = { band_hz = [406_000_000, 406_100_000], receive_only = true, watched_by = "satellites" }
hotline = { endpoint = "hotline/alpha-bravo" }

[groups]
all = ["vhf70", "vhf16"]

[zones.area]
points = [[32.3, 35.6], [37.3, 35.6], [37.3, 42.4]]
ceiling_m = 9000.0

[rules]
G01 = { kind = "distress_override", source = "RR 30", basis = "confirmed" }

[rules.G09]
kind = "ack_deadline"
words = "A call is acknowledged at once."
who = ["coast_station"]
when = { type = ["distress_alert"], system = ["dsc"] }
source = "ITU-R M.541"
basis = "secondary"

[rules.G09.per_band]
vhf = { max_s = 60 }
mf = { min_s = 60, max_s = 165 }
"""


@pytest.fixture
def write(tmp_path):
    def written(text):
        path = tmp_path / "strait.toml"
        path.write_text(text)
        return path

    return written


def faults(path):
    with pytest.raises(BadSettings) as bad:
        read_agreement(path)
    return [str(fault).removeprefix(f"{path.parent}/") for fault in bad.value.faults]


def test_a_good_file_says_what_it_says(write):
    found = read_agreement(write(GOOD))

    assert (found.id, found.status.state, found.status.on_suspend_keep) == (
        "strait",
        State.IN_FORCE,
        ("G01",),
    )
    assert [(rule.id, rule.kind, rule.basis) for rule in found.rules] == [
        ("G01", "distress_override", Basis.CONFIRMED),
        ("G09", "ack_deadline", Basis.SECONDARY),
    ]
    terms = found.rules[1].terms
    assert (terms.per_band["mf"].min_s, terms.when.system) == (60, ("dsc",))
    assert found.channels["beacons"].band_hz == (406_000_000, 406_100_000)


LATE = """\
[rules.W]
kind = "watch"
channels = ["vhf70"]
who = ["station"]
hours = ["06:00-22:00", "00:00-24:00"]
source = "a test"
basis = "design"

[rules.G09]"""


@pytest.mark.parametrize(
    ("text", "instead", "fault"),
    [
        ('id = "strait"', 'id = "The Strait"', "1: id: must be 1 to 64 of the characters a-z"),
        ('title = "Watch in the strait"\n', "", "title: is missing"),
        ('state = "in_force"', 'state = "inforce"', '7: status.state: must be one of "proposed"'),
        ('keep = ["G01"]', 'keep = ["G1"]', '9: status.on_suspend_keep: "G1" is none of the rules'),
        ("traffic =", "trafic =", "channels.vhf70.trafic: unknown key; did you mean `traffic`?"),
        ('"vhf16"]', '"vhf17"]', '"vhf17" is none of the channels of this agreement; did you mean'),
        ('traffic = "vhf16"', 'traffic = "ch16"', '"ch16" is none of the channels'),
        ("156_525_000", '"156.525"', "channels.vhf70.hz: must be a whole number from 1 to"),
        ('kind = "ack_deadline"', 'kind = "ack_dedline"', "is no kind of rule; did you mean"),
        ('kind = "ack_deadline"\n', "", "rules.G09.kind: is missing"),
        ('who = ["coast_station"]\n', "", "rules.G09.who: is missing"),
        ('["coast_station"]\nwhen', '["coaststation"]\nwhen', "did you mean `coast_station`?"),
        (
            'when = { type = ["distress_alert"]',
            'when = { type = ["distres"]',
            "rules.G09.when.type",
        ),
        ("when = {", "wenn = {", "rules.G09.wenn: unknown key; did you mean `when`?"),
        ("vhf = { max_s = 60 }", "vhf = { max_s = -1 }", "rules.G09.per_band"),
        ('source = "RR 30", ', "", "rules.G01.source: is missing"),
        ('"confirmed"', '"sure"', 'rules.G01.basis: must be one of "confirmed"'),
        ("002320000", "2320000", "parties.station.match.mmsi"),
        ("002320000", "[7-2]02320000", "match.mmsi: entry 1 must be nine places: a digit, # for"),
        ("002320000", "[2-]02320000", "match.mmsi: entry 1 must be nine places"),
        ("[37.3, 42.4]", "[37.3]", "zones.area.points: entry 3 must be a latitude"),
        ("[37.3, 42.4]", "[42.4, 137.3], [137.3, 42.4]", "entry 4 must be a latitude from -90 to"),
        ("[37.3, 42.4]", "[37.3, 242.4]", "and a longitude from -180 to 180: latitude first; it"),
        ("[37.3, 42.4]", "[nan, 42.4]", "zones.area.points: entry 3 must be a latitude"),
        ('who = ["coast', 'channels = [70]\nwho = ["coast', "channels: entry 1 must be the name"),
        ("[rules.G09]", LATE, "rules.W.hours: entry 2 must be from when until when in UTC, as"),
        (
            "[rules.G09]",
            LATE,
            "midnight is 00:00, and for the whole day the key is left out; it is",
        ),
        ('all = ["vhf70", "vhf16"]', 'all = "vhf70"', "groups.all: must be a list of names"),
    ],
)
def test_a_fault_is_told_with_its_line_and_a_remedy(write, text, instead, fault):
    assert text in GOOD
    found = faults(write(GOOD.replace(text, instead, 1)))

    assert any(fault in one for one in found), "\n".join(found)
    assert all(re.match(r"strait\.toml:\d*:? ", one) and "; " in one for one in found)


def test_every_fault_is_told_at_once_and_each_once(write):
    text = (
        GOOD.replace("hz = 156_525_000", "hz = 0").replace('"RR 30"', "30").replace("who", "whom")
    )
    found = faults(write(text))

    assert len(found) == len(set(found)) >= 4


def test_a_file_made_by_mistake_is_refused(write):
    rule = 'kind = "distress_override", source = "x", basis = "design"'
    rules = "\n".join(f"R{number} = {{ {rule} }}" for number in range(PARTS_MAX + 1))
    text = GOOD.replace(
        'G01 = { kind = "distress_override"', rules + '\nG01 = { kind = "distress_override"'
    )

    assert any("rules: has more than 512" in one for one in faults(write(text)))


# ---- The digest ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "instead", "is_same"),
    [
        ("[parties]", "# who\n[parties]", True),
        ('state = "in_force"', 'state = "suspended"', True),
        ("since = 2026-01-01T00:00:00Z", "since = 2026-02-01T00:00:00Z", True),
        ('keep = ["G01"]', "keep = []", False),
        ("max_s = 165", "max_s = 166", False),
        ("156_525_000", "156525000", True),
        ('"Any ship"', '"any ship"', False),
        ('words = "A call', 'words = "Any call', False),
    ],
)
def test_the_digest_is_of_what_is_agreed_and_not_of_how_it_is_written(
    write, text, instead, is_same
):
    assert text in GOOD
    one, other = (read_agreement(write(version)) for version in (GOOD, GOOD.replace(text, instead)))

    assert (one.digest == other.digest) == is_same


def test_the_order_of_the_tables_does_not_count():
    one = tomllib.loads("a = 1\nb = 2\n[status]\nstate = 'x'")
    other = tomllib.loads("b = 2\na = 1\n[status]\nstate = 'y'")

    assert digest_of(one) == digest_of(other)
    assert canonical(one) == b'{"a":1,"b":2,"status":{}}'


def test_which_party_a_station_is_stands_in_no_text_that_parties_sign(write):
    """Each of them has a station of its own: a text that is true of one is false of the other."""
    before = GOOD.replace('name = "This station"\n', 'name = "This station"\nown = true\n')
    (fault,) = faults(write(before))

    assert fault == (
        "strait.toml:16: parties.station.own: is of no text that parties sign: the station says"
        " which of them it is; take it out, and write [station.party] with"
        ' strait = "station" in gateway.toml'
    )


# ---- The verb ------------------------------------------------------------------------------------


def test_an_agreement_is_shown_in_words(write, capsys):
    assert cli.main(["agreement", "show", str(write(GOOD))]) == 0

    printed = capsys.readouterr().out
    assert "strait, version 2026.1, in force since 2026-01-01 00:00Z" in printed
    assert "156.525 MHz, dsc, for calling, then vhf16" in printed
    assert "406 MHz to 406.1 MHz, nobody transmits, watched by satellites" in printed
    assert "G01  distress override, also while suspended" in printed
    assert "    per band: vhf: max s 60; mf: min s 60, max s 165" in printed
    assert "    [told by who has read it] ITU-R M.541" in printed


def test_what_makes_no_sense_is_told_by_check(write, capsys):
    assert cli.main(["agreement", "check", str(write(GOOD))]) == 0
    assert capsys.readouterr().out == "strait 2026.1: 2 rules, good\n"

    odd = write(GOOD.replace("min_s = 60", "min_s = 165"))
    assert cli.main(["agreement", "check", str(odd)]) == 1
    assert "G09: on mf the latest time is not after the earliest" in capsys.readouterr().out

    odd = write(GOOD.replace('system = ["dsc"]', 'system = ["dsc", "dcs"]'))
    assert cli.main(["agreement", "check", str(odd)]) == 1
    assert "    G09: `dcs` is no radio system; there are: ais, " in capsys.readouterr().out

    unheard = write(GOOD.replace('"calling"', '"distress"'))
    assert cli.main(["agreement", "check", str(unheard)]) == 0
    assert capsys.readouterr().out == (
        "strait 2026.1: 2 rules, good, 1 gap in who listens\n"
        "    channel vhf70: is for distress, and nobody has to listen there: "
        "give it a `watch`, or say in `watched_by` who does\n"
    )


def test_a_desk_reads_an_agreement_as_the_party_that_it_is_told(write, capsys):
    path = str(write(GOOD))
    assert cli.main(["agreement", "show", "--party", "station", path]) == 0
    told = capsys.readouterr().out
    assert cli.main(["agreement", "show", path]) == 0
    of_nobody = capsys.readouterr().out

    assert "    station  This station; this station; coast_station" in told
    assert told.replace("; this station", "") == of_nobody

    assert cli.main(["agreement", "check", "--party", "station", path]) == 0
    assert capsys.readouterr().out == "strait 2026.1, as party station: 2 rules, good\n"
    assert cli.main(["agreement", "check", "--party", "ship", path]) == cli.MISUSED
    fault = '--party: "ship" is no party of agreement strait; did you mean `ships`?'
    assert fault in capsys.readouterr().err


def test_a_desk_at_a_station_reads_it_as_the_party_that_the_station_is(
    write, tmp_path, monkeypatch, capsys
):
    config = tmp_path / "gateway.toml"
    monkeypatch.setenv("DISTRESS_GATEWAY_CONFIG", str(config))
    path = str(write(GOOD))

    def answer(*more):
        cli.main(["agreement", "check", *more, path])
        told = capsys.readouterr()
        return (told.out or told.err).strip()

    assert answer() == "strait 2026.1: 2 rules, good"
    config.write_text('[station.party]\nstrait = "station"\n')
    assert answer() == "strait 2026.1, as party station: 2 rules, good"
    assert answer("--party", "ships") == "strait 2026.1, as party ships: 2 rules, good"
    config.write_text('[station.party]\nstrait = "statoin"\n')
    assert "gateway.toml:2: station.party.strait: " in answer()
    config.write_text("[station.party]\nstrait = 1\n")
    assert "station.party: must be for each agreement" in answer()
    config.write_text('[station.party]\nother = "station"\n')
    assert answer() == "strait 2026.1: 2 rules, good"


def test_what_is_no_agreement_is_said_so_with_its_name(tmp_path, capsys):
    assert cli.main(["agreement", "show", str(tmp_path / "none.toml")]) == cli.MISUSED
    assert "none.toml: no such file" in capsys.readouterr().err


def test_those_that_come_with_the_gateway_are_listed(capsys):
    assert cli.main(["agreement", "list"]) == 0
    lines = capsys.readouterr().out.splitlines()

    assert [line.split()[0] for line in lines] == agreement_names()
    assert "gmdss-coast-station" in lines[3]
