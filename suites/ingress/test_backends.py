"""Backends of Ingress rules: how they are named, how requests are spread over them, and what becomes of dead ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fixtures.ingress import Path
from fixtures.services import HTTP
from fixtures.web import Site

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fixtures.ingress import Ingresses
    from fixtures.probes import Guests
    from fixtures.services import Services
    from fixtures.verdicts import CheckInHand
    from fixtures.web import Door, Visitors
    from netassay.fleet import Probe


@pytest.mark.claim("ingress-port-name")
def test_a_backends_port_is_found_by_its_name(
    ingresses: Ingresses, entry: Door, visitors: Visitors, sites: Sequence[Site]
) -> None:
    """A rule that gives its backend's port by name leads to the port of that name.

    The control is a rule of the same Ingress that gives the port by its number.
    """
    host, (one, two, *_) = ingresses.host(), sites
    ingresses.serve({host: [Path("/number", one), Path("/name", two, by_name=True)]})
    visitors.require(entry, entry.table(host, {"/number": one, "/name": two}))


@pytest.mark.claim("ingress-default-backend")
@pytest.mark.serial
def test_the_default_backend_takes_what_no_rule_matches(
    ingresses: Ingresses, entry: Door, visitors: Visitors, sites: Sequence[Site], verdict: CheckInHand
) -> None:
    """An Ingress without rules has its default backend answer whatever host and path no rule matches, until it goes.

    The control is a host with a rule, which is still followed. It answers for all the cluster meanwhile, and so is made
    alone, and only if there is none yet.
    """
    known, unknown = ingresses.host(), ingresses.host()
    ingresses.serve({known: [Path("/", sites[0])]})
    control, unmatched = entry.ask(known, "/", sites[0]), entry.table(unknown, {"/": None, "/any/path?a=b": None})
    visitors.require(entry, [control, *unmatched])
    ingress = ingresses.serve({}, default=sites[1])
    taken = entry.table(unknown, {"/": sites[1], "/any/path?a=b": sites[1]})
    followed = visitors.wait_for(entry, [control, *taken])
    verdict.note("default backend followed after", followed.seconds, "s")
    ingress.delete()
    visitors.wait_for(entry, [control, *unmatched])


@pytest.mark.claim("ingress-unmatched")
def test_what_no_rule_matches_is_not_found(
    ingresses: Ingresses, entry: Door, visitors: Visitors, sites: Sequence[Site]
) -> None:
    """An unknown host, and a path that no rule of a known host matches, are answered 404, over HTTP and HTTPS.

    The control is the path that is served, asked for in the same batch.
    """
    host, unknown = ingresses.host(), ingresses.host()
    ingresses.serve({host: [Path("/foo", sites[0])]})
    visitors.require(
        entry,
        [
            entry.ask(host, "/foo", sites[0]),
            *entry.table(host, {"/": None, "/bar": None}, error=404),
            *entry.table(unknown, {"/": None, "/foo": None}, error=404),
            entry.ask(unknown, "/foo", None, tls=True, error=404),
        ],
    )


@pytest.mark.claim("ingress-balance")
def test_requests_are_spread_over_all_endpoints(
    ingresses: Ingresses,
    entry: Door,
    visitors: Visitors,
    services: Services,
    backends: Sequence[Probe],
    verdict: CheckInHand,
) -> None:
    """Each endpoint of a backend gets its share of the requests, which are made on a connection of their own each.

    The share demanded is so small that a proxy which chooses at random fails by chance in less than one of a million
    runs.
    """
    host = ingresses.host()
    service = services.cluster_ip(*backends, ports=[HTTP])
    ingresses.serve({host: [Path("/", Site(service, backends[0]))]})
    visitors.require_shares(entry, entry.request(host), dict.fromkeys(backends, 1.0), verdict)


@pytest.mark.claim("ingress-dead-backend")
@pytest.mark.parametrize("how", ["deleted", "killed", "unready"])
def test_a_dead_endpoint_gets_no_more_requests(
    ingresses: Ingresses,
    entry: Door,
    visitors: Visitors,
    services: Services,
    guests: Guests,
    verdict: CheckInHand,
    how: str,
) -> None:
    """When one of two endpoints is deleted, killed or unready, soon all requests are answered by the other.

    The control is that both answered before.
    """
    dying, living = guests.join(2)
    host, service = ingresses.host(), services.cluster_ip(dying, living, ports=[HTTP])
    ingresses.serve({host: [Path("/", Site(service, living))]})
    visitors.wait_for_all(entry, entry.request(host), [dying, living])
    guests.fall(dying, how)
    followed = visitors.wait_for(entry, [entry.ask(host, "/", Site(service, living))] * 10)
    verdict.note(f"endpoint that was {how} avoided after", followed.seconds, "s")
