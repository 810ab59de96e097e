"""Ways in which a cluster's network breaks, done by hand to a running lab and undone exactly."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kubernetes import client, config

from lab import state

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab.state import LabState

TENANT = "break-tenant"
READY_WITHIN = 60.0
LEASES = "/var/lib/cni/networks/cbr0"


def leases(lab: LabState, node: str) -> list[str]:
    """The addresses that the lease store of `node` holds to be given out."""
    shown = subprocess.run([*lab.enter(node), "ls", LEASES], capture_output=True, text=True, check=True).stdout.split()
    return [name for name in shown if name[0].isdigit()]


@contextmanager
def service_proxy_stopped(lab: LabState, node: str) -> Iterator[None]:
    """Stop kube-proxy of `node` where it stands: its rules stay, and follow nothing any more."""
    with stopped(lab, "kube-proxy", f"--hostname-override={node}"):
        yield


@contextmanager
def stopped(lab: LabState, program: str, *arguments: str) -> Iterator[None]:
    """Stop the one process of the lab that runs this program with these among its arguments."""
    every = {pid: _arguments(pid) for pid in state.members(lab.init_pid).values()}
    (pid,) = (pid for pid, (path, *own) in every.items() if path.endswith(f"/{program}") and set(arguments) <= set(own))
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


@contextmanager
def tunnel_cut(lab: LabState, node: str, other: str) -> Iterator[None]:
    """Drop the VXLAN packets that `node` receives from `other`."""
    address = _node_address(lab, other)
    rule = ["INPUT", "--source", address, "--protocol", "udp", "--dport", "8472", "--jump", "DROP"]
    run(lab, node, "iptables", "--insert", *rule)
    try:
        yield
    finally:
        run(lab, node, "iptables", "--delete", *rule)


@contextmanager
def large_packets_lost(lab: LabState, node: str) -> Iterator[None]:
    """Drop what is longer than 1,300 bytes and goes through `node` to or from pods, as a wrong MTU on the way does."""
    rule = ["FORWARD", "--match", "length", "--length", "1301:65535", "--jump", "DROP"]
    run(lab, node, "iptables", "--insert", *rule)
    try:
        yield
    finally:
        run(lab, node, "iptables", "--delete", *rule)


@contextmanager
def no_name_server(lab: LabState) -> Iterator[None]:
    """Leave the cluster without a DNS server, as an upgrade of it that goes wrong does."""
    api = client.AppsV1Api(config.new_client_from_config(lab.kubeconfig))
    name, space = "coredns", "kube-system"
    before = api.read_namespaced_deployment(name, space).spec.replicas

    def scale(replicas: int) -> None:
        api.patch_namespaced_deployment_scale(name, space, {"spec": {"replicas": replicas}})
        _until(lambda: (api.read_namespaced_deployment(name, space).status.ready_replicas or 0) == replicas)

    scale(0)
    try:
        yield
    finally:
        scale(before)


@contextmanager
def plug_in_given_another_setting(lab: LabState) -> Iterator[None]:
    """Give Flannel's ConfigMap a setting that it had not, and that nobody reads: the network stays the same."""
    api = client.CoreV1Api(config.new_client_from_config(lab.kubeconfig))

    def put(value: str | None) -> None:
        api.patch_namespaced_config_map("kube-flannel-cfg", "kube-flannel", {"data": {"netassay-break": value}})

    put("here")
    try:
        yield
    finally:
        put(None)


@contextmanager
def one_address_twice(lab: LabState, node: str) -> Iterator[str]:
    """Two pods of `node` with one address, because the lease store has lost an entry; the address."""
    api = client.CoreV1Api(config.new_client_from_config(lab.kubeconfig))
    api.create_namespace({"metadata": {"name": TENANT}})
    try:
        address = _pod_address(api, node, "first")
        before_it = str(int(address.rpartition(".")[2]) - 1)
        run(lab, node, "rm", f"{LEASES}/{address}")
        # host-local gives out the address after the last one that it has reserved.
        last = f"{address.rpartition('.')[0]}.{before_it}"
        run(lab, node, "sh", "-c", f"echo -n {last} >{LEASES}/last_reserved_ip.0")
        second = _pod_address(api, node, "second")
        assert second == address, f"the lease store gave {second}, not {address} again"
        yield address
    finally:
        api.delete_namespace(TENANT)
        _until(lambda: all(n.metadata.name != TENANT for n in api.list_namespace().items))


def _pod_address(api: Any, node: str, name: str) -> str:
    container = {"name": "pause", "image": "netassay.lab/pause:1", "imagePullPolicy": "Never"}
    spec = {"nodeName": node, "terminationGracePeriodSeconds": 0, "containers": [container]}
    api.create_namespaced_pod(TENANT, {"metadata": {"name": name}, "spec": spec})
    _until(lambda: api.read_namespaced_pod(name, TENANT).status.phase == "Running")
    return str(api.read_namespaced_pod(name, TENANT).status.pod_ip)


def _node_address(lab: LabState, node: str) -> str:
    shown = subprocess.run(
        [*lab.enter(node), "ip", "-json", "-4", "address", "show", "eth0"], capture_output=True, check=True
    )
    return str(json.loads(shown.stdout)[0]["addr_info"][0]["local"])


def run(lab: LabState, node: str, *command: str, given: str = "") -> None:
    """Run a command on `node`, with `given` as its standard input."""
    subprocess.run([*lab.enter(node), *command], input=given, text=True, check=True)


def _arguments(pid: int) -> list[str]:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().split("\0")
    except OSError:
        return [""]


def _until(condition: Any) -> None:
    deadline = time.monotonic() + READY_WITHIN
    while not condition():
        assert time.monotonic() < deadline, "the break could not be made in time"
        time.sleep(0.1)
