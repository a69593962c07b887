"""Signing an agreement at the command line: keys, the file beside it, and who has signed."""

from __future__ import annotations

import errno
import os
import re
import shutil
import stat
import subprocess
import sys
from base64 import b64decode, b64encode
from datetime import timedelta, timezone
from pathlib import Path
from types import SimpleNamespace

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from gateway import cli, settings
from gateway.model.agreement import State
from gateway.rules.signing import key_id
from gateway.settings import BadSettings
from gateway.settings.agreement import PARTS_MAX, agreement_names, read_agreement
from gateway.settings.ed25519 import new_key, proves, read_key
from gateway.settings.signatures import signatures_path
from gateway.verbs import run, signing
from gateway.verbs.signing import opened

TEXT = """\
id = "strait"
version = "2"
title = "Watch in the strait"

[status]
state = "proposed"

[parties]
ships = {{ name = "Any ship" }}

[parties.alpha]
name = "Alpha"
public_key = "{alpha}"

[parties.bravo]
name = "Bravo"
public_key = "{bravo}"

[channels]
vhf16 = {{ hz = 156_800_000 }}

[rules.G01]
kind = "distress_override"
words = "A call for help comes first."
source = "RR 30"
basis = "confirmed"
"""


ROOT = Path(__file__).parents[1]

STATION = """\
[station]
name = "cape-light"
agreements = ["strait.toml"]
[port.vhf]
device = "tcp://127.0.0.1:1"
modem = "generic-dsc"
[link.local]
host = "127.0.0.1"
[journal]
path = "journal.db"
[log]
format = "json"
"""

PKCS8 = bytes.fromhex("302e020100300506032b657004220420")
"""What stands before the 32 bytes of an Ed25519 key: RFC 8410, section 7."""

_MADE = X25519PrivateKey.generate()
GOOD_PEM = new_key().pem
OTHER_PEM = _MADE.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
LOCKED_PEM = _MADE.private_bytes(
    Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"a word")
)


def base64_of(digits):
    return b64encode(bytes.fromhex(digits)).decode()


def pem_of(seed):
    body = b64encode(PKCS8 + bytes.fromhex(seed)).decode()
    return f"-----BEGIN PRIVATE KEY-----\n{body}\n-----END PRIVATE KEY-----\n"


def full(_file):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


class Table:
    """A folder with the keys of two parties, and an agreement that names both."""

    def __init__(self, folder):
        self.folder = folder
        self.keys = {name: self.key(f"{name}.key") for name in ("alpha", "bravo")}
        self.path = folder / "strait.toml"
        self.path.write_text(TEXT.format(**self.keys))

    def key(self, name):
        key = new_key()
        (self.folder / name).write_bytes(key.pem)
        (self.folder / name).chmod(0o600)
        return key.public

    def change(self, text, instead, name="strait.toml"):
        found = self.path.read_text()
        assert text in found
        (self.folder / name).write_text(found.replace(text, instead))
        return self.folder / name

    def sign(self, *parties, path=None, **words):
        for party in parties:
            key = self.folder / words.get("key", f"{party}.key")
            more = ["--instead-of", str(words["place"])] if "place" in words else []
            told = ["agreement", "sign", "--party", party, "--key", str(key), *more]
            status = cli.main([*told, str(path or self.path)])
            if status:
                return status
        return 0

    def verify(self, *more, path=None):
        return cli.main(["agreement", "verify", *more, str(path or self.path)])


@pytest.fixture
def table(tmp_path):
    return Table(tmp_path)


# ---- Keys ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("seed", "public", "said", "first_half", "second_half"),
    [
        (
            "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
            "",
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155",
            "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
        ),
        (
            "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
            "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
            "72",
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da",
            "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
        ),
    ],
)
def test_keys_sign_as_rfc_8032_says(tmp_path, seed, public, said, first_half, second_half):
    """RFC 8032, section 7.1, tests 1 and 2."""
    path = tmp_path / "rfc.key"
    path.write_text(pem_of(seed))
    path.chmod(0o600)
    key, signature = read_key(path), base64_of(first_half + second_half)

    assert key.public == "ed25519:" + base64_of(public)
    assert key.sign(bytes.fromhex(said)) == signature
    assert proves(key.public, bytes.fromhex(said), signature)
    assert not proves(key.public, b"\x73", signature)


