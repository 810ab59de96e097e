"""Addresses and ports of Services: given once, given back, and closed when nobody holds them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fixtures.admission import require_refused
from fixtures.services import TCP, UDP, Services

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fixtures.allocation import Allocation
    from fixtures.cluster import Node
    from fixtures.verdicts import CheckInHand
    from netassay.fleet import Probe

MADE = 5


@pytest.mark.claim("cluster-ip-allocated")
def test_cluster_ips_are_unique_and_from_the_service_range(
    services: Services,
    allocation: Allocation,
    backends: Sequence[Probe],
    probes: Sequence[Probe],
    verdict: CheckInHand,
) -> None:
    """Every Service gets a cluster IP of its own from the Service range, or the very one that it asks for.

    One that another Service holds is refused, and can be had once that Service is gone.
    """
    made = [services.cluster_ip(ports=[TCP]) for _ in range(MADE)]
    verdict.remark(f"cluster IPs come from {allocation.require_sound(made)}")
    wanted = made[0].address
    require_refused(
        f"a second Service with {made[0]}'s cluster IP", lambda: services.cluster_ip(ports=[TCP], clusterIP=wanted)
    )
    made[0].delete()
    heir = services.cluster_ip(backends[0], ports=[TCP], clusterIP=wanted)
    assert heir.address == wanted, f"{heir} asked for {wanted}"
    heir.wait_for([backends[0]], seen_from=probes)


@pytest.mark.claim("service-deleted")
def test_a_deleted_service_is_closed(
    services: Services, backends: Sequence[Probe], probes: Sequence[Probe], nodes: Sequence[Node], verdict: CheckInHand
) -> None:
    """Nobody gets through to a deleted Service's cluster IP and NodePort, over TCP or UDP, from any node.

    The control is a Service of the same endpoint, which every source reaches at the same moment.
    """
    backend = backends[0]
    stays, goes = services.node_port(backend, ports=[TCP, UDP]), services.node_port(backend, ports=[TCP, UDP])
    for port in (TCP, UDP):
        goes.wait_for([backend], seen_from=probes, port=port, on=nodes)
        goes.wait_for([backend], seen_from=probes, port=port)
        stays.wait_for([backend], seen_from=probes, port=port)
    goes.delete()
    control = [stays.attempt(port) for port in (TCP, UDP)]
    closed = goes.wait_until_closed(seen_from=probes, ports=[TCP, UDP], on=nodes, control=control)
    verdict.note("deleted Service closed on every node after", closed.seconds, "s")
    goes.wait_until_closed(seen_from=probes, ports=[TCP, UDP], control=control)


@pytest.mark.claim("node-port-released")
def test_a_node_port_is_given_to_one_service_at_a_time(
    services: Services, backends: Sequence[Probe], probes: Sequence[Probe], nodes: Sequence[Node]
) -> None:
    """A NodePort that a Service holds is refused to any other; given back, it leads to whoever asks for it next."""
    old, new = backends[0], backends[1]
    holder = services.node_port(old, ports=[TCP])
    holder.wait_for([old], seen_from=probes, on=nodes)
    same = TCP._replace(on_nodes=holder.node_port(TCP))
    require_refused(
        f"a second Service with NodePort {same.on_nodes}, which {holder} holds",
        lambda: services.node_port(ports=[same]),
    )
    holder.delete()
    services.node_port(new, ports=[same]).wait_for([new], seen_from=probes, on=nodes)
