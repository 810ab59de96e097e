"""Locust: a master and workers in pods of the cluster, or one headless child of ours for the view from outside.

Locust is never imported here: it replaces the standard library's sockets. What it says is read from its output.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from hdrh.histogram import HdrHistogram

from netassay import bundle
from netassay.bench.requests import DIGITS, LONGEST_US, PERCENTILES
from netassay.bench.run import Reading, Run
from netassay.bench.schema import Validity
from netassay.bench.watching import watch, watched
from netassay.errors import HarnessFault
from netassay.fleet.execution import execute
from netassay.fleet.manifests import LOAD_CONTAINER

if TYPE_CHECKING:
    from collections.abc import Sequence

    from netassay.bench.cells import Level, LocustLoad
    from netassay.bench.topology import Topology
    from netassay.fleet import Probe

FILE: Final = "loadtests/locust/netassay_locust.py"
MARK: Final = "NETASSAY "
SPARE_SECONDS: Final = 60.0
WORKERS_SECONDS: Final = 20
FAILED: Final = 0.001
KEPT_UP: Final = 0.95
"""Of the arrivals of a step, what must be answered for the path to have carried it."""
SLOW_US: Final = 5_000_000
BOOT: Final = """
import base64, json, os, sys
said = json.loads(sys.argv[1])
with open("/tmp/netassay_locust.py", "wb") as file:
    file.write(base64.b64decode(said["file"]))
os.environ.update(said["environment"])
os.execv(sys.executable, [sys.executable, "-m", "locust", "-f", "/tmp/netassay_locust.py", *sys.argv[2:]])
"""


@dataclass(frozen=True)
class Target:
    """Whom to ask: a URL, with the host that a request names if that is another; or a name server and a name."""

    url: str = ""
    host_header: str = ""
    server: str = ""
    name: str = ""


def in_cluster(topology: Topology, workers: Sequence[Probe], load: LocustLoad, target: Target, level: Level) -> Run:
    """Have workers in pods make the load, led by a master in the client's pod. HarnessFault if it can't be."""
    return topology.fleet.cluster.run(_in_cluster(topology, workers, load, target, level))


def from_outside(prefix: Sequence[str], load: LocustLoad, target: Target, level: Level) -> Run:
    """Make the load from this machine, in a child process; `prefix` is a command that runs it elsewhere on it."""
    argv = [*prefix, sys.executable, "-m", "locust", "-f", str(bundle.root() / FILE), *_arguments(load, target)]
    environment = {**os.environ, **_environment(load, target, level, workers=1)}
    deadline = level.seconds + SPARE_SECONDS
    try:
        done = subprocess.run(argv, env=environment, capture_output=True, timeout=deadline, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise HarnessFault(f"Locust on this machine: {error}") from error
    return Run(argv, done.stdout, read(done.stdout, load, level, told=done.stderr))


async def _in_cluster(
    topology: Topology, workers: Sequence[Probe], load: LocustLoad, target: Target, level: Level
) -> Run:
    cluster, master = topology.fleet.cluster, topology.ends_of_web()[0]
    deadline = level.seconds + SPARE_SECONDS
    boot = json.dumps(
        {
            "file": base64.b64encode((bundle.root() / FILE).read_bytes()).decode(),
            "environment": _environment(load, target, level, workers=len(workers)),
        }
    )
    start = ["python3", "-c", BOOT, boot, *_arguments(load, target)]
    lead = [*start, "--master", "--expect-workers", str(len(workers))]
    lead += ["--expect-workers-max-wait", str(WORKERS_SECONDS)]
    follow = [*start, "--worker", "--master-host", master.address]
    working = [
        asyncio.create_task(execute(cluster, each, LOAD_CONTAINER, follow, deadline=deadline)) for each in workers
    ]
    watching = asyncio.create_task(watch(*topology.ends_of_web(), level, reverse=False, tell=lambda _: None))
    try:
        done = await execute(cluster, master, LOAD_CONTAINER, lead, deadline=deadline)
    finally:
        watching.cancel()
        for task in working:
            task.cancel()
        for task in working:
            with contextlib.suppress(asyncio.CancelledError, HarnessFault):
                await task
    run = Run(
        ["python3", "-m", "locust", *lead[4:]], done.output, read(done.output, load, level, told=done.said.encode())
    )
    if watching.done() and not watching.cancelled():
        run.saw(*watched(watching), client=master.node)
    return run


def read(output: bytes, load: LocustLoad, level: Level, *, told: bytes = b"") -> Reading:
    """Read the one line that the locustfile writes. Errors are apart from times."""
    line = next((text for text in output.decode(errors="replace").splitlines() if text.startswith(MARK)), "")
    if not line:
        reason = f"Locust summed nothing up: {(told or output).decode(errors='replace').strip()[-300:]}"
        return Reading("", {}, {}, Validity(valid=False, reasons=[reason]), 0.0)
    said: dict[str, Any] = json.loads(line.removeprefix(MARK))
    histogram = HdrHistogram(1, LONGEST_US, DIGITS)
    slow = 0
    for counts in said["times"].values():
        for microseconds, count in counts:
            histogram.record_value(min(max(int(microseconds), 1), LONGEST_US), count)
            slow += count if microseconds >= SLOW_US else 0
    answered, failed = histogram.get_total_count(), sum(said["errors"].values())
    metrics = {"per_s": answered / said["seconds"], "failed": float(failed), "slower_than_5_s": float(slow)}
    reasons = []
    if said["lost_workers"]:
        reasons.append(f"{said['lost_workers']} of the workers were missing")
    if said["cpu_warning"]:
        reasons.append("Locust was at the limit of its CPU")
    if not answered:
        reasons.append(f"nothing was answered ({', '.join(said['errors'])})")
    else:
        metrics |= {key: float(histogram.get_value_at_percentile(share)) for key, share in PERCENTILES.items()}
        metrics["p999_us"] = float(histogram.get_value_at_percentile(99.9))
    if load.ramp:
        metrics["ceiling_per_s"] = _ceiling(said["times"], level.seconds)
    elif answered < KEPT_UP * load.rate * said["seconds"] or failed > FAILED * max(answered, 1):
        wanted = load.rate * said["seconds"]
        reasons.append(f"of {wanted:.0f} requests {answered} were answered and {failed} failed: {said['errors']}")
    return Reading("", metrics, {}, Validity(valid=not reasons, reasons=reasons), float(said["seconds"]))


def _ceiling(times: dict[str, list[list[int]]], seconds: float) -> float:
    """The highest rate of a ramp's steps at which answers kept up with arrivals, 0 if none."""
    kept = [0.0]
    steps = 10
    for step, counts in times.items():
        rate = float(step.removesuffix("/s"))
        if sum(count for _, count in counts) >= KEPT_UP * rate * seconds / steps:
            kept.append(rate)
    return max(kept)


def _arguments(load: LocustLoad, target: Target) -> list[str]:
    return [load.user, "--headless", "--only-summary", *(["--host", target.url] if target.url else [])]


def _environment(load: LocustLoad, target: Target, level: Level, *, workers: int) -> dict[str, str]:
    found = {
        "NETASSAY_RATE": str(load.rate),
        "NETASSAY_RAMP": "yes" if load.ramp else "",
        "NETASSAY_WORKERS": str(workers),
        "NETASSAY_SECONDS": str(level.seconds),
        "NETASSAY_HOST_HEADER": target.host_header,
        "NETASSAY_DNS_SERVER": target.server,
        "NETASSAY_DNS_NAME": target.name,
    }
    return {key: value for key, value in found.items() if value}
