"""Which pod has which address of the VPC: the book-keeping of the cloud, which knows nothing of Kubernetes' API."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from lab import plan

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from ipaddress import IPv4Address, IPv4Network

DEFAULT_VSWITCH: Final = next(iter(plan.VSWITCHES))
RESERVED: Final = 10
"""So many addresses at the beginning of a vSwitch are its cloud's own."""


class NoAddressError(Exception):
    """There is none to give: the message says which limit was reached."""


@dataclass(frozen=True)
class Wish:
    """What a pod's PodNetworking asks for; without one, what all pods get."""

    networking: str = ""
    vswitch: str = DEFAULT_VSWITCH
    groups: tuple[str, ...] = (plan.DEFAULT_GROUP,)
    fixed: bool = False


@dataclass(frozen=True)
class Lease:
    """An address that a pod has, and where. `interface` is the node's that it is of, "" if it is the pod's own."""

    container: str
    node: str
    namespace: str
    pod: str
    address: IPv4Address
    interface: str
    wish: Wish

    @property
    def eni(self) -> str:
        """The name of the network interface: of the pod itself, or of its node."""
        return (
            f"eni-lab-{self.node}-{self.interface}" if self.interface else f"eni-lab-{self.address}".replace(".", "-")
        )


@dataclass
class Addresses:
    """All leases. `kind` is "exclusive" or "shared", `per_node` how many pods of a node may have one."""

    kind: str
    per_node: int
    leases: dict[str, Lease] = field(default_factory=dict)
    fixed: dict[tuple[str, str], IPv4Address] = field(default_factory=dict)
    _last: dict[str, IPv4Address] = field(default_factory=dict)

    def give(self, container: str, node: str, namespace: str, pod: str, wish: Wish) -> Lease:
        """Give the pod an address, the same if its container has one. Raises NoAddressError."""
        if container in self.leases:
            return self.leases[container]
        here = [lease for lease in self.leases.values() if lease.node == node]
        if len(here) >= self.per_node:
            raise NoAddressError(f"{node} has {len(here)} of {self.per_node} addresses in use")
        kept = self.fixed.get((namespace, pod)) if wish.fixed else None
        if kept is not None and kept in self._taken():
            raise NoAddressError(f"{kept} is kept for {namespace}/{pod} and still in use")
        interface, address = ("", kept) if kept is not None else self._free(node, wish)
        if wish.fixed:
            self.fixed[namespace, pod] = address
        lease = Lease(container, node, namespace, pod, address, interface, wish)
        self.leases[container] = lease
        return lease

    def take_back(self, container: str) -> Lease | None:
        """End a lease; None if there was none, for a plug-in may be told to delete more than once."""
        return self.leases.pop(container, None)

    def of_node(self, node: str) -> list[Lease]:
        """The leases of one node's pods."""
        return [lease for lease in self.leases.values() if lease.node == node]

    def _taken(self) -> set[IPv4Address]:
        return {lease.address for lease in self.leases.values()}

    def _free(self, node: str, wish: Wish) -> tuple[str, IPv4Address]:
        unavailable = self._taken() | set(self.fixed.values())
        ranges: dict[str, IPv4Network]
        if self.kind == "shared":
            used = [lease.interface for lease in self.of_node(node)]
            # The interface that has the fewest pods goes first, so that all are in use.
            ranges = dict(sorted(plan.slices(node).items(), key=lambda item: used.count(item[0])))
        else:
            ranges = {"": plan.VSWITCHES[wish.vswitch]}
        for interface, network in ranges.items():
            for address in self._in_turn(network):
                if address not in unavailable:
                    self._last[str(network)] = address
                    return interface, address
        raise NoAddressError(f"no address of {', '.join(map(str, ranges.values()))} is free")

    def _in_turn(self, network: IPv4Network) -> Iterator[IPv4Address]:
        """The addresses of `network` in turn, those that were given last at the end: stale ones do the least harm."""
        gateways = {plan.gateway(vswitch) for vswitch in plan.VSWITCHES.values()}
        own = [address for address in _usable(network) if address not in gateways]
        last = self._last.get(str(network))
        start = own.index(last) + 1 if last in own else 0
        return iter([*own[start:], *own[:start]])


def _usable(network: IPv4Network) -> Iterable[IPv4Address]:
    in_use_by_cloud = {
        vswitch.network_address + number for vswitch in plan.VSWITCHES.values() for number in range(RESERVED)
    }
    return [address for address in network.hosts() if address not in in_use_by_cloud]
