"""Terway's objects, written as its controllers would: stand-ins, and labelled so, for whoever reads the real ones."""

from __future__ import annotations

import time
from contextlib import suppress
from datetime import UTC, datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from kubernetes import client
from kubernetes.client import ApiException
from urllib3.exceptions import HTTPError

from lab import plan
from lab.cloud.addresses import DEFAULT_VSWITCH, Lease, Wish

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lab.modes import Cloud

GROUP: Final = "network.alibabacloud.com"
VERSION: Final = "v1beta1"
STAND_IN: Final = {"netassay.dev/stand-in": "true"}
ENI: Final = "aliyun/eni"
SERVED_WITHIN: Final = 60.0
PAUSE: Final = 1.0
READY: Final = "Ready"


class Objects:
    """PodENI, PodNetworking and Node of Terway, and the extended resource of Kubernetes' nodes."""

    def __init__(self, api: Any, cloud: Cloud, nodes: int) -> None:
        """`api` is a client of the lab's API server, `nodes` how many nodes there are going to be."""
        self._nodes = nodes
        self._core: Any = client.CoreV1Api(api)
        self._custom: Any = client.CustomObjectsApi(api)
        self._cloud = cloud

    def start(self) -> None:
        """Wait until the API serves Terway's kinds, then give every node what it has from the beginning."""
        deadline = time.monotonic() + SERVED_WITHIN
        while not self._served():
            if time.monotonic() > deadline:
                raise TimeoutError(f"the API did not serve {GROUP} within {SERVED_WITHIN:.0f} s")
            time.sleep(0.5)
        for node in plan.node_hosts(self._nodes):
            while not self._known(node.name):
                if time.monotonic() > deadline:
                    raise TimeoutError(f"{node.name} did not register within {SERVED_WITHIN:.0f} s")
                time.sleep(0.5)
            self._begin(node.name)

    def keep_networkings(self) -> None:
        """Get PodNetworkings ready, for ever: as with Terway, each a while after it was made."""
        seen: set[str] = set()
        while True:
            # What can't be read or written now, or was changed meanwhile, is done at a later look.
            with suppress(ApiException, HTTPError):
                seen = self.ready_networkings(seen)
            time.sleep(PAUSE)

    def ready_networkings(self, seen: set[str]) -> set[str]:
        """Get those PodNetworkings ready that were `seen` not to be at the last look; those seen not to be at this.

        They are known by their UIDs: a name may be used again.
        """
        listed = self._custom.list_cluster_custom_object(GROUP, VERSION, "podnetworkings", _request_timeout=5)
        waiting = [each for each in listed["items"] if not _is_ready(each)]
        for each in waiting:
            if each["metadata"]["uid"] in seen:
                name, body = each["metadata"]["name"], {**each, "status": networking_status(each)}
                self._custom.replace_cluster_custom_object(
                    GROUP, VERSION, "podnetworkings", name, body, _request_timeout=5
                )
        return {each["metadata"]["uid"] for each in waiting}

    def _known(self, node: str) -> bool:
        try:
            self._core.read_node(node, _request_timeout=5)
        except ApiException:
            return False
        return True

    def wish(self, namespace: str, pod: str) -> Wish:
        """What the PodNetworking asks for that selects this pod, if one does; shared interfaces give no choice."""
        if self._cloud.interfaces == "shared":
            return Wish()
        try:
            networkings = self._custom.list_cluster_custom_object(GROUP, VERSION, "podnetworkings")["items"]
            if not networkings:
                return Wish()
            labels = self._core.read_namespaced_pod(pod, namespace, _request_timeout=5).metadata.labels or {}
            around = self._core.read_namespace(namespace, _request_timeout=5).metadata.labels or {}
        except ApiException:
            return Wish()
        for networking in networkings:
            if _is_ready(networking) and _selects(networking["spec"].get("selector", {}), labels, around):
                spec = networking["spec"]
                return Wish(
                    networking["metadata"]["name"],
                    next(iter(spec.get("vSwitchOptions") or []), DEFAULT_VSWITCH),
                    tuple(spec.get("securityGroupIDs") or Wish().groups),
                    fixed=(spec.get("allocationType") or {}).get("type") == "Fixed",
                )
        return Wish()

    def show(self, lease: Lease, on_node: Sequence[Lease], *, joined: bool) -> None:
        """Write what a pod's interface is, or that it is given back, and what its node has in use now."""
        if not lease.interface:
            if joined:
                self._put("podenis", pod_eni(lease), lease.namespace)
            elif not lease.wish.fixed:
                self._remove("podenis", lease.pod, lease.namespace)
        self._show_node(lease.node, on_node)

    def tell_pod(self, namespace: str, pod: str, message: str) -> None:
        """Write an event about a pod that can't be given an address."""
        now = datetime.now(UTC)
        about = {"kind": "Pod", "namespace": namespace, "name": pod, "apiVersion": "v1"}
        event = {
            "metadata": {"generateName": f"{pod}.", "namespace": namespace, "labels": STAND_IN},
            "involvedObject": about,
            "reason": "AllocIPFailed",
            "message": message,
            "type": "Warning",
            "source": {"component": "terway-daemon"},
            "firstTimestamp": now.isoformat(),
            "lastTimestamp": now.isoformat(),
            "count": 1,
        }
        self._core.create_namespaced_event(namespace, event, _request_timeout=5)

    def _begin(self, node: str) -> None:
        if self._cloud.interfaces == "exclusive":
            room = {ENI: str(self._cloud.per_node)}
            self._core.patch_node_status(node, {"status": {"capacity": room, "allocatable": room}})
        self._show_node(node, [])

    def _show_node(self, node: str, leases: Sequence[Lease]) -> None:
        self._put("nodes", node_resource(node, leases, self._cloud))

    def _served(self) -> bool:
        try:
            self._custom.list_cluster_custom_object(GROUP, VERSION, "nodes", _request_timeout=5)
        except ApiException:
            return False
        return True

    def _put(self, plural: str, body: dict[str, Any], namespace: str = "") -> None:
        kind = "namespaced" if namespace else "cluster"
        create, read, replace = (
            getattr(self._custom, f"{verb}_{kind}_custom_object") for verb in ("create", "get", "replace")
        )
        where = (GROUP, VERSION, *([namespace] if namespace else []), plural)
        name = body["metadata"]["name"]
        try:
            create(*where, body)
        except ApiException as error:
            if error.status == HTTPStatus.NOT_FOUND:  # the namespace has gone, and all in it
                return
            if error.status != HTTPStatus.CONFLICT:
                raise
            body["metadata"]["resourceVersion"] = read(*where, name)["metadata"]["resourceVersion"]
            replace(*where, name, body)

    def _remove(self, plural: str, name: str, namespace: str) -> None:
        try:
            self._custom.delete_namespaced_custom_object(GROUP, VERSION, namespace, plural, name)
        except ApiException as error:
            if error.status != HTTPStatus.NOT_FOUND:
                raise


