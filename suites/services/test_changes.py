"""A Service's ports change under its clients' hands."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fixtures.services import Port, Services
from netassay.observation import Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from netassay.fleet import Probe


@pytest.mark.claim("service-ports-changed")
def test_connections_follow_a_changed_port(
    services: Services, backends: Sequence[Probe], probes: Sequence[Probe]
) -> None:
    """New connections go to a Service's new target port as soon as it is changed, and then to its new port alone.

    What listens on the one target port speaks another protocol than what listens on the other. The control, when the
    old port is closed, is the new one.
    """
    backend = backends[0]
    service = services.cluster_ip(backend, ports=[Port("moving", 80, Protocol.TCP, "tcp")])
    service.wait_for([backend], seen_from=probes, port=service.ports[0])
    old, new = Port("moving", 80, Protocol.HTTP, "http"), Port("moving", 81, Protocol.HTTP, "http")
    service.change_ports(old)
    service.wait_for([backend], seen_from=probes, port=old)
    service.change_ports(new)
    service.wait_for([backend], seen_from=probes, port=new)
    service.wait_until_closed(seen_from=probes, ports=[old], control=[service.attempt(new)])
