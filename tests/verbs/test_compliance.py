"""`compliance`: a report out of a journal, and what another who has that journal says of it."""

from __future__ import annotations

import asyncio
import hashlib
import html.parser
import re
import runpy
import sqlite3
from base64 import b64encode
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from gateway import cli
from gateway.model.plan import JournalPlan
from gateway.model.verdict import Judgement, Verdict, VerdictNote
from gateway.rules import account as accounts
from gateway.rules.account import account_from, account_of
from gateway.rules.signing import WEAK_KEYS, key_id
from gateway.settings.agreement import PARTS_MAX, read_agreement
from gateway.settings.ed25519 import new_key
from gateway.verbs import compliance

HOUSE = runpy.run_path(str(Path(__file__).parents[1] / "journal/conftest.py"))

AGREEMENT = """\
id = "strait"
version = "1"
title = "Watch in the strait"
[parties]
station = {{ name = "This station", match = {{ mmsi = ["00#######"] }} }}
{parties}
[channels]
vhf70 = {{ hz = 156_525_000, mode = "dsc" }}
[rules.first]
kind = "distress_override"
words = "Distress goes before all."
categories = ["distress"]
source = "a test"
basis = "design"
"""

EVIL = '<script src="http://x/y.js">alert(1)</script>\x1b[2J'


@pytest.fixture(scope="module")
def text(tmp_path_factory):
    path = tmp_path_factory.mktemp("agreed") / "strait.toml"
    path.write_text(AGREEMENT.format(parties=""))
    return path


def note(number, day, text, **more):
    verdict = Verdict(
        agreement="strait", version="1", digest=read_agreement(text).digest, rule="first",
        kind="distress_override", mono_ns=number, utc=datetime(2026, 11, day, 12, tzinfo=UTC),
        **{"judgement": Judgement.VIOLATION, "subject": "mmsi:1", "words": EVIL, **more},
    )  # fmt: skip
    return VerdictNote(verdict_id=f"{number:032x}", verdict=verdict)


@pytest.fixture
def journal(tmp_path, text):
    path = tmp_path / "journal.db"
    kept = [
        HOUSE["ruling"](1, "distress"),
        note(1, 22, text, evidence=("a" * 32,)),
        note(2, 23, text, judgement=Judgement.OK),
        note(3, 23, text, subject="availability:station/vhf70/2026-10", words="99 %"),
    ]

    async def story():
        async with HOUSE["opened"](JournalPlan(path=str(path))) as journal:
            await journal.append(kept)

    asyncio.run(story())
    return path


@pytest.fixture
def report(journal, text, tmp_path):
    path = tmp_path / "report.msgpack"
    asked = ["compliance", "--journal", str(journal), "--form", "msgpack", "-o", str(path)]
    assert cli.main([*asked, str(text)]) == 0
    return path


def proven(report, journal, *more):
    asked = ["compliance", "--verify", str(report), "--journal", str(journal)]
    return cli.main([*asked, *map(str, more)])


def test_in_words_it_has_the_clause_the_counts_and_the_proof_of_each(journal, text, capsys):
    assert cli.main(["compliance", "--journal", str(journal), str(text)]) == 0

    page = capsys.readouterr().out
    for words in (
        "how agreements were kept: the whole journal\nstation    kust\n",
        f"digest {read_agreement(text).digest}\n    Distress goes before all.\n",
        "    [design] a test\n    found: violation 2, ok 1\n",
        "    2026-10  station/vhf70  violation  99 % (entry 4)\n",
        f"verdict {1:032x}, entry 2, link ",
        f"by {'a' * 32}",
    ):
        assert words in page, page
    assert "\x1b" not in page


def test_of_a_day_it_says_what_stood_at_its_end(journal, capsys):
    assert cli.main(["compliance", "--journal", str(journal), "--day", "2026-11-22"]) == 0

    page = capsys.readouterr().out
    assert "    stands: violation of mmsi:1 since 2026-11-22 12:00:00Z, entry 2\n" in page
    assert "availability" not in page


