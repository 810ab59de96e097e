"""Bootstrap intervals, for statistics that no distribution-free interval is known of.

Source: Efron & Tibshirani, *An Introduction to the Bootstrap*, chapters 13 and 14 (BCa).
"""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np

from netassay.stats.estimate import Estimate

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

RESAMPLES = 9999
SEED = 20_261_125
"""The same values give the same interval on every machine."""


def median(samples: NDArray[np.float64]) -> NDArray[np.float64]:
    """The median of each row."""
    return np.asarray(np.median(samples, axis=-1), dtype=np.float64)


def bootstrap_interval(
    values: Sequence[float],
    statistic: Callable[[NDArray[np.float64]], NDArray[np.float64]] = median,
    *,
    confidence: float = 0.95,
    resamples: int = RESAMPLES,
    seed: int = SEED,
) -> Estimate:
    """`statistic` of `values` with its two-sided BCa interval; `statistic` takes rows of samples.

    With fewer than three values the ends are infinite. ValueError if there are none.
    """
    x = np.asarray(values, dtype=np.float64)
    if not len(x):
        raise ValueError("no values to estimate from")
    here = float(statistic(x[np.newaxis, :])[0])
    if len(x) < 3:  # noqa: PLR2004 - two values bound nothing
        return Estimate(here, -math.inf, math.inf)
    chosen = np.random.default_rng(seed).integers(0, len(x), size=(resamples, len(x)))
    drawn = np.sort(statistic(x[chosen]))
    left_out = np.array([np.delete(x, i) for i in range(len(x))])
    low, high = _bca(drawn, here, statistic(left_out), confidence)
    return Estimate(here, low, high)


def median_ratio(
    first: Sequence[float],
    second: Sequence[float],
    *,
    confidence: float = 0.95,
    resamples: int = RESAMPLES,
    seed: int = SEED,
) -> Estimate:
    """By what factor the median of `second` exceeds that of `first`; blocks are drawn anew within each of the two.

    A percentile interval; its ends are infinite with fewer than three values on a side.
    """
    a, b = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    if not (len(a) and len(b)):
        raise ValueError("no values to estimate from")
    here = float(np.median(b) / np.median(a))
    if min(len(a), len(b)) < 3:  # noqa: PLR2004
        return Estimate(here, 0.0, math.inf)
    random = np.random.default_rng(seed)
    medians = [median(x[random.integers(0, len(x), size=(resamples, len(x)))]) for x in (a, b)]
    low, high = np.quantile(medians[1] / medians[0], [(1 - confidence) / 2, (1 + confidence) / 2])
    return Estimate(here, float(low), float(high))


def _bca(
    drawn: NDArray[np.float64], here: float, left_out: NDArray[np.float64], confidence: float
) -> tuple[float, float]:
    """The bias-corrected and accelerated interval."""
    below = (np.count_nonzero(drawn < here) + np.count_nonzero(drawn <= here)) / (2 * len(drawn))
    if below in (0.0, 1.0):
        return float(drawn[0]), float(drawn[-1])
    normal = NormalDist()
    bias = normal.inv_cdf(below)
    influence = left_out.mean() - left_out
    spread = float((influence**2).sum()) ** 1.5
    acceleration = float((influence**3).sum()) / (6 * spread) if spread else 0.0
    ends = []
    for level in ((1 - confidence) / 2, (1 + confidence) / 2):
        z = bias + normal.inv_cdf(level)
        ends.append(float(np.quantile(drawn, normal.cdf(bias + z / (1 - acceleration * z)))))
    return ends[0], ends[1]
