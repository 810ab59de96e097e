"""Nodes and pods reach each other: kubelet's probes, hostNetwork pods and whatever else runs on a node depend on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from netassay.observation import USUAL_PROTOCOLS, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fixtures.traffic import Traffic
    from netassay.fleet import Probe


@pytest.mark.claim("node-to-pod")
@pytest.mark.parametrize("over", USUAL_PROTOCOLS)
def test_every_node_reaches_every_pod(
    host_probes: Sequence[Probe], pods: Sequence[Probe], traffic: Traffic, over: Protocol
) -> None:
    """Whatever runs in a node's own network reaches the pods of that node, and those of every other."""
    traffic.all_to_all(host_probes, pods, over, title=f"nodes to pods, {over}").require()


@pytest.mark.claim("pod-to-node")
@pytest.mark.parametrize("over", USUAL_PROTOCOLS)
def test_every_pod_reaches_every_node(
    host_probes: Sequence[Probe], pods: Sequence[Probe], traffic: Traffic, over: Protocol
) -> None:
    """A pod reaches its own node's address, and every other node's."""
    traffic.all_to_all(pods, host_probes, over, title=f"pods to nodes, {over}").require()
