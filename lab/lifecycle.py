"""Bringing the lab up and down, so that up twice is harmless and down leaves nothing."""

from __future__ import annotations

import fcntl
import functools
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import traceback
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lab import binaries, cgroups, debian, images, modes, network, paths, pki, plan, preflight, state
from lab.errors import LabError
from lab.interrupts import Interrupts
from lab.objects import Objects
from lab.progress import Progress

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab.modes import LabMode
    from lab.progress import Step
    from lab.state import LabState

API_WITHIN, SYSTEM_WITHIN, DOWN_WITHIN = 90.0, 180.0, 20.0
PROXY_MODES = ("nftables", "iptables")
# As the lab's init goes through them.
STAGES = ("starting", "network", "control plane", "nodes", "up")


def prepare(mode_name: str, progress: Progress) -> LabMode:
    """Check the machine, install tools and build programs and images of a mode: all of `up` that outlives a lab."""
    mode = modes.load(mode_name)
    preflight.check(mode)
    debian.install_tools(mode.tools, progress)
    binaries.build(images.FAMILIES, progress)
    # Images are mostly downloads, and programs mostly work for the processor.
    with ThreadPoolExecutor(1) as beside:
        assembled = beside.submit(images.assemble)
        binaries.build(mode.families, progress)
        if not assembled.done():
            with progress.step("assemble images pause, host, python, load"):
                wait([assembled])
        assembled.result()
    return mode


def up(
    mode_name: str = modes.DEFAULT,
    *,
    nodes: int = plan.LEAST_NODES,
    proxy_mode: str = PROXY_MODES[0],
    ip_family: str = plan.IP_FAMILIES[0],
    outside_agent: Path | None = None,
    progress: Progress | None = None,
) -> LabState:
    """Bring a lab up and return it; a lab that already runs as asked is returned as it is.

    `outside_agent` is a Python program that the outside host runs with `serve`, to be reached, and with `drive`, to be
    driven. Whatever ends this early, Ctrl-C included, takes down what was made. Raises LabError, also when another lab
    runs.
    """
    progress = progress or Progress()
    if not plan.LEAST_NODES <= nodes <= plan.MOST_NODES:
        raise LabError(f"A lab has {plan.LEAST_NODES} to {plan.MOST_NODES} nodes, not {nodes}.")
    if proxy_mode not in PROXY_MODES:
        raise LabError(f"kube-proxy runs in one of the modes {', '.join(PROXY_MODES)}, not {proxy_mode!r}.")
    if ip_family not in plan.IP_FAMILIES:
        raise LabError(f"The IP family of a lab's pods is one of {', '.join(plan.IP_FAMILIES)}, not {ip_family!r}.")
    mode = prepare(mode_name, progress)
    if ip_family not in mode.ip_families:
        raise LabError(
            f"In lab mode {mode.name} pods are of IP family {' or '.join(mode.ip_families)}, not {ip_family}."
        )
    wanted = _Wanted(mode, nodes, proxy_mode, plan.Families(ip_family), outside_agent)
    with _only_one():
        found = state.running()
        if found is not None:
            if wanted.is_what_runs(found):
                return found
            raise LabError(
                f"A lab already runs (mode {found.mode}, {found.node_count} nodes, kube-proxy {found.proxy_mode}, "
                f"{found.ip_family}), and a machine carries one. Use it, or end it with `netassay lab down`."
            )
        _clear()
        try:
            with Interrupts() as interrupts:
                return _bring_up(wanted, progress, interrupts)
        except BaseException as error:
            told = f" Its logs were kept in {_keep_logs(error)}." if isinstance(error, Exception) else ""
            _clear()
            if isinstance(error, LabError):
                raise LabError(f"{error}{told}") from error
            raise


def down() -> None:
    """End the lab and remove all that it left on the machine. Without a lab, remove the remains of one, if any."""
    with _only_one():
        _clear()


@dataclass(frozen=True)
class _Wanted:
    """A lab as it was asked for."""

    mode: LabMode
    nodes: int
    proxy_mode: str
    families: plan.Families
    outside_agent: Path | None

    def is_what_runs(self, lab: LabState) -> bool:
        asked = (self.mode.name, self.nodes, self.proxy_mode, self.families.name)
        return asked == (lab.mode, lab.node_count, lab.proxy_mode, lab.ip_family)


def _bring_up(wanted: _Wanted, progress: Progress, interrupts: Interrupts) -> LabState:
    mode, nodes, families = wanted.mode, wanted.nodes, wanted.families
    paths.STATE.mkdir(mode=0o700, parents=True)
    paths.LOGS.mkdir()
    hosts = plan.node_hosts(nodes)
    with progress.step("certificates, routes, first process"):
        network.confine_machine()
        pki.make_all(paths.STATE / "pki", paths.KUBECONFIG, hosts)
        _place(images.archive(), paths.STATE / "images.tar")
        request = {
            "mode": mode.name,
            "nodes": nodes,
            "binaries": str(_binaries(mode)),
            "outside_agent": str(wanted.outside_agent or ""),
            "ip_family": families.name,
        }
        init_pid = _start_init(json.dumps(request))
        lab = state.LabState(
            mode=mode.name,
            title=mode.title,
            stand_in_for=mode.stand_in_for,
            proxy_mode=wanted.proxy_mode,
            node_count=nodes,
            init_pid=init_pid,
            init_started=state.start_time(init_pid) or 0,
            outside_agent=str(wanted.outside_agent or ""),
            ip_family=families.name,
            outside_addresses=tuple(families.of(plan.OUTSIDE.ip, plan.OUTSIDE6.ip)),
            nodes=tuple(host.name for host in hosts),
        )
        lab.write()
    with progress.step("control plane") as step:
        _wait_for_stage(lab, interrupts, after="network")
        network.link_machine(state.machine_pid(init_pid, lab.status()["hosts"][plan.CONTROL_PLANE_HOST]))
        step.tell("waiting for the API server")
        _wait_for_stage(lab, interrupts, after="control plane")
        objects = Objects()
    known = binaries.families()
    for title, manifests in (
        (f"{nodes} nodes and their network ({mode.name})", mode.manifests),
        ("system pods", mode.pod_manifests),
    ):
        with progress.step(title) as step:
            if manifests is mode.manifests:
                for family in mode.families:
                    objects.define(known[family].definitions())
            objects.apply(manifests, mode, wanted.proxy_mode, families)
            objects.wait_for_system(nodes, SYSTEM_WITHIN, functools.partial(_tell, lab, interrupts, step))
    objects.close()
    return lab


