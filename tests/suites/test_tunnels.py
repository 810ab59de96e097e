"""Whether a tunnel is used: its links count the packets that pods send to other nodes, or they do not.

And what of the way's largest packets says that something is added to them.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from fixtures.tunnels import CONNECTIONS, Tunnel, Ways, miscounted, narrowed, small, unused, used, whole
from netassay.fleet.answers import Interface
from netassay.modes import load
from netassay.observation import Attempt, Observation, Outcome

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

NODES = ("node1", "node2")


class Pod(SimpleNamespace):
    """As much of a probe as is asked for here."""

    __hash__ = object.__hash__


class Network:
    """Two nodes with a tunnel, which carries what the pods of some of them send, and `others` in the meantime."""

    def __init__(self, *through_tunnel: str, others: int = 3) -> None:
        self.through_tunnel, self.sent, self.others = through_tunnel, dict.fromkeys(NODES, 7), others
        self.pods = [Pod(node=node, address=f"10.0.{place}.2", ports={"tcp": 8080}) for place, node in enumerate(NODES)]
        self.hosts = [Pod(node=node, interfaces=lambda node=node: self._links(node)) for node in NODES]

    def _links(self, node: str) -> Sequence[Interface]:
        # Whatever others send passes between any two looks: while the pods make connections, and while they do not.
        self.sent[node] += self.others
        usual: dict[str, Any] = {"index": 2, "peer_index": 2, "mtu": 1500, "mac": "", "state": "up"}
        return [
            Interface(name="eth0", sent=1000 * self.sent[node], **usual),
            Interface(name="tunnel0", kind="vxlan", sent=self.sent[node], **usual),
        ]

    def among(self, sources: Sequence[Pod], targets: Sequence[Pod]) -> list[tuple[Pod, Sequence[Pod]]]:
        return [(source, targets) for source in sources]

    def each(self, work: Mapping[Pod, Sequence[Attempt]]) -> dict[Pod, list[Observation]]:
        for source, row in work.items():
            self.sent[source.node] += 4 * len(row) if source.node in self.through_tunnel else 0
        return {source: [self._answered(source, attempt) for attempt in row] for source, row in work.items()}

    def _answered(self, source: Pod, attempt: Attempt) -> Observation:
        return Observation(source=source.node, source_node=source.node, attempt=attempt, outcome=Outcome.OPEN)


def told(network: Network, *, none: bool) -> list[str]:
    tunnels = tunnels_of(network)
    return used(tunnels) if none else unused(tunnels, "vxlan")


class Burst(Network):
    """As a network whose tunnel is left over, until others send as much as the pods do: once, while pods call."""

    def each(self, work: Mapping[Pod, Sequence[Attempt]]) -> dict[Pod, list[Observation]]:
        seen = super().each(work)
        self.through_tunnel = ()
        return seen


def tunnels_of(network: Network) -> Mapping[str, Sequence[Tunnel]]:
    as_known = cast("Any", network)
    return Ways(as_known.pods, as_known.hosts, as_known).tunnels()


@pytest.mark.parametrize(
    ("through_tunnel", "idle"),
    [(NODES, []), (("node1",), ["node2"]), ((), ["node1", "node2"])],
)
def test_a_tunnel_that_does_not_carry_what_a_node_sends_is_told(through_tunnel: Sequence[str], idle: list[str]) -> None:
    assert told(Network(*through_tunnel), none=False) == [
        f"{node}'s tunnel0 (vxlan) sent 3 packets while its pods made {CONNECTIONS} connections to others: "
        "they are not carried by it"
        for node in idle
    ]


@pytest.mark.parametrize("others", [0, 3, 50 * CONNECTIONS])
def test_a_tunnel_that_is_left_over_or_others_use_is_none_of_the_pods(others: int) -> None:
    assert not told(Network(others=others), none=True)


@pytest.mark.parametrize(("kind", "carries"), [(Burst, []), (Network, list(NODES))])
def test_what_a_tunnel_sends_once_by_chance_is_none_of_the_pods(kind: type[Network], carries: list[str]) -> None:
    network = cast("Any", kind(*NODES))
    tunnels = Ways(network.pods, network.hosts, network).tunnels_recounted()
    assert [link.node for found in tunnels.values() for link in found if link.carries] == carries


@pytest.mark.parametrize(("more", "carries"), [(3 * CONNECTIONS - 1, False), (3 * CONNECTIONS, True)])
def test_fewer_packets_than_connections_take_are_others(more: int, *, carries: bool) -> None:
    assert Tunnel("node1", "tunnel0", "vxlan", CONNECTIONS, sent=1000 + more, at_rest=1000).carries is carries


@pytest.mark.parametrize("others", [0, 3, 50 * CONNECTIONS])
def test_a_tunnel_that_carries_what_a_node_sends_is_told(others: int) -> None:
    assert told(Network("node2", others=others), none=True) == [
        f"node2's tunnel0 (vxlan) sent {4 * CONNECTIONS + others} packets while its pods made {CONNECTIONS} "
        f"connections to others, and {others} in as long a time without: it carries them"
    ]


def test_a_node_without_the_kind_of_tunnel_is_told() -> None:
    tunnels = tunnels_of(Network(*NODES))
    assert unused(tunnels, "geneve") == [f"{node} has no link of kind geneve, but tunnel0 (vxlan)" for node in NODES]


@pytest.mark.parametrize(
    ("size", "node", "pods", "is_narrowed", "is_whole"),
    [
        (1500, 1500, 1500, False, True),
        (1450, 1500, 1500, True, False),
        # Pods' links that are smaller by configuration: nothing is added, and so many are not the node's whole room.
        (1450, 1500, 1450, False, False),
        (1400, 1500, 1450, True, False),
    ],
)
def test_what_is_added_to_packets(size: int, node: int, pods: int, *, is_narrowed: bool, is_whole: bool) -> None:
    largest = {NODES: size}
    for here, there in (NODES, NODES[::-1]):
        # The other node takes larger packets, which are of no use to pods that this one sends to.
        node_mtus, pod_mtus = {here: node, there: 9000}, {here: pods, there: 9000}
        assert bool(narrowed(largest, node_mtus, pod_mtus)) is is_narrowed
        assert bool(whole(largest, node_mtus)) is is_whole
        assert [told.split(":")[0] for told in small(node_mtus, pod_mtus)] == (
            [f"pods on {here} have an MTU of {pods} bytes, and {here} one of {node}"] if pods < node else []
        )


@pytest.mark.parametrize(
    ("mode", "right"),
    [
        *(("flannel-vxlan", {2}), ("flannel-hostgw", {2}), ("flannel-alloc", {2, 3})),
        *(("terway-shared", {2, 3}), ("terway-exclusive", {0, 1}), ("generic", set(range(5)))),
    ],
)
def test_routers_of_the_cloud_may_show_and_others_are_told(mode: str, right: set[int]) -> None:
    assert {count for count in range(5) if not miscounted({NODES: count}, load(mode))} == right
