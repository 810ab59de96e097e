"""A Service's cluster IP: an address that no pod has, and that leads to one of its endpoints from every node."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fixtures.services import HTTP, SCTP, TCP, UDP, Port, Services
from netassay.observation import Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fixtures.balance import Balance
    from fixtures.verdicts import CheckInHand
    from netassay.fleet import Probe


@pytest.mark.claim("cluster-ip-tcp")
def test_a_cluster_ip_leads_to_its_endpoints_over_tcp(
    services: Services, backends: Sequence[Probe], pods: Sequence[Probe], verdict: CheckInHand
) -> None:
    """From every node, a TCP connection to a Service's cluster IP is answered by its endpoints, and by nobody else."""
    service = services.cluster_ip(*backends)
    came = service.wait_for(backends, seen_from=pods, port=TCP)
    verdict.note("new Service known on every node after", came.seconds, "s")
    service.wait_for(backends, seen_from=pods, port=HTTP)


@pytest.mark.claim("cluster-ip-udp")
def test_a_cluster_ip_leads_to_its_endpoints_over_udp(
    services: Services, backends: Sequence[Probe], pods: Sequence[Probe], verdict: CheckInHand
) -> None:
    """From every node, a datagram to a Service's cluster IP is answered by its endpoints, and by nobody else."""
    service = services.cluster_ip(*backends)
    came = service.wait_for(backends, seen_from=pods, port=UDP)
    verdict.note("new Service known on every node after", came.seconds, "s")


@pytest.mark.claim("cluster-ip-sctp")
@pytest.mark.usefixtures("sctp")
def test_a_cluster_ip_leads_to_its_endpoints_over_sctp(
    services: Services, backends: Sequence[Probe], pods: Sequence[Probe], balance: Balance
) -> None:
    """From every node, SCTP associations to a Service's cluster IP are answered by each of its endpoints in turn.

    Nobody else answers, and each endpoint gets its share. The target port is the Service's own, since some proxies
    cannot rewrite SCTP's ports.
    """
    service = services.cluster_ip(*backends, ports=[SCTP])
    service.wait_for(backends, seen_from=pods, port=SCTP)
    balance.require_fair(service, SCTP, backends)


@pytest.mark.claim("service-ports")
def test_each_port_of_a_service_leads_to_its_own_target_port(
    services: Services, backends: Sequence[Probe], probes: Sequence[Probe]
) -> None:
    """A Service with several ports keeps them apart: each is answered by what listens on its own target port."""
    ports = [
        Port("web", 80, Protocol.HTTP, "http"),
        Port("stream", 81, Protocol.TCP, "tcp"),
        Port("stream-too", 8000, Protocol.TCP, "tcp2"),
        Port("datagrams", 82, Protocol.UDP, "udp2"),
    ]
    service = services.cluster_ip(*backends, ports=ports)
    for port in ports:
        service.wait_for(backends, seen_from=probes, port=port)


@pytest.mark.claim("service-named-ports")
def test_a_named_target_port_is_looked_up_in_the_pod(
    services: Services, backends: Sequence[Probe], probes: Sequence[Probe]
) -> None:
    """A target port that is given by name is the port to which each pod gives that name, whatever its number."""
    ports = [Port("named-http", 8081, Protocol.HTTP, "http"), Port("named-udp", 8000, Protocol.UDP, "udp")]
    service = services.cluster_ip(*backends, ports=ports)
    for port in ports:
        service.wait_for(backends, seen_from=probes, port=port)


@pytest.mark.claim("service-same-port-both-protocols")
def test_one_port_number_serves_tcp_and_udp(
    services: Services, backends: Sequence[Probe], probes: Sequence[Probe]
) -> None:
    """The same port number can be used for TCP and for UDP, as DNS does, and each leads to its own listener."""
    ports = [Port("over-tcp", 53, Protocol.TCP, "tcp"), Port("over-udp", 53, Protocol.UDP, "udp")]
    service = services.cluster_ip(*backends, ports=ports)
    for port in ports:
        service.wait_for(backends, seen_from=probes, port=port)


@pytest.mark.claim("service-balance")
def test_connections_are_spread_over_all_endpoints(
    services: Services, backends: Sequence[Probe], probes: Sequence[Probe], balance: Balance
) -> None:
    """From every node, each endpoint of a Service gets its share of new connections.

    The share demanded is so small that a proxy which chooses at random fails by chance in less than one of a million
    runs.
    """
    service = services.cluster_ip(*backends)
    service.wait_for(backends, seen_from=probes)
    balance.require_fair(service, TCP, backends)


@pytest.mark.claim("hairpin-cluster-ip")
@pytest.mark.parametrize("port", [TCP, UDP, HTTP], ids=lambda port: port.name)
def test_a_pod_reaches_itself_through_its_own_service(
    services: Services, backends: Sequence[Probe], probes: Sequence[Probe], port: Port
) -> None:
    """The only endpoint of a Service that connects to the Service's cluster IP reaches itself.

    The control is another pod, which reaches the same endpoint by the same cluster IP.
    """
    alone = backends[0]
    service = services.cluster_ip(alone)
    service.wait_for([alone], seen_from=probes, port=port)
    service.wait_for([alone], seen_from=[alone], port=port)
