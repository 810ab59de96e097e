"""iperf3 as `netassay bench` runs and reads it, beside iperf3 as a person does, alternating in the same pods.

    python -m benchmarks.by_hand --kubeconfig FILE [--image IMAGE --load-image IMAGE] [--pairs 10] [--seconds 4]

By hand: `iperf3 -s -1` in one pod, `iperf3 -c ADDRESS -O 1 -t SECONDS -f m` in the other, and the line that ends with
"receiver" taken for the figure. Which of the two goes first alternates from pair to pair. Exit code 1 if the medians
differ by more than 3%.
"""

from __future__ import annotations

import asyncio
import re
import statistics
import sys
from typing import TYPE_CHECKING

from benchmarks.pods import arguments, pods
from netassay.bench import throughput
from netassay.bench.cells import Cell, Level, loads
from netassay.errors import HarnessFault
from netassay.families import Family
from netassay.fleet.execution import execute
from netassay.fleet.manifests import LOAD_CONTAINER

if TYPE_CHECKING:
    from netassay.bench.topology import Topology

CELL = Cell("pod", Family.IPV4, "tcp-1")
OMIT = 1
WITHIN = 0.03
SPARE_SECONDS = 30.0
RECEIVED = re.compile(r"([\d.]+) Mbits/sec\s+receiver")


def by_harness(topology: Topology, level: Level) -> float:
    """Gbit/s as the bench measures it."""
    run = throughput.measure(topology, CELL, loads()[CELL.load], level, udp_mbps=0, mtu=0, tell=lambda _: None)
    return run.reading.metrics["gbps"]


def by_hand(topology: Topology, level: Level) -> float:
    """Gbit/s as a person reads it."""
    cluster, (source, sink), port = topology.fleet.cluster, topology.ends(CELL), topology.port()
    host, _ = topology.target(CELL, port)
    deadline = level.seconds + SPARE_SECONDS

    async def both() -> str:
        serve = ["iperf3", "-s", "-1", "-p", str(port)]
        server = asyncio.create_task(execute(cluster, sink, LOAD_CONTAINER, serve, deadline=deadline))
        ask = ["iperf3", "-c", host, "-p", str(port), "-O", str(level.omit), "-t", str(level.seconds), "-f", "m"]
        done = await throughput.run_client(topology, source, ask, deadline, server)
        await server
        return done.output.decode()

    said = cluster.run(both())
    figure = RECEIVED.search(said)
    if figure is None:
        raise HarnessFault(f"iperf3 by hand told no rate: {said[-300:]}")
    return float(figure[1]) / 1000


def main() -> int:
    """Measure in turns, and print each pair and what the medians say."""
    parser = arguments(__doc__)
    parser.add_argument("--pairs", type=int, default=10)
    parser.add_argument("--seconds", type=int, default=4)
    options = parser.parse_args()
    level = Level(title="", blocks=1, seconds=options.seconds, omit=OMIT, paths=(), loads=())
    ways = {"harness": by_harness, "by hand": by_hand}
    found: dict[str, list[float]] = {way: [] for way in ways}
    with pods(options) as topology:
        for pair in range(options.pairs):
            for way in sorted(ways, reverse=bool(pair % 2)):
                found[way].append(ways[way](topology, level))
            print("  ".join(f"{way} {values[-1]:.3f}" for way, values in found.items()), "Gbit/s", flush=True)
    medians = {way: statistics.median(values) for way, values in found.items()}
    apart = medians["harness"] / medians["by hand"] - 1
    print(f"medians of {options.pairs}: " + ", ".join(f"{way} {value:.3f}" for way, value in medians.items()))
    print(f"the harness's is {100 * apart:+.2f}% of the one by hand (limit {100 * WITHIN:g}%)")
    return int(abs(apart) > WITHIN)


if __name__ == "__main__":
    sys.exit(main())
