"""AdminNetworkPolicies, where the cluster has them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from fixtures.admin_policies import AdminPolicies
    from fixtures.policies import Policies
    from fixtures.verdicts import CheckInHand


@pytest.mark.claim("admin-policy")
def test_what_an_admin_network_policy_denies_is_closed(
    policies: Policies, admin_policies: AdminPolicies, verdict: CheckInHand
) -> None:
    """What an AdminNetworkPolicy denies to a namespace is closed to it, though no NetworkPolicy denies anything.

    The control is a pod of another namespace, which still gets through.
    """
    with policies.on_open_ground(), admin_policies.denying("green", "red"):
        closed, seen = admin_policies.closed(
            policies.probe("green/a"), policies.probe("red/a"), control=policies.probe("blue/a")
        )
    verdict.judge(holds=closed, seen=seen)
