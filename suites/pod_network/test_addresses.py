"""Every pod has an address of its own, out of the range that is meant for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fixtures.verdicts import CheckInHand, not_applicable
from netassay.observation import Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fixtures.cluster import Node, Pods
    from fixtures.traffic import Traffic
    from netassay.fleet import Probe


@pytest.mark.claim("pod-ip-unique")
def test_no_two_pods_of_the_cluster_have_one_address(
    all_pods: Pods, pods: Sequence[Probe], verdict: CheckInHand
) -> None:
    """No two pods of the cluster, of whatever namespace, hold the same address at the same time."""
    verdict.note("pods with an address of their own", len(all_pods.now()))
    all_pods.require_unique_addresses()


@pytest.mark.claim("pod-ip-unique")
def test_every_address_answers_as_its_own_pod(pods: Sequence[Probe], traffic: Traffic) -> None:
    """Whoever calls a pod's address, from whichever node, is answered by that pod and by no other."""
    traffic.all_to_all(pods, pods, Protocol.TCP, title="identity of each address").require()


@pytest.mark.claim("pod-ip-in-node-range")
def test_every_pod_has_an_address_of_its_nodes_range(
    all_pods: Pods, pods: Sequence[Probe], nodes: Sequence[Node], verdict: CheckInHand
) -> None:
    """Every pod's address is out of the range (podCIDR) of the node that it runs on."""
    by_name = {node.name: node for node in nodes}
    if not any(node.pod_ranges for node in nodes):
        not_applicable("nodes have no pod range: the plug-in hands out addresses by itself")
    verdict.judge_each(
        {
            f"{pod} has {address}": ""
            if by_name[pod.node].owns(address)
            else f"{pod.node} has {', '.join(by_name[pod.node].pod_ranges) or 'no range'}"
            for pod in all_pods.now()
            for address in pod.addresses
            if pod.node in by_name
        }
    )
