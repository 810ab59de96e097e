"""Up twice is harmless, down leaves nothing, and nothing of a lab ever reaches the machine's uplink."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest
from pyroute2 import IPRoute
from pyroute2.netlink.exceptions import NetlinkError

from lab import lifecycle, network, paths, plan, state
from lab.errors import LabError
from tests.lab.traces import Traces

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = pytest.mark.lab

UP = [sys.executable, "-m", "netassay", "lab", "up"]
UP_WITHIN = 120


@pytest.fixture
def machine() -> Iterator[Traces]:
    """The machine without a lab; whatever a test leaves is removed, after the test has been judged."""
    lifecycle.down()
    yield Traces.now()
    lifecycle.down()


def wait_until(condition: Callable[[], bool], within: float = UP_WITHIN) -> None:
    deadline = time.monotonic() + within
    while not condition():
        assert time.monotonic() < deadline, "the lab did not get there in time"
        time.sleep(0.02)


def stage() -> str:
    lab = state.load()
    return "" if lab is None else str(lab.status()["stage"])


def way_out(address: str) -> str | None:
    """The link by which a packet to `address` would leave the machine, or None if the kernel refuses to send it."""
    with IPRoute() as ip:
        try:
            (route,) = ip.route("get", dst=address)
            (link,) = ip.get_links(route.get_attr("RTA_OIF"))
        except NetlinkError:
            return None
    return str(link.get_attr("IFLA_IFNAME"))


LAB_ADDRESSES = [str(net.network_address + 9) for net in (*plan.CONFINED, *plan.CONFINED6) if net.num_addresses > 9]


def test_down_after_up_leaves_nothing_and_up_twice_is_harmless(machine: Traces) -> None:
    started = time.monotonic()
    first = lifecycle.up()
    took = time.monotonic() - started
    assert lifecycle.up() == first
    with pytest.raises(LabError, match="already runs"):
        lifecycle.up("flannel-hostgw")
    assert Traces.now() != machine
    started = time.monotonic()
    lifecycle.down()
    down_took = time.monotonic() - started
    assert Traces.now() == machine
    assert took < 60, f"up took {took:.1f} s"
    assert down_took < 5, f"down took {down_took:.1f} s"


def test_a_second_lab_at_the_same_time_is_refused_with_a_message(machine: Traces) -> None:
    with subprocess.Popen(UP, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as first:
        wait_until(lambda: stage() != "")
        second = subprocess.run(UP, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        assert second.returncode == 2
        assert "Another process is bringing a lab up or down" in second.stderr
        assert first.wait(UP_WITHIN) == 0
    lifecycle.down()
    assert Traces.now() == machine


@pytest.mark.parametrize("reached", ["network", "control plane", "nodes"])
def test_ctrl_c_in_the_middle_of_up_leaves_nothing(machine: Traces, reached: str) -> None:
    with subprocess.Popen(UP, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as up:
        wait_until(lambda: stage() == reached or up.poll() is not None)
        up.send_signal(signal.SIGINT)
        up.wait(30)
        assert up.returncode != 0
    assert Traces.now() == machine


def test_down_clears_the_remains_of_a_lab_whose_init_was_killed(machine: Traces) -> None:
    lab = lifecycle.up()
    os.kill(lab.init_pid, signal.SIGKILL)
    wait_until(lambda: not lab.alive)
    # All processes hang on init, and links and mounts on them: only what the machine itself holds is left to clear.
    wait_until(lambda: not Traces.now().lab_processes)
    assert state.running() is None
    lifecycle.down()
    assert Traces.now() == machine


def test_a_lab_half_up_or_half_dead_cannot_send_a_packet_to_the_uplink(machine: Traces) -> None:
    with subprocess.Popen(UP, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as up:
        wait_until(lambda: bool(network.confined_routes()))
        seen: dict[str, set[str | None]] = {}
        while up.poll() is None:
            for address in LAB_ADDRESSES:
                seen.setdefault(address, set()).add(way_out(address))
            time.sleep(0.05)
        assert up.returncode == 0
    assert seen
    assert {way for ways in seen.values() for way in ways} == {None}, seen
    assert way_out(str(plan.API_FROM_MACHINE.ip)) == plan.MACHINE_LINK
    lab = state.required()
    os.kill(lab.init_pid, signal.SIGKILL)
    # Connections that nobody closed may hold the dead lab's namespaces, and with them its link, for minutes.
    assert {address: way_out(address) for address in LAB_ADDRESSES} == dict.fromkeys(LAB_ADDRESSES)
    assert way_out(str(plan.API_FROM_MACHINE.ip)) in (None, plan.MACHINE_LINK)
    lifecycle.down()
    assert Traces.now() == machine


def test_no_host_of_the_lab_has_a_way_to_the_machines_uplink(machine: Traces) -> None:
    lab = lifecycle.up()
    for host in (plan.CONTROL_PLANE_HOST, plan.OUTSIDE_HOST, *lab.nodes):
        # 192.0.2.0/24 is for documentation, and stands for any address that is not the lab's.
        shown = subprocess.run(
            [*lab.enter(host), sys.executable, "-c", ATTEMPT], capture_output=True, text=True, check=True, timeout=30
        )
        assert shown.stdout.strip() in ("EHOSTUNREACH", "ENETUNREACH"), f"{host}: {shown.stdout}"
    assert paths.KUBECONFIG.stat().st_mode & 0o077 == 0, "the administrator's kubeconfig is readable by others"
    lifecycle.down()
    assert Traces.now() == machine


ATTEMPT = """
import errno, socket
try:
    socket.create_connection(("192.0.2.1", 80), timeout=5)
    print("open")
except TimeoutError:
    print("timed out")
except OSError as error:
    print(errno.errorcode.get(error.errno, error))
"""
