"""Waiting for a state of the network: polls, wants it steady, and says how late a late one came."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Generic, Protocol, TypeVar

from netassay.errors import HarnessFault, NotConverged

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

log = logging.getLogger(__name__)

LONGEST_STATE: Final = 2000
"""Characters of a state that are put in a message: enough for a grid, too little to drown the rest."""


class Clock(Protocol):
    """Where time comes from; a test may bring its own."""

    def monotonic(self) -> float:
        """Seconds on a clock that never goes back."""

    def sleep(self, seconds: float, /) -> None:
        """Let that much time go by."""


@dataclass(frozen=True)
class Waited(Generic[T]):
    """A state that came in time.

    `value` is the last look; `seconds` is the time from the start of the wait to the first of the successful looks: it
    measures the network, not the wait for more successes. `looks` is how often it was looked at.
    """

    value: T
    seconds: float
    looks: int


def describe(state: object) -> str:
    """Say a state in words: its own `describe()` if it has one, line by line for several, `repr` otherwise."""
    own = getattr(state, "describe", None)
    if callable(own):
        text = str(own())
    elif isinstance(state, str):
        text = state
    elif isinstance(state, Iterable) and not isinstance(state, (dict, bytes)):
        text = "\n".join(describe(part) for part in state) or "(nothing)"
    else:
        text = repr(state)
    return text if len(text) <= LONGEST_STATE else f"{text[:LONGEST_STATE]}… ({len(text)} characters)"


def wait_until(
    what: str,
    look: Callable[[], T],
    ready: Callable[[T], bool],
    *,
    timeout: float,
    successes: int = 3,
    pause: float = 0.1,
    error: Callable[[T], str | None] | None = None,
    grace: float = 10.0,
    tolerate: int = 3,
    clock: Clock = time,
) -> Waited[T]:
    """Poll `look` until `ready` holds `successes` times in a row, the first of them within `timeout` seconds.

    `what` completes the sentence "waited for …". `pause` is the rest between looks, in seconds. `error` says of a state
    why it can never become ready: the wait then ends at once. After the deadline the wait goes on for `grace` seconds,
    only to tell a late network from a dead one.

    Raises `NotConverged` if the state did not come, came late, or `error` gave up on it. A `HarnessFault` out of `look`
    says nothing about the network: up to `tolerate` in a row are passed over (they break a row of successes), then it
    is raised.
    """
    start = clock.monotonic()
    deadline, end = start + timeout, start + timeout + grace
    row, row_began, looks, faults, seen = 0, start, 0, 0, 0
    said: str | None = None
    while True:
        try:
            state = look()
        except HarnessFault as fault:
            faults += 1
            row = 0
            if faults > tolerate or clock.monotonic() >= end:
                raise _blind(what, said, faults, fault) from fault
            clock.sleep(pause)
            continue
        now = clock.monotonic()
        looks, faults = looks + 1, 0
        text = describe(state)
        if text != said:
            log.info("%s: after %.2f s: %s", what, now - start, text)
            said = text
        if ready(state):
            if row == 0:
                row_began = now
            row, seen = row + 1, seen + 1
            if row >= successes:
                if row_began <= deadline:
                    return Waited(state, row_began - start, looks)
                raise NotConverged(
                    f"waited {timeout:g} s for {what}: it came {row_began - deadline:.1f} s late\nlast state: {text}"
                )
        else:
            row = 0
            reason = error(state) if error is not None else None
            if reason:
                raise NotConverged(
                    f"waited for {what}, and gave up after {now - start:.1f} s: {reason}\nlast state: {text}"
                )
            if now >= end:
                came = f"it came and went: so in {seen} of {looks} looks, never {successes} times in a row"
                raise NotConverged(
                    f"waited {timeout:g} s, and {grace:g} s more, for {what}: {came if seen else 'it did not come'}\n"
                    f"last state: {text}"
                )
        clock.sleep(pause)


def _blind(what: str, said: str | None, faults: int, fault: HarnessFault) -> HarnessFault:
    """Word the end of a wait that could no longer look, and so says nothing about the network."""
    before = f"the last state seen before that: {said}" if said else "no state was seen before that"
    return HarnessFault(f"waited for {what}, but could not look, {faults} times in a row: {fault}\n{before}")
