"""Verdicts by feature of the API: of the cases that use it, how many ended how ("peers: IPBlock except": 14 of 14)."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING

from netassay.policies.generator import BY_ID

if TYPE_CHECKING:
    from collections.abc import Iterable

    from netassay.results.schema import CheckRecord, Verdict


def by_tag(checks: Iterable[CheckRecord]) -> dict[str, Counter[Verdict]]:
    """Count the verdicts of the cases among these checks, for each feature; other checks do not count."""
    found: defaultdict[str, Counter[Verdict]] = defaultdict(Counter)
    for check in checks:
        case = BY_ID.get(check.parameters.get("case", ""))
        for tag in case.tags if case else ():
            found[tag][check.verdict] += 1
    return dict(sorted(found.items()))
