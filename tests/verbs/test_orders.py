"""`keys` and `send`: who may order, and what is signed, as typed."""

from __future__ import annotations

import stat
from datetime import UTC, datetime
from types import SimpleNamespace

import msgspec
import pytest

from gateway import cli
from gateway.model.command import Outcome, OutcomeState
from gateway.model.place import Position
from gateway.model.transmission import Acknowledge, Letter, signed_bytes
from gateway.model.words import Nature
from gateway.mqtt.caller import Standing
from gateway.settings.ed25519 import proves, read_key
from gateway.settings.keys import read_keys
from gateway.verbs import send
from gateway.verbs.incident import Unfit

STRAIT = {"strait": "ab" * 32, "coast": "12" * 32}
NEW = ("keys", "new", "officer-smith", "--person", "A. Smith", "--role", "officer")


def typed(*words):
    return cli.main([str(word) for word in words])


@pytest.fixture
def desk(tmp_path, capsys):
    """Return a folder with a file of keys and one officer's key."""
    assert typed(*NEW, "--file", tmp_path / "smith.key", "--keys", tmp_path / "keys.toml") == 0
    capsys.readouterr()
    return tmp_path


def parsed(desk, *words):
    args = ["--by", "vhf", "--key", str(desk / "smith.key"), "--keys", str(desk / "keys.toml")]
    return cli._parser().parse_args(["send", *words, *args])


# ---- keys ----------------------------------------------------------------------------------------


def test_a_new_key_has_its_private_half_in_a_file_of_its_own(tmp_path, capsys):
    assert typed(*NEW, "--file", tmp_path / "smith.key", "--keys", tmp_path / "keys.toml") == 0
    (known,) = read_keys(tmp_path / "keys.toml")
    private = read_key(tmp_path / "smith.key")

    assert (known.name, known.person, known.roles) == ("officer-smith", "A. Smith", ("officer",))
    assert known.public_key == private.public
    assert stat.S_IMODE((tmp_path / "smith.key").stat().st_mode) == 0o600
    assert "A. Smith, and to nobody else" in capsys.readouterr().out


def test_a_second_key_leaves_the_first_and_every_comment_as_they_are(desk):
    file = desk / "keys.toml"
    file.write_text(f"# ours\n{file.read_text('utf-8')}", "utf-8")
    before = file.read_text("utf-8")
    words = ("keys", "new", "j", "--person", "J", "--role", "second", "--role", "operator")

    assert typed(*words, "--file", desk / "j.key", "--keys", file) == 0
    assert file.read_text("utf-8").startswith(before)
    assert [one.name for one in read_keys(file)] == ["officer-smith", "j"]


def test_what_is_listed_says_whose_each_key_is(desk, capsys):
    typed("keys", "revoke", "officer-smith", "--keys", desk / "keys.toml")
    capsys.readouterr()
    assert typed("keys", "list", "--keys", desk / "keys.toml") == 0
    line = capsys.readouterr().out

    assert line.startswith("officer-smith")
    assert "A. Smith" in line
    assert "given up 20" in line


def test_a_key_is_given_up_once_and_stays_known_by_its_name(desk, capsys):
    file = desk / "keys.toml"

    assert typed("keys", "revoke", "officer-smith", "--keys", file) == 0
    given_up = read_keys(file)[0].revoked
    assert typed("keys", "revoke", "officer-smith", "--keys", file) == 0

    assert read_keys(file)[0].revoked == given_up is not None
    assert "was given up" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        ((*NEW, "--file", "x.key"), "stands there already"),
        (("keys", "new", "A B", *NEW[3:], "--file", "x.key"), "is no good name"),
        (("keys", "new", "b", "--person", "\n", *NEW[5:], "--file", "x.key"), "no good person"),
        (("keys", "new", "b", *NEW[3:], "--file", "smith.key"), "is there already"),
        (("keys", "revoke", "b"), "is no key that stands there"),
    ],
)
def test_what_can_not_be_done_is_said_and_leaves_the_file_as_it_is(desk, words, fault, capsys):
    file = desk / "keys.toml"
    before = file.read_bytes()
    words = [str(desk / word) if word.endswith(".key") else word for word in words]

    assert typed(*words, "--keys", file) == 2
    assert fault in capsys.readouterr().err
    assert file.read_bytes() == before
    assert not (desk / "x.key").exists()


