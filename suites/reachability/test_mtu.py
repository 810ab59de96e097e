"""The largest packet that passes whole: too small an MTU wastes, too large a one loses whatever fills it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fixtures.verdicts import CheckInHand, not_applicable
from netassay.errors import NetworkFault
from netassay.families import Family

if TYPE_CHECKING:
    from collections.abc import Sequence

    from netassay.fleet import Probe
    from netassay.modes import Mode

BEYOND = 100
"""Bytes above the MTU of the sender's link that are tried as well."""


@pytest.mark.claim("path-mtu")
def test_packets_as_large_as_the_pods_mtu_pass_whole(
    probes: Sequence[Probe], backends: Sequence[Probe], mode: Mode, family: Family, verdict: CheckInHand
) -> None:
    """A packet that fills the MTU of a pod's link, and must not be fragmented, reaches pods on every node.

    A mode may know that its IPv6 packets fall short of that between nodes: then by just as many bytes as it says.
    """
    short = mode.parameters.ipv6_shortfall if family is Family.IPV6 else None
    for source in probes:
        own = source.link_mtu()
        verdict.note(f"MTU of {source.node}'s pods", own, "bytes")
        for target in backends:
            fits = min(own, target.link_mtu())
            largest = source.path_mtu(target.address, target.ports["udp"], ceiling=own + BEYOND)
            if largest >= fits:
                continue
            seen = (
                f"{source!r} → {target!r}: the largest packet that passes whole has {largest} bytes, and the "
                f"links of both promise {fits}: larger ones are lost on the way, or fragmented if that is allowed"
            )
            if not short or source.node == target.node or largest != fits - short.bytes:
                raise NetworkFault(seen)
            verdict.foresee_absence(short.source)
            verdict.judge(holds=False, seen=seen)


@pytest.mark.claim("path-mtu")
def test_the_pods_mtu_leaves_room_for_the_encapsulation(
    probes: Sequence[Probe], host_probes: Sequence[Probe], mode: Mode, verdict: CheckInHand
) -> None:
    """A pod's MTU is no larger than its node's less what the mode's encapsulation adds to every packet."""
    overhead = mode.parameters.mtu_overhead
    if overhead is None:
        not_applicable(f"mode {mode.name} does not say what its encapsulation adds to a packet")
    of_node = {probe.node: probe.link_mtu() for probe in host_probes}
    for pod in probes:
        own, room = pod.link_mtu(), of_node[pod.node] - overhead
        if own > room:
            raise NetworkFault(
                f"{pod!r} has MTU {own}, but {pod.node} has {of_node[pod.node]}, of which "
                f"{mode.parameters.encapsulation} takes {overhead}: packets of more than {room} bytes do not fit"
            )
