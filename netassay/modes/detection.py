"""Telling the CNI mode in force, node by node, with the evidence: by reading the API, and changing nothing."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any, Final

import msgspec

from netassay.errors import HarnessFault
from netassay.modes.mode import GENERIC
from netassay.results.redact import redact

if TYPE_CHECKING:
    from netassay.cluster import Cluster

PLUG_INS: Final = {
    "terway-eniip": "terway",
    "terway-eni": "terway",
    "terway": "terway",
    "calico-node": "calico",
    "cilium": "cilium",
    "kube-flannel-ds": "flannel",
    "kindnet": "kindnet",
    "canal": "canal",
    "kube-router": "kube-router",
    "antrea-agent": "antrea",
    "weave-net": "weave",
    "aws-node": "aws-vpc-cni",
    "azure-cni": "azure-cni",
    "ovnkube-node": "ovn-kubernetes",
    "kube-ovn-cni": "kube-ovn",
}
"""Names of DaemonSets by which plug-ins are known → plug-in. (CRDs prove nothing: plug-ins install each other's.)"""

BACKEND_ANNOTATION: Final = "flannel.alpha.coreos.com/backend-type"

FLANNEL_MODES: Final = {"vxlan": "flannel-vxlan", "host-gw": "flannel-hostgw"}
"""Flannel's backend → mode."""

WITH_FIREWALL: Final = {"flannel-vxlan": "flannel-policy"}
"""Mode of Flannel by itself → mode of the same with kube-router's firewall beside it."""


class NodeDetection(msgspec.Struct, frozen=True):
    """The mode of one node, and what shows it."""

    node: str
    mode: str
    evidence: list[str]


class Detection(msgspec.Struct, frozen=True):
    """The mode of a cluster: that of its nodes if they agree, else `generic`."""

    mode: str
    plug_in: str
    evidence: list[str]
    nodes: list[NodeDetection]


def detect(cluster: Cluster) -> Detection:
    """Tell the cluster's mode. Never fails for lack of rights: it says in the evidence what it could not read."""
    evidence: list[str] = []
    nodes = _read(cluster, "Node", evidence)
    daemons = _plug_in_daemons(_read(cluster, "DaemonSet", evidence), evidence)
    plug_ins = sorted({PLUG_INS[daemon["metadata"]["name"]] for daemon in daemons})
    by_plug_in = {PLUG_INS[daemon["metadata"]["name"]]: daemon for daemon in daemons}
    if plug_ins == ["flannel"] or (plug_ins == ["flannel", "kube-router"] and _firewall_only(by_plug_in, evidence)):
        per_node = _flannel(cluster, by_plug_in["flannel"]["metadata"]["namespace"], nodes, evidence)
        if "kube-router" in plug_ins:
            per_node = [_with_firewall(node) for node in per_node]
    else:
        per_node = [NodeDetection(_name(node), GENERIC, []) for node in nodes]
        if len(plug_ins) > 1:
            evidence.append(
                f"several plug-ins run, and which one gives pods their network can't be told: {', '.join(plug_ins)}"
            )
        elif plug_ins:
            evidence.append(f"there is no mode for {plug_ins[0]} yet")
    return Detection(_agree(per_node, evidence), ", ".join(plug_ins) or "unknown", evidence, per_node)


def _agree(per_node: list[NodeDetection], evidence: list[str]) -> str:
    modes = Counter(node.mode for node in per_node)
    if len(modes) == 1:
        return next(iter(modes))
    if modes:
        evidence.append("nodes differ: " + ", ".join(f"{mode} on {count}" for mode, count in modes.most_common()))
    return GENERIC


def _read(cluster: Cluster, kind: str, evidence: list[str]) -> list[dict[str, Any]]:
    try:
        return cluster.list(kind)
    except HarnessFault as fault:
        evidence.append(f"could not list {kind}s: {fault}")
        return []


def _plug_in_daemons(daemons: list[dict[str, Any]], evidence: list[str]) -> list[dict[str, Any]]:
    """Pick the DaemonSets that are plug-ins and run somewhere, and put them into the evidence."""
    found = []
    for daemon in daemons:
        meta, status = daemon["metadata"], daemon.get("status", {})
        if meta["name"] not in PLUG_INS:
            continue
        wanted = status.get("desiredNumberScheduled", 0)
        name = f"DaemonSet {meta['namespace']}/{meta['name']}"
        if not wanted:
            evidence.append(f"{name} exists, but is meant for no node")
            continue
        evidence.append(f"{name} is ready on {status.get('numberReady', 0)} of {wanted} nodes")
        found.append(daemon)
    if not found:
        evidence.append(f"no DaemonSet of a known plug-in among {len(daemons)} of the cluster")
    return found


def _firewall_only(by_plug_in: dict[str, dict[str, Any]], evidence: list[str]) -> bool:
    """Whether kube-router is told to leave the pods' network alone, and so only enforces policies."""
    containers = by_plug_in["kube-router"]["spec"]["template"]["spec"]["containers"]
    given = [word for one in containers for word in (*one.get("command", []), *one.get("args", []))]
    options = [word for word in given if word.startswith("--run-")]
    evidence.append(f"DaemonSet kube-router is started with {' '.join(options) or 'no --run- option'}")
    return "--run-router=false" in options and "--run-firewall=false" not in options


def _with_firewall(node: NodeDetection) -> NodeDetection:
    seen = [*node.evidence, "kube-router's firewall runs beside Flannel"]
    return NodeDetection(node.node, WITH_FIREWALL.get(node.mode, GENERIC), seen)


def _flannel(cluster: Cluster, namespace: str, nodes: list[dict[str, Any]], evidence: list[str]) -> list[NodeDetection]:
    """Tell the backend of each node: its annotation, written by flanneld itself, counts more than the ConfigMap."""
    configured = _flannel_backend(cluster, namespace, evidence)
    per_node = []
    for node in nodes:
        backend = node["metadata"].get("annotations", {}).get(BACKEND_ANNOTATION, "")
        if backend:
            seen = [f"annotation {BACKEND_ANNOTATION}: {redact(backend)}"]
            if configured and configured != backend.lower():
                seen.append(
                    f"the ConfigMap says {configured}: it was changed after flanneld started here, or is not read"
                )
        elif configured:
            backend, seen = configured, [f"no annotation {BACKEND_ANNOTATION}; taken from the ConfigMap"]
        else:
            seen = [f"no annotation {BACKEND_ANNOTATION}, and no ConfigMap that says"]
        mode = FLANNEL_MODES.get(backend.lower(), GENERIC)
        if backend and mode == GENERIC:
            seen.append(f"there is no mode for Flannel's backend {redact(backend)} yet")
        per_node.append(NodeDetection(_name(node), mode, seen))
    return per_node


def _flannel_backend(cluster: Cluster, namespace: str, evidence: list[str]) -> str:
    """Read the backend of ConfigMap kube-flannel-cfg, in lower case; "" if it can't be told."""
    where = f"ConfigMap {namespace}/kube-flannel-cfg"
    try:
        config = cluster.get("ConfigMap", "kube-flannel-cfg", namespace)
    except HarnessFault as fault:
        evidence.append(f"could not read {where}: {fault}")
        return ""
    if config is None:
        evidence.append(f"there is no {where}")
        return ""
    try:
        backend = json.loads(config["data"]["net-conf.json"])["Backend"]
        kind = str(backend["Type"])
    except (KeyError, TypeError, ValueError) as error:
        evidence.append(f"{where} has no net-conf.json with a Backend.Type ({type(error).__name__}: {error})")
        return ""
    evidence.append(f"{where}: net-conf.json Backend {redact(json.dumps(backend))}")
    return kind.lower()


def _name(node: dict[str, Any]) -> str:
    return str(node["metadata"]["name"])
