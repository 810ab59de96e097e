"""What kube-proxy is told, and what of it decides under which address endpoints are called through a cluster IP.

kube-proxy, KubeProxyConfiguration (kubeproxy.config.k8s.io/v1alpha1): masqueradeAll, clusterCIDR and detectLocalMode.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from netassay.families import Family
from netassay.modes.installed import SERVICE_PROXIES, given
from netassay.modes.surroundings import parsed, runs
from netassay.terway import within

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from netassay.modes.surroundings import Surroundings

KIND: Final = "KubeProxyConfiguration"

BY_CLUSTER_RANGE: Final = "ClusterCIDR"
"""How kube-proxy tells pods of the cluster from others unless it is told otherwise: by their addresses."""

BY_NODE_RANGE: Final = "NodeCIDR"


class ProxySettings(msgspec.Struct, frozen=True):
    """Settings of kube-proxy: `mode` is "" where it is left to kube-proxy, `told_by` names what says all this."""

    told_by: str
    mode: str = ""
    masquerade_all: bool = False
    detect_local_mode: str = BY_CLUSTER_RANGE
    cluster_ranges: tuple[str, ...] = ()

    def why_masqueraded(self, address: str, node_ranges: Sequence[str]) -> str:
        """Say why a pod that calls a cluster IP is seen under its node's address; "" if nothing here makes it so.

        `node_ranges` are those of the pod's node (podCIDRs).
        """
        if self.masquerade_all:
            return f"{self.told_by} says masqueradeAll: all that is sent to cluster IPs is masqueraded"
        ranges = {BY_CLUSTER_RANGE: self.cluster_ranges, BY_NODE_RANGE: tuple(node_ranges)}
        family = Family.of(address)
        # Without a range of its family kube-proxy takes everybody for a pod of the cluster.
        known = [one for one in ranges.get(self.detect_local_mode, ()) if Family.of(one.partition("/")[0]) is family]
        if not known or within(address, known):
            return ""
        local = "their node's podCIDR" if self.detect_local_mode == BY_NODE_RANGE else ", ".join(known)
        return (
            f"{self.told_by} says detectLocalMode {self.detect_local_mode}: what is not of {local}, as pods here are "
            "not, is masqueraded on its way to cluster IPs"
        )


def configured(data: Mapping[str, str], told_by: str) -> ProxySettings | None:
    """Read kube-proxy's configuration out of a ConfigMap's data, under whatever key; None if there is none."""
    found = next((one for one in map(parsed, data.values()) if one.get("kind") == KIND), None)
    if found is None:
        return None
    mode = str(found.get("mode") or "")
    part = found.get("nftables" if mode == "nftables" else "iptables") or {}
    return ProxySettings(
        told_by,
        mode,
        part.get("masqueradeAll") is True,
        str(found.get("detectLocalMode") or BY_CLUSTER_RANGE),
        _ranges(str(found.get("clusterCIDR") or "")),
    )


def service_proxy(around: Surroundings) -> ProxySettings | None:
    """Read what kube-proxy is told, by its configuration or else by flags; None if no DaemonSet of it says so.

    What can't be read is put into the evidence of `around`.
    """
    for daemon in around.daemons:
        where = daemon["metadata"]
        if where["name"] not in SERVICE_PROXIES or not runs(daemon):
            continue
        flags = _flags(daemon)
        if "config" not in flags:
            return _flagged(flags, f"DaemonSet {where['namespace']}/{where['name']}")
        for namespace, name in given(daemon):
            data = around.config_map(name, namespace)
            found = configured(data, f"ConfigMap {namespace}/{name}") if data else None
            if found:
                return found
    return None


def _flagged(flags: Mapping[str, str], told_by: str) -> ProxySettings:
    return ProxySettings(
        told_by,
        flags.get("proxy-mode", ""),
        flags.get("masquerade-all", "false") == "true",
        flags.get("detect-local-mode") or BY_CLUSTER_RANGE,
        _ranges(flags.get("cluster-cidr", "")),
    )


def _ranges(text: str) -> tuple[str, ...]:
    return tuple(one.strip() for one in text.split(",") if one.strip())


def _flags(daemon: Mapping[str, Any]) -> dict[str, str]:
    """Read the flags that a DaemonSet's containers are started with; one without a value is "true"."""
    containers = daemon.get("spec", {}).get("template", {}).get("spec", {}).get("containers") or []
    flags = {}
    for container in containers:
        words = [*(container.get("command") or []), *(container.get("args") or [])]
        for word, after in zip(words, [*words[1:], "-"], strict=True):
            if word.startswith("--"):
                name, equals, value = word[2:].partition("=")
                flags[name] = value if equals else "true" if after.startswith("-") else after
    return flags