def test_the_page_loads_nothing_and_runs_nothing(journal, text, tmp_path):
    out = tmp_path / "page.html"
    asked = ["compliance", "--journal", str(journal), "--form", "html", "-o", str(out)]
    assert cli.main([*asked, str(text)]) == 0

    found = []
    parser = html.parser.HTMLParser()
    parser.handle_starttag = lambda tag, attributes: found.append((tag, dict(attributes)))
    page = out.read_text()
    parser.feed(page)
    assert {tag for tag, _ in found} <= {
        *("html", "head", "meta", "title", "style", "body", "h1", "h2"),
        *("table", "thead", "tbody", "tr", "th", "td", "br"),
    }
    assert not any({"src", "href", "style"} & attributes.keys() for _, attributes in found)
    assert "&lt;script src=" in page
    assert "Availability of watches" in page
    assert "\x1b" not in page


def test_a_report_holds_against_its_journal_also_when_that_goes_on(report, journal, text, capsys):
    async def story():
        async with HOUSE["opened"](JournalPlan(path=str(journal))) as opened:
            await opened.append([note(4, 23, text)])

    asyncio.run(story())

    assert proven(report, journal, text) == 0
    said = capsys.readouterr().out
    assert said == "the report holds: 3 verdicts, each as its entry has it, and none left out\n"


def test_clauses_without_their_text_are_told_as_unproven(report, journal, text, capsys):
    assert proven(report, journal) == 0

    digest = read_agreement(text).digest
    assert f"unproven  the clauses of strait: give the text with digest {digest}\n" in (
        capsys.readouterr().out
    )


def test_a_forged_clause_head_or_verdict_is_named(report, journal, text, capsys):
    account = account_from(report.read_bytes())
    rule = account.rules[0]
    forged = replace(
        account,
        end=replace(account.end, link_last=b"x" * 16),
        rules=(replace(rule, clause=replace(rule.clause, words="Anything goes.")),),
        verdicts=account.verdicts[1:],
    )
    report.write_bytes(msgspec.msgpack.encode(forged))

    assert proven(report, journal, text) == 1
    said = capsys.readouterr().out
    for words in (
        "FAILS  entry 2 of the journal is left out\n",
        "FAILS  what it says of strait/first does not follow from its verdicts\n",
        "FAILS  the clause of strait/first is not written so in its text\n",
        "FAILS  entry 4 has another link in the journal\n",
        "the report does NOT hold\n",
    ):
        assert words in said, said


def test_an_entry_that_was_changed_in_the_journal_proves_nothing(report, journal, text, capsys):
    with closing(sqlite3.connect(journal, isolation_level=None)) as db:
        db.execute("UPDATE entry SET body = x'81' WHERE number = 2")

    assert proven(report, journal, text) == 1
    assert "FAILS  entry 2 is not in the journal" in capsys.readouterr().out


def test_what_is_no_report_or_no_journal_is_refused(report, journal, tmp_path, capsys):
    junk = tmp_path / "junk"
    junk.write_bytes(b"\x81\xa1")

    assert proven(junk, journal) == 1
    assert "no report of compliance" in capsys.readouterr().err
    assert proven(tmp_path / "none", journal) == 1
    assert "No such file" in capsys.readouterr().err
    assert proven(report, junk) == 1
    assert capsys.readouterr().err


@pytest.mark.parametrize(
    "time", [["--day", "2026-11-31"], ["--month", "2026-1"], ["--day", "2026-11"]]
)
def test_a_time_that_is_none_is_refused(time, capsys):
    with pytest.raises(SystemExit) as ended:
        cli.main(["compliance", "--journal", "x", *time])

    assert ended.value.code == 2
    assert "is like 2026-11" in capsys.readouterr().err


# ---- Signed by the parties -----------------------------------------------------------------------

WEAK = "ed25519:" + b64encode(min(WEAK_KEYS)).decode()


