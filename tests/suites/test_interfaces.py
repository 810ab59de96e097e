"""Whose a pod's interface is: told by the link of its default route, and by what Terway writes down."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import pytest

from fixtures.interfaces import Interfaces, RoutesToNodes
from netassay.errors import HarnessFault
from netassay.families import Addressed
from netassay.fleet.answers import Interface, Route

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fixtures.cluster import Node
    from netassay.cluster import Cluster
    from netassay.fleet import Probe

NODE = "node1"
GATEWAY, LINK_LOCAL = "10.1.255.253", "169.254.1.1"
SERVICES = "172.16.0.0/16"


class Pod(Addressed):
    """As much of a probe as is asked for here."""

    namespace = "space"
    node = NODE

    def __init__(self, name: str, links: Sequence[Interface], routes: Sequence[Route], *addresses: str) -> None:
        self.name, self.addresses = name, addresses
        self.interfaces, self.routes = lambda: links, lambda: routes


def link(name: str, index: int, peer_index: int, *addresses: str) -> Interface:
    mac = f"00:00:00:00:{index:02x}:{peer_index:02x}"
    return Interface(name=name, index=index, peer_index=peer_index, mtu=1500, mac=mac, state="up", addresses=addresses)


def route(to: str, interface: str, via: str = "", metric: int = 0) -> Route:
    return Route(to=to, via=via, interface=interface, metric=metric)


def with_interface_of_its_own(place: int, *, with_default: bool = True) -> Pod:
    """A pod of Terway's exclusive mode: its address is also on a veth, by which it reaches Services."""
    address = f"10.1.0.{place}"
    links = [link("eth0", place, place, f"{address}/32"), link("veth1", place + 100, place + 200, f"{address}/32")]
    routes = [
        route(SERVICES, "veth1", LINK_LOCAL),
        route(f"{LINK_LOCAL}/32", "veth1"),
        *([route("0.0.0.0/0", "eth0", GATEWAY)] if with_default else []),
    ]
    return Pod(f"pod-{place}", links, routes, address)


def joined_by_veth(place: int) -> Pod:
    links = [link("eth0", place + 100, place + 200, f"10.1.0.{place}/24")]
    return Pod(f"pod-{place}", links, [route("0.0.0.0/0", "eth0", "10.1.0.1")], f"10.1.0.{place}")


def host(*places: int) -> SimpleNamespace:
    """The node as its host probe sees it, with its ends of these pods' veths."""
    ends = [link("eth0", 2, 2, "192.0.2.1/24"), *(link(f"cali{n}", n + 200, n + 100) for n in places)]
    return SimpleNamespace(node=NODE, interfaces=lambda: ends)


def shared_by(pods: Sequence[Pod], node: SimpleNamespace) -> str:
    looked = Interfaces(cast("Cluster", None), cast("Sequence[Probe]", [node]))
    return looked.shared_by(cast("Sequence[Probe]", pods))


def test_a_second_link_to_the_node_does_not_make_an_interface_shared() -> None:
    assert not shared_by([with_interface_of_its_own(7), with_interface_of_its_own(8)], host(7, 8))


@pytest.mark.parametrize("pod", [joined_by_veth(7), with_interface_of_its_own(7, with_default=False)])
def test_a_pod_whose_link_ends_on_the_node_has_no_interface_of_its_own(pod: Pod) -> None:
    assert "is cali7 of node1" in shared_by([pod], host(7))


def test_the_default_route_is_looked_for_in_the_family_that_is_assayed() -> None:
    links = [link("eth0", 7, 7, "10.1.0.7/32", "fd00::7/128"), link("veth1", 107, 207, "10.1.0.7/32", "fd00::7/128")]
    routes = [route("0.0.0.0/0", "veth1"), route("::/0", "veth1", metric=1024), route("::/0", "eth0", metric=1)]
    pod = Pod("pod-7", links, routes, "fd00::7", "10.1.0.7")
    assert not shared_by([pod], host(7))
    pod.addresses = pod.addresses[::-1]
    assert "its veth1 is cali7" in shared_by([pod], host(7))


def test_two_pods_with_one_hardware_address_are_told() -> None:
    assert "2 pods have the hardware address" in shared_by([with_interface_of_its_own(7)] * 2, host(7))


SERVICE = "172.16.0.10"
NODE_ADDRESS = "192.0.2.1"


def leads_to_node(pod: Pod, *host_probes: SimpleNamespace) -> bool:
    nodes = [SimpleNamespace(name=NODE, addresses=(NODE_ADDRESS,))]
    routes = RoutesToNodes(cast("Sequence[Node]", nodes), cast("Sequence[Probe]", host_probes))
    return routes.lead(cast("Probe", pod), SERVICE)


def test_a_route_leads_to_the_node_by_the_gateways_address_or_by_a_link_that_ends_there() -> None:
    by_address = Pod("pod-7", [link("eth0", 7, 7)], [route(SERVICES, "eth0", NODE_ADDRESS)], "10.1.0.7")
    assert leads_to_node(by_address)
    assert leads_to_node(with_interface_of_its_own(7), host(7))


def test_a_route_past_the_node_does_not_lead_to_it() -> None:
    assert not leads_to_node(with_interface_of_its_own(7), host(8))
    eth0, _ = with_interface_of_its_own(7).interfaces()
    past = Pod("pod-7", [eth0], [route("0.0.0.0/0", "eth0", GATEWAY)], "10.1.0.7")
    assert not leads_to_node(past, host(7))
    assert not leads_to_node(Pod("pod-7", [eth0], [], "10.1.0.7"), host(7))


def test_the_most_specific_route_counts() -> None:
    pod = with_interface_of_its_own(7)
    routes = [*pod.routes(), route("172.16.0.0/24", "eth0", GATEWAY)]
    pod.routes = lambda: routes
    assert not leads_to_node(pod, host(7))


def test_without_a_view_of_the_nodes_links_a_strange_gateway_is_not_called_a_fault_of_the_network() -> None:
    with pytest.raises(HarnessFault, match=r"169\.254\.1\.1, is not the node's.* where veth1 ends"):
        leads_to_node(with_interface_of_its_own(7))
