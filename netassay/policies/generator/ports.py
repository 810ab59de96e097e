"""Which ports a rule opens: by number, by name, by range, by protocol."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from netassay.policies.generator.words import DIRECTIONS, TCP, TCP_TOO, UDP, UDP_TOO, case, one_way, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from netassay.policies.case import Case, Json

PORTS: Final[dict[str, list[Json]]] = {
    "empty": [],
    "tcp-number": [TCP],
    "tcp-other-number": [TCP_TOO],
    "udp-number": [UDP],
    "number-protocol-by-default": [{"port": 8080}],
    "protocol-tcp": [{"protocol": "TCP"}],
    "protocol-udp": [{"protocol": "UDP"}],
    "number-that-nobody-serves": [{"protocol": "TCP", "port": 9}],
    "name-tcp": [{"protocol": "TCP", "port": "tcp"}],
    "name-other-tcp": [{"protocol": "TCP", "port": "tcp2"}],
    "name-udp": [{"protocol": "UDP", "port": "udp"}],
    "name-protocol-by-default": [{"port": "tcp"}],
    "name-of-other-protocol": [{"protocol": "UDP", "port": "tcp"}],
    "name-of-nobody": [{"protocol": "TCP", "port": "gopher"}],
    "range-both": [{"protocol": "TCP", "port": 8080, "endPort": 8081}],
    "range-upper": [{"protocol": "TCP", "port": 8081, "endPort": 9000}],
    "range-of-one": [{"protocol": "TCP", "port": 8080, "endPort": 8080}],
    "range-all": [{"protocol": "TCP", "port": 1, "endPort": 65535}],
    "range-udp": [{"protocol": "UDP", "port": 8000, "endPort": 8080}],
    "two-protocols": [TCP, UDP],
    "two-of-each": [TCP, UDP_TOO],
    "number-and-name": [UDP, {"protocol": "TCP", "port": "tcp2"}],
    "name-and-range": [{"protocol": "TCP", "port": "tcp"}, {"protocol": "UDP", "port": 8081, "endPort": 8090}],
}


def cases() -> Iterator[Case]:
    """Give the cases."""
    for direction in DIRECTIONS:
        for name, ports in PORTS.items():
            policy = one_way(direction, rule(direction, ports=ports))
            yield case(f"ports-{name}-{direction}", "policy-ports", policy)
