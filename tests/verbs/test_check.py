"""`check`: what a good configuration comes to, and what may keep it from working."""

import argparse
import os
from pathlib import Path

import pytest

from gateway import settings
from gateway.model.keys import KeyPlan, Role
from gateway.settings.keys import written
from gateway.verbs import check

PUBLIC = "ed25519:K9Cfszs0WLcNI/HWNTHA7/fQjb4p/HosGQNJ7foisc8="
GOOD = """
[station]
name = "cape-light"
[port.vhf]
device = "{device}"
modem = "generic-dsc"
[link.local]
host = "{host}"
[journal]
path = "{folder}/journal.db"
"""


@pytest.fixture
def write(tmp_path):
    """Return a writer of the station's file."""

    def written(more: str = "", *, device: str = "tcp://127.0.0.1:1", host: str = "::1") -> Path:
        path = tmp_path / "gateway.toml"
        path.write_text(GOOD.format(device=device, host=host, folder=tmp_path) + more)
        return path

    return written


def run(path: Path, *, effective: bool = False) -> int:
    return check.main(argparse.Namespace(config=str(path), print=effective))


def rows(page: str) -> list[str]:
    return [" ".join(line.split()) for line in page.splitlines()]


def test_a_good_configuration_is_summed_up(write, tmp_path, capsys):
    path = write('[record]\ndirectory = "tapes"\n')

    assert run(path) == 0
    assert rows(capsys.readouterr().out) == [
        f"configuration {path}",
        "station cape-light",
        f"journal {tmp_path}/journal.db",
        f"tapes {tmp_path}/tapes",
        "log info, auto",
        "",
        "port modem radio speed device now",
        "vhf generic-dsc dsc 4800 tcp://127.0.0.1:1 ready",
        "",
        "link broker MQTT payload protected by positions",
        "local [::1]:1883 5 json nothing conflated",
        "",
        "the configuration is good",
    ]


def test_a_modem_that_is_not_plugged_in_is_a_warning(write, capsys):
    assert run(write(device="by-id:usb-nothing-if00")) == 0
    page = rows(capsys.readouterr().out)

    assert "vhf generic-dsc dsc 4800 by-id:usb-nothing-if00 not ready: see below" in page
    assert any(row.startswith("port vhf: nothing of that name is plugged in") for row in page)
    assert page[-1] == "the configuration is good, with 1 warning"


def test_a_port_that_is_there_is_shown_with_its_node(write, capsys):
    modem_end, gateway_end = os.openpty()
    node = os.ttyname(gateway_end)
    try:
        assert run(write(device=node)) == 0
    finally:
        os.close(modem_end)
        os.close(gateway_end)

    assert f"vhf generic-dsc dsc 4800 {node} {node}" in rows(capsys.readouterr().out)


def test_a_device_that_can_never_work_is_a_fault_with_its_line(write):
    with pytest.raises(settings.BadSettings) as bad:
        run(write("[log]\nlevle = 1\n", device="usb:first"))

    assert [(fault.line, fault.key) for fault in bad.value.faults] == [
        (5, "port.vhf.device"),
        (12, "log.levle"),
    ]


def test_what_is_unsafe_is_a_warning(write, tmp_path, capsys):
    (tmp_path / "password").write_text("hunter2")
    (tmp_path / "password").chmod(0o644)
    path = write(host="broker.example")
    text = path.read_text().replace(
        'host = "broker.example"',
        'host = "broker.example"\nusername = "me"\npassword_file = "password"',
    )
    path.write_text(text)

    assert run(path) == 0
    page = rows(capsys.readouterr().out)
    assert [row for row in page if row.startswith("link local:")] == [
        "link local: not encrypted: whoever is on the way can read, forge and hold back reports",
        "link local: the password goes over the network in plain text",
        f"link local: {tmp_path}/password may be read by others: chmod 600",
    ]
    assert "local broker.example:1883 5 json nothing, password conflated" in page


@pytest.mark.parametrize("host", ["localhost", "127.0.0.2", "::1", "broker.localhost"])
def test_a_link_that_stays_on_this_box_needs_no_encryption(write, host, capsys):
    assert run(write(host=host)) == 0
    assert "warning" not in capsys.readouterr().out


def test_a_folder_that_can_t_be_written_is_a_warning(write, tmp_path, capsys):
    (tmp_path / "file").touch()

    assert run(write(f'[record]\ndirectory = "{tmp_path}/file/tapes"\n')) == 0
    assert f"record: this user may not write in {tmp_path}/file/tapes" in capsys.readouterr().out


