"""What stands of one rule: each subject's last verdict, until it is said to be as agreed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from msgspec import Struct

from gateway.model.agreement import Agreement
from gateway.model.bounds import Bound
from gateway.model.compliance import Compliance
from gateway.model.verdict import PASSES, Judgement, Verdict

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


class StandingKept(Struct, frozen=True):
    """What has to survive a restart."""

    open: tuple[Verdict, ...] = ()
    found: dict[str, int] = {}
    last: Verdict | None = None
    evicted: int = 0


class Standing:
    """How one rule stands."""

    def __init__(self, agreement: Agreement, rule: str, kind: str) -> None:
        self._agreement = agreement
        self._rule = rule
        self.kind = kind
        self._open: dict[str, Verdict] = {}
        self._found: Counter[str] = Counter()
        self._last: Verdict | None = None
        self.evicted = 0
        self.fresh = True
        """Whether it stands otherwise than whoever asked last has seen."""

    def count(self, verdict: Verdict) -> None:
        """Take note of a verdict on a request: what was denied was not done, and stands nowhere."""
        self._found[verdict.judgement.value] += 1
        self._last = verdict
        self.fresh = True

    def take(self, verdict: Verdict) -> Judgement | None:
        """Take a verdict on what has happened; return what stood of its subject until now."""
        self.count(verdict)
        before = self._open.pop(verdict.subject, None)
        if verdict.judgement not in PASSES:
            self._open[verdict.subject] = verdict
            if len(self._open) > STANDING_MAX:
                del self._open[next(iter(self._open))]
                self.evicted += 1
        return None if before is None else before.judgement

    def keep(self) -> StandingKept:
        """Return what has to survive a restart."""
        return StandingKept(tuple(self._open.values()), dict(self._found), self._last, self.evicted)

    def restore(self, kept: StandingKept) -> None:
        """Take up what was kept, its monotonic times moved into this run."""
        self._open = {verdict.subject: verdict for verdict in kept.open}
        self._found, self._last = Counter(kept.found), kept.last
        self.evicted = kept.evicted
        self.fresh = True

    def compliance(self) -> Compliance:
        """Return how the rule stands.

        `unknown` while it has found nothing as agreed, or has forgotten what was not.
        """
        last = self._last
        rank = _GRAVEST.index
        standing = sorted(self._open.values(), key=lambda one: rank(one.judgement))
        shown = tuple(standing[:SHOWN_MAX])
        return Compliance(
            agreement=self._agreement.id,
            version=self._agreement.version,
            digest=self._agreement.digest,
            rule=self._rule,
            kind=self.kind,
            judgement=shown[0].judgement if shown else self._nothing_open(),
            mono_ns=0 if last is None else last.mono_ns,
            utc=None if last is None else last.utc,
            standing=shown,
            others=len(standing) - len(shown),
            found=dict(sorted(self._found.items())),
        )

    def _nothing_open(self) -> Judgement:
        found_good = any(self._found[one.value] for one in PASSES)
        return Judgement.OK if found_good and not self.evicted else Judgement.UNKNOWN

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