class Parties:
    """An agreement with two parties that have keys, a journal under it, and a report of that."""

    def __init__(self, folder):
        self.folder = folder
        self.keys = {name: self.key(name) for name in ("north", "south", "other")}
        self.text = folder / "strait.toml"
        self.agree(self.keys["north"])
        self.journal = folder / "journal.db"
        self.report = folder / "november.msgpack"
        self.beside = folder / "november.msgpack.sig"
        asyncio.run(self.keep(1, 2))

    def key(self, name):
        key = new_key()
        (self.folder / f"{name}.key").write_bytes(key.pem)
        (self.folder / f"{name}.key").chmod(0o600)
        return key.public

    def agree(self, north):
        named = f'north = {{ name = "North", public_key = "{north}" }}'
        named += f'\nsouth = {{ name = "South", public_key = "{self.keys["south"]}" }}'
        self.text.write_text(AGREEMENT.format(parties=named))

    async def keep(self, *numbers):
        async with HOUSE["opened"](JournalPlan(path=str(self.journal))) as journal:
            await journal.append([note(number, 22, self.text) for number in numbers])

    def ask(self, *more, text=None):
        return cli.main(["compliance", *map(str, more), str(text or self.text)])

    def by(self, party, key=None):
        return "--party", party, "--key", self.folder / f"{key or party}.key"

    def make(self, *more, text=None):
        asked = ["--journal", self.journal, "--month", "2026-11", "--form", "msgpack"]
        return self.ask(*asked, "-o", self.report, *more, text=text)

    def sign(self, party, *more, key=None, text=None):
        return self.ask("--sign", self.report, *self.by(party, key), *more, text=text)

    def verify(self, *more, text=None):
        return self.ask("--verify", self.report, *more, text=text)

    def forge(self, **changed):
        account = account_from(self.report.read_bytes())
        self.report.write_bytes(msgspec.msgpack.encode(replace(account, **changed)))

    def change(self, pattern, instead):
        changed, times = re.subn(pattern, instead, self.beside.read_text(), count=1)
        assert times
        self.beside.write_text(changed)


@pytest.fixture
def parties(tmp_path):
    return Parties(tmp_path)


@pytest.fixture
def signed(parties, capsys):
    """Return them with a report that both have signed."""
    assert parties.make(*parties.by("north")) == 0
    assert parties.sign("south", "--journal", parties.journal) == 0
    capsys.readouterr()
    return parties


def by(parties, party):
    key = key_id(parties.keys[party])
    return rf"signed  20\d\d-[-\d]+ [:\d]+Z by {party}, key {key}, as a party of strait 1\n"


def test_one_signs_what_it_makes_and_the_other_is_missed(parties, capsys):
    assert parties.make(*parties.by("north")) == 0
    said = capsys.readouterr().out
    missing = (
        f"unsigned  south of strait has not signed it with key {key_id(parties.keys['south'])}\n"
    )
    assert re.fullmatch(by(parties, "north") + re.escape(missing), said), said

    assert parties.verify("--journal", parties.journal) == 0
    said = capsys.readouterr().out
    holds = "the report holds: 2 verdicts, each as its entry has it, and none left out\n"
    assert re.fullmatch(by(parties, "north") + re.escape(missing + holds), said), said


def test_both_sign_the_same_bytes_and_each_can_prove_it_with_the_journal_or_without(signed, capsys):
    body = signed.report.read_bytes()
    both = by(signed, "north") + by(signed, "south")

    assert signed.verify("--journal", signed.journal) == 0
    assert re.fullmatch(both + "the report holds: 2 verdicts, each .*\n", capsys.readouterr().out)
    signed.journal.unlink()
    assert signed.verify() == 0
    said = capsys.readouterr().out
    unproven = (
        "unproven  that no verdict is left out, and that each entry is one of the journal.*\n"
    )
    by_itself = "nothing in the report is wrong by itself: 2 verdicts\n"
    assert re.fullmatch(unproven + both + by_itself, said), said
    assert signed.beside.read_text().count(hashlib.sha256(body).hexdigest()) == 2
    assert "holds" not in said


