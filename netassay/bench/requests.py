"""One run of requests and answers between two pods of a block, by the agent, with an HDR histogram of their times."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Final

from hdrh.histogram import HdrHistogram

from netassay.bench.run import Reading, Run
from netassay.bench.schema import Validity
from netassay.bench.watching import watch, watched
from netassay.fleet.rounds import rounds

if TYPE_CHECKING:
    from netassay.bench.cells import Cell, Level, Requests
    from netassay.bench.topology import Topology

LONGEST_US: Final = 60_000_000
DIGITS: Final = 3
PERCENTILES: Final = {"p50_us": 50, "p90_us": 90, "p99_us": 99}
FAILED: Final = 0.001
"""Share of requests that may fail before the times of the others say little."""


def measure(topology: Topology, cell: Cell, requests: Requests, level: Level) -> Run:
    """Make one run of a cell. HarnessFault if it could not be made."""
    port = topology.port()
    host, number = topology.target(cell, port)
    return topology.fleet.cluster.run(_measure(topology, cell, requests, level, port, host, number))


async def _measure(
    topology: Topology, cell: Cell, requests: Requests, level: Level, port: int, host: str, number: int
) -> Run:
    source, sink = topology.ends(cell)
    watching = asyncio.create_task(watch(source, sink, level, reverse=False, tell=lambda _: None))
    try:
        argv, done = await rounds(
            topology.fleet.cluster,
            source,
            sink,
            port=port,
            host=host,
            host_port=number,
            connections=requests.connections,
            fresh=requests.fresh,
            seconds=level.seconds,
            omit=level.omit,
        )
        run = Run(argv, done.output, read(done.output))
        run.saw(*watched(watching), client=source.node)
        return run
    finally:
        watching.cancel()


def read(output: bytes) -> Reading:
    """Make percentiles of what the agent counted. Errors are kept apart from times."""
    said = json.loads(output)
    histogram = HdrHistogram(1, LONGEST_US, DIGITS)
    for microseconds, count in said["counts"]:
        histogram.record_value(max(int(microseconds), 1), count)
    answered, failed = histogram.get_total_count(), sum(said["errors"].values())
    metrics = {"per_s": answered / said["seconds"], "failed": float(failed)}
    reasons = []
    if answered:
        metrics |= {key: float(histogram.get_value_at_percentile(share)) for key, share in PERCENTILES.items()}
    else:
        reasons.append("nothing was answered")
    if failed > FAILED * max(answered, 1):
        reasons.append(f"{failed} requests failed ({', '.join(sorted(said['errors']))}) beside {answered} answered")
    return Reading("", metrics, {}, Validity(valid=not reasons, reasons=reasons), float(said["seconds"]))
