"""One iperf3 run between two pods of a block."""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import TYPE_CHECKING, Final

import msgspec

from netassay.bench import iperf3
from netassay.bench.execution import execute
from netassay.bench.processor import used
from netassay.errors import HarnessFault
from netassay.families import Family
from netassay.fleet.answers import Counters
from netassay.fleet.manifests import LOAD_CONTAINER

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from netassay.bench.cells import Cell, Level, Load
    from netassay.bench.execution import Done
    from netassay.bench.topology import Topology
    from netassay.fleet import Probe

LOOK_SECONDS: Final = 1.0
LOOK_DEADLINE: Final = 10.0
SPARE_SECONDS: Final = 40.0
"""What a run may take beyond its own time: time-outs of iperf3's own end it before."""
LISTENING_SECONDS: Final = 8.0
"""How long a server that was just started may refuse."""
REFUSED: Final = b"unable to connect to server"


class Run:
    """What one run left: iperf3's reading, its raw output, its command, CPU and counters over the window."""

    def __init__(self, argv: Sequence[str], done: Done, reading: iperf3.Reading) -> None:
        """What iperf3 said."""
        self.argv, self.output, self.reading = list(argv), done.output, reading
        self.window = (0.0, 0.0)
        self.cpu: dict[str, float] = {}
        self.tcp: dict[str, float] = {}


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
    watch = asyncio.create_task(_watch(source, sink, load, level, tell))
    try:
        done = await _client(topology, source, argv, deadline, server)
        run = Run(argv, done, iperf3.read(done.output, load, level))
        before, after = await _over(watch)
    finally:
        watch.cancel()
        server.cancel()
        with contextlib.suppress(asyncio.CancelledError, HarnessFault):
            await server
    if before:
        run.cpu = used(before, after)
        run.window = before[source.node].at, after[source.node].at
        run.tcp = {key: float(after[source.node].tcp[key] - value) for key, value in before[source.node].tcp.items()}
    return run


async def _client(
    topology: Topology, source: Probe, argv: list[str], deadline: float, server: asyncio.Task[Done]
) -> Done:
    """Run the client, again while its server may not be listening yet."""
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


async def _counters(probe: Probe) -> Counters:
    return msgspec.convert(await probe.session.call("facts", LOOK_DEADLINE, what="counters"), Counters)


async def _watch(
    source: Probe, sink: Probe, load: Load, level: Level, tell: Callable[[str], None]
) -> tuple[dict[str, Counters], dict[str, Counters]]:
    """Look at both ends every second; their counters when what counts began, and as it was about to end."""
    receiver = source if load.reverse else sink
    await asyncio.sleep(level.omit + LOOK_SECONDS / 2)
    before = {probe.node: await _counters(probe) for probe in (source, sink)}
    last = before[receiver.node]
    over = time.monotonic() + level.seconds - LOOK_SECONDS
    while time.monotonic() < over:
        await asyncio.sleep(min(LOOK_SECONDS, max(over - time.monotonic(), 0.05)))
        now = await _counters(receiver)
        if now.at > last.at:
            tell(f"{8e-9 * (now.rx_bytes - last.rx_bytes) / (now.at - last.at):.2f} Gbit/s")
        last = now
    return before, {probe.node: await _counters(probe) for probe in (source, sink)}


async def _over(
    watch: asyncio.Task[tuple[dict[str, Counters], dict[str, Counters]]],
) -> tuple[dict[str, Counters], dict[str, Counters]]:
    """What was watched; nothing if the run ended before there was anything to see."""
    if not watch.done():
        return {}, {}
    return watch.result()
