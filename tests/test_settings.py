"""The configuration: what is good loads whole, what is not is told, all of it, with its line."""

import contextlib
import re
import tempfile
import tomllib
from pathlib import Path

import msgspec
import pytest
import trustme
from hypothesis import given
from hypothesis import settings as settings_of_test
from hypothesis import strategies as st

from gateway import settings
from gateway.correlate.register import Register
from gateway.model.place import Identity
from gateway.model.plan import (
    HealthPlan,
    JournalPlan,
    LinkPlan,
    LogPlan,
    PortPlan,
    Profile,
    RecordPlan,
    TlsPlan,
)
from gateway.settings.lines import key_lines, nearest_line
from gateway.settings.register import read_register
from gateway.settings.tables import FILE_BYTES_MAX

ROOT = Path(__file__).parents[1]
SHIPPED = ROOT / "config/gateway.toml"

GOOD = """
[station]
name = "cape-light"

[port.vhf]
device = "/dev/ttyS0"
modem = "generic-dsc"

[link.local]
host = "localhost"
"""


@pytest.fixture
def write(tmp_path):
    """Return a writer of the station's file."""

    def written(text: str, name: str = "gateway.toml") -> Path:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    return written


def faults(path: Path) -> list[str]:
    """Return every fault, without the folder in front."""
    with pytest.raises(settings.BadSettings) as bad:
        settings.load(path)
    assert str(bad.value).splitlines() == [str(fault) for fault in bad.value.faults]
    return [str(fault).removeprefix(f"{path.parent}/") for fault in bad.value.faults]


# ---- What is good -------------------------------------------------------------------------------


def test_the_smallest_configuration_gets_every_default(write):
    plan = settings.load(write(GOOD))

    assert plan.station == "cape-light"
    assert [(port.name, port.device, port.modem) for port in plan.ports] == [
        ("vhf", "/dev/ttyS0", "generic-dsc")
    ]
    assert plan.ports[0].profile.radio == ("dsc",)
    assert plan.links == (
        LinkPlan(
            name="local",
            host="localhost",
            port=1883,
            client_id="distress-gateway-cape-light-local",
        ),
    )
    assert plan.journal == JournalPlan(path="/var/lib/distress-gateway/journal.db")
    assert plan.record is None
    assert plan.health == HealthPlan()
    assert plan.log == LogPlan()


def test_the_shipped_configuration_is_good():
    assert settings.load(SHIPPED).station == "my-station"


@pytest.mark.parametrize(
    ("struct", "apart"),
    [
        (PortPlan, {"name", "profile", "played"}),
        (LinkPlan, {"name", "tls"}),
        (TlsPlan, set()),
        (JournalPlan, set()),
        (RecordPlan, set()),
        (HealthPlan, set()),
        (LogPlan, set()),
    ],
)
def test_the_shipped_configuration_shows_every_key_with_its_default(struct, apart):
    text = SHIPPED.read_text("utf-8")

    for field in msgspec.structs.fields(struct):
        if field.name in apart:
            continue
        shown = [
            line.lstrip("# ")
            for line in text.splitlines()
            if line.lstrip("# ").startswith(f"{field.name} =")
        ]
        assert shown, field.name
        if field.default not in (msgspec.NODEFAULT, None):
            default = msgspec.json.decode(msgspec.json.encode(field.default))
            assert tomllib.loads(shown[0])[field.name] == default


def test_with_every_key_uncommented_the_shipped_configuration_is_still_toml():
    key_or_table = re.compile(r"# ([a-z_]+ = .*|\[[a-z.]+\])$")
    lines = [key_or_table.sub(r"\1", line) for line in SHIPPED.read_text("utf-8").splitlines()]
    whole = tomllib.loads("\n".join(lines))

    assert set(whole) == {
        *("station", "port", "link", "journal", "record", "transmit", "health", "log"),
    }
    assert set(whole["link"]["local"]["tls"]) == {"ca_file", "cert_file", "key_file"}


def test_the_configuration_in_force_loads_to_the_same_plan(write, tmp_path):
    (tmp_path / "secret").write_text("hunter2\n")
    plan = settings.load(
        write(
            GOOD
            + 'receipts = "rcc-1"\n'
            + 'payload = "msgpack"\nusername = "gate\\"way\\u0041"\npassword_file = "secret"\n'
            + '[record]\ndirectory = "tapes"\n[port.b]\ndevice = "tape:old.tape"\n'
            + 'modem = "generic-nmea"\n'
        )
    )

    assert settings.load(write(settings.effective(plan), "again.toml")) == plan


def test_a_port_says_what_its_receiver_is_tuned_to(write):
    tuned = GOOD.replace(
        'modem = "generic-dsc"\n', 'modem = "generic-dsc"\nfreq_hz = 156_525_000\n'
    )
    plan = settings.load(write(tuned))

    assert plan.ports[0].profile.freq_hz == plan.ports[0].freq_hz == 156_525_000
    assert settings.load(write(GOOD)).ports[0].profile.freq_hz is None
    assert settings.load(write(settings.effective(plan), "again.toml")) == plan
    with pytest.raises(settings.BadSettings, match="freq_hz: must be a whole number from 1"):
        settings.load(write(tuned.replace("156_525_000", "0")))


