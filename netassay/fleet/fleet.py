"""The probes of a run: one on every node that takes pods, and more on demand."""

from __future__ import annotations

import asyncio
import functools
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import filelock
import msgspec

from netassay.cluster.errors import ApiError, Forbidden
from netassay.cluster.loop import take_turns_quickly
from netassay.errors import HarnessFault
from netassay.fleet.channel import ExecChannel
from netassay.fleet.manifests import (
    CONTAINER,
    DRIVE_COMMAND,
    PodOptions,
    agent_config_map,
    namespace,
    ports_of,
    probe_daemon_set,
    probe_deployment,
    probe_pod,
)
from netassay.fleet.nodes import schedulable, why_not
from netassay.fleet.probe import CONCURRENCY, Probe, make_attempts
from netassay.fleet.readiness import wait_for_pods, wait_until_gone
from netassay.fleet.run import PROBE_LABEL, ROLE_LABEL
from netassay.fleet.sweep import sweep_namespaces

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from netassay.cluster import Cluster
    from netassay.fleet.run import Run
    from netassay.observation import Attempt, Observation

DEFAULT_IMAGE = "docker.io/library/python:3.13-slim"
FLEET_SECONDS = 300.0
"""How long the first pods may take: nodes pull the image."""
POD_SECONDS = 60.0
AGENT_SECONDS = 20.0
"""How long the agent in a running container may take to open its ports."""
LOCK_SECONDS = 400.0
MANY = 100
"""More streams than these are served late beside a thread that computes, where threads take their usual turns."""
NODE_ROLE = "node"
HOST_ROLE = "host"


