"""Commands for what runs leave: `sweep` in the cluster, `report` on disk."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - typer reads it at run time
from typing import Annotated

import typer

from netassay.cli.common import Context, InCluster, Kubeconfig, connect, console
from netassay.fleet import sweep_leftovers
from netassay.report import write_report
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
) -> None:
    """Write the HTML page of each run again from its record."""
    out = console()
    for path in runs:
        run = read_run(path)
        page = write_report(path if path.is_dir() else path.parent, run)
        out.print(f"{page}: {summarize(run).headline}", markup=False, soft_wrap=True)