def test_a_key_is_made_that_only_its_owner_reads_and_that_signs(tmp_path, capsys):
    path = tmp_path / "alpha.key"
    assert cli.main(["agreement", "keygen", str(path)]) == 0

    key, told = read_key(path), capsys.readouterr().out
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert f'    public_key = "{key.public}"\n' in told
    assert f"key id       {key_id(key.public)}\n" in told
    assert "PRIVATE" not in told
    assert proves(key.public, b"word", key.sign(b"word"))


def test_a_key_never_goes_over_a_file_that_is_there(tmp_path, capsys):
    path = tmp_path / "alpha.key"
    path.write_text("the key of alpha")
    assert cli.main(["agreement", "keygen", str(path)]) == cli.MISUSED

    assert path.read_text() == "the key of alpha"
    assert f"{path}: is there already" in capsys.readouterr().err


def test_a_link_to_a_file_that_is_not_there_is_followed_nowhere(tmp_path):
    (tmp_path / "alpha.key").symlink_to(tmp_path / "elsewhere")

    assert cli.main(["agreement", "keygen", str(tmp_path / "alpha.key")]) == cli.MISUSED
    assert not (tmp_path / "elsewhere").exists()


def test_a_key_that_did_not_reach_the_disk_leaves_no_file(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(signing.os, "fsync", full)
    assert cli.main(["agreement", "keygen", str(tmp_path / "alpha.key")]) == cli.MISUSED

    assert "alpha.key: can't be written: No space left" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_a_key_for_which_there_is_no_folder_is_said_so(tmp_path, capsys):
    assert cli.main(["agreement", "keygen", str(tmp_path / "none" / "a.key")]) == cli.MISUSED
    assert "can't be written: No such file or directory" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("content", "mode", "fault"),
    [
        (None, 0o600, "no such file; `distress-gateway agreement keygen FILE` makes one"),
        (b"", 0o600, "is no private key in PEM"),
        (b"\xff" * 10_000, 0o600, "is no private key in PEM"),
        (GOOD_PEM, 0o640, "may be read or written by others; chmod 600 "),
        (GOOD_PEM, 0o602, "may be read or written by others"),
        (LOCKED_PEM, 0o600, "is locked with a password"),
        (OTHER_PEM, 0o600, "is a key of another kind than Ed25519"),
    ],
    ids=["none", "empty", "noise", "others read", "others write", "locked", "another kind"],
)
def test_what_is_no_key_of_ones_own_is_refused(tmp_path, content, mode, fault):
    path = tmp_path / "alpha.key"
    if content is not None:
        path.write_bytes(content)
        path.chmod(mode)
    with pytest.raises(BadSettings) as bad:
        read_key(path)

    assert str(bad.value).startswith(f"{path}: {fault}")


def test_a_folder_is_no_key(tmp_path):
    with pytest.raises(BadSettings, match="can't be read: Is a directory"):
        read_key(tmp_path)


# ---- Signing and proving -------------------------------------------------------------------------


def test_all_have_to_sign_and_each_is_named_with_its_key_and_time(table, capsys):
    assert table.verify() == 1
    assert table.sign("alpha") == 0
    assert table.verify() == 1
    assert table.sign("bravo") == 0
    capsys.readouterr()
    assert table.verify() == 0

    head, alpha, bravo, whole, others = capsys.readouterr().out.splitlines()
    agreement = read_agreement(table.path)
    assert head == f"strait 2, digest {agreement.digest}"
    for line, party in ((alpha, "alpha"), (bravo, "bravo")):
        key = key_id(table.keys[party])
        assert re.fullmatch(rf" {{4}}{party}  signed 20\d\d-[-\d]+ [:\d]+Z by key {key}", line)
    assert whole == "signed by all of 2"
    assert others == "not asked, for want of a public_key: ships"


