"""The bound on shares: seldom wrong on a fair spread, and soon right about an unfair one."""

from __future__ import annotations

from math import comb

from hypothesis import given
from hypothesis import strategies as st

from fixtures.balance import attempts_for, least_of, least_share


@given(st.integers(10, 400), st.integers(2, 10), st.integers(1, 100), st.floats(1e-9, 0.05))
def test_a_fair_spread_is_seldom_accused(attempts: int, backends: int, shares: int, false_alarm: float) -> None:
    least = least_share(attempts, backends, shares=shares, false_alarm=false_alarm)
    chance = 1 / backends
    below = sum(comb(attempts, k) * chance**k * (1 - chance) ** (attempts - k) for k in range(least))
    assert below * shares <= false_alarm


@given(st.integers(2, 10), st.integers(1, 1000))
def test_so_many_attempts_are_made_that_a_backend_left_out_is_found(backends: int, shares: int) -> None:
    attempts = attempts_for(backends, shares=shares)
    assert least_share(attempts, backends, shares=shares) >= 1
    assert attempts <= 80 * backends


def test_known_values() -> None:
    # One of two backends gets none of 20 attempts with a chance of 2**-20, just under one in a million.
    assert least_share(20, 2, shares=1, false_alarm=1e-6) == 1
    assert least_share(19, 2, shares=1, false_alarm=1e-6) == 0


def test_shares_by_weight() -> None:
    assert least_of(300, 0.0, shares=2) == 0
    assert least_of(300, 1.0, shares=2) == 300
    assert least_of(300, 0.5, shares=2) == least_share(300, 2, shares=2)
    assert 200 < least_of(300, 0.8, shares=2) < 240
