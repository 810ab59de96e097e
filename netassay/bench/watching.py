"""Watching both ends of a run while it goes on."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Final

import msgspec

from netassay.fleet.answers import Counters

if TYPE_CHECKING:
    from collections.abc import Callable

    from netassay.bench.cells import Level
    from netassay.fleet import Probe

Seen = tuple[dict[str, Counters], dict[str, Counters]]
LOOK_SECONDS: Final = 1.0
LOOK_DEADLINE: Final = 10.0


async def counters(probe: Probe) -> Counters:
    """The probe's counters now."""
    return msgspec.convert(await probe.session.call("facts", LOOK_DEADLINE, what="counters"), Counters)


async def watch(source: Probe, sink: Probe, level: Level, *, reverse: bool, tell: Callable[[str], None]) -> Seen:
    """Look at both ends every second; their counters when what counts began, and as it was about to end."""
    receiver = source if reverse else sink
    await asyncio.sleep(level.omit + LOOK_SECONDS / 2)
    before = {probe.node: await counters(probe) for probe in (source, sink)}
    last = before[receiver.node]
    over = time.monotonic() + level.seconds - LOOK_SECONDS
    while time.monotonic() < over:
        await asyncio.sleep(min(LOOK_SECONDS, max(over - time.monotonic(), 0.05)))
        now = await counters(receiver)
        if now.at > last.at:
            tell(f"{8e-9 * (now.rx_bytes - last.rx_bytes) / (now.at - last.at):.2f} Gbit/s")
        last = now
    return before, {probe.node: await counters(probe) for probe in (source, sink)}


def watched(watching: asyncio.Task[Seen]) -> Seen:
    """What was seen; nothing if the run ended before there was anything to see."""
    return watching.result() if watching.done() else ({}, {})
