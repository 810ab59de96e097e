"""Pods, namespaces and policies for tests of the simulator, written in few words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from netassay.policies.model import ContainerPort, Flow, Namespace, Pod
from netassay.policies.simulator import Ruling, Simulator

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from netassay.observation import Transport
    from netassay.policies.model import End, Family

PORTS = (
    ContainerPort("web", 80),
    ContainerPort("web", 8080, "TCP"),
    ContainerPort("dns", 53, "UDP"),
    ContainerPort("dns-tcp", 53),
)

SHOP = Namespace("shop", {"team": "red", "kubernetes.io/metadata.name": "shop"})
BANK = Namespace("bank", {"team": "green", "stage": "prod"})
LAB = Namespace("lab")
NAMESPACES = (SHOP, BANK, LAB)


def pod(namespace: str, name: str, address: str, *, node: str = "n1", **labels: str) -> Pod:
    return Pod(namespace, name, labels, (address, f"fd00::{address.rpartition('.')[2]}"), node, PORTS)


WEB = pod("shop", "web", "10.1.0.1", app="web", tier="front")
DB = pod("shop", "db", "10.1.0.2", app="db", tier="back", node="n2")
TILL = pod("bank", "till", "10.2.0.3", app="web", node="n2")
VAULT = pod("bank", "vault", "10.2.0.4", app="vault", tier="back")
RAT = pod("lab", "rat", "10.3.0.5")
PODS = (WEB, DB, TILL, VAULT, RAT)


def policy(
    *, namespace: str = "shop", name: str = "p", selector: Mapping[str, Any] | None = None, **spec: Any
) -> dict[str, Any]:
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"namespace": namespace, "name": name},
        "spec": {"podSelector": dict(selector or {}), **spec},
    }


def labels(**wanted: str) -> dict[str, Any]:
    return {"matchLabels": wanted}


def expression(key: str, operator: str, *values: str) -> dict[str, Any]:
    return {"matchExpressions": [{"key": key, "operator": operator, "values": list(values)}]}


def rule_on(
    policies: Iterable[Mapping[str, Any]],
    source: End,
    target: End,
    port: int = 80,
    transport: Transport = "TCP",
    family: Family = 4,
) -> Ruling:
    return Simulator(policies, NAMESPACES).ruling(Flow(source, target, transport, port, family))


def sources_of(policies: Iterable[Mapping[str, Any]], target: End, port: int = 80) -> set[str]:
    """Name the other pods that reach the target."""
    policies = list(policies)
    return {each.name for each in PODS if each != target and rule_on(policies, each, target, port).open}


def targets_of(policies: Iterable[Mapping[str, Any]], source: End, port: int = 80) -> set[str]:
    """Name the other pods that the source reaches."""
    policies = list(policies)
    return {each.name for each in PODS if each != source and rule_on(policies, source, each, port).open}
