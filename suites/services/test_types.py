"""A Service changes its type, and keeps serving in the new way, and no longer in the old one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fixtures.services import TCP, UNKNOWN_CLASS, Services

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fixtures.cluster import Node
    from fixtures.dns import Dns
    from netassay.fleet import Probe


@pytest.mark.claim("service-type-changes")
def test_a_service_follows_each_change_of_its_type(
    services: Services, backends: Sequence[Probe], probes: Sequence[Probe], nodes: Sequence[Node], dns: Dns
) -> None:
    """ClusterIP, NodePort, LoadBalancer, ExternalName and back: every node follows, and what is given up is closed.

    (The load balancer's own address is another check's affair.) The control is a Service of the same endpoint whose
    type stays, which every source reaches while the other is closed.
    """
    backend = backends[0]
    stays = services.node_port(backend, ports=[TCP])
    stays.wait_for([backend], seen_from=probes)
    service = services.cluster_ip(backend, ports=[TCP])
    service.wait_for([backend], seen_from=probes)
    service.change(type="NodePort")
    service.wait_for([backend], seen_from=probes, on=nodes)
    service.change(type="LoadBalancer", loadBalancerClass=UNKNOWN_CLASS)
    service.wait_for([backend], seen_from=probes, on=nodes)
    service.wait_for([backend], seen_from=probes)

    before = service.as_it_is()
    service.change(type="ExternalName", externalName=stays.name_under(dns.domain).rstrip("."))
    before.wait_until_closed(seen_from=probes, on=nodes, control=[stays.attempt_on(nodes[0], TCP)])
    before.wait_until_closed(seen_from=probes, control=[stays.attempt(TCP)])
    dns.wait_for(service.name_under(dns.domain), [stays.address])

    service.change(type="NodePort", externalName=None)
    service.wait_for([backend], seen_from=probes, on=nodes)
    dns.wait_for(service.name_under(dns.domain), [service.address])
    before = service.as_it_is()
    service.change(type="ClusterIP")
    before.wait_until_closed(seen_from=probes, on=nodes, control=[stays.attempt_on(nodes[0], TCP)])
    service.wait_for([backend], seen_from=probes)
