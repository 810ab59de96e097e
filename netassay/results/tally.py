"""Verdicts by feature of the API: of the checks that use it, how many ended how ("peers: IPBlock except": 14 of 14)."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from netassay.results.schema import CheckRecord, Verdict


def by_tag(checks: Iterable[CheckRecord]) -> dict[str, Counter[Verdict]]:
    """Count the verdicts of these checks for each feature that they use; a check that names none does not count."""
    found: defaultdict[str, Counter[Verdict]] = defaultdict(Counter)
    for check in checks:
        for tag in check.tags:
            found[tag][check.verdict] += 1
    return dict(sorted(found.items()))
