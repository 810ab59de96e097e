"""Classes of Ingresses: a controller serves those of its own class, and says where."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fixtures.ingress import Path, doors
from fixtures.verdicts import not_applicable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fixtures.ingress import IngressClass, Ingresses
    from fixtures.verdicts import CheckInHand
    from fixtures.web import Door, Site, Visitors
    from netassay.families import Family


@pytest.mark.claim("ingress-class")
def test_an_ingress_of_an_unknown_class_is_not_served(
    ingress_class: IngressClass, ingresses: Ingresses, entry: Door, visitors: Visitors, sites: Sequence[Site]
) -> None:
    """An Ingress whose class nobody has is served by nobody, and is served once it is given the class that is assayed.

    The control is an Ingress of the right class that was made after it, and is served at the same moment.
    """
    stranger, host = ingresses.host(), ingresses.host()
    ingress = ingresses.serve({stranger: [Path("/", sites[0])]}, class_name=f"none-{ingresses.domain()}")
    ingresses.serve({host: [Path("/", sites[1])]})
    control = entry.ask(host, "/", sites[1])
    visitors.require(entry, [control, entry.ask(stranger, "/", None)])
    ingress.join(ingress_class)
    visitors.wait_for(entry, [control, entry.ask(stranger, "/", sites[0])])


@pytest.mark.claim("ingress-class-default")
def test_an_ingress_without_a_class_is_given_the_default(
    ingress_class: IngressClass, ingresses: Ingresses, entry: Door, visitors: Visitors, sites: Sequence[Site]
) -> None:
    """An Ingress that names no class is served by the controller of the default class."""
    if not ingress_class.is_default:
        not_applicable(f"{ingress_class} is not the default one")
    host = ingresses.host()
    ingresses.serve({host: [Path("/", sites[0])]}, class_name="")
    visitors.require(entry, [entry.ask(host, "/", sites[0])])


@pytest.mark.claim("ingress-status")
def test_the_status_says_where_an_ingress_is_reached(
    ingresses: Ingresses, visitors: Visitors, sites: Sequence[Site], family: Family, verdict: CheckInHand
) -> None:
    """The status of an Ingress soon holds an address, and there it is served, from every node."""
    host = ingresses.host()
    ingress = ingresses.serve({host: [Path("/", sites[0])]})
    came = ingress.wait_for_address()
    verdict.note("address in the status after", came.seconds, "s")
    for door in doors(str(ingress), came.value, family):
        visitors.require(door, [door.ask(host, "/", sites[0])])
        if missing := visitors.missing(door):
            verdict.remark(missing)
