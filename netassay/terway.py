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
    """One interface of a pod: `pod` is namespace/name, `kind` as in "Secondary" or "Member".

    Addresses, and ranges of the vSwitch, are at most one of each IP family. `eni` is "" while there is none yet.
    """

    pod: str
    eni: str
    addresses: tuple[str, ...]
    vswitch: str
    vswitch_ranges: tuple[str, ...]
    groups: tuple[str, ...]
    kind: str
    fixed: bool


class NodeEni(msgspec.Struct, frozen=True):
    """One interface of a node that its pods share: `pods` are those (namespace/name) by each address that they have.

    Ranges of the vSwitch are at most one of each IP family.
    """

    node: str
    eni: str
    vswitch: str
    vswitch_ranges: tuple[str, ...]
    pods: Mapping[str, str]

    @property
    def is_shared(self) -> bool:
        """Whether more than one pod has an address of it; one pod may have two, one of each family."""
        return len(set(self.pods.values())) > 1


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
                addresses=tuple(str(ip_address(each)) for each in _of_both_families(allocation, "ipv4", "ipv6")),
                vswitch=eni.get("vSwitchID", ""),
                vswitch_ranges=_of_both_families(allocation, "ipv4CIDR", "ipv6CIDR"),
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
            vswitch_ranges=_of_both_families(each, "ipv4CIDR", "ipv6CIDR"),
            pods={
                str(ip_address(address)): entry["podID"]
                for family in ("ipv4", "ipv6")
                for address, entry in (each.get(family) or {}).items()
                if entry.get("podID")
            },
        )
        for name, each in interfaces.items()
    ]


def _of_both_families(entry: Mapping[str, Any], *keys: str) -> tuple[str, ...]:
    """Give what these keys of an entry hold, of those that hold something."""
    return tuple(entry[key] for key in keys if entry.get(key))


def within(address: str, ranges: Iterable[str]) -> bool:
    """Whether an address is in one of these ranges, of whichever IP family they are."""
    return any(ip_address(address) in ip_network(each) for each in ranges)


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