def test_the_register_is_read_and_each_name_leads_to_what_the_craft_carries(write):
    write(
        '[craft.a]\nname = "A"\nmmsi = "244123456"\nbeacons = ["ADCD00800404040"]\n'
        'devices = ["970111234"]\nparty = "alpha"\n'
        '[craft.b]\ntail = "N1"\nicao24 = "A39657"\n',
        "registry.toml",
    )
    text = GOOD.replace("[station]\n", '[station]\nregister = "registry.toml"\n')
    plan = settings.load(write(text))
    register = Register(plan.register)
    carried = register.carried

    assert carried("mmsi:244123456") == ("beacon:ADCD00800404040", "mmsi:970111234")
    assert carried("mmsi:970111234") == ("mmsi:244123456", "beacon:ADCD00800404040")
    assert carried("beacon:ADCD0080040404011111111")[0] == "mmsi:244123456"
    assert carried("icao24:A39657") == ("tail:N1",)
    assert carried("mmsi:244000000") == ()
    assert register.party_of(Identity(callsign="X", mmsi="970111234")) == "alpha"
    assert register.party_of(Identity(beacon_hex="ADCD0080040404011111111")) == "alpha"
    assert register.party_of(Identity(icao24="A39657")) is None
    assert settings.load(write(settings.effective(plan), "again.toml")) == plan


COAST = """\
id = "coast"
version = "1"
title = "A watch"
[parties.ships]
name = "Any ship"
[channels.vhf70]
hz = 156_525_000
[rules.G01]
kind = "distress_override"
source = "RR 30"
basis = "design"
"""


def bound(*names):
    listed = ", ".join(f'"{name}"' for name in names)
    return GOOD.replace("[station]\n", f"[station]\nagreements = [{listed}]\n")


def test_agreements_are_read_from_beside_the_stations_file(write):
    write(COAST, "coast.toml")
    plan = settings.load(write(bound("coast.toml")))

    assert [(one.id, len(one.rules)) for one in plan.agreements] == [("coast", 1)]
    assert settings.load(write(settings.effective(plan), "again.toml")) == plan


def sided(party):
    return bound("coast.toml").replace("[port.", f"[station.party]\n{party}\n[port.", 1)


def test_both_parties_are_right_about_themselves_under_one_digest(write):
    """What parties sign is one text: which of them a station is says its own file."""
    write(
        COAST.replace("[channels", '[parties.coast]\nname = "A station"\n[channels'), "coast.toml"
    )
    plans = [settings.load(write(sided(f'coast = "{name}"'))) for name in ("ships", "coast")]
    one, other = (plan.agreements[0] for plan in plans)

    assert (one.own, other.own) == ("ships", "coast")
    assert one.digest == other.digest
    assert settings.load(write(settings.effective(plans[1]), "again.toml")) == plans[1]


@pytest.mark.parametrize(
    ("party", "key", "what"),
    [
        (
            'coast = "shisp"',
            ".coast",
            '"shisp" is no party of agreement coast; did you mean `ships`',
        ),
        ('coat = "ships"', ".coat", "is no agreement of this station; did you mean `coast`?"),
        ('far-away = "ships"', ".far-away", "is no agreement of this station; there are: coast"),
        ("coast = 1", "", "must be for each agreement, by its id, the party that this station is"),
    ],
)
def test_a_station_can_only_be_a_party_of_what_binds_it(write, party, key, what):
    write(COAST, "coast.toml")
    config = write(sided(party))
    with pytest.raises(settings.BadSettings) as bad:
        settings.load(config)

    line = config.read_text().splitlines().index("[station.party]") + 1
    (fault,) = map(str, bad.value.faults)
    assert f"gateway.toml:{line + bool(key)}: station.party{key}: {what}" in fault


def test_on_watch_a_party_that_there_is_none_of_keeps_nobody_from_listening(write):
    """The other party may have sent a text in which the names are others."""
    write(COAST, "coast.toml")
    plan = settings.load(write(sided('coast = "navy"')), on_watch=True)

    assert plan.agreements == ()
    (said,) = plan.left_out
    assert 'station.party.coast: "navy" is no party of agreement coast' in said


def lined(*keys):
    listed = "\n".join(keys)
    return sided('coast = "coast"').replace("[link.local]\n", f"[link.local]\n{listed}\n")


def other_coast(write):
    party = '[parties.coast]\nname = "A station"\n[channels'
    write(COAST.replace("[channels", party), "coast.toml")


def test_a_link_to_another_party_exports_nothing(write):
    other_coast(write)
    plan = settings.load(write(lined('party = "ships"', 'agreement = "coast"')))
    (link,) = plan.links

    assert (link.party, link.agreement, link.exports) == ("ships", "coast", ())
    assert settings.load(write(settings.effective(plan), "again.toml")) == plan


@pytest.mark.parametrize(
    ("keys", "fault"),
    [
        (['party = "ships"'], "link.local: has half of another party; add `agreement`"),
        (['agreement = "coast"'], "link.local: has half of another party; add `party`"),
        (
            ['party = "shisp"', 'agreement = "coast"'],
            'link.local.party: "shisp" is no party of agreement coast; did you mean `ships`?',
        ),
        (
            ['party = "coast"', 'agreement = "coast"'],
            "link.local.party: is the station's own party; name the one at the other end",
        ),
        (
            ['party = "ships"', 'agreement = "coats"'],
            "link.local.agreement: is no agreement of this station; did you mean `coast`?",
        ),
        (
            ['party = "ships"', 'agreement = "coast"', "commands = true"],
            "link.local.commands: is not for a link to another party",
        ),
        (
            ['party = "ships"', 'agreement = "coast"', 'receipts = "rcc"'],
            "link.local.receipts: is not for a link to another party",
        ),
    ],
)
def test_a_link_to_another_party_is_to_one_of_an_agreement(write, keys, fault):
    other_coast(write)
    with pytest.raises(settings.BadSettings) as bad:
        settings.load(write(lined(*keys)))

    (found,) = map(str, bad.value.faults)
    assert fault in found


