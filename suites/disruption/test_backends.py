"""Backends leave, die, fall silent and are replaced, while others ask for them without a pause."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fixtures.cluster import Node
    from fixtures.deployments import Deployment
    from fixtures.disruption import Watching
    from fixtures.services import Service
    from netassay.fleet import Probe

pytestmark = pytest.mark.serial


@pytest.mark.claim("failover-graceful")
def test_a_backend_that_leaves_gracefully_takes_no_connection_with_it(
    web: Deployment, web_service: Service, watching: Watching, nodes: Sequence[Node]
) -> None:
    """When a pod with a readiness probe and a drain is deleted, no connection to its Service fails, from anywhere.

    New connections over TCP, UDP and HTTP are made every 10 ms from every node and from outside, and flows are kept:
    those with other backends go on, HTTP moves on without losing a request, and a TCP flow with the one that leaves may
    end with it. A UDP flow may stay with it to its end as well, and is then silent until its entry of connection
    tracking is removed: how long that is, is reported. That all of them were answered until then is the control.
    """
    for watched in watching.until_sure(web_service, nodes=nodes):
        leaving, *_ = web.wait_until_whole()
        with watched as flows:
            flows.event(f"{leaving!r} is deleted")
            web.leave(leaving)
            whole = web.wait_until_whole(without=[leaving])
        flows.note_first_answers(whole)
        flows.require_nothing_lost("failover-graceful-lost", leaving=[leaving])


@pytest.mark.claim("failover-killed")
def test_a_backend_that_is_killed_is_soon_avoided(
    web: Deployment, web_service: Service, watching: Watching, nodes: Sequence[Node]
) -> None:
    """When a backend's process is killed without a word, new connections soon fail no more, and no other flow ends.

    The kubelet starts it again in the same pod, and it is given connections again. What fails until then, and for how
    long, is measured on each flow; that all of them were answered until then is the control.
    """
    killed, *_ = web.wait_until_whole()
    with watching(web_service, nodes=nodes) as flows:
        flows.event(f"the process of {killed!r} is killed")
        web.kill(killed)
        web.wait_until_restarted(killed)
    flows.note_first_answers([killed])
    flows.require_soon_over("failover-killed-ms", leaving=[killed])


@pytest.mark.claim("failover-unready")
def test_a_backend_that_is_not_ready_is_soon_given_no_more_connections(
    web: Deployment, web_service: Service, watching: Watching, nodes: Sequence[Node], probes: Sequence[Probe]
) -> None:
    """When a backend says that it is not ready, every node soon gives it no more new connections, and none fails.

    It goes on answering, so that a rule that was left behind shows by who answers; UDP flows leave it, and kept
    connections stay with it. It then becomes ready again, and is given connections again.
    """
    for watched in watching.until_sure(web_service, nodes=nodes):
        tired, *_ = web.wait_until_whole()
        with watched as flows:
            flows.event(f"{tired!r} becomes unready")
            web.set_ready(tired, False)
            flows.watch_until_left("failover-unready-ms", by=[tired])
        flows.require_left("failover-unready-ms", by=[tired])
        flows.require_nothing_lost("failover-unready-lost")
        web.make_ready()
        web_service.wait_for(web.wait_until_whole(), seen_from=probes)


@pytest.mark.claim("failover-rollout")
def test_a_rollout_loses_no_connection(
    web: Deployment, web_service: Service, watching: Watching, nodes: Sequence[Node]
) -> None:
    """While a Deployment with maxUnavailable 0 has all its pods replaced, no connection to its Service fails.

    New connections over TCP, UDP and HTTP are made every 10 ms from every node and from outside; that all of them were
    answered until then is the control.
    """
    for watched in watching.until_sure(web_service, nodes=nodes):
        old = web.wait_until_whole()
        with watched as flows:
            flows.event(f"{web} is rolled")
            web.roll()
            new = web.wait_until_whole(without=old)
        flows.note_first_answers(new)
        flows.require_nothing_lost("failover-rollout-lost", leaving=old)
