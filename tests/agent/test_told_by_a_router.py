"""ICMP errors that come while the kernel is still at the call that sent the SYN: from a router on the same machine."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from netassay.fleet import LocalProbe
from netassay.observation import Attempt, Outcome, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator

    from netassay.agent.local import LocalAgent

# The router is a namespace that only a veth leads to: what it says comes back before the call that asked returns.
SCRIPT = """
set -e
unshare --net sleep 60 & router=$!
trap 'kill $router' EXIT
until [ "$(readlink /proc/$router/ns/net)" != "$(readlink /proc/$$/ns/net)" ]; do sleep 0.01; done
ip link add near type veth peer name far netns $router
ip address add 192.0.2.2/24 dev near
ip link set near up
ip route add 198.51.100.0/24 via 192.0.2.1
nsenter --target $router --net sh -ec '
    ip address add 192.0.2.1/24 dev far
    ip link set far up
    echo 1 >/proc/sys/net/ipv4/ip_forward
    ip route add unreachable 198.51.100.0/24
'
"$@"
"""
PATIENCE = 0.8


@pytest.fixture
def behind_a_router(agent: LocalAgent) -> Iterator[LocalProbe]:
    """A driver in a namespace whose router knows no way to 198.51.100.0/24, and says so."""
    alone = ["unshare", "--map-root-user", "--net", "--pid", "--fork", "--mount-proc", "--kill-child"]
    lacking = [program for program in ("unshare", "nsenter", "ip") if shutil.which(program) is None]
    if lacking or subprocess.run([*alone, "true"], check=False, capture_output=True).returncode:
        pytest.skip(f"no network namespaces can be made here; missing: {', '.join(lacking) or 'the right to'}")
    with LocalProbe([*alone, "sh", "-c", SCRIPT, "sh", *agent.drive_command], "behind-a-router") as driving:
        yield driving


@pytest.mark.parametrize("over", [Protocol.TCP, Protocol.HTTP])
def test_a_router_that_knows_no_way_is_heard_at_once(behind_a_router: LocalProbe, over: Protocol) -> None:
    (seen,) = behind_a_router.attempt([Attempt(protocol=over, host="198.51.100.7", port=80, timeout=PATIENCE)])
    assert seen.outcome is Outcome.UNREACHABLE, seen.describe()
    assert seen.microseconds < PATIENCE * 1e6 / 2