def test_on_watch_a_link_to_an_unknown_party_is_a_border_and_no_reason_to_stay_away(write):
    other_coast(write)
    plan = settings.load(write(lined('party = "navy"', 'agreement = "coast"')), on_watch=True)

    assert [link.party for link in plan.links] == ["navy"]
    assert "link.local.party" in plan.left_out[0]


@pytest.mark.parametrize(
    ("names", "fault"),
    [
        (["none.toml"], "none.toml: no such file; name one that is there"),
        (["bad.toml"], "bad.toml:9: rules.G01.kind: is no kind of rule; did you mean"),
        (["coast.toml", "twice.toml"], "gateway.toml:3: station.agreements: .*twice.toml is agre"),
        (
            ["coast.toml"] * 9,
            "gateway.toml:3: station.agreements: must be the names or files of at most 8",
        ),
    ],
)
def test_each_fault_of_an_agreement_is_told_with_its_own_file_and_line(write, names, fault):
    for name in ("coast.toml", "twice.toml"):
        write(COAST, name)
    write(COAST.replace("distress_override", "distress_overide"), "bad.toml")

    with pytest.raises(settings.BadSettings, match=fault):
        settings.load(write(bound(*names)))


def test_a_station_is_bound_by_no_more_rules_than_can_be_told(write, monkeypatch):
    monkeypatch.setattr("gateway.settings.binding.RULES_MAX", 0)
    write(COAST, "coast.toml")

    with pytest.raises(settings.BadSettings, match="have more than 0 rules together"):
        settings.load(write(bound("coast.toml")))


@pytest.mark.parametrize(
    ("register", "fault"),
    [
        ('[craft.a]\nmmis = "244123456"\n', "registry.toml:2: craft.a.mmis: unknown key; did you"),
        ('[craft.a]\nmmsi = "12"\n', "registry.toml:2: craft.a.mmsi: must be nine digits, as text"),
        ('[craft.a]\nparty = "x"\n', "registry.toml:1: craft.a: has no name that a radio could"),
        (
            '[craft.a]\nmmsi = "970111234"\n[craft.b]\ndevices = ["970111234"]\n',
            "registry.toml:4: craft.b.devices: has 970111234, which is in [craft.a] already",
        ),
        ("[ship.a]\n", "registry.toml:1: ship: unknown key; known here: craft"),
        ("[craft\n", "registry.toml:1: is not TOML"),
        (None, "registry.toml: no such file; make it, or take `register` out of gateway.toml"),
    ],
)
def test_each_fault_of_the_register_is_told_with_its_own_file_and_line(write, register, fault):
    if register is not None:
        write(register, "registry.toml")
    path = write(GOOD.replace("[station]\n", '[station]\nregister = "registry.toml"\n'))

    assert any(fault in told for told in faults(path))


def test_the_shipped_register_uncommented_is_good(tmp_path):
    text = (ROOT / "config/registry.toml").read_text("utf-8")
    path = tmp_path / "registry.toml"
    path.write_text(re.sub(r"(?m)^# (\[craft|[a-z0-9]+ = )", r"\1", text))
    plan, found = read_register(path)

    assert (len(plan.craft), found) == (2, ())


def test_a_register_larger_than_any_is_a_fault(tmp_path, monkeypatch):
    monkeypatch.setattr("gateway.settings.register.CRAFT_MAX", 1)
    path = tmp_path / "registry.toml"
    path.write_text('[craft.a]\ntail = "A"\n[craft.b]\ntail = "B"\n')

    assert "more than 1" in read_register(path)[1][0].what


def test_relative_paths_count_from_the_folder_of_the_file(write, tmp_path):
    plan = settings.load(
        write(
            GOOD.replace("/dev/ttyS0", "tape:x.tape")
            + '[journal]\npath = "../j.db"\n[record]\ndirectory = "t"\n'
        )
    )

    assert plan.ports[0].device == f"tape:{tmp_path}/x.tape"
    assert plan.journal.path == str(tmp_path.parent / "j.db")
    assert plan.record.directory == str(tmp_path / "t")


def test_a_link_with_tls_uses_the_tls_port_and_its_files(write, tmp_path):
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    box = authority.issue_cert("box.example")
    box.cert_chain_pems[0].write_to_path(tmp_path / "box.pem")
    box.private_key_pem.write_to_path(tmp_path / "box.key")
    plan = settings.load(
        write(
            GOOD
            + '[link.local.tls]\nca_file = "ca.pem"\ncert_file = "box.pem"\nkey_file = "box.key"\n'
        )
    )

    assert plan.links[0].port == 8883
    assert plan.links[0].tls == TlsPlan(
        ca_file=str(tmp_path / "ca.pem"),
        cert_file=str(tmp_path / "box.pem"),
        key_file=str(tmp_path / "box.key"),
    )


def test_an_empty_tls_table_trusts_the_authorities_of_the_system(write):
    link = settings.load(write(GOOD + "[link.local.tls]\n")).links[0]

    assert (link.port, link.tls) == (8883, TlsPlan())


