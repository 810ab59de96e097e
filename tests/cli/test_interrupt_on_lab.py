"""Ctrl-C on a real cluster: nothing of the run is left in it."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from netassay.cluster import Cluster
from netassay.fleet.run import RUN_LABEL
from netassay.results.collect import read_run
from netassay.results.schema import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.lab

MODE = "flannel-vxlan"
BEGUN_WITHIN = 120.0
ENDED_WITHIN = 60.0


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """The lab as it runs; if none does, one for as long as these tests take."""
    from lab import lifecycle, state  # noqa: PLC0415 - needs root, as all tests here
    from netassay.cli.lab import outside_agent  # noqa: PLC0415

    ours = state.running() is None
    lab = state.running() or lifecycle.up(MODE, outside_agent=outside_agent())
    with Cluster.connect(kubeconfig=lab.kubeconfig) as connected:
        yield connected
    if ours:
        lifecycle.down()


def test_nothing_is_left_in_the_cluster(cluster: Cluster, tmp_path: Path) -> None:
    out = tmp_path / "run"
    command = [sys.executable, "-m", "netassay", "run", "--lab", MODE, "--out", str(out), "--select", "reachability"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        end = time.monotonic() + BEGUN_WITHIN
        while not any(b'"finished"' in path.read_bytes() for path in out.glob("events/*.jsonl")):
            assert time.monotonic() < end
            assert process.poll() is None
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        said, _ = process.communicate(timeout=ENDED_WITHIN)
    run = read_run(out)
    assert process.returncode == 130, said
    assert cluster.list("Namespace", labels=f"{RUN_LABEL}={run.run_id}") == []
    assert Verdict.BROKEN not in {record.verdict for record in run.checks}, said
    assert Verdict.INCONCLUSIVE in {record.verdict for record in run.checks}
    assert run.notes == []
