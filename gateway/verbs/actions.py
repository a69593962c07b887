"""What can be asked of `agreement` and of `compliance`, and with which words.

Beside the verbs and not among them, as nothing heavy may be imported before one is chosen.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from datetime import datetime

COMPLIANCE_EXAMPLES = """\
  distress-gateway compliance --journal journal.db --month 2026-11 strait.toml
  distress-gateway compliance --journal journal.db --day 2026-11-23 --form html -o day.html
  distress-gateway compliance --journal journal.db --form msgpack -o report.msgpack strait.toml
  distress-gateway compliance --verify report.msgpack --journal journal.db strait.toml

How two parties get the same signed report, where the agreement has the public_key of each:

  1. north makes it, and signs:  distress-gateway compliance --journal journal.db --month 2026-11 \\
                                     --form msgpack -o november.msgpack \\
                                     --key north.key --party north strait.toml
  2. november.msgpack, november.msgpack.sig and a copy of the journal go to south
  3. south proves it, and signs: distress-gateway compliance --sign november.msgpack \\
                                     --journal journal.db --key south.key --party south strait.toml
  4. the new november.msgpack.sig goes back to north: both have the same two files
  5. all prove who has signed:   distress-gateway compliance --verify november.msgpack strait.toml

Without --journal a report is held against itself: that none of its verdicts was changed without
mending all that hangs on it, and who has signed. What only the journal can prove is told as
unproven. exit status of --verify: 0 when nothing FAILS, else 1. --sign signs nothing that FAILS."""

CONFIG_HELP = "the configuration (default: $DISTRESS_GATEWAY_CONFIG, the system's, or ours)"

_Declare = Callable[[argparse.ArgumentParser], None]

_SIGNING = """\
How parties sign, one after the other, the same file:

  1. each makes a key, once:     distress-gateway agreement keygen alpha.key
  2. each public key goes into the agreement, below [parties.alpha]:
                                 public_key = "ed25519:…"
  3. all compare the digest:     distress-gateway agreement show strait.toml
  4. each signs:                 distress-gateway agreement sign --party alpha \\
                                     --key alpha.key strait.toml
  5. all prove it:               distress-gateway agreement verify strait.toml

