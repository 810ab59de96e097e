"""The estimates of Hodges and Lehmann, with distribution-free intervals.

Source: Hollander, Wolfe & Chicken, *Nonparametric Statistical Methods*, chapters 3 (one sample) and 4 (two).
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

HALF_A_UNIT = 0.5


@dataclass(frozen=True)
class Estimate:
    """A value with the interval that holds the true one with the asked-for confidence.

    An end is infinite where there are too few values for that confidence; never is a narrower one given instead.
    """

    value: float
    low: float
    high: float

    def exp(self) -> Estimate:
        """The estimate of the quantity whose logarithm this is."""
        return Estimate(*(_exp(x) for x in (self.value, self.low, self.high)))


def hodges_lehmann(values: Sequence[float], *, confidence: float = 0.95) -> Estimate:
    """The centre of `values`: the median of the means of all pairs, with its two-sided interval.

    It assumes a symmetric distribution, and bears a quarter of the values being wild. ValueError if there are none.
    """
    x = _checked(values)
    i, j = np.triu_indices(len(x))
    means = np.sort((x[i] + x[j]) / 2)
    low, high = _ends(means, _signed_rank_tail(len(x)), (1 - confidence) / 2)
    return Estimate(float(np.median(means)), low, high)


def shift(first: Sequence[float], second: Sequence[float], *, confidence: float = 0.95) -> Estimate:
    """How much greater `second` is than `first`: the median of all differences, with its two-sided interval.

    The interval is exact without ties and conservative with them. ValueError if one of the two is empty.
    """
    differences = np.sort(np.subtract.outer(_checked(second), _checked(first)).ravel())
    low, high = _ends(differences, _rank_sum_tail(len(first), len(second)), (1 - confidence) / 2)
    return Estimate(float(np.median(differences)), low, high)


def shift_p(first: Sequence[float], second: Sequence[float], by: float) -> tuple[float, float]:
    """The p-values of two hypotheses: that `second` is greater than `first` by at least `by`, and by at most `by`.

    From the same rank-sum statistic as the interval of `shift`, which excludes `by` on one side exactly where one of
    these is at most the level of that side. Ties count against either.
    """
    differences = np.subtract.outer(_checked(second), _checked(first)).ravel()
    tail = _rank_sum_tail(len(first), len(second))

    def p(against: int) -> float:
        return tail[against] if against < len(tail) else 1.0

    return p(int(np.count_nonzero(differences >= by))), p(int(np.count_nonzero(differences <= by)))


def ratio(first: Sequence[float], second: Sequence[float], *, confidence: float = 0.95) -> Estimate:
    """By what factor `second` is greater than `first`, estimated on logarithms. ValueError unless all are positive."""
    return shift(logs(first), logs(second), confidence=confidence).exp()


def logs(values: Sequence[float]) -> list[float]:
    """The logarithms. ValueError unless all values are positive and finite."""
    for value in values:
        if not (value > 0 and math.isfinite(value)):
            raise ValueError(f"a ratio needs positive, finite values; this one is {value!r}")
    return [math.log(value) for value in values]


def _checked(values: Sequence[float]) -> NDArray[np.float64]:
    if not len(values):
        raise ValueError("no values to estimate from")
    x = np.asarray(values, dtype=np.float64)
    if not np.isfinite(x).all():
        raise ValueError(f"values must be finite: {list(values)}")
    return x


def _ends(ordered: NDArray[np.float64], tail: tuple[float, ...], level: float) -> tuple[float, float]:
    """The ends of an interval that the true value is beyond, on either side, with probability at most `level`.

    `tail[k]` is the probability that at most k of the `ordered` are below the true value.
    """
    # Sums of floating-point numbers must not take away a level that is met exactly, as 1/20 is by three against three.
    cut = sum(1 for p in tail if p <= level * (1 + 1e-9))
    if cut == 0:
        return -math.inf, math.inf
    return float(ordered[cut - 1]), float(ordered[len(ordered) - cut])


@functools.cache
def _rank_sum_tail(n: int, m: int) -> tuple[float, ...]:
    """P(U ≤ k) of the statistic of Mann and Whitney, of n and m values, for k from 0 to the middle.

    The number of ways to get u is a coefficient of the Gaussian binomial, built here factor by factor.
    """
    size = n * m + 1
    ways = np.zeros(size)
    ways[0] = 1.0
    for i in range(1, m + 1):
        grown = ways.copy()
        step = n + i
        if step < size:
            grown[step:] -= ways[:-step]
        for k in range(i, size):
            grown[k] += grown[k - i]
        ways = grown
    return _tail(ways)


@functools.cache
def _signed_rank_tail(n: int) -> tuple[float, ...]:
    """P(W ≤ k) of the Wilcoxon signed-rank statistic of n values, for k from 0 to the middle."""
    ways = np.zeros(n * (n + 1) // 2 + 1)
    ways[0] = 1.0
    for i in range(1, n + 1):
        grown = ways.copy()
        grown[i:] += ways[:-i]
        ways = grown
    return _tail(ways)


def _tail(ways: NDArray[np.float64]) -> tuple[float, ...]:
    below = np.cumsum(ways / ways.sum())
    return tuple(float(p) for p in below if p < HALF_A_UNIT)


def _exp(x: float) -> float:
    return math.exp(x) if x < math.log(1e300) else math.inf
