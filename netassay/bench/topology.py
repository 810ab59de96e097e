"""The pods and Services of one block: made anew for each, so that no block inherits another's luck."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any, Final

from netassay.bench.cells import HOST
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

CLIENT, SERVER, NEIGHBOUR = "load-client", "load-server", "load-neighbour"
HOST_CLIENT, HOST_SERVER = "load-host-client", "load-host-server"


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
        node = self.fleet.cluster.get("Node", name)
        found = node["status"]["addresses"] if node else []
        return [each["address"] for each in found if each["type"] == "InternalIP"]

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
