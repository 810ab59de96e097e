"""`netassay bench`: throughput, latency and CPU, measured in blocks, and modes put side by side."""

from __future__ import annotations

import shutil
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import msgspec
import typer

from netassay.bench.bench import Bench, Request
from netassay.bench.page import BENCH_HTML, write_page
from netassay.bench.progress import Progress
from netassay.bench.schema import read
from netassay.cli.common import WHICH, Context, InCluster, Kubeconfig, Mirror, TolerateTaints, connect, console
from netassay.cli.labs import lab_kubeconfig, lab_modes
from netassay.errors import HarnessFault, UsageError
from netassay.families import AUTO, CHOICES
from netassay.fleet import DEFAULT_IMAGE
from netassay.fleet import Run as Identity
from netassay.runner.images import mirrored
from netassay.runner.interrupts import Interrupted, Interrupts

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

MEASURED: Final = "What is measured"
BASELINES: Final = Path("reports", "baselines")
LAB_PROBE_IMAGE, LAB_LOAD_IMAGE = "netassay.lab/python:3.11", "netassay.lab/load:1"
OUTSIDE_HOST: Final = "outside"
NO_IMAGE: Final = """which image has iperf3 here? Name one with --iperf3-image, as the nodes pull it:
deploy/load/ holds the recipe of one (iperf3 and Locust). In the embedded cluster (--lab) there is one already."""


def bench(  # noqa: PLR0917 - typer calls it by name
    kubeconfig: Kubeconfig = "",
    context: Context = "",
    in_cluster: InCluster = False,
    lab: Annotated[
        str,
        typer.Option(
            metavar="MODE[,MODE…]",
            help="The embedded cluster in this mode, brought up if it is not; of several modes, blocks alternate, and "
            "one page puts them side by side.",
            rich_help_panel=WHICH,
            show_default=False,
        ),
    ] = "",
    keep_lab: Annotated[
        bool, typer.Option("--keep-lab", help="Leave the lab up that --lab brought up.", rich_help_panel=WHICH)
    ] = False,
    level: Annotated[
        str,
        typer.Option(
            metavar="smoke|nightly|gate",
            help="How much: smoke is minutes and no verdict, gate is what a decision needs.",
            rich_help_panel=MEASURED,
        ),
    ] = "smoke",
    blocks: Annotated[
        int,
        typer.Option(
            metavar="N", min=0, help="Blocks (as the level says).", rich_help_panel=MEASURED, show_default=False
        ),
    ] = 0,
    changes: Annotated[
        int,
        typer.Option(
            metavar="N",
            min=0,
            help="Changes of Services, policies and pods to time, in the first block (as the level says; 50 say much).",
            rich_help_panel=MEASURED,
            show_default=False,
        ),
    ] = 0,
    locust_workers: Annotated[
        int,
        typer.Option(
            metavar="N",
            min=0,
            help="Also ask HTTP and DNS servers by Locust, with so many worker pods over the nodes.",
            rich_help_panel=MEASURED,
            show_default=False,
        ),
    ] = 0,
    only: Annotated[
        list[str] | None,
        typer.Option(
            metavar="WORD",
            help="Only cells with this word in their names, such as `pod.ipv4` or `tcp-1`.",
            rich_help_panel=MEASURED,
            show_default=False,
        ),
    ] = None,
    ip_family: Annotated[
        str,
        typer.Option(
            metavar="|".join(CHOICES), help="IP families; smoke takes the first of them.", rich_help_panel=MEASURED
        ),
    ] = AUTO,
    udp_mbps: Annotated[
        float,
        typer.Option(
            metavar="RATE",
            min=0,
            help="Mbit/s of the UDP cells (a quarter of what TCP reaches here, or of what UDP does).",
            rich_help_panel=MEASURED,
            show_default=False,
        ),
    ] = 0.0,
    iperf3_image: Annotated[
        str,
        typer.Option(
            metavar="IMAGE", help="Image with iperf3 (and Locust) of pods that make load.", show_default=False
        ),
    ] = "",
    image: Annotated[
        str, typer.Option(metavar="IMAGE", help=f"Image of probes ({DEFAULT_IMAGE}).", show_default=False)
    ] = "",
    mirror: Mirror = "",
    tolerate_taints: TolerateTaints = False,
    no_host_probes: Annotated[
        bool,
        typer.Option("--no-host-probes", help="No hostNetwork pods: there is then no host control to compare with."),
    ] = False,
    seed: Annotated[
        int | None, typer.Option(metavar="S", help="Of the order of cells (another each time).", show_default=False)
    ] = None,
    save: Annotated[
        str, typer.Option(metavar="NAME", help=f"Keep it as a baseline, in {BASELINES}/NAME.", show_default=False)
    ] = "",
    out: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Folder for results (reports/bench/ID).", show_default=False),
    ] = None,
) -> None:
    """Measure throughput, latency and CPU of every path, next to the nodes' own network.

    A block makes its pods anew, measures all cells in random order and the same load between the hosts themselves; what
    counts is the median of blocks as a share of that control. Needs a cluster that has nothing else to do, and pods in
    the nodes' network for the control. Results: bench.html, repetitions.jsonl, perfdash.json and all raw output.

    Exit codes: 0 measured, 2 wrong usage, 3 something could not be measured.
    """
    modes = lab_modes(lab) if lab else []
    if save and ("/" in save or save.startswith(".")):
        raise UsageError(f"--save takes a plain name, not {save!r}")
    base = out or Path("reports", "bench", Identity.new().id)
    probe_image, load_image = image or (LAB_PROBE_IMAGE if modes else DEFAULT_IMAGE), iperf3_image
    if not load_image:
        if not modes:
            raise UsageError(NO_IMAGE)
        load_image = LAB_LOAD_IMAGE
    request = Request(
        level=level,
        blocks=blocks,
        changes=changes,
        locust_workers=locust_workers,
        only=tuple(only or ()),
        ip_family=ip_family,
        image=mirrored(probe_image, mirror) if mirror else probe_image,
        load_image=mirrored(load_image, mirror) if mirror else load_image,
        udp_mbps=udp_mbps,
        host_probes=not no_host_probes,
        tolerate_taints=tolerate_taints,
        seed=seed,
        out=base,
    )

    def cluster_of(mode: str) -> AbstractContextManager[str]:
        keep = keep_lab and mode == modes[-1]
        return lab_kubeconfig(mode, ip_family, keep=keep)

    if len(modes) > 1:
        made, missing = _alternate(request, modes, cluster_of)
    else:
        made, missing = _one(request, modes, cluster_of, kubeconfig, context, in_cluster=in_cluster), {}
    page = base / BENCH_HTML
    benches = [read(each.finish()) for each in made]
    write_page(page, benches, missing)
    if save:
        for each in made:
            target = BASELINES / save / (each.folder.name if len(modes) > 1 else "")
            shutil.copytree(each.folder, target, dirs_exist_ok=False)
        console().print(f"baseline: {BASELINES / save}", markup=False, soft_wrap=True)
    console().print(f"report: {page}", markup=False, soft_wrap=True)
    raise typer.Exit(3 if missing or any(each.header.faults for each in benches) else 0)