def test_who_signs_twice_has_signed_once(signed, capsys):
    assert signed.sign("north") == 0
    assert len(re.findall(r"signed  20", capsys.readouterr().out)) == 2


def test_a_signature_that_was_touched_is_given_again_by_whose_it_is(signed, capsys):
    signed.change(r'signature = "....', 'signature = "AAAA')
    assert signed.sign("south") == 1
    assert "FAILS  the signature of north of strait: damaged" in capsys.readouterr().out

    assert signed.sign("north") == 0
    assert signed.verify("--journal", signed.journal) == 0


def test_a_report_that_was_changed_after_holds_for_nobody(signed, capsys):
    signed.forge(undated=1)

    assert signed.verify() == 1
    said = capsys.readouterr().out
    assert len(re.findall(
        r"FAILS  the signature of (?:north|south) of strait: given 20\S+ \S+Z under another"
        r" report, of 2026-11, with SHA-256 [0-9a-f]{16}…: this one was changed after, .*\n", said
    )) == 2  # fmt: skip
    assert said.endswith("by itself: 2 verdicts; a signature beside it does NOT hold\n")
    assert signed.verify("--journal", signed.journal) == 1
    assert capsys.readouterr().out.endswith("the report does NOT hold\n")


def test_wherever_a_byte_of_it_is_changed_it_is_seen(signed, capsys):
    body = signed.report.read_bytes()
    for place in range(0, len(body), 23):
        signed.report.write_bytes(body[:place] + bytes([body[place] ^ 1]) + body[place + 1 :])

        assert signed.verify() == 1, place
    assert "the report holds" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("pattern", "instead", "fault"),
    [
        (r'signature = "....', 'signature = "AAAA', "damaged or made up, key "),
        (r'period = "2026-11"', 'period = "2026-10"', "damaged or made up, key "),
        (r'digest = "\w{4}', 'digest = "0000', "damaged or made up, key "),
        (
            r'key = "\w{16}',
            'key = "0123456789abcdef',
            "made with key 0123456789abcdef, and its key",
        ),
        ("strait.south", "strait.west", "counts for nothing: the agreement has no public_key"),
        ("strait.south", "strait.station", "counts for nothing: the agreement has no public_key"),
    ],
    ids=["signature", "period", "digest", "key", "no party", "no key"],
)
def test_a_signature_that_was_touched_fails(signed, pattern, instead, fault, capsys):
    signed.change(pattern, instead)
    capsys.readouterr()

    assert signed.verify("--journal", signed.journal) == 1
    said = capsys.readouterr().out
    assert re.search(rf"^FAILS  the signature of \w+ of strait: {fault}", said), said
    assert said.endswith("and none left out; a signature beside it does NOT hold\n")


def test_a_signature_under_another_text_of_the_agreement_fails_until_that_is_named(signed, capsys):
    earlier = signed.folder / "earlier.toml"
    earlier.write_bytes(signed.text.read_bytes())
    digest = read_agreement(earlier).digest
    signed.text.write_text(signed.text.read_text().replace('version = "1"', 'version = "2"'))

    assert signed.verify() == 1
    asked = f"given as a party of the text with digest {digest}: name that one"
    assert capsys.readouterr().out.count(asked) == 2
    assert signed.verify(text=earlier) == 0


def test_without_the_agreement_a_signature_is_unproven(signed, capsys):
    assert cli.main(["compliance", "--verify", str(signed.report)]) == 0

    said = capsys.readouterr().out
    digest = read_agreement(signed.text).digest
    for name in ("north", "south"):
        words = f"the signature of {name} of strait: give the text with digest {digest}"
        assert f"unproven  {words}\n" in said
    assert "signed" not in said


