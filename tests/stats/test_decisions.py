"""Decisions: by hand, and their rates of error by simulation, which is what a gate is believed for."""

from __future__ import annotations

import math
from dataclasses import replace
from statistics import NormalDist

import numpy as np
import pytest

from netassay.stats import Outcome, decide, holm, levels, noise_floor, together

NOISE = 0.03
"""The standard deviation of blocks up to which ten of them decide on average 19 of 20 times: 3%."""

QUIET = 0.025
"""That up to which, of any twenty decisions, at most one is wrong."""

MARGIN = 0.05


def blocks(random, true=1.0, n=10, noise=NOISE):
    return list(9.4e9 * true * np.exp(random.normal(0, noise, n)))


def outcomes(true, *, n=10, times=20, seed=7, margin=MARGIN, better="higher", noise=NOISE):
    random = np.random.default_rng(seed)
    return [
        decide(blocks(random, n=n, noise=noise), blocks(random, true, n, noise), margin=margin, better=better).verdict
        for _ in range(times)
    ]


@pytest.mark.parametrize("seed", range(20))
def test_of_twenty_decisions_at_ten_blocks_at_most_one_is_wrong(seed):
    assert outcomes(0.9, seed=seed, noise=QUIET).count(Outcome.FAIL) >= 19
    assert outcomes(1.0, seed=seed, noise=QUIET).count(Outcome.PASS) >= 19


def test_with_more_noise_nineteen_of_twenty_are_right_on_average():
    assert outcomes(0.9, times=1000).count(Outcome.FAIL) >= 930
    assert outcomes(1.0, times=1000).count(Outcome.PASS) >= 930
    assert outcomes(1.0, times=1000).count(Outcome.FAIL) == 0
    assert outcomes(0.9, times=1000).count(Outcome.PASS) == 0


def test_a_loss_of_exactly_the_margin_passes_seldom():
    passed = outcomes(1 - MARGIN, times=1000).count(Outcome.PASS)
    assert passed <= 65  # 5%, and three standard deviations


def test_a_loss_of_exactly_the_margin_fails_seldom():
    assert outcomes(1 - MARGIN, times=1000).count(Outcome.FAIL) <= 65


def test_three_blocks_of_an_unchanged_network_are_often_too_few_and_never_a_failure():
    seen = outcomes(1.0, n=3, times=200)
    assert seen.count(Outcome.INCONCLUSIVE) > 50
    assert seen.count(Outcome.FAIL) == 0


def test_more_latency_is_a_loss_and_less_is_none():
    assert outcomes(1.12, better="lower", noise=QUIET).count(Outcome.FAIL) >= 19
    assert outcomes(0.9, better="lower").count(Outcome.PASS) == 20


def test_what_a_decision_says():
    before = [100.0, 101, 102, 103, 104, 105, 106, 107, 108, 109]
    failed = decide(before, [0.9 * x for x in before], margin=0.05, better="higher")
    assert failed.verdict is Outcome.FAIL
    assert failed.estimate == pytest.approx(0.1, abs=1e-9)
    assert failed.interval[0] > 0.05
    assert failed.p_fail < 0.001 < failed.p_pass
    assert failed.n == (10, 10)
    assert failed.sentence.startswith("10% lower (between ")
    assert "beyond the margin of 5%" in failed.sentence
    faster = decide(before, [1.1 * x for x in before], margin=0.05, better="higher")
    assert faster.verdict is Outcome.PASS
    assert faster.sentence.startswith("10% higher")
    few = decide([1.0, 1.0], [1.0, 1.0], margin=0.05, better="lower")
    assert few.verdict is Outcome.INCONCLUSIVE
    assert "anything" in few.sentence


def test_interval_and_p_value_never_disagree():
    random = np.random.default_rng(11)
    for _ in range(200):
        made = decide(blocks(random), blocks(random, random.uniform(0.88, 1.0)), margin=MARGIN, better="higher")
        assert (made.verdict is Outcome.FAIL) == (made.p_fail <= 0.05)
        assert (made.verdict is Outcome.PASS) == (made.p_pass <= 0.05)


def test_a_cluster_noisier_than_the_margin_passes_nothing_and_says_so():
    random = np.random.default_rng(8)
    same = decide(blocks(random), blocks(random), margin=0.05, floor=0.08, better="higher")
    assert same.verdict is Outcome.INCONCLUSIVE
    assert not same.decidable
    assert same.sentence.startswith("this cluster cannot decide this metric: its noise is 8%, the margin 5%")
    assert decide(blocks(random), blocks(random, 0.7), margin=0.05, floor=0.08, better="higher").verdict is Outcome.FAIL
    unknown = decide(blocks(random), blocks(random, 0.7), margin=0.05, floor=math.inf, better="higher")
    assert unknown.verdict is Outcome.INCONCLUSIVE
    assert "its noise is not known" in unknown.sentence


@pytest.mark.parametrize("margin", [0, 1, 5, math.nan])
def test_a_margin_is_a_fraction(margin):
    with pytest.raises(ValueError, match="margin"):
        decide([1.0], [1.0], margin=margin, better="higher")


def test_noise_floor_is_what_equal_sets_differ_by():
    random = np.random.default_rng(9)
    floor = noise_floor([blocks(random, n=200)], blocks=10)
    # The 95% quantile of the difference of two means of ten, widened by the efficiency of the estimate.
    expected = NormalDist().inv_cdf(0.975) * NOISE * math.sqrt(2 / 10)
    assert floor == pytest.approx(expected, rel=0.12)


def test_noise_floor_sees_runs_that_differ_as_a_whole():
    random = np.random.default_rng(10)
    runs = [blocks(random, true) for true in (1.0, 1.15, 1.03)]
    assert noise_floor(runs, blocks=10) > 0.11


def test_noise_of_too_few_blocks_is_not_known():
    assert math.isinf(noise_floor([[1.0, 2.0]], blocks=10))


def test_levels_spend_alpha_over_the_declared_looks():
    spent = levels([10, 15, 20])
    assert sum(spent) == pytest.approx(0.05)
    assert spent[0] < spent[1] < spent[2]
    assert levels([10]) == [0.05]
    with pytest.raises(ValueError, match="rising"):
        levels([10, 10])


def test_looking_three_times_keeps_the_error_of_one_look():
    random, wrong = np.random.default_rng(12), 0
    looks = (10, 15, 20)
    for _ in range(600):
        before, after = blocks(random, n=20), blocks(random, 1 - MARGIN, n=20)
        for look, alpha in zip(looks, levels(looks), strict=True):
            made = decide(before[:look], after[:look], margin=MARGIN, better="higher", alpha=alpha)
            if made.verdict is not Outcome.INCONCLUSIVE:
                wrong += made.verdict is Outcome.PASS
                break
    assert wrong / 600 <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / 600)


def test_holm_by_hand():
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([]) == []


def test_one_weak_failure_among_several_is_not_believed():
    random = np.random.default_rng(13)
    sure = decide(blocks(random), blocks(random, 0.7), margin=MARGIN, better="higher")
    weak = replace(sure, p_fail=0.04)
    made = together({"a": sure, "b": weak, "c": weak})
    assert [each.verdict for each in made.values()] == [Outcome.FAIL, Outcome.INCONCLUSIVE, Outcome.INCONCLUSIVE]
    assert together({"a": weak})["a"].verdict is Outcome.FAIL
