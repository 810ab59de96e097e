"""Pods that are not ready, and pods that are on their way out, behind a Service."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fixtures.expectations import REJECTED, require_closed, require_open
from fixtures.services import TCP, UDP, Services
from fixtures.traffic import Traffic, at
from netassay.observation import Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fixtures.dns import Dns
    from fixtures.probes import Guests
    from fixtures.slices import Slices
    from netassay.fleet import Probe

LINGER = 30
"""Seconds for which a pod that is being deleted goes on serving; the check ends it sooner."""


@pytest.mark.claim("publish-not-ready")
def test_pods_that_are_not_ready_are_endpoints_where_a_service_says_so(
    services: Services,
    guests: Guests,
    backends: Sequence[Probe],
    probes: Sequence[Probe],
    dns: Dns,
    traffic: Traffic,
) -> None:
    """A pod that is not ready is an endpoint only of Services with publishNotReadyAddresses, headless or not.

    The controls are Services of the same kinds and the same pod without it: the one refuses, the other's name has the
    address of a ready pod alone.
    """
    ready, unready = backends[0], guests.join(1, ready=False)[0]
    eager, strict = services.cluster_ip(unready, publishNotReadyAddresses=True), services.cluster_ip(unready)
    eager_name = services.headless(ready, unready, publishNotReadyAddresses=True)
    strict_name = services.headless(ready, unready)
    for port in (TCP, UDP):
        eager.wait_for([unready], seen_from=probes, port=port)
    refused = strict.wait_until_refused(seen_from=probes, ports=[TCP])
    control = traffic.each({probe: [eager.attempt(TCP)] for probe in probes})
    for probe in probes:
        require_closed(refused.value.seen[probe], how=REJECTED, control=control[probe])
    dns.wait_for(eager_name.name_under(dns.domain), [ready.address, unready.address])
    dns.wait_for(strict_name.name_under(dns.domain), [ready.address])


@pytest.mark.claim("terminating-fallback")
def test_the_last_endpoint_serves_until_it_is_gone(
    services: Services,
    guests: Guests,
    slices: Slices,
    backends: Sequence[Probe],
    probes: Sequence[Probe],
    traffic: Traffic,
) -> None:
    """Where all endpoints are being deleted, those that still serve are given connections; but none once one stays.

    That every node has taken note of the deletion is seen by a Service that was made after it. When the new endpoint
    has all connections, the old one still answers at its own address.
    """
    leaving, staying = guests.join(1, linger=LINGER)[0], backends[0]
    service = services.cluster_ip(leaving)
    service.wait_for([leaving], seen_from=probes)
    guests.begin_to_leave([leaving])
    slices.wait_until_terminating(service, [leaving])
    services.cluster_ip(staying).wait_for([staying], seen_from=probes)
    for port in (TCP, UDP):
        service.wait_for([leaving], seen_from=probes, port=port)
    service.add(staying)
    for port in (TCP, UDP):
        service.wait_for([staying], seen_from=probes, port=port)
    require_open(traffic.from_each(probes, [leaving], lambda end: at(end, Protocol.TCP)), by={leaving.name})