def test_a_profile_beside_the_configuration_comes_before_the_shipped_one(write):
    write(
        'title = "mine"\nradio = ["dsc", "gnss"]\nframing = "nmea"\nbaud = 9600\nproven = "here"\n',
        "modems/generic-dsc.toml",
    )

    assert settings.load(write(GOOD)).ports[0].profile == Profile(
        title="mine", radio=("dsc", "gnss"), framing="nmea", baud=9600, proven="here"
    )


# ---- What is wrong ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("keys", "line"),
    [("rotate_mb = 2000\n", "rotate_mb"), ("keep_mb = 10\n", "keep_mb")],
)
def test_tapes_of_which_none_would_be_kept_are_refused(write, keys, line):
    path = write(GOOD + '[record]\ndirectory = "tapes"\n' + keys)
    (fault,) = faults(path)

    assert "is more than keep_mb" in fault
    assert f"{path.read_text().splitlines().index(keys.strip()) + 1}" in fault, line


@pytest.mark.parametrize(
    ("written", "found"),
    [("[]", ()), ('["cap", "geojson"]', ("cap", "geojson")), (None, ("geojson",))],
)
def test_a_link_tells_the_formats_that_it_names_and_maps_where_it_names_none(write, written, found):
    keys = f"exports = {written}\n" if written else ""
    plan = settings.load(write(GOOD + keys))

    assert plan.links[-1].exports == found


def test_a_format_that_there_is_not_is_refused_with_the_nearest(write):
    (fault,) = faults(write(GOOD + 'exports = ["cap", "geojsn"]\n'))

    assert 'entry 2 must be one of "cap", "cot", "geojson", "sitrep"' in fault
    assert fault.endswith('did you mean "geojson"?')


BAD = """\
statoin = 1
[station]
name = "My Station"
[port.vhf]
device = "/dev/ttyS0"
modm = "x"
modem = "generic-dcs"
[port.b]
device = "/dev/ttyS0"
modem = "generic-ais"
[port."a b"]
[link.a]
port = 70000
payload = "jsno"
keepalive_s = "15"
password_file = "hunter2"
[link.b]
host = "x"
tls = { ca_file = "/nope", cert_file = "half.pem" }
positions = true
receipts = "RCC"
[log]
level = 3
"""


def test_every_fault_is_told_at_once_with_its_line(write, tmp_path):
    assert faults(write(BAD)) == [
        "gateway.toml:1: statoin: unknown key; did you mean `station`?",
        (
            "gateway.toml:3: station.name: must be 1 to 32 of the characters a-z, 0-9 and -; "
            'it is "My Station"; try "cape-light"'
        ),
        "gateway.toml:6: port.vhf.modm: unknown key; did you mean `modem`?",
        (
            'gateway.toml:7: port.vhf.modem: no profile has this name: "generic-dcs"; '
            "did you mean `generic-dsc`?"
        ),
        "gateway.toml:9: port.b.device: is the device of port vhf already; give each port its own",
        (
            'gateway.toml:11: port."a b": is no good name; '
            "use 1 to 32 of the characters a-z, 0-9 and -"
        ),
        'gateway.toml:12: link.a.host: is missing; add `host = "localhost"`',
        (
            "gateway.toml:13: link.a.port: must be a whole number from 1 to 65535; it is 70000; "
            "try 1883"
        ),
        (
            'gateway.toml:14: link.a.payload: must be one of "json", "msgpack"; it is "jsno"; '
            'did you mean "json"?'
        ),
        (
            "gateway.toml:15: link.a.keepalive_s: must be a whole number from 5 to 3600; "
            'it is "15"; the default is 15'
        ),
        "gateway.toml:16: link.a.password_file: stands without a username; add `username`",
        (
            "gateway.toml:16: link.a.password_file: names a file that can't be read: "
            f"No such file or directory; relative paths count from {tmp_path}"
        ),
        "gateway.toml:19: link.b.tls: has half a certificate; give both cert_file and key_file",
        (
            "gateway.toml:19: link.b.tls.ca_file: can't be read: No such file or directory; "
            "see /nope, its owner and mode"
        ),
        (
            'gateway.toml:20: link.b.positions: must be one of "conflated", "every"; it is true; '
            'the default is "conflated"'
        ),
        (
            'gateway.toml:21: link.b.receipts: must be "puback", or the name of the consumer of '
            'record: 1 to 32 of the characters a-z, 0-9 and -; it is "RCC"; '
            'the default is "puback"'
        ),
        (
            'gateway.toml:23: log.level: must be one of "debug", "error", "info", "warning"; '
            'it is 3; the default is "info"'
        ),
    ]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", 'gateway.toml: station.name: is missing; add `name = "cape-light"`'),
        (
            "",
            (
                "gateway.toml: port: there is no port: the gateway would hear nothing; "
                "add a table [port.main]"
            ),
        ),
        (
            "",
            (
                "gateway.toml: link: there is no link: nobody would be told anything; "
                "add a table [link.main]"
            ),
        ),
        ("station = 3", "gateway.toml:1: station: must be a table; write [station] above it"),
        ("port = 3", "gateway.toml:1: port: must be a table; write [port] above it"),
        ("[port]\nvhf = 3", "gateway.toml:2: port.vhf: must be a table; write [port.vhf] above it"),
        (
            GOOD + "tls = 1",
            ("gateway.toml:10: link.local.tls: must be a table; write [link.local.tls] above it"),
        ),
        (
            GOOD + "[journal]\nkeep_hours = 24",
            (
                "gateway.toml:11: journal.keep_hours: must be a whole number from 48 to 87600; "
                "it is 24; the default is 48"
            ),
        ),
        (
            GOOD + "[journal]\npath = 1",
            (
                "gateway.toml:11: journal.path: must be the path of a file, "
                'as text; it is 1; try "…"'
            ),
        ),
        (
            GOOD + "position_interval_s = nan",
            (
                "gateway.toml:10: link.local.position_interval_s: "
                "must be a number from 0 to 3600; it is nan; the default is 2.0"
            ),
        ),
        (
            GOOD + "[port.vhf.profile]\nbaud = 1",
            (
                "gateway.toml:10: port.vhf.profile: unknown key; "
                "known here: adapter, device, exercise, freq_hz, modem, modem_serial"
            ),
        ),
    ],
)
def test_each_fault_is_told(write, text, fault):
    assert fault in faults(write(text.lstrip("\n")))


