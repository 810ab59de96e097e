"""Who answered whom, who holds which address, and how both are told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from fixtures.answers import Answers, Refusals
from fixtures.churn import History
from fixtures.cluster import Node, PodFacts, shared_addresses
from netassay.errors import HarnessFault, NetworkFault
from netassay.fleet import LocalProbe
from netassay.observation import Attempt, Observation, Outcome, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator

SOURCE = LocalProbe(["never", "started"], name="probe-1", node="node-1")


@pytest.fixture(scope="module", autouse=True)
def _end_of_the_source() -> Iterator[None]:
    yield
    SOURCE.close()


def observed(outcome: Outcome = Outcome.OPEN, by: str = "", host: str = "10.96.0.7") -> Observation:
    attempt = Attempt(protocol=Protocol.TCP, host=host, port=8080)
    return Observation(source="probe-1", source_node="node-1", attempt=attempt, outcome=outcome, answered_by=by)


def answers(*row: Observation, backends: tuple[str, ...] = ("a", "b"), every: bool = True) -> Answers:
    return Answers("Service web", {SOURCE: row}, backends, every=every)


def test_every_backend_and_nobody_else_is_to_answer() -> None:
    assert answers(observed(by="a"), observed(by="b")).ready()
    assert not answers(observed(by="a"), observed(by="a")).ready()
    assert not answers(observed(by="a"), observed(by="b"), observed(by="c")).ready()
    assert not answers(observed(by="a"), observed(by="b"), observed(Outcome.TIMED_OUT)).ready()


def test_one_flow_is_answered_by_any_of_the_backends() -> None:
    assert answers(observed(by="a"), every=False).ready()
    assert not answers(observed(by="c"), every=False).ready()


def test_each_address_of_the_target_is_judged_by_itself() -> None:
    on = [observed(by="a", host="172.30.0.11"), observed(Outcome.REFUSED, host="172.30.0.12")]
    found = answers(*on, backends=("a",))
    assert not found.ready()
    first, second = found.describe().splitlines()
    assert "172.30.0.12:8080: 1 refused  ← not as it should be" in first
    assert second.endswith("172.30.0.11:8080: 1 answered by a")


def test_an_attempt_without_a_verdict_is_no_look() -> None:
    with pytest.raises(HarnessFault, match="no verdict"):
        answers(observed(Outcome.NO_VERDICT))


def test_silence_is_no_refusal() -> None:
    assert Refusals({SOURCE: [observed(Outcome.REFUSED), observed(Outcome.UNREACHABLE)]}).ready()
    assert not Refusals({SOURCE: [observed(Outcome.REFUSED), observed(Outcome.TIMED_OUT)]}).ready()


def pod(name: str, address: str, **more: Any) -> PodFacts:
    meta = {"name": name, "namespace": "default", "uid": f"uid-{name}"}
    return PodFacts({"metadata": meta, "spec": {"nodeName": "node-1"}, "status": {"podIPs": [{"ip": address}], **more}})


def test_pods_with_one_address_are_found() -> None:
    pods = [pod("a", "10.0.0.1"), pod("b", "10.0.0.2"), pod("c", "10.0.0.1")]
    shared = shared_addresses(pods)
    assert [str(holder) for holder in shared["10.0.0.1"]] == ["default/a (node-1)", "default/c (node-1)"]
    assert list(shared) == ["10.0.0.1"]


def test_an_overlap_in_time_is_a_finding_once_it_is_steady() -> None:
    history = History()
    both = [pod("a", "10.0.0.1"), pod("b", "10.0.0.1")]
    for look in ([both[0]], both, [both[1]]):
        history.add(look)
    history.require_no_overlap()
    assert history.reused == 1
    history.add(both)
    history.add(both)
    with pytest.raises(NetworkFault, match=r"default/a .* and default/b"):
        history.require_no_overlap()


def test_a_node_owns_its_ranges_of_both_families() -> None:
    node = Node({"metadata": {"name": "n"}, "spec": {"podCIDRs": ["10.244.1.0/24", "fd00:1::/64"]}, "status": {}})
    assert node.owns("10.244.1.7")
    assert node.owns("fd00:1::7")
    assert not node.owns("10.244.2.7")
