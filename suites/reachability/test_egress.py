"""What pods reach that is no pod: the API server, the cloud's metadata, and the outside with payloads of any size."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fixtures.expectations import all_open_or_all_closed, require_open, require_received, with_verdicts
from fixtures.traffic import Traffic, at
from fixtures.verdicts import CheckInHand, not_applicable
from netassay.families import Family
from netassay.observation import Attempt, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fixtures.api_server import ApiServer
    from fixtures.cluster import Node
    from fixtures.echoes import Echoes
    from fixtures.outside import Outside
    from netassay.fleet import Probe
    from netassay.modes import Mode

TCP_PAYLOAD = 1024 * 1024
UDP_PAYLOADS = (1, 1472, 8972, 65507)
"""Bytes: one, what fills one packet of IPv4, and a jumbo packet, and the largest that a UDP datagram can hold."""

LONG_PATH = f"/{'n' * 32_000}"
"""Of an HTTP request: agents repeat it in their answer, so that both directions carry it."""

LOOK = 1.5
"""Seconds after which an address is taken to be out of reach; its control answers in milliseconds."""


@pytest.mark.claim("egress-payload")
def test_large_payloads_leave_the_cluster_and_come_back_whole(
    probes: Sequence[Probe], outside: Outside, traffic: Traffic
) -> None:
    """What a pod sends to a host outside the cluster arrives whole whatever its size, and so does what it is answered.

    A mebibyte over TCP, datagrams up to the largest, and an HTTP request with an answer that is as long.
    """
    sent = [at(outside, Protocol.TCP, payload=TCP_PAYLOAD)]
    sent += [at(outside, Protocol.UDP, payload=size) for size in UDP_PAYLOADS]
    for seen in traffic.each(dict.fromkeys(probes, sent)).values():
        require_received(seen)
    request = Attempt(protocol=Protocol.HTTP, host=outside.address, port=outside.ports["http"], path=LONG_PATH)
    require_open(traffic.from_each(probes, [outside], lambda _: request), by={outside.name})


@pytest.mark.claim("pod-to-api-server")
def test_every_pod_reaches_the_api_server(probes: Sequence[Probe], api_server: ApiServer) -> None:
    """From every node a pod reaches the API server, by its Service and at each of the addresses behind that.

    It is told by its certificate, and answers without credentials, be it only that there were none.
    """
    places = [*([api_server.service] if api_server.service else []), *api_server.endpoints]
    api_server.require_reached(probes, places)


@pytest.mark.claim("metadata-address")
def test_pods_reach_the_clouds_metadata(
    probes: Sequence[Probe],
    backends: Sequence[Probe],
    mode: Mode,
    family: Family,
    verdict: CheckInHand,
    traffic: Traffic,
) -> None:
    """A pod reaches the address at which the cloud tells its machines about themselves, and what they may do.

    Many would rather that it did not, and few say so: where the mode does not say either, this is measured. The control
    are pods, which the same pods reach at the same moment.
    """
    address = mode.parameters.metadata_address
    if Family.of(address) is not family:
        not_applicable(f"the metadata address {address} is not of {family.api}")
    attempts = [
        Attempt(protocol=Protocol.TCP, host=address, port=80, timeout=LOOK),
        *(at(pod, Protocol.TCP) for pod in backends),
    ]
    rows = traffic.each(dict.fromkeys(probes, attempts)).values()
    require_open(one for _, *control in rows for one in control)
    seen = with_verdicts(row[0] for row in rows)
    lines = "\n".join(one.describe() for one in seen)
    verdict.judge(holds=all_open_or_all_closed(seen), seen=f"none of {len(seen)} pods reaches it:\n{lines}")


@pytest.mark.claim("icmp-pod-to-pod")
def test_pods_answer_echo_requests(echoes: Echoes, pods: Sequence[Probe]) -> None:
    """A pod on any node has an ICMP echo of every pod, on its own node and on others, and of itself."""
    echoes.require_answered([*pods, *echoes.sources])


@pytest.mark.claim("icmp-to-outside")
def test_nodes_and_the_outside_answer_echo_requests(
    echoes: Echoes, nodes: Sequence[Node], outside_if_any: Outside | None
) -> None:
    """A pod on any node has an ICMP echo of every node, and of a host outside the cluster."""
    echoes.require_answered([*nodes, *([outside_if_any] if outside_if_any else [])])
