"""Benches made up for tests: figures in, records out."""

from __future__ import annotations

from netassay.bench.schema import Bench, Environment, Header, Repetition, Tool, Validity
from netassay.results.schema import ClusterFacts

CELL, CONTROL = "pod.ipv4.tcp-1", "host.ipv4.tcp-1"


def bench(mode, values, controls=(), *, kernel="6.18", invalid=(), absent=None):
    """Blocks of one cell and its control, in Gbit/s."""
    environment = Environment(kernel=kernel, machine="2 cores", mtu=1450)
    lines = [
        Repetition(
            run="r1",
            block=block,
            rep=1,
            order=1,
            cell=cell,
            mode=mode,
            environment=environment,
            nodes={"client": "a", "server": "b"},
            tool=Tool(name="iperf3", version="iperf 3.18", argv=["iperf3"]),
            window=(0.0, 4.0),
            metrics={"gbps": value, "core_s_per_gbit": 0.2},
            validity=Validity(valid=block not in invalid or cell == CONTROL, reasons=["it drifted"]),
        )
        for cell, figures in ((CELL, values), (CONTROL, controls))
        for block, value in enumerate(figures, 1)
    ]
    header = Header(
        run="r1",
        netassay="1",
        started=1.0,
        level="smoke",
        mode=mode,
        lab=mode,
        cells=[CONTROL, CELL],
        environment=environment,
        cluster=ClusterFacts(lab=mode),
        absent=absent or {},
    )
    return Bench(header, lines)