@pytest.mark.parametrize(
    ("party", "key", "fault"),
    [
        ("north", "south", "parties.north.public_key: is key "),
        ("station", "north", "parties.station: has no public_key, so nobody could prove"),
        ("west", "north", 'parties: has no party "west"; '),
        ("north", "none", "none.key: no such file; `distress-gateway agreement keygen FILE`"),
    ],
)
def test_who_can_not_sign_is_told_why_and_nothing_is_written(parties, party, key, fault, capsys):
    assert parties.make(*parties.by(party, key)) == cli.MISUSED

    said = capsys.readouterr().err
    assert fault in said, said
    assert not parties.report.exists()
    assert not parties.beside.exists()


def test_a_key_by_which_anybody_signs_is_refused_with_its_line(parties, capsys):
    parties.agree(WEAK)

    assert parties.make(*parties.by("north")) == cli.MISUSED
    said = capsys.readouterr().err
    assert re.search(r"strait\.toml:6: parties\.north.*: is a key by which anybody can sign", said)
    assert not parties.report.exists()


def test_an_entry_that_was_tampered_with_is_found_without_the_journal(signed, capsys):
    account = account_from(signed.report.read_bytes())
    first, second = account.verdicts
    signed.forge(verdicts=(replace(first, note=second.note), second))

    assert signed.verify() == 1
    said = capsys.readouterr().out
    assert f"FAILS  entry {first.number} was changed: its link is not made of it\n" in said
    assert said.endswith("the report does NOT hold\n")


def left_out(parties):
    """Make the report that is had by whoever leaves out the last verdict, and mends the sums."""
    whole = account_from(parties.report.read_bytes())
    kept = whole.verdicts[:-1]
    forged = account_of(whole.end, kept, period=whole.period, agreements=[
        read_agreement(parties.text)
    ])  # fmt: skip
    parties.report.write_bytes(msgspec.msgpack.encode(forged))


def test_one_that_is_left_out_is_unproven_without_the_journal_and_fails_with_it(parties, capsys):
    parties.make()
    left_out(parties)
    capsys.readouterr()

    assert parties.verify() == 0
    said = capsys.readouterr().out
    assert "unproven  that no verdict is left out" in said
    assert "holds" not in said
    assert parties.verify("--journal", parties.journal) == 1
    assert "FAILS  entry 2 of the journal is left out\n" in capsys.readouterr().out


def test_nobody_signs_what_does_not_hold(parties, capsys):
    parties.make(*parties.by("north"))
    left_out(parties)
    capsys.readouterr()

    assert parties.sign("south") == 1
    said = capsys.readouterr().out
    assert "FAILS  the signature of north of strait: given " in said
    assert said.endswith("the report does NOT hold, and was not signed\n")
    parties.beside.unlink()
    assert parties.sign("south", "--journal", parties.journal) == 1
    assert "FAILS  entry 2 of the journal is left out\n" in capsys.readouterr().out
    assert not parties.beside.exists()


def test_a_report_of_before_has_no_signatures_and_holds(parties, capsys):
    assert parties.make() == 0
    assert not parties.beside.exists()

    assert parties.verify("--journal", parties.journal) == 0
    said = capsys.readouterr().out
    assert said.startswith("unsigned  north of strait has not signed it with key ")
    assert "\nunsigned  south of strait" in said
    assert said.endswith("each as its entry has it, and none left out\n")


def test_a_report_that_was_signed_is_not_written_over(signed, capsys):
    body, given = signed.report.read_bytes(), signed.beside.read_bytes()

    for more in ((), signed.by("north")):
        assert signed.make(*more) == cli.MISUSED
        assert "november.msgpack: has been signed: november.msgpack.sig" in capsys.readouterr().err
    assert (signed.report.read_bytes(), signed.beside.read_bytes()) == (body, given)


def test_a_report_that_says_nothing_of_the_text_is_not_signed_under_it(parties, capsys):
    parties.make()
    other = parties.folder / "other.toml"
    other.write_text(parties.text.read_text().replace('id = "strait"', 'id = "sound"'))

    assert parties.sign("south", text=other) == cli.MISUSED
    assert "november.msgpack: says nothing of sound 1, digest " in capsys.readouterr().err
    assert not parties.beside.exists()


