"""Policies over SCTP, for which the API has rules as for TCP and UDP."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from netassay.policies.generator.sctp import SCTP_CASES

if TYPE_CHECKING:
    from fixtures.policies import Policies
    from netassay.policies.case import Case


@pytest.mark.claim("policy-sctp")
@pytest.mark.parametrize("case", SCTP_CASES, ids=str)
def test_a_rule_for_sctp_opens_sctp_alone(policies_over_sctp: Policies, case: Case) -> None:
    """A rule for SCTP opens its ports over SCTP and nothing else, and a rule for TCP does not open them.

    Tried are all pods over SCTP, TCP and UDP, after each change of the rule; everything is open before and after.
    """
    policies_over_sctp.require_followed(case.steps)
