"""An open-loop beat: it is kept whether or not anything is answered, and says of itself how well it was kept.

A busy machine lets a process wait. What that process then sees late, or does not do at all, says nothing of the
network, so the beat notes how long it stood still.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Callable

# A beat that is later than this is a time in which the process stood still; less is the timer's own grain.
STILL_SECONDS = 0.02
# Times of standing still that are remembered: more than fit into the longest attempt.
REMEMBERED = 256


class Pacer:
    """Calls `beat(number, now)` every `interval` seconds, and `missed(first, count)` where their time has passed."""

    def __init__(self, interval: float, beat: Callable[[int, float], None], missed: Callable[[int, int], None]) -> None:
        """Start at once, with beat 0."""
        self._loop = asyncio.get_running_loop()
        self.interval, self._beat, self._missed = interval, beat, missed
        self.zero = self._loop.time()
        self.next = 0
        self.latest = 0.0
        self._still: deque[tuple[float, float]] = deque(maxlen=REMEMBERED)
        self._timer: asyncio.Handle | None = self._loop.call_soon(self._tick)

    def stop(self) -> None:
        """Beat no more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def due(self, number: int) -> float:
        """When this beat is due, on the loop's clock."""
        return self.zero + number * self.interval

    def stood_still(self, since: float) -> float:
        """For how many seconds of the time from `since` until now this process did not run."""
        now = self._loop.time()
        overdue = self._timer is not None and now - self.due(self.next) > STILL_SECONDS
        waiting = [(self.due(self.next), now)] if overdue else []
        return sum(max(0.0, end - max(start, since)) for start, end in [*self._still, *waiting])

    def _tick(self) -> None:
        now = self._loop.time()
        late = now - self.due(self.next)
        if late > STILL_SECONDS:
            self._still.append((now - late, now))
        self.latest = max(self.latest, late)
        number = max(self.next, int((now - self.zero) / self.interval))
        if number > self.next:
            self._missed(self.next, number - self.next)
        self.next = number + 1
        self._timer = self._loop.call_at(self.due(self.next), self._tick)
        self._beat(number, now)
