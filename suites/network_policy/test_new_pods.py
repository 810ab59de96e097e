"""New pods: a policy that was there before them counts from their first packet on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from netassay.policies.case import Step
from netassay.policies.generator.words import labels, one_way

if TYPE_CHECKING:
    from fixtures.policies import Policies
    from fixtures.verdicts import CheckInHand

NEW = labels(role="new")


@pytest.mark.claim("policy-new-pod")
def test_a_new_pod_is_protected_from_its_first_packet(policies: Policies, verdict: CheckInHand) -> None:
    """A pod that is created under a policy that denies everything to it is never reached, not even while it starts.

    The control is a pod that is created beside it at the same moment, which no policy is about, and which is reached.
    """
    deny = Step("everything was denied to pods that are to come", apply=(one_way("ingress", target=NEW),))
    with policies.on_open_ground():
        policies.change(deny)
        newcomers = policies.newcomers("red", protected=NEW["matchLabels"], control={"role": "control"})
        verdict.note("control reached after", newcomers.control_reached, "s")
        if newcomers.exposed:
            verdict.note("new pod unprotected for", newcomers.exposed_seconds, "s")
        verdict.judge(holds=not newcomers.exposed, seen=newcomers.describe())
