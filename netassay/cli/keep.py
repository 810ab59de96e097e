"""Commands for what runs leave: `sweep` in the cluster, `report` on disk."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from netassay.cli.common import Context, InCluster, Kubeconfig, connect, console
from netassay.fleet import sweep_leftovers
from netassay.report import COMPARISON_HTML, write_comparison, write_report
from netassay.results.collect import read_run
from netassay.results.conclusion import summarize


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
        list[Path], typer.Argument(metavar="RUN…", help="Folders of runs (reports/runs/<id>), or their run.json.")
    ],
    out_file: Annotated[
        Path, typer.Option("--out", metavar="FILE", help="Where the page of several runs side by side goes.")
    ] = Path(COMPARISON_HTML),
) -> None:
    """Write the HTML page of each run again from its record, and of several runs one that puts them side by side."""
    out = console()
    made = []
    for path in runs:
        run, folder = read_run(path), path if path.is_dir() else path.parent
        page = write_report(folder, run)
        made.append((run, folder))
        out.print(f"{page}: {summarize(run).headline}", markup=False, soft_wrap=True)
    if len(made) > 1:
        write_comparison(out_file, made)
        out.print(f"{out_file}: {len(made)} runs side by side", markup=False, soft_wrap=True)
