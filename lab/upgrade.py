"""Upgrades of a running lab, one component at a time: what an operator does to a cluster, for others to watch.

Programs are the same before and after. What an upgrade does to flows comes from ending the old process and starting the
new one, which is what happens here, in the order in which it happens in a real cluster.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from kubernetes import client, config

from lab import modes, paths, plan, state
from lab.components import CONTAINERD_SOCKET
from lab.errors import LabError
from lab.lifecycle import PROXY_MODES
from lab.objects import Objects, is_ready

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lab.state import LabState

WITHIN: Final = 120.0
GRACE: Final = 10.0
"""Seconds that a program may take to end before it is killed. An API server would take a minute, for its clients."""

PAUSE: Final = 0.1
TOO_MANY_REQUESTS: Final = 429
NOT_FOUND: Final = 404
RESTARTED: Final = "kubectl.kubernetes.io/restartedAt"
"""Annotation by which `kubectl rollout restart` has pods replaced."""


@dataclass(frozen=True)
class Workload:
    """A component that runs as pods of a DaemonSet or Deployment."""

    kind: str
    namespace: str
    name: str


WORKLOADS: Final = {
    "kube-proxy": Workload("DaemonSet", "kube-system", "kube-proxy"),
    "flannel": Workload("DaemonSet", "kube-flannel", "kube-flannel-ds"),
    "kube-router": Workload("DaemonSet", "kube-system", "kube-router"),
    "cilium": Workload("DaemonSet", "kube-system", "cilium"),
    "coredns": Workload("Deployment", "kube-system", "coredns"),
    "traefik": Workload("Deployment", "traefik", "traefik"),
}
NODE_PROGRAMS: Final = ("kubelet", "containerd")
API_SERVER: Final = "apiserver"
NODE: Final = "node"
COMPONENTS: Final = (*WORKLOADS, *NODE_PROGRAMS, API_SERVER, NODE)


def upgrade(component: str, tell: Callable[[str], None], *, to: str = "", nodes: Sequence[str] = ()) -> None:
    """Upgrade a component of the lab that runs, and return when it is in order again.

    `tell` is called with each thing done, in the moment in which it is done. `to` is kube-proxy's new mode. `nodes` are
    those to go through, one after the other; all of them by default. Raises LabError.
    """
    lab = state.required()
    chosen = _chosen(lab, component, to, nodes)
    work = _Upgrade(lab, tell)
    try:
        if component in WORKLOADS:
            work.swap_proxy(to) if to else work.restart_pods(component)
        elif component == API_SERVER:
            work.restart_api_server()
        else:
            each = work.drain_and_rejoin if component == NODE else lambda node: work.restart_on(node, component)
            for node in chosen:
                each(node)
    except client.ApiException as error:
        raise LabError(
            f"upgrade {component}: the API server said {error.status} {error.reason}: {error.body}"
        ) from error
    finally:
        work.close()


def _chosen(lab: LabState, component: str, to: str, nodes: Sequence[str]) -> Sequence[str]:
    if component not in COMPONENTS:
        raise LabError(f"There is no component {component!r} to upgrade. There are: {', '.join(COMPONENTS)}.")
    if to and (component != "kube-proxy" or to not in PROXY_MODES):
        raise LabError(f"--to is for kube-proxy, and is one of {', '.join(PROXY_MODES)}; not {component} to {to!r}.")
    if nodes and component not in (*NODE_PROGRAMS, NODE):
        raise LabError(f"--node is for {', '.join((*NODE_PROGRAMS, NODE))}: {component} is upgraded on all nodes.")
    unknown = sorted(set(nodes) - set(lab.nodes))
    if unknown:
        raise LabError(f"The lab has no node {', '.join(unknown)}. It has: {', '.join(lab.nodes)}.")
    return nodes or lab.nodes


class _Upgrade:
    """The steps, with the connections that they need."""

    def __init__(self, lab: LabState, tell: Callable[[str], None]) -> None:
        self._lab, self._tell = lab, tell
        # The official client has no types that can be relied on.
        untyped: Any = config
        self._api: Any = untyped.new_client_from_config(lab.kubeconfig)
        self._core: Any = client.CoreV1Api(self._api)
        self._apps: Any = client.AppsV1Api(self._api)
        self._leases: Any = client.CoordinationV1Api(self._api)

    def close(self) -> None:
        self._api.close()

    def restart_pods(self, component: str) -> None:
        """Have the workload's pods replaced, as its update strategy has it, and wait until all are Ready."""
        work = WORKLOADS[component]
        read, patch = self._calls(work)
        try:
            read(work.name, work.namespace)
        except client.ApiException as error:
            if error.status == NOT_FOUND:
                raise LabError(f"A lab in mode {self._lab.mode} has no {component}.") from error
            raise
        stamp = datetime.now(UTC).isoformat()
        patch(work.name, work.namespace, {"spec": {"template": {"metadata": {"annotations": {RESTARTED: stamp}}}}})
        self._tell(f"{component}: {work.kind} {work.namespace}/{work.name} is being restarted")
        self._wait_for_rollout(component)

    def swap_proxy(self, to: str) -> None:
        """Give kube-proxy another mode, and restart it on node after node."""
        mode = modes.load(self._lab.mode)
        if not mode.service_proxy:
            raise LabError(f"A lab in mode {mode.name} has no kube-proxy: its plug-in does that work.")
        objects = Objects()
        try:
            objects.apply((modes.SERVICE_PROXY,), mode, to, plan.Families(self._lab.ip_family))
        finally:
            objects.close()
        replace(self._lab, proxy_mode=to).write()
        self._tell(f"kube-proxy: its mode is {to} now, was {self._lab.proxy_mode}")
        self.restart_pods("kube-proxy")

    def restart_api_server(self) -> None:
        """End the API server, and wait until the one that follows is ready."""
        self._restart("kube-apiserver")
        self._until("the API server to be ready", self._api_is_ready)
        self._tell("kube-apiserver: ready again")

    def restart_on(self, node: str, component: str) -> None:
        """End a program of a node, and wait until the one that follows does its work."""
        since = datetime.now(UTC)
        self._restart(f"{component}@{node}")
        if component == "containerd":
            version = ["ctr", "--address", CONTAINERD_SOCKET, "version"]
            command = [*self._lab.enter(node), f"{paths.INSIDE_BIN}/{version[0]}", *version[1:]]
            self._until(
                f"containerd on {node} to answer",
                lambda: subprocess.run(command, capture_output=True, check=False).returncode == 0,
            )
        else:
            self._until(f"{node}'s kubelet to renew its lease", lambda: self._renewed(node) > since)
        self._until(f"{node} to be Ready", lambda: is_ready(self._core.read_node(node).status.conditions))
        self._tell(f"{component}@{node}: at work again")

    def drain_and_rejoin(self, node: str) -> None:
        """Cordon a node, evict its pods but for those of DaemonSets, restart its kubelet, and take it back."""
        self._core.patch_node(node, {"spec": {"unschedulable": True}})
        self._tell(f"{node}: cordoned")
        evicted = [pod for pod in self._pods_of(node) if not _stays(pod)]
        for pod in evicted:
            self._evict(pod.metadata.namespace, pod.metadata.name)
        gone = {pod.metadata.uid for pod in evicted}
        self._until(f"{node} to be drained", lambda: not any(pod.metadata.uid in gone for pod in self._pods_of(node)))
        self._tell(f"{node}: drained of {len(evicted)} pods")
        self.restart_on(node, "kubelet")
        self._core.patch_node(node, {"spec": {"unschedulable": None}})
        self._tell(f"{node}: uncordoned")
        for component, work in WORKLOADS.items():
            if work.kind == "Deployment":
                self._wait_for_rollout(component)

    def _evict(self, namespace: str, name: str) -> None:
        body = client.V1Eviction(metadata=client.V1ObjectMeta(name=name, namespace=namespace))

        def evicted() -> bool:
            try:
                self._core.create_namespaced_pod_eviction(name, namespace, body)
            except client.ApiException as error:
                if error.status == TOO_MANY_REQUESTS:
                    return False  # a PodDisruptionBudget has it wait for others
                if error.status != NOT_FOUND:
                    raise
            return True

        self._until(f"{namespace}/{name} to be evicted, which its PodDisruptionBudget forbids", evicted)
        self._tell(f"evicted {namespace}/{name}")

    def _pods_of(self, node: str) -> list[Any]:
        items: list[Any] = self._core.list_pod_for_all_namespaces(field_selector=f"spec.nodeName={node}").items
        return items

    def _restart(self, label: str) -> None:
        """End a component's process; the lab's init starts it again. Returns when it has."""
        before = self._lab.status()["components"][label]
        pid, restarts = state.machine_pid(self._lab.init_pid, before["pid"]), before["restarts"]
        started = state.start_time(pid)
        os.kill(pid, signal.SIGTERM)
        self._tell(f"{label}: told to end")
        patience = time.monotonic() + GRACE
        while state.start_time(pid) == started and time.monotonic() < patience:
            time.sleep(PAUSE)
        if state.start_time(pid) == started:
            os.kill(pid, signal.SIGKILL)
            self._tell(f"{label}: killed, as it had not ended after {GRACE:.0f} s")
        self._until(
            f"{label} to be started again", lambda: self._lab.status()["components"][label]["restarts"] > restarts
        )
        self._tell(f"{label}: started again")

    def _renewed(self, node: str) -> datetime:
        lease = self._leases.read_namespaced_lease(node, "kube-node-lease")
        renewed: datetime = lease.spec.renew_time
        return renewed

    def _api_is_ready(self) -> bool:
        try:
            self._core.list_node(_request_timeout=2)
        except Exception:  # the client has as many kinds of failure as there are layers below it
            return False
        return True

    def _wait_for_rollout(self, component: str) -> None:
        work = WORKLOADS[component]
        read, _ = self._calls(work)
        self._until(f"{component} to be rolled out", lambda: _rolled_out(read(work.name, work.namespace)))
        self._tell(f"{component}: all its pods are Ready")

    def _calls(self, work: Workload) -> tuple[Callable[..., Any], Callable[..., Any]]:
        kind = "daemon_set" if work.kind == "DaemonSet" else "deployment"
        return (
            getattr(self._apps, f"read_namespaced_{kind}"),
            getattr(self._apps, f"patch_namespaced_{kind}"),
        )

    def _until(self, what: str, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + WITHIN
        while not condition():
            if time.monotonic() > deadline:
                raise LabError(
                    f"Waited {WITHIN:.0f} s for {what}, in vain. `netassay lab status` shows what runs, and "
                    "`netassay lab logs COMPONENT` what it says."
                )
            time.sleep(PAUSE)


def _stays(pod: Any) -> bool:
    """Whether a drain leaves this pod where it is."""
    owners = pod.metadata.owner_references or []
    return any(owner.kind == "DaemonSet" for owner in owners) or pod.status.phase in ("Succeeded", "Failed")


def _rolled_out(found: Any) -> bool:
    """Whether all pods of a DaemonSet or Deployment are of its newest template, and Ready, and no older one is left."""
    status = found.status
    if status.observed_generation != found.metadata.generation:
        return False
    if hasattr(status, "desired_number_scheduled"):
        wanted, updated, ready = status.desired_number_scheduled, status.updated_number_scheduled, status.number_ready
        return bool((updated or 0) >= wanted and (ready or 0) >= wanted)
    wanted = found.spec.replicas
    counts = (status.updated_replicas, status.ready_replicas, status.replicas)
    return all((count or 0) == wanted for count in counts)
