"""Whether network policies are enforced at all, and how soon."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING

import pytest

from netassay.policies.case import Step
from netassay.policies.generator.words import policy

if TYPE_CHECKING:
    from fixtures.policies import Policies
    from fixtures.policy_engine import Engine
    from fixtures.verdicts import CheckInHand

ROUNDS = 5


@pytest.mark.claim("policy-enforced")
def test_a_policy_that_denies_everything_closes_everything(policy_engine: Engine, verdict: CheckInHand) -> None:
    """Under policies that deny everything in both directions, no pod reaches another, and each still reaches itself.

    The control is the same table before, which is open everywhere, and probes that no policy is about meanwhile.
    """
    policy_engine.judge(verdict)


@pytest.mark.claim("policy-latency")
def test_policies_are_followed_in_time(policies: Policies, verdict: CheckInHand) -> None:
    """From the API's answer on, a new policy is soon enforced on every node, and a deleted one soon is no more."""
    deny = Step("everything was denied to one namespace", apply=(policy("deny", types=["ingress", "egress"]),))
    enforced, removed = [], []
    with policies.on_open_ground():
        for _ in range(ROUNDS):
            enforced.append(policies.change(deny))
            removed.append(policies.change(Step("the policy was deleted", delete=("red/deny",))))
    for what, took in (("enforcement", enforced), ("removal", removed)):
        verdict.note(f"{what}, median", median(took), "s")
        verdict.note(f"{what}, slowest of {ROUNDS}", max(took), "s")
