"""Whose a pod's interface is: told by the link of its default route, and by what Terway writes down."""

from __future__ import annotations

from functools import partial
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from fixtures.interfaces import Interfaces, RoutesToNodes
from netassay import terway
from netassay.errors import HarnessFault, NetworkFault
from netassay.families import Addressed, Family
from netassay.fleet.answers import Interface, Route
from netassay.waiting import wait_until
from tests.suites.skips import NotApplicableError, not_applicable

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


def shared_by(pods: Sequence[Pod], node: SimpleNamespace) -> list[str]:
    looked = Interfaces(cast("Cluster", None), cast("Sequence[Probe]", [node]))
    found = looked.shared_by(cast("Sequence[Probe]", pods))
    assert list(found) == [repr(pod) for pod in pods]
    return list(found.values())


def test_a_second_link_to_the_node_does_not_make_an_interface_shared() -> None:
    assert shared_by([with_interface_of_its_own(7), with_interface_of_its_own(8)], host(7, 8)) == ["", ""]


def test_of_each_pod_it_is_told_whether_its_interface_is_its_own() -> None:
    own, joined = shared_by([with_interface_of_its_own(7), joined_by_veth(8)], host(7, 8))
    assert own == ""
    assert joined == "the other end of its eth0 is cali8 of node1"


@pytest.mark.parametrize("pod", [joined_by_veth(7), with_interface_of_its_own(7, with_default=False)])
def test_a_pod_whose_link_ends_on_the_node_has_no_interface_of_its_own(pod: Pod) -> None:
    (said,) = shared_by([pod], host(7))
    assert "is cali7 of node1" in said


def test_the_default_route_is_looked_for_in_the_family_that_is_assayed() -> None:
    links = [link("eth0", 7, 7, "10.1.0.7/32", "fd00::7/128"), link("veth1", 107, 207, "10.1.0.7/32", "fd00::7/128")]
    routes = [route("0.0.0.0/0", "veth1"), route("::/0", "veth1", metric=1024), route("::/0", "eth0", metric=1)]
    pod = Pod("pod-7", links, routes, "fd00::7", "10.1.0.7")
    assert shared_by([pod], host(7)) == [""]
    pod.addresses = pod.addresses[::-1]
    assert shared_by([pod], host(7)) == ["the other end of its veth1 is cali7 of node1"]


def test_two_pods_with_one_hardware_address_are_told() -> None:
    twin = with_interface_of_its_own(7)
    twin.name = "twin"
    said = shared_by([with_interface_of_its_own(7), twin, with_interface_of_its_own(8)], host(7))
    assert said == ["2 pods have the hardware address 00:00:00:00:07:07"] * 2 + [""]


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


class Written:
    """A cluster of Terway's, which has its kinds of objects, and these of them."""

    def __init__(self, *, pod_enis: Sequence[dict[str, Any]] = (), nodes: Sequence[dict[str, Any]] = ()) -> None:
        self._objects = {terway.POD_ENI: pod_enis, terway.NODE: nodes}

    def serves(self, kind: str) -> bool:
        return kind in self._objects

    def list(self, kind: str) -> Sequence[dict[str, Any]]:
        return self._objects[kind]


DUAL = ("10.1.0.7", "fd00::7")
ADDRESSES = {"ipv4": "10.1.0.7", "ipv6": "fd00:0::7", "ipv4CIDR": "10.1.0.0/16", "ipv6CIDR": "fd00::/64"}


def pod_eni(name: str, eni: str, namespace: str = "space", **allocation: str) -> dict[str, Any]:
    return {
        "metadata": {"namespace": namespace, "name": name},
        "spec": {"allocations": [{"eni": {"id": eni} if eni else {}, **allocation}]},
        "status": {"eniInfos": {eni: {"type": "Secondary"}} if eni else {}},
    }


