"""The lab's cloud: who is given which address, which filters follow from that, and which routes there is room for."""

from __future__ import annotations

import subprocess
from ipaddress import ip_address
from types import SimpleNamespace
from typing import Any

import pytest

from lab import plan
from lab.cloud import routes
from lab.cloud.addresses import Addresses, NoAddressError, Wish
from lab.cloud.groups import ruleset
from lab.cloud.terway import Objects, node_resource, pod_eni
from lab.modes import Cloud
from netassay import terway

SPARE = Wish("other", plan.SPARE_VSWITCH)
CLOSED = Wish("closed", groups=(plan.CLOSED_GROUP,))
FIXED = Wish("fixed", fixed=True)


def exclusive(per_node: int = 100) -> Addresses:
    return Addresses("exclusive", per_node)


def test_no_two_pods_are_given_one_address_and_one_that_came_back_is_given_last() -> None:
    addresses = exclusive()
    leases = [addresses.give(f"c{number}", "node1", "space", f"pod-{number}", Wish()) for number in range(20)]
    assert len({lease.address for lease in leases}) == 20
    vswitch = plan.VSWITCHES["vsw-lab-a"]
    assert all(lease.address in vswitch and lease.address != plan.gateway(vswitch) for lease in leases)
    addresses.take_back("c0")
    assert addresses.give("c20", "node1", "space", "pod-20", Wish()).address != leases[0].address
    assert addresses.give("c5", "node1", "space", "pod-5", Wish()) == leases[5]


def test_a_pod_that_wishes_for_a_vswitch_gets_an_address_of_it() -> None:
    assert exclusive().give("c", "node1", "space", "pod", SPARE).address in plan.VSWITCHES[plan.SPARE_VSWITCH]


def test_a_fixed_address_is_kept_for_its_pod_alone_on_whichever_node() -> None:
    addresses = exclusive()
    first = addresses.give("c1", "node1", "space", "set-0", FIXED)
    with pytest.raises(NoAddressError, match="kept for space/set-0 and still in use"):
        addresses.give("c2", "node2", "space", "set-0", FIXED)
    addresses.take_back("c1")
    others = {addresses.give(f"o{n}", "node1", "space", f"o-{n}", Wish()).address for n in range(50)}
    assert first.address not in others
    assert addresses.give("c3", "node2", "space", "set-0", FIXED).address == first.address


def test_a_node_gives_no_more_than_it_has_and_gives_again_what_comes_back() -> None:
    addresses = exclusive(per_node=2)
    for number in range(2):
        addresses.give(f"c{number}", "node1", "space", f"pod-{number}", Wish())
    with pytest.raises(NoAddressError, match="node1 has 2 of 2 addresses in use"):
        addresses.give("c2", "node1", "space", "pod-2", Wish())
    addresses.give("elsewhere", "node2", "space", "pod-3", Wish())
    addresses.take_back("c0")
    addresses.give("c2", "node1", "space", "pod-2", Wish())


def test_shared_interfaces_carry_pods_in_turn_each_with_an_address_of_its_slice() -> None:
    addresses = Addresses("shared", 100)
    leases = [addresses.give(f"c{number}", "node2", "space", f"pod-{number}", Wish()) for number in range(6)]
    slices = plan.slices("node2")
    assert all(lease.address in slices[lease.interface] for lease in leases)
    assert [sum(lease.interface == name for lease in leases) for name in slices] == [3, 3]


def test_slices_of_nodes_do_not_overlap() -> None:
    every = [each for host in plan.node_hosts(plan.MOST_NODES) for each in plan.slices(host.name).values()]
    assert len(set(every)) == len(every) == plan.MOST_NODES * len(plan.SHARED_INTERFACES)
    assert all(each.subnet_of(plan.VSWITCHES["vsw-lab-a"]) for each in every)
    assert all(host.address.ip not in each for host in plan.node_hosts(plan.MOST_NODES) for each in every)


def test_only_groups_other_than_the_default_one_are_filtered() -> None:
    addresses = exclusive()
    plain = addresses.give("c1", "node1", "space", "plain", Wish())
    assert "drop" not in ruleset([plain])
    member = addresses.give("c2", "node2", "space", "member", CLOSED)
    rules = ruleset([plain, member])
    assert f"ip saddr != {{ {member.address} }} ip daddr {{ {member.address} }} drop" in rules
    assert str(plain.address) not in rules


