"""Random sets of policies, on request."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from fixtures.policy_search import PolicySearch


@pytest.mark.claim("policy-random")
def test_no_random_set_of_policies_is_taken_otherwise(policy_search: PolicySearch) -> None:
    """Whatever the policies in force, every pod reaches whom it may, and nobody else.

    One set follows the other without a pause; before the first and after the last, everything is open. A set that is
    not enforced so is made smaller, on the same network, until nothing more can be left out.
    """
    policy_search.require_none()