def test_who_has_not_signed_is_named(table, capsys):
    table.sign("bravo")
    capsys.readouterr()

    assert table.verify() == 1
    said = capsys.readouterr().out
    assert f"    alpha  missing: has not signed with key {key_id(table.keys['alpha'])}\n" in said
    assert "\nsigned by bravo, not by alpha\n" in said


def test_a_text_that_was_changed_after_is_signed_by_nobody(table, capsys):
    table.sign("alpha", "bravo")
    table.path.write_text(table.path.read_text().replace("comes first", "comes last"))
    capsys.readouterr()

    assert table.verify() == 1
    said = capsys.readouterr().out
    assert said.count("wrong: the text was changed after it signed version 2, 20") == 2
    assert "\nsigned by nobody, not by alpha, bravo\n" in said


@pytest.mark.parametrize("line", [line for line in TEXT.splitlines() if line])
def test_not_one_line_can_be_taken_out_or_said_twice_after(table, line):
    """But for the state, which is not of the text."""
    table.sign("alpha", "bravo")
    line = line.format(**table.keys)
    shorter = table.path.read_text().replace(f"{line}\n", "", 1)
    doubled = table.path.read_text().replace(line, f"{line}\n{line}", 1)

    table.path.write_text(shorter)
    assert (table.verify() == 0) is (line == 'state = "proposed"')
    table.path.write_text(doubled)
    assert table.verify() == cli.MISUSED


def test_comments_and_the_state_may_change_after(table):
    table.sign("alpha", "bravo")
    table.path.write_text(
        "# of the strait\n" + table.path.read_text().replace("proposed", "in_force")
    )

    assert table.verify() == 0


def test_a_key_changed_in_the_text_makes_what_was_signed_before_wrong(table, capsys):
    table.sign("alpha", "bravo")
    other = table.key("other.key")
    table.path.write_text(table.path.read_text().replace(table.keys["alpha"], other))
    capsys.readouterr()

    assert table.verify() == 1
    was, now = key_id(table.keys["alpha"]), key_id(other)
    assert (
        f"alpha  wrong key: signed by {was}, and its key here is {now}" in capsys.readouterr().out
    )


def test_a_signature_that_was_touched_is_wrong(table, capsys):
    table.sign("alpha", "bravo")
    beside = signatures_path(table.path)
    beside.write_text(
        re.sub(r"signed_utc = \d{4}", "signed_utc = 2020", beside.read_text(), count=1)
    )
    capsys.readouterr()

    assert table.verify() == 1
    assert "alpha  wrong: damaged or made up" in capsys.readouterr().out


def test_a_signature_of_somebody_who_has_no_key_counts_for_nothing(table, capsys):
    table.sign("alpha", "bravo")
    beside = signatures_path(table.path)
    beside.write_text(beside.read_text().replace("[signatures.bravo]", "[signatures.ships]"))
    capsys.readouterr()

    assert table.verify() == 1
    said = capsys.readouterr().out
    assert "    bravo  missing" in said
    assert "    ships  counts for nothing: it has no public_key in this agreement" in said
    assert "\nsigned by alpha, not by bravo\n" in said


def test_a_time_is_told_as_that_of_greenwich_wherever_it_was_written(table, capsys):
    table.sign("alpha", "bravo")
    beside = signatures_path(table.path)
    utc = opened(str(table.path)).signatures.signatures["alpha"].signed_utc
    here = utc.astimezone(timezone(timedelta(hours=9))).isoformat()
    beside.write_text(beside.read_text().replace(f"{utc:%Y-%m-%dT%H:%M:%SZ}", here))
    capsys.readouterr()

    assert table.verify() == 0
    assert f"alpha  signed {utc:%Y-%m-%d %H:%M:%S}Z" in capsys.readouterr().out


