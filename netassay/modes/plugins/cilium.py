"""Cilium: native routing, a tunnel, or addresses of the cloud's interfaces; or chained onto another plug-in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from netassay.modes.mode import GENERIC
from netassay.modes.surroundings import settings

if TYPE_CHECKING:
    from netassay.modes.surroundings import NodeDetection, Surroundings

KEYS: Final = (
    *("routing-mode", "tunnel", "tunnel-protocol", "kube-proxy-replacement", "ipam", "cni-chaining-mode"),
    *("enable-ipv4-masquerade", "enable-bpf-masquerade", "enable-policy", "auto-direct-node-routes"),
    *("policy-cidr-match-mode", "enable-wireguard", "enable-ipsec"),
)
"""What of cilium-config says how the network works; nothing else of it is shown."""

ENCRYPTED_BY: Final = {"enable-wireguard": "WireGuard", "enable-ipsec": "IPsec"}
"""What encrypts packets between nodes, by the key that switches it on."""

CLOUD_IPAM: Final = ("eni", "alibabacloud", "azure")


def cilium(around: Surroundings, daemon: dict[str, Any]) -> list[NodeDetection]:
    """Tell the mode from cilium-config: the routing mode counts more than the older `tunnel`."""
    data = around.config_map("cilium-config", daemon["metadata"]["namespace"])
    if data is None:
        return around.everywhere(GENERIC, "the routing mode can't be told without cilium-config")
    around.evidence.append(f"ConfigMap cilium-config: {' '.join(settings(data, *KEYS)) or 'says nothing of these'}")
    chained = data.get("cni-chaining-mode", "none")
    if chained not in ("none", "", "portmap"):
        return around.everywhere(GENERIC, f"Cilium is chained ({chained}): another plug-in gives pods their network")
    encrypted = [name for key, name in ENCRYPTED_BY.items() if data.get(key) == "true"]
    if encrypted:
        return around.everywhere(
            "cilium-encrypted", f"packets between nodes are encrypted by {' and '.join(encrypted)}"
        )
    if data.get("ipam") in CLOUD_IPAM:
        return around.everywhere("cilium-eni", f"ipam={data['ipam']}: addresses are those of the cloud's interfaces")
    routing = data.get("routing-mode") or ("native" if data.get("tunnel") == "disabled" else "tunnel")
    if routing == "native":
        return around.everywhere("cilium-native", "routing-mode=native")
    protocol = data.get("tunnel-protocol") or data.get("tunnel") or "vxlan"
    mode = {"vxlan": "cilium-vxlan", "geneve": "cilium-geneve"}.get(protocol, GENERIC)
    return around.everywhere(mode, f"packets between nodes are tunnelled by {protocol}")
