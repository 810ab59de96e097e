"""An external IP: an address that is routed to a node, and that a Service claims for its ports."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fixtures.admission import with_external_ip
from fixtures.services import Port, Services
from netassay.fleet.ports import PROBE_PORTS
from netassay.observation import Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fixtures.cluster import Node
    from fixtures.outside import Outside
    from netassay.fleet import Probe


@pytest.mark.claim("external-ip")
def test_an_external_ip_leads_to_the_endpoints(
    services: Services,
    backends: Sequence[Probe],
    probes: Sequence[Probe],
    host_probes_if_any: Sequence[Probe],
    outside_if_any: Outside | None,
    nodes: Sequence[Node],
) -> None:
    """Who connects to one of a Service's externalIPs, inside or outside the cluster, is answered by its endpoints.

    The address is a node's own, at a port on which nothing listens there, over TCP and UDP. Taken away from the
    Service, it is closed; the control is the same Service's NodePort on the same node.
    """
    sources = [*probes, *host_probes_if_any]
    if outside_if_any and outside_if_any.driven:
        sources.append(outside_if_any.driven)
    number, entry = services.spare_port, nodes[0]
    ports = [
        Port("tcp", number, Protocol.TCP, PROBE_PORTS["tcp"]),
        Port("udp", number, Protocol.UDP, PROBE_PORTS["udp"]),
    ]
    service = with_external_ip(entry.address, services, *backends, ports=ports)
    for port in ports:
        service.wait_for(backends, seen_from=sources, port=port, at=entry.address)
    service.change(externalIPs=None)
    control = [service.attempt_on(entry, port) for port in ports]
    service.wait_until_closed(seen_from=sources, ports=ports, at=entry.address, control=control)
