"""Terway's own objects: which interface a pod has, and which addresses of which vSwitch a node's interfaces carry.

Read in the shape of `network.alibabacloud.com/v1beta1`; what is missing in an object is taken for "not said".
"""

from __future__ import annotations

from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING, Any, Final

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from netassay.cluster import Cluster

API_VERSION: Final = "network.alibabacloud.com/v1beta1"
POD_ENI: Final = f"{API_VERSION}:PodENI"
NODE: Final = f"{API_VERSION}:Node"
POD_NETWORKING: Final = f"{API_VERSION}:PodNetworking"

SECONDARY: Final = "Secondary"
"""The type of an interface that is a pod's own."""

READY: Final = "Ready"
"""What the status of a PodNetworking says once Terway selects pods by it."""

ENI_RESOURCE: Final = "aliyun/eni"
"""The extended resource by which the scheduler counts interfaces that pods have of their own."""


class PodEni(msgspec.Struct, frozen=True):
    """One interface of a pod: `pod` is namespace/name, `kind` as in "Secondary" or "Member"."""

    pod: str
    eni: str
    address: str
    vswitch: str
    vswitch_range: str
    groups: tuple[str, ...]
    kind: str
    fixed: bool


class NodeEni(msgspec.Struct, frozen=True):
    """One interface of a node that its pods share: `pods` are those (namespace/name) by the address that they have."""

    node: str
    eni: str
    vswitch: str
    vswitch_range: str
    pods: Mapping[str, str]


def pod_enis(cluster: Cluster) -> list[PodEni]:
    """Give the interfaces of all pods that have their own. `HarnessFault` if the cluster serves no such kind."""
    return [found for each in cluster.list(POD_ENI) for found in read_pod_eni(each)]


def node_enis(cluster: Cluster) -> list[NodeEni]:
    """Give the interfaces of all nodes that their pods share. `HarnessFault` if the cluster serves no such kind."""
    return [found for each in cluster.list(NODE) for found in read_node(each)]


def read_pod_eni(manifest: dict[str, Any]) -> list[PodEni]:
    """Read the interfaces out of a PodENI."""
    meta = manifest["metadata"]
    infos = manifest.get("status", {}).get("eniInfos") or {}
    found = []
    for allocation in manifest.get("spec", {}).get("allocations") or []:
        eni = allocation.get("eni") or {}
        found.append(
            PodEni(
                pod=f"{meta['namespace']}/{meta['name']}",
                eni=eni.get("id", ""),
                address=allocation.get("ipv4") or allocation.get("ipv6") or "",
                vswitch=eni.get("vSwitchID", ""),
                vswitch_range=allocation.get("ipv4CIDR") or allocation.get("ipv6CIDR") or "",
                groups=tuple(eni.get("securityGroupIDs") or ()),
                kind=(infos.get(eni.get("id", "")) or {}).get("type", ""),
                fixed=(allocation.get("allocationType") or {}).get("type") == "Fixed",
            )
        )
    return found


def read_node(manifest: dict[str, Any]) -> list[NodeEni]:
    """Read the interfaces, and who has which of their addresses, out of Terway's Node."""
    interfaces = manifest.get("status", {}).get("networkInterfaces") or {}
    return [
        NodeEni(
            node=manifest["metadata"]["name"],
            eni=each.get("id", name),
            vswitch=each.get("vSwitchID", ""),
            vswitch_range=each.get("ipv4CIDR", ""),
            pods={
                address: entry.get("podID", "")
                for address, entry in (each.get("ipv4") or {}).items()
                if entry.get("podID")
            },
        )
        for name, each in interfaces.items()
    ]


def within(address: str, ranges: Iterable[str]) -> bool:
    """Whether an address is in one of these ranges; an empty one holds nothing."""
    return any(ip_address(address) in ip_network(each) for each in ranges if each)


def pod_networking(
    name: str,
    *,
    pod_labels: Mapping[str, str],
    labels: Mapping[str, str],
    owner: Mapping[str, str],
    vswitch: str = "",
    group: str = "",
    fixed: bool = False,
    exclusive: bool = False,
) -> dict[str, Any]:
    """A PodNetworking for pods with `pod_labels`; it goes when its `owner` does.

    `exclusive` is for nodes whose pods share no interface: from Terway 1.11 on, pods stay off those if it is not said.
    """
    kind = {"type": "Fixed", "releaseStrategy": "TTL", "releaseAfter": "10m"} if fixed else {"type": "Elastic"}
    spec: dict[str, Any] = {"allocationType": kind, "selector": {"podSelector": {"matchLabels": dict(pod_labels)}}}
    if vswitch:
        spec["vSwitchOptions"] = [vswitch]
    if group:
        spec["securityGroupIDs"] = [group]
    if exclusive:
        # An API server whose Terway is older does not know the field, and drops it.
        spec["eniOptions"] = {"eniType": "ENI"}
    return {
        "apiVersion": API_VERSION,
        "kind": "PodNetworking",
        "metadata": {"name": name, "labels": dict(labels), "ownerReferences": [dict(owner)]},
        "spec": spec,
    }
