"""A case: policies to put in force on the scene, step by step, and the features of the API that they use."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Json: TypeAlias = dict[str, Any]

Labels: TypeAlias = Mapping[str, str | None]
"""Changes of labels; None takes one away."""


def key_of(policy: Json) -> str:
    """Give the key of a policy: `namespace symbol/name`."""
    return f"{policy['metadata']['namespace']}/{policy['metadata']['name']}"


@dataclass(frozen=True)
class Step:
    """One change, all of it made at once, after which everything is tried.

    `apply` are policies that are created or replaced, `delete` the keys of policies that are deleted; labels change by
    symbol of pod or namespace. `title` ends the sentence "after …".
    """

    title: str
    apply: tuple[Json, ...] = ()
    delete: tuple[str, ...] = ()
    pod_labels: Mapping[str, Labels] = field(default_factory=dict)
    namespace_labels: Mapping[str, Labels] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Case:
    """One case. `id` never changes; `claim` is the promise that it puts to the test."""

    id: str
    claim: str
    steps: tuple[Step, ...]

    def __str__(self) -> str:
        """Give its id, by which reports name it."""
        return self.id

    @property
    def policies(self) -> Iterator[Json]:
        """Give every policy that is put in force at some step."""
        return (policy for step in self.steps for policy in step.apply)

    @cached_property
    def tags(self) -> frozenset[str]:
        """The features of the API that the case uses, read off its policies and steps."""
        found = set(_tags_of_steps(self.steps))
        for policy in self.policies:
            found |= set(_tags_of_policy(policy))
        return frozenset(found)


def _tags_of_steps(steps: tuple[Step, ...]) -> Iterator[str]:
    known: set[str] = set()
    for index, step in enumerate(steps):
        keys = set(map(key_of, step.apply))
        if len(keys | (known - set(step.delete))) > 1:
            yield "policies: several"
        if index:
            yield from (["step: policy added"] if keys - known else [])
            yield from (["step: policy updated"] if keys & known else [])
        yield from (["step: policy deleted"] if step.delete else [])
        yield from (["step: pod relabelled"] if step.pod_labels else [])
        yield from (["step: namespace relabelled"] if step.namespace_labels else [])
        known = (known | keys) - set(step.delete)


def _tags_of_policy(policy: Json) -> Iterator[str]:
    spec = policy["spec"]
    types = spec.get("policyTypes")
    yield from (f"direction: {each.lower()}" for each in types or ())
    if types is None:
        yield "direction: by default"
    yield from (f"target: {each}" for each in _tags_of_selector(spec["podSelector"]))
    for direction, side in (("ingress", "from"), ("egress", "to")):
        rules = spec.get(direction) or []
        if (types is None or direction.title() in types) and not rules:
            yield "rules: none"
        if len(rules) > 1:
            yield "rules: several"
        for rule in rules:
            yield from _tags_of_peers(rule.get(side))
            yield from _tags_of_ports(rule.get("ports"))


def _tags_of_selector(selector: Json) -> Iterator[str]:
    if not selector:
        yield "all"
    if "matchLabels" in selector:
        yield "labels"
    yield from (each["operator"] for each in selector.get("matchExpressions", []))


def _tags_of_peers(peers: Iterable[Json] | None) -> Iterator[str]:
    peers = list(peers or [])
    if not peers:
        yield "peers: everybody"
    if len(peers) > 1:
        yield "peers: several"
    for peer in peers:
        if block := peer.get("ipBlock"):
            yield "peers: IPBlock except" if block.get("except") else "peers: IPBlock"
            continue
        yield "peers: " + " in ".join(
            words for key, words in (("podSelector", "pods"), ("namespaceSelector", "namespaces")) if key in peer
        )
        for key in ("podSelector", "namespaceSelector"):
            if key in peer:
                yield from (f"peers by {each}" for each in _tags_of_selector(peer[key]))


def _tags_of_ports(ports: Iterable[Json] | None) -> Iterator[str]:
    ports = list(ports or [])
    if not ports:
        yield "ports: all"
    if len(ports) > 1:
        yield "ports: several"
    for port in ports:
        number = port.get("port")
        yield f"ports: {port.get('protocol', 'protocol by default')}"
        if "endPort" in port:
            yield "ports: range"
        elif number is None:
            yield "ports: protocol only"
        else:
            yield "ports: number" if isinstance(number, int) else "ports: name"
