"""What is installed as the network, read from recorded objects: workloads, settings, and no secret of either."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from netassay.modes import detect
from tests.modes.test_detection import RecordedCluster

if TYPE_CHECKING:
    from netassay.modes.installed import Installed


class Changed(RecordedCluster):
    """Recorded objects, to be changed, and counted as they are asked for."""

    def __init__(self, name: str, *, refuses: tuple[str, ...] = ()) -> None:
        super().__init__(name, refuses=refuses)
        self.asked: list[str] = []

    def get(self, kind: str, name: str, namespace: str | None = None) -> dict[str, Any] | None:
        self.asked.append(f"{namespace}/{name}")
        return super().get(kind, name, namespace)

    def container(self, daemon: str) -> dict[str, Any]:
        found: dict[str, Any] = self.named("DaemonSet", daemon)["spec"]["template"]["spec"]["containers"][0]
        return found

    def named(self, kind: str, name: str) -> dict[str, Any]:
        return next(one for one in self.objects[kind] if one["metadata"]["name"] == name)

    def installed(self) -> Installed:
        found = detect(self).installed  # type: ignore[arg-type]
        assert found is not None
        return found


@pytest.mark.parametrize(
    ("name", "workloads", "settings"),
    [
        (
            "flannel-policy",
            ["kube-flannel/kube-flannel-ds", "kube-system/kube-proxy", "kube-system/kube-router"],
            ["kube-flannel/kube-flannel-cfg"],
        ),
        ("eni-shared", ["kube-system/kube-proxy", "kube-system/terway-eniip"], ["kube-system/eni-config"]),
        ("cilium", ["kube-system/cilium"], ["kube-system/cilium-config"]),
        ("crds-only", ["kube-system/kube-proxy"], []),
    ],
)
def test_plug_in_engine_and_proxy_are_read_and_nothing_else(
    name: str, workloads: list[str], settings: list[str]
) -> None:
    found = Changed(name).installed()
    assert [str(one) for one in found.workloads] == [f"DaemonSet {one}" for one in workloads]
    assert [str(one) for one in found.settings] == [f"ConfigMap {one}" for one in settings]
    assert all(one.digest for one in found.settings)


def test_images_are_kept_as_they_are_asked_for_and_are_not_in_the_digest() -> None:
    cluster = Changed("eni-shared")
    before = cluster.installed().workloads[1]
    assert before.images == {"terway": "netassay.lab/pause:1"}
    cluster.container("terway-eniip")["image"] = "registry.example/terway:v2@sha256:0123"
    after = cluster.installed().workloads[1]
    assert after.images == {"terway": "registry.example/terway:v2@sha256:0123"}
    assert after.template == before.template


def test_a_rollout_is_no_change_and_an_argument_is() -> None:
    cluster = Changed("flannel-policy")
    before = cluster.installed()
    template = cluster.named("DaemonSet", "kube-router")["spec"]["template"]
    template["metadata"] = {"annotations": {"kubectl.kubernetes.io/restartedAt": "2026-11-26T00:00:00Z"}}
    assert cluster.installed() == before
    cluster.container("kube-router")["command"].append("--run-loadbalancer=true")
    assert [a.template == b.template for a, b in zip(cluster.installed().workloads, before.workloads, strict=True)] == [
        *(True, True),
        False,
    ]


def test_config_maps_that_pods_are_given_are_read_each_once() -> None:
    cluster = Changed("eni-shared")
    spec = cluster.named("DaemonSet", "kube-proxy")["spec"]["template"]["spec"]
    spec["volumes"] = [
        {"name": "config", "configMap": {"name": "kube-proxy"}},
        {"name": "api", "projected": {"sources": [{"configMap": {"name": "kube-root-ca.crt"}}, {"secret": {}}]}},
    ]
    spec["containers"][0]["env"] = [
        {"name": "MODE", "valueFrom": {"configMapKeyRef": {"name": "kube-proxy", "key": "mode"}}},
        {"name": "NODE_NAME", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}},
    ]
    terway = cluster.named("DaemonSet", "terway-eniip")["spec"]["template"]["spec"]
    terway["volumes"] = [{"name": "configvolume", "configMap": {"name": "eni-config"}}]  # has told the mode already
    spec["containers"][0]["envFrom"] = [{"configMapRef": {"name": "gone", "optional": True}}]
    settings = {str(one): one for one in cluster.installed().settings}
    assert sorted(settings) == [
        "ConfigMap kube-system/eni-config",
        "ConfigMap kube-system/gone",
        "ConfigMap kube-system/kube-proxy",
    ]
    assert (settings["ConfigMap kube-system/gone"].digest, settings["ConfigMap kube-system/gone"].unread) == ("", "")
    assert sorted(cluster.asked) == ["kube-system/eni-config", "kube-system/gone", "kube-system/kube-proxy"]


def test_what_could_not_be_read_is_said() -> None:
    refused = Changed("flannel-vxlan", refuses=("ConfigMap",)).installed()
    assert [(one.digest, one.unread) for one in refused.settings] == [("", "list ConfigMap: forbidden")]
    assert Changed("flannel-vxlan", refuses=("DaemonSet",)).installed().unread == "list DaemonSet: forbidden"


def test_the_planted_keys_of_eni_conf_are_in_no_digest() -> None:
    cluster = Changed("eni-shared")
    before = cluster.installed()
    data = cluster.named("ConfigMap", "eni-config")["data"]
    data["eni_conf"] = (
        data["eni_conf"].replace("netassay-lab-stand-in-secret", "x").replace("LTAI5tNETASSAY", "LTAI5tOTHER")
    )
    assert cluster.installed() == before
    data["eni_conf"] = data["eni_conf"].replace("sg-lab-default", "sg-lab-closed")
    assert cluster.installed() != before
    said = json.dumps(msgspec.to_builtins(cluster.installed()))
    assert "sg-lab" not in said
    assert "LTAI5t" not in said
