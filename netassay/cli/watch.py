"""`netassay watch`: flows across an upgrade."""

from __future__ import annotations

import re
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer
from rich.table import Table
from rich.text import Text

from netassay import bundle
from netassay.agent import pack
from netassay.cli.common import WHICH, Context, InCluster, Kubeconfig, Mirror, TolerateTaints, connect, console
from netassay.errors import UsageError
from netassay.fleet import DEFAULT_IMAGE, LocalProbe, Run
from netassay.report.watch import write_watch_page
from netassay.runner.images import mirrored
from netassay.watch import Disturbance, conclude, write_watch
from netassay.watch.flows import OUTSIDE, PATHS

if TYPE_CHECKING:
    from rich.console import Console

    from netassay.watch import WatchRecord

LAB_IMAGE: Final = "netassay.lab/python:3.11"
STYLES: Final = {
    Disturbance.NONE: "bold green",
    Disturbance.SOME: "bold red",
    Disturbance.UNKNOWN: "bold yellow",
}
UNITS: Final = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0}
FLOWS: Final = "What is watched"


def watch(  # noqa: PLR0917 - typer calls it by name
    command: Annotated[
        list[str] | None,
        typer.Argument(metavar="[-- COMMAND…]", help="Watch until this command ends.", show_default=False),
    ] = None,
    kubeconfig: Kubeconfig = "",
    context: Context = "",
    in_cluster: InCluster = False,
    lab: Annotated[bool, typer.Option("--lab", help="The embedded cluster that runs.", rich_help_panel=WHICH)] = False,
    for_: Annotated[
        str, typer.Option("--for", metavar="DURATION", help="Watch for so long: 90s, 10m, 2h.", show_default=False)
    ] = "",
    from_here: Annotated[
        bool,
        typer.Option(
            "--from-here",
            help="Also watch NodePorts and the Ingress from this machine, as a host outside. The lab has its own.",
            rich_help_panel=FLOWS,
        ),
    ] = False,
    outside: Annotated[
        str,
        typer.Option(
            metavar="ADDRESS",
            help="A host outside that runs `agent.pyz serve`: flows out of the cluster lead there.",
            rich_help_panel=FLOWS,
            show_default=False,
        ),
    ] = "",
    paths: Annotated[
        str,
        typer.Option(
            metavar="PATH,…",
            help=f"Only flows over these: {', '.join(PATHS)}. Fewer cost less, where the machine is busy.",
            rich_help_panel=FLOWS,
            show_default=False,
        ),
    ] = "",
    interval: Annotated[
        int,
        typer.Option(
            metavar="MS",
            min=5,
            max=1000,
            help="Milliseconds between new TCP connections; UDP, DNS and HTTP have twice that.",
            rich_help_panel=FLOWS,
        ),
    ] = 10,
    image: Annotated[
        str, typer.Option(metavar="IMAGE", help=f"Image of the pods ({DEFAULT_IMAGE}).", show_default=False)
    ] = "",
    mirror: Mirror = "",
    tolerate_taints: TolerateTaints = False,
    out: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Folder for results (reports/runs/ID-watch).", show_default=False),
    ] = None,
) -> None:
    """Watch flows while something is done to the cluster, such as an upgrade: what was lost, and when.

    From a pod on every node: new TCP connections every 10 ms, UDP, HTTP and DNS every 20 ms, and kept connections, to
    the next node's pod, to a Service and out of the cluster; from outside, to every NodePort and through the Ingress.
    Agents keep recording while the API server is away, and while nodes are drained.

    It ends on Ctrl-C, after `--for`, or with the command that is given after `--`. Then it prints what each flow has
    lost, and writes `watch.json` and `watch.html`, which `netassay gate` reads.

    `netassay watch --lab -- netassay lab upgrade kube-proxy` shows it in the embedded cluster.

    Exit codes: 0 nothing was lost, 1 something was, 2 wrong usage, 3 that can't be told, or the command failed.
    """
    # Here, as these load the agent's and the cluster's parts.
    from netassay.watch.session import Wanted  # noqa: PLC0415
    from netassay.watch.session import watch as follow  # noqa: PLC0415

    seconds = duration(for_) if for_ else 0.0
    identity = Run.new()
    folder = (out or Path("reports", "runs", f"{identity.id}-watch")).absolute()
    say = console()
    with ExitStack() as held:
        driver: list[str] = []
        if lab:
            kubeconfig, driver, outside, image = _of_the_lab(kubeconfig, outside, image)
        elif from_here:
            driver = [sys.executable, str(pack.write_zipapp(folder / "agent.pyz")), "--identity=here", "drive"]
        cluster = held.enter_context(connect(kubeconfig, context, in_cluster=in_cluster))
        far = held.enter_context(LocalProbe(driver, OUTSIDE)) if driver else None
        wanted = Wanted(
            image=mirrored(image or DEFAULT_IMAGE, mirror) if mirror else image or DEFAULT_IMAGE,
            command=tuple(command or ()),
            seconds=seconds,
            far=outside,
            tolerate_taints=tolerate_taints,
            interval=interval / 1000,
            paths=chosen_paths(paths),
        )
        with say.status("") as status:

            def tell(words: str) -> None:
                say.print(words, markup=False, soft_wrap=True)

            def progress(words: str) -> None:
                status.update(Text(words))

            record = follow(cluster, identity, wanted, outside=far, folder=folder, tell=tell, progress=progress)
    (folder / "agent.pyz").unlink(missing_ok=True)
    written = write_watch(folder, record)
    page = write_watch_page(folder, record)
    _print(say, record)
    say.print(f"report  {page}\nrecord  {written}", markup=False, soft_wrap=True)
    raise typer.Exit(conclude(record).disturbance.exit_code)


