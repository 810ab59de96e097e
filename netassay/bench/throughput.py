"""One iperf3 run between two pods of a block."""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import TYPE_CHECKING, Final

from netassay.bench import iperf3
from netassay.bench.run import Run
from netassay.bench.watching import watch, watched
from netassay.errors import HarnessFault
from netassay.families import Family
from netassay.fleet.execution import execute
from netassay.fleet.manifests import LOAD_CONTAINER

if TYPE_CHECKING:
    from collections.abc import Callable

    from netassay.bench.cells import Cell, Level, Load
    from netassay.bench.topology import Topology
    from netassay.fleet import Probe
    from netassay.fleet.execution import Done

SPARE_SECONDS: Final = 40.0
"""What a run may take beyond its own time: time-outs of iperf3's own end it before."""
LISTENING_SECONDS: Final = 8.0
"""How long a server that was just started may refuse."""
REFUSED: Final = b"unable to connect to server"


def measure(
    topology: Topology, cell: Cell, load: Load, level: Level, *, udp_mbps: float, mtu: int, tell: Callable[[str], None]
) -> Run:
    """Make one run of a cell; `tell` is given the figure of each second. HarnessFault if it could not be made."""
    port = topology.port()
    host, number = topology.target(cell, port)
    argv = iperf3.client(host, number, load, level, mtu=mtu, udp_mbps=udp_mbps, ipv6=cell.family is Family.IPV6)
    return topology.fleet.cluster.run(_measure(topology, cell, load, level, argv, port, tell))


async def _measure(
    topology: Topology,
    cell: Cell,
    load: Load,
    level: Level,
    argv: list[str],
    port: int,
    tell: Callable[[str], None],
) -> Run:
    cluster = topology.fleet.cluster
    source, sink = topology.ends(cell)
    deadline = level.omit + level.seconds + SPARE_SECONDS
    server = asyncio.create_task(
        execute(cluster, sink, LOAD_CONTAINER, iperf3.server(port, load), deadline=deadline + LISTENING_SECONDS)
    )
    watching = asyncio.create_task(watch(source, sink, level, reverse=load.reverse, tell=tell))
    try:
        done = await run_client(topology, source, argv, deadline, server)
        run = Run(argv, done.output, iperf3.read(done.output, load, level))
        run.saw(*watched(watching), client=source.node)
        return run
    finally:
        watching.cancel()
        server.cancel()
        with contextlib.suppress(asyncio.CancelledError, HarnessFault):
            await server


async def run_client(
    topology: Topology, source: Probe, argv: list[str], deadline: float, server: asyncio.Task[Done]
) -> Done:
    """Run an iperf3 client, again while its server may not be listening yet. HarnessFault if that one has ended."""
    over = time.monotonic() + LISTENING_SECONDS
    while True:
        done = await execute(topology.fleet.cluster, source, LOAD_CONTAINER, argv, deadline=deadline)
        early = REFUSED in done.output or REFUSED in done.said.encode()
        if not early or time.monotonic() > over:
            return done
        if server.done():
            said = server.result().output.decode(errors="replace") or server.result().said
            raise HarnessFault(f"iperf3's server in the pod ended before its client came: {said[-300:]}")
        await asyncio.sleep(0.1)
