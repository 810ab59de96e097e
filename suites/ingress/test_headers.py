"""What the backend behind an Ingress is told of the client."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fixtures.ingress import Path
from fixtures.web import may_be_client

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fixtures.ingress import Ingresses
    from fixtures.node_addresses import NodeAddresses
    from fixtures.web import Door, Site, Visitors


@pytest.mark.claim("ingress-forwarded")
@pytest.mark.parametrize("tls", [False, True], ids=["http", "https"])
def test_the_backend_is_told_of_the_client(
    ingresses: Ingresses,
    entry: Door,
    visitors: Visitors,
    sites: Sequence[Site],
    node_addresses: NodeAddresses,
    tls: bool,
) -> None:
    """The backend gets the client's Host, and in X-Forwarded-For, -Host and -Proto its address, host and scheme.

    The address may be that of a node, which hands connections on to the controller.
    """
    host = ingresses.host()
    ingresses.serve({host: [Path("/", sites[0])]})
    visitors.require(entry, [entry.ask(host, "/", sites[0], tls=tls)])
    requests = [entry.request(host, tls=tls)]
    for row in visitors.fetch(entry, requests).values():
        for response in row:
            seen = response.seen
            assert seen is not None, response.describe()
            told = {name: value for name, value in seen.headers.items() if name.startswith("x-forwarded-")}
            where = f"{response.describe()}: {sites[0].pod!r} was told Host {seen.host} and {told}"
            assert seen.host == host, where
            assert told.get("x-forwarded-host") == host, where
            assert told.get("x-forwarded-proto") == ("https" if tls else "http"), where
            assert may_be_client(told.get("x-forwarded-for", ""), response, node_addresses), where
