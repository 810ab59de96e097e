"""Endpoints that are not found by a selector, but written down: in EndpointSlices, or in the older Endpoints."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fixtures.services import TCP, UDP, Services

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fixtures.slices import Slices
    from netassay.fleet import Probe


@pytest.mark.claim("endpoint-slices-merged")
def test_the_slices_of_a_service_are_taken_together(
    services: Services, slices: Slices, backends: Sequence[Probe], probes: Sequence[Probe]
) -> None:
    """All EndpointSlices of a Service together are its endpoints, whoever wrote them; one that goes takes only its own.

    The pod of the slice that is deleted lives on, and so would answer.
    """
    service = services.without_selector()
    first, second = slices.add(service, backends[0]), slices.add(service, backends[1])
    for port in (TCP, UDP):
        service.wait_for(backends[:2], seen_from=probes, port=port)
    slices.remove(first)
    for port in (TCP, UDP):
        service.wait_for([backends[1]], seen_from=probes, port=port)
    slices.add(service, backends[0])
    slices.remove(second)
    service.wait_for([backends[0]], seen_from=probes)


@pytest.mark.claim("endpoints-by-hand")
def test_endpoints_that_are_written_by_hand_are_served(
    services: Services, slices: Slices, backends: Sequence[Probe], probes: Sequence[Probe]
) -> None:
    """A Service without a selector leads to the addresses of the Endpoints object of its name, from every node."""
    service = services.without_selector()
    slices.write_endpoints(service, *backends)
    for port in (TCP, UDP):
        service.wait_for(backends, seen_from=probes, port=port)
