"""Policies and nodes: the kubelet's probes, and hosts and their own pods, cannot be kept apart."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fixtures.expectations import all_open_or_all_closed, require_closed, require_open
from fixtures.verdicts import not_applicable
from netassay.policies.case import Step
from netassay.policies.generator.words import labels, one_way, policy, rule

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fixtures.policies import Policies
    from fixtures.verdicts import CheckInHand
    from netassay.fleet import Probe
    from netassay.observation import Observation

DENY = Step("everything was denied to one namespace", apply=(policy(types=["ingress", "egress"]),))

LOOKS = 3
"""Times that a closed path is tried, each beside its control."""


@pytest.mark.claim("policy-kubelet-probes")
def test_the_kubelet_probes_pods_that_everything_is_denied_to(policies: Policies) -> None:
    """The kubelet goes on to see whether pods are ready that nobody else may reach.

    That it really asks is seen from a pod that says that it is not ready, and then that it is.
    """
    with policies.on_open_ground():
        policies.change(DENY)
        policies.require_followed_by_kubelet("red/a")


@pytest.mark.claim("policy-host-network")
def test_a_pod_that_is_closed_to_everybody_is_reached_from_its_own_node_alone(
    policies: Policies, host_probes: Sequence[Probe]
) -> None:
    """A pod that everything is denied to is reached from its own node, and from no other."""
    asked = policies.probe("red/a")
    own = [probe for probe in host_probes if probe.node == asked.node]
    others = [probe for probe in host_probes if probe.node != asked.node]
    control = policies.probe("green/a")
    with policies.on_open_ground():
        require_open([probe.tcp(asked.address, asked.ports["tcp"]) for probe in host_probes], by={asked.name})
        policies.change(DENY)
        for _ in range(LOOKS):
            require_open([probe.tcp(asked.address, asked.ports["tcp"]) for probe in own], by={asked.name})
            _require_closed_to(others, asked, control)


def _attempts(sources: Sequence[Probe], target: Probe) -> list[Observation]:
    return [probe.tcp(target.address, target.ports["tcp"], timeout=1.0) for probe in sources]


def _require_closed_to(sources: Sequence[Probe], target: Probe, control: Probe) -> None:
    for probe in sources:
        require_closed(_attempts([probe], target), control=_attempts([probe], control))


@pytest.mark.claim("policy-node-blocks")
def test_nodes_reach_pods_by_their_address(
    policies: Policies, host_probes: Sequence[Probe], verdict: CheckInHand
) -> None:
    """A pod that everything else is denied to is reached from other nodes if their addresses are allowed.

    These are the addresses under which the pod saw them before, when it was reached from everywhere. Until they are
    allowed, it is closed to them.
    """
    asked, control = policies.probe("red/a"), policies.probe("green/a")
    others = [probe for probe in host_probes if probe.node != asked.node]
    if not others:
        not_applicable("there is no other node that takes pods")
    with policies.on_open_ground():
        before = [probe.tcp(asked.address, asked.ports["tcp"]) for probe in others]
        require_open(before, by={asked.name})
        blocks = [policies.only(one.seen_address) for one in before]
        allow = one_way("ingress", rule("ingress", blocks), name="nodes", target=labels(app="a"))
        policies.change(DENY)
        _require_closed_to(others, asked, control)
        policies.change(Step("the other nodes' addresses were allowed", apply=(allow,)))
        seen = policies.tried_until_open(lambda: _attempts(others, asked))
        seen += [one for _ in range(LOOKS - 1) for one in _attempts(others, asked)]
        require_open(_attempts(others, control), by={control.name})
    verdict.judge(holds=all_open_or_all_closed(seen), seen="\n  ".join(one.describe() for one in seen))


@pytest.mark.claim("policy-own-node")
def test_a_pod_reaches_its_own_node_though_everything_is_denied_to_it(
    policies: Policies, host_probes: Sequence[Probe], verdict: CheckInHand
) -> None:
    """A pod that may reach nobody still reaches its own node, over TCP and UDP.

    The control is the same attempts before the policy; what the pod is kept from meanwhile is in the policy's table.
    """
    asking = policies.probe("red/a")
    (node,) = (probe for probe in host_probes if probe.node == asking.node)

    def attempts() -> list[Observation]:
        return [
            asking.tcp(node.address, node.ports["tcp"], timeout=1.0),
            asking.udp(node.address, node.ports["udp"], timeout=1.0),
        ]

    with policies.on_open_ground():
        require_open(attempts(), by={node.name})
        policies.change(Step("everything was denied to what one namespace sends", apply=(one_way("egress"),)))
        seen = [one for _ in range(LOOKS) for one in attempts()]
    verdict.judge(holds=all_open_or_all_closed(seen), seen="\n  ".join(one.describe() for one in seen))
