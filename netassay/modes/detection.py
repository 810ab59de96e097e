"""Telling the CNI mode in force, node by node, with the evidence: by reading the API, and changing nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from netassay.modes.installed import Installed, installed
from netassay.modes.limits import room_of, some
from netassay.modes.mode import GENERIC
from netassay.modes.plugins.calico import calico
from netassay.modes.plugins.cilium import cilium
from netassay.modes.plugins.flannel import canal, flannel, with_firewall
from netassay.modes.plugins.others import antrea, kindnet
from netassay.modes.plugins.terway import terway
from netassay.modes.surroundings import LAB_LABEL, NodeDetection, Surroundings, lab_of, name_of, what_a_lab_is

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from netassay.cluster import Cluster

PLUG_INS: Final = {
    "terway-eniip": "terway",
    "terway-eni": "terway",
    "terway": "terway",
    "calico-node": "calico",
    "cilium": "cilium",
    "kube-flannel-ds": "flannel",
    **{f"kube-flannel-ds-{one}": "flannel" for one in ("amd64", "arm64", "arm", "ppc64le", "s390x")},
    "kindnet": "kindnet",
    "canal": "canal",
    "rke2-canal": "canal",
    "kube-router": "kube-router",
    "antrea-agent": "antrea",
    "weave-net": "weave",
    "aws-node": "aws-vpc-cni",
    "azure-cni": "azure-cni",
    "ovnkube-node": "ovn-kubernetes",
    "kube-ovn-cni": "kube-ovn",
}
"""Names of DaemonSets by which plug-ins are known → plug-in. (CRDs prove nothing: plug-ins install each other's.)

Flannel's older manifests have one for each architecture; those that no node has are meant for no node.
"""

DETECTORS: Final[Mapping[str, Callable[[Surroundings, dict[str, Any]], list[NodeDetection]]]] = {
    "antrea": antrea,
    "calico": calico,
    "canal": canal,
    "cilium": cilium,
    "flannel": flannel,
    "kindnet": kindnet,
    "terway": terway,
}
"""Who tells the modes of a plug-in that runs by itself."""

MIXED: Final = 2
"""Modes from which on nodes differ."""


class Detection(msgspec.Struct, frozen=True):
    """The mode of a cluster: that of its nodes if they agree, else `generic`; and what is installed.

    `installed` is None in the records of older runs, which did not look at it.
    """

    mode: str
    plug_in: str
    evidence: list[str]
    nodes: list[NodeDetection]
    installed: Installed | None = None


def detect(cluster: Cluster) -> Detection:
    """Tell the cluster's mode. Never fails for lack of rights: it says in the evidence what it could not read."""
    around = Surroundings(cluster)
    lab, imitated = lab_of(around.nodes)
    if lab:
        this = what_a_lab_is(imitated)
        around.evidence.append(f"label {LAB_LABEL}={lab}: this is {this}, and says nothing of any other cluster")
    running = _running(around)
    rooms = {name_of(node): room_of(node) for node in around.nodes}
    per_node = [msgspec.structs.replace(one, room=rooms[one.node]) for one in _per_node(around, running)]
    return Detection(
        mode=_agree(per_node, around.evidence),
        plug_in=", ".join(sorted(running)) or "unknown",
        evidence=around.evidence,
        nodes=per_node,
        installed=installed(around, PLUG_INS),
    )


def _running(around: Surroundings) -> dict[str, dict[str, Any]]:
    """Pick the DaemonSets that are plug-ins and run somewhere, by plug-in, and put them into the evidence."""
    found = {}
    for daemon in around.daemons:
        meta, status = daemon["metadata"], daemon.get("status", {})
        if meta["name"] not in PLUG_INS:
            continue
        wanted = status.get("desiredNumberScheduled", 0)
        name = f"DaemonSet {meta['namespace']}/{meta['name']}"
        if not wanted:
            around.evidence.append(f"{name} exists, but is meant for no node")
            continue
        around.evidence.append(f"{name} is ready on {status.get('numberReady', 0)} of {wanted} nodes")
        found[PLUG_INS[meta["name"]]] = daemon
    if not found:
        around.evidence.append(f"no DaemonSet of a known plug-in among {len(around.daemons)} of the cluster")
    return found


def _per_node(around: Surroundings, running: Mapping[str, dict[str, Any]]) -> list[NodeDetection]:
    if set(running) == {"flannel", "kube-router"}:
        told = with_firewall(around, running["flannel"], running["kube-router"])
        if told is not None:
            return told
    if len(running) == 1:
        ((plug_in, daemon),) = running.items()
        if plug_in in DETECTORS:
            return DETECTORS[plug_in](around, daemon)
        around.evidence.append(f"there is no mode for {plug_in} yet")
    elif running:
        around.evidence.append(
            f"several plug-ins run, and which one gives pods their network can't be told: {', '.join(sorted(running))}"
        )
    return [NodeDetection(name_of(node), GENERIC, []) for node in around.nodes]


def _agree(per_node: list[NodeDetection], evidence: list[str]) -> str:
    differ = differences(per_node)
    if differ:
        evidence.append(differ)
    return GENERIC if differ or not per_node else per_node[0].mode


def differences(per_node: list[NodeDetection]) -> str:
    """Say which nodes are in which mode, most common first, and what to do; "" if they all are in one."""
    by_mode: dict[str, list[str]] = {}
    for one in per_node:
        by_mode.setdefault(one.mode, []).append(one.node)
    if len(by_mode) < MIXED:
        return ""
    found = "; ".join(
        f"{mode} on {len(nodes)} ({some(nodes)})"
        for mode, nodes in sorted(by_mode.items(), key=lambda item: -len(item[1]))
    )
    return f"nodes differ: {found}; nothing is assumed of any, unless --mode says which is meant"
