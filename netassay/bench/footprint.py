"""What the network's own pods use: memory when idle, and CPU over a block, as their kubelets count it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import msgspec

from netassay.errors import HarnessFault

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from netassay.cluster import Cluster

SYSTEM: Final = ("kube-system", "kube-flannel", "calico-system", "cilium", "antrea", "tigera-operator")
"""Namespaces in which the network's pods run."""

_LINE: Final = re.compile(r"^pod_(cpu_usage_seconds_total|memory_working_set_bytes)\{(.*?)\} (\S+) (\d+)$")
_LABEL: Final = re.compile(r'(\w+)="([^"]*)"')
MIB: Final = 1024 * 1024


class Use(msgspec.Struct, frozen=True):
    """What a DaemonSet's pod of one node has used: seconds of a core in all, bytes now, and when that was counted."""

    cpu: float
    memory: float
    at: float


def read(cluster: Cluster, nodes: Iterable[str]) -> dict[tuple[str, str], Use]:
    """By node and DaemonSet. Empty where the right to ask kubelets through the API server is missing.

    That right (get nodes/proxy) lets its holder do more than read, and is not in deploy/rbac.yaml: grant it only for a
    bench that is to know the footprint.
    """
    found: dict[tuple[str, str], Use] = {}
    try:
        owners = {
            (pod["metadata"]["namespace"], pod["metadata"]["name"]): owner["name"]
            for pod in cluster.list("Pod")
            for owner in pod["metadata"].get("ownerReferences", [])
            if owner["kind"] == "DaemonSet" and pod["metadata"]["namespace"] in SYSTEM
        }
        for node in nodes:
            path = f"/api/v1/nodes/{node}/proxy/metrics/resource"
            text = cluster.run(cluster.objects.api.request(f"read what pods of {node} use", "GET", path)).decode()
            found |= {(node, name): use for name, use in parse(text, owners).items()}
    except HarnessFault:
        return {}
    return found


def parse(text: str, owners: Mapping[tuple[str, str], str]) -> dict[str, Use]:
    """The use of each DaemonSet's pod in a kubelet's resource metrics; `owners` maps pods to DaemonSets.

    A kubelet that has not looked at a pod yet says that it has no memory: that pod is left out.
    """
    values: dict[str, dict[str, float]] = {}
    for line in text.splitlines():
        if match := _LINE.match(line):
            kind, labels, value, stamp = match.groups()
            said = dict(_LABEL.findall(labels))
            if owner := owners.get((said.get("namespace", ""), said.get("pod", ""))):
                pod = values.setdefault(owner, {})
                pod[kind] = float(value)
                if kind.startswith("cpu"):
                    pod["at"] = int(stamp) / 1000
    return {
        owner: Use(pod["cpu_usage_seconds_total"], pod["memory_working_set_bytes"], pod["at"])
        for owner, pod in values.items()
        if len(pod) == 3 and pod["memory_working_set_bytes"]  # noqa: PLR2004 - both kinds and the time
    }


def footprint(before: Mapping[tuple[str, str], Use], after: Mapping[tuple[str, str], Use]) -> dict[str, float]:
    """Per node on average: MiB of each DaemonSet before there was load, and per cent of a core from then to `after`."""
    found: dict[str, float] = {}
    for name in sorted({name for _, name in before}):
        nodes = [key for key in before if key[1] == name]
        found[f"{name} MiB"] = sum(before[key].memory for key in nodes) / len(nodes) / MIB
        rates = [
            100 * (after[key].cpu - before[key].cpu) / (after[key].at - before[key].at)
            for key in nodes
            if key in after and after[key].at > before[key].at
        ]
        if rates:
            found[f"{name} % of a core under load"] = sum(rates) / len(rates)
    return found
