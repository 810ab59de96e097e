"""Rules over SCTP: a port of that protocol is opened by what names it, and by nothing else.

They stand apart from the other cases, since they need a kernel that has SCTP to be tried.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from netassay.policies.case import Case, Step
from netassay.policies.generator.words import DIRECTIONS, SCTP, TCP, one_way, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from netassay.policies.case import Json

PORTS: Final[dict[str, list[Json]]] = {
    "one port of SCTP was allowed": [SCTP],
    "the same number was allowed over TCP instead": [TCP],
    "SCTP as a whole was allowed": [{"protocol": "SCTP"}],
    "nothing but another port of SCTP was allowed": [{"protocol": "SCTP", "port": 8081}],
    "a port of SCTP was allowed by its name": [{"protocol": "SCTP", "port": "sctp"}],
    "a range of TCP around it was allowed": [{"protocol": "TCP", "port": 1, "endPort": 65535}],
}
"""What is allowed, one after the other, by the words of the step."""


def _cases() -> Iterator[Case]:
    for direction in DIRECTIONS:
        steps = (
            Step(title, apply=(one_way(direction, rule(direction, ports=ports)),)) for title, ports in PORTS.items()
        )
        yield Case(f"sctp-{direction}", "policy-sctp", tuple(steps))


SCTP_CASES: Final[tuple[Case, ...]] = tuple(_cases())
"""Every case."""