@pytest.mark.parametrize(
    ("raw", "fault"),
    [
        (
            b"[station\n",
            (
                "gateway.toml:1: is not TOML: Expected ']' at the end of a table declaration; "
                "look at column 9"
            ),
        ),
        (
            b'[station]\nname = "x\n\n[a]',
            "gateway.toml:2: is not TOML: Illegal character '\\n'; look at column 10",
        ),
        (b"a = 1\nb = [", "gateway.toml:2: is not TOML: Invalid value; look before the end"),
        (
            b"[a]\n[a]\n",
            "gateway.toml:2: is not TOML: Cannot declare ('a',) twice; look at column 3",
        ),
        (b'[station]\nname = "\xff"\n', "gateway.toml:2: is not UTF-8 text; save it as UTF-8"),
        (b"a = " + b"[" * 100_000, "gateway.toml: is nested too deeply; name a configuration file"),
        (
            b"#" * (FILE_BYTES_MAX + 1),
            (f"gateway.toml: is larger than {FILE_BYTES_MAX} bytes; name a configuration file"),
        ),
    ],
)
def test_what_is_no_configuration_at_all_is_told_with_its_line(tmp_path, raw, fault):
    path = tmp_path / "gateway.toml"
    path.write_bytes(raw)

    assert faults(path) == [fault]


def test_a_file_that_is_not_there_or_not_a_file_is_told(tmp_path):
    assert faults(tmp_path / "none.toml") == [
        f"none.toml: no such file; name one with --config, or begin with a copy of {SHIPPED}"
    ]
    assert "Is a directory" in faults(tmp_path)[0]


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ('radio = "dcs"', '2: radio: no radio system is called "dcs"; did you mean `dsc`?'),
        ("radio = []", '2: radio: must be a list, each a lower-case name; it is []; try ["dsc"]'),
        ('radio = ["dsc", "dsc"]', "2: radio: names one radio system twice; name each once"),
        ('framing = "nmae"', '3: framing: no framing is called "nmae"; did you mean `nmea`?'),
        (
            "baud = 1",
            ("4: baud: must be a whole number from 50 to 4000000; it is 1; the default is 4800"),
        ),
        ("transmit = 1", "4: transmit: must be true or false; it is 1; the default is false"),
        ("data_bits = 9", "4: data_bits: must be one of 7, 8; it is 9; the default is 8"),
        (
            "freq_hz = {}",
            (
                "4: freq_hz: must be a whole number from 1 to 300000000000; it is a table; "
                "try 156525000"
            ),
        ),
        (
            f'parity = ["\\u0007", "{"x" * 80}"]',
            (
                '4: parity: must be one of "even", "none", "odd"; it is ["\\x07", '
                f'"{"x" * 49}…; the default is "none"'
            ),
        ),
        ("baudrate = 1", "4: baudrate: unknown key; did you mean `baud`?"),
        (
            'parity = "evne"',
            ('4: parity: must be one of "even", "none", "odd"; it is "evne"; did you mean "even"?'),
        ),
    ],
)
def test_a_fault_in_a_profile_names_the_file_of_the_profile(write, tmp_path, line, fault):
    rows = {"title": 'title = "mine"', "radio": 'radio = "dsc"', "framing": 'framing = "nmea"'}
    rows[line.split(" = ")[0]] = line
    path = write("\n".join([*rows.values(), 'proven = "here"']), "modems/generic-dsc.toml")
    found = faults(write(GOOD + '[port.two]\ndevice = "/dev/ttyS1"\nmodem = "generic-dsc"'))

    assert found == [f"{path.relative_to(tmp_path)}:{fault}"]


