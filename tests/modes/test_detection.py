"""Detection on recorded objects: the right mode, with its evidence, and `generic` rather than a guess.

`flannel-vxlan.json` and those of lab modes were read from clusters as they are; the others are such objects, changed
for the case.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest

from netassay.errors import HarnessFault
from netassay.modes import Detection, detect
from netassay.results.facts import read_facts

if TYPE_CHECKING:
    from netassay.cluster import Cluster

RECORDED = Path(__file__).parent / "recorded"


class RecordedCluster:
    """A cluster that answers reads from recorded objects, and refuses the kinds that it is told to."""

    server = "https://recorded.example:6443"

    def __init__(self, name: str, *, refuses: tuple[str, ...] = ()) -> None:
        self.objects: dict[str, list[dict[str, Any]]] = json.loads((RECORDED / f"{name}.json").read_text())
        self.refuses = refuses

    def version(self) -> str:
        return "v1.37.2"

    def list(self, kind: str, namespace: str | None = None) -> list[dict[str, Any]]:
        if kind in self.refuses:
            raise HarnessFault(f"list {kind}: forbidden")
        return [o for o in self.objects.get(kind, []) if namespace in (None, o["metadata"].get("namespace"))]

    def get(self, kind: str, name: str, namespace: str | None = None) -> dict[str, Any] | None:
        return next((o for o in self.list(kind, namespace) if o["metadata"]["name"] == name), None)


def recorded(name: str, *, refuses: tuple[str, ...] = ()) -> Cluster:
    return cast("Cluster", RecordedCluster(name, refuses=refuses))


def evidence(detection: Detection) -> str:
    return "\n".join([*detection.evidence, *(line for node in detection.nodes for line in node.evidence)])


@pytest.mark.parametrize(
    ("name", "mode", "plug_in", "because"),
    [
        (
            "flannel-vxlan",
            "flannel-vxlan",
            "flannel",
            "DaemonSet kube-flannel/kube-flannel-ds is ready on 2 of 2 nodes",
        ),
        (
            "flannel-hostgw",
            "flannel-hostgw",
            "flannel",
            'kube-system/kube-flannel-cfg: net-conf.json Backend {"Type": "host-gw"}',
        ),
        (
            "flannel-policy",
            "flannel-policy",
            "flannel, kube-router",
            "DaemonSet kube-router is started with --run-firewall=true --run-router=false --run-service-proxy=false",
        ),
        (
            "flannel-and-kube-router",
            "generic",
            "flannel, kube-router",
            "DaemonSet kube-router is started with --run-firewall=true --run-service-proxy=false",
        ),
        ("flannel-alloc", "flannel-alloc", "flannel", "annotation flannel.alpha.coreos.com/backend-type: alloc"),
        (
            "flannel-changed",
            "generic",
            "flannel",
            "nodes differ: flannel-vxlan on 1 (node1); flannel-hostgw on 1 (node2)",
        ),
        (
            "flannel-new-node",
            "flannel-vxlan",
            "flannel",
            "no annotation flannel.alpha.coreos.com/backend-type; taken from",
        ),
        ("cilium", "cilium-native", "cilium", "routing-mode=native tunnel-protocol=vxlan kube-proxy-replacement=true"),
        ("cilium", "cilium-native", "cilium", "label netassay.dev/lab=cilium: this is a lab"),
        ("eni-shared", "terway-shared", "terway", "this is a lab stand-in for Terway inclusive shared ENI"),
        ("eni-shared", "terway-shared", "terway", "nodes.network.alibabacloud.com/node2: spec.datapath.type=veth"),
        ("eni-exclusive", "terway-exclusive", "terway", "label k8s.aliyun.com/exclusive-mode-eni-type=eniOnly"),
        ("eni-exclusive", "terway-exclusive", "terway", "this is a lab stand-in for Terway exclusive ENI"),
        ("datapath-v2", "terway-datapath-v2", "terway", "nodes.network.alibabacloud.com/node1: spec.datapath.type="),
        ("bridge", "generic", "unknown", "no DaemonSet of a known plug-in among 2 of the cluster"),
        ("bridge", "generic", "unknown", "label netassay.dev/lab=bridge: this is a lab, and"),
        ("calico", "generic", "calico", "no IPPool and no Installation that says how packets go between nodes"),
        ("flannel-and-calico", "generic", "calico, flannel", "several plug-ins run"),
        ("unknown", "generic", "unknown", "no DaemonSet of a known plug-in among 2 of the cluster"),
        ("crds-only", "generic", "unknown", "DaemonSet kube-system/cilium exists, but is meant for no node"),
    ],
)
def test_the_mode_is_told_with_its_evidence(name: str, mode: str, plug_in: str, because: str) -> None:
    detection = detect(recorded(name))
    assert (detection.mode, detection.plug_in) == (mode, plug_in)
    assert because in evidence(detection)
    assert [node.node for node in detection.nodes] == ["node1", "node2"]


def test_the_planted_keys_of_a_recorded_eni_conf_never_come_into_the_evidence() -> None:
    cluster = recorded("eni-shared")
    assert "LTAI5tNETASSAYlabSTANDin" in json.dumps(cluster.list("ConfigMap"))
    said = evidence(detect(cluster))
    assert "service_cidr=" in said
    assert "LTAI5t" not in said
    assert "stand-in-secret" not in said


def test_what_flanneld_says_of_its_node_counts_more_than_the_config_map() -> None:
    detection = detect(recorded("flannel-changed"))
    assert [node.mode for node in detection.nodes] == ["flannel-vxlan", "flannel-hostgw"]
    assert "the ConfigMap says host-gw: it was changed after flanneld started here" in evidence(detection)


def test_without_the_right_to_read_a_config_map_the_annotations_still_tell() -> None:
    detection = detect(recorded("flannel-vxlan", refuses=("ConfigMap",)))
    assert detection.mode == "flannel-vxlan"
    assert "could not read ConfigMap kube-flannel/kube-flannel-cfg: list ConfigMap: forbidden" in evidence(detection)


def test_without_any_rights_nothing_is_guessed() -> None:
    detection = detect(recorded("flannel-vxlan", refuses=("DaemonSet", "Node", "ConfigMap")))
    assert (detection.mode, detection.nodes) == ("generic", [])
    assert "could not list DaemonSets: list DaemonSet: forbidden" in evidence(detection)


def test_facts_are_read_and_what_cannot_be_is_said() -> None:
    facts = read_facts(recorded("flannel-vxlan"))
    assert (facts.version, facts.service_proxy, facts.dns_address) == ("v1.37.2", "nftables", "10.96.0.10")
    node = facts.nodes[0]
    assert (node.name, node.ready, node.pod_ranges) == ("node1", True, ["10.244.1.0/24"])
    assert facts.unread == []
    refused = read_facts(recorded("flannel-vxlan", refuses=("ConfigMap",)))
    assert refused.unread == ["kube-proxy's mode: list ConfigMap: forbidden"]
    assert refused.dns_address == "10.96.0.10"
