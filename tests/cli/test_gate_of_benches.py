"""The gate on benches that the bench itself has written: only iperf3 and the pods that it runs in are made up.

What iperf3 says is its own output of a run in the lab, at another rate for each run.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from recorded_api import recorded_api

from netassay.bench import bench, footprint, throughput
from netassay.bench.progress import Progress
from netassay.bench.schema import LINES
from netassay.cli import main
from netassay.cli.common import console
from netassay.cluster import Cluster
from netassay.fleet.execution import Done

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.whole

RAW = json.loads((Path(__file__).parent.parent / "bench" / "data" / "tcp.json").read_text())
CELL = "pod.ipv4.tcp-1"
POLICY = f"""
required = ["performance"]
[[performance.gated]]
cell = "{CELL}"
metric = "gbps"
better = "higher"
margin = 0.05
"""
HOST_GBPS = 40.0


class Pods:
    """The pods of a block, as far as the bench asks for them."""

    def __init__(self, fleet: Any, *_: object, **__: object) -> None:
        pod = SimpleNamespace(node="node1", link_mtu=lambda: 1450, counters=lambda: SimpleNamespace(cores=2))
        self.fleet, self.probes = fleet, ()
        self.pods = {bench.CLIENT: pod}
        self._ends = pod, pod

    def ends(self, _: object) -> tuple[Any, Any]:
        return self._ends

    def target(self, cell: Any, port: int) -> tuple[str, int]:
        return cell.path, port

    def port(self) -> int:
        return 5201

    def why_not(self, _: object) -> str:
        return ""

    def limited(self) -> str:
        return ""

    def remove(self) -> None:
        """There is nothing."""


def said(gbps: float) -> bytes:
    """What iperf3 writes that has carried so much."""
    whole = json.loads(json.dumps(RAW))
    end = whole["end"]
    factor = gbps * 1e9 / end["sum_received"]["bits_per_second"]
    for part in (end["sum_received"], end["sum_sent"]):
        part["bits_per_second"] *= factor
        part["bytes"] = int(part["bytes"] * factor)
        part["seconds"] = 20.0
    for interval in whole["intervals"]:
        interval["sum"]["bits_per_second"] = gbps * 1e9
    return json.dumps(whole).encode()


@pytest.fixture
def measure(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[str, float, float], Path]:
    """Make a bench of ten blocks, in which pods carry about so many Gbit/s; its folder."""
    monkeypatch.setattr(bench, "Topology", Pods)
    monkeypatch.setattr(bench, "IDLE_SECONDS", 0.0)
    monkeypatch.setattr(footprint, "read", lambda *_: {})
    monkeypatch.setattr(throughput, "watched", lambda _: ({}, {}))

    async def nobody(*_: object, **__: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(throughput, "watch", nobody)

    def make(name: str, gbps: float, sigma: float) -> Path:
        chance = random.Random(name)  # noqa: S311 - no secret

        async def execute(_: object, __: object, ___: object, argv: list[str], *, deadline: float) -> Done:
            assert deadline > 20
            if "-s" in argv:
                await asyncio.Event().wait()
            middle = HOST_GBPS if argv[argv.index("-c") + 1] == "host" else gbps
            return Done(True, said(middle * chance.lognormvariate(0, sigma)), "")

        monkeypatch.setattr(throughput, "execute", execute)
        with recorded_api(tmp_path) as kubeconfig, Cluster.connect(kubeconfig=str(kubeconfig)) as cluster:
            request = bench.Request(level="gate", only=(CELL,), out=tmp_path / name / "bench", seed=1)
            made = bench.Bench(cluster, request, console())
            with Progress(console(), made.repetitions, made.seconds_each) as progress:
                for number in range(1, made.blocks + 1):
                    made.block(number, progress)
            return made.finish().parent

    return make


@pytest.mark.parametrize(
    ("gbps", "sigma", "code", "words"),
    [
        (20.0, 0.01, 0, "GO: performance: 1 of 1 metrics within their margins"),
        (18.0, 0.01, 1, f"NO-GO: {CELL} gbps"),
        (20.0, 0.25, 3, "this cluster cannot decide this metric"),
    ],
    ids=["unchanged", "ten-per-cent-less", "noisy"],
)
def test_the_gate_decides_on_what_benches_have_written(
    measure: Callable[[str, float, float], Path],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    gbps: float,
    sigma: float,
    code: int,
    words: str,
) -> None:
    before, after = measure("before", 20.0, sigma), measure("after", gbps, sigma)
    lines = (after / "bench" / LINES).read_text().splitlines()
    assert len(lines) == 20, "ten blocks of the cell and of its control"
    policy = tmp_path / "gate.toml"
    policy.write_text(POLICY)
    capsys.readouterr()
    monkeypatch.setattr(sys, "argv", ["netassay", "gate", str(before), str(after), "--policy", str(policy)])
    monkeypatch.setenv("COLUMNS", "200")
    with pytest.raises(SystemExit) as ended:
        main()
    first, *_ = capsys.readouterr().out.splitlines()
    assert ended.value.code == code, first
    assert words in first