Signatures stand in strait.signatures.toml beside strait.toml: both files go to the next party."""


def register_argument(verb: argparse.ArgumentParser) -> None:
    """Declare whose craft are whose."""
    words = "the register of the station: which craft are whose (default: nobody knows)"
    verb.add_argument("--register", metavar="FILE", help=words)


def broker_arguments(verb: argparse.ArgumentParser) -> None:
    """Declare which broker is asked."""
    verb.add_argument("--config", metavar="PATH", help=CONFIG_HELP)
    verb.add_argument(
        "--link", metavar="NAME", help="by this link of the configuration (default: the first)"
    )
    verb.add_argument("--host", metavar="HOST", help="a broker, with no configuration at all")
    verb.add_argument("--port", type=tcp_port, metavar="N", help="its TCP port (default: 1883)")
    verb.add_argument(
        "--station", metavar="NAME", help="the station (default: ours; with --host any)"
    )


def tcp_port(text: str) -> int:
    """Return a TCP port, or say that it is none."""
    if text.isascii() and text.isdigit() and 0 < int(text) <= 65_535:
        return int(text)
    fault = f"a TCP port is a number from 1 to 65535, not {text!r}"
    raise argparse.ArgumentTypeError(fault)


def agreement_arguments(verb: argparse.ArgumentParser) -> None:
    """Declare the actions of `agreement`."""
    actions = verb.add_subparsers(dest="action", required=True, metavar="ACTION", title="actions")
    for name, (summary, epilog, declare) in _AGREEMENT.items():
        declare(
            actions.add_parser(
                name,
                help=summary,
                description=f"{summary[0].upper()}{summary[1:]}.",
                epilog=epilog,
                formatter_class=argparse.RawDescriptionHelpFormatter,
            )
        )


def compliance_arguments(verb: argparse.ArgumentParser) -> None:
    """Declare what `compliance` may be told."""
    verb.add_argument(
        "--journal",
        metavar="FILE",
        help="a journal, or the copy of one; only --verify and --sign can do without",
    )
    time = verb.add_mutually_exclusive_group()
    time.add_argument(
        "--day", type=_day, metavar="D", help="of this day in UTC, as 2026-11-23 (default: all)"
    )
    time.add_argument("--month", type=_month, metavar="M", help="of this month in UTC, as 2026-11")
    time.add_argument(
        "--verify",
        metavar="REPORT",
        help="say where this report, in msgpack, is not what the journal proves, and who has"
        " signed it; without a journal, where it contradicts itself",
    )
    time.add_argument(
        "--sign",
        metavar="REPORT",
        help="add the signature of a party to this report, when it holds",
    )
    verb.add_argument(
        "--key",
        metavar="FILE",
        help="sign the report with this private key, as `agreement keygen` makes one: the signature"
        " goes into REPORT.sig beside it",
    )
    verb.add_argument("--party", metavar="P", help="who signs, as the agreement names it")
    verb.add_argument(
        "--form", choices=("words", "html", "msgpack"), default="words", help="default: words"
    )
    verb.add_argument("-o", dest="out", metavar="OUT", help="where it goes (default: printed)")
    verb.add_argument(
        "agreement",
        nargs="*",
        metavar="AGREEMENT",
        help="where its clauses stand: one that comes with the gateway, or a file",
    )


def _day(text: str) -> str:
    return _time(text, "%Y-%m-%d", "a day is like 2026-11-23")


def _month(text: str) -> str:
    return _time(text, "%Y-%m", "a month is like 2026-11")


def _time(text: str, form: str, like: str) -> str:
    try:
        found = f"{datetime.strptime(text, form):{form}}"  # noqa: DTZ007  # the name of a day
    except ValueError:
        found = ""
    if found != text:
        fault = f"{like}, not {text!r}"
        raise argparse.ArgumentTypeError(fault)
    return found


def as_party(verb: argparse.ArgumentParser) -> None:
    """Declare which party of the agreements the station is."""
    verb.add_argument(
        "--party",
        metavar="P",
        help="the party of the agreement that the station is (default: as its own file says)",
    )


def _names(action: argparse.ArgumentParser) -> None:
    as_party(action)
    action.add_argument(
        "name", nargs="+", metavar="NAME", help="one that comes with the gateway, or a file"
    )


def _graph(action: argparse.ArgumentParser) -> None:
    as_party(action)
    action.add_argument("-o", dest="out", metavar="FILE", help="where it goes (default: printed)")
    action.add_argument("--profile", metavar="P", help="the modem a plain capture came from")
    action.add_argument(
        "name", metavar="AGREEMENT", help="one that comes with the gateway, or a file"
    )
    register_argument(action)
    action.add_argument("file", metavar="TAPE", help="a tape, or a plain capture")


def _keygen(action: argparse.ArgumentParser) -> None:
    action.add_argument(
        "file",
        metavar="FILE",
        help="where the private key goes: no file that is there",
    )


def _sign(action: argparse.ArgumentParser) -> None:
    action.add_argument(
        "--party",
        required=True,
        metavar="P",
        help="who signs, as the agreement names it",
    )
    action.add_argument(
        "--key", required=True, metavar="FILE", help="its private key, as `keygen` has made it"
    )
    _instead(
        action,
        "sign that the agreement takes the place of this one, as the party and with the key that"
        " this one names: for going back to an older version, for a new key, for leaving",
    )
    action.add_argument("name", metavar="AGREEMENT", help="the file of the agreement")


def _verify(action: argparse.ArgumentParser) -> None:
    _instead(action, "say too whether the agreement may take the place of this one")
    action.add_argument(
        "name", metavar="AGREEMENT", help="one that comes with the gateway, or a file"
    )


def _instead(action: argparse.ArgumentParser, words: str) -> None:
    action.add_argument("--instead-of", metavar="OTHER", help=words)


_AGREEMENT: dict[str, tuple[str, str | None, _Declare]] = {
    "list": ("those that come with the gateway", None, lambda _action: None),
    "show": ("the whole of it, in words, and who has signed it", None, _names),
    "check": (
        "every fault in the file, every rule that makes no sense, and who has signed",
        None,
        _names,
    ),
    "graph": ("draw what its rules say of a tape: an SVG, time to the right", None, _graph),
    "keygen": ("make a key to sign agreements with", _SIGNING, _keygen),
    "sign": ("sign an agreement for one party", _SIGNING, _sign),
    "verify": (
        "prove of each party that it has signed this very text",
        "exit status: 0 when all parties that have a key in it have signed it, else 1\n\n"
        + _SIGNING,
        _verify,
    ),
}
