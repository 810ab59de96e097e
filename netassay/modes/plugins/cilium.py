"""Cilium: native routing, a tunnel, or addresses of the cloud's interfaces; or chained onto another plug-in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from netassay.modes.mode import GENERIC
from netassay.modes.surroundings import NodeDetection, Surroundings, labels_of, name_of, settings
from netassay.policies.selectors import matches

if TYPE_CHECKING:
    from collections.abc import Mapping

KEYS: Final = (
    *("routing-mode", "tunnel", "tunnel-protocol", "kube-proxy-replacement", "ipam", "cni-chaining-mode"),
    *("enable-ipv4-masquerade", "enable-bpf-masquerade", "enable-policy", "auto-direct-node-routes"),
    *("policy-cidr-match-mode", "enable-wireguard", "enable-ipsec"),
)
"""What of cilium-config says how the network works; nothing else of it is shown."""

ENCRYPTED_BY: Final = {"enable-wireguard": "WireGuard", "enable-ipsec": "IPsec"}
"""What encrypts packets between nodes, by the key that switches it on."""

CLOUD_IPAM: Final = ("eni", "alibabacloud", "azure")

NODE_CONFIGS: Final = ("cilium.io/v2:CiliumNodeConfig", "cilium.io/v2alpha1:CiliumNodeConfig")
"""What changes settings for some of the nodes: of Cilium since 1.16, and before."""


def cilium(around: Surroundings, daemon: dict[str, Any]) -> list[NodeDetection]:
    """Tell each node's mode from cilium-config, and from what CiliumNodeConfigs change of it."""
    namespace = daemon["metadata"]["namespace"]
    data = around.config_map("cilium-config", namespace)
    if data is None:
        return around.everywhere(GENERIC, "the routing mode can't be told without cilium-config")
    around.evidence.append(f"ConfigMap cilium-config: {' '.join(settings(data, *KEYS)) or 'says nothing of these'}")
    overrides = _overrides(around, namespace)
    per_node = []
    for node in around.nodes:
        own, seen = dict(data), []
        for override in overrides:
            spec = override["spec"]
            selector = spec.get("nodeSelector")
            if selector is not None and matches(selector, labels_of(node)):
                own |= spec.get("defaults") or {}
                changed = " ".join(settings(spec.get("defaults") or {}, *KEYS)) or "changes nothing of these"
                seen.append(f"CiliumNodeConfig {name_of(override)}: {changed}")
        mode, because = _mode(own)
        per_node.append(NodeDetection(name_of(node), mode, [*seen, because]))
    return per_node


def _overrides(around: Surroundings, namespace: str) -> list[dict[str, Any]]:
    """Give the CiliumNodeConfigs, in the order in which agents apply them: by name."""
    found = next((those for kind in NODE_CONFIGS if (those := around.objects(kind, optional=True))), [])
    return sorted((one for one in found if one["metadata"].get("namespace") == namespace), key=name_of)


def _mode(data: Mapping[str, str]) -> tuple[str, str]:
    """Tell the mode of a node with these settings, and why: the routing mode counts more than the older `tunnel`."""
    chained = data.get("cni-chaining-mode", "none")
    if chained not in ("none", "", "portmap"):
        return GENERIC, f"Cilium is chained ({chained}): another plug-in gives pods their network"
    encrypted = [name for key, name in ENCRYPTED_BY.items() if data.get(key) == "true"]
    if encrypted:
        return "cilium-encrypted", f"packets between nodes are encrypted by {' and '.join(encrypted)}"
    if data.get("ipam") in CLOUD_IPAM:
        return "cilium-eni", f"ipam={data['ipam']}: addresses are those of the cloud's interfaces"
    routing = data.get("routing-mode") or ("native" if data.get("tunnel") == "disabled" else "tunnel")
    if routing == "native":
        return "cilium-native", "routing-mode=native"
    protocol = data.get("tunnel-protocol") or data.get("tunnel") or "vxlan"
    mode = {"vxlan": "cilium-vxlan", "geneve": "cilium-geneve"}.get(protocol, GENERIC)
    return mode, f"packets between nodes are tunnelled by {protocol}"
