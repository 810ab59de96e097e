"""Calico: pools say how packets go between nodes; several pools may say different things of different nodes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from netassay.modes.mode import GENERIC
from netassay.modes.surroundings import Surroundings, environment, name_of

if TYPE_CHECKING:
    from netassay.modes.surroundings import NodeDetection

POOLS: Final = ("crd.projectcalico.org/v1:IPPool", "projectcalico.org/v3:IPPool")
"""Where pools are kept; the second alone where Calico's own API is that of its CRDs."""

INSTALLATIONS: Final = "operator.tigera.io/v1:Installation"

ENCAPSULATIONS: Final = {
    "VXLAN": "calico-vxlan",
    "VXLANCrossSubnet": "calico-vxlan",
    "IPIP": "calico-ipip",
    "IPIPCrossSubnet": "calico-ipip",
    "None": "calico-bgp",
}
"""Encapsulation as the operator's Installation writes it → mode."""


def calico(around: Surroundings, daemon: dict[str, Any]) -> list[NodeDetection]:
    """Tell the mode from the pools that are in use, else from the operator's Installation."""
    backend = environment(daemon).get("CALICO_NETWORKING_BACKEND", "")
    if backend:
        around.evidence.append(f"DaemonSet calico-node: CALICO_NETWORKING_BACKEND={backend}")
    if backend == "none":
        return around.everywhere(
            GENERIC, "Calico only enforces policies here: who gives pods their network can't be told"
        )
    found = {_encapsulation(around, pool) for pool in _pools(around) if not pool["spec"].get("disabled")}
    if not found:
        found = _installed(around)
    modes = {ENCAPSULATIONS.get(one, GENERIC) for one in found}
    if len(modes) == 1:
        return around.everywhere(modes.pop(), f"pools in use are encapsulated by {', '.join(sorted(found))}")
    if modes:
        return around.everywhere(GENERIC, f"pools differ: {', '.join(sorted(found))}")
    return around.everywhere(GENERIC, "no IPPool and no Installation that says how packets go between nodes")


def _pools(around: Surroundings) -> list[dict[str, Any]]:
    """Give the pools; none, and a line of evidence, if they can't be read."""
    for kind in POOLS:
        found = around.objects(kind, optional=True)
        if found:
            return found
    if all(kind in around.unlisted for kind in POOLS):
        around.evidence.append(f"could not list IPPools: {around.unlisted[POOLS[0]]}")
    return []


def _encapsulation(around: Surroundings, pool: dict[str, Any]) -> str:
    spec = pool["spec"]
    vxlan, ipip = spec.get("vxlanMode", "Never"), spec.get("ipipMode", "Never")
    around.evidence.append(
        f"IPPool {name_of(pool)}: cidr={spec.get('cidr', '?')} vxlanMode={vxlan} ipipMode={ipip} "
        f"natOutgoing={spec.get('natOutgoing', False)}"
    )
    for kind, how in (("VXLAN", vxlan), ("IPIP", ipip)):
        if how != "Never":
            return kind if how == "Always" else f"{kind}{how}"
    return "None"


def _installed(around: Surroundings) -> set[str]:
    found = set()
    for installation in around.objects(INSTALLATIONS, optional=True):
        for pool in (installation.get("spec", {}).get("calicoNetwork") or {}).get("ipPools") or []:
            encapsulation = str(pool.get("encapsulation", "IPIP"))
            around.evidence.append(f"Installation {name_of(installation)}: encapsulation={encapsulation}")
            found.add(encapsulation)
    return found
