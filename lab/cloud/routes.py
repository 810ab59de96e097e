"""A route to each node's pod range: in the VPC's route table, which may have a quota, and on the nodes if asked."""

from __future__ import annotations

import json
import time
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from kubernetes import watch
from kubernetes.client import ApiException
from pyroute2 import IPRoute
from urllib3.exceptions import HTTPError

from lab import network, paths

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

WATCH_SECONDS: Final = 300
PAUSE: Final = 1.0
# Routes of ours are told from others by it.
PROTOCOL: Final = 88


class Routes:
    """Keeps one route for each node's pod range, and says in a condition of the node whether it has one."""

    def __init__(self, core: Any, where: str, quota: int) -> None:
        """`where` is "vpc" (this network namespace) or "nodes" (those too); `quota` is how many routes there may be.

        A quota of 0 is none.
        """
        self._core, self._where, self._quota = core, where, quota

    def keep(self) -> None:
        """Follow the cluster's nodes for ever."""
        while True:
            with suppress(ApiException, HTTPError):
                nodes = self._core.list_node(_request_timeout=10)
                self.set(nodes.items)
                follow: Any = watch.Watch()  # type: ignore[no-untyped-call]
                events = follow.stream(
                    self._core.list_node,
                    resource_version=nodes.metadata.resource_version,
                    timeout_seconds=WATCH_SECONDS,
                )
                for event in events:
                    if event["type"] in ("ADDED", "DELETED") or self._has_news(event["object"]):
                        self.set(self._core.list_node(_request_timeout=10).items)
            time.sleep(PAUSE)

    def _has_news(self, node: Any) -> bool:
        return bool(node.spec.pod_cidr) and node.metadata.name not in self._told

    _told: Mapping[str, str] = {}

    def set(self, nodes: list[Any]) -> None:
        """Make the routes that there should be, oldest node first, as far as the quota goes."""
        known = sorted(nodes, key=lambda node: (node.metadata.creation_timestamp, node.metadata.name))
        ranges = {node.metadata.name: node.spec.pod_cidr for node in known if node.spec.pod_cidr}
        allowed = dict(list(ranges.items())[: self._quota or len(ranges)])
        via = {node.metadata.name: _address(node) for node in known}
        wanted = {pods: via[name] for name, pods in allowed.items()}
        with IPRoute() as ip:
            _replace(ip, wanted)
        if self._where == "nodes":
            hosts: dict[str, int] = json.loads((paths.INSIDE / "status.json").read_text())["hosts"]
            for name, own in ranges.items():
                others = {pods: gateway for pods, gateway in wanted.items() if pods != own}
                network.inside(hosts[name], _replacing(others))
        for node in known:
            if node.metadata.name in ranges and self._told.get(node.metadata.name) != str(
                node.metadata.name in allowed
            ):
                self._tell(node, routed=node.metadata.name in allowed)
        self._told = {name: str(name in allowed) for name in ranges}

    def _tell(self, node: Any, *, routed: bool) -> None:
        """Say so as a cloud's route controller does; a node whose network is unavailable is given no pods."""
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        condition = {
            "type": "NetworkUnavailable",
            "status": str(not routed),
            "reason": "RouteCreated" if routed else "NoRouteCreated",
            "message": "the VPC has a route to this node's pods"
            if routed
            else f"the route table of the VPC is full: its quota is {self._quota} routes",
            "lastTransitionTime": now,
            "lastHeartbeatTime": now,
        }
        self._core.patch_node_status(node.metadata.name, {"status": {"conditions": [condition]}})


def _address(node: Any) -> str:
    return next(str(a.address) for a in node.status.addresses if a.type == "InternalIP")


def _replacing(wanted: Mapping[str, str]) -> Callable[[Any], None]:
    return lambda ip: _replace(ip, wanted)


def _replace(ip: Any, wanted: Mapping[str, str]) -> None:
    """Make the routes `wanted` (pod range → node), and remove those of ours that are not."""
    present = {f"{route.get_attr('RTA_DST')}/{route['dst_len']}" for route in ip.get_routes(proto=PROTOCOL)}
    for pods, gateway in wanted.items():
        ip.route("replace", dst=pods, gateway=gateway, proto=PROTOCOL)
    for gone in present - set(wanted):
        ip.route("del", dst=gone, proto=PROTOCOL)
