"""Process 1 of the lab's PID namespace: makes the network and the hosts, starts every component and keeps it running.

When it dies, the kernel ends every process of the lab, and with them go mounts, links and namespaces. Runs as
`unshare --pid --fork --mount --net --uts --ipc -- python -m lab.init`, with a `Request` in JSON on standard input.
"""

from __future__ import annotations

import json
import os
import re
import ssl
import subprocess
import sys
import threading
import time
import traceback
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path

from lab import cgroups, components, modes, network, paths, plan
from lab.components import PKI, Component

READY_WITHIN = 60.0
# How many percent a heap grows before it is collected. Go's own 100 is a compromise, and a machine lacks either memory
# or, if it has plenty for its cores, time.
PLENTY_GIB = 8
GARBAGE = "200" if os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") >= PLENTY_GIB * 2**30 else "50"
# Nodes are made side by side, and each start of a component changes and writes the status.
STATUS_LOCK = threading.RLock()
NODE_KERNEL = {
    "ipv4/ip_forward": 1,
    "ipv4/conf/all/rp_filter": 0,
    "bridge/bridge-nf-call-iptables": 1,
    "bridge/bridge-nf-call-ip6tables": 1,
}


@dataclass(frozen=True)
class Request:
    """What the lab shall be; everything in it is fixed for the lab's life."""

    mode: str
    nodes: int
    binaries: str
    outside_agent: str
    ip_family: str

    @property
    def families(self) -> plan.Families:
        """The IP families of pods and Services."""
        return plan.Families(self.ip_family)


@dataclass
class Status:
    """What the lab's init says of itself, in status.json; process ids are those of the lab's PID namespace."""

    stage: str = "starting"
    error: str = ""
    hosts: dict[str, int] = field(default_factory=dict)
    components: dict[str, dict[str, int]] = field(default_factory=dict)

    def write(self) -> None:
        """Replace status.json in one step, so that no reader sees half of it."""
        file = paths.INSIDE / "status.json"
        scratch = file.with_suffix(".new")
        with STATUS_LOCK:
            scratch.write_text(json.dumps(asdict(self)))
            scratch.rename(file)


