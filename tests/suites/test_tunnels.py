"""Whether a tunnel is used: its links count the packets that pods send to other nodes, or they do not."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from fixtures.tunnels import CONNECTIONS, Ways
from netassay.fleet.answers import Interface
from netassay.observation import Attempt, Observation, Outcome

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

NODES = ("node1", "node2")


class Pod(SimpleNamespace):
    """As much of a probe as is asked for here."""

    __hash__ = object.__hash__


class Network:
    """Two nodes with a tunnel, which carries what the pods of some of them send."""

    def __init__(self, *through_tunnel: str) -> None:
        self.through_tunnel, self.sent = through_tunnel, dict.fromkeys(NODES, 7)
        self.pods = [Pod(node=node, address=f"10.0.{place}.2", ports={"tcp": 8080}) for place, node in enumerate(NODES)]
        self.hosts = [Pod(node=node, interfaces=lambda node=node: self._links(node)) for node in NODES]

    def _links(self, node: str) -> Sequence[Interface]:
        usual: dict[str, Any] = {"index": 2, "peer_index": 2, "mtu": 1500, "mac": "", "state": "up"}
        return [
            Interface(name="eth0", sent=1000 * self.sent[node], **usual),
            Interface(name="tunnel0", kind="vxlan", sent=self.sent[node], **usual),
        ]

    def among(self, sources: Sequence[Pod], targets: Sequence[Pod]) -> list[tuple[Pod, Sequence[Pod]]]:
        return [(source, targets) for source in sources]

    def each(self, work: Mapping[Pod, Sequence[Attempt]]) -> dict[Pod, list[Observation]]:
        for source, row in work.items():
            self.sent[source.node] += len(row) if source.node in self.through_tunnel else 3
        return {source: [self._answered(source, attempt) for attempt in row] for source, row in work.items()}

    def _answered(self, source: Pod, attempt: Attempt) -> Observation:
        return Observation(source=source.node, source_node=source.node, attempt=attempt, outcome=Outcome.OPEN)


@pytest.mark.parametrize(
    ("through_tunnel", "idle"),
    [(NODES, []), (("node1",), ["node2"]), ((), ["node1", "node2"])],
)
def test_a_tunnel_that_does_not_carry_what_a_node_sends_is_told(through_tunnel: Sequence[str], idle: list[str]) -> None:
    network = cast("Any", Network(*through_tunnel))
    told = Ways(network.pods, network.hosts, network).idle("vxlan")
    assert told == [
        f"{node}'s links of kind vxlan sent 3 packets while its pods made {CONNECTIONS} connections to others: "
        "they do not carry them"
        for node in idle
    ]
