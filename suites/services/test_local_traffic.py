"""Traffic that stays near its client: on the same node, in the same zone, or without a detour over another node."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fixtures.admission import that_prefers
from fixtures.services import TCP, UDP, Services
from fixtures.verdicts import not_applicable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fixtures.cluster import Node
    from fixtures.node_health import NodeHealth
    from fixtures.outside import Outside
    from fixtures.verdicts import CheckInHand
    from netassay.fleet import Probe


@pytest.mark.claim("internal-traffic-local")
def test_internal_traffic_stays_on_its_node(
    services: Services, backends: Sequence[Probe], probes: Sequence[Probe]
) -> None:
    """With internalTrafficPolicy Local, a pod reaches only the endpoints on its own node; where there is none, nothing.

    The control is a Service of the same endpoints without that policy, which all pods reach at the same moment.
    """
    free = services.cluster_ip(*backends)
    free.wait_for(backends, seen_from=probes)
    local = services.cluster_ip(*backends, internalTrafficPolicy="Local")
    wanted = {probe: [backend for backend in backends if backend.node == probe.node] for probe in probes}
    local.wait_for_each({probe: own for probe, own in wanted.items() if own})
    leaving = backends[-1]
    local.remove(leaving)
    wanted = {probe: [backend for backend in own if backend is not leaving] for probe, own in wanted.items()}
    bare = [probe for probe, own in wanted.items() if not own]
    control = [free.attempt(port) for port in (TCP, UDP)]
    local.wait_until_closed(seen_from=bare, ports=[TCP, UDP], control=control)
    for port in (TCP, UDP):
        local.wait_for_each({probe: own for probe, own in wanted.items() if own}, port=port)


@pytest.mark.claim("external-traffic-local")
def test_external_traffic_keeps_its_clients_address(
    services: Services,
    backends: Sequence[Probe],
    nodes: Sequence[Node],
    host_probes_if_any: Sequence[Probe],
    outside_if_any: Outside | None,
) -> None:
    """With externalTrafficPolicy Local, an endpoint that is reached by its own node's NodePort sees the true client.

    Clients are the outside host, and what runs in the network of other nodes, as far as there are probes there. A node
    has several addresses, and is seen under any of them: Cilium's tunnel has nodes send under that of `cilium_host`.
    """
    near = backends[0]
    clients = [probe for probe in host_probes_if_any if probe.node != near.node]
    if outside_if_any and outside_if_any.driven:
        clients.append(outside_if_any.driven)
    if not clients:
        not_applicable("there is no client outside the pods' network: neither an outside host nor host probes")
    entry = next(node for node in nodes if node.name == near.node)
    service = services.node_port(near, externalTrafficPolicy="Local")
    for port in (TCP, UDP):
        service.wait_for([near], seen_from=clients, port=port, on=[entry], true_client=True)


@pytest.mark.claim("external-traffic-local-elsewhere")
def test_external_traffic_is_not_taken_on_by_nodes_without_an_endpoint(
    services: Services, backends: Sequence[Probe], nodes: Sequence[Node], outside: Outside
) -> None:
    """With externalTrafficPolicy Local, a node that has no endpoint of a Service does not forward to one that has.

    The control is the node that has one, which the same outside host reaches at the same moment; and the others follow
    when the endpoint moves.
    """
    client = outside.client
    service = services.node_port(backends[0], externalTrafficPolicy="Local")
    for backend, gone in ((backends[0], None), (backends[-1], backends[0])):
        if gone:
            service.add(backend)
            service.remove(gone)
        entry = next(node for node in nodes if node.name == backend.node)
        bare = [node for node in nodes if node.name != backend.node]
        for port in (TCP, UDP):
            service.wait_for([backend], seen_from=[client], port=port, on=[entry])
        control = [service.attempt_on(entry, port) for port in (TCP, UDP)]
        service.wait_until_closed(seen_from=[client], ports=[TCP, UDP], on=bare, control=control)


@pytest.mark.claim("health-check-node-port")
def test_nodes_tell_load_balancers_whether_they_have_endpoints(
    services: Services,
    backends: Sequence[Probe],
    probes: Sequence[Probe],
    outside_if_any: Outside | None,
    node_health: NodeHealth,
    verdict: CheckInHand,
) -> None:
    """On the healthCheckNodePort of a Service, nodes with an endpoint of it answer 200, and all others 503.

    That is what load balancers in front of nodes go by where externalTrafficPolicy is Local. The Service is of a class
    that no load balancer serves, as it takes none.
    """
    sources = [*probes]
    if outside_if_any and outside_if_any.driven:
        sources.append(outside_if_any.driven)
    old, new = backends[0], backends[-1]
    service = services.unserved_load_balancer(old, externalTrafficPolicy="Local")
    node_health.wait_for(service, {old.node}, seen_from=sources)
    service.add(new)
    node_health.wait_for(service, {old.node, new.node}, seen_from=sources)
    service.remove(old)
    followed = node_health.wait_for(service, {new.node}, seen_from=sources)
    verdict.note("removed endpoint known at the health check port after", followed.seconds, "s")
    service.remove(new)
    node_health.wait_for(service, set(), seen_from=sources)


@pytest.mark.claim("traffic-distribution")
@pytest.mark.parametrize("preference", ["PreferSameNode", "PreferSameZone", "PreferClose"])
def test_traffic_goes_to_near_endpoints_and_to_far_ones_where_there_are_none(
    services: Services, backends: Sequence[Probe], probes: Sequence[Probe], nodes: Sequence[Node], preference: str
) -> None:
    """With a trafficDistribution, pods are answered by the endpoints near them, and by the others if there are none.

    Near is the same node, or the same zone. The control are the pods that have lost their near endpoint: they are
    answered by the far ones.
    """
    places = {node.name: node.name if preference == "PreferSameNode" else node.zone for node in nodes}
    if len({places[probe.node] for probe in probes}) == 1 or not all(places.values()):
        not_applicable("all nodes are in one zone, or some are in none: there is neither near nor far")

    def near(endpoints: Sequence[Probe]) -> dict[Probe, Sequence[Probe]]:
        own = {probe: [each for each in endpoints if places[each.node] == places[probe.node]] for probe in probes}
        return {probe: found or endpoints for probe, found in own.items()}

    service = that_prefers(preference, services, *backends)
    service.wait_for_each(near(backends))
    service.remove(backends[-1])
    for port in (TCP, UDP):
        service.wait_for_each(near(backends[:-1]), port=port)
