"""What the lab breaks on purpose, it heals exactly, whatever becomes of whoever broke it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from lab import lifecycle, modes, state
from lab.errors import LabError
from lab.faults.frozen import frozen, processes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lab.state import LabState

pytestmark = pytest.mark.lab

HOLD = """
import time
from lab.faults.frozen import frozen
with frozen("node2"):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture(scope="module")
def lab() -> Iterator[LabState]:
    """The lab as it runs; if none does, one for as long as these tests take."""
    ours = state.running() is None
    yield state.running() or lifecycle.up(modes.DEFAULT)
    if ours:
        lifecycle.down()


def stopped(lab: LabState, node: str) -> set[bool]:
    """Whether the processes of a node are stopped; those that end meanwhile do not count."""
    found = set()
    for pid in processes(lab, node):
        try:
            found.add(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in "Tt")
        except OSError:
            continue
    return found


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_frozen_node_stands_still_and_the_other_does_not(lab: LabState) -> None:
    commands = {(Path(f"/proc/{pid}/comm").read_text()).strip() for pid in processes(lab, "node2")}
    assert {"kubelet", "containerd", "kube-proxy"} <= commands
    with frozen("node2"):
        assert stopped(lab, "node2") == {True}
        assert stopped(lab, "node1") == {False}
    assert stopped(lab, "node2") == {False}


def test_a_node_thaws_when_whoever_froze_it_is_killed(lab: LabState) -> None:
    root = Path(__file__).parents[2]
    with subprocess.Popen([sys.executable, "-c", HOLD], cwd=root, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        assert stopped(lab, "node2") == {True}
        os.kill(holder.pid, signal.SIGKILL)
    until(lambda: stopped(lab, "node2") == {False})


def test_a_node_thaws_when_its_time_is_over(lab: LabState) -> None:
    with frozen("node2", longest=0.5):
        until(lambda: stopped(lab, "node2") == {False})


def test_a_node_that_there_is_not_is_told(lab: LabState) -> None:
    with pytest.raises(LabError, match=r"no node 'node9'\. It has: node1, node2"), frozen("node9"):
        pass
