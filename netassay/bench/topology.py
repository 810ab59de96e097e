"""The pods and Services of one block: made anew for each, so that no block inherits another's luck."""

from __future__ import annotations

import itertools
import time
from typing import TYPE_CHECKING, Any, Final

from netassay.bench.cells import HOST
from netassay.bench.locust import Target
from netassay.errors import HarnessFault
from netassay.fleet.manifests import LOAD_CONTAINER
from netassay.fleet.ports import PROBE_PORTS
from netassay.fleet.run import PROBE_LABEL

if TYPE_CHECKING:
    from netassay.bench.cells import Cell
    from netassay.families import Family
    from netassay.fleet import Fleet, Probe

PORTS: Final = tuple(range(5201, 5209))
"""One for each run, in turn: a port is free again long before its turn comes."""

INGRESS_HOST: Final = "bench.netassay.example"
INGRESS_SECONDS: Final = 20.0
CLIENT, SERVER, NEIGHBOUR = "load-client", "load-server", "load-neighbour"
HOST_CLIENT, HOST_SERVER = "load-host-client", "load-host-server"


def _url(address: str, port: int) -> str:
    return f"http://[{address}]:{port}" if ":" in address else f"http://{address}:{port}"


class Topology:
    """One block's pods: a client, a server across nodes and one beside it, and one in each node's own network.

    `absent` says of each path that this cluster does not have why it has not.
    """

    def __init__(self, fleet: Fleet, block: int, *, load_image: str, families: tuple[Family, ...]) -> None:
        """Make them all, and wait for them. HarnessFault if they do not come up."""
        self.fleet, self.families = fleet, families
        self.absent: dict[str, str] = {}
        self._ports = itertools.cycle(PORTS)
        nodes = fleet.nodes
        here, there = nodes[0], nodes[1] if len(nodes) > 1 else ""
        if not there:
            self.absent["cross"] = "there is only one node that takes pods"
        pods = {CLIENT: here, NEIGHBOUR: here, **({SERVER: there} if there else {})}
        self.pods = {
            role: fleet.add(f"{role}-{block}", wait=False, node=node, load_image=load_image)
            for role, node in pods.items()
        }
        if fleet.why_no_host_probes:
            self.absent[HOST] = fleet.why_no_host_probes
        else:
            hosts = {HOST_CLIENT: here, **({HOST_SERVER: there} if there else {})}
            self.pods |= {
                role: fleet.add(f"{role}-{block}", wait=False, node=node, host_network=True, load_image=load_image)
                for role, node in hosts.items()
            }
        fleet.wait_for([each for each in self.pods.values() if not each.host_network], timeout=300)
        fleet.wait_for([each for each in self.pods.values() if each.host_network], timeout=300)
        self._services = {
            role: self._service(f"{role}-{block}", self.pods[role]) for role in (SERVER, NEIGHBOUR) if role in self.pods
        }

    @property
    def probes(self) -> tuple[Probe, ...]:
        """All of the block's pods."""
        return tuple(self.pods.values())

    def why_not(self, cell: Cell) -> str:
        """Why this cluster cannot have this cell, "" if it can."""
        if not cell.same_node and "cross" in self.absent:
            return self.absent["cross"]
        return self.absent.get(HOST, "") if cell.kind == HOST else ""

    def ends(self, cell: Cell) -> tuple[Probe, Probe]:
        """The pods that the cell's client and server run in."""
        if cell.kind == HOST:
            return self.pods[HOST_CLIENT], self.pods[HOST_CLIENT if cell.same_node else HOST_SERVER]
        return self.pods[CLIENT], self.pods[NEIGHBOUR if cell.same_node else SERVER]

    def port(self) -> int:
        """The port for the next run's server."""
        return next(self._ports)

    def target(self, cell: Cell, port: int) -> tuple[str, int]:
        """Where the cell's client is to go to reach its server's `port`."""
        _, server = self.ends(cell)
        if cell.kind in (HOST, "pod"):
            return server.over(cell.family).address, port
        service = self._services[NEIGHBOUR if cell.same_node else SERVER]
        if cell.kind == "cluster-ip":
            return cell.family.first(service["spec"]["clusterIPs"]), port
        number = next(each["nodePort"] for each in service["spec"]["ports"] if each["port"] == port)
        # By the client's own node: the traffic then takes the way that it takes from pod to pod, and what differs is
        # the Service.
        address = cell.family.first(self._node_addresses(self.ends(cell)[0].node))
        if not address:
            raise HarnessFault(f"the client's node has no {cell.family.api} address to reach a NodePort by")
        return address, int(number)

    def ends_of_web(self) -> tuple[Probe, Probe]:
        """The pods of Locust's master, and of the web server that is asked."""
        return self.pods[CLIENT], self.pods.get(SERVER, self.pods[NEIGHBOUR])

    def workers(self, count: int, block: int, load_image: str) -> list[Probe]:
        """So many pods for Locust's workers, spread over the nodes."""
        nodes = itertools.cycle(self.fleet.nodes)
        made = [
            self.fleet.add(f"load-worker-{number}-{block}", wait=False, node=next(nodes), load_image=load_image)
            for number in range(1, count + 1)
        ]
        self.fleet.wait_for(made, timeout=300)
        self.pods |= {probe.name: probe for probe in made}
        return made

    def web(self, path: str, family: Family) -> Target:
        """What Locust is to ask. HarnessFault if this cluster has no such way in."""
        port = PROBE_PORTS["http"]
        server = SERVER if SERVER in self.pods else NEIGHBOUR
        service = self._services[server]
        if path == "cluster-ip":
            return Target(url=_url(family.first(service["spec"]["clusterIPs"]), port))
        if path == "ingress":
            return Target(url=_url(self._ingress(service["metadata"]["name"]), 80), host_header=INGRESS_HOST)
        number = next(each["nodePort"] for each in service["spec"]["ports"] if each["port"] == port)
        node = self.pods[server].node if path == "outside" else self.pods[CLIENT].node
        return Target(url=_url(family.first(self._node_addresses(node)), int(number)))

    def _ingress(self, service: str) -> str:
        """The address of an Ingress before the Service, made when first asked for."""
        cluster, space = self.fleet.cluster, self.fleet.run.namespace
        backend = {"service": {"name": service, "port": {"name": "http"}}}
        cluster.apply(
            {
                "apiVersion": "networking.k8s.io/v1",
                "kind": "Ingress",
                "metadata": {"name": service, "namespace": space, "labels": self.fleet.run.labels},
                "spec": {
                    "rules": [
                        {
                            "host": INGRESS_HOST,
                            "http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": backend}]},
                        }
                    ]
                },
            }
        )
        over = time.monotonic() + INGRESS_SECONDS
        while time.monotonic() < over:
            made = cluster.get("Ingress", service, space) or {}
            entries = made.get("status", {}).get("loadBalancer", {}).get("ingress") or []
            if found := next((entry["ip"] for entry in entries if entry.get("ip")), ""):
                return str(found)
            time.sleep(0.2)
        raise HarnessFault(f"no controller gave the Ingress an address within {INGRESS_SECONDS:.0f} s")

    def remove(self) -> None:
        """Take the block's pods and Services away."""
        for service in self._services.values():
            self.fleet.cluster.delete("Service", service["metadata"]["name"], self.fleet.run.namespace)
        for probe in self.pods.values():
            self.fleet.remove(probe, wait=False)

    def limited(self) -> str:
        """Which of the pods may be held back by a limit for CPU that somebody gave them, "" if none."""
        for probe in self.pods.values():
            pod = self.fleet.cluster.get("Pod", probe.name, probe.namespace)
            for container in pod["spec"]["containers"] if pod else ():
                limit = container.get("resources", {}).get("limits", {}).get("cpu")
                if limit and container["name"] == LOAD_CONTAINER:
                    return f"{probe.name} was given a limit of {limit} CPU (a LimitRange of the cluster?)"
        return ""

    def _node_addresses(self, name: str) -> list[str]:
        # Listed, as everywhere: to get one by name would be a further right.
        node = next(each for each in self.fleet.cluster.list("Node") if each["metadata"]["name"] == name)
        return [each["address"] for each in node["status"]["addresses"] if each["type"] == "InternalIP"]

    def _service(self, name: str, server: Probe) -> dict[str, Any]:
        # iperf3's control connection and its datagrams must reach one backend by one number: the API server gives both
        # protocols of a port the same node port.
        ports = [
            {"name": f"{protocol.lower()}-{port}", "port": port, "targetPort": port, "protocol": protocol}
            for port in PORTS
            for protocol in ("TCP", "UDP")
        ]
        ports.append({"name": "agent", "port": PROBE_PORTS["tcp"], "targetPort": PROBE_PORTS["tcp"], "protocol": "TCP"})
        ports.append({"name": "http", "port": PROBE_PORTS["http"], "targetPort": "http", "protocol": "TCP"})
        return self.fleet.cluster.create(
            {
                "apiVersion": "v1",
                "kind": "Service",
                "metadata": {"name": name, "namespace": self.fleet.run.namespace, "labels": self.fleet.run.labels},
                "spec": {
                    "type": "NodePort",
                    "selector": {PROBE_LABEL: server.name},
                    "ipFamilyPolicy": "RequireDualStack" if len(self.families) > 1 else "SingleStack",
                    "ipFamilies": [family.api for family in self.families],
                    "ports": ports,
                },
            }
        )