def test_a_folder_in_the_place_of_the_journal_is_a_warning(write, tmp_path, capsys):
    (tmp_path / "journal.db").mkdir()

    assert run(write()) == 0
    page = capsys.readouterr().out
    assert f"journal: {tmp_path}/journal.db is a folder; name a file in it" in page
    assert "with 1 warning" in page


def test_the_configuration_in_force_is_printed_alone(write, capsys):
    path = write(device="by-id:usb-nothing-if00")

    assert run(path, effective=True) == 0
    told = capsys.readouterr()
    assert told.out == settings.effective(settings.load(path))
    assert told.err.startswith("warning: port vhf: nothing of that name")


CLAUSE = 'source = "a case"\nbasis = "design"'
OURS = f"""
id = "ours"
version = "1"
title = "A rule of the house"
[status]
state = "STATE"
[parties]
site = {{ name = "This site" }}
[channels]
guard = {{ hz = 121_500_000, mode = "a3e" }}
[rules.H1]
kind = "transmit_authority"
channels = ["guard"]
who = ["site"]
{CLAUSE}
[rules.H2]
kind = "exclusive_use"
channels = ["guard"]
purposes = ["test"]
modes = ["g3e"]
{CLAUSE}
"""
THEIRS = f"""
id = "theirs"
version = "1"
title = "With others"
[parties]
site = {{ name = "This site" }}
[channels]
emergency = {{ hz = 121_500_000, mode = "a3e" }}
[rules.T1]
kind = "allowed_use"
channels = ["emergency"]
purposes = ["distress"]
{CLAUSE}
"""
ODD = "agreement ours H2: `guard` has mode a3e, which is none of `modes`"
EXCLUDED = "agreement theirs T1: keeps emergency for distress, and by ours H2 it is for test alone"


def sides(*names):
    return "\n".join(["[station.party]", *(f'{name} = "site"' for name in names)])


@pytest.mark.parametrize(
    ("state", "bound_by", "warned"),
    [
        ("in_force", ["ours", "theirs"], [ODD, EXCLUDED]),
        ("in_force", ["ours"], [ODD]),
        ("proposed", ["ours", "theirs"], []),
    ],
)
def test_what_makes_no_sense_in_all_agreements_that_bind_the_station_is_warned_of(
    write, tmp_path, state, bound_by, warned
):
    """It is no fault: whoever watches over two agreements can't change either of them alone."""
    (tmp_path / "ours.toml").write_text(OURS.replace("STATE", state))
    (tmp_path / "theirs.toml").write_text(THEIRS)
    path = write()
    names = ", ".join(f'"{name}.toml"' for name in bound_by)
    path.write_text(
        path.read_text().replace(
            "[port.vhf]", f"agreements = [{names}]\n{sides(*bound_by)}\n[port.vhf]"
        )
    )
    found = [one for one in check.warnings_of(settings.load(path)) if "proposed" not in one]

    assert found == warned


def test_a_station_that_is_no_party_of_what_binds_it_is_warned_of_it(write, tmp_path):
    (tmp_path / "theirs.toml").write_text(THEIRS)
    path = write()
    listed = 'agreements = ["theirs.toml"]\n[port.vhf]'
    path.write_text(path.read_text().replace("[port.vhf]", listed))

    (said,) = check.warnings_of(settings.load(path))
    assert said == (
        "agreement theirs: the station is none of its parties, and sends nothing for any of them;"
        " say which it is in [station.party]"
    )


def test_a_flaw_across_clauses_names_its_agreement_where_there_is_but_one(write, tmp_path):
    one = THEIRS + OURS[OURS.index("[rules.H2]") :].replace("guard", "emergency")
    one = one.replace('["g3e"]', '["a3e"]').replace('mode = "a3e" }', 'purpose = ["distress"] }')
    (tmp_path / "one.toml").write_text(one)
    path = write()
    path.write_text(
        path.read_text().replace(
            "[port.vhf]", f'agreements = ["one.toml"]\n{sides("theirs")}\n[port.vhf]'
        )
    )

    quarrel, gap = check.warnings_of(settings.load(path))

    assert quarrel.startswith("agreement theirs T1: emergency is for nothing: by T1 for distress")
    assert gap.startswith("agreement theirs channel emergency: is for distress, and nobody has to")


WATCHED = f"""
id = "coast"
version = "1"
title = "A watch of our own"
[status]
state = "in_force"
[parties]
site = {{ name = "This site" }}
other = {{ name = "Another" }}
[channels]
vhf70 = {{ hz = 156_525_000, mode = "dsc" }}
mf_dsc = {{ hz = 2_187_500, mode = "dsc" }}
[rules.W1]
kind = "watch"
channels = [CHANNELS]
who = ["site", "other"]
{CLAUSE}
"""
UNTUNED = "agreement coast W1: no port is tuned to {} (`freq_hz`): the watch is never shown"
SHORT = "and the modem of port vhf gives a sign of life every 60 s: agree on more"


