"""A scene with made-up addresses, as two nodes would give them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from netassay.policies.model import ContainerPort, Namespace, Pod
from netassay.policies.scene import NAMESPACES, PODS, Scene

if TYPE_CHECKING:
    from netassay.policies.model import Family

SERVED = (
    ContainerPort("tcp", 8080),
    ContainerPort("tcp2", 8081),
    ContainerPort("udp", 8080, "UDP"),
    ContainerPort("udp2", 8081, "UDP"),
    ContainerPort("sctp", 8080, "SCTP"),
)


def scene(family: Family = 4) -> Scene:
    pods: dict[str, Pod] = {}
    for index, symbol in enumerate(f"{space}/{name}" for space in NAMESPACES for name in PODS):
        space, _, name = symbol.partition("/")
        node = index % 2 + 1
        addresses = (f"10.244.{node}.{index + 10}", f"fd00:{node}::{index + 10:x}")
        pods[symbol] = Pod(f"run-{space}", name, PODS[name], addresses, f"node{node}", SERVED)
    spaces = {
        symbol: Namespace(f"run-{symbol}", {**labels, "kubernetes.io/metadata.name": f"run-{symbol}"})
        for symbol, labels in NAMESPACES.items()
    }
    return Scene(spaces, pods, family=family)
