"""A bench from beginning to end: blocks of cells in random order, each kept as soon as it is measured."""

from __future__ import annotations

import random
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

import netassay
from netassay.bench import requests, throughput
from netassay.bench.cells import Cell, cells, levels, loads
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
    from rich.console import Console

    from netassay.bench.cells import Level, Load, Requests
    from netassay.bench.progress import Progress
    from netassay.bench.run import Run as MeasuredRun
    from netassay.cluster import Cluster
    from netassay.families import Family
    from netassay.modes import Detection

TRIES: Final = 2
"""How often a cell is measured in a block until it is valid."""
IDLE_SECONDS: Final = 3.0
STALE_SECONDS: Final = 2 * 3600.0
OVERHEAD_SECONDS: Final = 3.0
"""What an iperf3 run takes besides its own time."""
SHARE_FOR_UDP: Final = 0.25
"""Of TCP's rate, for UDP at a rate that the path can carry."""
LEAST_UDP_MBPS: Final = 10.0


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """What to measure and how. `blocks` 0 is what the level says; `udp_mbps` 0 is found out."""

    level: str = "smoke"
    blocks: int = 0
    only: tuple[str, ...] = ()
    ip_family: str = AUTO
    image: str = DEFAULT_IMAGE
    load_image: str = ""
    udp_mbps: float = 0.0
    host_probes: bool = True
    tolerate_taints: bool = False
    lab: str = ""
    stand_in_for: str = ""
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
        self.identity = Run.new()
        self.folder = (request.out or Path("reports", "bench", self.identity.id)).absolute()
        if (self.folder / HEADER).exists():
            raise UsageError(f"{self.folder} holds another bench: name another folder, or remove it first")
        families: tuple[Family, ...] = _families(cluster, request.ip_family)
        self.families = families
        self.cells = cells(self.level, families[:1] if request.level == "smoke" else families, request.only)
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
            if any(cell.load == "udp" for cell in self.cells) and not self._udp_mbps:
                self._udp_mbps = self._calibrate(topology, progress)
            order = list(self.cells)
            self._random.shuffle(order)
            for place, cell in enumerate(order, 1):
                if reason := topology.why_not(cell):
                    self._header.absent[cell.id] = reason
                    continue
                self._measure(topology, cell, number, place, idle, progress)
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
        self, topology: Topology, cell: Cell, block: int, order: int, idle: dict[str, float], progress: Progress
    ) -> None:
        source, sink = topology.ends(cell)
        for rep in range(1, TRIES + 1):
            progress.starts(cell.id)
            run = self._run(topology, cell, progress)
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
                tool=Tool(
                    name=run.argv[0] if cell.load in self._loads else "agent", version=reading.version, argv=run.argv
                ),
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
        """The rate for UDP in Mbit/s: a quarter of what TCP reaches from pod to pod, to two figures."""
        path = next((c for c in self.cells if c.load.startswith("udp") and not topology.why_not(c)), self.cells[0])
        progress.starts("find a rate for UDP")
        short = msgspec.structs.replace(self.level, seconds=2, omit=0)
        run = throughput.measure(topology, path, self._loads["tcp-1"], short, udp_mbps=0, mtu=0, tell=progress.figure)
        rate = 1000 * run.reading.metrics.get("gbps", 0.0) * SHARE_FOR_UDP
        found = max(float(f"{rate:.2g}"), LEAST_UDP_MBPS)
        progress.note(f"UDP is sent at {found:g} Mbit/s; --udp-mbps {found:g} does the same in another run")
        return found

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
            lab=facts.lab or self.request.lab,
            stand_in_for=self.request.stand_in_for,
            cells=[cell.id for cell in self.cells],
            environment=environment,
            cluster=facts,
        )


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
