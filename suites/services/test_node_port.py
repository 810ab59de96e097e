"""A NodePort: the same port on every node leads to the Service's endpoints, wherever they run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fixtures.services import TCP, UDP, Port, Services

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fixtures.cluster import Node
    from fixtures.outside import Outside
    from netassay.fleet import Probe


@pytest.mark.claim("node-port")
@pytest.mark.parametrize("port", [TCP, UDP], ids=lambda port: port.name)
def test_a_node_port_answers_on_every_node(
    services: Services,
    backends: Sequence[Probe],
    probes: Sequence[Probe],
    host_probes_if_any: Sequence[Probe],
    outside_if_any: Outside | None,
    nodes: Sequence[Node],
    port: Port,
) -> None:
    """On every node's address, a NodePort leads to the Service's endpoint, be it on that node or on another.

    It does so for pods on every node, for what runs in the nodes' own network, and for a host outside the cluster (the
    last two as far as there are probes there). Each Service of this check has one endpoint, so that for one node it is
    local and for all others remote.
    """
    sources = [*probes, *host_probes_if_any]
    if outside_if_any and outside_if_any.driven:
        sources.append(outside_if_any.driven)
    for backend in backends:
        service = services.node_port(backend)
        service.wait_for([backend], seen_from=sources, port=port, on=nodes)
