"""Whether a series of figures drifts: robustly, so that neither noise nor single runs that went astray count.

Two things are looked for. A *step*: each of the newest runs lies off the median of all before by more than their
scatter (their median absolute deviation) explains, and to the same side. A *creep*: the series as a whole rises or
falls, by the test of Mann and Kendall, with the slope of Theil and Sen; as many series are looked at, by Holm's
correction. Either has to be as large as people care for.

Sources: Mann, *Nonparametric tests against trend*, Econometrica 13 (1945); Sen, *Estimates of the regression
coefficient based on Kendall's tau*, Journal of the American Statistical Association 63 (1968).
"""

from __future__ import annotations

import math
import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from netassay.stats.holm import holm

if TYPE_CHECKING:
    from collections.abc import Sequence

NEWEST: Final = 3
"""Runs that have to agree on a step."""

BEFORE: Final = 5
"""Runs before them that are needed to know the scatter."""

SIGMAS: Final = 4.0
"""How far off each of the newest has to lie: four times the scatter is nowhere near chance, three times in a row."""

LEAST_CHANGE: Final = 0.10
"""Changes below this share of the figure are left alone."""

LEAST_SCATTER: Final = 0.01
"""Scatter that is taken for granted, as a share of the figure: series that never moved are not exact either."""

ALPHA: Final = 0.05
"""How often one creep at all is seen on a page where there is none."""

TO_SIGMA: Final = 1.4826
"""What makes a standard deviation of the median absolute deviation of normal figures."""


@dataclass(frozen=True)
class Drift:
    """What a figure did: `kind` is "step" or "creep", `change` the share by which it is up, or, below 0, down."""

    kind: str
    before: float
    now: float

    @property
    def change(self) -> float:
        """The change as a share of what was before; infinite if that was nothing."""
        return (self.now - self.before) / abs(self.before) if self.before else math.copysign(math.inf, self.now)


def drifts(series: Sequence[Sequence[float]]) -> list[Drift | None]:
    """Give the drift of each series, whose values are in the order of time; None where there is none to be seen."""
    chances = [_mann_kendall(values) for values in series]
    adjusted = holm(chances)
    return [
        _step(values) or (_creep(values) if p <= ALPHA else None) for values, p in zip(series, adjusted, strict=True)
    ]


def _step(values: Sequence[float]) -> Drift | None:
    if len(values) < BEFORE + NEWEST:
        return None
    earlier, newest = values[:-NEWEST], values[-NEWEST:]
    middle = statistics.median(earlier)
    scatter = TO_SIGMA * statistics.median(abs(value - middle) for value in earlier)
    far = SIGMAS * max(scatter, LEAST_SCATTER * abs(middle))
    found = Drift("step", middle, statistics.median(newest))
    above, below = all(value - middle > far for value in newest), all(middle - value > far for value in newest)
    return found if (above or below) and abs(found.change) >= LEAST_CHANGE else None


def _creep(values: Sequence[float]) -> Drift | None:
    """Give the ends of the line of Theil and Sen."""
    data = np.asarray(values, dtype=float)
    first, second = np.triu_indices(len(data), 1)
    slope = float(np.median((data[second] - data[first]) / (second - first)))
    middle = float(np.median(data - slope * np.arange(len(data))))
    found = Drift("creep", middle, middle + slope * (len(data) - 1))
    return found if found.before > 0 and abs(found.change) >= LEAST_CHANGE else None


def _mann_kendall(values: Sequence[float]) -> float:
    """Give the two-sided p-value of no trend, with the correction for ties; 1 where there are too few values."""
    n = len(values)
    if n < BEFORE + NEWEST:
        return 1.0
    data = np.asarray(values, dtype=float)
    first, second = np.triu_indices(n, 1)
    score = float(np.sign(data[second] - data[first]).sum())
    _, ties = np.unique(data, return_counts=True)
    variance = (n * (n - 1) * (2 * n + 5) - float((ties * (ties - 1) * (2 * ties + 5)).sum())) / 18
    if not score or variance <= 0:
        return 1.0
    z = (abs(score) - 1) / math.sqrt(variance)
    return math.erfc(z / math.sqrt(2))
