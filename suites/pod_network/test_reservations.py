"""Addresses are reserved for pods, and come back when pods go."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from fixtures.leases import Reservations
    from fixtures.verdicts import CheckInHand


@pytest.mark.claim("pod-address-released")
def test_every_reserved_address_is_a_pods(reservations: Reservations, verdict: CheckInHand) -> None:
    """On every node, the addresses that are reserved are those of the node's pods, no more and no fewer.

    One that stays reserved without a pod never comes back, until pods can be given none; one that is a pod's and not
    reserved can be given to a second pod. All pods of the cluster count, so that what was lost before this run shows.
    """
    verdict.note("addresses that are reserved", reservations.count())
    reservations.require_held_by_pods()
