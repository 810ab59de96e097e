"""One NetworkPolicy, read: which pods it isolates in which direction, and whom its rules let through.

The meaning of every field is that of the API reference of networking.k8s.io/v1; the comments quote where it surprises.
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from netassay.errors import HarnessFault
from netassay.policies.model import Namespace, Pod, address_of
from netassay.policies.selectors import matches

if TYPE_CHECKING:
    from collections.abc import Mapping

    from netassay.policies.model import End, Flow

Direction: TypeAlias = Literal["ingress", "egress"]

Selector: TypeAlias = "Mapping[str, Any]"


@dataclass(frozen=True)
class PodPeer:
    """Pods as peers: by their labels, by those of their namespaces, or by both at once."""

    pods: Selector | None
    namespaces: Selector | None

    def includes(self, end: End, flow: Flow, home: str, namespaces: Mapping[str, Namespace]) -> bool:
        """Whether the end is such a pod."""
        return self.selects(end, home, namespaces)

    def selects(self, end: End, home: str, namespaces: Mapping[str, Namespace]) -> bool:
        """Whether the end is such a pod, in whatever flow.

        Without a namespace selector, it must be in the policy's own namespace, `home`. Pods in their node's network
        have no address of their own by which an engine could know them, and are left out.
        """
        if not isinstance(end, Pod) or end.host_network:
            return False
        if self.namespaces is None:
            in_namespace = end.namespace == home
        else:
            in_namespace = matches(self.namespaces, namespaces[end.namespace].labels)
        return in_namespace and matches(self.pods or {}, end.labels)


@dataclass(frozen=True)
class AddressPeer:
    """A range of addresses, without some ranges in it, as peer; pods are included by address, like everybody."""

    network: IPv4Network | IPv6Network
    without: tuple[IPv4Network | IPv6Network, ...]

    def includes(self, end: End, flow: Flow, home: str, namespaces: Mapping[str, Namespace]) -> bool:
        """Whether the address that the end has in this flow is in the range."""
        address = ip_address(address_of(end, flow.family))
        return address in self.network and not any(address in network for network in self.without)


@dataclass(frozen=True)
class Port:
    """Ports that a rule allows: all of a transport, a range of numbers, or whatever the target gives a name to."""

    transport: str
    first: int = 0
    last: int = 65535
    name: str = ""

    def includes(self, flow: Flow) -> bool:
        """Whether the flow's target port is meant."""
        if flow.transport != self.transport:
            return False
        if self.name:
            # A name is looked up in the target pod, whichever way the policy looks; who is no pod names nothing.
            ports = flow.target.ports if isinstance(flow.target, Pod) else ()
            return any(p.name == self.name and p.transport == flow.transport and p.number == flow.port for p in ports)
        return self.first <= flow.port <= self.last


@dataclass(frozen=True)
class Rule:
    """One rule: peers and ports, both of which must match; None is all."""

    peers: tuple[PodPeer | AddressPeer, ...] | None
    ports: tuple[Port, ...] | None

    def allows(self, flow: Flow, peer: End, home: str, namespaces: Mapping[str, Namespace]) -> bool:
        """Whether the rule lets the flow from or to this peer through."""
        if self.ports is not None and not any(port.includes(flow) for port in self.ports):
            return False
        return self.peers is None or any(each.includes(peer, flow, home, namespaces) for each in self.peers)


@dataclass(frozen=True)
class Policy:
    """A NetworkPolicy. `rules` has an entry for each direction in which it isolates the pods that it selects."""

    namespace: str
    name: str
    selector: Selector
    rules: Mapping[Direction, tuple[Rule, ...]]

    @classmethod
    def from_api(cls, manifest: Mapping[str, Any]) -> Policy:
        """Read a NetworkPolicy as the API takes or returns it. HarnessFault for what the API would refuse."""
        meta, spec = manifest["metadata"], manifest.get("spec") or {}
        title = f"NetworkPolicy {meta['namespace']}/{meta['name']}"
        # "If this field is not specified, it will default based on the existence of ingress or egress rules; policies
        # that contain an egress section are assumed to affect egress, and all policies … to affect ingress."
        types = spec.get("policyTypes") or ["Ingress", *(["Egress"] if spec.get("egress") else [])]
        rules: dict[Direction, tuple[Rule, ...]] = {}
        if "Ingress" in types:
            rules["ingress"] = tuple(_rule(rule, "from", title) for rule in spec.get("ingress") or [])
        if "Egress" in types:
            rules["egress"] = tuple(_rule(rule, "to", title) for rule in spec.get("egress") or [])
        return cls(meta["namespace"], meta["name"], spec.get("podSelector") or {}, rules)

    @property
    def title(self) -> str:
        """Namespace and name."""
        return f"{self.namespace}/{self.name}"

    def selects(self, end: End) -> bool:
        """Whether the policy is about this end: a pod of its own namespace, with an address of its own."""
        return (
            isinstance(end, Pod)
            and not end.host_network
            and end.namespace == self.namespace
            and matches(self.selector, end.labels)
        )


def _rule(rule: Mapping[str, Any], side: Literal["from", "to"], title: str) -> Rule:
    # "If this field is empty or missing, this rule matches all sources", and likewise destinations and ports.
    peers, ports = rule.get(side), rule.get("ports")
    return Rule(
        tuple(_peer(peer, title) for peer in peers) if peers else None,
        tuple(_port(port, title) for port in ports) if ports else None,
    )


def _peer(peer: Mapping[str, Any], title: str) -> PodPeer | AddressPeer:
    block, pods, namespaces = peer.get("ipBlock"), peer.get("podSelector"), peer.get("namespaceSelector")
    if block is None:
        if pods is None and namespaces is None:
            raise HarnessFault(f"{title} has a peer without any selector, which the API refuses")
        return PodPeer(pods, namespaces)
    if pods is not None or namespaces is not None:
        raise HarnessFault(f"{title} has a peer with ipBlock and a selector, which the API refuses")
    return AddressPeer(ip_network(block["cidr"]), tuple(ip_network(each) for each in block.get("except") or []))


def _port(port: Mapping[str, Any], title: str) -> Port:
    transport, number, last = port.get("protocol") or "TCP", port.get("port"), port.get("endPort")
    if isinstance(number, int):
        return Port(transport, number, number if last is None else last)
    if last is not None:
        raise HarnessFault(f"{title} has an endPort without a port number, which the API refuses")
    return Port(transport) if number is None else Port(transport, name=number)
