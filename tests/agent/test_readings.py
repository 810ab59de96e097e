"""What an agent reads of its node, and ICMP echo, against the kernel that the tests run on."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from netassay.errors import HarnessFault
from netassay.observation import Outcome

if TYPE_CHECKING:
    from pathlib import Path

    from netassay.agent.local import LocalAgent
    from netassay.fleet import LocalProbe


def test_a_folders_entries(probe: LocalProbe, tmp_path: Path) -> None:
    for name in ("10.0.0.7", "10.0.0.11", "lock"):
        (tmp_path / name).touch()
    assert probe.entries(str(tmp_path)) == ("10.0.0.11", "10.0.0.7", "lock")
    with pytest.raises(HarnessFault, match="No such file"):
        probe.entries(str(tmp_path / "absent"))


def test_neighbours_and_their_states(agent: LocalAgent) -> None:
    script = (
        "import sys; sys.path.insert(0, sys.argv[1]); import subprocess; from agent.neighbours import neighbours\n"
        "for line in ('link add left type veth peer right', 'link set left up', 'link set right up',"
        " 'neigh add 192.0.2.7 lladdr 02:00:00:00:00:07 dev left nud permanent',"
        " 'neigh add 2001:db8::7 lladdr 02:00:00:00:00:07 dev left nud stale'):\n"
        "    subprocess.run(['ip', *line.split()], check=True)\n"
        "print(sorted((n['address'], n['mac'], n['interface'], n['state']) for n in neighbours()))"
    )
    archive = next(word for word in agent.drive_command if word.endswith(".pyz"))
    command = ["unshare", "--map-root-user", "--net", sys.executable, "-c", script, archive]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if "unshare" in done.stderr:
        pytest.skip("no network namespace can be made here")
    for entry in (
        "('192.0.2.7', '02:00:00:00:00:07', 'left', 'permanent')",
        "('2001:db8::7', '02:00:00:00:00:07', 'left', 'stale')",
    ):
        assert entry in done.stdout, done.stderr


def test_an_echo_or_the_reason_why_there_is_none(probe: LocalProbe) -> None:
    try:
        (one,) = probe.echo(["127.0.0.1"])
    except HarnessFault as fault:
        assert "no ping sockets here" in str(fault)  # noqa: PT017 - depends on a setting of the machine
        return
    assert (one.host, one.outcome) == ("127.0.0.1", Outcome.OPEN)


@pytest.mark.parametrize(("up", "code"), [(True, 0), (False, 1)])
def test_a_single_attempt_ends_as_it_went(agent: LocalAgent, up: bool, code: int) -> None:
    port = agent.ports["tcp"] if up else 1
    archive = next(word for word in agent.drive_command if word.endswith(".pyz"))
    command = [sys.executable, archive, "attempt", "tcp", "127.0.0.1", str(port), "--timeout", "5"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stderr
    assert ('"answered_by": "server-1"' in done.stdout) is up
    assert ("ECONNREFUSED" in done.stdout) is not up