def test_nobody_has_to_sign_where_nobody_has_a_key(table, capsys):
    path = table.path
    path.write_text(re.sub(r"public_key = .*\n", "", path.read_text()))

    assert table.verify() == 1
    assert "nobody has to sign: no party of it has a public_key" in capsys.readouterr().out


def test_who_signs_again_signs_anew_and_the_others_stay(table):
    table.sign("alpha", "bravo")
    before = opened(str(table.path)).signatures
    table.path.write_text(table.path.read_text().replace("Watch", "The watch"))
    table.sign("alpha")
    after = opened(str(table.path)).signatures

    assert after.signatures["bravo"] == before.signatures["bravo"]
    assert after.signatures["alpha"].digest == read_agreement(table.path).digest


@pytest.mark.parametrize(
    ("party", "key", "fault"),
    [
        ("alfa", "alpha.key", ': parties: has no party "alfa"; did you mean `alpha`?'),
        ("zulu", "alpha.key", ': parties: has no party "zulu"; there are: ships, alpha, bravo'),
        ("ships", "alpha.key", ": parties.ships: has no public_key, so nobody could prove its"),
        ("alpha", "bravo.key", ": parties.alpha.public_key: is key "),
        ("alpha", "none.key", "none.key: no such file"),
    ],
)
def test_who_signs_for_another_is_told_where_and_why(table, capsys, party, key, fault):
    assert table.sign(party, key=key) == cli.MISUSED

    told = capsys.readouterr().err
    assert fault in told
    assert not signatures_path(table.path).exists()


def test_a_party_without_a_key_is_told_with_the_line_and_what_to_write(table, capsys):
    line = 1 + table.path.read_text().splitlines().index('ships = { name = "Any ship" }')
    table.sign("ships", key="alpha.key")

    told = capsys.readouterr().err
    assert f"strait.toml:{line}: parties.ships:" in told
    assert f'add `public_key = "{table.keys["alpha"]}"`, before anybody signs' in told


def test_signatures_go_to_the_disk_at_one_stroke(table, capsys, monkeypatch):
    table.sign("alpha")
    before = signatures_path(table.path).read_text()
    monkeypatch.setattr(signing.os, "fsync", full)

    assert table.sign("bravo") == cli.MISUSED
    assert "can't be written: No space left" in capsys.readouterr().err
    assert signatures_path(table.path).read_text() == before
    assert not [path for path in table.folder.iterdir() if path.name.endswith(".new")]


def test_a_box_without_the_time_signs_nothing(table, capsys, monkeypatch):
    monkeypatch.setattr(signing, "utc_of", lambda _utc_ns: None)

    assert table.sign("alpha") == cli.MISUSED
    assert "the clock of this box was never set" in capsys.readouterr().err


def test_the_tools_of_others_prove_a_signature_too(table, tmp_path):
    """A party trusts its own tools: here OpenSSL, with the statement written down by hand."""
    table.sign("alpha")
    one = opened(str(table.path))
    signature = one.signatures.signatures["alpha"]
    (tmp_path / "said").write_text(
        f'{{"agreement":"strait","digest":"{one.agreement.digest}",'
        '"form":"distress-gateway agreement signature 1","party":"alpha",'
        f'"signed_utc":"{signature.signed_utc:%Y-%m-%dT%H:%M:%SZ}","version":"2"}}'
    )
    (tmp_path / "sealed").write_bytes(b64decode(signature.signature))
    told = ["pkeyutl", "-verify", "-inkey", "alpha.key", "-rawin", "-in", "said"]
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not here")
    done = subprocess.run(
        ["openssl", *told, "-sigfile", "sealed"],  # noqa: S607  # wherever this machine has it
        cwd=tmp_path,
        capture_output=True,
        check=False,
        timeout=30,
    )

    assert done.stdout.strip() == b"Signature Verified Successfully", done.stderr


# ---- Taking the place of another -----------------------------------------------------------------


