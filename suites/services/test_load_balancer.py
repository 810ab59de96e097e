"""Services of type LoadBalancer, as the world outside reaches them, if anything here gives them addresses."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fixtures.crowds import NOBODYS
from fixtures.services import TCP, UDP, UNKNOWN_CLASS
from fixtures.verdicts import not_applicable
from netassay.errors import NetworkFault

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fixtures.load_balancers import LoadBalancers
    from fixtures.outside import Outside
    from fixtures.verdicts import CheckInHand
    from netassay.families import Family
    from netassay.fleet import Probe


@pytest.mark.claim("load-balancer")
def test_a_load_balancer_leads_to_the_endpoints(
    load_balancers: LoadBalancers, backends: Sequence[Probe], outside: Outside, verdict: CheckInHand
) -> None:
    """A Service of type LoadBalancer is given an address, at which the outside reaches all its endpoints, TCP and UDP.

    It follows when an endpoint goes.
    """
    client = outside.client
    service = load_balancers.make(*backends)
    address = load_balancers.address_of(service)
    for port in (TCP, UDP):
        came = service.wait_for(backends, seen_from=[client], port=port, at=address)
    verdict.note("load balancer open, once it had an address, after", came.seconds, "s")
    service.remove(backends[0])
    for port in (TCP, UDP):
        service.wait_for(backends[1:], seen_from=[client], port=port, at=address)


@pytest.mark.claim("load-balancer-local")
def test_a_local_load_balancer_keeps_its_clients_address(
    load_balancers: LoadBalancers, backends: Sequence[Probe], outside: Outside, verdict: CheckInHand
) -> None:
    """With externalTrafficPolicy Local, endpoints behind a load balancer see the true client, wherever they move."""
    client = outside.client
    old, new = backends[0], backends[-1]
    service = load_balancers.make(old, externalTrafficPolicy="Local")
    address = load_balancers.address_of(service)
    for backend in (old, new):
        if backend is new:
            service.add(new)
            service.remove(old)
        for port in (TCP, UDP):
            followed = service.wait_for([backend], seen_from=[client], port=port, at=address, true_client=True)
    verdict.note("load balancer followed its endpoint to another node after", followed.seconds, "s")


@pytest.mark.claim("load-balancer-source-ranges")
def test_a_load_balancer_admits_only_its_source_ranges(
    load_balancers: LoadBalancers, backends: Sequence[Probe], outside: Outside, family: Family
) -> None:
    """With loadBalancerSourceRanges, a client of these ranges gets through, and any other does not, over TCP and UDP.

    The control is a load balancer of the same endpoint without ranges, which the same client reaches at the moment when
    it is kept out.
    """
    client, backend = outside.client, backends[0]
    free = load_balancers.make(backend)
    own = [f"{address}/{128 if ':' in address else 32}" for address in client.addresses]
    service = load_balancers.make(backend, loadBalancerSourceRanges=own)
    address, free_address = load_balancers.address_of(service), load_balancers.address_of(free)
    if load_balancers.status(service).is_proxy:
        not_applicable(
            "the load balancer is a proxy, so that nodes do not see its clients: its ranges are its own affair"
        )
    for port in (TCP, UDP):
        free.wait_for([backend], seen_from=[client], port=port, at=free_address)
        service.wait_for([backend], seen_from=[client], port=port, at=address)
    service.change(loadBalancerSourceRanges=[str(NOBODYS[family])])
    control = [free.attempt(port, at=free_address) for port in (TCP, UDP)]
    service.wait_until_closed(seen_from=[client], ports=[TCP, UDP], at=address, control=control)
    service.change(loadBalancerSourceRanges=[*own, str(NOBODYS[family])])
    for port in (TCP, UDP):
        service.wait_for([backend], seen_from=[client], port=port, at=address)


@pytest.mark.claim("load-balancer-no-node-ports")
def test_a_load_balancer_can_do_without_node_ports(
    load_balancers: LoadBalancers, backends: Sequence[Probe], outside: Outside
) -> None:
    """With allocateLoadBalancerNodePorts false, a Service has no NodePort, and is reached at its address all the same.

    The control is the same Service with NodePorts: then each of its ports has one.
    """
    client = outside.client
    usual, bare = load_balancers.make(backends[0]), load_balancers.make(*backends, allocateLoadBalancerNodePorts=False)
    for port in usual.ports:
        assert usual.node_port(port), f"{usual}: port {port.number} over {port.over} should have a NodePort"
        taken = bare.node_port(port)
        assert not taken, f"{bare}: port {port.number} over {port.over} should have no NodePort, and has {taken}"
    address = load_balancers.address_of(bare)
    for port in (TCP, UDP):
        bare.wait_for(backends, seen_from=[client], port=port, at=address)


@pytest.mark.claim("load-balancer-class")
def test_a_load_balancer_of_an_unknown_class_is_left_alone(
    load_balancers: LoadBalancers, backends: Sequence[Probe]
) -> None:
    """A Service whose loadBalancerClass nobody serves is given no address.

    The control is a Service without that class: made after it, it has been given an address by then.
    """
    left_alone = load_balancers.make(backends[0], loadBalancerClass=UNKNOWN_CLASS)
    load_balancers.address_of(load_balancers.make(backends[0]))
    given = load_balancers.status(left_alone).addresses
    if given:
        raise NetworkFault(f"{left_alone} is of class {UNKNOWN_CLASS}, which nobody serves, and was given {given[0]}")


@pytest.mark.claim("load-balancer-given-up")
def test_a_load_balancer_that_is_given_up_is_closed(
    load_balancers: LoadBalancers, backends: Sequence[Probe], outside: Outside
) -> None:
    """A Service that is of type LoadBalancer no more gives its address back, and the outside is closed out there.

    The control is a load balancer of the same endpoint that stays.
    """
    client, backend = outside.client, backends[0]
    stays, goes = load_balancers.make(backend), load_balancers.make(backend)
    address, other = load_balancers.address_of(goes), load_balancers.address_of(stays)
    stays.wait_for([backend], seen_from=[client], at=other)
    goes.wait_for([backend], seen_from=[client], at=address)
    goes.change(type="ClusterIP")
    load_balancers.wait_until_given_back(goes)
    goes.wait_until_closed(seen_from=[client], at=address, control=[stays.attempt(TCP, at=other)])
