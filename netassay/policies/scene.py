"""The pods that policies are tried on, and a state of policies and labels: three namespaces of three pods each.

Cases speak of them by symbols, so that they are the same data for every cluster and run: a namespace is `red`, `green`
or `blue`, a pod `red/a`. In the strings of a policy, `{red}` stands for the namespace's real name, `{red/a}` for the
range that holds the pod's address alone, `{red/a:net}` for a range around it, `{all}` for every address and `{nowhere}`
for addresses that nobody has.
"""

from __future__ import annotations

import re
import string
from dataclasses import dataclass, field, replace
from functools import cached_property
from ipaddress import ip_network
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from netassay.errors import HarnessFault
from netassay.policies.case import key_of
from netassay.policies.model import Flow, Namespace, Pod, address_of
from netassay.policies.simulator import Simulator

if TYPE_CHECKING:
    from collections.abc import Mapping

    from netassay.observation import Transport
    from netassay.policies.case import Labels, Step
    from netassay.policies.model import Family
    from netassay.policies.simulator import Ruling

Json: TypeAlias = dict[str, Any]

NAMESPACES: Final[dict[str, dict[str, str]]] = {
    "red": {"team": "red", "stage": "prod"},
    "green": {"team": "green", "stage": "prod"},
    "blue": {"team": "blue"},
}
"""Symbol → labels: two namespaces share a label that the third does not have."""

PODS: Final[dict[str, dict[str, str]]] = {
    "a": {"app": "a", "tier": "front"},
    "b": {"app": "b", "tier": "back"},
    "c": {"app": "c"},
}
"""Name in each namespace → labels: one pod lacks a label that the others have."""

PORTS: Final = ("tcp", "tcp2", "udp", "udp2")
"""The ports that are usually tried, by the names that pods give them."""

MOST_PODS: Final = len(string.ascii_lowercase)


def pods_of_each(count: int = len(PODS)) -> dict[str, dict[str, str]]:
    """Give so many pods of a namespace, name → labels: those that cases speak of, and more of their kind."""
    more = {letter: {"app": letter} for letter in string.ascii_lowercase[len(PODS) : count]}
    return {**PODS, **more}


_PLACEHOLDER: Final = re.compile(r"\{([a-z/]+)(:net)?\}")
_ALL: Final = {4: "0.0.0.0/0", 6: "::/0"}
_NOWHERE: Final = {4: "192.0.2.0/24", 6: "2001:db8::/32"}  # set aside for documentation
_NET: Final = {4: 24, 6: 64}


@dataclass(frozen=True)
class Scene:
    """Namespaces and pods, by symbol, and the policies in force, by `namespace symbol/name`.

    `simulator` says what they mean: the API's own oracle, unless an engine is known to deviate.
    """

    namespaces: Mapping[str, Namespace]
    pods: Mapping[str, Pod]
    policies: Mapping[str, Json] = field(default_factory=dict)
    family: Family = 4
    ports: tuple[str, ...] = PORTS
    simulator: type[Simulator] = Simulator

    @cached_property
    def _simulator(self) -> Simulator:
        return self.simulator(self.policies.values(), self.namespaces.values())

    @cached_property
    def _rulings(self) -> dict[tuple[str, str, Transport, int], Ruling]:
        return {}

    def ruling(self, source: str, target: str, transport: Transport, port: int) -> Ruling:
        """Say whether one pod reaches another, both by symbol."""
        asked = (source, target, transport, port)
        if asked not in self._rulings:
            flow = Flow(self.pods[source], self.pods[target], transport, port, self.family)
            self._rulings[asked] = self._simulator.ruling(flow)
        return self._rulings[asked]

    def after(self, step: Step) -> Scene:
        """Give the state that a step of a case leads to."""
        policies = {key: policy for key, policy in self.policies.items() if key not in step.delete}
        policies |= {key_of(policy): self.bind(policy) for policy in step.apply}
        pods = {
            key: replace(pod, labels=relabelled(pod.labels, step.pod_labels.get(key, {})))
            for key, pod in self.pods.items()
        }
        namespaces = {
            key: replace(space, labels=relabelled(space.labels, step.namespace_labels.get(key, {})))
            for key, space in self.namespaces.items()
        }
        return replace(self, namespaces=namespaces, pods=pods, policies=policies)

    def bind(self, policy: Json) -> Json:
        """Put real names and addresses into a policy that speaks in symbols."""
        bound: Json = self._bind(policy)
        bound["metadata"]["namespace"] = self.namespaces[policy["metadata"]["namespace"]].name
        return bound

    def _bind(self, value: Any) -> Any:
        if isinstance(value, str):
            return _PLACEHOLDER.sub(self._meaning, value)
        if isinstance(value, dict):
            return {key: self._bind(each) for key, each in value.items()}
        return [self._bind(each) for each in value] if isinstance(value, list) else value

    def _meaning(self, found: re.Match[str]) -> str:
        symbol, around = found[1], bool(found[2])
        if symbol in ("all", "nowhere"):
            return (_ALL if symbol == "all" else _NOWHERE)[self.family]
        if symbol in self.namespaces:
            return self.namespaces[symbol].name
        if symbol not in self.pods:
            raise HarnessFault(f"a policy speaks of {{{symbol}}}, which is neither a namespace nor a pod of the scene")
        network = ip_network(address_of(self.pods[symbol], self.family))
        return str(network.supernet(new_prefix=_NET[self.family]) if around else network)


def relabelled(labels: Mapping[str, str], changes: Labels) -> dict[str, str]:
    """Give the labels after a change, in which None takes a label away."""
    merged = {**labels, **changes}
    return {key: value for key, value in merged.items() if value is not None}