def test_an_older_version_comes_back_only_when_all_sign_for_it(table, capsys):
    table.sign("alpha", "bravo")
    newer = table.change('version = "2"', 'version = "3"', "newer.toml")
    table.sign("alpha", "bravo", path=newer)
    back = ("--instead-of", str(newer))
    capsys.readouterr()

    assert table.verify(*back) == 1
    assert "stays proposed: it is older than version 3" in capsys.readouterr().out
    assert table.sign("alpha", place=newer) == 0
    assert f"alpha agrees that it takes the place of {newer}\n" in capsys.readouterr().out
    assert table.verify(*back) == 1
    assert "bravo has not signed for going back" in capsys.readouterr().out
    assert table.sign("bravo", place=newer) == 0
    assert table.verify(*back) == 0
    said = capsys.readouterr().out
    assert re.search(r"    going from 3: bravo  signed 20[-\d]+ [:\d]+Z by key ", said)
    assert said.endswith("may take its place: version 2 goes back to take the place of 3\n")


def test_a_new_key_is_handed_over_by_the_old_one(table, capsys):
    fresh = table.key("fresh.key")
    newer = table.change('version = "2"', 'version = "3"', "newer.toml")
    newer.write_text(newer.read_text().replace(table.keys["bravo"], fresh))
    table.sign("alpha", path=newer)
    table.sign("bravo", path=newer, key="fresh.key")
    instead = ("--instead-of", str(table.path))
    capsys.readouterr()

    assert table.verify(*instead, path=newer) == 1
    assert "bravo has not signed, with the key of version 2" in capsys.readouterr().out
    assert table.sign("bravo", path=newer, place=table.path) == 0
    assert table.verify(*instead, path=newer) == 0


def test_the_same_version_of_another_text_is_refused(table, capsys):
    other = table.change("comes first", "comes last", "other.toml")
    table.sign("alpha", "bravo", path=other)
    capsys.readouterr()

    assert table.verify("--instead-of", str(table.path), path=other) == 1
    assert "refused: it has another text than the one in place" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "instead", "fault"),
    [
        (
            "[parties]",
            "# who\n[parties]",
            ":2: version: is the very text that is to take",
        ),
        ('id = "strait"', 'id = "sound"', ':1: id: is "sound", and that which is to take its'),
    ],
    ids=["the same text", "another agreement"],
)
def test_what_can_take_no_place_is_not_signed_for(table, capsys, text, instead, fault):
    other = table.folder / "other.toml"
    other.write_text(table.path.read_text().replace(text, instead))

    assert table.sign("alpha", place=other) == cli.MISUSED
    assert f"other.toml{fault}" in capsys.readouterr().err


# ---- The file ------------------------------------------------------------------------------------


def test_what_is_written_is_read_again_whatever_parties_are_called(table):
    table.sign("alpha")
    beside = signatures_path(table.path)
    text = beside.read_text()
    stranger = text[text.index("[signatures.alpha]") :].replace("alpha", r'"Bravo \t Ω\""')
    beside.write_text(f"{text}\n{stranger}")
    table.sign("bravo")

    assert table.verify() == 0
    assert set(opened(str(table.path)).signatures.signatures) == {"alpha", 'Bravo \t Ω"', "bravo"}


def test_signatures_stand_beside_the_agreement_under_its_name():
    assert signatures_path(Path("a/strait.toml")) == Path("a/strait.signatures.toml")
    assert signatures_path(Path("a/strait.v2")) == Path("a/strait.v2.signatures.toml")


