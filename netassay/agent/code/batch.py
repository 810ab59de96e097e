"""Many attempts at once, at most so many in flight."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Callable

from . import kernel
from .attempt import KINDS

if TYPE_CHECKING:
    from .attempt import Attempt, Seen, Wanted
    from .names import Names


class Batch:
    """Runs attempts in the order given and hands each result to `seen` as it comes, `index` telling which it is."""

    def __init__(self, names: Names, wanted: list[Wanted], concurrency: int, seen: Callable[[Seen], None]) -> None:
        """Nothing starts before `run`."""
        self._names, self._wanted, self._seen = names, wanted, seen
        self._concurrency = max(1, concurrency)
        self._loop = asyncio.get_running_loop()
        self._next = self._running = 0
        self._filling = False
        self._over: asyncio.Future[None] = self._loop.create_future()

    async def run(self) -> None:
        """Return when every attempt has its result; cancelled, it starts no more."""
        self._fill()
        try:
            await self._over
        finally:
            self._next = len(self._wanted)

    def _fill(self) -> None:
        # An attempt that fails at once ends inside begin(): its result must not start another one from in there.
        if self._filling:
            return
        self._filling = True
        while self._running < self._concurrency and self._next < len(self._wanted):
            index = self._next
            self._next += 1
            self._running += 1
            self._start(index, self._wanted[index])
        self._filling = False
        if not self._running and not self._over.done():
            self._over.set_result(None)

    def _start(self, index: int, wanted: Wanted) -> None:
        attempt = KINDS[wanted[0]](self._loop, index, wanted, self._ended)
        family = kernel.family_of(wanted[1])
        if family:
            attempt.begin(wanted[1], family)
        else:
            self._names.resolve(wanted[1]).add_done_callback(lambda found: _begin_resolved(attempt, found))

    def _ended(self, seen: Seen) -> None:
        self._running -= 1
        self._seen(seen)
        self._fill()


def _begin_resolved(attempt: Attempt, found: asyncio.Future[Any]) -> None:
    error = found.exception()
    if attempt.over:
        return
    if error is not None:
        attempt.name_failed(str(error))
    else:
        family, address = found.result()
        attempt.begin(address, family)
