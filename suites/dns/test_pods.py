"""Names of pods, under the name of a headless Service."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fixtures.services import TCP, Services

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fixtures.dns import Dns
    from fixtures.probes import Guests
    from netassay.fleet import Fleet, Probe


@pytest.mark.claim("dns-headless")
def test_a_headless_name_lists_exactly_the_ready_pods(
    services: Services, backends: Sequence[Probe], guests: Guests, fleet: Fleet, dns: Dns
) -> None:
    """A headless Service's name resolves to the addresses of its ready pods, and of no other.

    One that is not ready is not among them, one that becomes ready joins them, and one that leaves the Service is gone
    from them.
    """
    (late,) = guests.join(1, ready=False)
    service = services.headless(*backends, late)
    name = service.name_under(dns.domain)
    dns.wait_for(name, [backend.address for backend in backends])
    fleet.set_ready(late, True)
    dns.wait_for(name, [pod.address for pod in (*backends, late)])
    service.remove(*backends)
    dns.wait_for(name, [late.address])


@pytest.mark.claim("dns-headless")
def test_a_headless_services_port_lists_its_pods(services: Services, backends: Sequence[Probe], dns: Dns) -> None:
    """The SRV record of a headless Service's port names every ready pod, by names that resolve to its address."""
    service = services.headless(*backends, ports=[TCP])
    name = service.name_under(dns.domain)
    dns.wait_for(name, [backend.address for backend in backends])
    dns.wait_for_targets(f"_{TCP.name}._tcp.{name}", [backend.address for backend in backends])


@pytest.mark.claim("dns-statefulset")
def test_each_pod_of_a_set_has_a_name_of_its_own(services: Services, guests: Guests, dns: Dns) -> None:
    """A pod of a set can be found by a name of its own, and so can the pod that takes its place.

    It has a hostname, and a headless Service as its subdomain, as every pod of a StatefulSet has them: that gives it a
    name under the Service's.
    """
    service = services.headless()
    first, second = guests.join_as("db-0", "db-1", subdomain=service.name)
    service.add(first, second)
    name = service.name_under(dns.domain)
    dns.wait_for(f"db-0.{name}", [first.address])
    dns.wait_for(f"db-1.{name}", [second.address])
    guests.leave([first], wait=False)
    (successor,) = guests.join_as("db-0", subdomain=service.name)
    service.add(successor)
    dns.wait_for(f"db-0.{name}", [successor.address])
