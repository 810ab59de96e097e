"""What kube-proxy is told, and whom it masquerades by that on the way to cluster IPs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import pytest
import yaml

from netassay.modes.surroundings import Surroundings
from netassay.service_proxy import ProxySettings, configured, service_proxy
from tests.modes.test_plug_ins import WrittenCluster, config, node

if TYPE_CHECKING:
    from netassay.cluster import Cluster

POD, POD6 = "10.244.1.7", "fd00:244:1::7"
NODE_RANGES = ("10.244.1.0/24", "fd00:244:1::/64")


def read(**settings: Any) -> ProxySettings:
    written = {
        "kubeconfig.conf": "kind: Config",
        "config.conf": yaml.safe_dump({"kind": "KubeProxyConfiguration", **settings}),
    }
    found = configured(written, "ConfigMap kube-system/kube-proxy")
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("settings", "address", "why"),
    [
        ({}, POD, ""),
        ({"clusterCIDR": "10.244.0.0/16"}, POD, ""),
        (
            {"clusterCIDR": "10.1.0.0/16"},
            POD,
            "says detectLocalMode ClusterCIDR: what is not of 10.1.0.0/16, as pods here are not",
        ),
        ({"clusterCIDR": "10.1.0.0/16"}, POD6, ""),
        ({"clusterCIDR": "10.244.0.0/16,fd00:1::/64"}, POD6, "what is not of fd00:1::/64, as"),
        ({"detectLocalMode": "NodeCIDR", "clusterCIDR": "10.1.0.0/16"}, POD, ""),
        ({"detectLocalMode": "NodeCIDR"}, "10.1.0.7", "what is not of their node's podCIDR, as"),
        ({"detectLocalMode": "BridgeInterface", "clusterCIDR": "10.1.0.0/16"}, POD, ""),
        ({"iptables": {"masqueradeAll": True}}, POD, "says masqueradeAll"),
        ({"mode": "ipvs", "iptables": {"masqueradeAll": True}}, POD, "says masqueradeAll"),
        ({"mode": "nftables", "nftables": {"masqueradeAll": True}}, POD, "says masqueradeAll"),
        ({"mode": "nftables", "iptables": {"masqueradeAll": True}, "nftables": None}, POD, ""),
        ({"iptables": {"masqueradeAll": False}, "clusterCIDR": "10.244.0.0/16"}, POD, ""),
    ],
)
def test_its_configuration_says_whom_it_masquerades(settings: dict[str, Any], address: str, why: str) -> None:
    said = read(**settings).why_masqueraded(address, NODE_RANGES)
    assert why in said
    assert bool(said) is bool(why)


def daemon(*words: str, name: str = "kube-proxy", mounts: str = "") -> dict[str, Any]:
    volumes = [{"name": "settings", "configMap": {"name": mounts}}] if mounts else []
    spec = {"containers": [{"name": "kube-proxy", "command": list(words)}], "volumes": volumes}
    return {
        "metadata": {"name": name, "namespace": "kube-system"},
        "spec": {"template": {"spec": spec}},
        "status": {"desiredNumberScheduled": 2, "numberReady": 2},
    }


def told(daemon: dict[str, Any], *configs: dict[str, Any]) -> tuple[ProxySettings | None, list[str]]:
    around = Surroundings(cast("Cluster", WrittenCluster(Node=[node("n1")], DaemonSet=[daemon], ConfigMap=[*configs])))
    return service_proxy(around), around.evidence


def test_without_a_configuration_its_flags_count() -> None:
    found, _ = told(daemon("kube-proxy", "--masquerade-all", "--cluster-cidr", "10.1.0.0/16", "--proxy-mode=ipvs"))
    assert found == ProxySettings("DaemonSet kube-system/kube-proxy", "ipvs", True, "ClusterCIDR", ("10.1.0.0/16",))
    plain, _ = told(daemon("kube-proxy", "--masquerade-all=false", "--v=2"))
    assert plain == ProxySettings("DaemonSet kube-system/kube-proxy")


def test_where_a_configuration_is_given_it_counts_and_its_flags_do_not() -> None:
    text = yaml.safe_dump({"kind": "KubeProxyConfiguration", "iptables": {"masqueradeAll": True}})
    given = daemon(
        "kube-proxy", "--config=/x/y", "--cluster-cidr=10.1.0.0/16", name="kube-proxy-worker", mounts="settings"
    )
    found, evidence = told(given, config("settings", {"whatever": text}))
    assert found == ProxySettings("ConfigMap kube-system/settings", masquerade_all=True)
    assert evidence == []


def test_a_configuration_that_is_not_there_says_nothing_and_is_told() -> None:
    found, evidence = told(daemon("kube-proxy", "--config=/x/y", mounts="settings"))
    assert found is None
    assert evidence == ["there is no ConfigMap kube-system/settings"]


def test_what_is_not_meant_for_any_node_says_nothing() -> None:
    idle = daemon("kube-proxy", "--masquerade-all")
    idle["status"]["desiredNumberScheduled"] = 0
    assert told(idle) == (None, [])
    assert told(daemon("kube-proxy", "--masquerade-all", name="other")) == (None, [])
