"""What detection reads of a cluster: each thing once, and what can't be read is put into the evidence."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec
import yaml

from netassay.errors import HarnessFault
from netassay.results.redact import redact

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from netassay.cluster import Cluster

SYSTEM: Final = "kube-system"

LAB_LABEL: Final = "netassay.dev/lab"
"""Node label by which the embedded cluster says what it is; its value is the lab's mode."""

STAND_IN_LABEL: Final = "netassay.dev/stand-in-for"
"""Node label by which it says which system it imitates, with underscores for spaces; where it is one, there is none."""


class NodeDetection(msgspec.Struct, frozen=True, omit_defaults=True):
    """The mode of one node, and what shows it; `room` is how many pods, interfaces and addresses there may be on it."""

    node: str
    mode: str
    evidence: list[str]
    room: dict[str, int] = {}


class ConfigMapData(NamedTuple):
    """What a look at a ConfigMap gave: its data, None if there is none; `fault` says why that can't be told."""

    data: dict[str, str] | None
    fault: str = ""


class Surroundings:
    """The cluster as detection sees it. Whatever is said in `evidence` is redacted by whoever says it."""

    def __init__(self, cluster: Cluster) -> None:
        """Read nodes and DaemonSets."""
        self._cluster = cluster
        self.evidence: list[str] = []
        self.unlisted: dict[str, str] = {}
        self.config_maps: dict[tuple[str, str], ConfigMapData] = {}
        self.nodes = self.objects("Node")
        self.daemons = self.objects("DaemonSet")

    def objects(self, kind: str, *, optional: bool = False) -> list[dict[str, Any]]:
        """Give all objects of this kind; none, and a line of evidence, if they can't be read.

        What is `optional` may be unknown to the cluster, and that is no news.
        """
        try:
            return self._cluster.list(kind)
        except HarnessFault as fault:
            self.unlisted[kind] = str(fault)
            if not optional:
                self.evidence.append(f"could not list {kind.rpartition(':')[2]}s: {fault}")
            return []

    def config_map(self, name: str, namespace: str = SYSTEM) -> dict[str, str] | None:
        """Give the data of a ConfigMap; None, and a line of evidence, if there is none or it can't be read."""
        found = self.look_up(name, namespace)
        if found.fault:
            self.evidence.append(f"could not read ConfigMap {namespace}/{name}: {found.fault}")
        elif found.data is None:
            self.evidence.append(f"there is no ConfigMap {namespace}/{name}")
        return found.data

    def look_up(self, name: str, namespace: str) -> ConfigMapData:
        """Read a ConfigMap, once; what was seen of it stays in `config_maps`, by namespace and name."""
        if (namespace, name) not in self.config_maps:
            try:
                found = self._cluster.get("ConfigMap", name, namespace)
            except HarnessFault as fault:
                self.config_maps[namespace, name] = ConfigMapData(None, str(fault))
            else:
                data = None if found is None else found.get("data") or {}
                self.config_maps[namespace, name] = ConfigMapData(data)
        return self.config_maps[namespace, name]

    def named(self, name: str) -> str:
        """Give the namespace of the DaemonSet of that name, kube-system if there is none."""
        return next((d["metadata"]["namespace"] for d in self.daemons if d["metadata"]["name"] == name), SYSTEM)

    def everywhere(self, mode: str, *seen: str) -> list[NodeDetection]:
        """Say that all nodes are in one mode, for the same reasons."""
        return [NodeDetection(name_of(node), mode, list(seen)) for node in self.nodes]


def lab_of(nodes: Iterable[dict[str, Any]]) -> tuple[str, str]:
    """Give the lab's mode, and what that stands in for; "" for what does not apply."""
    labels = next((found for node in nodes if LAB_LABEL in (found := labels_of(node))), {})
    return labels.get(LAB_LABEL, ""), labels.get(STAND_IN_LABEL, "").replace("_", " ")


def what_a_lab_is(imitated: str) -> str:
    """Say that a cluster is a lab, and what it stands in for, if it is not that system itself."""
    return f"a lab stand-in for {imitated}" if imitated else "a lab"


def runs(daemon: Mapping[str, Any]) -> bool:
    """Say whether a DaemonSet is meant for any node."""
    return bool(daemon.get("status", {}).get("desiredNumberScheduled", 0))


def parsed(text: str) -> dict[str, Any]:
    """Read JSON or YAML that should be a mapping; an empty one if it is not."""
    try:
        found = json.loads(text)
    except ValueError:
        try:
            found = yaml.safe_load(text)
        except yaml.YAMLError:
            return {}
    return found if isinstance(found, dict) else {}


def settings(data: dict[str, Any], *keys: str) -> list[str]:
    """Write those of the settings that are there, as in `routing-mode=native`."""
    return [f"{key}={redact(str(data[key]))}" for key in keys if data.get(key) not in (None, "")]


def environment(daemon: dict[str, Any]) -> dict[str, str]:
    """Give the environment of a DaemonSet's containers, as far as it is written there."""
    return {
        one["name"]: one["value"]
        for container in pod_of(daemon).get("containers", [])
        for one in container.get("env") or []
        if "value" in one
    }


def words(daemon: dict[str, Any]) -> list[str]:
    """Give the words by which a DaemonSet's containers are started."""
    containers = pod_of(daemon).get("containers", [])
    return [word for one in containers for word in (*(one.get("command") or []), *(one.get("args") or []))]


def pod_of(daemon: dict[str, Any]) -> dict[str, Any]:
    """Give what a DaemonSet's pods are to be; empty if it does not say."""
    pod: dict[str, Any] = daemon.get("spec", {}).get("template", {}).get("spec", {})
    return pod


def name_of(found: dict[str, Any]) -> str:
    """Give the name of an object."""
    return str(found["metadata"]["name"])


def labels_of(found: dict[str, Any]) -> dict[str, str]:
    """Give the labels of an object."""
    labels: dict[str, str] = found["metadata"].get("labels") or {}
    return labels
