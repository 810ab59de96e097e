"""What a bench leaves behind: a header, one JSON line for each repetition, and the same for perfdash."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import msgspec

from netassay.errors import HarnessFault
from netassay.results.redact import redact_record
from netassay.results.schema import ClusterFacts  # noqa: TC001 - msgspec reads annotations

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SCHEMA: Final = "netassay.dev/repetition/1"
HEADER: Final = "bench.json"
LINES: Final = "repetitions.jsonl"
PERFDASH: Final = "perfdash.json"
RAW: Final = "raw"


class Tool(msgspec.Struct, kw_only=True):
    """What made the load: name, version and its whole command."""

    name: str
    version: str = ""
    argv: list[str] = []


class Environment(msgspec.Struct, kw_only=True):
    """What figures depend on besides the mode: they are compared only where this is the same.

    `machine` is the processor with its number of cores, `mtu` that of pods, in bytes.
    """

    kubernetes: str = ""
    kernel: str = ""
    machine: str = ""
    mtu: int = 0
    service_proxy: str = ""
    offloads: dict[str, str] = {}


class Validity(msgspec.Struct, kw_only=True):
    """Whether a repetition counts, why it does not, and what else a reader must know of it."""

    valid: bool
    reasons: list[str] = []
    notes: list[str] = []


class Raw(msgspec.Struct, kw_only=True):
    """The tool's own output: a file beside the record, and its SHA-256."""

    file: str
    sha256: str


class Repetition(msgspec.Struct, kw_only=True):
    """One measurement of one cell: a line of `repetitions.jsonl`.

    `block` and `rep` count from 1; `rep` is above 1 where one before it was not valid; `order` is the place within its
    block. `window` is when load was on, by the client's node's clock. `metrics` say their unit in their names. `cpu` is
    in seconds of one core over the window, by kind, minus what the machine used when idle in the same block.
    """

    schema: str = SCHEMA
    run: str
    block: int
    rep: int
    order: int
    cell: str
    mode: str
    evidence: list[str] = []
    environment: Environment
    nodes: dict[str, str]
    tool: Tool
    window: tuple[float, float]
    metrics: dict[str, float]
    cpu: dict[str, float] = {}
    validity: Validity
    raw: Raw | None = None


class Header(msgspec.Struct, kw_only=True):
    """One bench: what was asked for, and what could not be measured, with the reasons, by cell."""

    schema: str = "netassay.dev/bench/1"
    run: str
    netassay: str
    started: float
    finished: float = 0.0
    level: str
    mode: str
    lab: str = ""
    cells: list[str]
    environment: Environment
    cluster: ClusterFacts
    absent: dict[str, str] = {}
    footprint: dict[str, float] = {}
    faults: list[str] = []


@dataclass(frozen=True)
class Bench:
    """A bench that was read back."""

    header: Header
    repetitions: list[Repetition]

    def values(self, cell: str, metric: str) -> dict[int, float]:
        """The valid values of a metric of a cell, one for each block that has one."""
        return {
            each.block: each.metrics[metric]
            for each in self.repetitions
            if each.cell == cell and each.validity.valid and metric in each.metrics
        }

    def metrics(self, cell: str) -> list[str]:
        """The metrics that valid repetitions of a cell have, in order."""
        return list(
            dict.fromkeys(key for r in self.repetitions if r.cell == cell and r.validity.valid for key in r.metrics)
        )


def write_header(folder: Path, header: Header) -> None:
    """Write, or replace, the header, without secrets."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / HEADER).write_bytes(msgspec.json.format(msgspec.json.encode(redact_record(header)), indent=1) + b"\n")


def append(folder: Path, repetition: Repetition) -> None:
    """Add a line: what was measured is kept whatever becomes of the rest."""
    with (folder / LINES).open("ab") as file:
        file.write(msgspec.json.encode(redact_record(repetition)) + b"\n")


def keep_raw(folder: Path, name: str, output: bytes) -> Raw:
    """Keep a tool's output beside the record."""
    file = folder / RAW / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(output)
    return Raw(file=f"{RAW}/{name}", sha256=hashlib.sha256(output).hexdigest())


def read(folder: Path) -> Bench:
    """Read a bench back. HarnessFault if the folder holds none, or one that can't be read."""
    try:
        header = msgspec.json.decode((folder / HEADER).read_bytes(), type=Header)
    except FileNotFoundError:
        raise HarnessFault(f"{folder} holds no bench: there is no {HEADER} in it") from None
    except msgspec.MsgspecError as error:
        raise HarnessFault(f"{folder / HEADER} can't be read: {error}") from error
    return Bench(header, list(_lines(folder)))


def _lines(folder: Path) -> Iterator[Repetition]:
    if not (folder / LINES).exists():
        return
    for number, line in enumerate((folder / LINES).read_bytes().splitlines(), 1):
        try:
            yield msgspec.json.decode(line, type=Repetition)
        except msgspec.MsgspecError as error:
            raise HarnessFault(f"{folder / LINES}, line {number}, can't be read: {error}") from error


def perfdash(bench: Bench) -> dict[str, Any]:
    """The form that Kubernetes' perfdash takes: medians of cells, each with its unit and labels."""
    values: dict[tuple[str, str], list[float]] = defaultdict(list)
    for each in bench.repetitions:
        if each.validity.valid:
            for metric, value in each.metrics.items():
                values[each.cell, metric].append(value)
    items = []
    for (cell, metric), found in values.items():
        ordered = sorted(found)
        data = {"Perc50": ordered[len(ordered) // 2], "Min": ordered[0], "Max": ordered[-1]}
        labels = {"Cell": cell, "Metric": metric, "Mode": bench.header.mode, "Blocks": str(len(ordered))}
        items.append({"data": data, "unit": metric.rpartition("_")[2], "labels": labels})
    return {"version": "v1", "dataItems": items}
