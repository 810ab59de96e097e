"""The scene in a real cluster: probe pods in three namespaces of a run, and what is done to them."""

from __future__ import annotations

import asyncio
import itertools
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from netassay.errors import HarnessFault
from netassay.families import Family
from netassay.fleet import Fleet, Run
from netassay.policies.model import Namespace, Pod
from netassay.policies.scene import NAMESPACES, PODS, Scene, pods_of_each

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterator, Mapping, Sequence
    from pathlib import Path

    from netassay.cluster import Cluster
    from netassay.fleet import Probe
    from netassay.policies.case import Step


class SpaceRun(Run, frozen=True):
    """A run, as far as it takes place in one further namespace, which is swept with all others of the run."""

    space: str

    @property
    def namespace(self) -> str:
        """The namespace, under Pod Security `restricted`."""
        return f"netassay-{self.id}-{self.space}"


class World:
    """The pods and their namespaces, and the policies that were put in force on them.

    `scene` is the state that the API was last told of; `base` the state without policies, to which `restore` returns.
    """

    def __init__(
        self,
        cluster: Cluster,
        run: Run,
        *,
        owner: str,
        image: str,
        tolerate_taints: bool,
        lock_dir: Path,
        pods: int = len(PODS),
    ) -> None:
        """Create nothing yet.

        `owner` tells the namespaces of this process from those of others of the run; `pods` is how many each has.
        """
        self._pods = pods_of_each(pods)
        self.cluster, self.run = cluster, run
        self._owner = owner
        self._options: dict[str, Any] = {"image": image, "tolerate_taints": tolerate_taints, "lock_dir": lock_dir}
        self.fleets = {symbol: self._fleet(symbol) for symbol in NAMESPACES}
        self._family = Family.IPV4
        self._made: dict[str, Probe] = {}
        self.probes: dict[str, Probe] = {}
        self.base = self.scene = Scene({}, {})

    def _fleet(self, symbol: str) -> Fleet:
        return Fleet(self.cluster, SpaceRun(self.run.id, f"{self._owner}-{symbol}"), privileged=False, **self._options)

    def speak(self, family: Family) -> None:
        """Take the pods by their addresses of this IP family from now on, and policies' address ranges as of it."""
        self._family = family
        self.probes = {symbol: probe.over(family) for symbol, probe in self._made.items()}
        self.base = self.scene = replace(self.base, family=4 if family is Family.IPV4 else 6)

    def build(self, nodes: Sequence[str]) -> None:
        """Create the pods on these nodes in turn, and wait until they are Ready.

        Each namespace's pods begin on another node, so that pairs on one node and across nodes are among all kinds.
        """
        for start, (space, fleet) in enumerate(self.fleets.items()):
            turn = start % len(nodes)
            for (name, labels), node in zip(
                self._pods.items(), itertools.cycle([*nodes[turn:], *nodes[:turn]]), strict=False
            ):
                probe = fleet.add(f"{space}-{name}", node=node, labels=labels, wait=False)
                self._made[f"{space}/{name}"] = probe
            self.label_space(space, NAMESPACES[space])
        for space, fleet in self.fleets.items():
            fleet.wait_for([self._made[f"{space}/{name}"] for name in self._pods])
        self.base = self._read()
        self.speak(Family.IPV4)

    @contextmanager
    def trying(self, *ports: str) -> Iterator[None]:
        """Have further ports tried meanwhile, by the names that pods give them; no policies are in force at first."""
        usual = self.base
        self.restore()
        self.base = self.scene = replace(usual, ports=(*usual.ports, *ports))
        try:
            yield
        finally:
            self.restore()
            self.base = self.scene = usual

    def make(self, step: Step) -> None:
        """Make all changes of the step, at the same time."""
        self._become(self.scene.after(step))

    def begin(self, step: Step) -> None:
        """Make the step in place of all that is in force, at the same time."""
        self._become(self.base.after(step))

    def _become(self, after: Scene) -> None:
        now, objects = self.scene.policies, self.cluster.objects
        work: list[Coroutine[Any, Any, Any]] = []
        for policy in (policy for key, policy in now.items() if key not in after.policies):
            meta = policy["metadata"]
            work.append(objects.delete("NetworkPolicy", meta["name"], meta["namespace"]))
        for policy in (policy for key, policy in after.policies.items() if now.get(key) != policy):
            work.append(objects.apply({**policy, "metadata": {**policy["metadata"], "labels": self.run.labels}}))
        self._all([*work, *self._relabelled(after)])
        self.scene = after

    def add(self, space: str, name: str, labels: Mapping[str, str], *, node: str) -> Probe:
        """Create one more pod, which is not part of the scene, and do not wait for it: see `learn`."""
        return self.fleets[space].add(name, node=node, labels=labels, wait=False).over(self._family)

    def add_space(self, symbol: str) -> None:
        """Have one more namespace, which is not part of the scene; it is created with its first pod."""
        self.fleets[symbol] = self._fleet(symbol)

    def label_space(self, symbol: str, labels: Mapping[str, str]) -> None:
        """Give a namespace labels, unknown to the scene."""
        body = {"metadata": {"labels": dict(labels)}}
        self.cluster.patch("Namespace", self.fleets[symbol].run.namespace, None, body)

    def remove_space(self, symbol: str) -> None:
        """Delete a namespace that was added, without waiting for it."""
        fleet = self.fleets.pop(symbol)
        fleet.close()
        self.cluster.delete("Namespace", fleet.run.namespace)

    def learn(self, probe: Probe) -> bool:
        """See whether a pod that was added has been given its addresses."""
        manifest = self.cluster.get("Pod", probe.name, probe.namespace)
        if manifest is None:
            raise HarnessFault(f"Pod {probe.name} in {probe.namespace} is gone, deleted by somebody")
        probe.node = manifest["spec"].get("nodeName", "")
        probe.addresses = Pod.from_api(manifest).addresses
        return bool(probe.addresses)

    def ready(self, symbol: str) -> bool:
        """Whether the API shows a pod of the scene as Ready."""
        pod = self.scene.pods[symbol]
        manifest = self.cluster.get("Pod", pod.name, pod.namespace) or {}
        conditions = manifest.get("status", {}).get("conditions", [])
        return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)

    def set_ready(self, symbol: str, ready: bool) -> None:
        """Have a pod of the scene say, when the kubelet asks it, that it is ready or not."""
        self.fleets[symbol.partition("/")[0]].set_ready(self.probes[symbol], ready)

    def restore(self) -> None:
        """Delete all policies, known or not, and give pods and namespaces the labels that they had."""
        deletions = [
            self.cluster.objects.delete_collection("NetworkPolicy", fleet.run.namespace, labels=self.run.selector)
            for fleet in self.fleets.values()
        ]
        self._all([*deletions, *self._relabelled(self.base)])
        self.scene = self.base

    def close(self) -> None:
        """Close the streams of this process; the run's sweep removes the pods."""
        for fleet in self.fleets.values():
            fleet.close()

    def _read(self) -> Scene:
        """Read the scene as the API shows it, with all labels that others look at."""
        spaces: dict[str, Namespace] = {}
        pods: dict[str, Pod] = {}
        for symbol, fleet in self.fleets.items():
            found = self.cluster.list("Namespace", fields=f"metadata.name={fleet.run.namespace}")
            spaces[symbol] = Namespace.from_api(found[0])
            for manifest in self.cluster.list("Pod", fleet.run.namespace, labels=self.run.selector):
                pod = Pod.from_api(manifest)
                pods[f"{symbol}/{pod.name.removeprefix(f'{symbol}-')}"] = pod
        return Scene(spaces, {symbol: pods[symbol] for symbol in self._made})

    def _relabelled(self, after: Scene) -> Iterator[Coroutine[Any, Any, Any]]:
        """Give pods and namespaces the labels that they have in that scene."""
        for symbol, pod in after.pods.items():
            yield from self._label("Pod", pod.name, pod.namespace, self.scene.pods[symbol].labels, pod.labels)
        for symbol, space in after.namespaces.items():
            yield from self._label("Namespace", space.name, None, self.scene.namespaces[symbol].labels, space.labels)

    def _label(
        self, kind: str, name: str, namespace: str | None, now: Mapping[str, str], after: Mapping[str, str]
    ) -> Iterator[Coroutine[Any, Any, Any]]:
        if after != now:
            body = {"metadata": {"labels": {**dict.fromkeys(now), **after}}}
            yield self.cluster.objects.patch(kind, name, namespace, body)

    def _all(self, work: list[Coroutine[Any, Any, Any]]) -> None:
        async def together() -> None:
            await asyncio.gather(*work)

        self.cluster.run(together())
