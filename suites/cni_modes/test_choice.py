"""Pods that are given a network of their own: a vSwitch, a security group, an address that stays."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fixtures.expectations import all_open_or_all_closed, require_closed, require_open
from fixtures.traffic import Traffic, at
from netassay.errors import NetworkFault
from netassay.observation import Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fixtures.pod_networkings import PodNetworkings
    from fixtures.probes import Guests
    from fixtures.stateful_sets import StatefulSets
    from fixtures.verdicts import CheckInHand
    from netassay.fleet import Probe

LOOK = 1.5
"""Seconds after which a pod is taken to be out of reach; its control answers in milliseconds."""


@pytest.mark.claim("vswitch-choice")
def test_pods_that_are_given_a_vswitch_have_addresses_of_it(
    pod_networkings: PodNetworkings,
    other_vswitch: str,
    guests: Guests,
    probes: Sequence[Probe],
    traffic: Traffic,
    verdict: CheckInHand,
) -> None:
    """A pod that a PodNetworking puts on another vSwitch has an address of that, and reaches pods of the usual one.

    The control: pods that it does not select are on other vSwitches.
    """
    with pod_networkings.selecting(vswitch=other_vswitch) as labels:
        chosen = guests.join(labels=labels)
        usual = guests.join()
        traffic.all_to_all([*chosen, *probes], [*chosen, *probes], Protocol.TCP, title="across vSwitches").require()
        verdict.judge_each(pod_networkings.misplaced(other_vswitch, chosen=chosen, usual=usual))


@pytest.mark.claim("security-group")
def test_a_security_group_separates_its_pods_from_others(
    pod_networkings: PodNetworkings,
    closed_group: str,
    guests: Guests,
    probes: Sequence[Probe],
    traffic: Traffic,
    verdict: CheckInHand,
) -> None:
    """Pods of a group that lets in none but its own reach other pods, and are not reached by those, on any node.

    The controls: they reach each other, and other pods reach each other, at the same moment.
    """
    with pod_networkings.selecting(group=closed_group) as labels:
        members = guests.join(labels=labels)
        outward = traffic.from_each(members, probes, lambda pod: at(pod, Protocol.TCP))
        require_open(outward, by={pod.name for pod in probes})
        among = traffic.from_each(members, members, lambda pod: at(pod, Protocol.TCP))
        require_open(among, by={pod.name for pod in members})
        control = traffic.from_each(probes, probes, lambda pod: at(pod, Protocol.TCP))
        inward = traffic.from_each(probes, members, lambda pod: at(pod, Protocol.TCP, timeout=LOOK))
        if all_open_or_all_closed(inward):
            verdict.judge(holds=False, seen=f"pods that are not of {closed_group} reach all that are")
        else:
            require_closed(inward, control=control)


@pytest.mark.claim("fixed-address")
def test_a_stateful_sets_pod_keeps_its_address(
    pod_networkings: PodNetworkings,
    stateful_sets: StatefulSets,
    probes: Sequence[Probe],
    traffic: Traffic,
    verdict: CheckInHand,
) -> None:
    """A StatefulSet's pod that is deleted, and then moved to another node, has the same address each time.

    And it answers there from every node. The control: one that no PodNetworking selects has another address there.
    """
    nodes = sorted({probe.node for probe in probes})
    stateful_sets.require_new_address_elsewhere(nodes[0], nodes[-1])
    with pod_networkings.selecting(fixed=True) as labels:
        made, _, (first,) = stateful_sets.running(1, labels=labels, node=nodes[0])
        replaced = made.replace(first)
        moved = made.move(replaced.pod, nodes[-1])
        verdict.note("successor Ready after the deletion", replaced.seconds, "s")
        verdict.note("successor Ready on another node", moved.seconds, "s")
        require_open(traffic.from_each(probes, [moved.pod], lambda pod: at(pod, Protocol.TCP)), by={moved.pod.name})
        changed = [pod for pod in (replaced.pod, moved.pod) if pod.addresses != first.addresses]
        said = "\n".join(f"{first!r} was replaced by {pod!r}: its address should have stayed" for pod in changed)
        if changed == [replaced.pod]:
            raise NetworkFault(f"{said}, as it did when the pod moved")
        # On its own node it may be given the same again by chance, so that the move alone shows that none is kept.
        verdict.judge(holds=not changed, seen=said)
