"""What becomes of flows under policies: replies, flows that are there already, and flows through a Service."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fixtures.expectations import require_closed, require_open, require_received
from netassay.observation import Outcome
from netassay.policies.case import Step
from netassay.policies.generator.words import labels, one_way, policy, rule, spaces

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fixtures.cluster import Node
    from fixtures.policies import Policies
    from fixtures.services import Services
    from fixtures.verdicts import CheckInHand

A = labels(app="a")

LOOKS = 3
"""Times that a closed path is tried, each beside its control."""


@pytest.mark.claim("policy-replies")
def test_replies_of_allowed_flows_pass(policies: Policies) -> None:
    """A pod that may send nothing of its own answers what it is asked, in full, over TCP and UDP."""
    only_in = policy(target=A, types=["ingress", "egress"], ingress=[rule("ingress")])
    asking, asked = policies.probe("green/b"), policies.probe("red/a")
    with policies.on_open_ground():
        policies.change(Step("everything was allowed into a pod, and nothing out of it", apply=(only_in,)))
        seen = [
            asking.tcp(asked.address, asked.ports["tcp"], payload=65536),
            asking.udp(asked.address, asked.ports["udp"], payload=1000),
        ]
        require_open(seen, by={asked.name})
        require_received(seen)


@pytest.mark.claim("policy-established")
def test_what_becomes_of_flows_that_are_there_already(policies: Policies, verdict: CheckInHand) -> None:
    """A policy may or may not end flows that it would not have let begin: the API leaves it open, so it is reported."""
    deny = Step("everything was denied to a pod", apply=(one_way("ingress", target=A),))
    asking, asked = policies.probe("green/b"), policies.probe("red/a")
    with (
        policies.on_open_ground(),
        asking.flow("tcp", asked.address, asked.ports["tcp"]) as tcp,
        asking.flow("udp", asked.address, asked.ports["udp"]) as udp,
    ):
        policies.change(deny)
        for over, account in (("TCP", tcp()), ("UDP", udp())):
            silent = any(gap.started + gap.seconds >= account.ended for gap in account.gaps)
            verdict.note(f"{over} flow from before the policy goes on under it", not (silent or account.breaks))


@pytest.mark.claim("policy-service-path")
def test_policies_count_on_the_way_through_a_service(policies: Policies, services_of_red: Services) -> None:
    """Through a cluster IP, a pod is reached by those who may reach it by its own address, and by nobody else.

    The control is the same cluster IP before the policy, which answers both.
    """
    asked, allowed, denied = policies.probe("red/a"), policies.probe("green/b"), policies.probe("blue/b")
    only_green = one_way("ingress", rule("ingress", [spaces(labels(team="green"))]), target=A)
    service = services_of_red.cluster_ip(asked)
    with policies.on_open_ground():
        service.wait_for([asked], seen_from=[allowed, denied])
        policies.change(Step("one namespace alone was allowed to reach a pod", apply=(only_green,)))
        attempts = [service.attempt(port) for port in service.ports]
        for _ in range(LOOKS):
            require_open(allowed.attempt(attempts), by={asked.name})
            require_closed(denied.attempt(attempts), control=[denied.tcp(allowed.address, allowed.ports["tcp"])])


@pytest.mark.claim("policy-node-port")
def test_policies_count_on_the_way_through_a_node_port(
    policies: Policies, services_of_red: Services, nodes: Sequence[Node], verdict: CheckInHand
) -> None:
    """Nobody gets through the NodePort of any node to a pod that everything is denied to.

    The control is the same NodePort before the policy, which answers. Of one that may reach the pod it is reported on
    how many nodes the NodePort lets it: where a node puts its own address in place of the client's, the API leaves that
    open.
    """
    asked, allowed, denied = policies.probe("red/a"), policies.probe("green/b"), policies.probe("blue/b")
    only_green = one_way("ingress", rule("ingress", [spaces(labels(team="green"))]), target=A)
    service = services_of_red.node_port(asked)
    attempts = [service.attempt_on(node, port) for node in nodes for port in service.ports]
    with policies.on_open_ground():
        service.wait_for([asked], seen_from=[allowed, denied], on=nodes)
        for what, policy_ in (
            ("everything was denied to a pod", one_way("ingress", target=A)),
            ("one namespace alone was allowed to reach it", only_green),
        ):
            policies.change(Step(what, apply=(policy_,)))
            for _ in range(LOOKS):
                require_closed(denied.attempt(attempts), control=[denied.tcp(allowed.address, allowed.ports["tcp"])])
        through = [one for one in allowed.attempt(attempts) if one.outcome is Outcome.OPEN]
    verdict.note("NodePorts that let one through who may reach the pod", len({one.attempt.host for one in through}))
