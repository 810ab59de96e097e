"""Each worker begins with policy cases, and goes on with other checks."""

from __future__ import annotations

import pytest

from fixtures.order import for_workers


def parts(first: int, others: int, workers: int) -> list[str]:
    """What each worker begins with: `P` for a policy case, `.` for another check."""
    order = for_workers(["P"] * first, ["."] * others, workers)
    assert sorted(order) == sorted("P" * first + "." * others)
    begun = []
    for left in range(workers, 0, -1):
        size = len(order) // left
        begun.append("".join(order[:size]))
        order = order[size:]
    return begun


@pytest.mark.parametrize(
    ("first", "others", "workers", "begun"),
    [
        (4, 6, 2, ["PP...", "PP..."]),
        (5, 6, 3, ["P..", "PP..", "PP.."]),
        (5, 0, 2, ["PP", "PPP"]),
        (1, 5, 4, [".", ".", "..", "P."]),
        (3, 2, 1, ["PPP.."]),
    ],
)
def test_workers_begin_with_policy_cases(first: int, others: int, workers: int, begun: list[str]) -> None:
    assert parts(first, others, workers) == begun


def test_each_worker_gets_some_of_all_cases() -> None:
    assert for_workers("aabbcc", "", 2) == list("abcabc")
