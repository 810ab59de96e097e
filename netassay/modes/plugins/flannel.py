"""Flannel: the backend is the mode, and who enforces policies beside it, if anybody does."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from netassay.modes.mode import GENERIC
from netassay.modes.surroundings import NodeDetection, Surroundings, name_of, parsed, words
from netassay.results.redact import redact

if TYPE_CHECKING:
    from collections.abc import Mapping

BACKEND_ANNOTATION: Final = "flannel.alpha.coreos.com/backend-type"

MODES: Final = {"vxlan": "flannel-vxlan", "host-gw": "flannel-hostgw", "alloc": "flannel-alloc"}
"""Flannel's backend → mode."""

WITH_FIREWALL: Final = {"flannel-vxlan": "flannel-policy"}
"""Mode of Flannel by itself → mode of the same with kube-router's firewall beside it."""

CANAL: Final = {"vxlan": "canal"}
"""The same with Calico's policies, in one DaemonSet."""


def flannel(around: Surroundings, daemon: dict[str, Any]) -> list[NodeDetection]:
    """Tell the backend of each node of a Flannel by itself."""
    return _by_backend(around, "kube-flannel-cfg", daemon["metadata"]["namespace"], MODES)


def canal(around: Surroundings, daemon: dict[str, Any]) -> list[NodeDetection]:
    """Tell the backend of the Flannel in canal, whose ConfigMap is named after the DaemonSet, RKE2's too."""
    return _by_backend(around, f"{name_of(daemon)}-config", daemon["metadata"]["namespace"], CANAL)


def with_firewall(around: Surroundings, daemon: dict[str, Any], router: dict[str, Any]) -> list[NodeDetection] | None:
    """Tell the modes of Flannel with kube-router beside it; None if kube-router does more than enforce policies."""
    options = [word for word in words(router) if word.startswith("--run-")]
    around.evidence.append(f"DaemonSet kube-router is started with {' '.join(options) or 'no --run- option'}")
    if "--run-router=false" not in options or "--run-firewall=false" in options:
        return None
    return [
        NodeDetection(
            node.node,
            WITH_FIREWALL.get(node.mode, GENERIC),
            [*node.evidence, "kube-router's firewall runs beside Flannel"],
        )
        for node in flannel(around, daemon)
    ]


def _by_backend(around: Surroundings, config: str, namespace: str, modes: Mapping[str, str]) -> list[NodeDetection]:
    """Tell the backend of each node: its annotation, written by flanneld itself, counts more than the ConfigMap."""
    configured = _configured(around, config, namespace)
    per_node = []
    for node in around.nodes:
        backend = (node["metadata"].get("annotations") or {}).get(BACKEND_ANNOTATION, "")
        if backend:
            seen = [f"annotation {BACKEND_ANNOTATION}: {redact(backend)}"]
            if configured and configured != backend.lower():
                seen.append(
                    f"the ConfigMap says {configured}: it was changed after flanneld started here, or is not read"
                )
        elif configured:
            backend, seen = configured, [f"no annotation {BACKEND_ANNOTATION}; taken from the ConfigMap"]
        else:
            seen = [f"no annotation {BACKEND_ANNOTATION}, and no ConfigMap that says"]
        mode = modes.get(backend.lower(), GENERIC)
        if backend and mode == GENERIC:
            seen.append(f"there is no mode for Flannel's backend {redact(backend)} yet")
        per_node.append(NodeDetection(name_of(node), mode, seen))
    return per_node


def _configured(around: Surroundings, name: str, namespace: str) -> str:
    """Read the backend that the ConfigMap asks for, in lower case; "" if it can't be told."""
    data = around.config_map(name, namespace)
    if data is None:
        return ""
    backend = parsed(data.get("net-conf.json", "")).get("Backend")
    kind = backend.get("Type") if isinstance(backend, dict) else None
    where = f"ConfigMap {namespace}/{name}"
    if not kind:
        around.evidence.append(f"{where} has no net-conf.json with a Backend.Type")
        return ""
    around.evidence.append(f"{where}: net-conf.json Backend {redact(json.dumps(backend))}")
    return str(kind).lower()
