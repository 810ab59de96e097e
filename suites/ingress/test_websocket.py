"""Protocols beyond plain HTTP/1.1 through an Ingress."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fixtures.ingress import Path

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fixtures.ingress import Ingresses
    from fixtures.web import Door, Site, Visitors
    from netassay.certificates import Authority


@pytest.mark.claim("ingress-websocket")
@pytest.mark.parametrize("tls", [False, True], ids=["ws", "wss"])
def test_a_websocket_reaches_the_backend(
    ingresses: Ingresses, entry: Door, visitors: Visitors, sites: Sequence[Site], tls: bool
) -> None:
    """A client is let through to WebSocket at the backend, and what it says comes back from there.

    The control is an ordinary request for the same path.
    """
    host, message = ingresses.host(), "across the Ingress"
    ingresses.serve({host: [Path("/chat", sites[0])]})
    asks = [entry.ask(host, "/chat", sites[0]), entry.ask(host, "/chat", sites[0], tls=tls, message=message)]
    visits = visitors.require(entry, asks)
    for _, response in visits.seen.values():
        assert response.seen is not None, response.describe()
        assert response.seen.message == message, f"{response.describe()}: what came back is {response.seen.message!r}"


@pytest.mark.claim("ingress-http2")
def test_http2_is_spoken_with_who_offers_it(
    ingresses: Ingresses, entry: Door, visitors: Visitors, sites: Sequence[Site], authority: Authority
) -> None:
    """A client that offers HTTP/2 over TLS agrees on it, and is answered over it by the backend of the rule.

    The control is a client that offers HTTP/1.1 alone, and is answered over that.
    """
    host = ingresses.host()
    certificate = ingresses.keep(authority.issue(host))
    ingresses.serve({host: [Path("/", sites[0])]}, certificates={certificate: [host]})
    old = entry.ask(host, "/", sites[0], tls=True, alpn=("http/1.1",))
    new = entry.ask(host, "/", sites[0], tls=True, alpn=("h2", "http/1.1"))
    visits = visitors.require(entry, [old, new])
    for row in visits.seen.values():
        for response, protocol in zip(row, ["http/1.1", "h2"], strict=True):
            assert response.protocol == protocol, f"{response.describe()}: {response.protocol} was agreed on"


@pytest.mark.claim("ingress-grpc")
def test_a_grpc_call_reaches_the_backend(
    ingresses: Ingresses,
    entry: Door,
    visitors: Visitors,
    sites: Sequence[Site],
    http2_site: Site,
    authority: Authority,
) -> None:
    """A call over HTTP/2 and TLS is handed on as such to a backend that speaks it, and comes back with its status.

    The control is a host with a rule of its own, and an ordinary request for it in the same batch.
    """
    other, host = ingresses.host(), ingresses.host()
    certificate = ingresses.keep(authority.issue(host))
    ingresses.serve({other: [Path("/", sites[0])]})
    ingresses.serve({host: [Path("/", http2_site)]}, certificates={certificate: [host]}, to_http2=True)
    call = entry.ask(host, "/netassay.Echo/First", http2_site, tls=True, alpn=("h2",), grpc=True)
    visitors.require(entry, [entry.ask(other, "/", sites[0]), call])
