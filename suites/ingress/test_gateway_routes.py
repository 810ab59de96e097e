"""HTTPRoutes of a Gateway: by host, path and header, which of several is followed, and how soon after a change."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fixtures.gateway import EXACT, Call, Rule
from fixtures.verdicts import not_applicable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fixtures.gateway import GatewayClass, Routes
    from fixtures.verdicts import CheckInHand
    from fixtures.web import Door, Site, Visitors


@pytest.mark.claim("gateway-host")
def test_a_route_is_followed_for_its_hosts(
    routes: Routes, gate: Door, visitors: Visitors, sites: Sequence[Site]
) -> None:
    """A route is followed for each of its hosts, a wildcard standing for one label or more; an exact host goes first.

    The control of the hosts that are not served are those that are, asked for in the same batch.
    """
    (one, two, three, *_), domain = sites, routes.domain()
    routes.serve([f"*.{domain}"], [Rule({two: 1})])
    routes.serve([f"www.sub.{domain}"], [Rule({three: 1})])
    # The control's last: once it is followed, the others are.
    routes.serve([f"shop.{domain}", f"store.{domain}"], [Rule({one: 1})])
    served = {"shop": one, "store": one, "other": two, "a.b": two, "www.sub": three, "ftp.sub": two}
    visitors.require(
        gate,
        [
            *(gate.ask(f"{label}.{domain}", "/", site) for label, site in served.items()),
            gate.ask(domain, "/", None),
            gate.ask(f"shop.x{domain}", "/", None),
        ],
    )


@pytest.mark.claim("gateway-path")
def test_a_route_is_followed_for_its_paths(
    routes: Routes, gate: Door, visitors: Visitors, sites: Sequence[Site]
) -> None:
    """Exact matches the very path, PathPrefix element by element; Exact goes first, then the longest prefix.

    The control of the paths that do not match are those that do, asked for in the same batch.
    """
    (one, two, three, *_), host = sites, f"www.{routes.domain()}"
    rules = [
        Rule({two: 1}, path="/foo"),
        Rule({one: 1}, path="/foo", kind=EXACT),
        Rule({three: 1}, path="/foo/bar"),
        Rule({three: 1}, path="/exact", kind=EXACT),
        Rule({one: 1}, path="/foo/bar/baz", kind=EXACT),
    ]
    routes.serve([host], rules)
    answers = {
        **dict.fromkeys(["/foo", "/foo?a=b", "/foo/bar/baz"], one),
        **dict.fromkeys(["/foo/", "/foo/x", "/foo/barx", "/foo/BAR"], two),
        **dict.fromkeys(["/foo/bar", "/foo/bar/", "/foo/bar/x", "/foo/bar/baz/x", "/exact"], three),
        **dict.fromkeys(["/", "/foobar", "/FOO", "/exact/", "/exact/x", "/EXACT", "/x/foo"]),
    }
    visitors.require(gate, gate.table(host, answers))


@pytest.mark.claim("gateway-header")
def test_a_route_is_followed_for_its_headers(
    routes: Routes, gate: Door, visitors: Visitors, sites: Sequence[Site]
) -> None:
    """A rule with headers is followed for requests that have all of them, their names in any case; more headers win.

    The control are requests without the headers, which follow a rule that asks for none.
    """
    (one, two, three, *_), host = sites, f"www.{routes.domain()}"
    color, tongue = ("x-color", "blue"), ("x-tongue", "de")
    routes.serve(
        [host], [Rule({one: 1}), Rule({two: 1}, headers=dict([color])), Rule({three: 1}, headers=dict([color, tongue]))]
    )
    cases = {
        (): one,
        (color,): two,
        (("X-COLOR", "blue"),): two,
        (color, ("x-tongue", "fr")): two,
        (color, tongue): three,
        (("x-color", "Blue"),): one,
        (("x-color", "blueish"),): one,
        (tongue,): one,
    }
    visitors.require(gate, [gate.ask(host, "/", site, headers=headers) for headers, site in cases.items()])


@pytest.mark.claim("gateway-weight")
@pytest.mark.parametrize("weights", [(80, 20, 0), (1, 1, 1)], ids=lambda weights: ":".join(map(str, weights)))
def test_requests_are_shared_by_weight(
    routes: Routes,
    gate: Door,
    visitors: Visitors,
    sites: Sequence[Site],
    verdict: CheckInHand,
    weights: tuple[int, ...],
) -> None:
    """Requests that follow a rule are shared between its backends by their weights; one of weight 0 gets none.

    The bounds are so wide that a random choice is outside them in less than one of a million runs.
    """
    host, chosen = f"www.{routes.domain()}", dict(zip(sites, weights, strict=False))
    routes.serve([host], [Rule(chosen)])
    shares = {site.pod: weight for site, weight in chosen.items()}
    visitors.require_shares(gate, gate.request(host), shares, verdict)


@pytest.mark.claim("gateway-unmatched")
def test_what_no_route_matches_is_not_found(
    routes: Routes, gate: Door, visitors: Visitors, sites: Sequence[Site]
) -> None:
    """A host and a path that no route matches are answered 404.

    The control is a path that a route matches, asked for in the same batch.
    """
    host, unknown = f"www.{routes.domain()}", f"www.{routes.domain()}"
    routes.serve([host], [Rule({sites[0]: 1}, path="/foo")])
    control = gate.ask(host, "/foo", sites[0])
    visitors.require(gate, [control, gate.ask(host, "/", None, error=404), gate.ask(unknown, "/foo", None, error=404)])


@pytest.mark.claim("gateway-grpc")
def test_grpc_calls_are_led_by_their_method(
    gateway_class: GatewayClass, routes: Routes, gate: Door, visitors: Visitors, sites: Sequence[Site]
) -> None:
    """A call over HTTP/2 and TLS follows the rule of a GRPCRoute that names its method, and comes back with its status.

    The control of the method that no rule names are those that are named, called in the same batch.
    """
    if "GRPCRoute" not in gateway_class.features:
        not_applicable(f"{gateway_class} does not claim to serve GRPCRoutes")
    host = routes.domain()
    calls = [Call("netassay.Echo", "First", sites[0]), Call("netassay.Echo", "Second", sites[1])]
    routes.serve_calls([host], calls)
    answers = {**{call.path: call.to for call in calls}, "/netassay.Echo/Third": None}
    visitors.require(
        gate, [gate.ask(host, path, by, tls=True, alpn=("h2",), grpc=True) for path, by in answers.items()]
    )


@pytest.mark.claim("gateway-change")
def test_a_changed_route_is_soon_followed(
    routes: Routes, gate: Door, visitors: Visitors, sites: Sequence[Site], verdict: CheckInHand
) -> None:
    """A route that is led elsewhere, and one that is deleted, are followed soon, everywhere.

    The control is a route that stays as it is all the time.
    """
    (one, two, three, *_), stays, comes = sites, f"stays.{routes.domain()}", f"comes.{routes.domain()}"
    routes.serve([stays], [Rule({one: 1})])
    route = routes.serve([comes], [Rule({two: 1})])
    control = gate.ask(stays, "/", one)

    def follow(what: str, site: Site | None) -> None:
        seen = visitors.wait_for(gate, [control, gate.ask(comes, "/", site)])
        verdict.note(f"{what} followed after", seen.seconds, "s")

    follow("new route", two)
    route.replace([Rule({three: 1})])
    follow("changed backend", three)
    route.delete()
    follow("deleted route", None)