@pytest.mark.parametrize(
    ("rows", "fault"),
    [
        (
            {"radio": '"cospas_sarsat"', "framing": '"lines"'},
            (
                "4: transmit: cospas_sarsat is received and never transmitted; "
                "give that radio system a profile of its own"
            ),
        ),
        *(
            (
                {"freq_hz": freq_hz},
                (
                    "4: transmit: nobody but a beacon in distress transmits in 406.0 to 406.1 MHz; "
                    "set transmit = false"
                ),
            )
            for freq_hz in (406_000_000, 406_028_000, 406_100_000)
        ),
        ({"freq_hz": 405_999_999}, None),
        ({"freq_hz": 406_100_001}, None),
    ],
)
def test_no_profile_may_transmit_where_beacons_call_for_help(write, tmp_path, rows, fault):
    """The band is kept for beacons in distress: an emission of ours there may hide one."""
    told = {"title": '"mine"', "radio": '"dsc"', "framing": '"nmea"', "transmit": "true"} | rows
    lines = [f"{key} = {value}" for key, value in {**told, "proven": '"here"'}.items()]
    path = write("\n".join(lines), "modems/mine.toml")
    text = GOOD + '[port.two]\ndevice = "/dev/ttyS1"\nmodem = "mine"\nadapter = "none"'

    if fault is None:
        assert settings.load(write(text)).ports[1].profile.transmit
    else:
        assert faults(write(text)) == [f"{path.relative_to(tmp_path)}:{fault}"]


MINE = {"title": '"mine"', "radio": '"dsc"', "framing": '"nmea"', "proven": '"here"'}
PACKED = {"radio": '"packed"', "framing": '"cobs"', "transmit": "true", "hello": "true"}
PACKED |= {"dialect": '"dsc"'}


@pytest.mark.parametrize(
    ("facts", "fault"),
    [
        (
            {"hello": "true"},
            "5: hello: is a word of packed modems alone; set hello = false",
        ),
        (
            {**PACKED, "hello": "false"},
            (
                "5: transmit: a packed modem says who it is before anything is transmitted by it; "
                "set hello = true"
            ),
        ),
    ],
    ids=["hello of another", "packed without hello"],
)
def test_only_a_modem_that_has_a_word_for_who_it_is_says_it(write, tmp_path, facts, fault):
    rows = [f"{key} = {value}" for key, value in {**MINE, **facts}.items()]
    path = write("\n".join(rows), "modems/mine.toml")
    text = GOOD + '[port.two]\ndevice = "by-id:x"\nmodem = "mine"'

    assert faults(write(text)) == [f"{path.relative_to(tmp_path)}:{fault}"]


KISS = {"radio": '"aprs"', "framing": '"kiss"', "transmit": "true"}


@pytest.mark.parametrize(
    ("facts", "fault"),
    [
        (KISS, None),
        ({**KISS, "dialect": '"WIDE1-1,WIDE2-1"'}, None),
        (
            {**KISS, "dialect": '"wide"'},
            (
                '6: dialect: "wide" is no address of a repeater, such as WIDE2-1; '
                "put it right, or leave it out"
            ),
        ),
        (
            {**KISS, "dialect": '"a b"'},
            (
                "6: dialect: must be 1 to 80 of the characters A-Z, a-z, 0-9, the comma and -; "
                'it is "a b"; try "WIDE2-1"'
            ),
        ),
        (
            {**KISS, "framing": '"tnc2"'},
            "5: transmit: nothing that it speaks can be ordered by tnc2; set transmit = false",
        ),
        (
            {"transmit": "true", "dialect": '"WIDE2-1"'},
            (
                "6: dialect: there is none that this radio system could have; "
                "put it right, or leave it out"
            ),
        ),
        ({"dialect": '"dsc"'}, "5: dialect: is for what transmits; leave it out"),
        (
            {key: value for key, value in PACKED.items() if key != "dialect"},
            " dialect: it names what the modem transmits: ais, aprs, dsc; add it",
        ),
    ],
    ids=["none", "path", "no path", "no word", "framing", "of another", "heard", "packed"],
)
def test_a_modem_that_transmits_has_words_and_a_dialect_that_fits(write, tmp_path, facts, fault):
    rows = [f"{key} = {value}" for key, value in {**MINE, **facts}.items()]
    path = write("\n".join(rows), "modems/mine.toml")
    text = GOOD + '[port.two]\ndevice = "by-id:x"\nmodem = "mine"'

    if fault is None:
        assert settings.load(write(text)).ports[1].profile.transmit
    else:
        assert faults(write(text)) == [f"{path.relative_to(tmp_path)}:{fault}"]


@pytest.mark.parametrize(
    ("facts", "fault"),
    [
        ({"transmit": "true", "ptt": '"dtr"', "transmit_s_max": "60"}, None),
        ({"transmit": "true", "transmit_s_max": "0.1"}, None),
        (
            {"ptt": '"rts"'},
            (
                "5: ptt: keys a transmitter, and the profile says that there is none; "
                "leave it out, or set transmit = true"
            ),
        ),
        (
            {"transmit": "true", "ptt": '"cts"'},
            '6: ptt: must be one of "dtr", "rts"; it is "cts"; did you mean "rts"?',
        ),
        (
            {"transmit": "true", "transmit_s_max": "60.1"},
            "6: transmit_s_max: must be a number from 0.1 to 60; it is 60.1; the default is 10.0",
        ),
        (
            {"transmit": "true", "transmit_s_max": "0"},
            "6: transmit_s_max: must be a number from 0.1 to 60; it is 0; the default is 10.0",
        ),
    ],
    ids=["both", "short", "no transmitter", "no such line", "too long", "no time at all"],
)
def test_a_profile_says_what_keys_it_and_for_how_long_at_the_most(write, tmp_path, facts, fault):
    rows = [f"{key} = {value}" for key, value in {**MINE, **facts}.items()]
    path = write("\n".join(rows), "modems/mine.toml")
    text = GOOD + '[port.two]\ndevice = "by-id:x"\nmodem = "mine"'

    if fault is None:
        profile = settings.load(write(text)).ports[1].profile
        assert profile.ptt in {None, "dtr"}
        assert profile.transmit_s_max == float(facts["transmit_s_max"])
    else:
        assert faults(write(text)) == [f"{path.relative_to(tmp_path)}:{fault}"]


