"""eBPF programs on links, as the kernel that the tests run on tells them."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from netassay.errors import HarnessFault

if TYPE_CHECKING:
    from netassay.agent.local import LocalAgent
    from netassay.fleet import LocalProbe

LOOK = """
import ctypes, os, socket, struct, subprocess, sys
sys.path.insert(0, sys.argv[1])
from agent.programs import SYSCALLS, programs

def run(line):
    subprocess.run(line.split(), check=True)

run("ip link add filtered type veth peer hooked")
run("ip link add plain type veth peer simple")
run("tc qdisc add dev filtered clsact")
subprocess.run(["tc", *"filter add dev filtered ingress bpf bytecode".split(), "1,6 0 0 4294967295"], check=True)

bpf = ctypes.CDLL(None, use_errno=True).syscall
number = SYSCALLS[os.uname().machine]
# r0 = 0; exit
code = ctypes.create_string_buffer(struct.pack("=BBhiBBhi", 0xB7, 0, 0, 0, 0x95, 0, 0, 0), 16)
license = ctypes.create_string_buffer(b"GPL")
SCHED_CLS, LOAD, ATTACH, TCX_INGRESS = 3, 5, 8, 46
load = struct.pack("=IIQQ48x", SCHED_CLS, 2, ctypes.addressof(code), ctypes.addressof(license))
fd = bpf(number, LOAD, ctypes.create_string_buffer(load, len(load)), len(load))
attach = struct.pack("=IIIIIIQ", socket.if_nametoindex("hooked"), fd, TCX_INGRESS, 0, 0, 0, 0)
done = bpf(number, ATTACH, ctypes.create_string_buffer(attach, len(attach)), len(attach))
print("attached" if fd >= 0 and done == 0 else f"not attached: {fd} {os.strerror(ctypes.get_errno())}")
print(sorted(programs().items()))
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="programs are attached by root")
def test_programs_of_both_kinds_are_seen_on_their_links(agent: LocalAgent) -> None:
    archive = next(word for word in agent.drive_command if word.endswith(".pyz"))
    command = ["unshare", "--net", sys.executable, "-c", LOOK, archive]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    if "not attached" in done.stdout:
        pytest.skip(f"the kernel attaches no program as tcx: {done.stdout}")
    assert "('filtered', 1), ('hooked', 1), ('lo', 0), ('plain', 0), ('simple', 0)" in done.stdout


def test_whoever_may_not_read_programs_is_told_so(agent: LocalAgent) -> None:
    archive = next(word for word in agent.drive_command if word.endswith(".pyz"))
    script = "import sys; sys.path.insert(0, sys.argv[1]); from agent.programs import programs; print(programs())"
    command = ["unshare", "--map-root-user", "--net", sys.executable, "-c", script, archive]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if "unshare" in done.stderr:
        pytest.skip("no network namespace can be made here")
    assert "the kernel does not tell which programs its links have: Operation not permitted" in done.stderr, done.stdout


def test_a_probe_tells_programs_or_why_it_can_not(probe: LocalProbe) -> None:
    try:
        assert probe.programs()["lo"] >= 0
    except HarnessFault as fault:
        assert "which programs its links have" in str(fault)  # noqa: PT017 - depends on who runs the tests
