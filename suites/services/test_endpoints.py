"""Endpoints come and go, and every node follows: new connections reach those that are there, and only those."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fixtures.expectations import REJECTED, require_closed, require_open
from fixtures.services import TCP, UDP, Port, Services

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fixtures.probes import Guests
    from fixtures.traffic import Traffic
    from fixtures.verdicts import CheckInHand
    from netassay.fleet import Probe

FLOW = 40077
"""Source port of a UDP flow that goes on through a change of endpoints."""

CYCLED = 40078
"""The same, of one that goes on while there is no endpoint at all."""


@pytest.mark.claim("no-endpoints-refused")
def test_a_service_without_endpoints_refuses_at_once(
    services: Services, backends: Sequence[Probe], probes: Sequence[Probe], traffic: Traffic
) -> None:
    """From every node, a Service without endpoints refuses TCP and UDP, and does not let the client wait.

    The control is a Service with an endpoint, which the same probes reach at the same moment; and the very same
    Service, once it has an endpoint.
    """
    empty, served = services.cluster_ip(), services.cluster_ip(backends[0])
    served.wait_for([backends[0]], seen_from=probes)
    refused = empty.wait_until_refused(seen_from=probes, ports=[TCP, UDP])
    control = traffic.each({probe: [served.attempt(port) for port in (TCP, UDP)] for probe in probes})
    for probe in probes:
        require_open(control[probe], by={backends[0].name})
        require_closed(refused.value.seen[probe], how=REJECTED, control=control[probe])
    empty.add(backends[0])
    for port in (TCP, UDP):
        empty.wait_for([backends[0]], seen_from=probes, port=port)


@pytest.mark.claim("endpoint-added")
@pytest.mark.parametrize("port", [TCP, UDP], ids=lambda port: port.name)
def test_a_new_endpoint_gets_its_share(
    services: Services, backends: Sequence[Probe], probes: Sequence[Probe], verdict: CheckInHand, port: Port
) -> None:
    """A pod that becomes an endpoint of a Service is soon given connections, from every node."""
    old, new = backends[0], backends[1]
    service = services.cluster_ip(old)
    service.wait_for([old], seen_from=probes, port=port)
    service.add(new)
    followed = service.wait_for([old, new], seen_from=probes, port=port)
    verdict.note("new endpoint followed on every node after", followed.seconds, "s")


@pytest.mark.claim("endpoint-removed")
@pytest.mark.parametrize("port", [TCP, UDP], ids=lambda port: port.name)
def test_a_removed_endpoint_is_given_no_more_connections(
    services: Services, backends: Sequence[Probe], probes: Sequence[Probe], verdict: CheckInHand, port: Port
) -> None:
    """A pod that is an endpoint of a Service no more is soon given no new connections, from any node.

    The pod lives on and answers at its own address, so that a rule that was left behind shows.
    """
    leaving, staying = backends[0], backends[1]
    service = services.cluster_ip(leaving, staying)
    service.wait_for([leaving, staying], seen_from=probes, port=port)
    service.remove(leaving)
    followed = service.wait_for([staying], seen_from=probes, port=port)
    verdict.note("removed endpoint avoided on every node after", followed.seconds, "s")


@pytest.mark.claim("endpoint-removed")
def test_a_udp_flow_leaves_a_removed_endpoint(
    services: Services, backends: Sequence[Probe], probes: Sequence[Probe], verdict: CheckInHand
) -> None:
    """A UDP flow whose endpoint is removed moves on to one that is there, though its packets never pause.

    The pod lives on and answers at its own address, so that an entry of connection tracking that was left behind shows.
    """
    leaving, staying = backends[0], backends[1]
    service = services.cluster_ip(leaving)
    service.wait_for([leaving], seen_from=probes, port=UDP, source_port=FLOW)
    service.add(staying)
    service.remove(leaving)
    followed = service.wait_for([staying], seen_from=probes, port=UDP, source_port=FLOW)
    verdict.note("UDP flow moved on every node after", followed.seconds, "s")


@pytest.mark.claim("endpoint-replaced")
def test_connections_follow_when_all_endpoints_are_replaced(
    services: Services, guests: Guests, probes: Sequence[Probe], verdict: CheckInHand
) -> None:
    """When the pods of a Service are deleted and others take their place, every node follows, over TCP and UDP."""
    old = guests.join(1)
    service = services.cluster_ip(*old)
    service.wait_for(old, seen_from=probes, port=TCP)
    service.wait_for(old, seen_from=probes, port=UDP, source_port=FLOW)
    new = guests.join(1)
    service.add(*new)
    guests.leave(old, wait=False)
    followed = service.wait_for(new, seen_from=probes, port=TCP)
    verdict.note("replacement followed on every node after", followed.seconds, "s")
    service.wait_for(new, seen_from=probes, port=UDP, source_port=FLOW)


@pytest.mark.claim("udp-after-no-endpoints")
def test_a_udp_flow_finds_the_endpoint_that_comes_after_none(
    services: Services, backends: Sequence[Probe], probes: Sequence[Probe], verdict: CheckInHand
) -> None:
    """A UDP flow from one and the same port survives that all endpoints go, and that another one comes.

    While there is none it is refused; afterwards the new endpoint answers, and neither the old one, which lives on, nor
    silence: connection tracking keeps nothing stale.
    """
    old, new = backends[0], backends[1]
    service = services.cluster_ip(old, ports=[UDP])
    service.wait_for([old], seen_from=probes, port=UDP, source_port=CYCLED)
    service.remove(old)
    service.wait_until_refused(seen_from=probes, ports=[UDP], source_port=CYCLED)
    service.add(new)
    followed = service.wait_for([new], seen_from=probes, port=UDP, source_port=CYCLED)
    verdict.note("UDP flow answered on every node again after", followed.seconds, "s")
