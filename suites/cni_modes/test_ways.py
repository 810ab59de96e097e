"""The way between nodes: in a tunnel or not, over how many routers, and under which address."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fixtures.expectations import require_open, require_source
from fixtures.pairs import across_nodes
from fixtures.services import TCP, UDP, Services
from fixtures.traffic import Traffic, at
from fixtures.tunnels import Ways, miscounted, narrowed, small, unused, used, usual, whole
from fixtures.verdicts import CheckInHand, not_applicable
from netassay.observation import Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fixtures.interfaces import RoutesToNodes
    from fixtures.service_proxy import Masquerading
    from fixtures.services import Port
    from netassay.fleet import Probe
    from netassay.modes import Mode


@pytest.mark.claim("encapsulation")
def test_packets_between_nodes_are_encapsulated_as_the_mode_says(
    ways: Ways, probes: Sequence[Probe], traffic: Traffic, mode: Mode, verdict: CheckInHand
) -> None:
    """Where the mode says that nothing is encapsulated, what pods send to other nodes uses no link that encapsulates.

    And packets pass that fill their links. Where it names an encapsulation, each node has a link of that kind, which
    carries what its pods send to others, and takes room of every packet, if the mode says how much: others fragment
    what they encapsulate. The control: pods on all nodes reach each other.
    """
    wanted = mode.parameters.encapsulation
    traffic.all_to_all(probes, probes, Protocol.TCP, title="pods across nodes").require()
    node_mtus = ways.node_mtus()
    tunnels = ways.tunnels_recounted() if wanted == "none" else ways.tunnels()
    largest = ways.largest_packets(node_mtus)
    verdict.note("largest packet between nodes", usual(largest), "bytes")
    if wanted == "unknown":
        links = {node: [str(link) for link in found] for node, found in tunnels.items()}
        not_applicable(f"mode {mode.name} does not say; measured: links that encapsulate: {links}")
    if wanted == "none":
        pod_mtus = ways.pod_mtus()
        wrong = [*used(tunnels), *narrowed(largest, node_mtus, pod_mtus)]
        for text in small(node_mtus, pod_mtus):
            verdict.remark(text)
        for link in (link for found in tunnels.values() for link in found if not link.carries):
            verdict.remark(f"{link.node} has {link}, which does not carry what its pods send to other nodes")
    else:
        wrong = unused(tunnels, wanted)
        if mode.parameters.mtu_overhead is not None:
            wrong += whole(largest, node_mtus)
    verdict.judge(holds=not wrong, seen="\n".join(wrong))


@pytest.mark.claim("hop-count")
def test_there_are_as_many_routers_between_pods_as_the_mode_says(ways: Ways, mode: Mode, verdict: CheckInHand) -> None:
    """A datagram from a pod to a pod on another node is answered if it may pass as many routers as the mode says.

    One that may pass fewer is not. Routers of the cloud count where they can be seen.
    """
    hops = ways.hops()
    verdict.note("routers between pods on different nodes", usual(hops))
    if mode.parameters.hops is None:
        not_applicable(f"mode {mode.name} does not say; measured: {usual(hops)}")
    wrong = miscounted(hops, mode)
    verdict.judge(holds=not wrong, seen="\n".join(wrong))


@pytest.mark.claim("source-through-service")
@pytest.mark.parametrize("port", [TCP, UDP], ids=["tcp", "udp"])
def test_endpoints_see_the_address_that_the_mode_says_through_a_service(
    services: Services,
    probes: Sequence[Probe],
    backends: Sequence[Probe],
    traffic: Traffic,
    masquerading: Masquerading,
    mode: Mode,
    port: Port,
    verdict: CheckInHand,
) -> None:
    """Through a cluster IP, an endpoint on another node sees the calling pod's own address, or its node's.

    Where kube-proxy's settings have it see the node's, the mode has no say in it. The control: called directly, it sees
    the pod's own.
    """
    whose = mode.parameters.service_source
    if not whose:
        not_applicable(f"mode {mode.name} does not say whose address endpoints see")
    found = {}
    for endpoint, callers in across_nodes(probes, backends):
        direct = traffic.each({caller: [at(endpoint, port.over)] for caller in callers})
        service = services.cluster_ip(endpoint)
        service.wait_for([endpoint], seen_from=callers)
        through = traffic.each({caller: [service.attempt(port)] for caller in callers})
        for caller in callers:
            require_source(direct[caller], addresses=caller.addresses, what=f"{caller.name} itself")
            require_open(through[caller], by={endpoint.name})
            seen = {one.seen_address for one in through[caller]}
            own = caller.addresses if whose == "pod" else masquerading.of_node(caller.node)
            as_said = seen <= set(own)
            if as_said or not masquerading.explains(caller, caller.node, seen):
                why = f"is seen under {', '.join(sorted(seen))}, and should be under its {whose}'s {', '.join(own)}"
                found[f"{caller!r}, by {endpoint!r} through {service}"] = "" if as_said else why
    if found:
        verdict.judge_each(found)
    masquerading.end_if_it_decided()


@pytest.mark.claim("service-through-node")
def test_what_pods_send_to_services_passes_their_node(
    services: Services,
    probes: Sequence[Probe],
    backends: Sequence[Probe],
    routes_to_nodes: RoutesToNodes,
    traffic: Traffic,
    masquerading: Masquerading,
    verdict: CheckInHand,
) -> None:
    """A pod's route to cluster IPs leads to its node, under whose address endpoints elsewhere are called.

    Where it is kube-proxy's settings that have them called under it, the mode has no say in it. The control: the
    Service answers each pod.
    """
    found = {}
    for endpoint, callers in across_nodes(probes, backends):
        service = services.cluster_ip(endpoint)
        service.wait_for([endpoint], seen_from=callers)
        through = traffic.each({caller: [service.attempt(TCP)] for caller in callers})
        for caller in callers:
            require_open(through[caller], by={endpoint.name})
            seen = {one.seen_address for one in through[caller]}
            if masquerading.explains(caller, caller.node, seen):
                continue
            call = f"{caller!r}, to {endpoint!r} through {service}"
            if not seen <= set(masquerading.of_node(caller.node)):
                found[call] = f"is seen under {', '.join(sorted(seen))}, and not as its node {caller.node}"
            else:
                leads = routes_to_nodes.lead(caller, service.address)
                found[call] = "" if leads else f"has no route to {service.address} by its node {caller.node}"
    if found:
        verdict.judge_each(found)
    masquerading.end_if_it_decided()
