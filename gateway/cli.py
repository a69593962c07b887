"""The command line: verbs and their arguments. What a verb does stands in gateway/verbs.

    0    done
    1    it failed, and said why
    2    the command line or the configuration is at fault
    130  interrupted from the keyboard

Nothing heavy is imported before a verb is chosen, so that `--help` comes at once.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from datetime import datetime
from importlib import import_module

from gateway import __version__
from gateway.verbs.actions import (
    COMPLIANCE_EXAMPLES,
    CONFIG_HELP,
    agreement_arguments,
    as_party,
    broker_arguments,
    compliance_arguments,
    register_argument,
    tcp_port,
)
from gateway.verbs.orders import KEYS_EXAMPLES, SEND_EXAMPLES, keys_arguments, send_arguments

FAILED = 1
MISUSED = 2
INTERRUPTED = 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run the verb that the arguments name, and return the exit status."""
    arguments = _parser().parse_args(argv)
    status = FAILED
    try:
        status = _run(arguments)
    except* KeyboardInterrupt:
        status = INTERRUPTED
    except* BrokenPipeError:
        # The reader of our output has gone, as `head` does. Python flushes once more at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return status


def _run(arguments: argparse.Namespace) -> int:
    verb = import_module(f"gateway.verbs.{arguments.verb}")
    settings = import_module("gateway.settings")
    try:
        status: int = verb.main(arguments)
        sys.stdout.flush()
    except settings.BadSettings as bad:
        sys.stderr.write(f"{bad}\n{_counted(len(bad.faults))}; nothing was done\n")
        return MISUSED
    return status


def _counted(faults: int) -> str:
    return "1 fault" if faults == 1 else f"{faults} faults"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="distress-gateway",
        description="Distress messages of every radio system, on MQTT in one language.",
        epilog="Try it without any hardware: distress-gateway demo",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB", title="verbs")
    for name, (summary, example, declare) in _VERBS.items():
        declare(
            verbs.add_parser(
                name,
                help=summary,
                description=f"{summary[0].upper()}{summary[1:]}.",
                epilog=f"example:\n{example}",
                formatter_class=argparse.RawDescriptionHelpFormatter,
            )
        )
    return parser


