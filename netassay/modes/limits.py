"""How far a mode is meant to go: what a cluster goes beyond, and how many pods each of its nodes takes.

Nothing need be broken where a limit is passed, so that it makes a warning, and no finding.
"""

from __future__ import annotations

from ipaddress import ip_network
from typing import TYPE_CHECKING, Any, Final

from netassay.modes.mode import LIMITED

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from netassay.modes.detection import Detection
    from netassay.modes.mode import Density, Limit, Mode

PODS: Final = "pods"
"""What a node is allowed of any pods, by its kubelet."""

ADDRESSES: Final = "addresses"
"""What the range of a node (podCIDR) has for pods."""

OF_A_CLOUD: Final = "aliyun/"
"""Prefix of the extended resources by which the interfaces of a node are counted."""

NOT_FOR_PODS: Final = 3
"""Addresses of a node's range that host-local gives to no pod: the network's own, the gateway's and the last."""

NAMED: Final = 5
"""Nodes that a warning names."""


def room_of(node: Mapping[str, Any]) -> dict[str, int]:
    """Say of a Node how many there may be on it: pods, interfaces of a cloud, and addresses of its range."""
    allocatable = node.get("status", {}).get("allocatable") or {}
    room = {
        name: int(count)
        for name, count in allocatable.items()
        if (name == PODS or name.startswith(OF_A_CLOUD)) and str(count).isdecimal()
    }
    spec = node.get("spec", {})
    ranges = [ip_network(one) for one in spec.get("podCIDRs") or filter(None, [spec.get("podCIDR")])]
    if ranges:
        room[ADDRESSES] = max(0, min(one.num_addresses for one in ranges) - NOT_FOR_PODS)
    return room


def density(mode: Mode, room: Mapping[str, int]) -> str:
    """Put into words how many pods a node takes in this mode, as in `7 (aliyun/eni)`; "" if nothing says so."""
    limits = {name: room[name] for name in _bounds(mode) if name in room}
    if not limits:
        return ""
    least = min(limits, key=lambda name: limits[name])
    return f"{limits[least]} ({least})"


def beyond(mode: Mode, detection: Detection) -> list[str]:
    """Say which limits of its mode the cluster is beyond, each with who says so."""
    count = len(detection.nodes)
    said = [
        f"the cluster has {count:,} nodes, and mode {mode.name} is meant for up to {meant(what, limit)}"
        for what, limit in mode.limits.items()
        if count > limit.value
    ]
    if mode.parameters.pod_range_per_node:
        short = {
            node.node: f"{node.room[PODS]} and {node.room[ADDRESSES]}"
            for node in detection.nodes
            if node.room.get(PODS, 0) > node.room.get(ADDRESSES, node.room.get(PODS, 0))
        }
        said += [
            f"the kubelet takes more pods than its node's range has addresses for, {figures} on {some(names)}: "
            "pods that are one too many get no address"
            for figures, names in _by_value(short).items()
        ]
    return said


def meant(what: str, limit: Limit) -> str:
    """Put a limit into words, as in `5,000 nodes (who says so)`."""
    return f"{limit.value:,} {LIMITED[what]} ({limit.source})"


def bounded(density: Density) -> str:
    """Put into words what bounds the pods of a node, as in `as many pods of a node as it has pods (who says so)`."""
    return f"as many pods of a node as it has {density.resource} ({density.source})"


def some(names: Sequence[str]) -> str:
    """Name nodes, a few of them if there are many."""
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more


def _bounds(mode: Mode) -> Sequence[str]:
    """Name what bounds the pods of a node in this mode."""
    bounds = [PODS, *([ADDRESSES] if mode.parameters.pod_range_per_node else [])]
    return [*bounds, mode.density.resource] if mode.density else bounds


def _by_value(found: Mapping[str, str]) -> dict[str, list[str]]:
    turned: dict[str, list[str]] = {}
    for name, value in found.items():
        turned.setdefault(value, []).append(name)
    return turned