@pytest.mark.parametrize(
    ("facts", "port", "fault"),
    [
        ({"transmit": "true"}, 'device = "by-id:x"', None),
        ({"transmit": "true", "ptt": '"rts"'}, 'device = "by-id:x"', None),
        (
            {"transmit": "true", "ptt": '"rts"'},
            'device = "tcp://127.0.0.1:8001"',
            "12: port.two.device: has no RTS, and mine is keyed by it; name a serial port",
        ),
        ({"transmit": "true"}, 'device = "udev:ID_SERIAL_SHORT=A1"', None),
        ({"transmit": "true"}, 'device = "tcp://127.0.0.1:8001"', None),
        ({"transmit": "true"}, 'device = "tape:x"', None),
        ({"transmit": "true"}, 'device = "/dev/ttyS1"\nadapter = "none"', None),
        ({"transmit": "true"}, 'device = "by-path:x"\nadapter = "0403:6001:A5 0"', None),
        ({}, 'device = "by-path:x"', None),
        *(
            (
                {"transmit": "true"},
                f'device = "{device}"',
                (
                    "12: port.two.device: may be another adapter one day, and mine can transmit; "
                    "add `adapter`, as `distress-gateway ports` says it"
                ),
            )
            for device in ("/dev/ttyUSB0", "by-path:x", "udev:ID_VENDOR_ID=0403")
        ),
        (
            {"transmit": "true"},
            'device = "tcp-listen://127.0.0.1:2000"',
            "12: port.two.device: lets anybody call, and mine can transmit; call the modem: `tcp://…`",
        ),
        (
            {},
            'device = "tcp://127.0.0.1:2000"\nadapter = "none"',
            "13: port.two.adapter: is that of a serial port, and the device is none; leave it out",
        ),
        (
            {},
            'device = "by-id:x"\nadapter = "A50285BI"',
            (
                "13: port.two.adapter: must be `vendor:product:serial` as `distress-gateway ports` "
                'says it, or none; it is "A50285BI"; try "0403:6001:A50285BI"'
            ),
        ),
        (PACKED, 'device = "by-id:x"\nmodem_serial = "17"', None),
        (
            PACKED,
            'device = "by-id:x"',
            (
                "13: port.two.modem: says who it is before it transmits, and nobody has said who "
                "it has to be; add `modem_serial`, as its `hello` says it"
            ),
        ),
        (
            {},
            'device = "by-id:x"\nmodem_serial = "17"',
            "13: port.two.modem_serial: is never said: mine has no `hello`; leave it out",
        ),
    ],
)
def test_a_port_that_transmits_says_whom_it_speaks_to(write, facts, port, fault):
    rows = [f"{key} = {value}" for key, value in {**MINE, **facts}.items()]
    write("\n".join(rows), "modems/mine.toml")
    path = write(f'{GOOD}[port.two]\n{port}\nmodem = "mine"\n')

    if fault is None:
        assert settings.load(path).ports[1].modem == "mine"
    else:
        assert faults(path) == [f"gateway.toml:{fault}"]


@pytest.mark.parametrize(("kind", "count_max"), [("port", 64), ("link", 8)])
def test_more_than_one_box_can_carry_is_a_fault(write, kind, count_max):
    row = 'device = "/dev/ttyS%d"\nmodem = "generic-dsc"' if kind == "port" else 'host = "h%d"'
    rows = [f"[{kind}.x{place}]\n{row % (place + 1)}\n" for place in range(count_max)]

    assert faults(write(GOOD + "".join(rows))) == [
        f"gateway.toml:5: port: more than {count_max} of them; use a second gateway"
        if kind == "port"
        else f"gateway.toml:9: link: more than {count_max} of them; use a second gateway"
    ]


def test_one_device_named_in_two_ways_is_one_device(write, tmp_path):
    (tmp_path / "node").touch()
    (tmp_path / "link").symlink_to(tmp_path / "node")
    text = GOOD.replace("/dev/ttyS0", str(tmp_path / "node"))
    text += f'[port.two]\ndevice = "{tmp_path}/link"\nmodem = "generic-dsc"\n'

    assert len(faults(write(text))) == 1


def test_two_links_to_one_broker_need_two_names_there(write):
    text = GOOD + 'client_id = "me"\n[link.two]\nhost = "LOCALHOST"\nclient_id = "me"\n'

    assert "link.two.client_id: is used by link local at the same broker" in faults(write(text))[0]


def test_a_password_is_never_shown(write, tmp_path):
    (tmp_path / "empty").write_text("\n")
    told = [
        *faults(write(GOOD + 'username = "me"\npassword_file = "hunter2"\n')),
        *faults(write(GOOD + 'password = "hunter2"\n')),
        *faults(write(GOOD + 'username = "me"\npassword_file = "empty"\n')),
    ]

    assert len(told) == 3
    assert "hunter2" not in "".join(told)