@pytest.mark.parametrize(
    ("pattern", "instead", "fault"),
    [
        (r'signature = "', 'signature = "-', r"\.sig:\d+: signatures\.strait\.\w+\.signature: "),
        (r"signed_utc = .*", "signed_utc = 0001-01-01T00:00:00+01:00",
         r"\.sig:\d+: signatures\.strait\.\w+\.signed_utc: is in no year from 1 to 9999 in UTC"),
        (r"period = .*\n", "", r"\.sig:\d+: signatures\.strait\.\w+\.period: is missing"),
        (r"epoch = ", "era = ", r"\.sig:\d+: signatures\.strait\.\w+\.era: unknown key"),
        (r"\[signatures\.", "[signature.", r"\.sig:\d+: signature: unknown key; did you mean"),
        (r"\A", "signatures = 1\n", r"\.sig:\d+: is not TOML"),
        (r"(?s)\A.*", "signatures = 1\n", r"\.sig:1: signatures: must be a table"),
        (r"(?s)\A.*", "signatures.strait = 1\n", r"\.sig:1: signatures.strait: must be a table"),
    ],
)  # fmt: skip
def test_a_file_of_signatures_that_is_none_is_told_with_its_line(
    signed, pattern, instead, fault, capsys
):
    signed.change(pattern, instead)

    assert signed.verify() == cli.MISUSED
    assert re.search(fault, capsys.readouterr().err)


def test_more_signatures_than_there_are_parties_are_refused(signed, capsys):
    table = signed.beside.read_text().partition("\n\n")[2].partition("\n\n")[0].partition("\n")[2]
    signed.beside.write_text(
        "".join(f"[signatures.strait.p{number}]\n{table}\n" for number in range(PARTS_MAX + 1))
    )

    assert signed.verify() == cli.MISUSED
    assert f"signatures: has more than {PARTS_MAX}" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("asked", "fault"),
    [
        (["strait"], "--journal: is missing; name a journal"),
        (["--verify", "r", "--party", "north", "strait"], "--verify: only looks, and signs"),
        (["--sign", "r", "strait"], "--sign: asks who signs, and with what; add --party"),
        (["--sign", "r", "--key", "k", "strait"], "--sign: asks who signs"),
        (["--sign", "r", "--key", "k", "--party", "p"], "--party: is of a party of one agreement"),
        (["--sign", "r", "--key", "k", "--party", "p", "a", "b"], "one agreement, and 2 are named"),
        (["--journal", "j", "--key", "k", "--party", "p", "a"], "--key: signs a report in a"),
        (["--journal", "j", "--key", "k", "--party", "p", "--form", "msgpack", "a"], "add --form"),
    ],
)  # fmt: skip
def test_what_does_not_go_together_is_said_before_anything_is_done(asked, fault, capsys):
    assert cli.main(["compliance", *asked]) == cli.MISUSED

    assert fault in capsys.readouterr().err


def test_help_teaches_how_both_get_the_same_signed_report(capsys):
    with pytest.raises(SystemExit, match="0"):
        cli.main(["compliance", "--help"])

    said = capsys.readouterr().out
    assert "compliance --sign november.msgpack" in said
    assert "both have the same two files" in said


def test_of_many_faults_the_first_are_told_and_the_others_counted(signed, monkeypatch, capsys):
    monkeypatch.setattr(compliance, "FAULTS_MAX", 1)
    signed.forge(undated=1)

    assert signed.verify("--journal", signed.journal) == 1
    said = capsys.readouterr().out
    assert said.count("FAILS") == 1
    assert "\nand 2 more\n" in said


def test_more_verdicts_than_a_report_holds_are_refused(parties, monkeypatch, capsys):
    monkeypatch.setattr(accounts, "VERDICTS_MAX", 1)

    assert parties.make(*parties.by("north")) == 1
    assert "give a shorter time" in capsys.readouterr().err
    assert not parties.report.exists()
