"""SIGKILL in the middle of an assay: no process of it goes on, and `netassay sweep` finds all that it has made."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from kubernetes import config, dynamic
from kubernetes.dynamic.resource import ResourceList

from lab import lifecycle, state
from netassay.cli.lab import outside_agent
from netassay.fleet.run import RUN_LABEL

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab.state import LabState

pytestmark = pytest.mark.lab

MODE = "flannel-policy"
MOMENTS = int(os.environ.get("NETASSAY_TEST_KILLS", "2"))
"""How many random moments are tried; each costs about half a minute."""

LATEST = 60.0
GONE_WITHIN = 10.0


@pytest.fixture(scope="module")
def lab() -> Iterator[LabState]:
    """A lab in which everything can be made that suites make."""
    lifecycle.down()
    yield lifecycle.up(MODE, outside_agent=outside_agent())
    lifecycle.down()


def labelled(lab: LabState, cache: Path) -> set[str]:
    """All objects of all kinds in the cluster that carry the label of a run."""
    client = dynamic.DynamicClient(config.new_client_from_config(lab.kubeconfig), cache_file=str(cache))
    found = set()
    for resource in client.resources.search():
        if isinstance(resource, ResourceList) or resource.kind == "Event":
            continue  # discovery also names the kinds of lists, which can't be asked for
        if "list" in resource.verbs and "/" not in resource.name:
            for each in resource.get(label_selector=RUN_LABEL).items:
                found.add(f"{resource.kind} {each.metadata.namespace or ''}/{each.metadata.name}")
    return found


def processes(folder: Path) -> list[int]:
    """Processes whose command line names the run's folder."""
    name = str(folder).encode()
    found = []
    for each in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if name in each.read_bytes():
                found.append(int(each.parent.name))
        except OSError:
            continue  # ended while we looked
    return found


@pytest.mark.parametrize("moment", range(MOMENTS))
def test_what_a_killed_run_has_made_is_found_and_removed(lab: LabState, tmp_path: Path, moment: int) -> None:
    seconds = random.uniform(1.0, LATEST)  # noqa: S311 - a moment, not a secret
    out = tmp_path / "run"
    command = [sys.executable, "-m", "netassay", "run", "--lab", MODE, "--out", str(out)]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as run:
        time.sleep(seconds)
        run.kill()
    over = time.monotonic() + GONE_WITHIN
    while (left := processes(out)) and time.monotonic() < over:
        time.sleep(0.1)
    assert not left, f"killed after {seconds:.1f} s"
    sweep = [sys.executable, "-m", "netassay", "sweep", "--kubeconfig", state.required().kubeconfig]
    done = subprocess.run(sweep, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert labelled(lab, tmp_path / "discovery") == set(), f"killed after {seconds:.1f} s"
