"""What the containers of a pod have of the network: from the first to start to the last to end."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fixtures.expectations import require_open
from fixtures.services import TCP, Services
from fixtures.starting import BESIDE_PORT, Starting
from fixtures.traffic import Traffic, at
from netassay.families import Family
from netassay.fleet.manifests import beside_name
from netassay.observation import Attempt, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fixtures.dns import Dns
    from fixtures.stateful_sets import StatefulSets
    from fixtures.verdicts import CheckInHand
    from netassay.fleet import Probe


@pytest.mark.claim("init-container-network")
def test_init_containers_have_the_network(
    services: Services, backends: Sequence[Probe], probes: Sequence[Probe], starting: Starting, dns: Dns
) -> None:
    """An init container, before anything else of its pod runs, reaches a Service by its name, on every node.

    The control: the same Service answers the probes, by name and by address, beforehand.
    """
    service = services.cluster_ip(*backends, ports=[TCP])
    service.wait_for(backends, seen_from=probes)
    dns.wait_for(service.name_under(dns.domain), [service.address])
    starting.require_init_reaches(service.name, TCP.number)


@pytest.mark.claim("shared-network")
def test_the_containers_of_a_pod_share_its_network(
    starting: Starting, probes: Sequence[Probe], traffic: Traffic, family: Family
) -> None:
    """Containers of one pod reach each other at the loopback address, and share the pod's own address.

    From the first container, the second one answers at the loopback address, as the first one does; from other pods,
    both answer at the pod's address, each on its own port.
    """
    loopback = "127.0.0.1" if family is Family.IPV4 else "::1"
    for pod in starting.with_second_container():
        for over in (Protocol.TCP, Protocol.UDP):
            for port, identity in ((pod.ports["tcp"], pod.name), (BESIDE_PORT, beside_name(pod.name))):
                inside = [Attempt(protocol=over, host=loopback, port=port)]
                from_others = [Attempt(protocol=over, host=pod.address, port=port)]
                seen = traffic.each({pod: inside, **dict.fromkeys(probes, from_others)})
                require_open([one for row in seen.values() for one in row], by={identity})


@pytest.mark.claim("terminating-pod")
def test_a_terminating_pod_still_answers_and_is_no_endpoint(
    services: Services,
    backends: Sequence[Probe],
    probes: Sequence[Probe],
    starting: Starting,
    traffic: Traffic,
    verdict: CheckInHand,
) -> None:
    """A pod that has been told to end answers at its address until it does, while its Service leads to others.

    It is seen to be terminating after both; that it was an endpoint shows before.
    """
    leaving = starting.lingering()
    service = services.cluster_ip(*leaving, backends[0])
    service.wait_for([*leaving, backends[0]], seen_from=probes)
    starting.terminate(leaving)
    followed = service.wait_for([backends[0]], seen_from=probes)
    verdict.note("terminating pod avoided on every node after", followed.seconds, "s")
    for pod in leaving:
        require_open(traffic.from_each(probes, [pod], lambda end: at(end, Protocol.TCP)), by={pod.name})
    starting.require_terminating(leaving)


@pytest.mark.claim("stateful-set-identity")
def test_a_stateful_sets_pod_comes_back_under_its_name(
    stateful_sets: StatefulSets, probes: Sequence[Probe], traffic: Traffic, verdict: CheckInHand
) -> None:
    """A pod of a StatefulSet that is deleted comes back under the same name, and answers by it from every node.

    Its address may be another. The set's other pod is not disturbed.
    """
    made, _, (first, second) = stateful_sets.running(2)
    replaced = made.replace(first)
    verdict.note("successor Ready after the deletion", replaced.seconds, "s")
    verdict.note("addresses that changed", float(replaced.pod.address != first.address))
    for pod in (replaced.pod, second):
        require_open(traffic.from_each(probes, [pod], lambda end: at(end, Protocol.TCP)), by={pod.name})
