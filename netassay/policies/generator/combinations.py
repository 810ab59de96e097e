"""Peers and ports of one rule, which must both match; and several rules, each of which is enough."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from netassay.policies.generator.words import (
    DIRECTIONS,
    TCP,
    TCP_TOO,
    UDP,
    UDP_TOO,
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

PEERS: Final[dict[str, list[Json]]] = {
    "pods": [pods(labels(app="b"))],
    "namespaces": [spaces(key("stage", "Exists"))],
    "pods-in-namespaces": [pods_in(key("team", "In", "green", "blue"), labels(app="a"))],
    "block": [block("{green/a}")],
    "block-except": [block("{all}", "{green/a:net}")],
}

PORTS: Final[dict[str, list[Json]]] = {
    "number": [TCP],
    "udp": [UDP],
    "name": [{"protocol": "TCP", "port": "tcp2"}],
    "range": [{"protocol": "TCP", "port": 8081, "endPort": 9000}],
}

Rule = tuple["list[Json] | None", "list[Json] | None"]

RULES: Final[dict[str, list[Rule]]] = {
    "two-peers-two-ports": [([pods(labels(app="b"))], [TCP]), ([spaces(labels(team="green"))], [UDP])],
    "same-peer-twice": [([pods(labels(app="b"))], [TCP]), ([pods(labels(app="b"))], [UDP_TOO])],
    "same-port-twice": [([pods(labels(app="b"))], [TCP]), ([block("{blue/a}")], [TCP])],
    "second-is-everything": [([pods(labels(app="b"))], [TCP]), (None, None)],
    "pods-and-name-of-nobody": [([pods(labels(app="b"))], [{"protocol": "TCP", "port": "gopher"}])],
    "second-is-nobody": [([pods(labels(app="b"))], [TCP]), ([pods(labels(app="nobody"))], None)],
    "all-peers-one-port-and-one-peer-all-ports": [(None, [TCP_TOO]), ([spaces(labels(team="blue"))], None)],
    "block-except-and-the-exception": [([block("{all}", "{green/a}")], None), ([block("{green/a}")], [UDP])],
    "three": [
        ([pods_in(labels(team="green"), labels(app="a"))], [TCP]),
        ([pods_in(labels(team="blue"), labels(app="b"))], [UDP]),
        ([pods(labels(app="c"))], [TCP_TOO, UDP_TOO]),
    ],
}


def cases() -> Iterator[Case]:
    """Give the cases."""
    for direction in DIRECTIONS:
        for who, peers in PEERS.items():
            for what, ports in PORTS.items():
                policy = one_way(direction, rule(direction, peers, ports))
                yield case(f"rule-{who}-{what}-{direction}", "policy-rules", policy)
        for name, several in RULES.items():
            policy = one_way(direction, *(rule(direction, *each) for each in several))
            yield case(f"rules-{name}-{direction}", "policy-rules", policy)
