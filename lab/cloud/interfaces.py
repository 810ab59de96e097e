"""The cloud's side of pods' interfaces: it answers the nodes' IPAM plug-in, and shows in the API what it has done."""

from __future__ import annotations

import json
import queue
import socketserver
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from kubernetes.client import ApiException

from lab import paths, plan
from lab.cloud import groups, terway
from lab.cloud.addresses import Addresses, Lease, NoAddressError

if TYPE_CHECKING:
    from collections.abc import Callable

    from lab.modes import Cloud

SOCKET: Final = paths.INSIDE / "cloud.sock"
TRY_AGAIN_LATER: Final = 11
"""Of the CNI specification: the runtime should try again."""


class Interfaces:
    """Addresses for pods, for all nodes of the lab."""

    def __init__(self, api: Any, cloud: Cloud, nodes: int) -> None:
        """`api` is a client of the lab's API server, as an administrator; `nodes` is how many nodes there will be."""
        self._addresses = Addresses(cloud.interfaces, cloud.per_node)
        self._objects = terway.Objects(api, cloud, nodes)
        self._groups = groups.Groups()
        self._lock = threading.Lock()
        self._todo: queue.Queue[Callable[[], None]] = queue.Queue()

    def serve(self) -> None:
        """Answer the nodes' IPAM plug-ins for ever."""
        interfaces = self

        class Answer(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                asked = json.loads(self.rfile.readline())
                self.wfile.write(json.dumps(interfaces.answer(**asked)).encode())

        Path(SOCKET).unlink(missing_ok=True)
        with socketserver.ThreadingUnixStreamServer(str(SOCKET), Answer) as server:
            server.serve_forever()

    def publish(self) -> None:
        """Show in the API what happens, one thing after another, for ever; whoever waits for an address need not."""
        self._todo.put(self._objects.start)
        while True:
            work = self._todo.get()
            try:
                work()
            except ApiException as error:
                sys.stderr.write(f"could not be shown: {error.status} {error.reason} {error.body}\n")

    def keep_networkings(self) -> None:
        """Get PodNetworkings ready for ever, whatever else is still to be shown."""
        self._objects.keep_networkings()

    def answer(self, command: str, node: str, container: str, namespace: str, pod: str) -> dict[str, Any]:
        """Carry out a command of the IPAM plug-in, and give what CNI calls its result or its error."""
        if command == "ADD":
            wish = self._objects.wish(namespace, pod)
            try:
                with self._lock:
                    lease = self._addresses.give(container, node, namespace, pod, wish)
            except NoAddressError as error:
                why = f"AllocIPFailed: {error}"
                self._todo.put(lambda: self._objects.tell_pod(namespace, pod, why))
                return {"cniVersion": "1.0.0", "code": TRY_AGAIN_LATER, "msg": why}
            self._changed(lease, joined=True)
            return self._result(lease)
        if command == "DEL":
            with self._lock:
                ended = self._addresses.take_back(container)
            if ended:
                self._changed(ended, joined=False)
        return {}

    def _changed(self, lease: Lease, *, joined: bool) -> None:
        with self._lock:
            self._groups.follow(list(self._addresses.leases.values()))
            here = self._addresses.of_node(lease.node)
        self._todo.put(lambda: self._objects.show(lease, here, joined=joined))

    def _result(self, lease: Lease) -> dict[str, Any]:
        node = next(host for host in plan.node_hosts(plan.MOST_NODES) if host.name == lease.node)
        if lease.interface:
            # The plug-in gives the gateway's address to the node's end of the pod's link, and what the node sends there
            # has it as its source. It is to be the node's own, as with Terway: a chained Cilium knows the node by that,
            # and lets its kubelet's probes through whatever the policies.
            gateway = node.address.ip
            routes = [{"dst": "0.0.0.0/0"}]
        else:
            gateway = plan.ROUTER.ip
            routes = [{"dst": "0.0.0.0/0"}, {"dst": str(plan.SERVICE_NETWORK), "gw": str(node.address.ip)}]
        # The VPC is one switch in the lab, so that all of it is on the pod's own link, the gateway included.
        address = f"{lease.address}/{plan.VPC.prefixlen}"
        return {"cniVersion": "1.0.0", "ips": [{"address": address, "gateway": str(gateway)}], "routes": routes}
