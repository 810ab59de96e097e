"""Session affinity: a client stays with its endpoint, for as long as the Service says."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fixtures.affinity import Choices
    from fixtures.services import Services
    from fixtures.verdicts import CheckInHand
    from netassay.fleet import Probe

TIMEOUT = 2
"""Seconds without a connection after which a client may be sent elsewhere."""


@pytest.mark.claim("session-affinity")
def test_a_client_stays_with_its_endpoint_until_the_timeout(
    services: Services, backends: Sequence[Probe], pods: Sequence[Probe], choices: Choices, verdict: CheckInHand
) -> None:
    """With ClientIP affinity each client's connections all go to one endpoint, and elsewhere only after the timeout.

    The control is a Service of the same endpoints without affinity, which spreads the connections of the same clients.
    After the timeout each client's next endpoint is chosen anew: that none of them moves, timeout after timeout,
    happens by chance in less than one of a million runs.
    """
    free, sticky = services.cluster_ip(*backends), services.cluster_ip(*backends, affinity_seconds=TIMEOUT)
    free.wait_for(backends, seen_from=pods)
    first = choices.of(sticky, pods)
    choices.stay(sticky, first, seconds=TIMEOUT / 2)
    moved = choices.wait_for_a_move(sticky, first, idle=TIMEOUT + 0.5)
    verdict.note("clients that moved after the timeout", moved)


@pytest.mark.claim("session-affinity-switched")
def test_affinity_can_be_switched_on_and_off(
    services: Services, backends: Sequence[Probe], pods: Sequence[Probe], choices: Choices
) -> None:
    """A Service that is given ClientIP affinity soon keeps each client on one endpoint, and spreads again without it.

    Before and after, every endpoint answers every client.
    """
    service = services.cluster_ip(*backends)
    service.wait_for(backends, seen_from=pods)
    service.change(sessionAffinity="ClientIP")
    choices.stay(service, choices.settled(service, pods), seconds=1)
    service.change(sessionAffinity="None", sessionAffinityConfig=None)
    service.wait_for(backends, seen_from=pods)