def _run_arguments(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("--config", metavar="PATH", help=CONFIG_HELP)


def _demo_arguments(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("--seconds", type=_seconds, metavar="N", help="end after N seconds")
    verb.add_argument(
        "--speed", type=_speed, default=1.0, metavar="X", help="play X times as fast (default: 1)"
    )
    verb.add_argument("--json", action="store_true", help="print what arrives as JSON lines")
    verb.add_argument(
        "--port", type=tcp_port, metavar="N", help="TCP port of the broker (default: a free one)"
    )


def _check_arguments(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("--config", metavar="PATH", help=CONFIG_HELP)
    verb.add_argument(
        "--print", action="store_true", help="print the whole configuration as it is in force"
    )


def _ports_arguments(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("--json", action="store_true", help="print one JSON line a port")


def _record_arguments(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("--config", metavar="PATH", help=CONFIG_HELP)
    verb.add_argument(
        "--port", action="append", metavar="NAME", help="only this port; may be given several times"
    )
    verb.add_argument("--out", required=True, metavar="DIR", help="the folder for the tapes")
    verb.add_argument("--seconds", type=_seconds, metavar="N", help="end after N seconds")


def _incident_arguments(verb: argparse.ArgumentParser) -> None:
    actions = verb.add_subparsers(dest="action", required=True, metavar="ACTION", title="actions")
    for name, (summary, declare) in _INCIDENT.items():
        action = actions.add_parser(name, help=summary, description=f"{summary}.")
        if name != "list":
            action.add_argument("id", metavar="ID", help="the incident: as many digits as needed")
        declare(action)
        broker_arguments(action)
        action.add_argument("--json", action="store_true", help="print JSON")


def _nothing_more(_action: argparse.ArgumentParser) -> None:
    """Declare nothing."""


def _order(action: argparse.ArgumentParser) -> None:
    action.add_argument("--author", metavar="NAME", help="who orders it (default: the login name)")
    action.add_argument("--words", metavar="TEXT", help="why; it is kept with the order")


def _silence(action: argparse.ArgumentParser) -> None:
    action.add_argument(
        "--seconds", type=_seconds, default=300.0, metavar="N", help="how long (default: 300)"
    )
    _order(action)


def _note(action: argparse.ArgumentParser) -> None:
    action.add_argument("words", metavar="TEXT", help="what is to be known, or to whom it goes")
    action.add_argument("--author", metavar="NAME", help="who orders it (default: the login name)")


def _merge(action: argparse.ArgumentParser) -> None:
    action.add_argument("other", metavar="OTHER", help="the other incident")
    _order(action)


def _false_alert(action: argparse.ArgumentParser) -> None:
    action.add_argument(
        "--flood",
        nargs=2,
        type=_utc,
        metavar=("FROM", "UNTIL"),
        help="all single calls of the flood that it is of, heard in this time, nobody's dealt with:"
        " say how many there are (times as 2026-11-22T14:05Z)",
    )
    action.add_argument("--yes", action="store_true", help="close that flood")
    _order(action)


def _split(action: argparse.ArgumentParser) -> None:
    action.add_argument("evidence", nargs="+", metavar="EVIDENCE", help="what is taken out of it")
    _order(action)


def _export(action: argparse.ArgumentParser) -> None:
    action.add_argument(
        "--as", dest="form", required=True, choices=("geojson", "cot", "cap", "sitrep")
    )


def _explain_arguments(verb: argparse.ArgumentParser) -> None:
    verb.add_argument(
        "--profile",
        metavar="P",
        help="the modem it came from (default: whichever generic-… profile understands it)",
    )
    broker_arguments(verb)
    verb.add_argument(
        "--journal", metavar="FILE", help="of an ID: out of this journal, with no broker"
    )
    of_verdict = "of `verdict ID`: where its clause may stand; may be given several times"
    verb.add_argument("--agreement", action="append", default=[], metavar="NAME", help=of_verdict)
    as_party(verb)
    verb.add_argument("--json", action="store_true", help="of an ID: print JSON")
    verb.add_argument(
        "raw",
        nargs="+",
        help="what a modem said, in single quotes: text as it is printed, or bytes in hexadecimal"
        " digits, with blanks or without; several belong together; - reads standard input;"
        " or `incident ID`, `verdict ID`: why an incident, or what a rule said, is what it is",
    )


def _replay_arguments(verb: argparse.ArgumentParser) -> None:
    verb.add_argument(
        "--profile",
        metavar="P",
        help="the modem a plain capture came from (default: generic-nmea); a tape names its own",
    )
    verb.add_argument("--json", action="store_true", help="print one JSON line an entry")
    verb.add_argument(
        "--station", metavar="NAME", help="the station's name (default: the tape's, or replay)"
    )
    said = "and what it says of it; may be given several times"
    verb.add_argument("--agreement", action="append", default=[], metavar="NAME", help=said)
    as_party(verb)
    register_argument(verb)
    verb.add_argument("file", metavar="FILE", help="a tape, or a plain capture, text or binary")


def _simulate_arguments(verb: argparse.ArgumentParser) -> None:
    named = "one that comes with the gateway, or a file; may be given several times"
    verb.add_argument("--agreement", action="append", required=True, metavar="NAME", help=named)
    as_party(verb)
    verb.add_argument("--against", metavar="NAME", help="show only where this one differs")
    verb.add_argument("--profile", metavar="P", help="the modem a plain capture came from")
    verb.add_argument("--json", action="store_true", help="print one JSON line a verdict")
    register_argument(verb)
    verb.add_argument("file", metavar="FILE", help="a tape, or a plain capture")


def _verify_arguments(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("--json", action="store_true", help="print what was found as one JSON line")
    verb.add_argument("file", metavar="FILE", help="a journal; a gateway may be writing it")


def _seconds(text: str) -> float:
    return _above_zero(text, "a number of seconds")


def _utc(text: str) -> datetime:
    fault = f"a time is like 2026-11-22T14:05Z, with its zone, not {text!r}"
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(fault) from None
    if found.tzinfo is None:
        raise argparse.ArgumentTypeError(fault)
    return found


def _speed(text: str) -> float:
    return _above_zero(text, "a speed")


def _above_zero(text: str, what: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if 0.0 < value < float("inf"):
        return value
    fault = f"{what} above 0 is wanted, not {text!r}"
    raise argparse.ArgumentTypeError(fault)


_EXPLAIN_EXAMPLES = """\
  distress-gateway explain '$CDDSC,20,3380400790,00,21,26,1423108312,2021,,,B,E*73'
  distress-gateway explain --profile wegmatt-daisy-hat '!AIVDM,1,1,,A,>>QK2khE0U8:1@E=@0,4*52'
  distress-gateway explain - < what-was-heard.txt
  distress-gateway explain incident 4f2a
  distress-gateway explain incident 4f2a --journal /var/lib/distress-gateway/journal.db
  distress-gateway explain verdict 9c31 --journal journal.db --agreement strait.toml

one of each radio system; which it is, is found out by itself:
  dsc            '$CDDSC,12,3380400790,12,06,00,1423108312,2019,,,S,E*6A'
  dsc (symbols)  '116 116 108 001 012 034 056 070 109 126 004 012 050 126 126 126 127 097 127 127'
  ais            '!AIVDM,1,1,,A,>>QK2khE0U8:1@E=@0,4*52'
  gnss           '$GPRMC,120000.00,A,5107.7400,N,00119.8600,E,0.0,,031126,,,D*76'
  cospas_sarsat  '56E6804002202009655250'
  mode_s (Beast) '1A33000125217A895C8DF01234E10AAA00000000CCB73B'
  mode_s (AVR)   '*8DF01234E10AAA00000000CCB73B;'
  mode_s (SBS)   'MSG,6,,,F01234,,,,,,,,,,,,,7700,,,,'
  aprs (KISS)    'C0006A6260B2A060E09C60868298986F03F0607732306C1C1C3E2FC0'
  aprs (TNC2)    'N0CALL-7>SUQU5P,WIDE1-1*:`(_fn"Oj/'
  navtex         '$CRNRX,001,001,00,TA41,2,,,,,12,0,A,GALE WARNING*4C'
  meshtastic     '94C3001A12180DE251000A15FFFFFFFF2207080B1203534F533502000051'
  packed (COBS)  '0002121882A174A568656C6C6FA56D6F64656DA562756F7973906200'
  packed (SLIP)  'C0120082A174A568656C6C6FA56D6F64656DA562756F79739062C0'
  n2k            'A104607.912 00FF4 1F80E 41F900020E79CF8AFD0F24021E99171360030000006812000000FE'
  shipboard      '$IIMOB,,A,,1,,,5108.10,N,00120.40,E,,,200100009,*3B'

A message that is read wrongly can be reported as the test vector at the end of the page."""

_INCIDENT_EXAMPLES = """\
  distress-gateway incident list
  distress-gateway incident show 4f2a
  distress-gateway incident ack 4f2a --author 'Officer B' --words 'called back on 16'
  distress-gateway incident silence 4f2a --seconds 120
  distress-gateway incident split 4f2a 9c01 --words 'another boat'
  distress-gateway incident false-alert 4f2a --flood 2026-11-22T14:05Z 2026-11-22T14:40Z
  distress-gateway incident export 4f2a --as geojson > map.geojson"""

_Declare = Callable[[argparse.ArgumentParser], None]

_INCIDENT: dict[str, tuple[str, _Declare]] = {
    "list": ("every incident that stands, one line each", _nothing_more),
    "show": ("all that is known of one, in words", _nothing_more),
    "advise": ("what procedure proposes to do next, with the call and the words", _nothing_more),
    "ack": ("the alarm is known; the trouble goes on", _order),
    "silence": ("no sound for a while", _silence),
    "transfer": ("somebody else has taken it over: say who", _note),
    "resolve": ("it is over", _order),
    "false-alert": ("there was no trouble", _false_alert),
    "confirm-cancel": ("the casualty's own cancellation is confirmed", _order),
    "reopen": ("it is not over after all", _order),
    "merge": ("two incidents are one trouble", _merge),
    "split": ("a part of the evidence is another trouble", _split),
    "note": ("write something down about it", _note),
    "export": ("print it in the form of another system", _export),
}

_VERBS: dict[str, tuple[str, str, _Declare]] = {
    "run": (
        "keep watch: read the ports, tell the brokers, until told to stop",
        "  distress-gateway run --config /etc/distress-gateway/gateway.toml",
        _run_arguments,
    ),
    "demo": (
        "show the whole gateway at work, on recorded traffic and a broker of its own",
        "  distress-gateway demo --seconds 60",
        _demo_arguments,
    ),
    "check": (
        "check the configuration and what it points at, and tell every fault at once",
        "  distress-gateway check\n  distress-gateway check --print > in-force.toml",
        _check_arguments,
    ),
    "ports": (
        "list what is plugged in, each with the name that stays the same",
        "  distress-gateway ports",
        _ports_arguments,
    ),
    "record": (
        "write every byte heard to tapes that can be replayed",
        "  distress-gateway record --port vhf --out tapes --seconds 3600",
        _record_arguments,
    ),
    "explain": (
        "tell door by door what becomes of a message, a broken one as well",
        _EXPLAIN_EXAMPLES,
        _explain_arguments,
    ),
    "incident": (
        "show what is going on, and say what becomes of it: acknowledge, silence, split",
        _INCIDENT_EXAMPLES,
        _incident_arguments,
    ),
    "send": (
        "sign an order to transmit, hand it in, and tell what becomes of it",
        SEND_EXAMPLES,
        send_arguments,
    ),
    "keys": (
        "say who may order transmissions: make a key, list them, give one up",
        KEYS_EXAMPLES,
        keys_arguments,
    ),
    "agreement": (
        "show what parties have agreed, check the file that says so, sign it and prove who has",
        "  distress-gateway agreement check our-agreement.toml",
        agreement_arguments,
    ),
    "compliance": (
        "report how agreements were kept, out of a journal, and prove such a report",
        COMPLIANCE_EXAMPLES,
        compliance_arguments,
    ),
    "simulate": (
        "tell what an agreement would have said of recorded traffic",
        "  distress-gateway simulate --agreement new.toml --against old.toml watch.tape",
        _simulate_arguments,
    ),
    "replay": (
        "turn a tape, or a capture made with another tool, into entries",
        "  distress-gateway replay watch.tape\n  distress-gateway replay --json ais.log > entries",
        _replay_arguments,
    ),
    "verify": (
        "prove that a journal is whole: its checksums, its chain and its gaps",
        "  distress-gateway verify /var/lib/distress-gateway/journal.db",
        _verify_arguments,
    ),
}
