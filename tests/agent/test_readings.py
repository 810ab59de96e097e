"""What an agent reads of its node, and ICMP echo, against the kernel that the tests run on."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from netassay.agent.code import facts
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


KINDS_OF_LINKS = {
    "vxlan": "id 7 dstport 4789 dev lo",
    "bridge": "",
    "ipip": "local 127.0.0.1 remote 127.0.0.2",
    "sit": "local 127.0.0.1 remote 127.0.0.2",
    "gre": "local 127.0.0.1 remote 127.0.0.2",
    "ip6tnl": "local ::1 remote ::2",
    "ip6gre": "local ::1 remote ::2",
    "wireguard": "",
}


@pytest.mark.parametrize("kind", KINDS_OF_LINKS)
def test_kinds_of_links(agent: LocalAgent, kind: str) -> None:
    script = (
        "import sys; sys.path.insert(0, sys.argv[1]); import subprocess; from agent.facts import interfaces\n"
        "subprocess.run(['mount', '-t', 'sysfs', 'none', '/sys'], check=True)\n"
        "add = ['ip', 'link', 'add', 'probed', 'type', *sys.argv[2:]]\n"
        "done = subprocess.run(add, capture_output=True, text=True)\n"
        "print(done.stderr or [link['kind'] for link in interfaces() if link['name'] == 'probed'])"
    )
    archive = next(word for word in agent.drive_command if word.endswith(".pyz"))
    command = ["unshare", "--map-root-user", "--net", "--mount", sys.executable, "-c", script, archive, kind]
    done = subprocess.run([*command, *KINDS_OF_LINKS[kind].split()], capture_output=True, text=True, check=False)
    if "unshare" in done.stderr:
        pytest.skip("no network namespace can be made here")
    if "Unknown device type" in done.stdout:
        pytest.skip(f"this kernel has no {kind}")
    assert done.stdout.strip() == f"['{kind}']", done.stderr


def test_tunnels_over_ip_are_known_by_their_hardware_type(monkeypatch: pytest.MonkeyPatch) -> None:
    """By what a kernel says that has them; the numbers are those of include/uapi/linux/if_arp.h."""
    said = {"uevent": ["INTERFACE=tunl0", "IFINDEX=4"], "type": ["768"]}
    monkeypatch.setattr(facts, "_lines", lambda path: said[path.rpartition("/")[2]])
    assert facts._kind("tunl0") == "ipip"
    said["type"] = ["1"]
    assert facts._kind("eth0") == ""


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
