"""The file of keys: who may order transmissions. A fault in it keeps nobody from listening."""

from __future__ import annotations

import time

import pytest

from gateway import settings
from gateway.model.keys import KeyPlan, Role
from gateway.settings import keyring, keys
from gateway.settings.agreement import agreement_path
from gateway.settings.ed25519 import new_key
from gateway.settings.faults import BadSettings
from gateway.settings.keyring import KeyRing
from gateway.settings.keys import read_keys, written

PUBLIC = "ed25519:K9Cfszs0WLcNI/HWNTHA7/fQjb4p/HosGQNJ7foisc8="
GOOD = KeyPlan(name="smith", person='A. "Al" Smith', roles=(Role.OFFICER,), public_key=PUBLIC)
STATION = """\
[station]
name = "here"
keys = "keys.toml"
agreements = ["own.toml"]

[port.vhf]
device = "memory:vhf"
modem = "generic-dsc"

[link.local]
host = "localhost"
"""


@pytest.fixture
def file(tmp_path):
    """Return what writes the file and reads it."""

    def read(text):
        path = tmp_path / "keys.toml"
        path.write_text(text, "utf-8")
        path.chmod(0o644)
        return read_keys(path)

    return read


@pytest.fixture
def station(tmp_path):
    """Return what loads a station with this file of keys and this agreement; None is no file."""

    def load(keys_text, agreement, **how):
        for name, text in (("keys.toml", keys_text), ("own.toml", agreement)):
            if text is not None:
                (tmp_path / name).write_text(text, "utf-8")
        path = tmp_path / "gateway.toml"
        path.write_text(STATION, "utf-8")
        return settings.load(path, **how)

    return load


def coast():
    return agreement_path("gmdss-coast-station").read_text("utf-8")


def test_what_is_written_is_read_again(file):
    assert file(written(GOOD)) == (GOOD,)


def test_a_key_that_was_given_up_is_still_known_by_its_name(file):
    (key,) = file(written(GOOD) + "revoked = 2026-11-23T12:00:00Z\n")

    assert key.revoked.isoformat() == "2026-11-23T12:00:00+00:00"
    assert file(written(key)) == (key,)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("[keys.a]\n", "did you mean `key`?"),
        (written(GOOD).replace('"officer"', '"captain"'), "roles"),
        (written(GOOD).replace("[key.smith]", '[key."Smith!"]'), "is no good name"),
        (written(GOOD).replace(PUBLIC, "ed25519:AAAA"), "public_key"),
        (written(GOOD).replace(PUBLIC, "ed25519:" + "A" * 43 + "="), "anybody can sign"),
        (written(GOOD).replace("roles", "rôles"), "is not TOML"),
        (written(GOOD).replace('roles = ["officer"]\n', ""), "is missing"),
        (written(GOOD) + "revoked = 2026-11-23T12:00:00\n", "revoked"),
        (written(GOOD) + written(GOOD).replace("smith", "jones"), "is that of [key.smith]"),
    ],
)
def test_each_fault_is_named_with_its_place(file, text, what):
    with pytest.raises(BadSettings) as bad:
        file(text)

    assert what in str(bad.value)


def test_more_keys_than_anybody_has_are_refused(file, monkeypatch):
    monkeypatch.setattr(keys, "KEYS_MAX", 1)
    other = KeyPlan(name="b", person="B", roles=(Role.SECOND,), public_key=new_key().public)

    with pytest.raises(BadSettings, match="more than 1 of them"):
        file(written(GOOD) + written(other))


def test_a_file_that_anybody_may_write_is_refused(tmp_path):
    path = tmp_path / "keys.toml"
    path.write_text(written(GOOD), "utf-8")
    path.chmod(0o666)

    with pytest.raises(BadSettings, match="may be written by anybody"):
        read_keys(path)


def test_the_shipped_example_is_a_good_file_of_nobody():
    assert read_keys(settings.places.shipped("config") / "keys.toml") == ()


# ---- On watch ------------------------------------------------------------------------------------


def test_a_good_station_leaves_nothing_out(station):
    plan = station(written(GOOD), coast(), on_watch=True)

    assert (plan.left_out, plan.keys) == ((), (GOOD,))
    assert [one.id for one in plan.agreements] == ["gmdss-coast-station"]


@pytest.mark.parametrize(
    ("keys_text", "agreement", "what"),
    [
        (None, coast(), "the keys: "),
        ("key = 1", coast(), "the keys: "),
        (written(GOOD), None, "agreement "),
        (written(GOOD), "not TOML", "agreement "),
        (written(GOOD), coast().replace("[channels", "[chanels"), "agreement "),
    ],
)
def test_a_file_that_only_transmitting_needs_keeps_nobody_off_watch(
    station, keys_text, agreement, what
):
    with pytest.raises(BadSettings):
        station(keys_text, agreement)
    plan = station(keys_text, agreement, on_watch=True)

    (left_out,) = plan.left_out
    assert left_out.startswith(what)
    assert len(plan.ports) == 1


# ---- Kept an eye on ------------------------------------------------------------------------------


@pytest.fixture
def ring(tmp_path):
    """Return a ring of the keys in a file, and that file."""
    path = tmp_path / "keys.toml"
    path.write_text(written(GOOD), "utf-8")
    path.chmod(0o644)
    return KeyRing(path, (GOOD,)), path


def put(path, text):
    """Put another file in the place of this one, as `keys` does."""
    new = path.with_suffix(".new")
    new.write_text(text, "utf-8")
    new.replace(path)


def test_keys_are_the_same_until_the_file_is_another(ring):
    ring, path = ring
    ring.look()
    first = ring.known()
    ring.look()

    assert first == (GOOD,)
    assert ring.known() is first
    put(path, written(GOOD) + "revoked = 2026-11-23T12:00:00Z\n")
    ring.look()
    assert [key.revoked is None for key in ring.known()] == [False]


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (lambda path: put(path, "[key.smith]\nperson = 7\n"), "keys.toml:2: key.smith.person"),
        (lambda path: put(path, "\0"), "keys.toml"),
        (lambda path: path.unlink(), "keys.toml"),
        (lambda path: path.chmod(0o666), "may be written by anybody"),
        (lambda path: (path.unlink(), path.mkdir()), "keys.toml"),
    ],
    ids=["fault", "no text", "gone", "open to all", "folder"],
)
def test_while_the_file_can_not_be_read_nobody_counts(ring, spoil, why):
    ring, path = ring
    ring.look()
    spoil(path)
    ring.look()

    assert ring.known().startswith("the keys can't be read: ")
    assert why in ring.known()


def test_a_file_that_comes_back_counts_again(ring):
    ring, path = ring
    path.unlink()
    ring.look()
    assert isinstance(ring.known(), str)
    put(path, written(GOOD))
    ring.look()

    assert ring.known() == (GOOD,)


def test_a_thread_looks(ring, monkeypatch):
    monkeypatch.setattr(keyring, "LOOK_S", 0.01)
    ring, path = ring
    ring.watch()
    path.unlink()
    ended_s = time.monotonic() + 5

    while not isinstance(ring.known(), str):
        assert time.monotonic() < ended_s
        time.sleep(0.01)