@pytest.mark.lab
def test_the_filters_are_what_nft_understands() -> None:
    lease = exclusive().give("c", "node1", "space", "member", CLOSED)
    command = ["unshare", "--net", "nft", "-f", "-"]
    done = subprocess.run(command, input=ruleset([lease]), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_objects_have_the_shape_that_is_read_of_terways() -> None:
    addresses = exclusive()
    lease = addresses.give("c", "node1", "space", "set-0", Wish("mine", plan.SPARE_VSWITCH, ("sg-1",), fixed=True))
    (read,) = terway.read_pod_eni(pod_eni(lease))
    assert (read.pod, read.kind, read.vswitch, read.groups, read.fixed) == (
        "space/set-0",
        terway.SECONDARY,
        plan.SPARE_VSWITCH,
        ("sg-1",),
        True,
    )
    assert terway.within(str(lease.address), read.vswitch_ranges)
    assert read.addresses == (str(lease.address),)
    shared = Addresses("shared", 9).give("c", "node1", "space", "pod", Wish())
    found = terway.read_node(node_resource("node1", [shared], Cloud(interfaces="shared", datapath="veth")))
    assert [each.pods for each in found if each.pods] == [{str(shared.address): "space/pod"}]
    assert all(ip_address(shared.address) and terway.within(str(shared.address), each.vswitch_ranges) for each in found)


class Networkings:
    """An API server that keeps one PodNetworking, and one pod that this selects."""

    def __init__(self) -> None:
        selector = {"podSelector": {"matchLabels": {"net": "mine"}}}
        spec = {"selector": selector, "vSwitchOptions": [plan.SPARE_VSWITCH]}
        self.kept: dict[str, Any] = {"metadata": {"name": "mine", "uid": "1", "resourceVersion": "7"}, "spec": spec}

    def list_cluster_custom_object(self, *_: str, **__: object) -> dict[str, Any]:
        return {"items": [self.kept]}

    def replace_cluster_custom_object(self, *where: Any, **_: object) -> None:
        *_, name, body = where
        assert (name, body["metadata"]) == ("mine", self.kept["metadata"])
        self.kept = body

    def read_namespaced_pod(self, *_: str, **__: object) -> SimpleNamespace:
        return SimpleNamespace(metadata=SimpleNamespace(labels={"net": "mine"}))

    def read_namespace(self, *_: str, **__: object) -> SimpleNamespace:
        return SimpleNamespace(metadata=SimpleNamespace(labels={}))


def test_a_pod_networking_selects_pods_only_once_it_is_ready_a_look_after_it_was_seen(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    server = Networkings()
    monkeypatch.setattr("lab.cloud.terway.client.CoreV1Api", lambda _: server)
    monkeypatch.setattr("lab.cloud.terway.client.CustomObjectsApi", lambda _: server)
    objects = Objects(None, Cloud(interfaces="exclusive"), 1)
    seen = objects.ready_networkings(set())
    assert (seen, objects.wish("space", "pod")) == ({"1"}, Wish())
    objects.ready_networkings(seen)
    assert server.kept["status"]["status"] == terway.READY
    assert objects.wish("space", "pod").vswitch == plan.SPARE_VSWITCH
    assert objects.ready_networkings(seen) == set()


class Table:
    """A routing table that is only looked at."""

    def __init__(self) -> None:
        self.routes: dict[str, str] = {}

    def get_routes(self, **_: Any) -> list[Any]:
        return []

    def route(self, command: str, *, dst: str, gateway: str = "", **_: Any) -> None:
        assert command == "replace"
        self.routes[dst] = gateway


def test_a_route_table_has_room_for_its_quota_of_nodes_and_the_others_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    table, told = Table(), {}

    class Ip:
        def __enter__(self) -> Table:
            return table

        def __exit__(self, *_: object) -> None:
            pass

    monkeypatch.setattr(routes, "IPRoute", Ip)

    def patch(name: str, body: dict[str, Any]) -> None:
        (condition,) = body["status"]["conditions"]
        told[name] = condition["status"], condition["message"]

    def node(number: int) -> Any:
        return SimpleNamespace(
            metadata=SimpleNamespace(name=f"node{number}", creation_timestamp=number),
            spec=SimpleNamespace(pod_cidr=f"10.244.{number}.0/24"),
            status=SimpleNamespace(addresses=[SimpleNamespace(type="InternalIP", address=f"172.30.0.1{number}")]),
        )

    kept = routes.Routes(SimpleNamespace(patch_node_status=patch), "vpc", 2)
    kept.set([node(3), node(1), node(2)])
    assert table.routes == {"10.244.1.0/24": "172.30.0.11", "10.244.2.0/24": "172.30.0.12"}
    assert [told[f"node{number}"][0] for number in (1, 2, 3)] == ["False", "False", "True"]
    assert "its quota is 2 routes" in told["node3"][1]