def test_a_station_whose_configuration_names_no_keys_is_told_how(tmp_path, capsys):
    config = tmp_path / "gateway.toml"
    config.write_text(
        '[station]\nname = "a"\n[port.v]\ndevice = "memory:v"\nmodem = "generic-dsc"\n'
        '[link.l]\nhost = "localhost"\n',
        "utf-8",
    )

    assert typed("keys", "list", "--config", config) == 2
    assert 'add `keys = "keys.toml"`' in capsys.readouterr().err


# ---- send ----------------------------------------------------------------------------------------


INCIDENT = SimpleNamespace(
    incident_id="4f2a" * 4,
    names=("callsign:ABCD", "mmsi:232123456"),
    natures=(Nature.SINKING,),
    position=Position(lat_deg=50.5, lon_deg=-5.0),
)


def letter(desk, *words, incident=None):
    return send.letter_of(parsed(desk, *words), "here", STRAIT, incident)


def test_what_an_incident_says_of_the_casualty_stands_in_the_letter(desk):
    made = letter(desk, "ack", "--about", "4f2a", incident=INCIDENT)

    assert made.action == msgspec.convert(
        {
            "type": "ack",
            "distress": {
                "mmsi": "232123456",
                "nature": "sinking",
                "place": {"lat_deg": 50.5, "lon_deg": -5.0},
            },
        },
        Acknowledge,
    )
    assert made.about == INCIDENT.incident_id
    assert (made.audience, made.port) == ("here", "vhf")
    assert set(made.agreements) == set(STRAIT.values())
    assert (made.not_after - made.issued).total_seconds() == 60


def test_what_is_typed_goes_before_what_the_incident_says(desk):
    made = letter(desk, "ack", "--nature", "flooding", "--time", "1300", incident=INCIDENT)

    assert (made.action.distress.nature, made.action.distress.time) == ("flooding", "1300")
    assert made.action.distress.mmsi == "232123456"


ACTIONS = [
    ("relay", "--mmsi", "232123456", "--to", "area_ships", "--area", "52,-6,3,5"),
    ("cancel", "--nature", "undesignated"),
    ("call", "urgency", "--to", "all_ships", "--vhf-channel", "16"),
    ("call", "safety", "--to", "individual", "--address", "232000001", "--test"),
    ("text", "safety", "Gale warning", "--to", "M0ABC-7"),
    ("position", "--place", "50.5,-5", "--words", "on watch"),
    ("modem", "power", "--power-dbm", "20"),
    ("silence", "vhf16", "SEELONCE MAYDAY"),
    ("exercise", "stop"),
]


@pytest.mark.parametrize("words", ACTIONS, ids=lambda words: words[0])
def test_each_action_is_a_letter(desk, words):
    made = letter(desk, *words)

    assert isinstance(made, Letter)
    again = msgspec.json.decode(msgspec.json.encode(made), type=Letter)
    assert again == made


def test_numbers_of_letters_rise_by_themselves(desk):
    numbers = [letter(desk, "exercise", "start").seq for _ in range(5)]

    assert numbers == sorted(set(numbers))


def test_what_can_not_be_said_is_refused(desk):
    with pytest.raises(Unfit, match="nature"):
        letter(desk, "ack", "--mmsi", "232123456", "--nature", "sink")


def test_what_is_signed_are_the_very_bytes_of_the_letter(desk):
    args = parsed(desk, "exercise", "start")
    pens = send.pens_of(args)
    envelope = send.sealed(letter(desk, "exercise", "start"), pens)
    (signature,) = envelope.signatures
    (known,) = read_keys(desk / "keys.toml")
    text = msgspec.json.encode(signature.signature).decode().strip('"')

    assert signature.key == "officer-smith"
    assert proves(known.public_key, signed_bytes(envelope.letter), text)