def test_what_is_no_certificate_is_told_before_the_start(write, tmp_path):
    (tmp_path / "ca.pem").write_text("no certificate")
    (tmp_path / "key.pem").write_text("no key")
    text = GOOD + '[link.local.tls]\nca_file = "ca.pem"\ncert_file = "ca.pem"\nkey_file = "key.pem"'

    assert [fault.split(": ")[1] for fault in faults(write(text))] == [
        "link.local.tls.ca_file",
        "link.local.tls.cert_file",
    ]


def test_what_the_doors_say_of_a_device_is_told_with_its_line(write):
    with pytest.raises(settings.BadSettings) as bad:
        settings.load(write(GOOD), device_faults=lambda device: [f"no way to {device}"])

    assert [(fault.line, fault.what) for fault in bad.value.faults] == [(6, "no way to /dev/ttyS0")]


def test_a_key_that_could_steer_a_terminal_is_shown_escaped(write):
    assert "\x1b" not in "".join(faults(write(GOOD + '"\\u001b[2J" = 1\n')))


WORDS = st.sampled_from(
    [
        *(
            "station",
            "name",
            "port",
            "link",
            "log",
            "level",
            "a",
            "b-1",
            '"q \\" ."',
            "'l.'",
            "tls",
        ),
        *("[", "]", "{", "}", "=", ".", ",", "#", "\n", "\r\n", " ", "\t", "\\", "1", "true"),
        *('"""', "'''", '"', "'", "x = 1\n", "[[", "]]", "\x00", "é", "1979-05-27", "nan"),
    ]
)


@given(st.lists(WORDS, max_size=40).map("".join))
@settings_of_test(max_examples=400, deadline=None, database=None)
def test_no_text_at_all_gets_anything_but_a_plan_or_faults(text):
    """Whatever stands in the file, the reader ends, and with words for the person who wrote it."""
    with tempfile.NamedTemporaryFile("w", suffix=".toml", newline="", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        with contextlib.suppress(settings.BadSettings):
            settings.load(file.name)


@given(st.lists(WORDS, max_size=40).map("".join))
@settings_of_test(max_examples=400, deadline=None, database=None)
def test_each_key_that_the_real_reader_finds_has_a_line_of_the_file(text):
    try:
        whole = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return
    lines = key_lines(text.replace("\r\n", "\n"))

    assert {path[0] for path in lines} == set(whole)
    assert all(1 <= line <= text.count("\n") + 1 for line in lines.values())


# ---- Lines and places ---------------------------------------------------------------------------


def test_each_key_is_found_on_its_line():
    text = (
        "# a comment = 1\n"
        "a = 1\n"
        'b.c = """\nd = 2\n"""  # e = 3\n'
        "f = [\n  # g = 4\n  1, '[',\n]\n"
        '[ h . "i\\u0041" ]\n'
        "j = { k = 1, l = '''\n''' }\n"
        "'m n'.o = \"]\"\n"
        "[[p]]\nq = 1\n[[p]]\nq = 2\n"
        "r = 3 # [s]"
    )
    lines = key_lines(text)

    assert tomllib.loads(text)
    assert lines == {
        ("a",): 2,
        ("b",): 3,
        ("b", "c"): 3,
        ("f",): 6,
        ("h",): 10,
        ("h", "iA"): 10,
        ("h", "iA", "j"): 11,
        ("h", "iA", "m n"): 13,
        ("h", "iA", "m n", "o"): 13,
        ("p",): 14,
        ("p", "q"): 15,
        ("p", "r"): 18,
    }
    assert nearest_line(lines, ("h", "iA", "j", "k")) == 11
    assert nearest_line(lines, ("x", "y")) == 0


def test_the_configuration_named_by_the_environment_is_used(write, monkeypatch):
    monkeypatch.setenv("DISTRESS_GATEWAY_CONFIG", str(write(GOOD)))

    assert settings.load().station == "cape-light"


def test_without_a_name_the_system_s_configuration_comes_before_the_local_one(
    write, tmp_path, monkeypatch
):
    monkeypatch.delenv("DISTRESS_GATEWAY_CONFIG", raising=False)
    monkeypatch.chdir(tmp_path)
    write(GOOD.replace("cape-light", "local"), "config/gateway.toml")
    monkeypatch.setattr("gateway.settings.places.SYSTEM_CONFIG", tmp_path / "none.toml")

    assert settings.load().station == "local"

    monkeypatch.setattr("gateway.settings.places.SYSTEM_CONFIG", write(GOOD, "system.toml"))

    assert settings.load().station == "cape-light"


def test_shipped_files_are_found_in_a_checkout_and_in_a_wheel(tmp_path, monkeypatch):
    assert settings.shipped("config") == ROOT / "config"
    assert settings.shipped("modems") == ROOT / "hardware/modems"

    (tmp_path / "_shipped/modems").mkdir(parents=True)
    monkeypatch.setattr("gateway.settings.places._PACKAGE", tmp_path)

    assert settings.shipped("modems") == tmp_path / "_shipped/modems"


@pytest.mark.parametrize("name", settings.profile_names())
def test_each_shipped_profile_is_good_and_says_where_its_facts_are_from(name):
    profile = settings.profile_named(name)
    page = (ROOT / f"hardware/modems/{name}.md").read_text("utf-8")

    assert profile.proven.startswith("from ")
    assert f"`{name}`" in page
    assert str(profile.baud) in page
    assert "## How it was proven" in page


def test_a_profile_that_does_not_exist_is_told_with_those_that_do():
    with pytest.raises(settings.BadSettings, match="did you mean `generic-dsc`"):
        settings.profile_named("../modems/generic-dsc")
