"""The servers of the cluster's DNS: over TCP as over UDP, each of them by itself, and fast."""

from __future__ import annotations

from statistics import quantiles
from typing import TYPE_CHECKING

import pytest

from fixtures.dns import Dns, require_answer
from netassay.errors import NetworkFault
from netassay.observation import Outcome

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fixtures.outside import Outside
    from fixtures.services import Services
    from fixtures.steady_load import SteadyLoad
    from fixtures.verdicts import CheckInHand
    from netassay.fleet import Probe

QUERIES = 100
"""Queries from each node."""

SLOW = 1.0
"""Seconds: resolvers ask again after as many or more, so that a program notices."""

ALLOWED = 0.01
"""Share of queries that may be lost or slow: a datagram now and then is, in any network."""

AGAIN = 3
"""Queries to each replica over each protocol: one that hangs now and then is found as well."""


@pytest.mark.claim("dns-tcp")
def test_the_clusters_dns_answers_over_tcp(services: Services, backends: Sequence[Probe], dns: Dns) -> None:
    """From every node the cluster's DNS answers over TCP what it answers over UDP."""
    service = services.cluster_ip(*backends)
    name = service.name_under(dns.domain)
    dns.wait_for(name, [service.address])
    require_answer(dns.ask_each(name, protocol="tcp"), records=[service.address])


@pytest.mark.claim("dns-each-replica")
@pytest.mark.parametrize("protocol", ["udp", "tcp"])
def test_every_replica_of_the_clusters_dns_answers(
    services: Services, backends: Sequence[Probe], probes: Sequence[Probe], dns: Dns, protocol: str
) -> None:
    """Each server of the cluster's DNS, asked at its own address from every node, knows the Services of the cluster."""
    service = services.cluster_ip(*backends)
    name = service.name_under(dns.domain)
    dns.wait_for(name, [service.address])
    for replica in dns.replicas:
        dns.wait_for(name, [service.address], server=replica)
        answers = [(p, dns.ask(p, name, protocol=protocol, server=replica)) for p in probes for _ in range(AGAIN)]
        require_answer(answers, records=[service.address])


@pytest.mark.claim("dns-server-address")
def test_pods_are_told_the_address_of_the_clusters_dns(node_probes: Sequence[Probe], dns: Dns) -> None:
    """On every node, the first name server of pods is the cluster IP of the DNS Service.

    A link-local one is a cache on the node: it must give the same answer as the DNS Service itself.
    """
    for probe in node_probes:
        dns.require_served_by_the_service(probe)


@pytest.mark.serial
@pytest.mark.claim("dns-outliers")
def test_of_many_queries_none_is_lost_or_late(steady_load: SteadyLoad, dns: Dns) -> None:
    """At 300 queries a second, from all nodes together, none is lost, refused or takes five seconds.

    A single lost one is allowed: any network may lose a datagram. Latencies are reported, the rarest one in a thousand
    among them.
    """
    steady_load.queries(dns.name_of_service)


@pytest.mark.serial
@pytest.mark.claim("dns-outliers")
def test_of_many_lookups_none_stands_still(steady_load: SteadyLoad, dns: Dns) -> None:
    """At 150 lookups a second, as programs make them, none fails or stands still for the resolver's five seconds.

    The C library asks for both address types at once from one socket: a race in connection tracking can lose one of the
    two, which single queries don't show.
    """
    steady_load.lookups(dns.name_of_service)


@pytest.mark.claim("dns-outside")
def test_names_outside_the_cluster_are_resolved(dns: Dns, outside: Outside) -> None:
    """From every node, the cluster's DNS resolves the name of a host outside the cluster."""
    require_answer(dns.ask_each(f"{outside.dns_name}."), records=[outside.address])


@pytest.mark.claim("dns-latency")
def test_answers_come_fast(probes: Sequence[Probe], dns: Dns, verdict: CheckInHand) -> None:
    """From every node, the cluster's DNS answers at once: of a hundred queries at most one is lost, or takes a second.

    Latencies are reported, not judged: how fast is fast enough depends on the machine.
    """
    name = dns.name_of_service
    for probe in probes:
        answers = [probe.resolve(name, dns.rtype, server=dns.address) for _ in range(QUERIES)]
        took = [answer.microseconds / 1000 for answer in answers if answer.outcome is Outcome.OPEN]
        late = [a for a in answers if a.outcome is not Outcome.OPEN or a.microseconds > SLOW * 1e6]
        if len(late) > ALLOWED * QUERIES:
            lines = "\n".join(f"  {answer.describe()}" for answer in late[:10])
            raise NetworkFault(
                f"{probe!r} → {dns.address}: {len(late)} of {QUERIES} queries were lost or took more than "
                f"{SLOW:g} s:\n{lines}"
            )
        percentiles = quantiles(took, n=100, method="inclusive")
        verdict.note(f"DNS p50 from {probe.node}", percentiles[49], "ms")
        verdict.note(f"DNS p99 from {probe.node}", percentiles[98], "ms")
