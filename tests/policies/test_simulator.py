"""The simulator, field by field: what each part of a NetworkPolicy means, and what it says of its reasons."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from netassay.errors import HarnessFault
from netassay.policies.model import ContainerPort, Flow, Namespace, Outside, Pod
from netassay.policies.selectors import matches
from netassay.policies.simulator import Simulator
from tests.policies.worlds import (
    DB,
    NAMESPACES,
    RAT,
    TILL,
    VAULT,
    WEB,
    expression,
    labels,
    policy,
    rule_on,
    sources_of,
    targets_of,
)

EVERYBODY = {"db", "till", "vault", "rat"}
HOST = Outside("outside", ("192.0.2.7",))


def ingress(*peers: dict[str, Any], **rest: Any) -> dict[str, Any]:
    return policy(selector=labels(app="web"), ingress=[{"from": list(peers)}], **rest)


@pytest.mark.parametrize(
    ("selector", "matching"),
    [
        ({}, {"empty", "a", "ab"}),
        ({"matchLabels": None, "matchExpressions": None}, {"empty", "a", "ab"}),
        (labels(x="a"), {"a", "ab"}),
        (labels(x="a", y="b"), {"ab"}),
        (labels(x="b"), set()),
        (expression("x", "In", "a", "b"), {"a", "ab"}),
        (expression("x", "In"), set()),
        (expression("x", "NotIn", "a"), {"empty"}),
        (expression("y", "NotIn", "c"), {"empty", "a", "ab"}),
        (expression("y", "Exists"), {"ab"}),
        (expression("y", "DoesNotExist"), {"empty", "a"}),
        ({**labels(x="a"), **expression("y", "DoesNotExist")}, {"a"}),
        (
            {
                "matchExpressions": [
                    *expression("x", "Exists")["matchExpressions"],
                    *expression("y", "In", "b")["matchExpressions"],
                ]
            },
            {"ab"},
        ),
    ],
)
def test_selectors(selector: dict[str, Any], matching: set[str]) -> None:
    known: dict[str, dict[str, str]] = {"empty": {}, "a": {"x": "a"}, "ab": {"x": "a", "y": "b"}}
    assert {name for name, has in known.items() if matches(selector, has)} == matching


def test_an_unknown_operator_is_a_mistake() -> None:
    with pytest.raises(HarnessFault, match="operator 'Near'"):
        matches(expression("x", "Near", "a"), {"x": "a"})


def test_without_policies_everything_is_open() -> None:
    ruling = rule_on([], RAT, WEB)
    assert ruling.open
    assert ruling.reason == "no policy isolates lab/rat for egress; no policy isolates shop/web for ingress"


def test_a_policy_isolates_the_pods_that_it_selects_and_only_for_ingress() -> None:
    deny = policy(selector=labels(app="web"))
    assert sources_of([deny], WEB) == set()
    assert targets_of([deny], WEB) == EVERYBODY
    assert sources_of([deny], DB) == {"web", "till", "vault", "rat"}
    assert sources_of([deny], TILL) == {"web", "db", "vault", "rat"}, "of the same labels, in another namespace"
    ruling = rule_on([deny], RAT, WEB)
    assert ruling.reason == "ingress of shop/web is isolated by shop/p, and nothing allows it"


def test_an_empty_selector_selects_the_whole_namespace_and_no_other() -> None:
    deny = policy(policyTypes=["Ingress", "Egress"])
    assert sources_of([deny], DB) == set()
    assert targets_of([deny], DB) == set()
    assert sources_of([deny], TILL) == {"vault", "rat"}
    bare = {"metadata": {"namespace": "shop", "name": "bare"}}
    assert sources_of([bare], DB) == set()


@pytest.mark.parametrize(
    ("spec", "isolated"),
    [
        ({}, {"ingress"}),
        ({"policyTypes": None, "ingress": None}, {"ingress"}),
        ({"policyTypes": []}, {"ingress"}),
        ({"policyTypes": ["Ingress"]}, {"ingress"}),
        ({"policyTypes": ["Egress"]}, {"egress"}),
        ({"policyTypes": ["Ingress", "Egress"]}, {"ingress", "egress"}),
        ({"egress": [{"ports": [{"port": 9}]}]}, {"ingress", "egress"}),
        ({"egress": []}, {"ingress"}),
        ({"policyTypes": ["Ingress"], "egress": [{"ports": [{"port": 9}]}]}, {"ingress"}),
        ({"policyTypes": ["Egress"], "ingress": [{"ports": [{"port": 9}]}]}, {"egress"}),
    ],
)
def test_policy_types_and_their_defaults(spec: dict[str, Any], isolated: set[str]) -> None:
    policies = [policy(selector=labels(app="web"), **spec)]
    assert ("ingress" in isolated) == (sources_of(policies, WEB) == set())
    assert ("egress" in isolated) == (targets_of(policies, WEB) == set())


@pytest.mark.parametrize("peers", [{}, {"from": None}, {"from": []}])
def test_a_rule_without_peers_allows_everybody(peers: dict[str, Any]) -> None:
    policies = [policy(selector=labels(app="web"), ingress=[peers])]
    assert sources_of(policies, WEB) == EVERYBODY
    ruling = rule_on(policies, RAT, WEB)
    assert ruling.reason == "no policy isolates lab/rat for egress; ingress is allowed by shop/p"
    assert rule_on(policies, HOST, WEB).open


@pytest.mark.parametrize(
    ("peer", "reaching"),
    [
        ({"podSelector": {}}, {"db"}),
        ({"podSelector": labels(app="db")}, {"db"}),
        ({"podSelector": labels(app="vault")}, set()),
        ({"namespaceSelector": {}}, EVERYBODY),
        ({"namespaceSelector": labels(team="green")}, {"till", "vault"}),
        ({"namespaceSelector": expression("team", "DoesNotExist")}, {"rat"}),
        ({"namespaceSelector": labels(team="green"), "podSelector": labels(tier="back")}, {"vault"}),
        ({"namespaceSelector": {}, "podSelector": labels(tier="back")}, {"db", "vault"}),
        ({"namespaceSelector": labels(team="green"), "podSelector": {}}, {"till", "vault"}),
        ({"namespaceSelector": labels(team="blue"), "podSelector": {}}, set()),
        ({"ipBlock": {"cidr": "10.0.0.0/8"}}, EVERYBODY),
        ({"ipBlock": {"cidr": "0.0.0.0/0", "except": None}}, EVERYBODY),
        ({"ipBlock": {"cidr": "10.2.0.0/16"}}, {"till", "vault"}),
        ({"ipBlock": {"cidr": "10.2.0.0/16", "except": ["10.2.0.3/32"]}}, {"vault"}),
        ({"ipBlock": {"cidr": "10.0.0.0/8", "except": ["10.2.0.0/24", "10.3.0.0/24"]}}, {"db"}),
        ({"ipBlock": {"cidr": "fd00::/8"}}, set()),
    ],
)
def test_peers_both_ways(peer: dict[str, Any], reaching: set[str]) -> None:
    assert sources_of([ingress(peer)], WEB) == reaching
    egress = policy(selector=labels(app="web"), policyTypes=["Egress"], egress=[{"to": [peer]}])
    assert targets_of([egress], WEB) == reaching
    assert sources_of([egress], WEB) == EVERYBODY


def test_several_peers_and_several_rules_add_up() -> None:
    green, back = {"namespaceSelector": labels(team="green")}, {"podSelector": labels(tier="back")}
    assert sources_of([ingress(green, back)], WEB) == {"till", "vault", "db"}
    assert sources_of([ingress(green | back)], WEB) == {"vault"}
    two = policy(ingress=[{"from": [green], "ports": [{"port": 80}]}, {"from": [back], "ports": [{"port": 81}]}])
    assert sources_of([two], WEB, 80) == {"till", "vault"}
    assert sources_of([two], WEB, 81) == {"db"}


def test_blocks_of_the_other_family_match_the_address_of_that_family() -> None:
    policies = [ingress({"ipBlock": {"cidr": "fd00::/16", "except": ["fd00::2/128"]}})]
    assert rule_on(policies, RAT, WEB, family=6).open
    assert not rule_on(policies, DB, WEB, family=6).open
    assert not rule_on(policies, RAT, WEB, family=4).open


@pytest.mark.parametrize(
    ("ports", "allowed"),
    [
        (None, {"TCP 53", "UDP 53", "TCP 80", "TCP 8080", "UDP 80"}),
        ([], {"TCP 53", "UDP 53", "TCP 80", "TCP 8080", "UDP 80"}),
        ([{}], {"TCP 53", "TCP 80", "TCP 8080"}),
        ([{"protocol": "UDP"}], {"UDP 53", "UDP 80"}),
        ([{"protocol": "SCTP"}], set()),
        ([{"port": 80}], {"TCP 80"}),
        ([{"port": 53, "protocol": "UDP"}], {"UDP 53"}),
        ([{"port": 53, "protocol": None}, {"port": 80, "protocol": "UDP"}], {"TCP 53", "UDP 80"}),
        ([{"port": 53, "endPort": 80}], {"TCP 53", "TCP 80"}),
        ([{"port": 80, "endPort": 80}], {"TCP 80"}),
        ([{"port": 81, "endPort": 8080}], {"TCP 8080"}),
        ([{"port": 1, "endPort": 79, "protocol": "UDP"}], {"UDP 53"}),
        ([{"port": "web"}], {"TCP 80", "TCP 8080"}),
        ([{"port": "dns", "protocol": "UDP"}], {"UDP 53"}),
        ([{"port": "dns"}], set()),
        ([{"port": "dns-tcp"}], {"TCP 53"}),
        ([{"port": "gopher"}], set()),
    ],
)
def test_ports_both_ways(ports: list[dict[str, Any]] | None, allowed: set[str]) -> None:
    into = policy(selector=labels(app="db"), ingress=[{"ports": ports}])
    out = policy(namespace="lab", policyTypes=["Egress"], egress=[{"ports": ports}])
    tried = [("TCP", 53), ("UDP", 53), ("TCP", 80), ("TCP", 8080), ("UDP", 80)]
    for policies in ([into], [out], [into, out]):
        seen = {f"{t} {number}" for t, number in tried if rule_on(policies, RAT, DB, number, t).open}  # type: ignore[arg-type]
        assert seen == allowed


def test_a_name_is_looked_up_in_the_target_whichever_way() -> None:
    nameless = replace(DB, ports=())
    renamed = replace(DB, ports=(ContainerPort("web", 9),))
    into = policy(ingress=[{"ports": [{"port": "web"}]}])
    out = policy(namespace="lab", policyTypes=["Egress"], egress=[{"ports": [{"port": "web"}]}])
    for policies in ([into], [out]):
        assert not rule_on(policies, RAT, nameless, 80).open
        assert rule_on(policies, RAT, renamed, 9).open
        assert not rule_on(policies, RAT, renamed, 80).open
    assert not rule_on([out], RAT, HOST, 80).open, "a host outside names no ports"
    assert rule_on([out], RAT, WEB, 80).open


def test_both_ends_must_let_a_flow_through() -> None:
    deny_out = policy(namespace="lab", name="out", policyTypes=["Egress"])
    allow_in = policy(name="in", ingress=[{}])
    ruling = rule_on([deny_out, allow_in], RAT, WEB)
    assert not ruling.open
    assert ruling.ingress.open
    assert ruling.reason == "egress of lab/rat is isolated by lab/out, and nothing allows it"
    both = rule_on([deny_out, policy(name="in")], RAT, WEB)
    assert both.reason == (
        "egress of lab/rat is isolated by lab/out, and nothing allows it; "
        "ingress of shop/web is isolated by shop/in, and nothing allows it"
    )


def test_policies_add_up_and_the_reason_names_those_that_allow() -> None:
    deny, allow = policy(name="deny"), ingress({"namespaceSelector": {}}, name="allow")
    ruling = rule_on([deny, allow], RAT, WEB)
    assert ruling.open
    assert ruling.ingress.isolating == ("shop/deny", "shop/allow")
    assert ruling.ingress.allowing == ("shop/allow",)
    assert not rule_on([deny, allow], RAT, DB).open


def test_a_pod_reaches_itself_whatever_policies_say() -> None:
    deny = policy(policyTypes=["Ingress", "Egress"])
    ruling = rule_on([deny], WEB, WEB)
    assert ruling.open
    assert ruling.reason == "shop/web cannot be kept from itself"


def test_a_node_and_its_own_pods_cannot_be_kept_apart() -> None:
    deny = policy(policyTypes=["Ingress", "Egress"])
    for own in (Outside("n1", ("172.30.0.11",), node="n1"), replace(VAULT, host_network=True)):
        assert rule_on([deny], own, WEB).open
        assert rule_on([deny], WEB, own).open
        assert "n1" in rule_on([deny], WEB, own).reason
        assert not rule_on([deny], own, DB).open, "on another node"
    assert not rule_on([deny], VAULT, WEB).open, "on the same node, but with an address of its own"
    assert not rule_on([deny], HOST, replace(WEB, node="")).open


def test_pods_in_their_nodes_network_are_isolated_by_nothing_and_known_by_address_only() -> None:
    agent = replace(TILL, host_network=True, addresses=("172.30.0.12",))
    assert rule_on([policy(namespace="bank")], RAT, agent).open
    assert not rule_on([ingress({"namespaceSelector": {}})], agent, WEB).open
    assert rule_on([ingress({"ipBlock": {"cidr": "172.30.0.0/16"}})], agent, WEB).open


def test_hosts_outside_are_known_by_address_only() -> None:
    assert not rule_on([ingress({"namespaceSelector": {}})], HOST, WEB).open
    assert rule_on([ingress({"ipBlock": {"cidr": "192.0.2.0/24"}})], HOST, WEB).open
    assert not rule_on([ingress({"ipBlock": {"cidr": "192.0.2.0/24", "except": ["192.0.2.0/29"]}})], HOST, WEB).open


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ({"from": [{}]}, "a peer without any selector"),
        ({"from": [{"ipBlock": {"cidr": "10.0.0.0/8"}, "podSelector": {}}]}, "ipBlock and a selector"),
        ({"from": [{"ipBlock": {"cidr": "10.0.0.0/8"}, "namespaceSelector": {}}]}, "ipBlock and a selector"),
        ({"ports": [{"endPort": 80}]}, "endPort without a port number"),
        ({"ports": [{"port": "web", "endPort": 80}]}, "endPort without a port number"),
    ],
)
def test_what_the_api_refuses_is_a_mistake(rule: dict[str, Any], words: str) -> None:
    with pytest.raises(HarnessFault, match=f"shop/p has .*{words}"):
        Simulator([policy(ingress=[rule])], NAMESPACES)


def test_flows_that_cannot_be_are_mistakes() -> None:
    with pytest.raises(HarnessFault, match="outside has no IPv6 address"):
        rule_on([], WEB, HOST, family=6)
    with pytest.raises(HarnessFault, match="moon/man is in a namespace that the simulator was not told of"):
        rule_on([], Pod("moon", "man", addresses=("10.9.0.1",)), WEB)


def test_objects_are_read_as_the_api_returns_them() -> None:
    manifest = {
        "metadata": {"namespace": "shop", "name": "web"},
        "spec": {
            "nodeName": "n1",
            "hostNetwork": True,
            "containers": [
                {"ports": [{"name": "web", "containerPort": 80}, {"containerPort": 81, "protocol": "UDP"}]},
                {"ports": [{"name": "dns", "containerPort": 53, "protocol": "UDP"}]},
                {},
            ],
        },
        "status": {"podIPs": [{"ip": "10.1.0.1"}, {"ip": "fd00::1"}]},
    }
    ports = (ContainerPort("web", 80), ContainerPort("dns", 53, "UDP"))
    assert Pod.from_api(manifest) == Pod("shop", "web", {}, ("10.1.0.1", "fd00::1"), "n1", ports, host_network=True)
    young = {"metadata": {"namespace": "shop", "name": "web", "labels": {"app": "web"}}, "spec": {}}
    assert Pod.from_api(young) == Pod("shop", "web", {"app": "web"})
    assert Namespace.from_api({"metadata": {"name": "shop"}}) == Namespace("shop")
    assert Flow(WEB, DB, "TCP", 80).family == 4