@pytest.mark.parametrize(
    ("text", "instead", "fault"),
    [
        ('agreement = "strait"', 'agreement = "sound"', ':3: agreement: signs "sound", and the'),
        ('agreement = "strait"\n', "", ": agreement: is missing"),
        ("[signatures.alpha]", "[signature.alpha]", "unknown key; did you mean `signatures`?"),
        ("digest =", "digset =", ":8: signatures.alpha.digset: unknown key; did you mean `digest`"),
        ("digest =", "digset =", "signatures.alpha.digest: is missing"),
        ('version = "2"', 'version = "two"', ":7: signatures.alpha.version: must be one to four"),
        ("Z\n", "\n", ":9: signatures.alpha.signed_utc: must be a date and time with its zone"),
        ('key = "', 'key = "0x', ":6: signatures.alpha.key: must be 16 hexadecimal digits"),
        (
            'signature = "',
            'signature = "A',
            ":10: signatures.alpha.signature: must be the 64 bytes",
        ),
    ],
)
def test_a_fault_in_the_file_is_told_with_its_line_and_a_remedy(
    table, capsys, text, instead, fault
):
    table.sign("alpha")
    beside = signatures_path(table.path)
    assert text in beside.read_text()
    beside.write_text(beside.read_text().replace(text, instead))
    capsys.readouterr()

    assert table.verify() == cli.MISUSED
    assert fault in capsys.readouterr().err


def test_a_file_made_by_mistake_is_refused(table, capsys):
    table.sign("alpha")
    beside = signatures_path(table.path)
    more = "\n".join(f"[instead.p{number}]" for number in range(PARTS_MAX + 1))
    beside.write_text(f"{beside.read_text()}\n{more}\n")

    assert table.verify() == cli.MISUSED
    assert "instead: has more than 512" in capsys.readouterr().err


def test_two_parties_have_no_key_together(table, capsys):
    table.path.write_text(table.path.read_text().replace(table.keys["bravo"], table.keys["alpha"]))

    assert table.verify() == cli.MISUSED
    assert 'parties.bravo.public_key: is the key of party "alpha" too' in capsys.readouterr().err


def test_a_key_by_which_anybody_can_sign_is_none(table, capsys):
    """The neutral point of the curve: this signature is genuine under every text there is."""
    anybodys, forged = (b64encode(b"\1" + bytes(count)).decode() for count in (31, 63))
    assert proves(f"ed25519:{anybodys}", b"whatever", forged)
    text = table.path.read_text().replace(table.keys["alpha"], f"ed25519:{anybodys}")
    table.path.write_text(text)

    assert table.verify() == cli.MISUSED
    assert "parties.alpha.public_key: is a key by which anybody can" in capsys.readouterr().err


@pytest.mark.parametrize("key", ["7", '"ed25519:AAAA"', '"rsa:x"'])
def test_what_is_no_public_key_is_told_with_its_line(table, capsys, key):
    text = table.path.read_text().replace(f'"{table.keys["alpha"]}"', key)
    table.path.write_text(text)
    line = 1 + text.splitlines().index(f"public_key = {key}")

    assert table.verify() == cli.MISUSED
    told = f"strait.toml:{line}: parties.alpha.public_key: must be the line that `agreement keygen`"
    assert told in capsys.readouterr().err


def test_the_file_of_signatures_is_no_agreement(table, monkeypatch):
    (table.folder / "agreements").mkdir()
    table.sign("alpha")
    for path in (table.path, signatures_path(table.path)):
        path.rename(table.folder / "agreements" / path.name)
    monkeypatch.setattr("gateway.settings.agreement.shipped", lambda _kind: table.folder)

    assert agreement_names() == ["strait"]
    assert table.verify(path="strait") == 1


# ---- At the station ------------------------------------------------------------------------------


def at_station(table):
    config = table.folder / "gateway.toml"
    config.write_text(STATION)
    return config


def test_an_agreement_binds_as_its_file_says_when_all_have_signed_it(table):
    table.path.write_text(table.path.read_text().replace("proposed", "in_force"))
    table.sign("alpha", "bravo")
    plan = settings.load(at_station(table))

    assert plan.agreements[0].status.state is State.IN_FORCE
    assert plan.agreement_doubts == ()


