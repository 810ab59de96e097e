"""Commands for what runs leave: `sweep` in the cluster, `report` and `history` on disk."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer

from netassay.allure import ALLURE_HTML, write_allure_page
from netassay.cli.common import Context, InCluster, Kubeconfig, connect, console
from netassay.errors import UsageError
from netassay.fleet import sweep_leftovers
from netassay.report import COMPARISON_HTML, write_comparison, write_report
from netassay.report.history import HISTORY_HTML, write_history_page
from netassay.report.words import count
from netassay.results.collect import read_run
from netassay.results.conclusion import summarize
from netassay.results.naming import network_name
from netassay.results.shelf import read_shelf

BEFORE: Final = 19
"""Earlier runs that Allure is given as history: it needs a second or two for each."""


def sweep(
    kubeconfig: Kubeconfig = "",
    context: Context = "",
    in_cluster: InCluster = False,
    older_than: Annotated[float, typer.Option(metavar="MINUTES", min=0, help="Only what is at least so old.")] = 0,
) -> None:
    """Remove what earlier runs left in the cluster, by its label.

    It can't tell leftovers from a run in progress: spare those with --older-than.
    """
    with connect(kubeconfig, context, in_cluster=in_cluster) as cluster:
        swept = sweep_leftovers(cluster, older_than=older_than * 60 or None)
    console().print(f"removed: {', '.join(swept)}" if swept else "nothing to remove")


def report(
    runs: Annotated[
        list[Path],
        typer.Argument(
            metavar="RUN…",
            help="Folders of runs (reports/runs/<id>), or their run.json; with --allure also reports/runs.",
        ),
    ],
    allure: Annotated[
        bool,
        typer.Option(
            "--allure",
            help="Make Allure's page instead, of the newest of these runs; earlier ones of the same cluster and mode "
            "are its history. Needs Node.js with npm, which installs Allure 3 once.",
        ),
    ] = False,
    out_file: Annotated[
        Path | None,
        typer.Option(
            "--out",
            metavar="FILE",
            help=f"Where the page of several runs side by side goes ({COMPARISON_HTML}), or Allure's ({ALLURE_HTML}).",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Write the HTML page of each run again from its record, and of several runs one that puts them side by side.

    `netassay report --allure reports/runs` writes one file for those who know Allure: it works from a disk, asks no
    other host, and shows how each check went before.
    """
    if allure:
        _allure(runs, out_file or Path(ALLURE_HTML))
        return
    out = console()
    made = []
    for path in runs:
        run, folder = read_run(path), path if path.is_dir() else path.parent
        page = write_report(folder, run)
        made.append((run, folder))
        out.print(f"{page}: {summarize(run).headline}", markup=False, soft_wrap=True)
    if len(made) > 1:
        comparison = out_file or Path(COMPARISON_HTML)
        write_comparison(comparison, made)
        out.print(f"{comparison}: {len(made)} runs side by side", markup=False, soft_wrap=True)


def history(
    folder: Annotated[
        Path, typer.Argument(metavar="FOLDER", help="The folder that holds those of the runs.", show_default=True)
    ] = Path("reports", "runs"),
    out_file: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE", help=f"The page (FOLDER/{HISTORY_HTML}).", show_default=False),
    ] = None,
) -> None:
    """Write one page of all runs in a folder: what broke when, what is flaky, which figures drift.

    For each check that is broken it names the first bad run and the last good one; a check that goes to and fro is
    flaky; a figure drifts if the newest runs, or the series as a whole, moved by more than scatter explains. Runs of
    different clusters or modes are kept apart. What can't be read is listed, and left out.

    `netassay run --out /srv/runs/$(date +%F)` every night keeps them in one place for `netassay history /srv/runs`.
    """
    shelf = read_shelf([folder])
    page = out_file or (folder if folder.is_dir() else folder.parent) / HISTORY_HTML
    shown = write_history_page(page, shelf)
    out = console()
    for one in shown.networks:
        told = f"{len(one.broken)} broken now, {len(one.flaky)} flaky, {count(len(one.drifting), 'figure')} drifting"
        out.print(f"{one.name}: {count(len(one.runs), 'run')}, {told}", markup=False, soft_wrap=True)
    for unread in shelf.unread:
        out.print(f"left out: {unread.path}: {unread.why}", markup=False, soft_wrap=True)
    out.print(f"page    {page}", markup=False, soft_wrap=True)


def _allure(places: list[Path], page: Path) -> None:
    shelf = read_shelf(places)
    out = console()
    for unread in shelf.unread:
        out.print(f"left out: {unread.path}: {unread.why}", markup=False, soft_wrap=True)
    if not shelf.runs:
        raise UsageError("none of these runs can be read")
    *earlier, newest = shelf.runs
    before = [run for run in earlier if run.network == newest.network][-BEFORE:]
    run = read_run(Path(newest.folder))
    write_allure_page(page, run, [read_run(Path(one.folder)) for one in before])
    history = count(len(before), "earlier run")
    told = f"run {run.run_id} of {network_name(run.cluster, run.mode)}, with {history} as its history"
    out.print(f"{page}: {told}", markup=False, soft_wrap=True)
    if len(before) < len(earlier):
        others = count(len(earlier) - len(before), "run")
        out.print(f"left out: {others} of other networks, or too long ago", markup=False, soft_wrap=True)