class Fleet:
    """All probes of a run, as one process sees them: it shares the pods with the others of the run, not the streams."""

    def __init__(
        self,
        cluster: Cluster,
        run: Run,
        *,
        image: str = DEFAULT_IMAGE,
        tolerate_taints: bool = False,
        privileged: bool = True,
        host_path: str = "",
        lock_dir: Path,
    ) -> None:
        """`lock_dir` is a folder that all processes of the run share; `privileged=False` makes no host probes.

        `host_path` is a folder of the nodes that host probes may read.
        """
        self.cluster, self.run, self.image = cluster, run, image
        self.observer: Callable[[Sequence[Observation]], None] | None = None
        self.why_no_host_probes = "" if privileged else "switched off by option"
        self._tolerate_taints, self._host_path = tolerate_taints, host_path
        self._lock = filelock.FileLock(lock_dir / f"fleet-{run.id}.lock")
        self._opened: list[Probe] = []
        self._made: set[str] = set()
        self._per_node: dict[str, tuple[Probe, ...] | HarnessFault] = {}

    @functools.cached_property
    def nodes(self) -> tuple[str, ...]:
        """Names of the nodes that take probes. HarnessFault says why if none does."""
        found = self.cluster.list("Node")
        names = tuple(node["metadata"]["name"] for node in schedulable(found, tolerate_taints=self._tolerate_taints))
        if not names:
            reasons = [f"{n['metadata']['name']}: {why_not(n, tolerate_taints=self._tolerate_taints)}" for n in found]
            raise HarnessFault(
                f"no node takes probes ({'; '.join(reasons) or 'there are no nodes'}); try --tolerate-taints"
            )
        return names

    @property
    def probes(self) -> tuple[Probe, ...]:
        """One probe on every node that takes pods, by node name; made by the first process of the run that asks."""
        return self._one_per_node(NODE_ROLE)

    @property
    def host_probes(self) -> tuple[Probe, ...]:
        """One probe in the network of every node.

        None, with the reason in `why_no_host_probes`, where that is forbidden.
        """
        if self.why_no_host_probes:
            return ()
        try:
            return self._one_per_node(HOST_ROLE)
        except Forbidden as refusal:
            self.why_no_host_probes = str(refusal)
            return ()

    def add(self, name: str, *, wait: bool = True, timeout: float = POD_SECONDS, **options: Any) -> Probe:
        """One more probe pod called `name`, which must be new in the run; `options` are the fields of PodOptions.

        With `wait`, it is Ready (or running, with `ready=False`) and its address known; without, see `wait_for`.
        """
        return self.add_many([name], wait=wait, timeout=timeout, **options)[0]

    def add_many(
        self, names: Sequence[str], *, wait: bool = True, timeout: float = POD_SECONDS, **options: Any
    ) -> list[Probe]:
        """As `add`, for several pods at once."""
        chosen = PodOptions(**{"tolerate_taints": self._tolerate_taints, **options})
        self._prepare(self._space(chosen))
        probes = [self._probe(name, chosen) for name in names]
        self.cluster.run(self._create(names, chosen))
        if wait:
            self.wait_for(probes, ready=chosen.ready, timeout=timeout)
        return probes

    def deploy(self, name: str, replicas: int, **options: Any) -> dict[str, Any]:
        """Create a Deployment of probe pods, without waiting for them; as the server keeps it.

        `options` are the fields of PodOptions. Its pods have the label PROBE_LABEL with its name; `adopt` gives their
        probes.
        """
        chosen = PodOptions(**{"tolerate_taints": self._tolerate_taints, **options})
        space = self._space(chosen)
        self._prepare(space)
        return self.cluster.create(probe_deployment(self.run, name, space, self.image, replicas, chosen))

    def deploy_on_every_node(self, name: str, **options: Any) -> dict[str, Any]:
        """Create a DaemonSet of probe pods, without waiting for them; as the server keeps it. Else as `deploy`."""
        chosen = PodOptions(**{"tolerate_taints": self._tolerate_taints, **options})
        space = self._space(chosen)
        self._prepare(space)
        return self.cluster.create(probe_daemon_set(self.run, name, space, self.image, chosen))

    def pods_of(self, name: str) -> list[dict[str, Any]]:
        """The pods that a controller of this name has made and that are not being deleted, by node."""
        labels = f"{self.run.selector},{PROBE_LABEL}={name}"
        pods = self.cluster.list("Pod", self.run.namespace, labels=labels)
        there = [pod for pod in pods if not pod["metadata"].get("deletionTimestamp")]
        return sorted(there, key=lambda pod: (pod["spec"].get("nodeName", ""), pod["metadata"]["name"]))

    def wait_for(self, probes: Sequence[Probe], *, ready: bool = True, timeout: float = POD_SECONDS) -> None:
        """Wait until probes that were added without waiting are up, and learn their nodes and addresses."""
        if not probes:
            return
        names = [probe.name for probe in probes]
        waiting = wait_for_pods(
            self.cluster.objects, probes[0].namespace, names, labels=self.run.selector, ready=ready, seconds=timeout
        )
        pods = self.cluster.run(waiting)
        for probe in probes:
            _learn(probe, pods[probe.name])
        if not ready:
            # A running container may still be loading its agent; being Ready would have told.
            self.cluster.run(_await_agents(probes))

    def adopt(self, names: Sequence[str], *, timeout: float = POD_SECONDS) -> list[Probe]:
        """Probes whose pods something else makes, such as a StatefulSet: they must be there, and are waited for."""
        probes = [self._probe(name, PodOptions()) for name in names]
        self.wait_for(probes, timeout=timeout)
        return probes

    def remove(self, probe: Probe, *, grace_seconds: int = 1, wait: bool = True, timeout: float = POD_SECONDS) -> None:
        """Delete the probe's pod; with `wait`, return when the kubelet has taken it down and its address is free.

        With `grace_seconds=0` the API server forgets the pod at once, while the node may still be taking it down.
        """
        probe.close()
        self._opened = [each for each in self._opened if each.session is not probe.session]
        objects, space = self.cluster.objects, probe.namespace
        pod = self.cluster.get("Pod", probe.name, space)
        if pod is None:
            return
        self.cluster.delete("Pod", probe.name, space, grace_seconds=grace_seconds)
        if wait:
            uids = [pod["metadata"]["uid"]]
            labels = f"{self.run.selector},{PROBE_LABEL}={probe.name}"
            self.cluster.run(wait_until_gone(objects, space, uids, labels=labels, seconds=timeout))

    def attempt_all(
        self, work: Mapping[Probe, Sequence[Attempt]], *, concurrency: int = CONCURRENCY
    ) -> dict[Probe, list[Observation]]:
        """Have all probes make their attempts at the same time, each at most `concurrency` at once."""
        return make_attempts(work, concurrency=concurrency)

    def set_ready(self, probe: Probe, ready: bool) -> None:
        """Have the probe's readiness endpoint say so from now on; the kubelet asks every second."""
        probe.control({"do": "ready", "value": ready})

    def close(self) -> None:
        """Close the streams of this process; the pods stay for others, and for `sweep`."""
        probes, self._opened = self._opened, []

        async def all_of_them() -> None:
            await asyncio.gather(*(probe.session.close() for probe in probes))

        self.cluster.run(all_of_them())

    def sweep(self) -> list[str]:
        """Delete everything of this run, and wait until it is gone; the names of its namespaces.

        HarnessFault says what is left.
        """
        self.close()
        return self.cluster.run(sweep_namespaces(self.cluster.objects, self.run.selector))

    def _one_per_node(self, role: str) -> tuple[Probe, ...]:
        if role not in self._per_node:
            try:
                self._per_node[role] = self._make_one_per_node(role)
            except HarnessFault as fault:
                # What failed after minutes of waiting is not tried again by each check that asks.
                self._per_node[role] = fault
        made = self._per_node[role]
        if isinstance(made, HarnessFault):
            raise made
        return made

    def _make_one_per_node(self, role: str) -> tuple[Probe, ...]:
        on_host = role == HOST_ROLE
        usual = self._usual(role)
        space = self._space(usual)
        self._prepare(space)
        labels = f"{self.run.selector},{ROLE_LABEL}={role}"
        names = [f"{'host' if on_host else 'probe'}-{index}-{self.run.id}" for index in range(1, len(self.nodes) + 1)]
        with self._lock.acquire(timeout=LOCK_SECONDS):
            there = {pod["metadata"]["name"] for pod in self.cluster.list("Pod", space, labels=labels)}
            missing = [(name, node) for name, node in zip(names, self.nodes, strict=True) if name not in there]
            self.cluster.run(self._create_on_nodes(missing, usual))
            probes = [self._probe(name, usual) for name in names]
            # Not Ready but running: a network that keeps the kubelet from its pods is to be assayed, not waited for.
            self.wait_for(probes, ready=False, timeout=FLEET_SECONDS)
        return tuple(probes)

    def _usual(self, role: str) -> PodOptions:
        on_host = role == HOST_ROLE
        path = self._host_path if on_host else ""
        return PodOptions(role=role, host_network=on_host, host_path=path, tolerate_taints=self._tolerate_taints)

    async def _create_on_nodes(self, missing: Iterable[tuple[str, str]], usual: PodOptions) -> None:
        await asyncio.gather(
            *(self._create([name], msgspec.structs.replace(usual, node=node)) for name, node in missing)
        )

    async def _create(self, names: Sequence[str], options: PodOptions) -> None:
        space = self._space(options)
        await asyncio.gather(
            *(self._create_pod(probe_pod(self.run, name, space, self.image, options)) for name in names)
        )

    async def _create_pod(self, manifest: dict[str, Any]) -> None:
        over = asyncio.get_running_loop().time() + POD_SECONDS
        while True:
            try:
                await self.cluster.objects.create(manifest)
                return
            except Forbidden as refusal:
                # A new namespace has its default service account only a moment later; until then pods are refused.
                if "serviceaccount" not in str(refusal) or asyncio.get_running_loop().time() > over:
                    raise
            await asyncio.sleep(0.05)

    def _prepare(self, space: str) -> None:
        """Make the namespace and the agent's ConfigMap if no process of the run has."""
        if space in self._made:
            return
        level = "privileged" if space == self.run.host_namespace else "restricted"
        with self._lock.acquire(timeout=LOCK_SECONDS):
            for manifest in (namespace(self.run, space, level), agent_config_map(self.run, space)):
                try:
                    self.cluster.create(manifest)
                except ApiError as error:
                    if error.status != HTTPStatus.CONFLICT:
                        raise
        self._made.add(space)

    def _space(self, options: PodOptions) -> str:
        return self.run.host_namespace if options.open_space else self.run.namespace

    def _probe(self, name: str, options: PodOptions) -> Probe:
        space, api, host_network = self._space(options), self.cluster.objects.api, options.host_network
        probe = Probe(
            self.cluster.loop,
            lambda: ExecChannel(api, space, name, CONTAINER, DRIVE_COMMAND),
            name=name,
            namespace=space,
            host_network=host_network,
            ports=ports_of(self.run, host_network=host_network),
        )
        probe.observer = self._observe
        self._opened.append(probe)
        if len(self._opened) > MANY:
            take_turns_quickly()
        return probe

    def _observe(self, observations: Sequence[Observation]) -> None:
        if self.observer is not None:
            self.observer(observations)


def _learn(probe: Probe, pod: dict[str, Any]) -> None:
    status = pod["status"]
    probe.node = pod["spec"]["nodeName"]
    addresses = [entry["ip"] for entry in status.get("podIPs", [])] or [status["podIP"]]
    probe.addresses = tuple(addresses)


async def _await_agents(probes: Sequence[Probe]) -> None:
    """Return when every probe's serving process answers in its pod, which it does once all its ports are open."""

    async def answers(probe: Probe) -> None:
        over = asyncio.get_running_loop().time() + AGENT_SECONDS
        while True:
            try:
                await probe.session.call("control", AGENT_SECONDS, command={"do": "status"})
                return
            except HarnessFault:
                if probe.lost or asyncio.get_running_loop().time() > over:
                    raise
            await asyncio.sleep(0.1)

    await asyncio.gather(*(answers(probe) for probe in probes))
