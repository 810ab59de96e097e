"""Questions at a steady rate, as many programs of a node ask them; what stands out shows only among many."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Callable

if TYPE_CHECKING:
    from collections.abc import Awaitable

TICK_SECONDS = 0.05


async def ask_steadily(
    ask: Callable[[dict[str, Any]], Awaitable[dict[str, Any]]], command: dict[str, Any]
) -> dict[str, Any]:
    """Ask `count` times, `rate` times a second, whether or not answers have come.

    Each of `rows`: outcome, microseconds, words of the error. `stood_still` is for how many seconds at a time this
    process itself was not given the processor: so much of any answer's time may be its own.
    """
    loop = asyncio.get_running_loop()
    began = loop.time()
    stood_still = 0.0

    async def one(index: int) -> list[Any]:
        await asyncio.sleep(max(0.0, began + index / command["rate"] - loop.time()))
        said = await ask(command["question"])
        error = said["error"] or (said["rcode"] if said.get("rcode", "NOERROR") != "NOERROR" else "")
        return [said["outcome"], said["microseconds"], error]

    async def watch() -> None:
        nonlocal stood_still
        while True:
            due = loop.time() + TICK_SECONDS
            await asyncio.sleep(TICK_SECONDS)
            stood_still = max(stood_still, loop.time() - due)

    watcher = loop.create_task(watch())
    try:
        rows = await asyncio.gather(*(one(index) for index in range(command["count"])))
    finally:
        watcher.cancel()
    return {"rows": list(rows), "stood_still": stood_still}
