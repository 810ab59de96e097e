"""What proxies Services is restarted, while its rules are in use."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fixtures.cluster import Node
    from fixtures.deployments import Deployment
    from fixtures.disruption import Watching
    from fixtures.service_proxy import ServiceProxy
    from fixtures.services import Service
    from fixtures.verdicts import CheckInHand
    from netassay.fleet import Probe


@pytest.mark.serial
@pytest.mark.claim("failover-proxy-restart")
def test_a_restart_of_the_service_proxy_loses_no_connection(
    service_proxy: ServiceProxy,
    web: Deployment,
    web_service: Service,
    watching: Watching,
    nodes: Sequence[Node],
    probes: Sequence[Probe],
    verdict: CheckInHand,
) -> None:
    """While kube-proxy is restarted on all nodes at once, no new connection fails, and no kept one ends.

    What changes afterwards is followed again: a backend that then leaves the Service is given no more connections. That
    all flows were answered before the restart is the control.
    """
    for watched in watching.until_sure(web_service, nodes=nodes):
        with watched as flows:
            flows.event("kube-proxy is restarted on all nodes")
            verdict.note("kube-proxies restarted", service_proxy.restart())
        flows.require_nothing_lost("failover-proxy-restart-lost")
    leaving, *staying = web.wait_until_whole()
    web_service.remove(leaving)
    followed = web_service.wait_for(staying, seen_from=probes)
    web_service.add(leaving)
    verdict.note("change followed after the restart", followed.seconds, "s")
