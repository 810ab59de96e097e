"""Two sides of a gate that were made up: runs, benches and watches in which one thing at a time is different."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from netassay.bench.schema import Environment, Header, Repetition, Tool, Validity, append, write_header
from netassay.disruption import Outage, Timeline, Watched
from netassay.disruption.timeline import Lost
from netassay.observation import Protocol
from netassay.results.schema import CheckRecord, ClusterFacts, Figure, NodeFacts, RunRecord, Verdict
from netassay.watch import FlowRecord, Unwatched, WatchRecord

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

CHECKS = (
    "dns/test_names.py::test_service",
    "services/test_cluster_ip.py::test_answers",
    "policy/test_deny.py::test_all",
)
CELL = "pod.ipv4.tcp-1"
HOST = "host.ipv4.tcp-1"


def run(run_id: str = "r1", started: float = 1000.0, **verdicts: Verdict | None) -> RunRecord:
    """A run of three checks that hold; `dns`, `services` and `policy` are other verdicts, None for one not made."""
    checks = [
        CheckRecord(id=check, verdict=verdict, title=f"check of {name}", message=f"{name} said so")
        for check in CHECKS
        if (verdict := verdicts.get(name := check.partition("/")[0], Verdict.HOLDS)) is not None
    ]
    nodes = [NodeFacts(name=f"node{number}", ready=True, kernel="6.1.0") for number in (1, 2)]
    cluster = ClusterFacts(lab="flannel-vxlan", version="v1.37.2", nodes=nodes, service_proxy="nftables")
    figures = [Figure("disruption/test_backends.py::test_killed", "outage, new TCP connections", 900.0, "ms")]
    return RunRecord(
        run_id=run_id,
        netassay="0.1.0",
        started=started,
        finished=started + 100,
        mode="flannel-vxlan",
        cluster=cluster,
        checks=checks,
        figures=figures,
    )


def values(seed: int, *, count: int = 10, centre: float = 20.0, sigma: float = 0.01) -> list[float]:
    """Throughputs that scatter by so much."""
    random_ = random.Random(seed)  # noqa: S311 - no secret
    return [centre * random_.lognormvariate(0, sigma) for _ in range(count)]


def write_bench(
    folder: Path,
    gbps: Sequence[float],
    *,
    host: Sequence[float] = (),
    run_id: str = "b1",
    kernel: str = "6.1.0",
    invalid: Sequence[float] = (),
) -> None:
    """A bench's folder, with a line for each block and cell."""
    environment = Environment(machine="2 x example", kernel=kernel)
    write_header(
        folder,
        Header(
            run=run_id,
            netassay="0.1.0",
            started=0,
            level="gate",
            mode="flannel-vxlan",
            cells=[CELL, HOST],
            environment=environment,
            cluster=ClusterFacts(),
        ),
    )
    rows = [(CELL, block, value, True) for block, value in enumerate(gbps, 1)]
    rows += [(HOST, block, value, True) for block, value in enumerate(host, 1)]
    rows += [(CELL, block, value, False) for block, value in enumerate(invalid, 100)]
    for cell, block, value, valid in rows:
        line = Repetition(
            run=run_id,
            block=block,
            rep=1,
            order=1,
            cell=cell,
            mode="flannel-vxlan",
            environment=environment,
            nodes={},
            tool=Tool(name="iperf3", version="3.18"),
            window=(0.0, 20.0),
            metrics={"gbps": value},
            validity=Validity(valid=valid),
        )
        append(folder, line)


def watch(*flows: FlowRecord, exit_code: int | None = 0) -> WatchRecord:
    """A watch of these flows."""
    return WatchRecord(
        run_id="w1",
        started=0,
        finished=60,
        mode="flannel-vxlan",
        event="upgrade.sh",
        exit_code=exit_code,
        flows=[*flows],
    )


def watched(
    *,
    out: float = 0.0,
    failed: int = 0,
    ended: int = 0,
    unjudged: int = 0,
    kept: bool = False,
    unwatched: bool = False,
    recovered: bool = True,
    doubt: float = 0.0,
) -> FlowRecord:
    """One flow from node1 to a Service that was out for so many seconds, which may be `doubt` more or less."""
    flow = Watched(
        source="watch-source-x",
        source_node="node1",
        target="Service",
        protocol=Protocol.TCP,
        host="10.96.0.7",
        port=8080,
        kept=kept,
        interval=0.01,
        timeout=0.9,
    )
    outage = Outage(
        began=10 + doubt / 2,
        good_until=10 - doubt / 2,
        failed_until=10 + out - doubt / 2,
        ended=10 + out + doubt / 2,
        failed=failed,
        recovered=recovered,
    )
    timeline = Timeline(
        flow=flow,
        since=0,
        until=60,
        attempts=6000,
        failed=failed,
        unjudged=unjudged,
        latest=0.001,
        unsure=0.001,
        outages=(outage,) if out else (),
        answering=(),
        lost=tuple(Lost(at=10.0, peer="web-1", unanswered=1, words="closed by the peer") for _ in range(ended)),
    )
    gap = (Unwatched(began=20, ended=25, why="its source was replaced"),) if unwatched else ()
    return FlowRecord(path="Service", way="east-west", timeline=timeline, unwatched=gap)
