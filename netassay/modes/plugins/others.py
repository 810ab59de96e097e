"""Plug-ins that have one mode, or say in one setting which."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from netassay.modes.mode import GENERIC
from netassay.modes.surroundings import name_of, parsed, pod_of, settings

if TYPE_CHECKING:
    from netassay.modes.surroundings import NodeDetection, Surroundings

ANTREA_CONFIG: Final = "antrea-config"
"""The volume with the settings of Antrea's agent, and their ConfigMap, which once had a hash behind its name."""

ANTREA_KEYS: Final = ("trafficEncapMode", "tunnelType", "trafficEncryptionMode", "noSNAT")


def kindnet(around: Surroundings, daemon: dict[str, Any]) -> list[NodeDetection]:
    """Say that kindnet routes between nodes: it does nothing else."""
    return around.everywhere("kindnet", f"DaemonSet {name_of(daemon)}: kindnet routes between nodes of one network")


def antrea(around: Surroundings, daemon: dict[str, Any]) -> list[NodeDetection]:
    """Tell whether Antrea tunnels, which it does unless told otherwise."""
    namespace = daemon["metadata"]["namespace"]
    volumes = {one["name"]: one for one in pod_of(daemon).get("volumes") or []}
    name = (volumes.get(ANTREA_CONFIG, {}).get("configMap") or {}).get("name", ANTREA_CONFIG)
    data = around.config_map(name, namespace)
    if data is None:
        return around.everywhere(GENERIC, "whether Antrea tunnels can't be told without its settings")
    agent = parsed(data.get("antrea-agent.conf", ""))
    said = " ".join(settings(agent, *ANTREA_KEYS)) or "says nothing, so encap by geneve"
    around.evidence.append(f"ConfigMap {namespace}/{name}: {said}")
    encrypted = str(agent.get("trafficEncryptionMode") or "none")
    if encrypted.lower() != "none":
        return around.everywhere(GENERIC, f"there is no mode for an Antrea that encrypts by {encrypted} yet")
    mode, tunnel = str(agent.get("trafficEncapMode") or "encap"), str(agent.get("tunnelType") or "geneve")
    if (mode.lower(), tunnel.lower()) == ("encap", "geneve"):
        return around.everywhere("antrea-geneve", "trafficEncapMode encap, tunnelType geneve")
    return around.everywhere(GENERIC, f"there is no mode for Antrea's {mode} by {tunnel} yet")
