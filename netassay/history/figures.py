"""Figures over many runs: one series for each kind, with a value for each run that measured it."""

from __future__ import annotations

import statistics
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from netassay.history.drift import Drift, drifts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from netassay.results.shelf import ShelvedRun


@dataclass(frozen=True)
class Series:
    """One kind of figure of one check: its median in each run; None in runs that did not measure it."""

    check: str
    key: str
    unit: str
    values: list[float | None]
    drift: Drift | None = None

    @property
    def measured(self) -> list[float]:
        """The values that there are, in the order of time."""
        return [value for value in self.values if value is not None]


def figure_series(runs: Sequence[ShelvedRun]) -> list[Series]:
    """Give the series of all figures of these runs, which are in the order of time: first those that drift."""
    found: dict[tuple[str, str, str], list[float | None]] = defaultdict(lambda: [None] * len(runs))
    for place, run in enumerate(runs):
        of_run: dict[tuple[str, str, str], list[float]] = defaultdict(list)
        for one in run.figures:
            of_run[one.check, one.key, one.unit].append(one.value)
        for kind, values in of_run.items():
            found[kind][place] = statistics.median(values)
    seen = [Series(*kind, values=values) for kind, values in found.items()]
    judged = [
        Series(one.check, one.key, one.unit, one.values, drift)
        for one, drift in zip(seen, drifts([one.measured for one in seen]), strict=True)
    ]
    return sorted(judged, key=lambda one: -abs(one.drift.change) if one.drift else 0.0)