def test_a_key_that_the_station_does_not_know_signs_nothing(desk, tmp_path, capsys):
    other = tmp_path / "b"
    other.mkdir()
    typed("keys", "new", "b", *NEW[3:], "--file", other / "b.key", "--keys", other / "keys.toml")
    args = ("--by", "vhf", "--key", other / "b.key", "--keys", desk / "keys.toml")

    assert typed("send", "exercise", "start", *args, "--host", "127.0.0.1") == 1
    assert "does not know" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        (("ack", "--place", "north"), "a place is like 50.5,-5"),
        (("ack", "--place", "1,2,3"), "a place is like 50.5,-5"),
        (("relay", "--to", "area_ships", "--area", "1,2"), "an area is like"),
        (("ack", "--good", "61"), "up to 60 seconds"),
        (("ack", "--good", "0"), "up to 60 seconds"),
        (("call", "distress", "--to", "all_ships"), "invalid choice"),
    ],
)
def test_what_is_typed_wrong_is_explained(desk, words, fault, capsys):
    with pytest.raises(SystemExit, match="2"):
        parsed(desk, *words)
    assert fault in capsys.readouterr().err


class Station:
    """A station on a broker, which tells these outcomes of whatever is handed in."""

    def __init__(self, *rounds, online=("here",)):
        self._rounds = list(rounds)
        self._online = dict.fromkeys(online, True)
        self.letters = []

    async def standing(self, _station):
        return Standing((), self._online, 0, dict.fromkeys(self._online, STRAIT))

    async def hand_in(self, made, _envelope):
        self.letters.append(made)
        for state, said in self._rounds.pop(0):
            yield Outcome(station="here", command_id=made.command_id, state=state, **said)

    async def __aenter__(self):
        return self

    async def __aexit__(self, *_):
        return None


def sent(desk, monkeypatch, station, *words):
    monkeypatch.setattr(send, "calling", lambda _plan: station)
    return send.main(parsed(desk, *(words or ("ack", "--mmsi", "232123456")), "--host", "x"))


S = OutcomeState


@pytest.mark.parametrize(
    ("told", "status", "words"),
    [
        ([(S.ACCEPTED, {}), (S.TRANSMITTING, {}), (S.TRANSMITTED, {})], 0, "transmitted"),
        ([(S.ACCEPTED, {}), (S.REFUSED, {"clause": "strait/R1", "reason": "no"})], 1, "strait/R1"),
        ([(S.ACCEPTED, {}), (S.UNKNOWN, {"reason": "lost"})], 1, "unknown: lost"),
        ([], 1, "nobody knows whether the order was taken"),
        ([(S.QUEUED, {"until": datetime(2026, 11, 1, 12, 8, tzinfo=UTC)})], 1, "until 12:08:00Z"),
    ],
)
def test_each_stage_is_told_and_the_last_is_the_exit_status(
    desk, monkeypatch, capsys, told, status, words
):
    assert sent(desk, monkeypatch, Station(told)) == status
    said = capsys.readouterr()
    assert words in said.out + said.err


def test_a_challenge_is_answered_in_a_new_letter_that_is_signed_anew(desk, monkeypatch, capsys):
    asked = [(S.REFUSED, {"challenge": "ab" * 16, "reason": "no clock"})]
    station = Station(asked, [(S.ACCEPTED, {}), (S.TRANSMITTED, {})])

    assert sent(desk, monkeypatch, station) == 0
    first, second = station.letters
    assert (first.challenge, second.challenge) == (None, "ab" * 16)
    assert second.seq > first.seq
    assert second.action == first.action
    said = capsys.readouterr()
    assert said.out.startswith("asked back: no clock\n")
    assert said.err == ""


def test_who_is_asked_back_twice_is_told_that_it_came_to_nothing(desk, monkeypatch, capsys):
    asked = [(S.REFUSED, {"challenge": "ab" * 16, "reason": "no clock"})]

    assert sent(desk, monkeypatch, Station(asked, asked)) == 1
    assert "asked back twice" in capsys.readouterr().err


@pytest.mark.parametrize(("online", "words"), [((), "is not online"), (("a", "b"), "several")])
def test_nothing_is_handed_in_where_nobody_or_anybody_would_take_it(
    desk, monkeypatch, capsys, online, words
):
    assert sent(desk, monkeypatch, Station(online=online)) == 1
    assert words in capsys.readouterr().err


def test_stages_as_json_are_a_line_each(desk, monkeypatch, capsys):
    station = Station([(S.ACCEPTED, {}), (S.TRANSMITTED, {})])
    words = ("ack", "--mmsi", "232123456", "--json")

    assert sent(desk, monkeypatch, station, *words) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [msgspec.json.decode(line)["state"] for line in lines] == ["accepted", "transmitted"]
