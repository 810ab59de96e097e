"""Facts about the cluster for the record: read once at the start of a run, left empty where they can't be read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from netassay.errors import HarnessFault
from netassay.modes.surroundings import lab_of
from netassay.results.schema import ClusterFacts, NodeFacts
from netassay.service_proxy import configured

if TYPE_CHECKING:
    from collections.abc import Callable

    from netassay.cluster import Cluster

T = TypeVar("T")


def read_facts(cluster: Cluster) -> ClusterFacts:
    """Read version, nodes, service proxy and DNS address. What can't be read is said in `unread`, and not fatal."""
    facts = ClusterFacts(server=cluster.server)

    def read(what: str, reading: Callable[[], T]) -> T | None:
        try:
            return reading()
        except HarnessFault as fault:
            facts.unread.append(f"{what}: {fault}")
            return None

    facts.version = read("version", cluster.version) or ""
    nodes = read("nodes", lambda: cluster.list("Node")) or []
    facts.nodes = [_node(node) for node in nodes]
    facts.lab, facts.stands_in_for = lab_of(nodes)
    facts.service_proxy = _proxy(
        read("kube-proxy's mode", lambda: cluster.get("ConfigMap", "kube-proxy", "kube-system"))
    )
    dns = read("the cluster's DNS", lambda: cluster.get("Service", "kube-dns", "kube-system"))
    facts.dns_address = dns["spec"].get("clusterIP", "") if dns else ""
    return facts


def _node(node: dict[str, Any]) -> NodeFacts:
    spec, status = node.get("spec", {}), node.get("status", {})
    info = status.get("nodeInfo", {})
    return NodeFacts(
        name=node["metadata"]["name"],
        ready=any(c["type"] == "Ready" and c["status"] == "True" for c in status.get("conditions", [])),
        addresses=[a["address"] for a in status.get("addresses", []) if a["type"] == "InternalIP"],
        pod_ranges=spec.get("podCIDRs", []),
        kubelet=info.get("kubeletVersion", ""),
        runtime=info.get("containerRuntimeVersion", ""),
        kernel=info.get("kernelVersion", ""),
        system=info.get("osImage", ""),
        architecture=info.get("architecture", ""),
        taints=[f"{taint['key']}={taint.get('value', '')}:{taint['effect']}" for taint in spec.get("taints", [])],
    )


def _proxy(config: dict[str, Any] | None) -> str:
    """Read kube-proxy's mode from its ConfigMap; "" if there is none, or it leaves the choice to kube-proxy."""
    settings = configured((config or {}).get("data") or {}, "ConfigMap kube-system/kube-proxy")
    return settings.mode if settings else ""
