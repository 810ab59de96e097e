"""Whose a pod's network interface is, and where its address comes from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from netassay.terway import within

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fixtures.interfaces import Interfaces
    from fixtures.probes import Guests
    from fixtures.verdicts import CheckInHand
    from netassay.families import Family
    from netassay.fleet import Probe

EACH = 3
"""Pods on each node, so that two of them must share if interfaces are fewer."""


@pytest.mark.claim("dedicated-interface")
def test_every_pod_has_an_interface_to_itself(
    guests: Guests, probes: Sequence[Probe], interfaces: Interfaces, verdict: CheckInHand
) -> None:
    """No two pods have one hardware address, and no pod's link has its other end on the node.

    Where the plug-in writes its interfaces down, each pod has exactly one PodENI, of an interface that no other has.
    """
    pods = [*probes, *guests.join(len(probes) * EACH)]
    shared = interfaces.shared_by(pods)
    if not any(shared.values()):
        interfaces.require_written(pods)
    verdict.judge_each(shared)


@pytest.mark.claim("shared-interface")
def test_pods_share_the_interfaces_of_their_node(
    guests: Guests, probes: Sequence[Probe], interfaces: Interfaces, verdict: CheckInHand
) -> None:
    """Each pod's address is of an interface of its own node, and some interface of each node carries several pods.

    As the plug-in writes it down.
    """
    pods = [*probes, *guests.join(len(probes) * EACH)]
    found = interfaces.of_nodes(pods)
    wrong = {}
    for pod in pods:
        carriers = [each for each in found if pod.address in each.pods]
        said = ", ".join(f"{each.eni} of {each.node}" for each in carriers) or "no interface of any node"
        why = f"should have an address of one interface of {pod.node}, and has one of {said}"
        wrong[repr(pod)] = "" if [each.node for each in carriers] == [pod.node] else why
    for node in sorted({pod.node for pod in pods}):
        verdict.note(f"interfaces of {node} that pods share", sum(each.node == node for each in found))
        shared = any(each.node == node and each.is_shared for each in found)
        wrong[node] = "" if shared else "none of its interfaces carries more than one pod"
    verdict.judge_each(wrong)


@pytest.mark.claim("address-from-vswitch")
def test_every_pod_has_an_address_of_a_vswitch(
    guests: Guests, probes: Sequence[Probe], interfaces: Interfaces, family: Family, verdict: CheckInHand
) -> None:
    """Each pod's address is in the range of a vSwitch that the plug-in's interfaces are on."""
    pods = [*probes, *guests.join()]
    ranges = interfaces.vswitch_ranges(family)
    outside = f"its address is not of {', '.join(ranges)}"
    verdict.judge_each({repr(pod): "" if within(pod.address, ranges) else outside for pod in pods})
