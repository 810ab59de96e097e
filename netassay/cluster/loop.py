"""An event loop in a thread of its own, for a synchronous harness that needs thousands of things to happen at once."""

from __future__ import annotations

import asyncio
import sys
import threading
from typing import TYPE_CHECKING, Any, TypeVar

from netassay.errors import HarnessFault

if TYPE_CHECKING:
    import concurrent.futures
    from collections.abc import Coroutine

T = TypeVar("T")

QUICK_SECONDS = 0.0005
"""How long a thread that computes keeps others from running where they take turns quickly. Python's 5 ms are for each
call to the kernel that the loop makes, so that thousands of streams would be read and told of only every half a minute
while a check's record is written."""


class LoopThread:
    """Runs coroutines for callers of any thread."""

    def __init__(self, name: str) -> None:
        """Start the thread, under this name."""
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name=name, daemon=True)
        self._thread.start()

    def start(self, work: Coroutine[Any, Any, T]) -> concurrent.futures.Future[T]:
        """Set `work` going; its future."""
        if not self._thread.is_alive() or self._loop.is_closed():
            work.close()
            raise HarnessFault("the connection was closed, and cannot be used any more")
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """The result of `work`. Interrupted (Ctrl-C, a test's time limit), it cancels the work first."""
        future = self.start(work)
        try:
            return future.result()
        except BaseException:
            future.cancel()
            raise

    @property
    def closed(self) -> bool:
        """Whether it has been closed."""
        return self._loop.is_closed()

    def close(self) -> None:
        """Cancel what still runs, and end the thread. Harmless when repeated."""
        if self._loop.is_closed():
            return
        asyncio.run_coroutine_threadsafe(_cancel_all(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


def take_turns_quickly() -> None:
    """Have all threads of this process change places ten times as often as Python's do: for a loop of many streams."""
    sys.setswitchinterval(min(sys.getswitchinterval(), QUICK_SECONDS))


async def _cancel_all() -> None:
    others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
