"""Names of pods, under the name of a headless Service."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fixtures.dns import Dns, require_answer, require_lookup
from fixtures.services import TCP, Services

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fixtures.probes import Guests
    from fixtures.stateful_sets import StatefulSets
    from fixtures.verdicts import CheckInHand
    from netassay.fleet import Fleet, Probe


@pytest.mark.claim("dns-headless")
def test_a_headless_name_lists_exactly_the_ready_pods(
    services: Services, backends: Sequence[Probe], guests: Guests, fleet: Fleet, dns: Dns
) -> None:
    """A headless Service's name resolves to the addresses of its ready pods, and of no other.

    One that is not ready is not among them, one that becomes ready joins them, and one that leaves the Service is gone
    from them.
    """
    (late,) = guests.join(1, ready=False)
    service = services.headless(*backends, late)
    name = service.name_under(dns.domain)
    dns.wait_for(name, [backend.address for backend in backends])
    fleet.set_ready(late, True)
    dns.wait_for(name, [pod.address for pod in (*backends, late)])
    service.remove(*backends)
    dns.wait_for(name, [late.address])


@pytest.mark.claim("dns-headless")
def test_a_headless_services_port_lists_its_pods(services: Services, backends: Sequence[Probe], dns: Dns) -> None:
    """The SRV record of a headless Service's port names every ready pod, by names that resolve to its address."""
    service = services.headless(*backends, ports=[TCP])
    name = service.name_under(dns.domain)
    dns.wait_for(name, [backend.address for backend in backends])
    dns.wait_for_targets(f"_{TCP.name}._tcp.{name}", [backend.address for backend in backends])


@pytest.mark.claim("dns-follows-endpoints")
def test_names_follow_the_endpoints(
    services: Services, backends: Sequence[Probe], dns: Dns, verdict: CheckInHand
) -> None:
    """Each server of the cluster's DNS soon lists a pod that joins a headless Service, and no more one that leaves it.

    The times are from the change of the pod's label until every server was seen to have followed.
    """
    staying, changing = backends[0], backends[1]
    service = services.headless(staying)
    name = service.name_under(dns.domain)
    dns.wait_for(name, [staying.address])
    service.add(changing)
    joined = dns.wait_for_replicas(name, [staying.address, changing.address])
    verdict.note("endpoint listed by every DNS server after", joined, "s")
    service.remove(changing)
    left = dns.wait_for_replicas(name, [staying.address])
    verdict.note("endpoint listed no more after", left, "s")


@pytest.mark.claim("dns-ptr-endpoint")
def test_a_pods_address_resolves_back_to_its_name(services: Services, guests: Guests, dns: Dns) -> None:
    """The reverse lookup of the address of a pod that has a name under a headless Service gives that name."""
    service = services.headless()
    (pod,) = guests.join_as("back-0", subdomain=service.name)
    service.add(pod)
    dns.wait_for(pod.address, [f"back-0.{service.name_under(dns.domain)}"], "PTR")


@pytest.mark.claim("dns-pod-address")
def test_a_pods_address_written_as_a_name_resolves_to_it(backends: Sequence[Probe], dns: Dns) -> None:
    """A pod's address, with dashes, is a name under its namespace's `pod` zone, which resolves to that address.

    The specification has dropped these names; servers still offer them, and programs use them.
    """
    for pod in backends:
        dashed = pod.address.replace(".", "-").replace(":", "-")
        name = f"{dashed}.{pod.namespace}.pod.{dns.domain}."
        require_answer(dns.ask_each(name), records=[pod.address])


@pytest.mark.claim("dns-statefulset")
def test_each_pod_of_a_stateful_set_keeps_its_name(
    stateful_sets: StatefulSets, probes: Sequence[Probe], dns: Dns, verdict: CheckInHand
) -> None:
    """Each pod of a StatefulSet has a name of its own, and the name follows it to the address of its successor.

    The other pod is the control: its name stays with its address. The set's own name lists both.
    """
    made, service, (first, second) = stateful_sets.running(2)
    name = service.name_under(dns.domain)
    dns.wait_for(name, [first.address, second.address])
    for pod in (first, second):
        dns.wait_for(f"{pod.name}.{name}", [pod.address])
        for probe in probes:
            require_lookup(probe, probe.lookup(f"{pod.name}.{service.name}"), addresses=[pod.address])
    successor = made.replace(first).pod
    followed = dns.wait_for(f"{successor.name}.{name}", [successor.address])
    verdict.note("name at the successor's address after it was Ready", followed.seconds, "s")
    dns.wait_for(f"{second.name}.{name}", [second.address])
    dns.wait_for(name, [successor.address, second.address])


@pytest.mark.claim("dns-hostname")
def test_a_pod_with_hostname_and_subdomain_has_a_name_of_its_own(services: Services, guests: Guests, dns: Dns) -> None:
    """A pod with a hostname, and a headless Service as its subdomain, has a name, and so has one that takes its place.

    It need not belong to a StatefulSet.
    """
    service = services.headless()
    first, second = guests.join_as("db-0", "db-1", subdomain=service.name)
    service.add(first, second)
    name = service.name_under(dns.domain)
    dns.wait_for(f"db-0.{name}", [first.address])
    dns.wait_for(f"db-1.{name}", [second.address])
    guests.leave([first], wait=False)
    (successor,) = guests.join_as("db-0", subdomain=service.name)
    service.add(successor)
    dns.wait_for(f"db-0.{name}", [successor.address])
