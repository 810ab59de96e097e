"""The lab's Kubernetes objects: plain manifests in files, with a few values filled in, applied by the API server."""

from __future__ import annotations

import functools
import json
import string
import time
from typing import TYPE_CHECKING, Any

import yaml
from kubernetes import client, config, dynamic

from lab import paths, plan
from lab.errors import LabError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from lab.modes import LabMode

PAUSE_BETWEEN_LOOKS = 0.2
SERVED_WITHIN = 20.0
NEEDED_SUCCESSES = 2


class Objects:
    """The API of a lab, as its administrator."""

    def __init__(self) -> None:
        """Connect by the lab's own kubeconfig."""
        self._api = config.new_client_from_config(str(paths.KUBECONFIG))
        self._core = client.CoreV1Api(self._api)
        self._apps = client.AppsV1Api(self._api)

    def close(self) -> None:
        """Let go of the connections."""
        self._api.close()

    def define(self, files: Iterable[Path]) -> None:
        """Apply the custom resource definitions in `files`, as far as they are such."""
        resource = self._resources.get(api_version="apiextensions.k8s.io/v1", kind="CustomResourceDefinition")
        for file in files:
            for found in yaml.safe_load_all(file.read_text()):
                if found["kind"] == "CustomResourceDefinition":
                    _apply(resource, found)

    def apply(self, manifests: Iterable[str], mode: LabMode, proxy_mode: str, families: plan.Families) -> None:
        """Apply the manifest files `manifests`, filled in for `mode`."""
        values = values_for(mode, proxy_mode, families)
        for name in manifests:
            for manifest in read_manifest(name, values):
                _apply(self._resource(manifest), manifest)

    def _resource(self, manifest: dict[str, Any]) -> Any:
        """The resource of `manifest`; a definition that was just made takes a moment to be served."""
        deadline = time.monotonic() + SERVED_WITHIN
        while True:
            try:
                return self._resources.get(api_version=manifest["apiVersion"], kind=manifest["kind"])
            except dynamic.exceptions.ResourceNotFoundError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(PAUSE_BETWEEN_LOOKS)

    @functools.cached_property
    def _resources(self) -> Any:
        return dynamic.DynamicClient(self._api, cache_file=str(paths.STATE / "discovery.json")).resources

    def nodes(self) -> list[Any]:
        """All nodes."""
        items: list[Any] = self._core.list_node(_request_timeout=5).items
        return items

    def pods(self) -> list[Any]:
        """All pods of all namespaces."""
        items: list[Any] = self._core.list_pod_for_all_namespaces(_request_timeout=5).items
        return items

    def wait_for_system(self, node_count: int, within: float, tell: Callable[[str], None]) -> None:
        """Wait until `node_count` nodes and all that was applied are Ready, twice in a row."""
        deadline = time.monotonic() + within
        successes = 0
        while True:
            waiting = self._not_ready(node_count)
            tell(", ".join(waiting)[:100])
            successes = 0 if waiting else successes + 1
            if successes == NEEDED_SUCCESSES:
                return
            if time.monotonic() > deadline:
                raise LabError(
                    f"After {within:.0f} s these are not ready: {', '.join(waiting)}. "
                    f"Logs are in {paths.LOGS}; `netassay lab logs kubelet@node1` shows one."
                )
            time.sleep(PAUSE_BETWEEN_LOOKS)

    def _not_ready(self, node_count: int) -> list[str]:
        nodes = self.nodes()
        waiting = [f"node {node.metadata.name}" for node in nodes if not is_ready(node.status.conditions)]
        if len(nodes) < node_count:
            waiting.append(f"{node_count - len(nodes)} nodes not registered")
        daemon_sets: list[Any] = self._apps.list_daemon_set_for_all_namespaces(_request_timeout=5).items
        for daemons in daemon_sets:
            # Their pods tolerate everything, so that there is one for each node from the start.
            waiting += _behind("DaemonSet", daemons, daemons.status.number_ready, node_count)
        deployments: list[Any] = self._apps.list_deployment_for_all_namespaces(_request_timeout=5).items
        for deployment in deployments:
            waiting += _behind("Deployment", deployment, deployment.status.ready_replicas, deployment.spec.replicas)
        return waiting


def _behind(kind: str, owner: Any, ready: int | None, wanted: int) -> list[str]:
    """What `owner` lacks of the pods that it shall have; its status may still be that of an older state."""
    if owner.status.observed_generation == owner.metadata.generation and (ready or 0) >= wanted:
        return []
    return [f"{kind} {owner.metadata.namespace}/{owner.metadata.name} ({ready or 0} of {wanted} pods)"]


def _apply(resource: Any, manifest: dict[str, Any]) -> None:
    namespace = manifest["metadata"].get("namespace")
    resource.server_side_apply(body=manifest, namespace=namespace, field_manager="netassay-lab", force_conflicts=True)


def is_ready(conditions: Iterable[Any] | None) -> bool:
    """Whether `conditions` of a node or pod say Ready."""
    return any(condition.type == "Ready" and condition.status == "True" for condition in conditions or ())


def values_for(mode: LabMode, proxy_mode: str, families: plan.Families) -> dict[str, str]:
    """What stands for the $names in manifests."""
    return {
        "proxy_mode": proxy_mode,
        "ipv4": str(families.ipv4).lower(),
        "ipv6": str(families.ipv6).lower(),
        "pod_network": str(plan.POD_NETWORK),
        "pod_network6": str(plan.POD_NETWORK6),
        "pod_networks": ",".join(families.of(plan.POD_NETWORK, plan.POD_NETWORK6)),
        "service_network": str(plan.SERVICE_NETWORK),
        "service_networks": ",".join(families.of(plan.SERVICE_NETWORK, plan.SERVICE_NETWORK6)),
        "control_plane": str(plan.CONTROL_PLANE.ip),
        "cluster_dns": families.first(plan.CLUSTER_DNS, plan.CLUSTER_DNS6),
        "cluster_domain": plan.CLUSTER_DOMAIN,
        "load_balancers": json.dumps(families.of(plan.LOAD_BALANCERS, plan.LOAD_BALANCERS6)),
        "masquerade_all": "false",
        # What comes from elsewhere is masqueraded: in modes whose pods have addresses of the VPC, they say so.
        "proxy_cluster_range": ",".join(families.of(plan.POD_NETWORK, plan.POD_NETWORK6)),
        **mode.values,
    }


def read_manifest(name: str, values: dict[str, str]) -> list[dict[str, Any]]:
    """The objects of the manifest file `name`, with `values` in place of $names."""
    text = (paths.MANIFESTS / f"{name}.yaml").read_text()
    return [found for found in yaml.safe_load_all(string.Template(text).substitute(values)) if found]
