"""Requests one after the other, as fast as they are answered, for a few seconds: none may be lost or stand still."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fixtures.request_load import RequestLoad
    from netassay.fleet import Probe

pytestmark = pytest.mark.serial


@pytest.mark.claim("requests-flow")
@pytest.mark.parametrize("connections", ["kept", "new"])
def test_answers_keep_coming_between_pods(
    request_load: RequestLoad, probes: Sequence[Probe], backends: Sequence[Probe], connections: str
) -> None:
    """A pod is answered by one on another node without a failure or a standstill, over one connection or thousands."""
    request_load.to_pod(probes[0], backends[-1], new_connections=connections == "new")


@pytest.mark.claim("requests-flow-service")
@pytest.mark.parametrize("connections", ["kept", "new"])
def test_answers_keep_coming_through_a_service(
    request_load: RequestLoad, probes: Sequence[Probe], backends: Sequence[Probe], connections: str
) -> None:
    """The same by a Service's ClusterIP, whose proxy is asked for a way thousands of times."""
    request_load.through_service(probes[0], backends[-1], new_connections=connections == "new")
