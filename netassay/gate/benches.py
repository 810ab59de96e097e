"""Benches as a gate sees them: values by cell, metric and block, and what figures depend on besides the network."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from netassay.bench.schema import Bench, read
from netassay.errors import HarnessFault, UsageError

if TYPE_CHECKING:
    from pathlib import Path


class BenchValues(NamedTuple):
    """One bench, with what must be the same for figures to be compared."""

    bench: Bench

    @property
    def run(self) -> str:
        """Its id."""
        return self.bench.header.run

    @property
    def machine(self) -> str:
        """Processor and number of cores."""
        return self.bench.header.environment.machine

    @property
    def kernel(self) -> str:
        """The kernel's version."""
        return self.bench.header.environment.kernel

    @property
    def tool(self) -> str:
        """The tools that made the load, with their versions."""
        return ", ".join(sorted({f"{one.tool.name} {one.tool.version}".strip() for one in self.bench.repetitions}))

    @property
    def blocks(self) -> int:
        """How many blocks have anything valid."""
        return len({one.block for one in self.bench.repetitions if one.validity.valid})

    def of(self, cell: str, metric: str) -> dict[int, float]:
        """The valid values of a metric of a cell, by block."""
        return self.bench.values(cell, metric)


def read_bench(folder: Path) -> BenchValues:
    """Read a bench. `UsageError` if it can't be read, or measured nothing."""
    try:
        bench = read(folder)
    except HarnessFault as fault:
        raise UsageError(str(fault)) from fault
    if not bench.repetitions:
        raise UsageError(f"{folder}: this bench measured nothing; is it finished?")
    return BenchValues(bench)
