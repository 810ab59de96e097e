"""How pods' resolvers are set up by dnsPolicy and dnsConfig, and what they then ask on the wire."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fixtures.dns import Dns, require_lookup
from fixtures.resolvers import Resolvers, require_order, require_same_settings, require_settings, settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fixtures.services import Services
    from netassay.fleet import Probe

SEARCHES = ("first.example", "second.example")


@pytest.mark.claim("dns-policy-default")
def test_a_pod_with_policy_default_has_its_nodes_resolver(
    resolvers: Resolvers, host_probes: Sequence[Probe], dns: Dns
) -> None:
    """A pod with dnsPolicy Default asks what its node asks, and not the cluster's DNS.

    What the node asks is seen by a pod in the node's own network with the same policy. The same holds in the node's
    network for a pod with policy ClusterFirst, which only ClusterFirstWithHostNet changes there.
    """
    nodes = resolvers.on_each_node(settings("Default"), host_network=True)
    for policy, host_network in (("Default", False), ("ClusterFirst", True)):
        require_same_settings(resolvers.on_each_node(settings(policy), host_network=host_network), nodes)
    dns.require_not_asked_by(nodes)


@pytest.mark.claim("dns-policy-host-network")
def test_a_pod_in_its_nodes_network_finds_services_if_it_says_so(
    services: Services, backends: Sequence[Probe], host_probes: Sequence[Probe], dns: Dns
) -> None:
    """A pod in its node's network with policy ClusterFirstWithHostNet resolves Services' names, as any other pod."""
    service = services.cluster_ip(*backends)
    name = service.name_under(dns.domain)
    dns.wait_for(name, [service.address])
    for probe in host_probes:
        dns.require_served_by_the_service(probe)
        dns.require_search_list(probe, [f"{probe.namespace}.svc.{dns.domain}", f"svc.{dns.domain}", dns.domain])
        require_lookup(probe, probe.lookup(f"{service.name}.{service.namespace}"), addresses=[service.address])


@pytest.mark.claim("dns-policy-none")
def test_a_pod_with_policy_none_has_what_it_says(
    services: Services, backends: Sequence[Probe], resolvers: Resolvers, dns: Dns
) -> None:
    """A pod with dnsPolicy None has the name servers, search list and options of its dnsConfig, and nothing else."""
    service = services.cluster_ip(*backends)
    dns.wait_for(service.name_under(dns.domain), [service.address])
    searches = ["first.example", f"svc.{dns.domain}"]
    options = {"ndots": "2", "timeout": "3", "rotate": ""}
    pods = resolvers.on_each_node(settings("None", servers=[dns.address], searches=searches, options=options))
    require_settings(pods, servers=[dns.address], searches=searches, options=["ndots:2", "timeout:3", "rotate"])
    for pod in pods:
        require_lookup(pod, pod.lookup(f"{service.name}.{service.namespace}"), addresses=[service.address])


@pytest.mark.claim("dns-config")
def test_what_a_pod_adds_to_its_policy_comes_after_it(
    services: Services, backends: Sequence[Probe], probes: Sequence[Probe], resolvers: Resolvers, dns: Dns
) -> None:
    """The dnsConfig of a pod with policy ClusterFirst adds to what the policy says, and its options win.

    Names of Services are still found: the name server that was added comes after the cluster's.
    """
    service = services.cluster_ip(*backends)
    dns.wait_for(service.name_under(dns.domain), [service.address])
    usual = probes[0].resolv_conf()
    added = settings("ClusterFirst", servers=["192.0.2.53"], searches=SEARCHES, options={"ndots": "3"})
    pods = resolvers.on_each_node(added)
    require_settings(
        pods,
        servers=[*usual.nameservers, "192.0.2.53"],
        searches=[*(suffix.rstrip(".") for suffix in usual.search), *SEARCHES],
        options=["ndots:3", *(option for option in usual.options if not option.startswith("ndots:"))],
    )
    for pod in pods:
        require_lookup(pod, pod.lookup(service.name), addresses=[service.address])


@pytest.mark.claim("dns-search-order")
def test_a_resolver_asks_for_names_in_the_order_of_its_search_list(resolvers: Resolvers) -> None:
    """Names with fewer dots than ndots are asked for under the search list first, others as they are.

    With a dot at its end a name is asked for as it is, and nothing else; see resolv.conf(5). The questions are those
    that reached a name server of the check's own, which knows none of the names, so that all forms are tried; that it
    was asked at all shows that a name server that is no part of the cluster's DNS can be used.
    """
    with resolvers.own_server() as server:
        many, one = resolvers.together(
            settings("None", servers=[server.address], searches=SEARCHES, options={"ndots": "5"}),
            settings("None", servers=[server.address], searches=SEARCHES, options={"ndots": "1"}),
        )
        searched = [f"web.shop.{suffix}." for suffix in SEARCHES]
        for pod, name, expected in (
            (many, "web.shop", [*searched, "web.shop."]),
            (one, "web.shop", ["web.shop.", *searched]),
            (one, "web", [*(f"web.{suffix}." for suffix in SEARCHES), "web."]),
            (many, "web.shop.", ["web.shop."]),
        ):
            require_order(server.asked_by(pod, name), expected, by=pod, name=name)
