"""Pods reach each other at their own addresses: Kubernetes' network model, put to the test pair by pair."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fixtures.expectations import require_open, require_received, require_source
from fixtures.traffic import Traffic, at
from netassay.observation import USUAL_PROTOCOLS, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from netassay.fleet import Probe

TCP_PAYLOADS = (1, 1400, 1500, 9000, 64 * 1024)
UDP_PAYLOADS = (1, 1200, 1472, 8972, 65507)
"""Bytes: small, about the size of one packet, of one jumbo packet, and the largest that a UDP datagram can hold."""


@pytest.mark.claim("pod-to-pod-tcp")
def test_every_pod_reaches_every_pod_over_tcp(pods: Sequence[Probe], traffic: Traffic) -> None:
    """Every pod can open a TCP connection to every pod, on its own node and on others, and that very pod answers."""
    traffic.all_to_all(pods, pods, Protocol.TCP).require()


@pytest.mark.claim("pod-to-pod-udp")
def test_every_pod_reaches_every_pod_over_udp(pods: Sequence[Probe], traffic: Traffic) -> None:
    """Every pod can exchange datagrams with every pod, on its own node and on others, and that very pod answers."""
    traffic.all_to_all(pods, pods, Protocol.UDP).require()


@pytest.mark.claim("pod-to-pod-http")
def test_every_pod_reaches_every_pod_over_http(pods: Sequence[Probe], traffic: Traffic) -> None:
    """Every pod can make an HTTP request to every pod, on its own node and on others, and that very pod answers."""
    traffic.all_to_all(pods, pods, Protocol.HTTP).require()


@pytest.mark.claim("pod-to-pod-sctp")
def test_every_pod_reaches_every_pod_over_sctp(sctp: Protocol, pods: Sequence[Probe], traffic: Traffic) -> None:
    """Every pod can open an SCTP association to every pod, on its own node and on others, and that very pod answers."""
    traffic.all_to_all(pods, pods, sctp).require()


@pytest.mark.claim("hairpin-self")
@pytest.mark.parametrize("over", USUAL_PROTOCOLS)
def test_a_pod_reaches_itself_by_its_own_address(pods: Sequence[Probe], traffic: Traffic, over: Protocol) -> None:
    """A pod that connects to its own address reaches itself."""
    seen = traffic.each({pod: [at(pod, over)] for pod in pods})
    for pod in pods:
        require_open(seen[pod], by={pod.name})


@pytest.mark.claim("no-snat-between-pods")
@pytest.mark.parametrize("over", USUAL_PROTOCOLS)
def test_a_pod_sees_the_address_of_the_pod_that_calls_it(
    pods: Sequence[Probe], traffic: Traffic, over: Protocol
) -> None:
    """Nobody between two pods changes the caller's address: the called pod sees what the caller calls its own."""
    tried = traffic.among(pods, pods)
    seen = traffic.each({pod: [at(other, over) for other in row if other is not pod] for pod, row in tried})
    for pod in pods:
        require_source(seen[pod], addresses=pod.addresses, what=f"{pod.name} itself")


@pytest.mark.claim("payload-tcp")
def test_payloads_of_up_to_64_kib_arrive_whole_over_tcp(pods: Sequence[Probe], traffic: Traffic) -> None:
    """Whatever its length, from one byte to 64 KiB, what one pod sends over TCP arrives whole at every other."""
    tried = traffic.among(pods, pods)
    work = {pod: [at(to, Protocol.TCP, payload=size) for size in TCP_PAYLOADS for to in row] for pod, row in tried}
    for seen in traffic.each(work).values():
        require_received(seen)


@pytest.mark.claim("payload-udp")
def test_datagrams_up_to_the_largest_arrive_whole(pods: Sequence[Probe], traffic: Traffic) -> None:
    """Datagrams of any size, up to the 65,507 bytes that IPv4 allows, are fragmented on the way and arrive whole.

    The single byte is the control: where it arrives and a large one does not, fragments are what is lost.
    """
    for size in UDP_PAYLOADS:
        work = {pod: [at(to, Protocol.UDP, payload=size) for to in row] for pod, row in traffic.among(pods, pods)}
        for seen in traffic.each(work).values():
            require_received(seen)
