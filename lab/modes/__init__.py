"""The lab's modes: one small TOML file each. Adding one touches no other file."""

from __future__ import annotations

import re
import string
import tomllib
from dataclasses import dataclass, field

from lab import paths, plan
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
SERVICE_PROXY = "kube-proxy"
# Applied once the nodes have their network: a pod that comes before it is tried again only after ten seconds and more.
POD_MANIFESTS = ("coredns", "metallb", "traefik")


@dataclass(frozen=True)
class Cloud:
    """What the network around the nodes does for them, as a cloud's would.

    `routes` is where each node's pod range is routed to that node: "nodes" (by every other node, and the router) or
    "vpc" (by the router alone, which has room for `route_quota` such routes). `interfaces` are the interfaces that
    pods get: "exclusive" (one of their own each, `per_node` of them) or "shared" (`per_node` addresses of their node's
    interfaces). `datapath` is what Terway's own Node says of that, if anything.
    """

    routes: str = ""
    route_quota: int = 0
    interfaces: str = ""
    per_node: int = 0
    datapath: str = ""

    @property
    def needed(self) -> bool:
        """Whether there is anything to be done."""
        return bool(self.routes or self.interfaces)


@dataclass(frozen=True)
class LabMode:
    """How the lab runs one CNI mode: what is built, what is applied, with which values.

    `manifests` make the nodes' network, and `pod_manifests` run on it. `stand_in_for` names the system that the mode
    imitates, where it is not that system itself. `service_proxy` is false where the plug-in does kube-proxy's work.
    `cni` is the CNI configuration of every node, a file of lab/cni, where no pod of the plug-in writes it; containerd
    fills in the node's pod range. `kernel` are network settings of the nodes, `labels` are put on them, and `tools` are
    what Debian brings for this mode alone: program → package. `bpf` says that nodes need a BPF file system and a cgroup
    v2 tree of their own. `ip_families` are those of pods that the mode can do.
    """

    name: str
    title: str
    families: tuple[str, ...]
    manifests: tuple[str, ...]
    pod_manifests: tuple[str, ...] = POD_MANIFESTS
    stand_in_for: str = ""
    service_proxy: bool = True
    cni: str = ""
    bpf: bool = False
    ip_families: tuple[str, ...] = plan.IP_FAMILIES
    labels: dict[str, str] = field(default_factory=dict)
    kernel: dict[str, int] = field(default_factory=dict)
    tools: dict[str, str] = field(default_factory=dict)
    cloud: Cloud = Cloud()
    values: dict[str, str] = field(default_factory=dict)

    def cni_configuration(self, node: plan.Host) -> str:
        """The template of the CNI configuration of `node`; "" where a pod of the plug-in writes it."""
        if not self.cni:
            return ""
        text = (paths.CNI / f"{self.cni}.conflist").read_text()
        values = {"node_address": node.address.ip, "service_network": plan.SERVICE_NETWORK, "router": plan.ROUTER.ip}
        return string.Template(text).substitute(values)


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
    proxies = (SERVICE_PROXY,) if data.get("service_proxy", True) else ()
    data["manifests"] = (*proxies, *data["manifests"])
    data["cloud"] = Cloud(**data.get("cloud", {}))
    if "ip_families" in data:
        data["ip_families"] = tuple(data["ip_families"])
    return LabMode(name=name, **data)


def node_labels(mode: LabMode) -> dict[str, str]:
    """The labels by which every node says that this is a lab, in which mode, and what that stands in for."""
    stand_in = {"netassay.dev/stand-in-for": re.sub(r"[^A-Za-z0-9]+", "_", mode.stand_in_for)}
    return {"netassay.dev/lab": mode.name, **(stand_in if mode.stand_in_for else {}), **mode.labels}