def _tell(lab: LabState, interrupts: Interrupts, step: Step, detail: str) -> None:
    """Show `detail` as what `step` waits for, as long as there is something to wait for."""
    interrupts.check()
    if error := _init_error(lab):
        raise LabError(error)
    step.tell(detail)


def _start_init(request: str) -> int:
    """Start the lab's process 1 in namespaces of its own, and return its id on the machine."""
    environment = os.environ | {"PYTHONPATH": str(paths.HERE.parent)}
    command = [
        "unshare",
        "--pid",
        "--fork",
        "--kill-child",
        "--mount",
        "--net",
        "--uts",
        "--ipc",
        "--propagation=private",
    ]
    with (paths.LOGS / "init.log").open("wb") as log:
        outer = subprocess.Popen(
            [*command, "--", sys.executable, "-m", "lab.init"],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    assert outer.stdin is not None
    outer.stdin.write(request.encode())
    outer.stdin.close()
    children = Path(f"/proc/{outer.pid}/task/{outer.pid}/children")
    deadline = time.monotonic() + API_WITHIN
    while outer.poll() is None and time.monotonic() < deadline:
        found = children.read_text().split()
        if found:
            return int(found[0])
        time.sleep(0.01)
    raise LabError(f"The lab's first process did not start: {(paths.LOGS / 'init.log').read_text().strip()}")


def _wait_for_stage(lab: LabState, interrupts: Interrupts, *, after: str) -> None:
    """Wait until the lab's init has gone on beyond the stage `after`."""
    deadline = time.monotonic() + API_WITHIN
    while STAGES.index(lab.status()["stage"]) <= STAGES.index(after):
        interrupts.check()
        if error := _init_error(lab):
            raise LabError(error)
        if time.monotonic() > deadline:
            raise LabError(f"The lab's init was still at work on its {after} after {API_WITHIN:.0f} s.")
        time.sleep(0.02)


def _init_error(lab: LabState) -> str:
    told = str(lab.status()["error"])
    if told:
        return f"The lab's init failed: {told}."
    if not lab.alive:
        return f"The lab's init ended: {(paths.LOGS / 'init.log').read_text().strip()[-500:]}"
    return ""


def _binaries(mode: LabMode) -> Path:
    """One folder with all programs of `mode`, in the cache beside them."""
    known = binaries.families()
    key = hashlib.sha256(" ".join(known[name].key for name in mode.families).encode()).hexdigest()[:16]
    folder = paths.cache() / "layout" / key
    binaries.lay_out(mode.families, folder)
    return folder


def _place(source: Path, target: Path) -> None:
    try:
        target.hardlink_to(source)
    except OSError:
        shutil.copyfile(source, target)


def _keep_logs(error: Exception) -> Path:
    """Copy the logs of a lab that failed, and what it failed with, to where `_clear` does not reach."""
    kept = paths.cache() / "failed-lab-logs"
    shutil.rmtree(kept, ignore_errors=True)
    if paths.LOGS.exists():
        shutil.copytree(paths.LOGS, kept)
        (kept / "error.txt").write_text("".join(traceback.format_exception(error)))
    return kept


def _clear() -> None:
    """Remove every trace: processes first, for nothing else can go before them."""
    lab = state.load()
    if lab is not None and lab.alive:
        processes = state.members(lab.init_pid)
        os.kill(lab.init_pid, signal.SIGKILL)
        deadline = time.monotonic() + DOWN_WITHIN
        while any(state.start_time(pid) is not None for pid in (lab.init_pid, *processes.values())):
            if time.monotonic() > deadline:
                raise LabError(f"The lab's processes still run {DOWN_WITHIN:.0f} s after its init was killed.")
            time.sleep(0.02)
    deadline = time.monotonic() + DOWN_WITHIN
    while cgroups.left():
        cgroups.remove()
        if cgroups.left() and time.monotonic() > deadline:
            raise LabError(f"These cgroups could not be removed: {', '.join(map(str, cgroups.left()[:5]))} …")
    network.free_machine()
    shutil.rmtree(paths.STATE, ignore_errors=True)


@contextmanager
def _only_one() -> Iterator[None]:
    """Hold the machine's lock on labs. Raises LabError at once if another process is bringing one up or down."""
    paths.LOCK.parent.mkdir(parents=True, exist_ok=True)
    with paths.LOCK.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise LabError(
                "Another process is bringing a lab up or down on this machine right now; a machine carries one. "
                "Wait until it has finished."
            ) from None
        yield
