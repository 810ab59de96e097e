"""Ports of a node that lead to a pod, and pods that live in their node's own network."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from netassay.errors import NetworkFault

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fixtures.cluster import Node
    from fixtures.host_ports import HostPorts
    from fixtures.outside import Outside
    from netassay.fleet import Probe


@pytest.mark.claim("host-port")
def test_a_port_of_the_node_leads_to_its_pod(
    host_ports: HostPorts, probes: Sequence[Probe], host_probes: Sequence[Probe], outside_if_any: Outside | None
) -> None:
    """A pod's hostPort answers at its node's address, from pods and nodes everywhere and from outside, by protocol.

    On each node, pods share one number: over TCP and over UDP at the node's address, and at its loopback. When the one
    that has it over TCP is gone, the port is closed; UDP, which goes on, is the control.
    """
    sharers = host_ports.shared_on_each([probe.node for probe in probes])
    host_ports.require_answered(sharers, seen_from=[*probes, *host_probes])
    host_ports.require_loopback(sharers, {probe.node: probe for probe in host_probes})
    if outside_if_any is not None and outside_if_any.driven is not None:
        host_ports.require_answered_outside(sharers, outside_if_any)
    host_ports.require_given_back(sharers, seen_from=probes)


@pytest.mark.claim("host-network")
def test_a_pod_in_its_nodes_network_has_its_nodes_address(host_probes: Sequence[Probe], nodes: Sequence[Node]) -> None:
    """A hostNetwork pod's address is its node's, which is on a link that it sees."""
    by_name = {node.name: node for node in nodes}
    for probe in host_probes:
        own = {address.split("/")[0] for link in probe.interfaces() for address in link.addresses}
        of_node = by_name[probe.node].addresses
        if probe.address not in of_node or probe.address not in own:
            raise NetworkFault(
                f"{probe!r} has {', '.join(probe.addresses)}, its node {', '.join(of_node)}, and its links "
                f"{', '.join(sorted(own))}: a hostNetwork pod's address should be its node's"
            )
