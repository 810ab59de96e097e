"""The largest packet that a path lets through whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

from netassay.errors import HarnessFault
from netassay.observation import Attempt, Outcome, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from netassay.fleet.probe import Probe

SECONDS = 0.75
TRIES = 2
SIZES_A_ROUND = 16
_UDP_HEADER = 8
_IPV4_HEADER, _IPV6_HEADER = 20, 40


def largest_packet(probe: Probe, host: str, port: int, *, ceiling: int) -> int:
    """Bytes of the largest IP packet, up to `ceiling`, that a UDP echo at `host` answers when it may not be fragmented.

    0 if not even a packet of the smallest size is answered. Each size is tried twice, so that one lost packet decides
    nothing. HarnessFault if attempts had no verdict.
    """
    headers = _UDP_HEADER + (_IPV6_HEADER if ":" in host else _IPV4_HEADER)
    low, high = headers, ceiling
    if not _passing(probe, host, port, headers, [low]):
        return 0
    while low < high:
        # Many sizes at once: a packet that is too large costs its whole time-out, whichever way the search goes.
        step = max(1, (high - low) // SIZES_A_ROUND)
        sizes = sorted({*range(low + step, high, step), high}, reverse=True)
        passed = _passing(probe, host, port, headers, sizes)
        best = max(passed, default=low)
        high = min((size for size in sizes if size > best), default=best + 1) - 1
        low = best
    return low


def _passing(probe: Probe, host: str, port: int, headers: int, sizes: Sequence[int]) -> set[int]:
    attempts = [
        Attempt(
            protocol=Protocol.UDP, host=host, port=port, payload=size - headers, dont_fragment=True, timeout=SECONDS
        )
        for size in sizes
        for _ in range(TRIES)
    ]
    passed = set()
    for seen in probe.attempt(attempts):
        if seen.outcome is Outcome.NO_VERDICT:
            raise HarnessFault(f"path MTU from {probe} to {host}: {seen.describe()}")
        if seen.outcome is Outcome.OPEN and seen.received == seen.attempt.payload:
            passed.add(seen.attempt.payload + headers)
    return passed
