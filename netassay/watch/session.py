"""One watch from beginning to end: stage, baseline, the event, hand-over, results."""

from __future__ import annotations

import shlex
import subprocess
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

import msgspec

import netassay
from netassay.errors import HarnessFault, NetworkFault, NotConverged
from netassay.fleet import Fleet
from netassay.fleet.probe import make_attempts
from netassay.modes import detect
from netassay.observation import Outcome
from netassay.results.facts import read_facts
from netassay.runner.interrupts import Interrupted, Interrupts
from netassay.waiting import wait_until
from netassay.watch.flows import INTERVAL, OUTSIDE, PATHS, Ends, Line, lines
from netassay.watch.follow import Follower
from netassay.watch.record import WatchRecord
from netassay.watch.stage import Stage

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from netassay.cluster import Cluster
    from netassay.fleet import Probe, Run

SETTLED_WITHIN: Final = 60.0
AFTERWARDS: Final = 2.0
"""Seconds for which flows are watched on when the command has ended."""

LOOK: Final = 0.1
MOST_MARKS: Final = 500
LONGEST_MARK: Final = 300


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked of a watch. It ends with `command`, after `seconds`, or when it is interrupted.

    `far` is the address of a host outside that runs the agent, `interval` the seconds between new TCP connections,
    `paths` what is watched.
    """

    image: str
    command: tuple[str, ...] = ()
    seconds: float = 0.0
    far: str = ""
    tolerate_taints: bool = False
    interval: float = INTERVAL
    paths: tuple[str, ...] = PATHS


def watch(
    cluster: Cluster,
    identity: Run,
    wanted: Wanted,
    *,
    outside: Probe | None,
    folder: Path,
    tell: Callable[[str], None],
    progress: Callable[[str], None],
) -> WatchRecord:
    """Watch, and remove from the cluster what was made for it. HarnessFault if it could not be begun.

    `tell` gets what happens, `progress` how it stands.
    """
    folder.mkdir(parents=True, exist_ok=True)
    record = WatchRecord(
        run_id=identity.id,
        netassay=netassay.__version__,
        cluster=read_facts(cluster),
        mode=detect(cluster).mode,
        event=shlex.join(wanted.command),
    )
    fleet = Fleet(cluster, identity, image=wanted.image, tolerate_taints=wanted.tolerate_taints, lock_dir=folder)
    with Interrupts(lambda: tell("quitting at once: remove what is left in the cluster with `netassay sweep`")):
        try:
            progress("starting pods on every node")
            follower = _begun(fleet, wanted, outside, tell, progress)
            record.started = time.time() - (time.monotonic() - follower.zero)
            tell(f"watching {len(follower.flows)} flows")
            try:
                record.exit_code = _until_over(follower, wanted, tell, progress)
            except Interrupted as interruption:
                follower.mark(str(interruption))
                tell(f"{interruption}: ending the watch (again to quit at once)")
            progress("agents hand over what they have recorded")
            record.flows = follower.end()
            record.marks = follower.marks[:MOST_MARKS]
            record.finished = time.time()
        except Interrupted as interruption:
            raise HarnessFault(f"the watch was {interruption} before it had begun") from None
        finally:
            progress("removing what was made for the watch")
            _sweep(fleet, record, folder)
    return record


def _begun(
    fleet: Fleet,
    wanted: Wanted,
    outside: Probe | None,
    tell: Callable[[str], None],
    progress: Callable[[str], None],
) -> Follower:
    stage = Stage(fleet)
    stage.build()
    if not stage.ingress_address:
        tell("no Ingress is watched: there is no default IngressClass, or its controller gave no address")
    if outside is None:
        tell("nothing outside the cluster is driven: flows from outside are not watched (see --from-here)")
    first = min(stage.sources.items())[1]
    settings = first.resolv_conf()
    domain = next((name for name in settings.search if name.startswith("svc.")), "svc.cluster.local")
    nodes = {
        node["metadata"]["name"]: address["address"]
        for node in fleet.cluster.list("Node")
        for address in node["status"].get("addresses", [])
        if address["type"] == "InternalIP" and node["metadata"]["name"] in stage.sources
    }
    ends = Ends(
        stage=stage,
        nodes=nodes,
        outside=outside,
        far=wanted.far,
        dns=settings.nameservers[0] if settings.nameservers else "",
        domain_name=f"kubernetes.default.{domain}",
    )
    found = lines(ends, interval=wanted.interval, paths=wanted.paths)
    if not found:
        raise HarnessFault(f"there is nothing to watch over {', '.join(wanted.paths)} here: add other paths")
    probes = {**stage.sources, **({OUTSIDE: outside} if outside else {})}
    progress("waiting until every flow is answered")
    _settle(found, probes)
    follower = Follower(stage, found, outside, tell)
    try:
        follower.begin()
    except NetworkFault as fault:
        raise HarnessFault(f"the network is not quiet enough to be watched: {fault}") from fault
    return follower


def _settle(found: Sequence[Line], probes: Mapping[str, Probe]) -> None:
    """Wait until one attempt of every flow is answered: new Services take a while. HarnessFault if one is not."""

    def look() -> str:
        work = {probe: [line.attempt for line in found if line.at == at] for at, probe in probes.items()}
        seen = [one for observations in make_attempts(work).values() for one in observations]
        return "\n".join(one.describe() for one in seen if one.outcome is not Outcome.OPEN or one.error)

    try:
        wait_until(
            "every flow to be answered before anything is done",
            look,
            lambda failed: not failed,
            timeout=SETTLED_WITHIN,
            successes=2,
            grace=0,
        )
    except NotConverged as fault:
        raise HarnessFault(
            "some flows are not answered even before anything is done, so that an upgrade's part in that could not be "
            f"told; `netassay run` finds out why:\n{fault}"
        ) from fault


def _until_over(
    follower: Follower, wanted: Wanted, tell: Callable[[str], None], progress: Callable[[str], None]
) -> int | None:
    """Return when the watch's end has come, with the command's exit code if there is one."""
    end = time.monotonic() + wanted.seconds if wanted.seconds else float("inf")
    if not wanted.command:
        while time.monotonic() < end:
            progress(follower.describe())
            time.sleep(LOOK * 5)
        return None
    try:
        process = subprocess.Popen(
            wanted.command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
    except OSError as error:
        raise HarnessFault(f"could not run {shlex.join(wanted.command)}: {error.strerror}") from error
    follower.mark(f"begun: {shlex.join(wanted.command)}")
    reader = threading.Thread(target=_read_lines, args=(process, follower, tell), daemon=True)
    reader.start()
    try:
        while process.poll() is None and time.monotonic() < end:
            progress(follower.describe())
            time.sleep(LOOK)
    finally:
        code = _ended(process)
        reader.join(1.0)
        follower.mark(f"ended with exit code {code}")
    time.sleep(AFTERWARDS)
    return code


def _read_lines(process: subprocess.Popen[str], follower: Follower, tell: Callable[[str], None]) -> None:
    """Pass on what the command says, and keep it with the moment in which it said it."""
    assert process.stdout is not None
    for line in process.stdout:
        said = line.rstrip()
        if said:
            follower.mark(said[:LONGEST_MARK])
            tell(said)


def _ended(process: subprocess.Popen[Any]) -> int:
    """End a command that still runs; its exit code."""
    if process.poll() is None:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(10)
        process.kill()
    return process.wait()


def _sweep(fleet: Fleet, record: WatchRecord, folder: Path) -> None:
    try:
        fleet.sweep()
    except HarnessFault as fault:
        record.notes.append(f"the watch left objects behind: {fault}")
    for lock in folder.glob("fleet-*.lock"):
        lock.unlink(missing_ok=True)