def terway_node(**pods: Sequence[str]) -> dict[str, Any]:
    """Terway's Node, with one interface that these pods share."""
    nic: dict[str, Any] = {"id": "eni-1", "ipv4CIDR": "10.1.0.0/16", "ipv6CIDR": "fd00::/64", "ipv4": {}, "ipv6": {}}
    for name, addresses in pods.items():
        for each in addresses:
            nic[str(Family.of(each))][each] = {"ip": each, "podID": f"space/{name}"}
    return {"metadata": {"name": NODE}, "status": {"networkInterfaces": {"eni-1": nic}}}


EMPTY_NODE = {"metadata": {"name": NODE}, "spec": {}, "status": {}}


def written(cluster: Written) -> Interfaces:
    return Interfaces(cast("Cluster", cluster), [])


def seven(family: Family = Family.IPV4) -> Probe:
    return cast("Probe", Pod("seven", [], [], *DUAL).over(family))


@pytest.fixture(autouse=True)
def looks_once_and_never_skips(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fixtures.interfaces.SHOWN_WITHIN", 0.01)
    monkeypatch.setattr("fixtures.interfaces.wait_until", partial(wait_until, grace=0.0))
    monkeypatch.setattr("fixtures.interfaces.not_applicable", not_applicable)


def test_kinds_without_objects_say_nothing_of_interfaces() -> None:
    empty = written(Written(nodes=[EMPTY_NODE]))
    assert not empty.written_of_pods
    empty.require_written([seven()])
    with pytest.raises(NotApplicableError, match="its objects are empty"):
        empty.of_nodes([seven()])
    with pytest.raises(NotApplicableError, match="no IPv4 range"):
        empty.vswitch_ranges(Family.IPV4)


def test_what_is_written_of_other_pods_makes_one_that_is_missing_a_finding() -> None:
    (shared,) = written(Written(nodes=[terway_node(other=["10.1.0.8"])])).of_nodes([seven()])
    assert shared.pods == {"10.1.0.8": "space/other"}
    others = written(Written(pod_enis=[pod_eni("other", "eni-8", ipv4="10.1.0.8")]))
    assert others.written_of_pods
    assert "should have one PodENI" in others.wrongly_written([seven()])
    with pytest.raises(NetworkFault, match="should have one PodENI"):
        others.require_written([seven()])


def test_pods_that_have_interfaces_of_their_own_are_seen_not_to_share_any() -> None:
    exclusive = Written(pod_enis=[pod_eni("seven", "eni-7", **ADDRESSES)], nodes=[EMPTY_NODE])
    assert written(exclusive).of_nodes([seven()]) == []


@pytest.mark.parametrize("family", Family)
def test_pods_are_found_by_their_address_of_the_family_that_is_assayed(family: Family) -> None:
    pod = seven(family)
    assert not written(Written(pod_enis=[pod_eni("seven", "eni-7", **ADDRESSES)])).wrongly_written([pod])
    shared = written(Written(nodes=[terway_node(seven=DUAL)]))
    assert [pod.address in each.pods for each in shared.of_nodes([pod])] == [True]
    assert terway.within(pod.address, shared.vswitch_ranges(family))
    assert len(shared.vswitch_ranges(family)) == 1


def test_an_interface_with_both_addresses_of_one_pod_is_not_shared() -> None:
    (alone,) = terway.read_node(terway_node(seven=DUAL))
    assert not alone.is_shared
    (shared,) = terway.read_node(terway_node(seven=DUAL, other=["10.1.0.8"]))
    assert shared.is_shared


def test_pods_of_whoever_that_wait_for_an_interface_do_not_have_the_same_one() -> None:
    pending = [pod_eni("a", "", "elsewhere"), pod_eni("b", "", "elsewhere")]
    own = pod_eni("seven", "eni-7", **ADDRESSES)
    assert not written(Written(pod_enis=[own, *pending])).wrongly_written([seven()])
    twice = pod_eni("c", "eni-7", "elsewhere")
    assert written(Written(pod_enis=[own, twice])).wrongly_written([seven()]) == "2 PodENIs are of interface eni-7"
