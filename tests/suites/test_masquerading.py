"""Whose address endpoints see: kube-proxy's settings excuse a node's, where the mode says a pod's."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from fixtures.cluster import Node
from fixtures.service_proxy import Masquerading
from netassay.errors import NetworkFault
from netassay.modes import load
from netassay.observation import Attempt, Observation, Outcome, Protocol
from netassay.service_proxy import ProxySettings
from suites.cni_modes import test_ways as ways
from tests.suites.skips import NotApplicableError, not_applicable
from tests.suites.test_choice_judged import in_hand

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from fixtures.verdicts import CheckInHand

ALL = ProxySettings("ConfigMap kube-system/kube-proxy", masquerade_all=True)
NONE = ProxySettings("ConfigMap kube-system/kube-proxy", cluster_ranges=("10.244.0.0/16",))
OUT_OF_RANGE = ProxySettings("ConfigMap kube-system/kube-proxy", cluster_ranges=("10.1.0.0/16",))


@pytest.fixture(autouse=True)
def never_skips(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("fixtures.pairs", "fixtures.service_proxy", "suites.cni_modes.test_ways"):
        monkeypatch.setattr(f"{module}.not_applicable", not_applicable)


class Pod(SimpleNamespace):
    def __hash__(self) -> int:
        return hash(self.name)

    def __repr__(self) -> str:
        return str(self.name)


def pod(place: int) -> Any:
    address = f"10.244.{place}.7"
    return Pod(name=f"pod-{place}", node=f"node{place}", address=address, addresses=(address,), ports={"tcp": 1})


PODS = [pod(1), pod(2)]
TUNNEL = "10.9.{}.0"
"""The address of each node's tunnel, which the API does not name."""

MADE = [
    {
        "metadata": {"name": f"node{n}"},
        "spec": {"podCIDRs": [f"10.244.{n}.0/24"]},
        "status": {"addresses": [{"type": "InternalIP", "address": f"192.0.2.{n}"}]},
    }
    for n in (1, 2)
]


def masquerading(settings: ProxySettings | None, mode: str = "flannel-vxlan") -> Masquerading:
    hosts: Any = [SimpleNamespace(node=f"node{n}", own_addresses=(f"192.0.2.{n}", TUNNEL.format(n))) for n in (1, 2)]
    return Masquerading(settings, [Node(manifest) for manifest in MADE], hosts, load(mode))


class Answers:
    """What endpoints see: pods' own addresses if called directly, else what is given of each caller's place."""

    def __init__(self, seen: Mapping[int, str]) -> None:
        self._seen = seen

    def each(self, work: Mapping[Any, Sequence[Attempt]]) -> dict[Any, list[Observation]]:
        return {
            caller: [
                Observation(
                    source=caller.name,
                    source_node=caller.node,
                    attempt=attempt,
                    outcome=Outcome.OPEN,
                    answered_by="pod-2" if caller.name == "pod-1" else "pod-1",
                    seen_address=self._seen[int(caller.node[-1])] if attempt.host == "service" else caller.address,
                )
                for attempt in attempts
            ]
            for caller, attempts in work.items()
        }


SERVICE: Any = SimpleNamespace(
    address="10.96.0.1",
    wait_for=lambda *_, **__: None,
    attempt=lambda _: Attempt(protocol=Protocol.TCP, host="service", port=80),
)
SERVICES: Any = SimpleNamespace(cluster_ip=lambda _: SERVICE)
ROUTES: Any = SimpleNamespace(lead=lambda *_: True)
PORT: Any = SimpleNamespace(over=Protocol.TCP)


def source(settings: ProxySettings | None, seen: Mapping[int, str], config: pytest.Config, mode: str) -> CheckInHand:
    verdict = in_hand("source-through-service", config)
    check = ways.test_endpoints_see_the_address_that_the_mode_says_through_a_service
    pods = cast("Any", PODS)
    check(SERVICES, pods, pods, cast("Any", Answers(seen)), masquerading(settings, mode), load(mode), PORT, verdict)
    return verdict


