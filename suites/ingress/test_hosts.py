"""Hosts of Ingress rules: exact and wildcard ones, several rules for one host, and rules for any host."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fixtures.ingress import EXACT, Path

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fixtures.ingress import Ingresses
    from fixtures.verdicts import CheckInHand
    from fixtures.web import Door, Site, Visitors


@pytest.mark.claim("ingress-host")
def test_an_exact_host_matches_only_itself(
    ingresses: Ingresses, entry: Door, visitors: Visitors, sites: Sequence[Site]
) -> None:
    """A rule for a host is followed for that host, whatever its case and port, and for no other, from every node.

    The control of the hosts that are not served are those that are, asked for in the same batch.
    """
    domain = ingresses.domain()
    shop, blog = f"shop.{domain}", f"blog.{domain}"
    ingresses.serve({shop: [Path("/", sites[0])], blog: [Path("/", sites[1])]})
    served = {shop: sites[0], blog: sites[1], shop.upper(): sites[0], f"{shop}:{entry.http}": sites[0]}
    others = [domain, f"www.{domain}", f"a.{shop}", f"{shop}.example", f"x{shop}"]
    visitors.require(
        entry,
        [
            *(entry.ask(host, "/", site) for host, site in served.items()),
            *(entry.ask(host, "/", None) for host in others),
        ],
    )


@pytest.mark.claim("ingress-host-wildcard")
def test_a_wildcard_host_stands_for_one_label(
    ingresses: Ingresses, entry: Door, visitors: Visitors, sites: Sequence[Site]
) -> None:
    """A rule for *.domain is followed for hosts with one label more than the domain, not for two more, nor for none.

    The control of the hosts that do not match are those that do, asked for in the same batch.
    """
    domain = ingresses.domain()
    ingresses.serve({f"*.{domain}": [Path("/", sites[0])]})
    visitors.require(
        entry,
        [
            *(entry.ask(f"{label}.{domain}", "/", sites[0]) for label in ("a", "any-other-1")),
            *(entry.ask(host, "/", None) for host in (domain, f"a.b.{domain}", f"a.x{domain}")),
        ],
    )


@pytest.mark.claim("ingress-host-precedence")
def test_an_exact_host_goes_before_a_wildcard(
    ingresses: Ingresses, entry: Door, visitors: Visitors, sites: Sequence[Site], verdict: CheckInHand
) -> None:
    """Where rules for a host and for a wildcard both match, the one for the host is followed.

    The control is another host of the same domain, for which only the wildcard's rule is there.
    """
    domain = ingresses.domain()
    ingresses.serve({f"*.{domain}": [Path("/", sites[0])], f"www.{domain}": [Path("/", sites[1])]})
    control, wanted = entry.ask(f"other.{domain}", "/", sites[0]), entry.ask(f"www.{domain}", "/", sites[1])
    visitors.require(entry, [control])
    visitors.judge(entry, [control, wanted], verdict)


@pytest.mark.claim("ingress-host-shared")
def test_several_ingresses_share_a_host(
    ingresses: Ingresses, entry: Door, visitors: Visitors, sites: Sequence[Site]
) -> None:
    """Paths that several Ingresses give for one host are all served, and when one of them goes the others stay."""
    host = ingresses.host()
    ingresses.serve({host: [Path("/first", sites[0])]})
    second = ingresses.serve({host: [Path("/second", sites[1])]})
    ingresses.serve({host: [Path("/third", sites[2], EXACT)]})
    visitors.wait_for(entry, entry.table(host, {"/first": sites[0], "/second": sites[1], "/third": sites[2]}))
    second.delete()
    left = {"/first": sites[0], "/second": None, "/third": sites[2]}
    visitors.wait_for(entry, entry.table(host, left))


@pytest.mark.claim("ingress-host-any")
def test_a_rule_without_a_host_is_for_every_host(
    ingresses: Ingresses, entry: Door, visitors: Visitors, sites: Sequence[Site]
) -> None:
    """A rule that names no host is followed for whatever host is asked for.

    The control is another path, which no rule names, of the same hosts.
    """
    path = f"/{ingresses.domain()}"
    ingresses.serve({"": [Path(path, sites[0])]})
    hosts = [ingresses.host(), ingresses.domain()]
    visitors.require(
        entry,
        [
            *(entry.ask(host, path, sites[0]) for host in hosts),
            *(entry.ask(host, f"{path}-not", None) for host in hosts),
        ],
    )
