"""Nodes stand still and go on, while others ask for their pods without a pause."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fixtures.cluster import Node
    from fixtures.deployments import Deployment
    from fixtures.disruption import Freezer, Watching
    from fixtures.services import Service
    from fixtures.verdicts import CheckInHand
    from netassay.fleet import Probe

AVOIDED_WITHIN = 4.0
"""Seconds for which flows are watched on once the node's pods are given up: what still fails then shows."""


@pytest.mark.serial
@pytest.mark.claim("failover-node-frozen")
def test_backends_of_a_node_that_freezes_are_avoided_until_it_is_back(
    freezer: Freezer,
    web: Deployment,
    web_service: Service,
    watching: Watching,
    nodes: Sequence[Node],
    probes: Sequence[Probe],
    verdict: CheckInHand,
) -> None:
    """When all programs of a node stand still, new connections from elsewhere fail no more once it is given up.

    Until the control plane misses the node's heartbeats, connections that are given to its pods fail, and nothing else
    is promised; how long that is, is measured. Flows with other backends go on. When the node does, its pods are given
    connections again, from everywhere. That all flows were answered until then is the control.
    """
    node, frozen = freezer.choose(web.wait_until_whole())
    with watching(web_service, nodes=nodes, without=node) as flows:
        with freezer.frozen(node, flows):
            web.wait_until_given_up(frozen)
            verdict.note("pods of the frozen node given up after", flows.since_event(), "s")
            flows.watch_on(AVOIDED_WITHIN)
        whole = web.wait_until_whole()
    flows.note_first_answers(frozen)
    flows.require_soon_over("failover-node-frozen-ms", leaving=frozen)
    web_service.wait_for(whole, seen_from=probes)
