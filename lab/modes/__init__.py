"""The lab's modes: one small TOML file each. Adding one touches no other file."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field

from lab import paths
from lab.errors import LabError

DEFAULT = "flannel-vxlan"
# What every mode needs, whatever its plug-in: a cluster, and who serves LoadBalancers, Ingresses and Gateways in it.
BASE_FAMILIES = (
    "pause",
    "kubernetes",
    "etcd",
    "containerd",
    "cni-plugins",
    "coredns",
    "metallb",
    "traefik",
    "gateway-api",
)
NETWORK_MANIFESTS = ("kube-proxy",)
# Applied once the nodes have their network: a pod that comes before it is tried again only after ten seconds and more.
POD_MANIFESTS = ("coredns", "metallb", "traefik")


@dataclass(frozen=True)
class LabMode:
    """How the lab runs one CNI mode: what is built, what is applied, with which values.

    `manifests` make the nodes' network, and `pod_manifests` run on it. `stand_in_for` names the system that the mode
    imitates, where it is not that system itself.
    """

    name: str
    title: str
    families: tuple[str, ...]
    manifests: tuple[str, ...]
    pod_manifests: tuple[str, ...] = POD_MANIFESTS
    stand_in_for: str = ""
    values: dict[str, str] = field(default_factory=dict)


def names() -> list[str]:
    """All modes."""
    return sorted(file.stem for file in paths.MODES.glob("*.toml"))


def load(name: str) -> LabMode:
    """The mode called `name`. Raises LabError that lists the known ones."""
    file = paths.MODES / f"{name}.toml"
    if name not in names():
        raise LabError(f"There is no lab mode {name!r}. Known: {', '.join(names())}.")
    data = tomllib.loads(file.read_text())
    data["families"] = (*BASE_FAMILIES, *data["families"])
    data["manifests"] = (*NETWORK_MANIFESTS, *data["manifests"])
    return LabMode(name=name, **data)
