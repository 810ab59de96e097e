"""Whom a rule lets through: pods, namespaces, pods of namespaces, and ranges of addresses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from netassay.policies.generator.words import (
    ALL,
    DIRECTIONS,
    all_of,
    block,
    case,
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

    from netassay.policies.case import Case, Json

PEERS: Final[dict[str, list[Json] | None]] = {
    "missing": None,
    "empty": [],
    "pods-all": [pods(ALL)],
    "pods-label": [pods(labels(app="b"))],
    "pods-in": [pods(key("app", "In", "b", "c"))],
    "pods-not-in": [pods(key("app", "NotIn", "b"))],
    "pods-exists": [pods(key("tier", "Exists"))],
    "pods-does-not-exist": [pods(key("tier", "DoesNotExist"))],
    "pods-label-and-expression": [pods(all_of(labels(tier="back"), key("app", "In", "b")))],
    "pods-of-nobody": [pods(labels(app="nobody"))],
    "namespaces-all": [spaces(ALL)],
    "namespaces-label": [spaces(labels(team="green"))],
    "namespaces-by-name": [spaces(labels(**{"kubernetes.io/metadata.name": "{blue}"}))],
    "namespaces-in": [spaces(key("team", "In", "green", "blue"))],
    "namespaces-not-in": [spaces(all_of(key("team", "Exists"), key("team", "NotIn", "green")))],
    "namespaces-exists": [spaces(key("stage", "Exists"))],
    "namespaces-does-not-exist": [spaces(key("stage", "DoesNotExist"))],
    "namespaces-of-nobody": [spaces(labels(team="nobody"))],
    "pods-in-all-namespaces": [pods_in(ALL, labels(app="b"))],
    "all-pods-in-namespace": [pods_in(labels(team="green"), ALL)],
    "pods-in-namespace": [pods_in(labels(team="green"), labels(app="a"))],
    "pods-in-own-namespace": [pods_in(labels(team="red"), key("tier", "Exists"))],
    "pods-in-namespaces-by-expressions": [pods_in(key("stage", "Exists"), key("app", "NotIn", "c"))],
    "pods-of-nobody-in-namespace": [pods_in(labels(team="green"), labels(app="nobody"))],
    "pods-or-namespaces": [pods(labels(app="b")), spaces(labels(team="green"))],
    "two-pods-in-two-namespaces": [
        pods_in(labels(team="green"), labels(app="a")),
        pods_in(labels(team="blue"), labels(app="b")),
    ],
}

BLOCKS: Final[dict[str, list[Json]]] = {
    "all": [block("{all}")],
    "one-pod": [block("{green/a}")],
    "range": [block("{green/a:net}")],
    "nobody": [block("{nowhere}")],
    "two": [block("{green/a}"), block("{blue/c}")],
    "except-one": [block("{all}", "{green/a}")],
    "except-two": [block("{all}", "{green/a}", "{blue/b}")],
    "except-range": [block("{all}", "{green/a:net}")],
    "range-except-one": [block("{green/a:net}", "{green/a}")],
    "or-pods": [block("{green/a}"), pods(labels(app="b"))],
    "or-pods-in-namespace": [block("{green/a}"), pods_in(labels(team="blue"), labels(app="b"))],
    "except-in-one-of-two": [block("{all}", "{green/a}"), block("{green/a:net}")],
    "except-but-chosen-as-pod": [block("{all}", "{green/a:net}"), pods_in(labels(team="green"), labels(app="a"))],
}


def cases() -> Iterator[Case]:
    """Give the cases."""
    for direction in DIRECTIONS:
        for name, peers in PEERS.items():
            yield case(f"peers-{name}-{direction}", "policy-peers", one_way(direction, rule(direction, peers)))
        for name, blocks in BLOCKS.items():
            yield case(f"blocks-{name}-{direction}", "policy-ip-blocks", one_way(direction, rule(direction, blocks)))
