"""What stands of one rule: each subject's last verdict, until it is said to be as agreed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from gateway.model.agreement import Agreement
from gateway.model.bounds import Bound
from gateway.model.compliance import Compliance
from gateway.model.verdict import Judgement, Verdict

STANDING_MAX = 256
"""Subjects of one rule that are not as agreed. Of more, the one said first is forgotten: its
verdict was told, and stands in the journal."""

SHOWN_MAX = 8
"""Of which compliance names so many, to keep the message small."""

_GRAVEST = (
    Judgement.VIOLATION,
    Judgement.AT_RISK,
    Judgement.DENIED,
    Judgement.DEFERRED,
    Judgement.UNKNOWN,
    Judgement.EXEMPT,
    Judgement.OK,
)

_PASSES = frozenset({Judgement.OK, Judgement.EXEMPT})
"""What leaves nothing to be put right."""


class Standing:
    """How one rule stands."""

    def __init__(self, agreement: Agreement, rule: str, kind: str) -> None:
        self._agreement = agreement
        self._rule = rule
        self._kind = kind
        self._open: dict[str, Verdict] = {}
        self._found: Counter[str] = Counter()
        self._last: Verdict | None = None
        self.evicted = 0

    def count(self, verdict: Verdict) -> None:
        """Take note of a verdict on a request: what was denied was not done, and stands nowhere."""
        self._found[verdict.judgement.value] += 1
        self._last = verdict

    def take(self, verdict: Verdict) -> None:
        """Take a verdict on what has happened."""
        self.count(verdict)
        self._open.pop(verdict.subject, None)
        if verdict.judgement not in _PASSES:
            self._open[verdict.subject] = verdict
            if len(self._open) > STANDING_MAX:
                del self._open[next(iter(self._open))]
                self.evicted += 1

    def compliance(self) -> Compliance | None:
        """Return how the rule stands; None when it has never found anything."""
        last = self._last
        if last is None:
            return None
        rank = _GRAVEST.index
        standing = sorted(self._open.values(), key=lambda one: rank(one.judgement))
        shown = tuple(standing[:SHOWN_MAX])
        return Compliance(
            agreement=self._agreement.id,
            version=self._agreement.version,
            digest=self._agreement.digest,
            rule=self._rule,
            kind=self._kind,
            judgement=shown[0].judgement if shown else Judgement.OK,
            mono_ns=last.mono_ns,
            utc=last.utc,
            standing=shown,
            others=len(standing) - len(shown),
            found=dict(sorted(self._found.items())),
        )

    def bounds(self) -> Iterator[Bound]:
        """Yield how many subjects are not as agreed."""
        yield Bound(
            of="Standing._open",
            what="subjects_of_rules",
            held=len(self._open),
            limit=STANDING_MAX,
            rule="The one said first is forgotten; its verdict was told, and is in the journal.",
            evicted=self.evicted,
        )
