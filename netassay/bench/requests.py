"""One run of requests and answers between two pods of a block, by the agent, with an HDR histogram of their times."""

from __future__ import annotations

import asyncio
import contextlib
import json
from typing import TYPE_CHECKING, Final

from hdrh.histogram import HdrHistogram

from netassay.bench.execution import execute
from netassay.bench.run import Reading, Run
from netassay.bench.schema import Validity
from netassay.bench.watching import watch, watched
from netassay.errors import HarnessFault
from netassay.fleet.manifests import AGENT_PATH, CONTAINER

if TYPE_CHECKING:
    from netassay.bench.cells import Cell, Level, Requests
    from netassay.bench.topology import Topology

LONGEST_US: Final = 60_000_000
DIGITS: Final = 3
PERCENTILES: Final = {"p50_us": 50, "p90_us": 90, "p99_us": 99}
FAILED: Final = 0.001
"""Share of requests that may fail before the times of the others say little."""
SPARE_SECONDS: Final = 30.0
TRIES: Final = 40


def measure(topology: Topology, cell: Cell, requests: Requests, level: Level) -> Run:
    """Make one run of a cell. HarnessFault if it could not be made."""
    port = topology.port()
    host, number = topology.target(cell, port)
    fresh = ["--fresh"] if requests.fresh else []
    server = ["python3", AGENT_PATH, "rounds", "serve", str(port), *fresh]
    client = ["python3", AGENT_PATH, "rounds", "ask", str(number), "--host", host, *fresh]
    client += ["--connections", str(requests.connections), "--seconds", str(level.seconds), "--omit", str(level.omit)]
    return topology.fleet.cluster.run(_measure(topology, cell, level, server, client))


async def _measure(topology: Topology, cell: Cell, level: Level, server: list[str], client: list[str]) -> Run:
    cluster = topology.fleet.cluster
    source, sink = topology.ends(cell)
    deadline = level.omit + level.seconds + SPARE_SECONDS
    serving = asyncio.create_task(execute(cluster, sink, CONTAINER, server, deadline=2 * deadline))
    looking: asyncio.Task[object] | None = None
    try:
        for _ in range(TRIES):
            looking = watching = asyncio.create_task(watch(source, sink, level, reverse=False, tell=lambda _: None))
            done = await execute(cluster, source, CONTAINER, client, deadline=deadline)
            if done.succeeded or done.output or "ConnectionRefused" not in done.said:
                break
            # The server's process is still starting.
            watching.cancel()
            await asyncio.sleep(0.1)
        if not done.succeeded:
            raise HarnessFault(f"the requests to {cell.id} broke off: {done.said[-400:]}")
        run = Run(client, done.output, read(done.output))
        run.saw(*watched(watching), client=source.node)
        return run
    finally:
        if looking is not None:
            looking.cancel()
        serving.cancel()
        with contextlib.suppress(asyncio.CancelledError, HarnessFault):
            await serving


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
