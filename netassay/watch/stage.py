"""What a watch has in the cluster: a source on every node, backends behind a Service, and an Ingress to them."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

from netassay.errors import HarnessFault
from netassay.fleet.ports import PROBE_PORTS, transport
from netassay.fleet.run import PROBE_LABEL

if TYPE_CHECKING:
    from collections.abc import Sequence

    from netassay.fleet import Fleet, Probe

SOURCE: Final = "watch-source"
TARGET: Final = "watch-target"
PORTS: Final = ("tcp", "udp", "http")
LINGER: Final = 10
"""Seconds that a backend goes on serving once it has been told to stop: what is lost is then the network's doing."""

MOST_BACKENDS: Final = 3
POD_SECONDS: Final = 300.0
INGRESS_SECONDS: Final = 20.0
PAUSE: Final = 0.2
DEFAULT_CLASS: Final = "ingressclass.kubernetes.io/is-default-class"


class Stage:
    """The objects of one watch. They carry the run's label, and the fleet's sweep removes them."""

    def __init__(self, fleet: Fleet) -> None:
        """Make nothing yet."""
        self.fleet = fleet
        self.sources: dict[str, Probe] = {}
        self._service: dict[str, Any] = {}
        self.ingress_address = ""
        self.ingress_class = ""

    @property
    def host(self) -> str:
        """The host by which the Ingress knows the backends."""
        return f"{TARGET}.{self.fleet.run.id}.test"

    @property
    def cluster_ip(self) -> str:
        """The Service's first address."""
        return str(self._service["spec"]["clusterIP"])

    def node_port(self, name: str) -> int:
        """The port of each node that leads to the Service's port of this name."""
        return next(int(port["nodePort"]) for port in self._service["spec"]["ports"] if port["name"] == name)

    def build(self) -> None:
        """Make everything, and wait until the pods are Ready. HarnessFault if they do not come up."""
        fleet, run = self.fleet, self.fleet.run
        backends = max(2, min(len(fleet.nodes), MOST_BACKENDS))
        fleet.deploy_on_every_node(SOURCE)
        fleet.deploy(TARGET, backends, linger=LINGER)
        selector = {PROBE_LABEL: TARGET, **run.labels}
        ports = [
            {"name": name, "port": PROBE_PORTS[name], "targetPort": name, "protocol": transport(name)} for name in PORTS
        ]
        self._service = fleet.cluster.create(
            self._object("v1", "Service", {"type": "NodePort", "selector": selector, "ports": ports})
        )
        budget = {"maxUnavailable": 1, "selector": {"matchLabels": selector}}
        fleet.cluster.create(self._object("policy/v1", "PodDisruptionBudget", budget))
        self._make_ingress()
        self._adopt(TARGET, backends)
        self.sources = {probe.node: probe for probe in self._adopt(SOURCE, len(fleet.nodes))}
        self._await_ingress()

    def replaced(self) -> dict[str, Probe]:
        """Sources whose pod is another than it was, by node, once they run; these are the sources from now on."""
        found = {}
        for pod in self.fleet.pods_of(SOURCE):
            node, name = pod["spec"].get("nodeName", ""), pod["metadata"]["name"]
            running = any("running" in one.get("state", {}) for one in pod["status"].get("containerStatuses", []))
            if node and running and (node not in self.sources or self.sources[node].name != name):
                (found[node],) = self.fleet.adopt([name])
        self.sources.update(found)
        return found

    def _adopt(self, name: str, count: int) -> Sequence[Probe]:
        """Wait until a controller has made so many pods at least and all are Ready; their probes."""
        over = time.monotonic() + POD_SECONDS
        while len(pods := self.fleet.pods_of(name)) < count:
            if time.monotonic() > over:
                raise HarnessFault(f"{name} in {self.fleet.run.namespace}: {len(pods)} of {count} pods were made")
            time.sleep(PAUSE)
        return self.fleet.adopt([pod["metadata"]["name"] for pod in pods], timeout=POD_SECONDS)

    def _make_ingress(self) -> None:
        """Make an Ingress of the default class, or of the only one; without either there is none."""
        classes = self.fleet.cluster.list("IngressClass")
        defaults = [one for one in classes if one["metadata"].get("annotations", {}).get(DEFAULT_CLASS) == "true"]
        chosen = defaults or classes
        if len(chosen) != 1:
            return
        self.ingress_class = chosen[0]["metadata"]["name"]
        backend = {"service": {"name": TARGET, "port": {"name": "http"}}}
        rule = {"host": self.host, "http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": backend}]}}
        spec = {"ingressClassName": self.ingress_class, "rules": [rule]}
        self.fleet.cluster.create(self._object("networking.k8s.io/v1", "Ingress", spec))

    def _await_ingress(self) -> None:
        """Learn where the Ingress is reached; without an address in its status, it is not watched."""
        over = time.monotonic() + INGRESS_SECONDS
        while self.ingress_class and not self.ingress_address and time.monotonic() < over:
            found = self.fleet.cluster.get("Ingress", TARGET, self.fleet.run.namespace) or {}
            entries = found.get("status", {}).get("loadBalancer", {}).get("ingress") or []
            self.ingress_address = next((entry["ip"] for entry in entries if entry.get("ip")), "")
            time.sleep(0 if self.ingress_address else PAUSE)

    def _object(self, version: str, kind: str, spec: dict[str, Any]) -> dict[str, Any]:
        run = self.fleet.run
        metadata = {"name": TARGET, "namespace": run.namespace, "labels": run.labels}
        return {"apiVersion": version, "kind": kind, "metadata": metadata, "spec": spec}
