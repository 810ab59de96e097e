"""The addresses and names of a lab: fixed, so that what is written about one lab holds for every lab."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Interface, IPv4Network

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

# On the machine these are unreachable unless the lab itself serves them, so that no packet for it takes the uplink.
CONFINED = (VPC, OUTSIDE_NETWORK, MACHINE_NETWORK, POD_NETWORK, SERVICE_NETWORK)

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


def node_hosts(count: int) -> list[Host]:
    """The `count` nodes, node1 first."""
    return [
        Host(f"node{number}", IPv4Interface((CONTROL_PLANE.ip + number, VPC.prefixlen)), ROUTER.ip)
        for number in range(1, count + 1)
    ]


def control_plane_host() -> Host:
    """The host of the control plane, which is no node, as in a managed cluster."""
    return Host(CONTROL_PLANE_HOST, CONTROL_PLANE, ROUTER.ip)


def outside_host() -> Host:
    """The host beyond the router, which knows nothing of pods and Services."""
    return Host(OUTSIDE_HOST, OUTSIDE, OUTSIDE_GATEWAY.ip)