def _selects(selector: dict[str, Any], labels: dict[str, str], around: dict[str, str]) -> bool:
    """Whether a PodNetworking's selector, of which one part is enough to count, selects a pod."""
    parts = [(selector.get("podSelector"), labels), (selector.get("namespaceSelector"), around)]
    given = [((part or {}).get("matchLabels") or {}, of) for part, of in parts if part]
    return bool(given) and all(of.get(key) == value for wanted, of in given for key, value in wanted.items())


def _is_ready(networking: dict[str, Any]) -> bool:
    return (networking.get("status") or {}).get("status") == READY


def networking_status(networking: dict[str, Any]) -> dict[str, Any]:
    """The status of a PodNetworking that may select pods."""
    vswitches = networking.get("spec", {}).get("vSwitchOptions") or [DEFAULT_VSWITCH]
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {"status": READY, "updateAt": now, "vSwitches": [{"id": each, "zone": "lab-a"} for each in vswitches]}


def pod_eni(lease: Lease) -> dict[str, Any]:
    """The PodENI of a pod that has an interface of its own."""
    vswitch = plan.VSWITCHES[lease.wish.vswitch]
    eni = {
        "id": lease.eni,
        "zone": "lab-a",
        "vSwitchID": lease.wish.vswitch,
        "securityGroupIDs": list(lease.wish.groups),
    }
    allocation_type = {"type": "Fixed", "releaseStrategy": "Never"} if lease.wish.fixed else {"type": "Elastic"}
    return {
        "apiVersion": f"{GROUP}/{VERSION}",
        "kind": "PodENI",
        "metadata": {
            "name": lease.pod,
            "namespace": lease.namespace,
            "labels": {**STAND_IN, "k8s.aliyun.com/node": lease.node},
            "annotations": {"k8s.aliyun.com/pod-networking": lease.wish.networking} if lease.wish.networking else {},
        },
        "spec": {
            "zone": "lab-a",
            "allocations": [
                {
                    "allocationType": allocation_type,
                    "eni": eni,
                    "ipv4": str(lease.address),
                    "ipv4CIDR": str(vswitch),
                    "interface": "eth0",
                    "defaultRoute": True,
                }
            ],
        },
        "status": {
            "phase": "Bind",
            "instanceID": lease.node,
            "eniInfos": {lease.eni: {"id": lease.eni, "type": "Secondary", "status": "InUse"}},
        },
    }


def node_resource(node: str, leases: Sequence[Lease], cloud: Cloud) -> dict[str, Any]:
    """Terway's own Node: what interfaces it has, and which addresses of them are which pods'."""
    interfaces = {}
    if cloud.interfaces == "shared":
        for name in plan.SHARED_INTERFACES:
            eni = f"eni-lab-{node}-{name}"
            mine = [lease for lease in leases if lease.interface == name]
            interfaces[eni] = {
                "id": eni,
                "networkInterfaceType": "Secondary",
                "status": "InUse",
                "vSwitchID": DEFAULT_VSWITCH,
                "ipv4CIDR": str(plan.VSWITCHES[DEFAULT_VSWITCH]),
                "ipv4": {
                    str(lease.address): {
                        "ip": str(lease.address),
                        "status": "Valid",
                        "podID": f"{lease.namespace}/{lease.pod}",
                    }
                    for lease in mine
                },
            }
    spec: dict[str, Any] = {
        "nodeMetadata": {"instanceID": node, "zoneID": "lab-a", "instanceType": "netassay.lab"},
        "eni": {"vSwitchOptions": list(plan.VSWITCHES), "securityGroupIDs": list(Wish().groups), "enableIPv4": True},
    }
    if cloud.datapath:
        spec["datapath"] = {"type": cloud.datapath}
    return {
        "apiVersion": f"{GROUP}/{VERSION}",
        "kind": "Node",
        "metadata": {"name": node, "labels": STAND_IN},
        "spec": spec,
        "status": {"networkInterfaces": interfaces},
    }
