"""A bench from beginning to end: blocks of cells in random order, each kept as soon as it is measured."""

from __future__ import annotations

import functools
import itertools
import random
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

import netassay
from netassay.bench import control, footprint, locust, requests, throughput, udp_rate
from netassay.bench.cells import CONTROL_PLANE, Cell, cells, levels, loads, locust_cells, locust_loads
from netassay.bench.cells import requests as cell_requests
from netassay.bench.processor import above_idle, used
from netassay.bench.schema import (
    HEADER,
    PERFDASH,
    Environment,
    Header,
    Repetition,
    Tool,
    Validity,
    append,
    keep_raw,
    perfdash,
    read,
    write_header,
)
from netassay.bench.topology import CLIENT, Topology
from netassay.errors import HarnessFault, UsageError
from netassay.families import AUTO, families_of_pods, split, to_assay
from netassay.fleet import DEFAULT_IMAGE, Fleet, Run, sweep_leftovers
from netassay.modes import detect
from netassay.results.facts import read_facts

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from rich.console import Console

    from netassay.bench.cells import Level, Load, Requests
    from netassay.bench.progress import Progress
    from netassay.bench.run import Run as MeasuredRun
    from netassay.cluster import Cluster
    from netassay.families import Family
    from netassay.fleet import Probe
    from netassay.modes import Detection

DNS_NAME: Final = "kubernetes.default.svc.cluster.local."
TRIES: Final = 2
"""How often a cell is measured in a block until it is valid."""
IDLE_SECONDS: Final = 3.0
STALE_SECONDS: Final = 2 * 3600.0
OVERHEAD_SECONDS: Final = 3.0
"""What an iperf3 run takes besides its own time."""


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """What to measure and how. `blocks` and `changes` 0 are what the level says; `udp_mbps` 0 is found out."""

    level: str = "smoke"
    blocks: int = 0
    only: tuple[str, ...] = ()
    ip_family: str = AUTO
    image: str = DEFAULT_IMAGE
    load_image: str = ""
    changes: int = 0
    locust_workers: int = 0
    outside_prefix: tuple[str, ...] = ()
    udp_mbps: float = 0.0
    host_probes: bool = True
    tolerate_taints: bool = False
    lab: str = ""
    out: Path | None = None
    seed: int | None = None


