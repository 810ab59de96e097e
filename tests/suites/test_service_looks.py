"""What looks at Services make of what they see: per source, of addresses, and of who is at work on load balancers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from fixtures.allocation import misplaced
from fixtures.answers import CLOSED, Answers, Refusals
from fixtures.cluster import Node
from fixtures.load_balancers import Status, found_elsewhere
from fixtures.node_health import NOT_SERVING, SERVING, Health
from netassay.errors import HarnessFault
from netassay.fleet import LocalProbe
from netassay.observation import Attempt, Observation, Outcome, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator

NEAR = LocalProbe(["never", "started"], name="near", node="node-1", addresses=("10.0.0.1",))
FAR = LocalProbe(["never", "started"], name="far", node="node-2", addresses=("10.0.1.1",))
SERVICE_CIDR = "10.96.0.0/16"


@pytest.fixture(scope="module", autouse=True)
def _end_of_the_sources() -> Iterator[None]:
    yield
    NEAR.close()
    FAR.close()


def observed(outcome: Outcome = Outcome.OPEN, by: str = "", *, saw: str = "", error: str = "") -> Observation:
    attempt = Attempt(protocol=Protocol.HTTP, host="172.30.0.11", port=8080)
    return Observation(
        source="near",
        source_node="node-1",
        attempt=attempt,
        outcome=outcome,
        answered_by=by,
        seen_address=saw,
        error=error,
    )


def test_each_source_may_have_backends_of_its_own() -> None:
    own = {NEAR: ["a"], FAR: ["b"]}
    assert Answers("Service web", {NEAR: [observed(by="a")], FAR: [observed(by="b")]}, own).ready()
    crossed = Answers("Service web", {NEAR: [observed(by="b")], FAR: [observed(by="b")]}, own)
    assert not crossed.ready()
    assert crossed.describe().splitlines()[0].endswith("1 answered by b  ← not as it should be: a")


def test_a_source_without_backends_is_not_to_get_through() -> None:
    own: dict[Any, list[str]] = {NEAR: ["a"], FAR: []}
    assert Answers("Service web", {NEAR: [observed(by="a")], FAR: [observed(Outcome.TIMED_OUT)]}, own).ready()
    leaking = Answers("Service web", {NEAR: [observed(by="a")], FAR: [observed(by="a")]}, own)
    assert not leaking.ready()
    assert "not to get through" in leaking.describe()
    with pytest.raises(HarnessFault, match="no verdict"):
        Answers("Service web", {FAR: [observed(Outcome.NO_VERDICT)]}, {FAR: []})


def test_a_client_may_have_to_be_seen_as_itself() -> None:
    own = {NEAR: ["10.0.0.1", "10.244.0.1"]}
    for address in own[NEAR]:
        assert Answers("Service web", {NEAR: [observed(by="a", saw=address)]}, ["a"], clients=own).ready()
    masked = Answers("Service web", {NEAR: [observed(by="a", saw="172.30.0.11")]}, ["a"], clients=own)
    assert not masked.ready()
    assert "which saw 172.30.0.11  ← not as it should be: a, and to have seen 10.0.0.1" in masked.describe()


def test_closed_may_be_silent_but_not_open() -> None:
    assert Refusals({NEAR: [observed(Outcome.TIMED_OUT), observed(Outcome.REFUSED)]}, how=CLOSED).ready()
    assert not Refusals({NEAR: [observed(Outcome.TIMED_OUT), observed()]}, how=CLOSED).ready()
    assert Outcome.NO_VERDICT not in CLOSED


@pytest.mark.parametrize(
    ("address", "ranges", "wrong"),
    [
        ("10.96.3.4", [SERVICE_CIDR], ""),
        ("10.97.0.1", [SERVICE_CIDR], "it is not in 10.96.0.0/16"),
        ("10.97.0.1", [SERVICE_CIDR, "10.97.0.0/24"], ""),
        ("fd00::1", [SERVICE_CIDR], "it is not in 10.96.0.0/16"),
        ("10.244.1.9", [SERVICE_CIDR], "it is in the pod range of n"),
        ("172.30.0.11", [SERVICE_CIDR], "it is the address of n"),
        ("10.96.3.4", [], ""),
        ("10.95.255.255", [], "it is below 10.96.0.1, the first of the range"),
    ],
)
def test_a_cluster_ip_is_from_the_service_range(address: str, ranges: list[str], wrong: str) -> None:
    node = Node(
        {
            "metadata": {"name": "n"},
            "spec": {"podCIDRs": ["10.244.1.0/24"]},
            "status": {"addresses": [{"type": "InternalIP", "address": "172.30.0.11"}]},
        }
    )
    assert misplaced(address, ranges=ranges, first="10.96.0.1", nodes=[node]) == wrong


def service(*, ingress: list[dict[str, str]] | None = None, **meta: Any) -> dict[str, Any]:
    status = {"loadBalancer": {"ingress": ingress} if ingress else {}}
    return {"metadata": {"name": "lb", "namespace": "a", **meta}, "status": status}


def test_signs_of_somebody_at_work_on_a_load_balancer() -> None:
    assert not Status(service(), []).signs
    endpoints = {"reason": "FailedToUpdateEndpointSlices", "source": {"component": "endpoint-slice-controller"}}
    assert not Status(service(), [endpoints]).signs
    event = {"reason": "AllocationFailed", "message": "no pool", "source": {"component": "metallb-controller"}}
    assert Status(service(), [event]).signs == ["event AllocationFailed: no pool"]
    assert Status(service(finalizers=["service.kubernetes.io/load-balancer-cleanup"]), []).signs
    assert Status(service(annotations={"vendor/id": "7"}), []).signs


def test_an_address_or_a_name_is_given() -> None:
    assert Status(service(ingress=[{"ip": "192.0.2.7"}]), []).addresses == ["192.0.2.7"]
    assert Status(service(ingress=[{"hostname": "lb.example.com"}]), []).addresses == ["lb.example.com"]
    assert Status(service(ingress=[{"ip": "192.0.2.7", "ipMode": "Proxy"}]), []).is_proxy
    assert not Status(service(ingress=[{"ip": "192.0.2.7", "ipMode": "VIP"}]), []).is_proxy


@pytest.mark.parametrize("pod", ["metallb-system/speaker-x", "kube-system/svclb-web-x", "kube-system/kube-vip-ds-x"])
def test_an_implementation_that_runs_is_not_absent(pod: str) -> None:
    namespace, _, name = pod.partition("/")
    usual = [{"metadata": {"name": "coredns-x", "namespace": "kube-system"}}]
    assert not found_elsewhere([service()], usual)
    assert found_elsewhere([service()], [*usual, {"metadata": {"name": name, "namespace": namespace}}]) == [pod]
    assert found_elsewhere([service(ingress=[{"ip": "192.0.2.7"}])], usual) == ["a/lb"]


def test_a_node_is_healthy_only_if_it_says_so() -> None:
    assert Health({NEAR: [observed(error=SERVING)]}, {"172.30.0.11": SERVING}).ready()
    assert Health({NEAR: [observed(error="HTTP 503")]}, {"172.30.0.11": NOT_SERVING}).ready()
    wrong = Health({NEAR: [observed(error="HTTP 503")]}, {"172.30.0.11": SERVING})
    assert not wrong.ready()
    assert wrong.describe().endswith("← should be HTTP 200")
    assert not Health({NEAR: [observed(Outcome.REFUSED)]}, {"172.30.0.11": NOT_SERVING}).ready()
