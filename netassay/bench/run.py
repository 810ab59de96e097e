"""What one run of a tool leaves, whichever tool it was."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from netassay.bench.processor import used

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from netassay.bench.schema import Validity
    from netassay.fleet.answers import Counters


@dataclass(frozen=True)
class Reading:
    """What a tool's output says: its version, metrics, cores that each of its ends used, and whether it counts."""

    version: str
    metrics: dict[str, float]
    cores: dict[str, float]
    validity: Validity
    seconds: float


class Run:
    """What was run, what it wrote and what that says; CPU, TCP's events and the window, once they were seen."""

    def __init__(self, argv: Sequence[str], output: bytes, reading: Reading) -> None:
        """What the tool said."""
        self.argv, self.output, self.reading = list(argv), output, reading
        self.window = (0.0, 0.0)
        self.cpu: dict[str, float] = {}
        self.tcp: dict[str, float] = {}

    def saw(self, before: Mapping[str, Counters], after: Mapping[str, Counters], *, client: str) -> None:
        """Take the differences of both nodes' counters; nothing if there are none."""
        if not before:
            return
        self.cpu = used(before, after)
        first, last = before[client], after[client]
        self.window = first.at, last.at
        self.tcp = {key: float(last.tcp[key] - value) for key, value in first.tcp.items()}
        if last.tracked is not None:
            self.tcp["tracked"] = float(last.tracked)