def _one(
    request: Request,
    modes: list[str],
    cluster_of: Callable[[str], AbstractContextManager[str]],
    kubeconfig: str,
    context: str,
    *,
    in_cluster: bool,
) -> list[Bench]:
    """Measure all blocks in one cluster."""
    with ExitStack() as held:
        if modes:
            kubeconfig = held.enter_context(cluster_of(modes[0]))
        cluster = held.enter_context(connect(kubeconfig, context, in_cluster=in_cluster))
        if modes:
            request = msgspec.structs.replace(request, lab=modes[0], outside_prefix=_outside())
        bench = Bench(cluster, request, console())
        with Progress(console(), bench.repetitions, bench.seconds_each) as progress:
            _blocks(bench, range(1, bench.blocks + 1), progress)
        return [bench]


def _alternate(
    request: Request, modes: list[str], cluster_of: Callable[[str], AbstractContextManager[str]]
) -> tuple[list[Bench], dict[str, str]]:
    """Measure the first block of each mode, then the second of each, and so on: the machine's moods hit all alike.

    A machine carries one lab, so that each block has one of its own. Modes that there are none of, and why.
    """
    made: dict[str, Bench] = {}
    missing: dict[str, str] = {}
    progress: Progress | None = None
    number, last = 1, 1
    while number <= last:
        for mode in modes:
            if mode in missing:
                continue
            try:
                with cluster_of(mode) as kubeconfig, connect(kubeconfig, "", in_cluster=False) as cluster:
                    bench = made.get(mode)
                    if bench is None:
                        folder = (request.out or Path()) / mode
                        bench = Bench(
                            cluster,
                            msgspec.structs.replace(request, lab=mode, out=folder, outside_prefix=_outside()),
                            console(),
                        )
                        made[mode] = bench
                    bench.attach(cluster)
                    last = bench.blocks
                    if progress is None:
                        total = bench.repetitions * len(modes)
                        progress = Progress(console(), total, bench.seconds_each)
                    progress.note(f"{mode}, block {number}")
                    with progress:
                        _blocks(bench, range(number, number + 1), progress)
                    # What a rate was found for the first mode is the rate of all: else they are not compared alike.
                    request = msgspec.structs.replace(request, udp_mbps=bench.udp_mbps)
            except UsageError as error:
                if mode in made:
                    raise
                missing[mode] = str(error)
                console().print(f"{mode}: {error}", markup=False, soft_wrap=True)
        number += 1
    if not made:
        raise UsageError(f"none of the modes could be brought up: {'; '.join(missing.values())}")
    return list(made.values()), missing


def _outside() -> tuple[str, ...]:
    """What runs a command on the lab's outside host."""
    from lab import state  # noqa: PLC0415 - only where a lab runs

    return tuple(state.required().enter(OUTSIDE_HOST))


def _blocks(bench: Bench, numbers: range, progress: Progress) -> None:
    """Measure these blocks, and leave nothing in the cluster, whatever ends it."""
    with Interrupts(lambda: console().print("quitting at once: remove what is left with `netassay sweep`")):
        try:
            for number in numbers:
                try:
                    bench.block(number, progress)
                except HarnessFault as fault:
                    bench.fault(fault)
        except Interrupted as interruption:
            progress.note(f"{interruption}: cleaning up (again to quit at once)")
            bench.finish()
            raise typer.Exit(interruption.exit_code) from interruption
        finally:
            bench.sweep()
