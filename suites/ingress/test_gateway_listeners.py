"""A Gateway's listeners: it says where it is reached, and there it serves by HTTP and by HTTPS."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fixtures.gateway import Rule
from fixtures.ingress import doors

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fixtures.gateway import Gateway, Routes
    from fixtures.verdicts import CheckInHand
    from fixtures.web import Door, Site, Visitors
    from netassay.families import Family


@pytest.mark.claim("gateway-status")
def test_a_gateway_says_where_it_is_reached(
    gateway: Gateway, routes: Routes, visitors: Visitors, sites: Sequence[Site], family: Family, verdict: CheckInHand
) -> None:
    """A Gateway's status says that it is accepted and programmed, and where its routes are served."""
    seconds, addresses = gateway.wait_until_programmed()
    verdict.note("Gateway programmed after", seconds, "s")
    host = f"www.{routes.domain()}"
    routes.serve([host], [Rule({sites[0]: 1})])
    for door in doors(str(gateway), addresses, family):
        visitors.require(door, [door.ask(host, "/", sites[0])])


@pytest.mark.claim("gateway-tls")
def test_a_listener_presents_its_certificate(
    gateway: Gateway, gate: Door, routes: Routes, visitors: Visitors, sites: Sequence[Site]
) -> None:
    """An HTTPS listener presents the certificate that it names, and leads to its routes.

    The control is the same route by HTTP.
    """
    host = routes.domain()
    routes.serve([host], [Rule({sites[0]: 1})])
    visitors.require(gate, [gate.ask(host, "/", sites[0])])
    visitors.wait_for_certificates(gate, [gate.ask(host, "/", sites[0], tls=True)], {host: gateway.certificate})
