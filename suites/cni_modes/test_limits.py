"""How many interfaces there are for pods, and what happens to one pod more."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fixtures.eni_limits import EniLimits
    from fixtures.probes import Guests
    from fixtures.verdicts import CheckInHand
    from netassay.fleet import Probe


@pytest.mark.serial
@pytest.mark.claim("interface-density")
def test_a_pod_more_than_there_are_interfaces_waits_for_one(
    eni_limits: EniLimits, guests: Guests, probes: Sequence[Probe], verdict: CheckInHand
) -> None:
    """When a node's interfaces are all taken, one pod more is not scheduled there, and is once they are given back.

    One pod takes all that are left, so that no more pods are needed than two. The control: it was given them.
    """
    node = eni_limits.node_with_some(probes)
    verdict.note(f"interfaces left on {node}", eni_limits.left_on(node))
    holder = eni_limits.take_all(node)
    waiting = eni_limits.one_more(node)
    verdict.remark(eni_limits.wait_until_refused(waiting))
    guests.leave([holder])
    verdict.note("scheduled after they were given back", eni_limits.wait_until_in(waiting), "s")
