"""Out of the cluster, and back in."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fixtures.expectations import require_open, require_source, with_verdicts
from fixtures.traffic import Traffic, at
from fixtures.verdicts import CheckInHand, not_applicable
from netassay.observation import USUAL_PROTOCOLS, Attempt, Outcome, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fixtures.cluster import Node
    from fixtures.outside import Outside
    from netassay.fleet import Probe
    from netassay.modes import Mode

LOOK = 1.5
"""Seconds after which a pod is taken to be out of reach for the outside host; its control answers in milliseconds."""


@pytest.mark.claim("pod-to-outside-address")
@pytest.mark.parametrize("over", USUAL_PROTOCOLS)
def test_every_pod_reaches_the_outside_by_address(
    pods: Sequence[Probe], outside: Outside, traffic: Traffic, over: Protocol
) -> None:
    """A pod on any node reaches a host outside the cluster at its address."""
    require_open(traffic.from_each(pods, [outside], lambda host: at(host, over)), by={outside.name})


@pytest.mark.claim("pod-to-outside-name")
@pytest.mark.parametrize("over", USUAL_PROTOCOLS)
def test_every_pod_reaches_the_outside_by_name(
    pods: Sequence[Probe], outside: Outside, traffic: Traffic, over: Protocol
) -> None:
    """A pod on any node reaches a host outside the cluster by its DNS name, looked up as any program does it."""
    port = outside.ports[over]
    attempt = Attempt(protocol=over, host=outside.dns_name, port=port, timeout=10.0)
    require_open(traffic.from_each(pods, [outside], lambda _: attempt), by={outside.name})


@pytest.mark.claim("source-seen-outside")
@pytest.mark.parametrize("over", [Protocol.TCP, Protocol.UDP])
def test_the_outside_sees_the_address_that_the_mode_says(
    pods: Sequence[Probe], nodes: Sequence[Node], outside: Outside, traffic: Traffic, mode: Mode, over: Protocol
) -> None:
    """Outside the cluster a pod appears under its node's address where the mode masquerades, else under its own."""
    masquerade = mode.parameters.masquerade
    if masquerade is None:
        not_applicable(f"mode {mode.name} does not say under which address pods appear outside")
    of_node = {node.name: node.addresses for node in nodes}
    seen = traffic.each({pod: [at(outside, over)] for pod in pods})
    for pod in pods:
        own = of_node[pod.node] if masquerade else pod.addresses
        require_source(seen[pod], addresses=own, what=f"node {pod.node}" if masquerade else f"{pod.name} itself")


@pytest.mark.claim("outside-to-pod")
def test_the_outside_reaches_pods_where_the_mode_routes_them(
    host_probes: Sequence[Probe], pods: Sequence[Probe], outside: Outside, verdict: CheckInHand
) -> None:
    """A host outside the cluster reaches a pod at its own address, in modes that have routes for it.

    The control are the nodes: the same host reaches each of them, at the same moment.
    """
    client = outside.client
    require_open(client.attempt([at(node, Protocol.TCP) for node in host_probes]))
    seen = with_verdicts(client.attempt([at(pod, Protocol.TCP, timeout=LOOK) for pod in pods]))
    through = [one for one in seen if one.outcome is Outcome.OPEN]
    if through:
        require_open(seen, by={pod.name for pod in pods})
    verdict.judge(
        holds=bool(through),
        seen=f"{outside.name} ({outside.address}) reaches none of {', '.join(map(repr, pods))}, and every node",
    )
