from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from netassay.agent.local import LocalAgent
from netassay.fleet import LocalProbe

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def agent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAgent]:
    """A serving agent on ports of the kernel's choice."""
    with LocalAgent(tmp_path_factory.mktemp("agent"), "server-1") as running:
        yield running


@pytest.fixture(scope="module")
def probe(agent: LocalAgent) -> Iterator[LocalProbe]:
    """The agent's driver, as a child process of ours."""
    with LocalProbe(agent.drive_command, "client-1", node="here", addresses=["127.0.0.1"]) as driving:
        yield driving
