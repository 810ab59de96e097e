"""Detection on the objects that the lab itself applies: every lab mode is what it is meant to be detected as."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import pytest

from lab import modes, plan
from lab.cloud.terway import node_resource
from lab.objects import read_manifest, values_for
from netassay.modes import Detection, detect
from tests.modes.test_plug_ins import TERWAY_NODE, WrittenCluster, told

if TYPE_CHECKING:
    from netassay.cluster import Cluster

EXPECTED = {
    "bridge": "generic",
    "cilium": "cilium-native",
    "cilium-vxlan": "cilium-vxlan",
    "datapath-v2": "terway-datapath-v2",
    "eni-exclusive": "terway-exclusive",
    "eni-shared": "terway-shared",
    "flannel-alloc": "flannel-alloc",
    "flannel-hostgw": "flannel-hostgw",
    "flannel-policy": "flannel-policy",
    "flannel-vxlan": "flannel-vxlan",
}
"""Lab mode → what it is detected as."""

NODES = [host.name for host in plan.node_hosts(2)]


def detected(mode: modes.LabMode) -> Detection:
    """Detect the mode of a lab whose objects are all there, and whose DaemonSets run on all nodes."""
    values = values_for(mode, "nftables", plan.Families(mode.ip_families[0]))
    applied = [found for name in (*mode.manifests, *mode.pod_manifests) for found in read_manifest(name, values)]
    objects: dict[str, list[dict[str, Any]]] = {
        kind: [found for found in applied if found["kind"] == kind] for kind in ("DaemonSet", "ConfigMap")
    }
    for daemon in objects["DaemonSet"]:
        daemon["status"] = {"desiredNumberScheduled": len(NODES), "numberReady": len(NODES)}
    objects["Node"] = [{"metadata": {"name": name, "labels": modes.node_labels(mode)}} for name in NODES]
    if mode.cloud.interfaces:
        objects[TERWAY_NODE] = [node_resource(name, [], mode.cloud) for name in NODES]
    return detect(cast("Cluster", WrittenCluster(**objects)))


def test_every_lab_mode_is_here() -> None:
    assert sorted(EXPECTED) == modes.names()


@pytest.mark.parametrize("name", modes.names())
def test_a_lab_mode_is_detected_as_what_it_is_meant_for(name: str) -> None:
    mode = modes.load(name)
    detection = detected(mode)
    assert [(one.node, one.mode) for one in detection.nodes] == [(node, EXPECTED[name]) for node in NODES]
    assert detection.mode == EXPECTED[name]
    label = f"label netassay.dev/lab={name}: this is "
    imitated = modes.node_labels(mode).get("netassay.dev/stand-in-for", "").replace("_", " ")
    assert label + (f"a lab stand-in for {imitated}," if imitated else "a lab,") in told(detection)