class Init:
    """The lab as seen by its process 1."""

    def __init__(self, request: Request) -> None:
        """Take the request; nothing is done yet."""
        self.request = request
        self.mode = modes.load(request.mode)
        self.status = Status(hosts={plan.ROUTER_HOST: os.getpid()})
        # Holding on to the Popen matters: one that is dropped is reaped by the next one, and its end goes unnoticed.
        self.nodes = {node.name for node in plan.node_hosts(request.nodes)}
        self.running: dict[int, tuple[Component, subprocess.Popen[bytes]]] = {}

    def bring_up(self) -> None:
        """Everything up to running kubelets. Kubernetes objects are the business of whoever asked for the lab."""
        self._mounts()
        self._stage("network")
        nodes = plan.node_hosts(self.request.nodes)
        control_plane, outside = plan.control_plane_host(), plan.outside_host()
        families = self.request.families
        network.build_vpc(families)
        for host in (control_plane, outside, *nodes):
            self._make_host(host)
        self._stage("control plane")
        self.start(components.etcd())
        self.start(components.outside_dns(families))
        if self.request.outside_agent:
            self.start(components.outside_agent(self.request.outside_agent))
        with ThreadPoolExecutor() as pool:
            made = [pool.submit(self._make_node, node) for node in nodes]
            self.start(components.apiserver(families))
            self._wait_for_api()
            self.start(components.controller_manager(families))
            self.start(components.scheduler())
            if self.mode.cloud.needed:
                self.start(components.cloud(self.mode.name, self.request.nodes))
            self._stage("nodes")
            for node in made:
                node.result()
        for node_host in nodes:
            self.start(components.kubelet(node_host, modes.node_labels(self.mode), families))
        self._stage("up")

    def start(self, component: Component) -> None:
        """Start `component` in its host's namespaces, its output going to its log."""
        log = paths.INSIDE / "logs" / f"{component.label}.log"
        log.parent.mkdir(exist_ok=True)
        path = f"{paths.INSIDE_BIN}:{os.environ['PATH']}"
        place = cgroups.system_folder(component.host) if component.host in self.nodes else None
        into = ["sh", "-c", f'echo $$ >{place}/cgroup.procs && exec "$@"', "sh"] if place else []
        with log.open("ab") as output:
            process = subprocess.Popen(
                [*into, *self._enter(component.host), *component.argv],
                env={"PATH": path, "HOME": "/root", "GOGC": GARBAGE, **component.environment},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.running[process.pid] = component, process
        with STATUS_LOCK:
            known = self.status.components.get(component.label, {"restarts": -1})
            self.status.components[component.label] = {"pid": process.pid, "restarts": known["restarts"] + 1}
            self.status.write()

    def keep_running(self) -> None:
        """Reap orphans, and start again what ends, for ever. A second's pause keeps a broken program from spinning."""
        while True:
            pid, _ = os.wait()
            ended = self.running.pop(pid, None)
            if ended is not None:
                time.sleep(1.0)
                self.start(ended[0])

    def _stage(self, name: str) -> None:
        self.status.stage = name
        self.status.write()

    def _mounts(self) -> None:
        _run("mount", "-t", "proc", "proc", "/proc")
        _run("mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", "/mnt")
        paths.INSIDE.mkdir()
        _run("mount", "--bind", str(paths.STATE), str(paths.INSIDE))
        paths.INSIDE_BIN.mkdir()
        _run("mount", "--bind", self.request.binaries, str(paths.INSIDE_BIN))
        _run("mount", "-o", "remount,bind,ro", str(paths.INSIDE_BIN))
        # The machine's own mounts below /run would be covered, and still be found first by whoever looks for a mount
        # by its path: containerd takes the machine's /run/netns for a node's. They go in our namespace alone.
        for point in _mounts_below("/run"):
            _run("umount", "--lazy", point)
        _run("mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", "/run")

    def _make_host(self, host: plan.Host) -> None:
        process = subprocess.Popen(
            ["unshare", "--net", "--mount", "--uts", "--", str(paths.INSIDE_BIN / "pause")],
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
        _wait_for_namespace(process.pid)
        self.status.hosts[host.name] = process.pid
        network.plug_in(host, process.pid, self.request.families)

    def _make_node(self, node: plan.Host) -> None:
        cgroups.make(node.name)
        script = paths.HERE / "scripts" / "node.sh"
        resolver = self.request.families.first(plan.OUTSIDE.ip, plan.OUTSIDE6.ip)
        own_tree = str(cgroups.v2_folder(node.name) or "") if self.mode.bpf else ""
        _run(*self._enter(node.name), "sh", str(script), node.name, resolver, own_tree, sys.executable)
        if self.mode.cloud.interfaces == "shared":
            network.add_shared_interfaces(node, self.status.hosts[node.name])
        for name, value in {**NODE_KERNEL, **self.mode.kernel}.items():
            key = f"net.{name.replace('/', '.')}={value}"
            _run(*self._enter(node.name), "sysctl", "-qw", "-e", key)
        self.start(components.containerd(node, self.mode.cni_configuration(node)))
        ctr = [*self._enter(node.name), f"{paths.INSIDE_BIN}/ctr", "-n", "k8s.io"]
        deadline = time.monotonic() + READY_WITHIN
        while subprocess.run([*ctr, "version"], capture_output=True, check=False).returncode != 0:
            if time.monotonic() > deadline:
                raise TimeoutError(f"containerd on {node.name} did not answer within {READY_WITHIN:.0f} s")
            time.sleep(0.1)
        _run(*ctr, "images", "import", "--local", str(components.IMAGES))

    def _enter(self, host: str) -> list[str]:
        return ["nsenter", f"--target={self.status.hosts[host]}", "--net", "--mount", "--uts", "--"]

    def _wait_for_api(self) -> None:
        """Ask the API server whether it is ready; process 1 shares the VPC's namespace, so it is one hop away."""
        context = ssl.create_default_context(cafile=str(PKI / "ca.crt"))
        context.load_cert_chain(PKI / "admin.crt", PKI / "admin.key")
        url = f"https://{plan.CONTROL_PLANE.ip}:6443/readyz"
        deadline = time.monotonic() + READY_WITHIN
        while True:
            try:
                with urllib.request.urlopen(url, context=context, timeout=2):
                    return
            except OSError as error:
                if time.monotonic() > deadline:
                    raise TimeoutError(f"{url} was not ready within {READY_WITHIN:.0f} s: {error}") from error
                time.sleep(0.1)


def _wait_for_namespace(pid: int) -> None:
    """Wait until process `pid` has left our network namespace, which `unshare` does just after it has started."""
    own = Path("/proc/self/ns/net").readlink()
    deadline = time.monotonic() + READY_WITHIN
    while Path(f"/proc/{pid}/ns/net").readlink() == own:
        if time.monotonic() > deadline:
            raise TimeoutError(f"process {pid} made no network namespace of its own")
        time.sleep(0.005)


def _mounts_below(folder: str) -> list[str]:
    """Give the mount points in the folder, the last that was mounted first."""
    escaped = [line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    points = [re.sub(r"\\([0-7]{3})", lambda octal: chr(int(octal[1], 8)), point) for point in escaped]
    return [point for point in reversed(points) if point.startswith(f"{folder}/")]


def _run(*command: str) -> None:
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: exit {done.returncode}: {done.stderr.strip() or done.stdout.strip()}")


def main() -> None:
    """Bring the lab up as asked on standard input, and keep it running until killed."""
    request = Request(**json.load(sys.stdin))
    init = Init(request)
    try:
        init.bring_up()
    except Exception as error:
        traceback.print_exc()
        init.status.error = f"{type(error).__name__}: {error}"
        init.status.write()
        raise SystemExit(1) from None
    init.keep_running()


if __name__ == "__main__":
    main()
