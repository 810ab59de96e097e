from __future__ import annotations

import shutil
import subprocess
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
def isolated(agent: LocalAgent) -> Iterator[LocalProbe]:
    """A driver in a network namespace of its own, without any route: nothing that it tries can leave the machine."""
    alone = ["unshare", "--map-root-user", "--net"]
    if shutil.which("unshare") is None or subprocess.run([*alone, "true"], check=False, capture_output=True).returncode:
        pytest.skip("no network namespace can be made here")
    with LocalProbe([*alone, *agent.drive_command], "isolated") as driving:
        yield driving


@pytest.fixture(scope="module")
def probe(agent: LocalAgent) -> Iterator[LocalProbe]:
    """The agent's driver, as a child process of ours."""
    with LocalProbe(agent.drive_command, "client-1", node="here", addresses=["127.0.0.1"]) as driving:
        yield driving
