"""Many pods that come and go: what goes wrong once in a hundred times shows here."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fixtures.churn import Churn
    from fixtures.verdicts import CheckInHand
    from netassay.fleet import Probe

PODS, WAVES = 60, 4


@pytest.mark.serial
@pytest.mark.claim("pod-churn")
def test_pods_that_come_and_go_never_share_an_address(
    churn: Churn, probes: Sequence[Probe], verdict: CheckInHand
) -> None:
    """While sixty pods come in four waves, each wave as the one before it leaves, no address is ever held by two pods.

    Each of the pods is reached from every node, and answers as itself.
    """
    history = churn.waves(PODS, WAVES, seen_from=probes)
    history.require_no_overlap()
    verdict.note("pods that came and went", history.pods)
    verdict.note("addresses that were handed out more than once", history.reused)
