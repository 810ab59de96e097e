"""Pods join the network when they are created, and leave it when they are deleted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fixtures.expectations import require_closed, require_open
from fixtures.traffic import Traffic, at
from netassay.observation import Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fixtures.cluster import Pods
    from fixtures.joining import Joining
    from fixtures.probes import Guests
    from fixtures.traces import Traces
    from fixtures.verdicts import CheckInHand
    from netassay.fleet import Probe


@pytest.mark.claim("pod-join")
def test_a_new_pod_joins_the_network(joining: Joining, probes: Sequence[Probe], verdict: CheckInHand) -> None:
    """A pod that is created on any node is soon reached from every node, at an address that is its own.

    The time is from the request to create it to the first answer, and is reported.
    """
    for newcomer, seconds in joining.one_on_each_node(seen_from=probes).items():
        verdict.note(f"join on {newcomer.node}, creation to first answer", seconds, "s")


@pytest.mark.claim("pod-leave")
def test_a_deleted_pod_leaves_nothing_behind(
    guests: Guests,
    probes: Sequence[Probe],
    backends: Sequence[Probe],
    all_pods: Pods,
    traces: Traces,
    traffic: Traffic,
    verdict: CheckInHand,
) -> None:
    """Once a pod is deleted nobody answers at its address, from any node, unless a new pod has been given it by then.

    And its node has no link of it left, no route to its address, no neighbour entry that would stay for ever, and the
    address is reserved no more. The controls: before, each address answers and is reserved, and the pod's link is found
    on its node; after, pods that stay answer the same probes at the same moment.
    """
    leaving = guests.join()
    before = traces.of(leaving)
    require_open(traffic.from_each(probes, leaving, lambda pod: at(pod, Protocol.TCP)), by={p.name for p in leaving})
    guests.leave(leaving)
    gone = traces.wait_until_gone(before)
    verdict.note("last trace on the node gone after deletion", gone.seconds, "s")
    verdict.note("neighbour entries that the nodes' kernels still remember", traces.cached_neighbours(before))
    control = traffic.from_each(probes, backends, lambda pod: at(pod, Protocol.TCP))
    seen = traffic.from_each(probes, leaving, lambda pod: at(pod, Protocol.TCP, timeout=1.5))
    require_closed([one for one in seen if not all_pods.holders(one.attempt.host)], control=control)