def through_node(
    settings: ProxySettings | None, seen: Mapping[int, str], config: pytest.Config, mode: str = "flannel-vxlan"
) -> CheckInHand:
    verdict = in_hand("service-through-node", config, absent=mode == "flannel-vxlan")
    pods = cast("Any", PODS)
    check = ways.test_what_pods_send_to_services_passes_their_node
    check(SERVICES, pods, pods, ROUTES, cast("Any", Answers(seen)), masquerading(settings, mode), verdict)
    return verdict


OWN = {n: f"10.244.{n}.7" for n in (1, 2)}
NODES = {n: f"192.0.2.{n}" for n in (1, 2)}
TUNNELS = {n: TUNNEL.format(n) for n in (1, 2)}


@pytest.mark.parametrize("settings", [ALL, OUT_OF_RANGE])
@pytest.mark.parametrize("seen", [NODES, TUNNELS, {**OWN, 2: "192.0.2.2"}], ids=["nodes", "tunnels", "one-node"])
def test_what_kube_proxy_masquerades_by_its_settings_is_not_the_modes_fault(
    settings: ProxySettings, seen: Mapping[int, str], pytestconfig: pytest.Config
) -> None:
    with pytest.raises(NotApplicableError, match=r"kube-proxy's to decide here: ConfigMap kube-system/kube-proxy"):
        source(settings, seen, pytestconfig, "flannel-vxlan")


@pytest.mark.parametrize("settings", [NONE, None])
def test_what_it_does_not_masquerade_by_them_is(settings: ProxySettings | None, pytestconfig: pytest.Config) -> None:
    with pytest.raises(NetworkFault, match=r"is seen under 192\.0\.2\.1, and should be under its pod's 10\.244\.1\.7"):
        source(settings, NODES, pytestconfig, "flannel-vxlan")


def test_a_stranger_is_no_node_and_is_not_excused(pytestconfig: pytest.Config) -> None:
    with pytest.raises(NetworkFault, match=r"is seen under 192\.0\.2\.9"):
        source(ALL, {**NODES, 1: "192.0.2.9"}, pytestconfig, "flannel-vxlan")
    with pytest.raises(NetworkFault, match=r"is seen under 192\.0\.2\.2"):
        source(ALL, {1: "192.0.2.2", 2: "192.0.2.2"}, pytestconfig, "flannel-vxlan")


def test_the_address_that_the_mode_says_is_right_whatever_kube_proxy_is_told(pytestconfig: pytest.Config) -> None:
    for settings in (NONE, ALL):
        assert not source(settings, OWN, pytestconfig, "flannel-vxlan").absence
    assert not source(ALL, NODES, pytestconfig, "terway-exclusive").absence
    with pytest.raises(NetworkFault, match="should be under its node's"):
        source(ALL, OWN, pytestconfig, "terway-exclusive")


def test_services_pass_the_node_by_the_modes_design_only_where_kube_proxy_is_not_told_to_have_them(
    pytestconfig: pytest.Config,
) -> None:
    for settings in (NONE, ALL):
        assert "not as its node" in through_node(settings, OWN, pytestconfig).absence
    assert not through_node(NONE, NODES, pytestconfig).absence
    with pytest.raises(NotApplicableError, match="kube-proxy's to decide here"):
        through_node(ALL, NODES, pytestconfig)
    assert not through_node(ALL, NODES, pytestconfig, "terway-exclusive").absence


def test_services_that_pass_some_nodes_only_are_a_finding_where_the_mode_says_that_they_pass_none(
    pytestconfig: pytest.Config,
) -> None:
    with pytest.raises(NetworkFault, match="1 of 2 are as they should be"):
        through_node(NONE, {**OWN, 2: "192.0.2.2"}, pytestconfig)


def test_on_one_node_there_is_nothing_to_be_seen(pytestconfig: pytest.Config) -> None:
    check = ways.test_what_pods_send_to_services_passes_their_node
    alone: Any = PODS[:1]
    verdict = in_hand("service-through-node", pytestconfig)
    with pytest.raises(NotApplicableError, match="there is one node only"):
        check(SERVICES, alone, alone, ROUTES, cast("Any", Answers(OWN)), masquerading(None), verdict)
