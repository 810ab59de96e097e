"""What a lab could leave on the machine: compared before and after."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pyroute2 import IPRoute

from lab import cgroups, paths


@dataclass(frozen=True)
class Traces:
    """Everything of the machine that a lab touches, as sets that can be compared."""

    links: frozenset[str]
    routes: frozenset[str]
    mounts: frozenset[str]
    network_namespaces: frozenset[str]
    lab_processes: frozenset[str]
    cgroup_folders: frozenset[str]
    state: bool

    @classmethod
    def now(cls) -> Traces:
        with IPRoute() as ip:
            links = frozenset(link.get_attr("IFLA_IFNAME") for link in ip.get_links())
            routes = frozenset(
                str((r.get_attr("RTA_DST"), r["dst_len"], r["type"], r["table"])) for r in ip.get_routes()
            )
        mounts = frozenset(line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines())
        namespaces, processes = set(), set()
        own = Path("/proc/self/ns/pid").readlink()
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                namespaces.add(str((folder / "ns/net").readlink()))
                if (folder / "ns/pid").readlink() != own:
                    processes.add((folder / "comm").read_text().strip())
            except OSError:
                continue
        return cls(
            links=links,
            routes=routes,
            mounts=mounts,
            network_namespaces=frozenset(namespaces),
            lab_processes=frozenset(processes),
            cgroup_folders=frozenset(map(str, cgroups.left())),
            state=paths.STATE.exists(),
        )
