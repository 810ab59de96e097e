"""Names of Services: what a program that knows nothing but a name can find out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fixtures.dns import Dns, require_answer, require_lookup
from fixtures.services import HTTP, TCP, UDP, Services

if TYPE_CHECKING:
    from collections.abc import Sequence

    from netassay.fleet import Probe


@pytest.mark.claim("dns-a")
def test_a_services_name_is_its_cluster_ip(services: Services, backends: Sequence[Probe], dns: Dns) -> None:
    """From every node, the name of a Service resolves to its cluster IP and to nothing else."""
    service = services.cluster_ip(*backends)
    dns.wait_for(service.name_under(dns.domain), [service.address])


@pytest.mark.claim("dns-srv")
def test_a_named_port_has_a_service_record(services: Services, backends: Sequence[Probe], dns: Dns) -> None:
    """A named port of a Service can be looked up: the SRV record holds its number and the Service's name."""
    service = services.cluster_ip(*backends, ports=[TCP, UDP, HTTP])
    name = service.name_under(dns.domain)
    for port, transport in ((TCP, "tcp"), (UDP, "udp"), (HTTP, "tcp")):
        dns.wait_for(
            f"_{port.name}._{transport}.{name}",
            [f"{port.number} {name}"],
            "SRV",
            accept=lambda record: record.split(" ", 2)[2],
        )


@pytest.mark.claim("dns-ptr")
def test_a_cluster_ip_resolves_back_to_the_services_name(
    services: Services, backends: Sequence[Probe], dns: Dns
) -> None:
    """The reverse lookup of a cluster IP gives the name of its Service."""
    service = services.cluster_ip(*backends)
    dns.wait_for(service.address, [service.name_under(dns.domain)], "PTR")


@pytest.mark.claim("dns-search")
def test_short_names_are_completed_by_the_search_list(
    services: Services, backends: Sequence[Probe], probes: Sequence[Probe], dns: Dns
) -> None:
    """A pod finds a Service by as little of its name as Kubernetes promises.

    That is the name alone within its namespace, and each longer
    form, as any program looks it up; and its search list is its namespace's, that of Services, and the cluster's, in
    this order.
    """
    service = services.cluster_ip(*backends)
    full = service.name_under(dns.domain)
    dns.wait_for(full, [service.address])
    suffixes = [f"{service.namespace}.svc.{dns.domain}", f"svc.{dns.domain}", dns.domain]
    for probe in probes:
        dns.require_search_list(probe, suffixes)
        for name in (
            service.name,
            f"{service.name}.{service.namespace}",
            f"{service.name}.{service.namespace}.svc",
            full,
        ):
            require_lookup(probe, probe.lookup(name), addresses=[service.address])


@pytest.mark.claim("dns-external-name")
def test_an_external_names_record_is_its_target(services: Services, dns: Dns) -> None:
    """The name of an ExternalName Service is an alias (CNAME) of the name that it stands for, be there one or not."""
    service = services.external_name("somewhere.example.net")
    dns.wait_for(service.name_under(dns.domain), ["somewhere.example.net."], "CNAME")


@pytest.mark.claim("dns-nxdomain")
def test_what_does_not_exist_is_said_not_to_exist(
    services: Services, backends: Sequence[Probe], probes: Sequence[Probe], dns: Dns
) -> None:
    """Names that do not exist in the cluster are answered NXDOMAIN, and not left without an answer.

    The control is a Service's name, which exists at the same moment: asked for a type of record that it does not have,
    it is answered NOERROR without records, for a program that is told NXDOMAIN there would not ask for the others.
    """
    service = services.cluster_ip(*backends)
    there = service.name_under(dns.domain)
    dns.wait_for(there, [service.address])
    for absent in (f"no-such-{there}", f"no-such.{service.namespace}-too.svc.{dns.domain}.", f"no-such.{dns.domain}."):
        require_answer([(probe, dns.ask(probe, absent)) for probe in probes], rcode="NXDOMAIN", records=[])
    require_answer([(probe, dns.ask(probe, there)) for probe in probes], records=[service.address])
    require_answer([(probe, dns.ask(probe, there, "TXT")) for probe in probes], records=[])
    if not service.has_ipv6:
        require_answer([(probe, dns.ask(probe, there, "AAAA")) for probe in probes], records=[])
