"""Paths of Ingress rules: which one a request follows, as the API's own table of examples has it, and more."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fixtures.ingress import EXACT, OWN, PREFIX, Path

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fixtures.ingress import Ingresses
    from fixtures.verdicts import CheckInHand
    from fixtures.web import Door, Site, Visitors


@pytest.mark.claim("ingress-path-exact")
def test_an_exact_path_matches_only_itself(
    ingresses: Ingresses, entry: Door, visitors: Visitors, sites: Sequence[Site]
) -> None:
    """A path of type Exact is followed for that very path, whatever the query, and for no other, from every node.

    A trailing slash and the case count. The control of the paths that do not match are those that do.
    """
    host, (one, two, *_) = ingresses.host(), sites
    ingresses.serve({host: [Path("/foo", one, EXACT), Path("/bar/", two, EXACT)]})
    served = {"/foo": one, "/foo?a=b": one, "/bar/": two}
    others = ["/", "/foo/", "/foo/x", "/foobar", "/fo", "/FOO", "/bar", "/bar/x", "/x/foo"]
    visitors.require(entry, entry.table(host, {**served, **dict.fromkeys(others)}))


@pytest.mark.claim("ingress-path-prefix")
@pytest.mark.parametrize("slash", ["", "/"], ids=["without trailing slash", "with trailing slash"])
def test_a_prefix_matches_whole_elements(
    ingresses: Ingresses, entry: Door, visitors: Visitors, sites: Sequence[Site], slash: str
) -> None:
    """A path of type Prefix is followed for itself and what is below, element by element: /foo is not /foobar.

    A trailing slash makes no difference, in the rule or in the request; the case does. The control of the paths that do
    not match are those that do.
    """
    host, (one, two, *_) = ingresses.host(), sites
    ingresses.serve({host: [Path(f"/foo{slash}", one), Path(f"/aaa/bb{slash}", two)]})
    served = {
        **dict.fromkeys(["/foo", "/foo/", "/foo/x", "/foo/x/y", "/foo?a=b"], one),
        **dict.fromkeys(["/aaa/bb", "/aaa/bb/", "/aaa/bb/ccc"], two),
    }
    others = ["/", "/foobar", "/foobar/x", "/fo", "/FOO", "/x/foo", "/aaa", "/aaa/bbb", "/aaa/bbb/x", "/aaa/BB"]
    visitors.require(entry, entry.table(host, {**served, **dict.fromkeys(others)}))


@pytest.mark.claim("ingress-path-prefix")
def test_the_prefix_slash_matches_every_path(
    ingresses: Ingresses, entry: Door, visitors: Visitors, sites: Sequence[Site]
) -> None:
    """The path / of type Prefix is followed for every path of its host."""
    host = ingresses.host()
    ingresses.serve({host: [Path("/", sites[0])]})
    paths = ["/", "/foo", "/foo/", "/foo/bar.html?a=b", "/%C3%A9", "/a//b"]
    visitors.require(entry, entry.table(host, dict.fromkeys(paths, sites[0])))


@pytest.mark.claim("ingress-path-longest")
def test_the_longest_path_wins(ingresses: Ingresses, entry: Door, visitors: Visitors, sites: Sequence[Site]) -> None:
    """Of several prefixes that match a request the longest is followed, in whatever order they are written."""
    host, (one, two, three, *_) = ingresses.host(), sites
    ingresses.serve({host: [Path("/aaa", two), Path("/aaa/bbb", three), Path("/", one)]})
    answers = {
        **dict.fromkeys(["/", "/ccc", "/aaab"], one),
        **dict.fromkeys(["/aaa", "/aaa/", "/aaa/ccc", "/aaa/bbbc"], two),
        **dict.fromkeys(["/aaa/bbb", "/aaa/bbb/", "/aaa/bbb/ccc"], three),
    }
    visitors.require(entry, entry.table(host, answers))


@pytest.mark.claim("ingress-path-exact-first")
@pytest.mark.parametrize("exact_first", [True, False], ids=["Exact is written first", "Prefix is written first"])
def test_exact_goes_before_prefix(
    ingresses: Ingresses,
    entry: Door,
    visitors: Visitors,
    sites: Sequence[Site],
    verdict: CheckInHand,
    exact_first: bool,
) -> None:
    """Where the same path is there as Exact and as Prefix, a request for it follows the Exact one.

    The control is a path below, which only the Prefix matches.
    """
    host, (one, two, *_) = ingresses.host(), sites
    paths = [Path("/foo", one, EXACT), Path("/foo", two, PREFIX)]
    ingresses.serve({host: paths if exact_first else paths[::-1]})
    control = entry.table(host, {"/foo/x": two})
    visitors.require(entry, control)
    visitors.judge(entry, [*control, entry.ask(host, "/foo", one)], verdict)


@pytest.mark.claim("ingress-path-longest-exact")
def test_a_longer_exact_path_goes_before_a_prefix(
    ingresses: Ingresses, entry: Door, visitors: Visitors, sites: Sequence[Site], verdict: CheckInHand
) -> None:
    """Where a Prefix matches, and an Exact path that is longer, the longer one is followed.

    The control is another path of the same length, which only the Prefix matches.
    """
    host, (one, two, *_) = ingresses.host(), sites
    ingresses.serve({host: [Path("/second", two, PREFIX), Path("/second/x", one, EXACT)]})
    control = entry.table(host, {"/second/y": two})
    visitors.require(entry, control)
    visitors.judge(entry, [*control, entry.ask(host, "/second/x", one)], verdict)


@pytest.mark.claim("ingress-path-own")
def test_a_path_of_the_controllers_own_kind_is_served(
    ingresses: Ingresses, entry: Door, visitors: Visitors, sites: Sequence[Site]
) -> None:
    """A path of type ImplementationSpecific is followed at least for itself; more is up to the controller."""
    host = ingresses.host()
    ingresses.serve({host: [Path("/foo", sites[0], OWN)]})
    visitors.require(entry, [entry.ask(host, "/foo", sites[0]), entry.ask(host, "/bar", None)])


@pytest.mark.claim("ingress-path-kept")
def test_the_backend_is_asked_for_the_same_path(
    ingresses: Ingresses, entry: Door, visitors: Visitors, sites: Sequence[Site]
) -> None:
    """A backend gets the very path and query, method and body that the client sent: a rule only chooses."""
    host = ingresses.host()
    ingresses.serve({host: [Path("/foo", sites[0])]})
    visitors.require(entry, [entry.ask(host, "/foo", sites[0])])
    requests = [
        entry.request(host, "/foo/bar?a=b&c=%2F"),
        entry.request(host, "/foo/", method="POST", payload=1000),
        entry.request(host, "/foo/a%20b", method="DELETE"),
    ]
    for row in visitors.fetch(entry, requests).values():
        for request, response in zip(requests, row, strict=True):
            seen = response.seen
            assert seen is not None, response.describe()
            assert (seen.path, seen.method, seen.received) == (request.path, request.method, request.payload), (
                f"{response.describe()}: {sites[0].pod!r} saw {seen.method} {seen.path} with {seen.received} bytes"
            )
