"""How many attempts a second the agent makes: on loopback per core, and in a cluster beside one exec per attempt.

    python benchmarks/attempts.py
    python benchmarks/attempts.py --kubeconfig FILE [--image IMAGE] --agnhost FILE

agnhost is Kubernetes' own test program: `CGO_ENABLED=0 go build -o FILE k8s.io/kubernetes/test/images/agnhost`, in
lab/pins/kubernetes, builds it.

The loopback part pins client and server to a core each and counts their CPU time, so that "per core" is measured. The
cluster part makes the same TCP attempts to the same pod in both ways, in turns.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from netassay.agent.local import LocalAgent
from netassay.cluster import Cluster
from netassay.errors import HarnessFault
from netassay.fleet import DEFAULT_IMAGE, Fleet, LocalProbe, Probe, Run
from netassay.fleet.channel import ChannelLost, ExecChannel
from netassay.fleet.manifests import CONTAINER
from netassay.observation import USUAL_PROTOCOLS, Attempt, Outcome, Protocol

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

ROUNDS = 5
ATTEMPTS = 10_000
EXECS = 40
AGNHOST = "/tmp/agnhost"  # noqa: S108 - in the pod, where /tmp is its own


def cpu_seconds(pid: int) -> float:
    """User and system time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def rate(probe: Probe, attempt: Attempt, count: int) -> float:
    """Attempts a second. HarnessFault if any of them did not reach an agent: those would be no measure of anything."""
    started = time.perf_counter()
    seen = probe.attempt([attempt] * count)
    seconds = time.perf_counter() - started
    bad = [one for one in seen if one.outcome is not Outcome.OPEN or not one.answered_by]
    if bad:
        raise HarnessFault(f"{len(bad)} of {count} attempts failed; the first: {bad[0].describe()}")
    return count / seconds


def report(what: str, rates: list[float]) -> float:
    """Print the median with the extremes; the median."""
    middle = statistics.median(rates)
    print(f"  {what:<44}{middle:>9,.0f}/s   ({min(rates):,.0f} to {max(rates):,.0f} in {len(rates)} rounds)")
    return middle


def on_loopback() -> None:
    """The agent against itself on this machine, client and server pinned."""
    cores = sorted(os.sched_getaffinity(0))
    print(
        f"loopback, {ATTEMPTS:,} attempts a round, 64 in flight, client on core {cores[-1]}, server on core {cores[0]}:"
    )
    with tempfile.TemporaryDirectory() as folder, LocalAgent(Path(folder), "server") as agent:
        os.sched_setaffinity(agent.process.pid, {cores[0]})
        pinned = ["taskset", "-c", str(cores[-1]), *agent.drive_command]
        with LocalProbe(pinned, "client") as probe:
            for protocol in USUAL_PROTOCOLS:
                attempt = Attempt(protocol=protocol, host="127.0.0.1", port=agent.ports[protocol])
                rate(probe, attempt, 1000)
                client = int(probe.session.pid)
                before = cpu_seconds(client), cpu_seconds(agent.process.pid)
                report(f"{protocol} attempts to an open port", [rate(probe, attempt, ATTEMPTS) for _ in range(ROUNDS)])
                spent = cpu_seconds(client) - before[0], cpu_seconds(agent.process.pid) - before[1]
                made = ROUNDS * ATTEMPTS
                print(f"  {'':<44}{made / spent[0]:>9,.0f} per client core-second, server's not counted")
                print(f"  {'':<44}{made / sum(spent):>9,.0f} per core-second, both ends together")


def exec_channel(cluster: Cluster, probe: Probe, command: list[str]) -> ExecChannel:
    """An exec of one command in the probe's pod."""
    return ExecChannel(cluster.objects.api, probe.namespace, probe.name, CONTAINER, command)


async def ended(channel: ExecChannel, what: str) -> None:
    """Return when the command has ended well; HarnessFault if it has not."""
    try:
        while True:
            await channel.receive()
    except ChannelLost as end:
        if channel.status != "Success":
            raise HarnessFault(f"{what}: {end}") from None
    finally:
        await channel.close()


