"""Estimates and intervals, beside scipy's and against distributions whose parameters are known."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.stats

from netassay.stats import bootstrap_interval, hodges_lehmann, median_ratio, ratio, shift
from netassay.stats.estimate import _rank_sum_tail, _signed_rank_tail, shift_p


def test_rank_sum_tail_is_scipys_exact_distribution():
    a = list(range(7))
    for moved in range(-7, 8):
        b = [x + moved + 0.5 for x in (0, 2.1, 3.2, 5.3, 6.4)]
        by_scipy = scipy.stats.mannwhitneyu(a, b, alternative="less", method="exact").pvalue
        below = sum(y <= x for x in a for y in b)
        tail = _rank_sum_tail(7, 5)
        if below < len(tail):
            assert tail[below] == pytest.approx(by_scipy, rel=1e-9)


def test_signed_rank_tail_is_scipys_exact_distribution():
    values = [1.0, -2.1, 3.2, 4.3, -5.4, 6.5, 7.6, 8.7, -0.8]
    ranks = np.argsort(np.argsort(np.abs(values))) + 1
    negative = int(sum(rank for rank, value in zip(ranks, values, strict=True) if value < 0))
    by_scipy = scipy.stats.wilcoxon(values, alternative="greater", method="exact").pvalue
    assert _signed_rank_tail(len(values))[negative] == pytest.approx(by_scipy, rel=1e-9)


def test_p_values_of_a_shift_are_scipys():
    random = np.random.default_rng(5)
    a, b = random.normal(0, 1, 9), random.normal(0.8, 1, 8)
    for by in (-0.5, 0.3, 1.9):
        at_least, at_most = shift_p(a, b, by)
        options = {"method": "exact"}
        for ours, alternative in ((at_least, "less"), (at_most, "greater")):
            theirs = scipy.stats.mannwhitneyu(b - by, a, alternative=alternative, **options).pvalue
            assert ours == pytest.approx(theirs, rel=1e-9) or (ours == 1.0 and theirs > 0.5)


def test_centre_and_shift_by_hand():
    assert hodges_lehmann([1, 2, 10]).value == 3.75  # the median of 1, 1.5, 2, 5.5, 6, 10
    assert shift([1, 2, 3], [2, 4, 9]).value == 2  # the median of 1, 0, -1, 3, 2, 1, 8, 7, 6
    assert ratio([10, 20, 40], [11, 22, 44]).value == pytest.approx(1.1)


def test_one_wild_value_of_ten_moves_the_centre_little():
    assert hodges_lehmann([*range(9), 1e6]).value < 6


@pytest.mark.parametrize("draw", ["normal", "exponential", "standard_cauchy"])
def test_shift_interval_holds_the_truth_as_often_as_it_says(draw):
    random = np.random.default_rng(1)
    held = 0
    for _ in range(1000):
        a, b = getattr(random, draw)(size=8), getattr(random, draw)(size=10) + 3
        found = shift(a, b, confidence=0.9)
        held += found.low <= 3 <= found.high
    # Exact for every continuous distribution, and a little wide because ranks are discrete.
    assert 0.88 <= held / 1000 <= 0.94


def test_centre_interval_holds_the_truth_as_often_as_it_says():
    random = np.random.default_rng(2)
    found = [hodges_lehmann(random.logistic(5, 1, 12), confidence=0.95) for _ in range(1000)]
    assert 0.935 <= sum(each.low <= 5 <= each.high for each in found) / 1000 <= 0.975


def test_too_few_values_bound_nothing():
    assert shift([1, 2], [1, 2], confidence=0.9).low == -math.inf
    assert shift([1, 2, 3], [4, 5, 6], confidence=0.9).low == 1  # 1 in 20: just enough
    assert shift([1, 2, 3], [4, 5, 6], confidence=0.95).low == -math.inf
    assert hodges_lehmann([1.0]).high == math.inf
    assert bootstrap_interval([1.0, 2.0]).high == math.inf


@pytest.mark.parametrize("values", [[], [math.nan], [math.inf]])
def test_what_is_no_number_is_refused(values):
    with pytest.raises(ValueError, match=r"no values|finite"):
        hodges_lehmann(values)


@pytest.mark.parametrize("value", [0.0, -1.0, math.inf])
def test_a_ratio_of_what_is_not_positive_is_refused(value):
    with pytest.raises(ValueError, match="positive, finite"):
        ratio([1.0, value], [1.0])


def test_bootstrap_interval_is_scipys():
    values = np.random.default_rng(3).lognormal(0, 0.5, 30)

    def mean(rows):
        return np.mean(rows, axis=-1)

    ours = bootstrap_interval(values, mean)
    theirs = scipy.stats.bootstrap((values,), np.mean, n_resamples=9999, random_state=4).confidence_interval
    spread = theirs.high - theirs.low
    assert ours.low == pytest.approx(theirs.low, abs=0.05 * spread)
    assert ours.high == pytest.approx(theirs.high, abs=0.05 * spread)


def test_median_ratio_interval_holds_the_truth():
    random = np.random.default_rng(6)
    held = 0
    for _ in range(200):
        a, b = random.normal(100, 3, 15), random.normal(90, 3, 15)
        found = median_ratio(a, b, resamples=500)
        held += found.low <= 0.9 <= found.high
    assert held >= 184


def test_the_same_values_give_the_same_interval():
    assert bootstrap_interval([1, 2, 3, 4, 9]) == bootstrap_interval([1, 2, 3, 4, 9])