class Bench:
    """One bench of one cluster. Call `block` as often as is asked for, `sweep` in any case, then `finish`."""

    def __init__(self, cluster: Cluster, request: Request, console: Console) -> None:
        """Look at the cluster. `UsageError` if the request can't be carried out."""
        self.cluster, self.request, self.console = cluster, request, console
        known = levels()
        if request.level not in known:
            raise UsageError(f"there is no level {request.level!r}: {', '.join(known)}")
        self.level: Level = known[request.level]
        self.blocks = request.blocks or self.level.blocks
        self.changes = request.changes or self.level.changes
        self.level = msgspec.structs.replace(self.level, changes=self.changes)
        self.identity = Run.new()
        self.folder = (request.out or Path("reports", "bench", self.identity.id)).absolute()
        if (self.folder / HEADER).exists():
            raise UsageError(f"{self.folder} holds another bench: name another folder, or remove it first")
        families: tuple[Family, ...] = _families(cluster, request.ip_family)
        self.families = families
        self.cells = cells(self.level, families[:1] if request.level == "smoke" else families, request.only)
        self.web_cells = locust_cells(families[0]) if request.locust_workers else []
        self._random = random.Random(request.seed)  # noqa: S311 - an order, no secret
        self._loads: dict[str, Load] = loads()
        self._requests: dict[str, Requests] = cell_requests()
        self._detection: Detection = detect(cluster)
        self._header = self._describe()
        self._udp_mbps = request.udp_mbps
        write_header(self.folder, self._header)
        self._fleet: Fleet | None = None
        self._limited = ""

    @property
    def udp_mbps(self) -> float:
        """The rate of UDP, 0 until it is known."""
        return self._udp_mbps

    @property
    def repetitions(self) -> int:
        """How many repetitions there are to be."""
        return self.blocks * (len(self.cells) + len(self.web_cells))

    @property
    def seconds_each(self) -> float:
        """Seconds that one repetition takes, about."""
        return self.level.seconds + self.level.omit + OVERHEAD_SECONDS

    def attach(self, cluster: Cluster) -> None:
        """Go on in this cluster: a lab that was brought up again is another one to the API's clients."""
        self.cluster, self._fleet = cluster, None
        sweep_leftovers(cluster, older_than=STALE_SECONDS)

    def block(self, number: int, progress: Progress) -> None:
        """Measure all cells once, in random order, in pods of their own. HarnessFault if the pods do not come up."""
        topology = Topology(self.fleet, number, load_image=self.request.load_image, families=self.families)
        try:
            self._note_environment(topology)
            idle = self._idle(topology)
            unloaded = footprint.read(self.cluster, self.fleet.nodes)
            if any(cell.load == "udp" for cell in self.cells) and not self._udp_mbps:
                self._udp_mbps = self._calibrate(topology, progress)
            order = list(self.cells)
            self._random.shuffle(order)
            for place, cell in enumerate(order, 1):
                if reason := topology.why_not(cell):
                    self._header.absent[cell.id] = reason
                    continue
                if cell.path != CONTROL_PLANE:
                    run = functools.partial(self._run, topology, cell, progress)
                    self._measure(cell, topology.ends(cell), run, (number, place), idle, progress)
                elif number == 1:
                    self._change(topology, cell, place, progress)
            self._header.footprint |= footprint.footprint(unloaded, footprint.read(self.cluster, self.fleet.nodes))
            if self.web_cells:
                self._ask_by_locust(topology, number, idle, progress)
        finally:
            topology.remove()

    def finish(self) -> Path:
        """Write what sums the bench up; its folder."""
        self._header.finished = time.time()
        write_header(self.folder, self._header)
        (self.folder / PERFDASH).write_bytes(msgspec.json.encode(perfdash(read(self.folder))) + b"\n")
        return self.folder

    def fault(self, fault: HarnessFault) -> None:
        """Keep what the harness could not do."""
        self._header.faults.append(str(fault))
        self.console.print(f"[yellow]{fault}[/yellow]", soft_wrap=True)

    @property
    def fleet(self) -> Fleet:
        """The bench's pods."""
        if self._fleet is None:
            self._fleet = Fleet(
                self.cluster,
                self.identity,
                image=self.request.image,
                privileged=self.request.host_probes,
                tolerate_taints=self.request.tolerate_taints,
                lock_dir=self.folder,
            )
        return self._fleet

    def sweep(self) -> None:
        """Remove everything of this bench from the cluster."""
        self.fleet.sweep()
        for lock in self.folder.glob("fleet-*.lock"):
            lock.unlink()

    def _measure(
        self,
        cell: Cell,
        ends: tuple[Probe, Probe],
        make: Callable[[], MeasuredRun],
        place: tuple[int, int],
        idle: dict[str, float],
        progress: Progress,
    ) -> None:
        """Measure a cell until it is valid, and keep each try; `place` is its block and its order in that."""
        (source, sink), (block, order) = ends, place
        for rep in range(1, TRIES + 1):
            progress.starts(cell.id)
            run = make()
            reading = run.reading
            cpu = above_idle(run.cpu, idle) if run.cpu else {}
            metrics = dict(reading.metrics)
            if cpu and metrics.get("gbps"):
                metrics["core_s_per_gbit"] = cpu["total"] / (metrics["gbps"] * cpu["window"])
            if cpu and metrics.get("per_s"):
                metrics["core_s_per_100k"] = 100_000 * cpu["total"] / (metrics["per_s"] * cpu["window"])
            validity = reading.validity
            if limited := self._limited:
                validity = Validity(valid=False, reasons=[*validity.reasons, limited], notes=validity.notes)
            if not run.cpu and validity.valid:
                validity.notes.append("its CPU was not seen")
            repetition = Repetition(
                run=self.identity.id,
                block=block,
                rep=rep,
                order=order,
                cell=cell.id,
                mode=self._header.mode,
                evidence=self._detection.evidence,
                environment=self._header.environment,
                nodes={"client": source.node, "server": sink.node},
                tool=Tool(name=_tool(cell.load, self._loads, self._requests), version=reading.version, argv=run.argv),
                window=run.window,
                metrics=metrics,
                cpu={**cpu, "client_iperf3": reading.cores.get("client", 0.0), **run.tcp}
                | {"server_iperf3": reading.cores.get("server", 0.0)},
                validity=validity,
                raw=keep_raw(self.folder, f"{block}-{order}-{rep}-{cell.id}.json", run.output),
            )
            append(self.folder, repetition)
            progress.ends(repetition, figure(repetition))
            if validity.valid:
                return

    def _ask_by_locust(self, topology: Topology, block: int, idle: dict[str, float], progress: Progress) -> None:
        """Measure what Locust measures, last in the block: its workers are busy even when they wait."""
        workers = topology.workers(self.request.locust_workers, block, self.request.load_image)
        ends = topology.ends_of_web()
        for order, cell in enumerate(self.web_cells, len(self.cells) + 1):
            load = locust_loads()[cell.load]
            try:
                if cell.path == "dns":
                    target = locust.Target(server=self._header.cluster.dns_address, name=DNS_NAME)
                else:
                    target = topology.web(cell.path, cell.family)
            except HarnessFault as fault:
                self._header.absent[cell.id] = str(fault)
                continue
            if cell.path == "outside":
                run = functools.partial(locust.from_outside, self.request.outside_prefix, load, target, self.level)
            else:
                run = functools.partial(locust.in_cluster, topology, workers, load, target, self.level)
            self._measure(cell, ends, run, (block, order), idle, progress)

    def _change(self, topology: Topology, cell: Cell, order: int, progress: Progress) -> None:
        """Measure how long changes of one kind take, and keep each of them."""
        progress.starts(cell.id)
        began = time.time()
        try:
            found = control.MEASUREMENTS[cell.load](topology, self.changes)
        except control.NeverCame as never:
            self._header.absent[cell.id] = str(never)
            progress.note(f"{cell.id}: {never}")
            return
        # The last answer by the old backend is another thing than the first by the new one.
        kinds = [found["first"]] if "first" in found else list(found.values())
        first = list(itertools.chain.from_iterable(kinds))
        metrics = control.percentiles(first) | {"changes": float(len(first))}
        for name, seconds in found.items():
            metrics |= {f"{name}_{key}": value for key, value in control.percentiles(seconds).items()}
        repetition = Repetition(
            run=self.identity.id,
            block=1,
            rep=1,
            order=order,
            cell=cell.id,
            mode=self._header.mode,
            evidence=self._detection.evidence,
            environment=self._header.environment,
            nodes={"client": topology.pods[CLIENT].node},
            tool=Tool(name="agent"),
            window=(began, time.time()),
            metrics=metrics,
            validity=Validity(valid=True),
            raw=keep_raw(self.folder, f"1-{order}-1-{cell.id}.json", msgspec.json.encode(found)),
        )
        append(self.folder, repetition)
        progress.ends(repetition, figure(repetition))

    def _run(self, topology: Topology, cell: Cell, progress: Progress) -> MeasuredRun:
        if cell.load in self._requests:
            return requests.measure(topology, cell, self._requests[cell.load], self.level)
        return throughput.measure(
            topology,
            cell,
            self._loads[cell.load],
            self.level,
            udp_mbps=self._udp_mbps,
            mtu=self._header.environment.mtu,
            tell=progress.figure,
        )

    def _calibrate(self, topology: Topology, progress: Progress) -> float:
        """Find the rate for UDP in Mbit/s, from pod to pod."""
        path = next((c for c in self.cells if c.load.startswith("udp") and not topology.why_not(c)), self.cells[0])
        progress.starts("find a rate for UDP")
        short = msgspec.structs.replace(self.level, seconds=2, omit=0)
        mtu, tell = self._header.environment.mtu, progress.figure

        def send(load: str, mbps: float) -> udp_rate.Trial:
            run = throughput.measure(topology, path, self._loads[load], short, udp_mbps=mbps, mtu=mtu, tell=tell)
            metrics, valid = run.reading.metrics, run.reading.validity.valid
            return udp_rate.Trial(metrics.get("gbps", 0.0), metrics.get("lost_percent") if valid else None)

        rate = udp_rate.find_rate(send("tcp-1", 0).received_gbps, lambda mbps: send("udp", mbps))
        progress.note(f"UDP is sent at {rate:g} Mbit/s; --udp-mbps {rate:g} does the same in another run")
        return rate

    def _idle(self, topology: Topology) -> dict[str, float]:
        before = {probe.node: probe.counters() for probe in topology.probes}
        time.sleep(IDLE_SECONDS)
        return used(before, {probe.node: probe.counters() for probe in topology.probes})

    def _note_environment(self, topology: Topology) -> None:
        environment = self._header.environment
        if environment.mtu:
            return
        environment.mtu = topology.pods[CLIENT].link_mtu()
        environment.machine = f"{topology.pods[CLIENT].counters().cores} cores, {environment.machine}"
        self._limited = topology.limited()
        write_header(self.folder, self._header)

    def _describe(self) -> Header:
        facts = read_facts(self.cluster)
        facts.lab = facts.lab or self.request.lab
        node = facts.nodes[0] if facts.nodes else None
        environment = Environment(
            kubernetes=facts.version,
            kernel=node.kernel if node else "",
            machine=node.architecture if node else "",
            service_proxy=facts.service_proxy,
        )
        return Header(
            run=self.identity.id,
            netassay=netassay.__version__,
            started=time.time(),
            level=self.request.level,
            mode=self._detection.mode,
            lab=facts.lab,
            cells=[cell.id for cell in (*self.cells, *self.web_cells)],
            environment=environment,
            cluster=facts,
        )


def _tool(load: str, *known: Mapping[str, object]) -> str:
    return next((name for name, loads in zip(("iperf3", "agent"), known, strict=True) if load in loads), "locust")


def figure(repetition: Repetition) -> str:
    """What a repetition came to, in a few words."""
    metrics = repetition.metrics
    if "p50_us" in metrics:
        return f"p50 {metrics['p50_us']:.0f} µs, p99 {metrics['p99_us']:.0f} µs"
    if "lost_percent" in metrics:
        return f"{metrics['gbps']:.3f} Gbit/s, {metrics['lost_percent']:.2f}% lost"
    return f"{metrics['gbps']:.2f} Gbit/s" if "gbps" in metrics else "no figure"


def _families(cluster: Cluster, asked: str) -> tuple[Family, ...]:
    return split(to_assay(asked, families_of_pods(cluster)))
