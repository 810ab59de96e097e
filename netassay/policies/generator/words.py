"""The words in which cases are written: policies, peers and ports of the scene, as the API takes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from netassay.policies.case import Case, Step

if TYPE_CHECKING:
    from collections.abc import Sequence

    from netassay.policies.case import Json
    from netassay.policies.rules import Direction

DIRECTIONS: Final[tuple[Direction, ...]] = ("ingress", "egress")

ALL: Final[Json] = {}
"""The selector that selects everything."""

TCP, UDP, TCP_TOO, UDP_TOO = (
    {"protocol": "TCP", "port": 8080},
    {"protocol": "UDP", "port": 8080},
    {"protocol": "TCP", "port": 8081},
    {"protocol": "UDP", "port": 8081},
)
"""The ports that every pod of the scene serves, which are the ports that are usually tried."""

SCTP: Final[Json] = {"protocol": "SCTP", "port": 8080}
"""The port that every pod of the scene serves where its kernel has SCTP."""


def labels(**wanted: str) -> Json:
    """Write a selector by labels."""
    return {"matchLabels": wanted}


def key(name: str, operator: str, *values: str) -> Json:
    """Write a selector by one expression."""
    return {"matchExpressions": [{"key": name, "operator": operator, **({"values": list(values)} if values else {})}]}


def all_of(*selectors: Json) -> Json:
    """Write the selector that wants what each of these wants."""
    exact = {name: value for each in selectors for name, value in each.get("matchLabels", {}).items()}
    expressions = [one for each in selectors for one in each.get("matchExpressions", [])]
    return {
        **({"matchLabels": exact} if exact else {}),
        **({"matchExpressions": expressions} if expressions else {}),
    }


def pods(selector: Json) -> Json:
    """Write a peer: pods of the policy's own namespace."""
    return {"podSelector": selector}


def spaces(selector: Json) -> Json:
    """Write a peer: all pods of these namespaces."""
    return {"namespaceSelector": selector}


def pods_in(namespaces: Json, selector: Json) -> Json:
    """Write a peer: these pods of these namespaces."""
    return {"namespaceSelector": namespaces, "podSelector": selector}


def block(cidr: str, *without: str) -> Json:
    """Write a peer: a range of addresses, without these."""
    return {"ipBlock": {"cidr": cidr, **({"except": list(without)} if without else {})}}


def rule(direction: Direction, peers: Sequence[Json] | None = None, ports: Sequence[Json] | None = None) -> Json:
    """Write a rule; what is None is left out."""
    written: Json = {}
    if peers is not None:
        written["from" if direction == "ingress" else "to"] = list(peers)
    if ports is not None:
        written["ports"] = list(ports)
    return written


def policy(
    name: str = "policy",
    *,
    namespace: str = "red",
    target: Json = ALL,
    ingress: Sequence[Json] | None = None,
    egress: Sequence[Json] | None = None,
    types: Sequence[Direction] | None = None,
) -> Json:
    """Write a policy. Without `types`, it says nothing of them and leaves them to the API's default."""
    spec: dict[str, Any] = {"podSelector": target}
    if types is not None:
        spec["policyTypes"] = [each.title() for each in types]
    if ingress is not None:
        spec["ingress"] = list(ingress)
    if egress is not None:
        spec["egress"] = list(egress)
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"namespace": namespace, "name": name},
        "spec": spec,
    }


def one_way(
    direction: Direction, *rules: Json, name: str = "policy", namespace: str = "red", target: Json = ALL
) -> Json:
    """Write a policy of one direction with these rules; with none, it denies everything."""
    written = {direction: rules} if rules else {}
    return policy(name, namespace=namespace, target=target, types=[direction], **written)


def case(id_: str, claim: str, *policies: Json) -> Case:
    """Write a case of one step."""
    return Case(id_, claim, (Step("the policies were created", apply=policies),))
