"""The event loop's thread, beside one that computes."""

from __future__ import annotations

import asyncio
import sys
import time
from typing import TYPE_CHECKING

import pytest

from netassay.cluster.loop import LoopThread, take_turns_quickly

if TYPE_CHECKING:
    from collections.abc import Iterator

PATIENCE = 0.05
"""For how many seconds threads wait for one that computes before they take turns quickly: ten times Python's own, so
that the difference is not that of a busy machine."""
TURNS = 40


@pytest.fixture
def loop() -> Iterator[LoopThread]:
    """A loop in a process whose threads are patient, and that process put back as it was."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(PATIENCE)
    made = LoopThread("loop")
    take_turns_quickly()
    yield made
    made.close()
    sys.setswitchinterval(before)


def test_streams_are_served_while_a_check_is_being_recorded(loop: LoopThread) -> None:
    async def turns() -> float:
        began = time.perf_counter()
        for _ in range(TURNS):
            await asyncio.sleep(0.001)
        return time.perf_counter() - began

    served = loop.start(turns())
    while not served.done():
        sum(range(1000))
    assert served.result() < TURNS * PATIENCE / 2
