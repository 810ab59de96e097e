"""Questions at a steady rate, as many programs of a node ask them; what stands out shows only among many."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Callable

if TYPE_CHECKING:
    from collections.abc import Awaitable


async def ask_steadily(
    ask: Callable[[dict[str, Any]], Awaitable[dict[str, Any]]], command: dict[str, Any]
) -> list[list[Any]]:
    """Ask `count` times, `rate` times a second, whether or not answers have come.

    Each row: outcome, microseconds, words of the error. A process that cannot keep the rate asks late, and never less.
    """
    loop = asyncio.get_running_loop()
    began = loop.time()

    async def one(index: int) -> list[Any]:
        await asyncio.sleep(max(0.0, began + index / command["rate"] - loop.time()))
        said = await ask(command["question"])
        error = said["error"] or (said["rcode"] if said.get("rcode", "NOERROR") != "NOERROR" else "")
        return [said["outcome"], said["microseconds"], error]

    return list(await asyncio.gather(*(one(index) for index in range(command["count"]))))
