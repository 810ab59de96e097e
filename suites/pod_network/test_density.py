"""Many pods at once, and addresses that are given out again: on request (`--density N`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fixtures.density import Crowds, require_small_ranges
from fixtures.verdicts import CheckInHand, not_applicable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fixtures.cluster import Pods
    from netassay.families import Family
    from netassay.fleet import Probe


@pytest.mark.serial
@pytest.mark.claim("pod-density")
def test_as_many_pods_as_asked_for_have_addresses_and_answer(
    density: int, crowds: Crowds, probes: Sequence[Probe], all_pods: Pods, verdict: CheckInHand
) -> None:
    """As many pods as were asked for join the network, each with an address of its own at which it answers.

    They are asked from every node, when all are there. Times are from creation to Ready, in batches.
    """
    room = crowds.room()
    if density > room:
        not_applicable(f"{density} pods were asked for, and the nodes take {room} more")
    came = crowds.join(density)
    all_pods.require_unique_addresses()
    crowds.require_answers(list(came), seen_from=probes)
    took = sorted(came.values())
    verdict.note("pods at once", density)
    verdict.note("join p50", took[len(took) // 2], "s")
    verdict.note("join p99", took[len(took) * 99 // 100], "s")


@pytest.mark.serial
@pytest.mark.claim("pod-address-reused")
def test_an_address_is_given_out_again(
    density: int, crowds: Crowds, probes: Sequence[Probe], family: Family, verdict: CheckInHand
) -> None:
    """On every node, an address that a deleted pod had is given to another pod, which answers there from every node.

    An IPAM that hands out addresses in turn gives one again only when all others have had theirs: pods come and go
    until then.
    """
    require_small_ranges(crowds.nodes, family)
    verdict.note("pods that came and went until then", crowds.wait_for_reuse(seen_from=probes))
