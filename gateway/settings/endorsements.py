"""The file of who has signed a report, beside it: read whole, with every fault in it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from gateway.model.endorsement import Endorsement, Signer
from gateway.settings.agreement import PARTS_MAX
from gateway.settings.faults import BadSettings
from gateway.settings.signatures import bare_or_quoted, signature_at, table_lines
from gateway.settings.tables import read_file

SUFFIX = ".sig"
"""The file stands beside the report, under its whole name with this end."""

_TABLE = "signatures"


def endorsements_path(report: Path) -> Path:
    """Return the file beside a report in which it stands who has signed it."""
    return report.with_name(report.name + SUFFIX)


def read_endorsements(report: Path) -> dict[Signer, Endorsement]:
    """Return who has signed the report in this file, or raise BadSettings; at first nobody."""
    beside = endorsements_path(report)
    if not beside.exists():
        return {}
    file = read_file(beside)
    file.known_keys((), file.root, {_TABLE})
    found: dict[Signer, Endorsement] = {}
    names = [
        (agreement, party)
        for agreement in file.table((_TABLE,)) or {}
        for party in file.table((_TABLE, agreement)) or {}
    ]
    if len(names) > PARTS_MAX:
        file.fault((_TABLE,), f"has more than {PARTS_MAX}", "no report has more parties")
    for agreement, party in names[:PARTS_MAX]:
        one = signature_at(file, (_TABLE, agreement, party), Endorsement)
        if one is not None:
            found[agreement, party] = one
    if file.faults:
        raise BadSettings(tuple(dict.fromkeys(file.faults)))
    return found


def written_endorsements(given: Mapping[Signer, Endorsement], beside: str) -> str:
    """Return the text of the file that says who has signed the report of this file name."""
    lines = [
        f"# Who has signed {beside}: written by `distress-gateway compliance --sign`,",
        "# proven by `distress-gateway compliance --verify`.",
    ]
    for signer, one in given.items():
        agreement, party = map(bare_or_quoted, signer)
        lines += ["", f"[{_TABLE}.{agreement}.{party}]", *table_lines(one)]
    return "\n".join(lines) + "\n"
