"""The addresses and names of a lab: fixed, so that what is written about one lab holds for every lab."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Interface, IPv4Network, IPv6Address, IPv6Interface, IPv6Network
from typing import Final

# Hosts have IPv4 addresses in any case (the lab's own programs talk over them), and IPv6 addresses if pods have.
IP_FAMILIES: Final = ("ipv4", "ipv6", "dual")

VPC = IPv4Network("172.30.0.0/16")
ROUTER = IPv4Interface("172.30.0.1/16")
CONTROL_PLANE = IPv4Interface("172.30.0.10/16")
# A part of the VPC that no host has an address of.
LOAD_BALANCERS = IPv4Network("172.30.100.0/24")
OUTSIDE_NETWORK = IPv4Network("172.31.255.0/24")
OUTSIDE_GATEWAY = IPv4Interface("172.31.255.1/24")
OUTSIDE = IPv4Interface("172.31.255.10/24")
OUTSIDE_NAME = "outside.example.com"
# The only link between the machine and the lab: it carries the API and nothing else.
MACHINE_NETWORK = IPv4Network("172.31.254.0/30")
MACHINE = IPv4Interface("172.31.254.1/30")
API_FROM_MACHINE = IPv4Interface("172.31.254.2/30")
MACHINE_LINK = "netassay0"
POD_NETWORK = IPv4Network("10.244.0.0/16")
SERVICE_NETWORK = IPv4Network("10.96.0.0/16")
API_SERVICE = IPv4Address("10.96.0.1")
CLUSTER_DNS = IPv4Address("10.96.0.10")
CLUSTER_DOMAIN = "cluster.local"

VPC6 = IPv6Network("fd00:172:30::/64")
ROUTER6 = IPv6Interface("fd00:172:30::1/64")
CONTROL_PLANE6 = IPv6Interface("fd00:172:30::10/64")
LOAD_BALANCERS6 = IPv6Network("fd00:172:30::100:0/120")
OUTSIDE_NETWORK6 = IPv6Network("fd00:172:31:255::/64")
OUTSIDE_GATEWAY6 = IPv6Interface("fd00:172:31:255::1/64")
OUTSIDE6 = IPv6Interface("fd00:172:31:255::10/64")
POD_NETWORK6 = IPv6Network("fd00:10:244::/56")
SERVICE_NETWORK6 = IPv6Network("fd00:10:96::/112")
API_SERVICE6 = IPv6Address("fd00:10:96::1")
CLUSTER_DNS6 = IPv6Address("fd00:10:96::a")

# On the machine these are unreachable unless the lab itself serves them, so that no packet for it takes the uplink.
CONFINED = (VPC, OUTSIDE_NETWORK, MACHINE_NETWORK, POD_NETWORK, SERVICE_NETWORK)
CONFINED6 = (VPC6, OUTSIDE_NETWORK6, POD_NETWORK6, SERVICE_NETWORK6)

# Subnets of the VPC that no host has an address of: pods that have interfaces of their own are given theirs.
VSWITCHES = {"vsw-lab-a": IPv4Network("172.30.64.0/20"), "vsw-lab-b": IPv4Network("172.30.80.0/20")}
SPARE_VSWITCH = "vsw-lab-b"
# Any other than the default group lets only its own members in.
DEFAULT_GROUP, CLOSED_GROUP = "sg-lab-default", "sg-lab-closed"
# Interfaces of a node that its pods share, each with a slice of the first vSwitch.
SHARED_INTERFACES = ("eth1", "eth2")
SLICE_LENGTH = 26
SHARED_PRIMARIES = IPv4Network("172.30.1.0/24")

ROUTER_HOST = "router"
CONTROL_PLANE_HOST = "control-plane"
OUTSIDE_HOST = "outside"
CGROUP = "netassay-lab"
LEAST_NODES, MOST_NODES = 2, 5


@dataclass(frozen=True)
class Host:
    """A network namespace with one interface, eth0."""

    name: str
    address: IPv4Interface
    gateway: IPv4Address
    address6: IPv6Interface
    gateway6: IPv6Address


@dataclass(frozen=True)
class Families:
    """The IP families of pods and Services: "ipv4", "ipv6" or "dual", of which IPv4 comes first."""

    name: str

    @property
    def ipv4(self) -> bool:
        """Whether pods have IPv4 addresses."""
        return self.name != "ipv6"

    @property
    def ipv6(self) -> bool:
        """Whether pods have IPv6 addresses."""
        return self.name != "ipv4"

    def of(self, ipv4: object, ipv6: object) -> list[str]:
        """Those of the two that are of these families, in their order."""
        return [*([str(ipv4)] if self.ipv4 else []), *([str(ipv6)] if self.ipv6 else [])]

    def first(self, ipv4: object, ipv6: object) -> str:
        """The one of the two that is of the first of these families."""
        return self.of(ipv4, ipv6)[0]


def node_hosts(count: int) -> list[Host]:
    """The `count` nodes, node1 first."""
    return [
        Host(
            f"node{number}",
            IPv4Interface((CONTROL_PLANE.ip + number, VPC.prefixlen)),
            ROUTER.ip,
            IPv6Interface((CONTROL_PLANE6.ip + number, VPC6.prefixlen)),
            ROUTER6.ip,
        )
        for number in range(1, count + 1)
    ]


def number_of(node: str) -> int:
    """The number of the node of that name, from 1."""
    return int(node.removeprefix("node"))


def slices(node: str) -> dict[str, IPv4Network]:
    """The parts of the first vSwitch that the node's shared interfaces have, by interface."""
    all_slices = list(next(iter(VSWITCHES.values())).subnets(new_prefix=SLICE_LENGTH))
    first = (number_of(node) - 1) * len(SHARED_INTERFACES)
    return {name: all_slices[first + place] for place, name in enumerate(SHARED_INTERFACES)}


def gateway(vswitch: IPv4Network) -> IPv4Address:
    """The address of a vSwitch that its cloud keeps for the gateway: the last but two."""
    return vswitch.broadcast_address - 2


def control_plane_host() -> Host:
    """The host of the control plane, which is no node, as in a managed cluster."""
    return Host(CONTROL_PLANE_HOST, CONTROL_PLANE, ROUTER.ip, CONTROL_PLANE6, ROUTER6.ip)


def outside_host() -> Host:
    """The host beyond the router, which knows nothing of pods and Services."""
    return Host(OUTSIDE_HOST, OUTSIDE, OUTSIDE_GATEWAY.ip, OUTSIDE6, OUTSIDE_GATEWAY6.ip)
