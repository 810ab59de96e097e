"""Plug-ins that have one mode, or say in one setting which."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from netassay.modes.mode import GENERIC
from netassay.modes.surroundings import name_of, parsed, settings

if TYPE_CHECKING:
    from netassay.modes.surroundings import NodeDetection, Surroundings


def kindnet(around: Surroundings, daemon: dict[str, Any]) -> list[NodeDetection]:
    """Say that kindnet routes between nodes: it does nothing else."""
    return around.everywhere("kindnet", f"DaemonSet {name_of(daemon)}: kindnet routes between nodes of one network")


def antrea(around: Surroundings, daemon: dict[str, Any]) -> list[NodeDetection]:
    """Tell whether Antrea tunnels, which it does unless told otherwise."""
    namespace = daemon["metadata"]["namespace"]
    agent = parsed((around.config_map("antrea-config", namespace) or {}).get("antrea-agent.conf", ""))
    said = " ".join(settings(agent, "trafficEncapMode", "tunnelType", "noSNAT")) or "says nothing, so encap by geneve"
    around.evidence.append(f"ConfigMap {namespace}/antrea-config: {said}")
    mode, tunnel = str(agent.get("trafficEncapMode", "encap")), str(agent.get("tunnelType", "geneve"))
    if (mode.lower(), tunnel.lower()) == ("encap", "geneve"):
        return around.everywhere("antrea-geneve", "trafficEncapMode encap, tunnelType geneve")
    return around.everywhere(GENERIC, f"there is no mode for Antrea's {mode} by {tunnel} yet")
