"""Changes while policies are in force: policies added, updated and deleted, pods and namespaces relabelled."""

from __future__ import annotations

from typing import TYPE_CHECKING

from netassay.policies.case import Case, Step
from netassay.policies.generator.words import (
    DIRECTIONS,
    TCP,
    UDP,
    block,
    key,
    labels,
    one_way,
    pods,
    pods_in,
    rule,
    spaces,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from netassay.policies.case import Json
    from netassay.policies.rules import Direction

A, B = labels(app="a"), labels(app="b")
GREEN, BLUE = spaces(labels(team="green")), spaces(labels(team="blue"))


def cases() -> Iterator[Case]:
    """Give the cases."""
    for direction in DIRECTIONS:
        for name, steps in {**_of_policies(direction), **_of_pods(direction), **_of_namespaces(direction)}.items():
            yield Case(f"change-{name}-{direction}", "policy-changes", steps)


def _of_policies(direction: Direction) -> dict[str, tuple[Step, ...]]:
    other: Direction = "egress" if direction == "ingress" else "ingress"
    deny = Step("everything was denied", apply=(one_way(direction, name="deny"),))

    def allow(*rules: Json) -> tuple[Json, ...]:
        return (one_way(direction, *rules, name="allow"),)

    green, green_tcp = rule(direction, [GREEN]), rule(direction, [GREEN], [TCP])
    return {
        "policy-added": (deny, Step("one that allows was added", apply=allow(green))),
        "policy-deleted": (
            Step("one that denies and one that allows were created", apply=(*deny.apply, *allow(green))),
            Step("the one that allows was deleted", delete=("red/allow",)),
        ),
        "last-policy-deleted": (deny, Step("it was deleted", delete=("red/deny",))),
        "policy-replaced-under-its-name": (
            Step("a policy allowed one namespace", apply=allow(green)),
            Step("it was deleted", delete=("red/allow",)),
            Step("another of its name was created", apply=allow(rule(direction, [BLUE], [UDP]))),
        ),
        "peers-updated": (
            Step("a policy allowed one namespace", apply=allow(green)),
            Step("it allowed another one instead", apply=allow(rule(direction, [BLUE]))),
        ),
        "ports-updated": (
            Step("a policy allowed TCP", apply=allow(green_tcp)),
            Step("it allowed UDP instead", apply=allow(rule(direction, [GREEN], [UDP]))),
        ),
        "rule-added-and-removed": (
            Step("a policy allowed one namespace", apply=allow(green_tcp)),
            Step("a rule was added", apply=allow(green_tcp, rule(direction, [BLUE], [UDP]))),
            Step("the first rule was removed", apply=allow(rule(direction, [BLUE], [UDP]))),
        ),
        "target-updated": (
            Step("a policy denied everything to one pod", apply=(one_way(direction, target=A),)),
            Step("it was about another pod instead", apply=(one_way(direction, target=B),)),
        ),
        "direction-updated": (
            Step("a policy denied one direction", apply=(one_way(direction, target=A),)),
            Step("it denied the other instead", apply=(one_way(other, target=A),)),
        ),
        "exception-updated": (
            Step("one pod was excepted", apply=allow(rule(direction, [block("{all}", "{green/a}")]))),
            Step("another one was instead", apply=allow(rule(direction, [block("{all}", "{blue/b}")]))),
        ),
    }


def _of_pods(direction: Direction) -> dict[str, tuple[Step, ...]]:
    about_a = Step("a policy denied everything to one pod", apply=(one_way(direction, target=A),))
    peer = one_way(direction, rule(direction, [pods_in(labels(team="green"), labels(role="friend"))]))
    near = one_way(direction, rule(direction, [pods(key("tier", "DoesNotExist"))]), target=A)
    return {
        "pod-relabelled-into-target": (
            about_a,
            Step("another pod was given the label", pod_labels={"red/c": {"app": "a"}}),
            Step("it was taken away again", pod_labels={"red/c": {"app": "c"}}),
        ),
        "pod-relabelled-out-of-target": (
            about_a,
            Step("the pod lost the label", pod_labels={"red/a": {"app": None}}),
        ),
        "pod-relabelled-into-peers": (
            Step("a policy allowed pods that nobody was", apply=(peer,)),
            Step("a pod was given the label", pod_labels={"green/b": {"role": "friend"}}),
            Step(
                "it lost the label, and another was given it",
                pod_labels={
                    "green/b": {"role": None},
                    "green/c": {"role": "friend"},
                },
            ),
        ),
        "pod-relabelled-by-key": (
            Step("a policy allowed pods without a key", apply=(near,)),
            Step(
                "a pod lost the key, and another was given it",
                pod_labels={
                    "red/b": {"tier": None},
                    "red/c": {"tier": "front"},
                },
            ),
        ),
    }


def _of_namespaces(direction: Direction) -> dict[str, tuple[Step, ...]]:
    friends = labels(circle="friends")
    whole = one_way(direction, rule(direction, [spaces(friends)]))
    some = one_way(direction, rule(direction, [pods_in(friends, B)], [TCP]))
    bare = one_way(direction, rule(direction, [spaces(key("stage", "DoesNotExist"))]))
    return {
        "namespace-relabelled-into-peers": (
            Step("a policy allowed namespaces that none was", apply=(whole,)),
            Step("a namespace was given the label", namespace_labels={"green": {"circle": "friends"}}),
            Step(
                "it lost the label, and another was given it",
                namespace_labels={
                    "green": {"circle": None},
                    "blue": {"circle": "friends"},
                },
            ),
        ),
        "namespace-relabelled-with-pods": (
            Step("a policy allowed some pods of namespaces that none was", apply=(some,)),
            Step("a namespace was given the label", namespace_labels={"blue": {"circle": "friends"}}),
        ),
        "namespace-relabelled-by-key": (
            Step("a policy allowed namespaces without a key", apply=(bare,)),
            Step("a namespace lost the key", namespace_labels={"green": {"stage": None}}),
        ),
    }
