"""Policy cases begin on one worker, and the others come to theirs last."""

from __future__ import annotations

import pytest

from fixtures.order import for_workers


def parts(others: int, crowd: int, workers: int) -> list[str]:
    """What each worker begins with: `.` for a check, `P` for a policy case."""
    order = for_workers(["."] * others, ["P"] * crowd, workers)
    assert sorted(order) == sorted("." * others + "P" * crowd)
    begun = []
    for left in range(workers, 0, -1):
        size = len(order) // left
        begun.append("".join(order[:size]))
        order = order[size:]
    return begun


@pytest.mark.parametrize(
    ("others", "crowd", "workers", "begun"),
    [
        (4, 6, 2, ["PPPPP", "....P"]),
        (6, 4, 2, ["PPPP.", "....."]),
        (6, 6, 3, ["PPPP", "...P", "...P"]),
        (0, 5, 2, ["PP", "PPP"]),
        (5, 1, 4, ["P", ".", "..", ".."]),
        (1, 1, 4, ["", "", "P", "."]),
    ],
)
def test_one_worker_begins_with_the_cases(others: int, crowd: int, workers: int, begun: list[str]) -> None:
    assert parts(others, crowd, workers) == begun
