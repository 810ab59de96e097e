"""TLS at the Ingress: each host presents the certificate that its rule names, and is served over it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fixtures.ingress import Path

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fixtures.ingress import Ingresses
    from fixtures.verdicts import CheckInHand
    from fixtures.web import Door, Site, Visitors
    from netassay.certificates import Authority


@pytest.mark.claim("ingress-tls")
def test_each_host_presents_its_own_certificate(
    ingresses: Ingresses, entry: Door, visitors: Visitors, sites: Sequence[Site], authority: Authority
) -> None:
    """Each host presents the certificate of its own Secret, chosen by SNI, and the rule for the host is followed.

    Two hosts are of one Ingress and one of another, so that each is the control of the others.
    """
    domain = ingresses.domain()
    hosts = [f"{name}.{domain}" for name in ("shop", "blog", "mail")]
    made = {host: authority.issue(host) for host in hosts}
    secrets = {host: ingresses.keep(certificate) for host, certificate in made.items()}
    rules = {host: [Path("/", site)] for host, site in zip(hosts, sites, strict=False)}
    for some in (hosts[:2], hosts[2:]):
        ingresses.serve({host: rules[host] for host in some}, certificates={secrets[host]: [host] for host in some})
    asks = [entry.ask(host, "/", site, tls=True) for host, site in zip(hosts, sites, strict=False)]
    visitors.wait_for_certificates(entry, asks, made)
    trusting = [
        entry.ask(host, "/", site, tls=True, authority=authority.pem) for host, site in zip(hosts, sites, strict=False)
    ]
    visitors.require(entry, trusting)


@pytest.mark.claim("ingress-tls")
def test_one_certificate_serves_all_hosts_of_a_wildcard(
    ingresses: Ingresses, entry: Door, visitors: Visitors, sites: Sequence[Site], authority: Authority
) -> None:
    """The certificate for *.domain is presented to every host of that domain, which all trust it.

    The control is another host with a certificate of its own, asked for at the same time.
    """
    domain, other = ingresses.domain(), ingresses.host()
    wild, own = authority.issue(f"*.{domain}"), authority.issue(other)
    ingresses.serve({f"*.{domain}": [Path("/", sites[0])]}, certificates={ingresses.keep(wild): [f"*.{domain}"]})
    ingresses.serve({other: [Path("/", sites[1])]}, certificates={ingresses.keep(own): [other]})
    hosts = [f"a.{domain}", f"b.{domain}"]
    asks = [entry.ask(host, "/", sites[0], tls=True) for host in hosts]
    asks.append(entry.ask(other, "/", sites[1], tls=True))
    visitors.wait_for_certificates(entry, asks, {**dict.fromkeys(hosts, wild), other: own})


@pytest.mark.claim("ingress-tls-change")
def test_a_changed_certificate_is_soon_presented(
    ingresses: Ingresses,
    entry: Door,
    visitors: Visitors,
    sites: Sequence[Site],
    authority: Authority,
    verdict: CheckInHand,
) -> None:
    """When an Ingress names another Secret for its host, the host soon presents the certificate that is in there."""
    host = ingresses.host()
    old, new = authority.issue(host), authority.issue(host)
    ingress = ingresses.serve({host: [Path("/", sites[0])]}, certificates={ingresses.keep(old): [host]})
    asks = [entry.ask(host, "/", sites[0], tls=True)]
    visitors.wait_for_certificates(entry, asks, {host: old})
    ingress.present({ingresses.keep(new): [host]})
    followed = visitors.wait_for_certificates(entry, asks, {host: new})
    verdict.note("changed certificate presented after", followed.seconds, "s")
