"""One assay from beginning to end: sweep, detect, check in phases, collect, conclude."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import netassay
from netassay.errors import HarnessFault
from netassay.families import families_of_pods, to_assay
from netassay.fleet import Fleet, Run, sweep_leftovers
from netassay.modes import detect, load, names
from netassay.modes.limits import beyond
from netassay.results.collect import collect, write_header
from netassay.results.conclusion import Summary, summarize
from netassay.results.facts import read_facts
from netassay.results.redact import redact
from netassay.results.schema import RunRecord, lab_name
from netassay.runner.child import Child
from netassay.runner.interrupts import Interrupted, Interrupts
from netassay.runner.outputs import write_outputs
from netassay.runner.plan import Phase, Request, command_again, phases
from netassay.runner.progress import Progress
from netassay.runner.summary import print_summary

if TYPE_CHECKING:
    from rich.console import Console

    from netassay.cluster import Cluster

LOOK_SECONDS: Final = 0.2
"""Rest between looks at what the checks have recorded."""

STALE_SECONDS: Final = 2 * 3600.0
"""Age from which another run's objects are taken for leftovers; younger ones may belong to a run in progress."""

FINE: Final = (0, 1, 5)
"""pytest's exit codes that the verdicts speak for: all passed, some failed, nothing to do in this phase."""


class Assay:
    """One run of the checks against a cluster. Ask for `run` once."""

    def __init__(self, cluster: Cluster, request: Request, console: Console) -> None:
        """Make up the run's identity and its folder. `UsageError` if the request can't be carried out."""
        self.cluster, self.request, self.console = cluster, request, console
        self.identity = Run.new()
        self.folder = (request.out or Path("reports", "runs", self.identity.id)).absolute()
        self._child: Child | None = None
        self._faults: list[str] = []
        self._notes: list[str] = []
        request.validate()

    def run(self) -> int:
        """Carry it out; the exit code. Raises `HarnessFault` if the cluster is away or results can't be written."""
        self.cluster.version()  # a cluster that is away is told at once, and not by every check
        with Interrupts(self._drop_everything):
            interrupted: Interrupted | None = None
            try:
                self._check()
            except Interrupted as interruption:
                interrupted = interruption
                self.console.print(f"{interruption}: cleaning up (again to quit at once)")
                self._faults.append(f"the run was {interruption} before all checks were made")
            except HarnessFault as fault:
                self._faults.append(str(fault))
            self._sweep()
            summary = self._conclude()
            return interrupted.exit_code if interrupted else summary.conclusion.exit_code

    def _check(self) -> None:
        self._sweep_leftovers()
        header = self._header()
        lab = f" ({lab_name(header.cluster)})" if header.cluster.lab else ""
        self.console.print(f"run {self.identity.id}: {self.cluster.server}, {header.cluster.version}{lab}")
        evidence = "; ".join(header.detection.evidence) if header.detection else ""
        self.console.print(f"mode {header.mode}: {evidence}", markup=False, soft_wrap=True)
        with Progress(self.console, self.folder) as progress:
            assayed = replace(
                self.request,
                mode=header.mode if self.request.mode == "auto" else self.request.mode,
                ip_family=to_assay(self.request.ip_family, families_of_pods(self.cluster)),
            )
            plan = phases(assayed, run_id=self.identity.id, run_dir=self.folder)
            for phase in plan:
                self._run_phase(phase, progress)
            if not progress.planned:
                said = "\n".join(
                    log.read_text(errors="replace") for log in sorted((self.folder / "logs").glob("*.log"))
                )
                self._faults.append(f"no check was found to be made; pytest said:\n{said.strip()}")

    def _header(self) -> RunRecord:
        """Read what is to be known of the cluster, and keep it before anything can go wrong."""
        detection = detect(self.cluster)
        asked = load(detection.mode if self.request.mode == "auto" else self.request.mode)
        mode = asked.name
        if mode != detection.mode:
            self._notes.append(f"mode {mode} was asked for; detection would have chosen {detection.mode}")
        if mode not in names():
            # Of a file of the user's own nothing but its name is in the record, from which others have their limits.
            self._notes += beyond(asked, detection)
        facts = read_facts(self.cluster)
        facts.lab = facts.lab or self.request.lab
        header = RunRecord(
            run_id=self.identity.id,
            netassay=netassay.__version__,
            started=time.time(),
            command=command_again(self.request),
            cluster=facts,
            detection=detection,
            mode=mode,
        )
        write_header(self.folder, header)
        return header

    def _run_phase(self, phase: Phase, progress: Progress) -> None:
        progress.phase(phase.name)
        with Child(phase.command, self.folder / "logs" / f"{phase.name}.log") as child:
            self._child = child
            while (code := child.wait(LOOK_SECONDS)) is None:
                progress.update()
            progress.update()
        self._child = None
        if code not in FINE:
            how = f"exit code {code}" if code > 0 else f"signal {-code}"
            self._faults.append(f"phase {phase.name} broke off ({how}); the end of what pytest said:\n{child.tail()}")

    def _sweep_leftovers(self) -> None:
        try:
            swept = sweep_leftovers(self.cluster, older_than=STALE_SECONDS)
        except HarnessFault as fault:
            self._notes.append(f"leftovers of earlier runs could not be swept: {fault}")
        else:
            if swept:
                self.console.print(f"removed leftovers of earlier runs: {', '.join(swept)}")

    def _sweep(self) -> None:
        """Remove what the run has made. What is left behind does not change what was found out, but must be told."""
        if self.request.keep:
            self._notes.append(f"the run's objects were kept: namespaces {self.identity.namespace} and …-host")
            return
        try:
            Fleet(self.cluster, self.identity, lock_dir=self.folder).sweep()
        except HarnessFault as fault:
            self._notes.append(f"the run left objects behind: {fault}")

    def _conclude(self) -> Summary:
        run = collect(self.folder)
        # What was read from the run's folder is redacted already.
        run.faults += map(redact, self._faults)
        run.notes += map(redact, self._notes)
        run.finished = time.time()
        write_outputs(self.folder, run)
        summary = summarize(run)
        print_summary(self.console, run, summary, self.folder)
        return summary

    def _drop_everything(self) -> None:
        if self._child is not None:
            self._child.kill()
        self.console.print("quitting at once: the run's objects are left behind; remove them with `netassay sweep`")
