"""Waiting: steadiness, lateness, giving up, and faults of the harness that say nothing about the network."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from netassay.errors import HarnessFault, NotConverged
from netassay.waiting import Waited, describe, wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class FakeClock:
    """Time that goes by only in sleeps, and in looks that take some."""

    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float, /) -> None:
        self.now += seconds


def wait(
    states: Iterator[str | HarnessFault] | Callable[[float], str | HarnessFault], **options: object
) -> Waited[str]:
    """Wait for "up", seeing one state of an iterator at each look, or what a function of the time says."""
    clock = FakeClock()

    def look() -> str:
        state = states(clock.now - 100.0) if callable(states) else next(states)
        if isinstance(state, HarnessFault):
            raise state
        return state

    settings = {"timeout": 10.0, "pause": 1.0, "grace": 5.0, "clock": clock, **options}
    return wait_until("the service to be up", look, lambda state: state == "up", **settings)  # type: ignore[arg-type]


def test_several_successes_in_a_row_are_needed() -> None:
    waited = wait(iter(["down", "up", "up", "down", "up", "up", "up"]))
    assert (waited.value, waited.looks) == ("up", 7)


def test_the_time_is_that_of_the_first_success_of_the_row() -> None:
    assert wait(lambda now: "up" if now >= 4 else "down").seconds == 4


def test_a_row_that_begins_in_time_may_end_after_the_deadline() -> None:
    assert wait(lambda now: "up" if now >= 10 else "down").seconds == 10


def test_a_late_success_still_fails_and_says_how_late() -> None:
    with pytest.raises(
        NotConverged, match=r"waited 10 s for the service to be up: it came 3\.0 s late\nlast state: up"
    ):
        wait(lambda now: "up" if now >= 13 else "down")


def test_a_state_that_never_comes_is_told_with_the_last_one() -> None:
    with pytest.raises(NotConverged, match=r"waited 10 s, and 5 s more.*it did not come\nlast state: down at 15"):
        wait(lambda now: f"down at {now:g}")


def test_a_state_that_comes_and_goes_is_told_from_one_that_never_comes() -> None:
    with pytest.raises(NotConverged, match="it came and went: so in 8 of 17 looks, never 3 times in a row"):
        wait(lambda now: "up" if int(now) % 2 else "down")


def test_a_hopeless_state_ends_the_wait_at_once() -> None:
    with pytest.raises(NotConverged, match=r"gave up after 2\.0 s: the image is missing\nlast state: hopeless"):
        wait(
            lambda now: "hopeless" if now >= 2 else "down",
            error=lambda state: "the image is missing" if state == "hopeless" else None,
        )


def test_a_few_faults_of_the_harness_are_passed_over() -> None:
    fault = HarnessFault("the API server is away")
    assert wait(iter(["down", fault, fault, fault, "up", "up", "up"])).value == "up"


def test_faults_break_a_row_of_successes() -> None:
    assert wait(iter(["up", "up", HarnessFault("away"), "up", "up", "up"])).looks == 5


def test_too_many_faults_are_not_held_against_the_network() -> None:
    fault = HarnessFault("the API server is away")
    with pytest.raises(HarnessFault, match="could not look, 4 times in a row: the API server is away") as raised:
        wait(iter(["down", *[fault] * 4]))
    assert "the last state seen before that: down" in str(raised.value)


def test_faults_that_never_let_a_row_through_end_with_the_grace() -> None:
    with pytest.raises(HarnessFault, match="could not look"):
        wait(lambda now: HarnessFault("away") if int(now) % 2 else "up")


def test_a_state_is_said_in_its_own_words() -> None:
    class Grid:
        def describe(self) -> str:
            return "a grid"

    assert describe([Grid(), "and more"]) == "a grid\nand more"
    assert describe([]) == "(nothing)"
    assert describe({"a": 1}) == "{'a': 1}"
    assert len(describe("x" * 10_000)) < 2100
