"""Which nodes can carry probes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

_KEEPS_PODS_AWAY = ("NoSchedule", "NoExecute")


def schedulable(nodes: Iterable[dict[str, Any]], *, tolerate_taints: bool) -> list[dict[str, Any]]:
    """The nodes that are Ready, not cordoned, and not tainted against pods (unless that is tolerated), by name."""
    return sorted(
        (node for node in nodes if not why_not(node, tolerate_taints=tolerate_taints)),
        key=lambda node: str(node["metadata"]["name"]),
    )


def why_not(node: dict[str, Any], *, tolerate_taints: bool) -> str:
    """Why this node carries no probe, "" if it does."""
    conditions = {condition["type"]: condition["status"] for condition in node.get("status", {}).get("conditions", [])}
    if conditions.get("Ready") != "True":
        return "not Ready"
    spec = node.get("spec", {})
    if spec.get("unschedulable"):
        return "cordoned"
    taints = [
        taint
        for taint in spec.get("taints", [])
        if taint["effect"] in _KEEPS_PODS_AWAY and taint["key"] != "node.kubernetes.io/unschedulable"
    ]
    if taints and not tolerate_taints:
        return "tainted " + ", ".join(f"{taint['key']}:{taint['effect']}" for taint in taints)
    return ""
