"""What the gate needs of a bench: its values by cell, metric and block, and what they depend on."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import msgspec

from netassay.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

BENCH_JSON: Final = "bench.json"
LINES: Final = "repetitions.jsonl"
SCHEMA: Final = "netassay.dev/repetition/1"


@dataclass(frozen=True)
class BenchValues:
    """One bench. `machine`, `kernel` and `tool` must be the same for figures to be compared."""

    run: str
    machine: str = ""
    kernel: str = ""
    tool: str = ""
    values: dict[tuple[str, str], dict[int, float]] = field(default_factory=dict)

    @property
    def blocks(self) -> int:
        """How many blocks have anything valid."""
        return len({block for values in self.values.values() for block in values})

    def of(self, cell: str, metric: str) -> dict[int, float]:
        """The valid values of a metric of a cell, by block."""
        return self.values.get((cell, metric), {})


class _Environment(msgspec.Struct):
    machine: str = ""
    kernel: str = ""


class _Tool(msgspec.Struct):
    name: str
    version: str = ""


class _Validity(msgspec.Struct):
    valid: bool


class _Line(msgspec.Struct):
    schema: str
    run: str
    block: int
    cell: str
    environment: _Environment
    tool: _Tool
    metrics: dict[str, float]
    validity: _Validity


def read_bench(folder: Path) -> BenchValues:
    """Read a bench's lines. `UsageError` if they can't be read or understood."""
    file = folder / LINES
    try:
        lines = [msgspec.json.decode(line, type=_Line) for line in file.read_bytes().splitlines() if line.strip()]
    except OSError as error:
        raise UsageError(f"could not read {file}: {error.strerror}; is the bench finished?") from error
    except msgspec.MsgspecError as error:
        raise UsageError(f"{file} is not the record of a bench: {error}") from error
    if not lines:
        raise UsageError(f"{file} is empty: the bench measured nothing")
    strange = {line.schema for line in lines} - {SCHEMA}
    if strange:
        raise UsageError(f"{file} is of schema {', '.join(strange)}, and this netassay reads {SCHEMA}")
    values: dict[tuple[str, str], dict[int, float]] = {}
    for line in lines:
        if line.validity.valid:
            for metric, value in line.metrics.items():
                values.setdefault((line.cell, metric), {})[line.block] = value
    first = lines[0]
    tools = sorted({f"{line.tool.name} {line.tool.version}".strip() for line in lines})
    return BenchValues(first.run, first.environment.machine, first.environment.kernel, ", ".join(tools), values)