def duration(text: str) -> float:
    """Give the seconds that `90s`, `10m`, `2h` or `45` stand for; `UsageError` if it is none of these."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([smh]?)", text)
    if not match or not float(match[1]):
        raise UsageError(f"--for {text}: give a length of time, as in 90s, 10m or 2h")
    return float(match[1]) * UNITS[match[2]]


def chosen_paths(text: str) -> tuple[str, ...]:
    """Give the paths that `service,dns` stands for, all by default; `UsageError` if there is no such path."""
    chosen = tuple(part.strip() for part in text.split(",") if part.strip())
    unknown = [path for path in chosen if path not in PATHS]
    if unknown:
        raise UsageError(f"--paths {text}: there is no path {unknown[0]!r}: choose of {', '.join(PATHS)}")
    return chosen or PATHS


def _of_the_lab(kubeconfig: str, outside: str, image: str) -> tuple[str, list[str], str, str]:
    """Give kubeconfig, driver of the outside host, its address, and the image, of the lab that runs."""
    if kubeconfig:
        raise UsageError("--lab chooses the cluster by itself: leave out --kubeconfig")
    sys.path.append(str(bundle.root()))
    try:
        from lab import state  # noqa: PLC0415 - an install without the extra `lab` has not what it needs
        from lab.errors import LabError  # noqa: PLC0415
        from netassay.cli.lab import outside_agent  # noqa: PLC0415
    except ImportError as error:
        raise UsageError(f"--lab needs more than is installed ({error}): pip install 'netassay[lab]'") from error
    try:
        running = state.required()
        driver = state.drive_outside(running, outside_agent())
    except LabError as error:
        raise UsageError(f"--lab: {error}") from error
    return running.kubeconfig, driver, outside or running.outside_addresses[0], image or LAB_IMAGE


def _print(say: Console, record: WatchRecord) -> None:
    """Print the verdict, and a table with a line for each flow."""
    concluded = conclude(record)
    table = Table("Flow", "Made", "Lost", "Outages", "Longest", "From", "Kept lost", "Unwatched")
    for flow in record.flows:
        seen = flow.timeline
        longest = max(seen.outages, key=lambda one: one.seconds, default=None)
        table.add_row(
            Text(flow.key),
            f"{seen.attempts:,}",
            str(flow.lost_attempts or ""),
            str(len(seen.outages) or ""),
            f"{longest.seconds * 1000:.0f} ms" if longest else "",
            f"{longest.began:.2f} s" if longest else "",
            str(len(seen.lost) or ""),
            f"{sum(one.ended - one.began for one in flow.unwatched):.1f} s" if flow.unwatched else "",
            style="" if not flow.disturbed else "red",
        )
    say.print(table)
    for note in record.notes:
        say.print(f"note: {note}", markup=False, soft_wrap=True)
    say.print(Text(concluded.headline, STYLES[concluded.disturbance]), soft_wrap=True)
