"""Who talks to whom: the pods, namespaces and flows of which a simulator says whether policies let them through."""

from __future__ import annotations

from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping

    from netassay.observation import Transport

Family: TypeAlias = Literal[4, 6]
"""The version of IP that a flow uses."""


@dataclass(frozen=True)
class Namespace:
    """A namespace and its labels."""

    name: str
    labels: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def from_api(cls, manifest: Mapping[str, Any]) -> Namespace:
        """Read a namespace as the API returns it."""
        return cls(manifest["metadata"]["name"], manifest["metadata"].get("labels") or {})


@dataclass(frozen=True)
class ContainerPort:
    """A port that a pod gives a name to."""

    name: str
    number: int
    transport: Transport = "TCP"


@dataclass(frozen=True)
class Pod:
    """A pod, as far as policies can tell it from others.

    `addresses` are all of its addresses, at most one of each family. A pod with `host_network` has its node's.
    """

    namespace: str
    name: str
    labels: Mapping[str, str] = field(default_factory=dict)
    addresses: tuple[str, ...] = ()
    node: str = ""
    ports: tuple[ContainerPort, ...] = ()
    host_network: bool = False

    @classmethod
    def from_api(cls, manifest: Mapping[str, Any]) -> Pod:
        """Read a pod as the API returns it."""
        meta, spec, status = manifest["metadata"], manifest["spec"], manifest.get("status", {})
        ports = (port for container in spec.get("containers", []) for port in container.get("ports") or [])
        return cls(
            namespace=meta["namespace"],
            name=meta["name"],
            labels=meta.get("labels") or {},
            addresses=tuple(entry["ip"] for entry in status.get("podIPs") or []),
            node=spec.get("nodeName", ""),
            ports=tuple(
                ContainerPort(port["name"], port["containerPort"], port.get("protocol", "TCP"))
                for port in ports
                if "name" in port
            ),
            host_network=bool(spec.get("hostNetwork", False)),
        )

    @property
    def title(self) -> str:
        """Namespace and name."""
        return f"{self.namespace}/{self.name}"


@dataclass(frozen=True)
class Outside:
    """Somebody who is no pod: a host outside the cluster, or a node (then `node` is its name)."""

    title: str
    addresses: tuple[str, ...]
    node: str = ""


End: TypeAlias = Pod | Outside
"""Either end of a flow."""


@dataclass(frozen=True)
class Flow:
    """One attempt of `source` at a port of `target`, both by their own addresses of one family."""

    source: End
    target: End
    transport: Transport
    port: int
    family: Family = 4


def address_of(end: End, family: Family) -> str:
    """Give the end's address of that family, or "" if it has none."""
    return next((address for address in end.addresses if ip_address(address).version == family), "")