@pytest.mark.parametrize(
    ("text", "instead", "doubt"),
    [
        ("[signatures.bravo]", "[signatures.other]", "bravo has not signed it"),
        ('agreement = "strait"', "agreement = ", "its signatures can't be read: /"),
        ('agreement = "strait"', 'agreement = "sound"', "its signatures can't be read: /"),
        ("signed_utc = ", "signed_utc = 0001-01-01T00:00:00+01:00 #", "its signatures can't be"),
    ],
    ids=["missing", "no TOML", "of another", "of no year"],
)
def test_what_not_all_have_signed_is_kept_proposed_and_stops_no_start(
    table, capsys, text, instead, doubt
):
    table.path.write_text(table.path.read_text().replace("proposed", "in_force"))
    table.sign("alpha", "bravo")
    beside = signatures_path(table.path)
    beside.write_text(beside.read_text().replace(text, instead))
    config = at_station(table)
    plan = settings.load(config)

    assert plan.agreements[0].status.state is State.PROPOSED
    assert plan.agreement_doubts[0].startswith(f"strait 2 is kept proposed: {doubt}")
    capsys.readouterr()
    assert cli.main(["check", "--config", str(config)]) == 0
    assert f"  agreement strait 2 is kept proposed: {doubt}" in capsys.readouterr().out


def test_a_run_says_which_agreement_binds_nobody(table, monkeypatch):
    async def nothing(*_given):
        pass

    said = []
    log = SimpleNamespace(warning=lambda event, **words: said.append((event, words)))
    monkeypatch.setattr(run, "watch", nothing)
    monkeypatch.setattr(run, "set_up", lambda **_words: log)
    monkeypatch.setattr(run.faulthandler, "enable", lambda: None)
    monkeypatch.setattr(run.sys, "setswitchinterval", lambda _s: None)
    table.sign("alpha", "bravo")
    assert cli.main(["run", "--config", str(at_station(table))]) == 0

    reason = "strait 2 is kept proposed: its own file says that it is proposed"
    assert said == [("agreement_kept_proposed", {"reason": reason})]


def test_no_keys_are_asked_for_where_an_agreement_names_none(table):
    """A station is not to wait at each start for a library that it has no use for."""
    table.path.write_text(re.sub(r"public_key = .*\n", "", table.path.read_text()))
    code = (
        "import sys; from gateway import settings\n"
        f"plan = settings.load({str(at_station(table))!r})\n"
        "print(plan.agreement_doubts, 'cryptography' in sys.modules)"
    )
    done = subprocess.run(  # the text right above
        [sys.executable, "-c", code], capture_output=True, check=True, cwd=ROOT, timeout=30
    )

    assert done.stdout == b"() False\n"


# ---- Show and check ------------------------------------------------------------------------------


def test_show_says_who_has_signed(table, capsys):
    table.sign("alpha")
    capsys.readouterr()
    assert cli.main(["agreement", "show", str(table.path)]) == 0

    said = capsys.readouterr().out
    alpha = key_id(table.keys["alpha"])
    assert f"    alpha  Alpha; signs with key {alpha}\n" in said
    assert re.search(
        rf"\nSignatures\n    alpha  signed .* by key {alpha}\n    bravo  missing", said
    )


def test_check_says_who_has_signed_and_finds_what_claims_to_hold_without(table, capsys):
    table.sign("alpha")
    capsys.readouterr()
    assert cli.main(["agreement", "check", str(table.path)]) == 0
    assert capsys.readouterr().out == "strait 2: 1 rule, good; signed by alpha, not by bravo\n"

    table.path.write_text(table.path.read_text().replace("proposed", "in_force"))
    assert cli.main(["agreement", "check", str(table.path)]) == 1
    assert "    status: it says that it is in force, and is no more than proposed" in (
        capsys.readouterr().out
    )
    table.sign("bravo")
    capsys.readouterr()
    assert cli.main(["agreement", "check", str(table.path)]) == 0
    assert capsys.readouterr().out == "strait 2: 1 rule, good; signed by all of 2\n"


@pytest.mark.parametrize("action", ["keygen", "sign", "verify"])
def test_help_teaches_how_parties_sign(capsys, action):
    with pytest.raises(SystemExit, match="0"):
        cli.main(["agreement", action, "--help"])

    said = capsys.readouterr().out
    assert "distress-gateway agreement keygen alpha.key" in said
    assert "distress-gateway agreement verify strait.toml" in said