def watched(write, folder, terms, port, channels='"vhf70"'):
    """Return what is warned of where this is agreed, and this is said of the only port."""
    (folder / "coast.toml").write_text(WATCHED.replace("CHANNELS", channels) + terms)
    path = write(device="tcp://127.0.0.1:1")
    text = path.read_text().replace('modem = "generic-dsc"', port)
    listed = f'agreements = ["coast.toml"]\n{sides("coast")}\n[port.vhf]'
    path.write_text(text.replace("[port.vhf]", listed))
    return [one for one in check.warnings_of(settings.load(path)) if "encrypted" not in one]


DSC, PACKED = 'modem = "generic-dsc"\n', 'modem = "generic-packed"\n'
TUNED = "freq_hz = 156_525_000\n"
BOTH = '"vhf70", "mf_dsc"'


@pytest.mark.parametrize(
    ("channels", "mode", "port", "missing"),
    [
        ('"vhf70"', "all", DSC, ["vhf70"]),
        ('"vhf70"', "all", DSC + TUNED, []),
        ('"vhf70"', "all", DSC + TUNED + "exercise = true", ["vhf70"]),
        (BOTH, "all", DSC + TUNED, ["mf_dsc"]),
        (BOTH, "any", DSC + TUNED, []),
        (BOTH, "any", DSC, ["mf_dsc and vhf70"]),
        (BOTH, "at_least", DSC + TUNED, ["mf_dsc"]),
    ],
)
def test_a_watch_of_this_station_to_which_no_port_is_tuned_is_warned_of(
    write, tmp_path, channels, mode, port, missing
):
    terms = f'mode = "{mode}"\ncount = 2\n'
    found = watched(write, tmp_path, terms, port, channels)

    assert [one for one in found if "exercise" not in one] == [
        UNTUNED.format(where) for where in missing
    ]


@pytest.mark.parametrize(
    ("port", "terms", "warned"),
    [
        (PACKED + TUNED, "max_gap_s = 60", [f"agreement coast W1: `max_gap_s` is 60, {SHORT}"]),
        (PACKED + TUNED, "max_gap_s = 61", []),
        (DSC + TUNED, "max_gap_s = 60", []),
        (PACKED + TUNED, 'max_gap_s = 60\nevidence = ["decoded_call"]', []),
    ],
    ids=["too short", "longer", "no sign of life", "not agreed on"],
)
def test_a_gap_that_is_over_before_the_next_sign_of_life_is_warned_of(
    write, tmp_path, port, terms, warned
):
    assert watched(write, tmp_path, terms, port) == warned


def test_where_the_clause_names_that_sign_its_flaw_is_said_once(write, tmp_path):
    terms = 'max_gap_s = 60\nevidence = ["receiver_heartbeat"]'
    (flaw,) = watched(write, tmp_path, terms, PACKED + TUNED)

    assert flaw.startswith("agreement coast W1: `max_gap_s` is 60, and a modem gives")


@pytest.mark.parametrize(
    ("revoked", "modem", "orders"),
    [
        ("", "generic-dsc-transmit", "orders by A. Smith; transmitted by vhf"),
        ("", "generic-dsc", "orders by A. Smith; transmitted by no port"),
        (
            "revoked = 2026-11-23T12:00:00Z\n",
            "generic-dsc",
            "orders by nobody; transmitted by no port",
        ),
    ],
    ids=["all of it", "deaf and dumb", "given up"],
)
def test_what_binds_the_station_and_who_may_order_is_summed_up(
    write, tmp_path, capsys, revoked, modem, orders
):
    (tmp_path / "theirs.toml").write_text(THEIRS)
    key = KeyPlan(name="smith", person="A. Smith", roles=(Role.OFFICER,), public_key=PUBLIC)
    (tmp_path / "keys.toml").write_text(written(key) + revoked)
    (tmp_path / "keys.toml").chmod(0o644)
    path = write(device="by-id:x")
    bound = f'agreements = ["theirs.toml"]\nkeys = "keys.toml"\n{sides("theirs")}\n[port.vhf]'
    text = path.read_text().replace("[port.vhf]", bound).replace('"generic-dsc"', f'"{modem}"')
    path.write_text(text.replace("[link.local]", 'adapter = "none"\n[link.local]'))
    run(path)
    told = rows(capsys.readouterr().out)

    assert "agreement theirs 1, in force as site" in told
    assert orders in told
