"""Services without a cluster IP: names that lead straight to pods, or to other names."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fixtures.expectations import require_open
from fixtures.services import TCP, Services
from fixtures.traffic import Traffic, at
from netassay.observation import Attempt, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fixtures.dns import Dns
    from fixtures.outside import Outside
    from netassay.fleet import Probe


@pytest.mark.claim("headless")
def test_a_headless_service_leads_straight_to_its_pods(
    services: Services, backends: Sequence[Probe], probes: Sequence[Probe], dns: Dns, traffic: Traffic
) -> None:
    """A headless Service's name gives the addresses of its pods, all of them and no other, and each answers there."""
    service = services.headless(*backends)
    dns.wait_for(service.name_under(dns.domain), [backend.address for backend in backends])
    traffic.all_to_all(probes, backends, Protocol.TCP, title="endpoints of a headless Service").require()
    by_name = Attempt(protocol=Protocol.TCP, host=service.name, port=backends[0].ports["tcp"], timeout=10.0)
    seen = traffic.from_each(probes, [service], lambda _: by_name)
    require_open(seen, by={backend.name for backend in backends})


@pytest.mark.claim("headless")
def test_a_headless_service_without_pods_leads_nowhere(services: Services, backends: Sequence[Probe], dns: Dns) -> None:
    """A headless Service's name has no address while no pod is ready behind it; one comes and goes with its pod.

    The control is another headless Service, whose name keeps its address.
    """
    served, empty = services.headless(backends[0]), services.headless()
    dns.wait_for(served.name_under(dns.domain), [backends[0].address])
    dns.wait_until_empty(empty.name_under(dns.domain))
    empty.add(backends[1])
    dns.wait_for(empty.name_under(dns.domain), [backends[1].address])
    empty.remove(backends[1])
    dns.wait_until_empty(empty.name_under(dns.domain))
    dns.wait_for(served.name_under(dns.domain), [backends[0].address])


@pytest.mark.claim("external-name")
def test_an_external_name_leads_to_what_its_target_names(
    services: Services, backends: Sequence[Probe], probes: Sequence[Probe], dns: Dns, traffic: Traffic
) -> None:
    """Who connects to an ExternalName Service reaches whatever the name that it stands for leads to.

    Here that is another Service of the cluster; the control is the connection to that Service itself.
    """
    target = services.cluster_ip(*backends)
    target.wait_for(backends, seen_from=probes)
    alias = services.external_name(target.name_under(dns.domain))
    dns.wait_for(alias.name_under(dns.domain), [target.address])
    by_name = Attempt(protocol=Protocol.TCP, host=alias.name, port=TCP.number, timeout=10.0)
    seen = traffic.from_each(probes, [alias], lambda _: by_name)
    require_open(seen, by={backend.name for backend in backends})


@pytest.mark.claim("external-name")
def test_an_external_name_leads_out_of_the_cluster(
    services: Services, probes: Sequence[Probe], dns: Dns, outside: Outside, traffic: Traffic
) -> None:
    """Who connects to an ExternalName Service that stands for an outside host reaches that host.

    The control is the connection to that host at its address.
    """
    require_open(traffic.from_each(probes, [outside], lambda host: at(host, Protocol.TCP)), by={outside.name})
    alias = services.external_name(outside.dns_name)
    dns.wait_for(alias.name_under(dns.domain), [outside.address])
    by_name = Attempt(protocol=Protocol.TCP, host=alias.name, port=outside.ports["tcp"], timeout=10.0)
    require_open(traffic.from_each(probes, [alias], lambda _: by_name), by={outside.name})
