"""Traffic in a cluster of many nodes: what is planned is tried, what is not is left out, and the check says so."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from fixtures.pairs import plan_of_run
from fixtures.traffic import Traffic
from netassay.errors import NetworkFault
from netassay.observation import Attempt, Observation, Outcome, Protocol
from netassay.sampling import plan

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from netassay.sampling import Plan

NODES = [f"node-{number:03}" for number in range(100)]
ZONES = {"zone": {node: f"zone-{node[-1] < '5'}" for node in NODES}}


class Pod(SimpleNamespace):
    """As much of a probe as traffic needs."""

    __hash__ = object.__hash__


class Network:
    """Answers everything, but for what the node `broken` has to do with."""

    def __init__(self, broken: str = "") -> None:
        self.broken, self.made = broken, 0
        self.pods = [
            Pod(name=f"pod-{node}", node=node, address=f"10.0.{number}.2", ports={"tcp": 8080})
            for number, node in enumerate(NODES)
        ]
        self._by_address = {pod.address: pod for pod in self.pods}

    def attempt_all(self, work: Mapping[Pod, Sequence[Attempt]]) -> dict[Pod, list[Observation]]:
        return {source: [self._one(source, attempt) for attempt in row] for source, row in work.items()}

    def _one(self, source: Pod, attempt: Attempt) -> Observation:
        self.made += 1
        target = self._by_address[attempt.host]
        lost = self.broken in (source.node, target.node) and source is not target
        return Observation(
            source=source.name,
            source_node=source.node,
            attempt=attempt,
            outcome=Outcome.TIMED_OUT if lost else Outcome.OPEN,
            answered_by="" if lost else target.name,
        )


class Said:
    """What a check has told its record."""

    def __init__(self) -> None:
        self.remarks: list[str] = []
        self.classes: list[Mapping[str, str] | None] = []

    def remark(self, text: str) -> None:
        self.remarks.append(text)

    def matrix(self, _title: str, _difference: object, classes: Mapping[str, str] | None) -> None:
        self.classes.append(classes)


def traffic(network: Network, said: Said, planned: Plan) -> Traffic:
    fleet: Any = network
    verdict: Any = said
    return Traffic(fleet, verdict, planned)


@pytest.mark.parametrize("broken", [NODES[0], NODES[57], NODES[99]])
def test_of_many_nodes_a_sample_is_tried_and_one_faulty_node_is_named(broken: str) -> None:
    network, said = Network(broken), Said()
    made = traffic(network, said, plan(NODES, classes=ZONES, per_node=4, full_up_to=50, seed=1))
    with pytest.raises(NetworkFault, match=r"cells wrong") as raised:
        made.all_to_all(network.pods, network.pods, Protocol.TCP).require()
    assert network.made == 100 * 4 + 100, "and every pod itself; every pair of zones is covered by these already"
    assert f"8 of {network.made} cells wrong" in str(raised.value)
    assert str(raised.value).count(f"pod-{broken} (") >= 8
    assert "not tried" in str(raised.value)
    assert said.classes == [ZONES["zone"]]
    assert said.remarks[0] == "500 of 10,000 pairs of pods or nodes were tried"
    assert "--pairs-per-node 4 --seed 1 tries the same again" in said.remarks[1]
    made.among(network.pods, network.pods)
    assert len(said.remarks) == 2, "it is said once"


def test_of_few_nodes_all_pairs_are_tried_and_nothing_needs_to_be_said() -> None:
    network, said = Network(), Said()
    made = traffic(network, said, plan(NODES, full_up_to=100))
    difference = made.all_to_all(network.pods, network.pods, Protocol.TCP)
    difference.require()
    assert (network.made, said.remarks, difference.sample) == (10_000, [], "")


def test_what_leads_to_a_few_is_tried_from_everywhere() -> None:
    network, said = Network(), Said()
    made = traffic(network, said, plan(NODES, per_node=4, full_up_to=50))
    made.all_to_all(network.pods, network.pods[:3], Protocol.TCP).require()
    assert (network.made, said.remarks) == (300, [])


def config(**options: Any) -> Any:
    usual = {"full_mesh_up_to": 50, "pairs_per_node": 4, "node_class": [], "run_id": "rabc", "seed": None}
    return SimpleNamespace(option=SimpleNamespace(**{**usual, **options}))


def nodes() -> list[Any]:
    labels = {"topology.kubernetes.io/zone": "a", "rack": ""}
    return [SimpleNamespace(name=name, labels={**labels, "rack": name[-1]}) for name in NODES]


def test_the_plan_of_a_run_is_the_same_in_all_its_workers_and_covers_classes_that_differ() -> None:
    modes = {name: "terway-eni" if name > NODES[90] else "terway-eniip" for name in NODES}
    made = plan_of_run(NODES, nodes(), lambda: modes, config(node_class=["rack"]))
    assert set(made.classes) == {"rack", "CNI mode"}, "all nodes are in one zone, and none says its instance type"
    assert made == plan_of_run(NODES, nodes(), lambda: modes, config(node_class=["rack"]))
    assert made.pairs != plan_of_run(NODES, nodes(), lambda: modes, config(node_class=["rack"], run_id="other")).pairs
    assert plan_of_run(NODES, nodes(), lambda: modes, config(seed=5)).seed == 5


def test_nobody_is_asked_for_modes_where_all_pairs_are_tried() -> None:
    def modes() -> Mapping[str, str]:
        raise AssertionError

    assert plan_of_run(NODES, nodes(), modes, config(full_mesh_up_to=100)).whole