def execs_rate(run_one: Callable[[], Awaitable[None]], cluster: Cluster, in_flight: int) -> float:
    """Attempts a second with one exec for each."""

    async def all_of_them() -> None:
        gate = asyncio.Semaphore(in_flight)

        async def one() -> None:
            async with gate:
                await run_one()

        await asyncio.gather(*(one() for _ in range(EXECS)))

    started = time.perf_counter()
    cluster.run(all_of_them())
    return EXECS / (time.perf_counter() - started)


def put_agnhost(cluster: Cluster, probe: Probe, binary: bytes) -> None:
    """Copy the binary into the probe's pod."""
    read = f"data = sys.stdin.buffer.read({len(binary)})"
    write = f"import os, sys; {read}; open('{AGNHOST}', 'wb').write(data); os.chmod('{AGNHOST}', 0o755)"

    async def copy() -> None:
        channel = exec_channel(cluster, probe, ["python3", "-c", write])
        await channel.open()
        await channel.send(binary)
        await ended(channel, f"copying agnhost to {probe}")

    cluster.run(copy())


def in_a_cluster(options: argparse.Namespace) -> None:
    """The agent over one exec, and one exec per attempt, from one pod to a pod of each node, in turns."""
    with Cluster.connect(kubeconfig=options.kubeconfig) as cluster, tempfile.TemporaryDirectory() as folder:
        fleet = Fleet(cluster, Run.new(), image=options.image, lock_dir=Path(folder))
        try:
            source = fleet.probes[0]
            put_agnhost(cluster, source, Path(options.agnhost).read_bytes())
            for target in (fleet.add("neighbour", node=source.node), *fleet.probes[1:2]):
                compare(cluster, source, target)
        finally:
            fleet.sweep()


def compare(cluster: Cluster, source: Probe, target: Probe) -> None:
    """Both ways to one target, in turns; print the ratio."""
    where = "same node" if target.node == source.node else "cross node"
    print(f"cluster {cluster.version()}, {source} to {target}, {where}:")
    port = target.ports["tcp"]
    attempt = Attempt(protocol=Protocol.TCP, host=target.address, port=port)
    rate(source, attempt, 1000)
    command = [AGNHOST, "connect", f"{target.address}:{port}", "--timeout=5s"]

    async def connect() -> None:
        channel = exec_channel(cluster, source, command)
        await channel.open()
        await ended(channel, " ".join(command))

    found: dict[str, list[float]] = {"agent": [], "one by one": [], "8 at once": [], "single": []}
    for _ in range(ROUNDS):
        found["agent"].append(rate(source, attempt, ATTEMPTS))
        found["one by one"].append(execs_rate(connect, cluster, 1))
        found["8 at once"].append(execs_rate(connect, cluster, 8))
        started = time.perf_counter()
        for _ in range(50):
            source.attempt([attempt])
        found["single"].append(50 / (time.perf_counter() - started))
    agent = report("agent over one exec, 64 in flight", found["agent"])
    single = report("agent over one exec, one by one", found["single"])
    execs = report("one exec per attempt (agnhost), 8 at once", found["8 at once"])
    alone = report("one exec per attempt (agnhost), one by one", found["one by one"])
    print(f"  ratio: {agent / execs:,.0f} times as many with many at once, {single / alone:,.0f} times one by one")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kubeconfig", help="also measure in this cluster")
    parser.add_argument("--image", default=DEFAULT_IMAGE, help="image of probe pods (default: %(default)s)")
    parser.add_argument(
        "--agnhost", metavar="FILE", help="the agnhost binary, to compare with; needed with --kubeconfig"
    )
    options = parser.parse_args()
    if options.kubeconfig and not options.agnhost:
        parser.error("--kubeconfig needs --agnhost FILE (CGO_ENABLED=0 go build k8s.io/kubernetes/test/images/agnhost)")
    on_loopback()
    if options.kubeconfig:
        in_a_cluster(options)


if __name__ == "__main__":
    main()
