"""What is known of the lab from outside it: whether it runs, in which mode, where its processes are."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from lab import paths, plan
from lab.errors import LabError


@dataclass(frozen=True)
class LabState:
    """A lab: as it was asked for, and the process on which it all hangs (by machine-wide id and start time)."""

    mode: str
    title: str
    stand_in_for: str
    proxy_mode: str
    node_count: int
    init_pid: int
    init_started: int
    outside_agent: str
    ip_family: str = plan.IP_FAMILIES[0]
    outside_addresses: tuple[str, ...] = (str(plan.OUTSIDE.ip),)
    kubeconfig: str = str(paths.KUBECONFIG)
    outside_name: str = plan.OUTSIDE_NAME
    nodes: tuple[str, ...] = field(default=())

    def write(self) -> None:
        """Keep it where `load` finds it."""
        (paths.STATE / "lab.json").write_text(json.dumps(asdict(self)))

    @property
    def alive(self) -> bool:
        """Whether the lab's init still runs; another process may have its id by now."""
        return start_time(self.init_pid) == self.init_started

    def status(self) -> dict[str, Any]:
        """What the lab's init said last: stage, error, hosts and components."""
        file = paths.STATE / "status.json"
        found: dict[str, Any] = json.loads(file.read_text()) if file.exists() else {"stage": "starting", "error": ""}
        return found

    def enter(self, host: str) -> list[str]:
        """The command line that runs what follows it in all namespaces of `host`."""
        hosts = self.status().get("hosts", {})
        if host not in hosts:
            raise LabError(f"The lab has no host {host!r}. It has: {', '.join(sorted(hosts))}.")
        pid = machine_pid(self.init_pid, hosts[host])
        return ["nsenter", f"--target={pid}", "--net", "--mount", "--uts", "--pid", "--"]


def drive_outside(lab: LabState, agent: Path | None = None) -> list[str]:
    """The command line that drives the agent of the outside host: it reads commands and writes what it saw.

    `agent` is the program that carries them out, if it is another than the one that serves there since the lab came up.
    Raises LabError if the lab was brought up without an agent there.
    """
    if not lab.outside_agent:
        raise LabError("This lab's outside host has no agent. Take the lab down, and up again with `netassay lab up`.")
    program = str(agent or lab.outside_agent)
    return [*lab.enter(plan.OUTSIDE_HOST), sys.executable, program, "--identity=outside-host", "drive"]


def load() -> LabState | None:
    """The lab as it was last brought up, alive or not; None if there is none."""
    file = paths.STATE / "lab.json"
    if not file.exists():
        return None
    # The lab may have been brought up by another version, which wrote more or less.
    known = {each.name for each in fields(LabState)}
    data: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in json.loads(file.read_text()).items()
        if name in known
    }
    return LabState(**data)


def running() -> LabState | None:
    """The lab that runs now, or None."""
    state = load()
    return state if state is not None and state.alive else None


def required() -> LabState:
    """The lab that runs now. Raises LabError if none does."""
    state = running()
    if state is None:
        raise LabError("No lab runs. Bring one up with `netassay lab up`.")
    return state


def start_time(pid: int) -> int | None:
    """When process `pid` started, in clock ticks since boot; None if there is no such process, or only its remains."""
    try:
        after_name = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if after_name[0] in "ZX" else int(after_name[19])


def members(init_pid: int) -> dict[int, int]:
    """All processes of the lab, those of containers included: id in the lab's PID namespace → id on the machine.

    An orphan's parent is the first process of its PID namespace, so that each of them descends from the lab's init.
    """
    parents: dict[int, int] = {}
    inside: dict[int, int] = {}
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            lines = (folder / "status").read_text().splitlines()
        except OSError:
            continue  # ended while we looked
        fields = {name: value.split() for name, _, value in (line.partition(":") for line in lines)}
        levels = fields.get("NSpid", [])  # what has just ended may show less of itself
        if len(levels) > 1:
            parents[int(folder.name)] = int(fields["PPid"][0])
            inside[int(folder.name)] = int(levels[1])
    found = {}
    for pid in parents:
        ancestor = pid
        while ancestor != init_pid and ancestor in parents:
            ancestor = parents[ancestor]
        if ancestor == init_pid:
            found[inside[pid]] = pid
    return found


def machine_pid(init_pid: int, inside: int) -> int:
    """The machine-wide id of the process that is `inside` in the lab's PID namespace."""
    try:
        return members(init_pid)[inside]
    except (KeyError, OSError) as error:
        raise LabError(f"The lab's process {inside} is gone; `netassay lab status` tells what runs.") from error
