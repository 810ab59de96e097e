"""Policies and nodes: the kubelet's probes, and hosts and their own pods, cannot be kept apart."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fixtures.expectations import require_closed, require_open
from netassay.policies.case import Step
from netassay.policies.generator.words import labels, one_way, policy, rule

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fixtures.policies import Policies
    from netassay.fleet import Probe

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
def test_nodes_reach_their_own_pods_and_others_by_their_address(
    policies: Policies, host_probes: Sequence[Probe]
) -> None:
    """A pod that everything is denied to is reached from its own node, and from others if their addresses are allowed.

    These are the addresses under which the pod saw them before, when it was reached from everywhere.
    """
    asked = policies.probe("red/a")
    own = [probe for probe in host_probes if probe.node == asked.node]
    others = [probe for probe in host_probes if probe.node != asked.node]
    control = policies.probe("green/a")
    with policies.on_open_ground():
        before = [probe.tcp(asked.address, asked.ports["tcp"]) for probe in host_probes]
        require_open(before, by={asked.name})
        seen_as = {one.source: one.seen_address for one in before}
        policies.change(DENY)
        for _ in range(LOOKS):
            require_open([probe.tcp(asked.address, asked.ports["tcp"]) for probe in own], by={asked.name})
            for probe in others:
                closed = [probe.tcp(asked.address, asked.ports["tcp"], timeout=1.0)]
                require_closed(closed, control=[probe.tcp(control.address, control.ports["tcp"])])
        blocks = [policies.only(seen_as[probe.name]) for probe in others]
        if blocks:
            allow = one_way("ingress", rule("ingress", blocks), name="nodes", target=labels(app="a"))
            policies.change(Step("the other nodes' addresses were allowed", apply=(allow,)))
            require_open([probe.tcp(asked.address, asked.ports["tcp"]) for probe in others], by={asked.name})
