"""Names of Services: what a program that knows nothing but a name can find out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fixtures.dns import Dns, require_aliases, require_answer, require_authority, require_lookup
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


@pytest.mark.claim("dns-external-name")
def test_a_chain_of_external_names_leads_to_the_address_at_its_end(
    services: Services, backends: Sequence[Probe], probes: Sequence[Probe], dns: Dns
) -> None:
    """An ExternalName of an ExternalName of a Service resolves to the Service's address, for any program."""
    service = services.cluster_ip(*backends)
    middle = services.external_name(service.name_under(dns.domain))
    start = services.external_name(middle.name_under(dns.domain))
    name = start.name_under(dns.domain)
    dns.wait_for(name, [service.address])
    for probe in probes:
        answer = dns.ask(probe, name)
        require_aliases(probe, answer, [middle.name_under(dns.domain), service.name_under(dns.domain)])
        require_lookup(probe, probe.lookup(start.name), addresses=[service.address])


@pytest.mark.claim("dns-namespaces")
def test_namesakes_in_two_namespaces_are_told_apart(
    services: Services, backends: Sequence[Probe], probes: Sequence[Probe], host_probes: Sequence[Probe], dns: Dns
) -> None:
    """A name stands for the Service of one's own namespace; a namesake is found by its namespace's name.

    Pods of both namespaces are asked: the host probes are in the other one.
    """
    own = services.cluster_ip(*backends)
    other = services.namesake(own)
    dns.wait_for(own.name_under(dns.domain), [own.address])
    dns.wait_for(other.name_under(dns.domain), [other.address])
    for sources, near, far in ((probes, own, other), (host_probes, other, own)):
        for source in sources:
            require_lookup(source, source.lookup(near.name), addresses=[near.address])
            require_lookup(source, source.lookup(f"{far.name}.{far.namespace}"), addresses=[far.address])


@pytest.mark.claim("dns-schema-version")
def test_the_schema_of_names_has_a_version(dns: Dns) -> None:
    """The cluster's DNS says by a TXT record which version of the DNS specification its names follow."""
    dns.wait_for(f"dns-version.{dns.domain}.", ["1.1.0"], "TXT", accept=lambda text: text.strip('"'))


@pytest.mark.claim("dns-nxdomain")
def test_what_does_not_exist_is_said_not_to_exist(services: Services, backends: Sequence[Probe], dns: Dns) -> None:
    """Names that do not exist in the cluster are answered NXDOMAIN, and not left without an answer.

    The control is a Service's name, which exists at the same moment: asked for a type of record that it does not have,
    it is answered NOERROR without records, for a program that is told NXDOMAIN there would not ask for the others.
    """
    service = services.cluster_ip(*backends)
    there = service.name_under(dns.domain)
    dns.wait_for(there, [service.address])
    for absent in (f"no-such-{there}", f"no-such.{service.namespace}-too.svc.{dns.domain}.", f"no-such.{dns.domain}."):
        require_answer(dns.ask_each(absent), rcode="NXDOMAIN", records=[])
    require_answer(dns.ask_each(there), records=[service.address])
    for rtype in ("TXT", dns.other_rtype):
        require_answer(dns.ask_each(there, rtype), records=[])


@pytest.mark.claim("dns-negative-soa")
def test_negative_answers_say_how_long_they_hold(services: Services, backends: Sequence[Probe], dns: Dns) -> None:
    """A negative answer, be it NXDOMAIN or without records, brings the zone's SOA, by which resolvers may cache it.

    The control is the answer with records, which brings none.
    """
    service = services.cluster_ip(*backends)
    there = service.name_under(dns.domain)
    dns.wait_for(there, [service.address])
    for name, rtype in ((f"no-such-{there}", ""), (there, dns.other_rtype)):
        require_authority(dns.ask_each(name, rtype), [f"{dns.domain}. SOA"])
    require_authority(dns.ask_each(there), [])
