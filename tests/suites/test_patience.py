"""How long changes of Services are waited for, by a clock of its own."""

from __future__ import annotations

import pytest

from fixtures.patience import FOLLOWED_WITHIN, LATE, NOT_AGAIN, Patience
from netassay.errors import NotConverged


class Clock:
    """Time that goes by only in sleep."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float, /) -> None:
        self.now += seconds


def test_after_one_wait_in_vain_the_next_ones_are_shorter() -> None:
    patience, took = Patience(), []
    for _ in range(3):
        clock = Clock()
        with pytest.raises(NotConverged, match="a change"):
            patience.wait("a change", lambda: "nothing", lambda _: False, clock=clock)
        took.append(clock.now)
    assert took == pytest.approx([FOLLOWED_WITHIN + LATE, NOT_AGAIN + LATE, NOT_AGAIN + LATE], abs=0.2)


def test_what_came_in_time_costs_no_patience() -> None:
    patience, clock = Patience(), Clock()
    patience.wait("a change", lambda: "done", lambda _: True, clock=clock)
    with pytest.raises(NotConverged):
        patience.wait("a change", lambda: "nothing", lambda _: False, clock=clock)
    assert clock.now > FOLLOWED_WITHIN
