"""A node that stands still: every process on it is stopped where it is, and later goes on as if nothing had been.

Its kernel lives on, as the machine's own: it still completes TCP handshakes for programs that will not answer. Run as
`python -m lab.faults.frozen NODE SECONDS`, it freezes the node, writes one line, and thaws it when its standard input
ends, or after so many seconds: whoever asked for it may be killed, and the node still goes on. `netassay lab down` ends
stopped processes like any others.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from lab import paths, state
from lab.errors import LabError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab.state import LabState

STILL_WITHIN = 10.0
LONGEST = 120.0
FROZEN = "frozen"


@contextmanager
def frozen(node: str, *, longest: float = LONGEST) -> Iterator[None]:
    """Freeze `node` for as long as held, but no longer than `longest` seconds. Raises LabError."""
    with subprocess.Popen(
        [sys.executable, "-m", "lab.faults.frozen", node, str(longest)],
        env=os.environ | {"PYTHONPATH": str(paths.HERE.parent)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # Ctrl-C is for whoever holds the node; this process thaws it when that one lets go.
        start_new_session=True,
    ) as guard:
        assert guard.stdin is not None
        assert guard.stdout is not None
        assert guard.stderr is not None
        try:
            if guard.stdout.readline().strip() != FROZEN:
                raise LabError(f"{node} could not be frozen: {guard.stderr.read().strip()}")
            yield
        finally:
            guard.stdin.close()
            guard.wait()


def processes(lab: LabState, node: str) -> set[int]:
    """Machine-wide ids of all processes of `node`: those in its network namespace, and all that descend from them."""
    hosts = lab.status().get("hosts", {})
    if node not in lab.nodes or node not in hosts:
        raise LabError(f"The lab has no node {node!r}. It has: {', '.join(lab.nodes)}.")
    members = set(state.members(lab.init_pid).values())
    anchor = state.machine_pid(lab.init_pid, hosts[node])
    network = _network(anchor)
    parents = {pid: _parent(pid) for pid in members}
    found = {pid for pid in members if _network(pid) == network}
    while more := {pid for pid, parent in parents.items() if parent in found and pid not in found}:
        found |= more
    return found - {anchor}


def _freeze(lab: LabState, node: str) -> None:
    """Stop all processes of `node`, those included that others had just started."""
    deadline = time.monotonic() + STILL_WITHIN
    while running := {pid for pid in processes(lab, node) if not _stopped(pid)}:
        _signal(running, signal.SIGSTOP)
        if time.monotonic() > deadline:
            raise LabError(
                f"{len(running)} processes of {node} still ran {STILL_WITHIN:.0f} s after they were stopped."
            )
        time.sleep(0.005)


def _thaw(lab: LabState, node: str) -> None:
    """Have all processes of `node` go on."""
    _signal(processes(lab, node), signal.SIGCONT)


def _signal(pids: set[int], number: signal.Signals) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


def _network(pid: int) -> str:
    try:
        return str(Path(f"/proc/{pid}/ns/net").readlink())
    except OSError:
        return ""  # ended while we looked


def _parent(pid: int) -> int:
    return int((_stat(pid) or ["", "0"])[1])


def _stopped(pid: int) -> bool:
    """Whether it runs no more: stopped, or ended."""
    return not (fields := _stat(pid)) or fields[0] in "TtZX"


def _stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat after the name: state, parent, …"""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def main() -> None:
    """Freeze the node, and thaw it when standard input ends or its time is over."""
    node, longest = sys.argv[1], float(sys.argv[2])
    try:
        lab = state.required()
        try:
            _freeze(lab, node)
            sys.stdout.write(f"{FROZEN}\n")
            sys.stdout.flush()
            select.select([sys.stdin], [], [], longest)
        finally:
            _thaw(lab, node)
    except LabError as error:
        raise SystemExit(str(error)) from None


if __name__ == "__main__":
    main()
