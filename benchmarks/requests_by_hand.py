"""RR and CRR as `netassay bench` measures them, beside sockperf and wrk, alternating in the same pods' networks.

    python -m benchmarks.requests_by_hand --kubeconfig FILE [--rounds 10] [--seconds 4]

In the lab that runs, with Debian's sockperf and wrk on the machine. RR is compared with `sockperf ping-pong --full-rtt`
(64 bytes, TCP), and CRR with `wrk --header "Connection: close"` and one connection. Both are measured across nodes, and
within one pod by its own loopback: there is no network there, so what differs there is the tools' own cost. Exit code 1
if the times across nodes differ by more than 5%, and do so less that cost as well.
"""

from __future__ import annotations

import json
import re
import statistics
import subprocess
import sys
import time
from typing import TYPE_CHECKING

from benchmarks.pods import arguments, pods
from lab import state
from netassay.bench import requests
from netassay.bench.cells import Cell
from netassay.errors import HarnessFault
from netassay.families import Family
from netassay.fleet.rounds import rounds

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab.state import LabState
    from netassay.bench.topology import Topology
    from netassay.fleet import Probe

CELL = Cell("pod", Family.IPV4, "rr-1")
OMIT = 1
WITHIN = 0.05
LISTENS_WITHIN = 5.0
MEDIAN = re.compile(r"percentile 50\.000\s*=\s*([\d.]+)")
RATE = re.compile(r"Requests/sec:\s*([\d.]+)")

# Answers each request by one segment and closes first, as the harness's own server for CRR does.
WEB = """
import socket, sys
s = socket.create_server(("", int(sys.argv[1])), backlog=4096)
answer = b"HTTP/1.1 200 OK\\r\\nContent-Length: 0\\r\\nConnection: close\\r\\n\\r\\n"
while True:
    c, _ = s.accept()
    if c.recv(4096):
        c.send(answer)
    c.close()
"""


class Space:
    """A pod's network, in which programs of the machine can be run."""

    def __init__(self, lab: LabState, probe: Probe) -> None:
        """Find it by the pod's address. HarnessFault if there is none."""
        self.address = probe.over(CELL.family).address
        inside = lab.enter(probe.node)
        listed = subprocess.run([*inside, "ip", "netns", "list"], check=True, capture_output=True, text=True).stdout
        for name in (line.split()[0] for line in listed.splitlines()):
            self._enter = [*inside, "ip", "netns", "exec", name]
            if f"inet {self.address}/" in self.run("ip", "-4", "address"):
                return
        raise HarnessFault(f"no network of a pod on {probe.node} has the address {self.address}")

    def run(self, *command: str) -> str:
        """What the command writes."""
        return subprocess.run([*self._enter, *command], check=True, capture_output=True, text=True).stdout

    def serve(self, port: int, *command: str) -> subprocess.Popen[bytes]:
        """Start a server, and wait until it listens."""
        quiet = subprocess.DEVNULL
        server = subprocess.Popen([*self._enter, *command], stdout=quiet, stderr=quiet)
        deadline = time.monotonic() + LISTENS_WITHIN
        while f":{port} " not in self.run("ss", "-Hltn"):
            if time.monotonic() > deadline:
                raise HarnessFault(f"{command[0]} did not listen on port {port}")
            time.sleep(0.05)
        return server


def by_harness(topology: Topology, ends: tuple[Probe, Probe], host: str, seconds: int, *, fresh: bool) -> float:
    """Microseconds of the median, and with `fresh` of the mean: wrk tells rates, and no times of connections.

    From the request for a connection to the answer. The bench's rate has also the wait until the server has closed,
    which keeps the client's ports free and which wrk does not do.
    """
    port = topology.port()
    made = rounds(
        topology.fleet.cluster, *ends, port=port, host=host, host_port=port, connections=1, fresh=fresh,
        seconds=seconds, omit=OMIT,
    )  # fmt: skip
    _, done = topology.fleet.cluster.run(made)
    if not fresh:
        return requests.read(done.output).metrics["p50_us"]
    times, counts = zip(*json.loads(done.output)["counts"], strict=True)
    return statistics.fmean(times, weights=counts)


def by_sockperf(source: Space, sink: Space, host: str, port: int, seconds: int) -> float:
    """Microseconds of the median round trip."""
    server = sink.serve(port, "sockperf", "server", "--tcp", "--ip", host, "--port", str(port))
    try:
        to = ["--tcp", "--ip", host, "--port", str(port), "--msg-size", "64", "--full-rtt", "--time", str(seconds)]
        return _figure(MEDIAN, source.run("sockperf", "ping-pong", *to))
    finally:
        server.terminate()
        server.wait()


def by_wrk(source: Space, sink: Space, host: str, port: int, seconds: int) -> float:
    """Microseconds of the mean from one request to the next."""
    server = sink.serve(port, sys.executable, "-c", WEB, str(port))
    try:
        load = ["--threads", "1", "--connections", "1", "--duration", str(seconds), "--header", "Connection: close"]
        return 1e6 / _figure(RATE, source.run("wrk", *load, f"http://{host}:{port}/"))
    finally:
        server.terminate()
        server.wait()


def _figure(pattern: re.Pattern[str], said: str) -> float:
    found = pattern.search(said)
    if found is None:
        raise HarnessFault(f"no figure in: {said[-500:]}")
    return float(found[1])


def measured(topology: Topology, lab: LabState, count: int, seconds: int) -> Iterator[tuple[str, str, str, float]]:
    """What was asked, where, by whom, and microseconds; each round in the other order than the one before."""
    source, sink = topology.ends(CELL)
    client, server = Space(lab, source), Space(lab, sink)
    places = {
        "across nodes": ((source, sink), (client, server), server.address),
        "loopback": ((source, source), (client, client), "127.0.0.1"),
    }
    port = 5301
    for number in range(count):
        for where, (ends, spaces, host) in places.items():
            for fresh, other in ((False, by_sockperf), (True, by_wrk)):
                port += 1
                turns = {
                    "harness": lambda e=ends, h=host, f=fresh: by_harness(topology, e, h, seconds, fresh=f),
                    "other": lambda s=spaces, h=host, o=other, p=port: o(*s, h, p, seconds),
                }
                for who in sorted(turns, reverse=bool(number % 2)):
                    yield "crr" if fresh else "rr", where, who, turns[who]()


def main() -> int:
    """Measure in turns, and print the medians of all rounds and what they say."""
    parser = arguments(__doc__)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--seconds", type=int, default=4)
    options = parser.parse_args()
    lab = state.running()
    if lab is None:
        raise SystemExit("no lab runs: `netassay lab up` first")
    found: dict[tuple[str, str, str], list[float]] = {}
    with pods(options) as topology:
        for what, where, who, microseconds in measured(topology, lab, options.rounds, options.seconds):
            found.setdefault((what, where, who), []).append(microseconds)
            print(f"{what} {where} {who}: {microseconds:.1f} µs", flush=True)
    failed = False
    for what, other in (("rr", "sockperf"), ("crr", "wrk")):
        across, own = (
            [statistics.median(found[what, where, who]) for who in ("harness", "other")]
            for where in ("across nodes", "loopback")
        )
        plain = across[0] / across[1] - 1
        rest = (across[0] - (own[0] - own[1])) / across[1] - 1
        failed |= min(abs(plain), abs(rest)) > WITHIN
        print(f"{what}: across nodes the harness {across[0]:.1f} µs, {other} {across[1]:.1f} µs: {100 * plain:+.1f}%")
        print(f"    on loopback {own[0]:.1f} and {own[1]:.1f} µs; less that difference {100 * rest:+.1f}%")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
