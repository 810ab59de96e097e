"""The controller by itself: the fleet's own code against a stand-in for an API server whose agents make up answers."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.scale.assay import check, print_json
from benchmarks.scale.usage import Step, cpu_seconds, descriptors, memory_mib, peak_mib
from netassay.cluster import Cluster
from netassay.fleet import Fleet, Run

if TYPE_CHECKING:
    from collections.abc import Sequence


def measure(count: int, *, full: Sequence[bool]) -> None:
    """Bring up the fleet of so many nodes, make the check with all pairs or a sample, and print what each took."""
    with tempfile.TemporaryDirectory() as text:
        folder = Path(text)
        argv = [sys.executable, "-m", "benchmarks.scale.stand_in", str(count), text]
        server = subprocess.Popen(argv, stdout=subprocess.PIPE)
        try:
            assert server.stdout is not None
            server.stdout.readline()
            with Cluster.connect(kubeconfig=str(folder / "kubeconfig")) as cluster:
                _measure(cluster, folder, server.pid, full=full)
        finally:
            server.kill()
            server.wait()


def _measure(cluster: Cluster, folder: Path, server: int, *, full: Sequence[bool]) -> None:
    fleet = Fleet(cluster, Run.new(), image="none", lock_dir=folder)
    nodes = fleet.nodes
    empty, open_before, served = peak_mib(), descriptors(), memory_mib([server])
    with Step() as starting:
        probes = fleet.probes
    with_streams, streams = peak_mib(), descriptors() - open_before
    held = memory_mib([server]) - served
    for each in full:
        before = cpu_seconds([server])
        made = check(probes, folder, full=each)
        print_json(
            {
                **made,
                "start_seconds": starting.seconds,
                "start_cpu": starting.cpu,
                "streams": streams,
                "stream_kib": round((with_streams - empty) * 1024 / len(nodes), 1),
                "server_stream_kib": round(held * 1024 / len(nodes), 1),
                "server_cpu": round(cpu_seconds([server]) - before, 2),
                "controller_mib": round(peak_mib(), 1),
            }
        )
    fleet.close()
