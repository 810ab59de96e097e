"""One assay, or one of each of several lab modes, and the page that puts them side by side."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from netassay.cli.common import connect, console
from netassay.cli.labs import lab_kubeconfig
from netassay.errors import HarnessFault, UsageError
from netassay.fleet import Run
from netassay.report import COMPARISON_HTML, write_comparison
from netassay.results.collect import read_run
from netassay.runner.assay import Assay

if TYPE_CHECKING:
    from netassay.results.schema import RunRecord
    from netassay.runner.plan import Request

INTERRUPTED: Final = (130, 143)
FINDINGS, INCONCLUSIVE = 1, 3
WORSE: Final = (*INTERRUPTED, FINDINGS, INCONCLUSIVE)
"""Exit codes of an assay by how much they count among several."""


def assay(request: Request, *, keep_lab: bool) -> tuple[int, Path]:
    """Make one assay: its exit code and its folder."""
    with ExitStack() as held:
        kubeconfig = request.kubeconfig
        if request.lab:
            kubeconfig = held.enter_context(lab_kubeconfig(request.lab, request.ip_family, keep=keep_lab))
        cluster = held.enter_context(connect(kubeconfig, request.context, in_cluster=request.in_cluster))
        made = Assay(cluster, request, console())
        return made.run(), made.folder


def side_by_side(request: Request, modes: list[str], *, keep_lab: bool) -> int:
    """Assay one lab mode after the other, and write a page that puts them side by side; the worst exit code.

    A mode that can't be assayed, as its lab does not come up, has a column that says why, and leaves the result
    inconclusive. Whoever ends one of the assays ends them all: the page is of those that were begun.
    """
    base = request.out or Path("reports", "runs", f"{Run.new().id}-side-by-side")
    requests = {mode: replace(request, lab=mode, out=base / mode) for mode in modes}
    for each in requests.values():
        each.validate()
    made: list[tuple[RunRecord, Path]] = []
    not_run: dict[str, str] = {}
    codes = []
    for mode, each in requests.items():
        console().print(f"[bold]{mode}[/bold]")
        reason = ""
        try:
            # Only the last lab can be left up: a machine carries one.
            code, _ = assay(each, keep_lab=keep_lab and mode == modes[-1])
        except HarnessFault as fault:
            code, reason = INCONCLUSIVE, str(fault)
        except KeyboardInterrupt:
            code, reason = INTERRUPTED[0], "interrupted"
        codes.append(code)
        try:
            # What was found counts, whatever came after it.
            made.append((read_run(base / mode), base / mode))
        except UsageError as error:
            codes.append(INCONCLUSIVE)
            not_run[mode] = reason or str(error)
            console().print(f"{mode} was not run: {not_run[mode]}", markup=False, soft_wrap=True)
        else:
            if reason:
                console().print(f"{mode}: {reason}", markup=False, soft_wrap=True)
        if code in INTERRUPTED:
            break
    page = base / COMPARISON_HTML
    write_comparison(page, made, not_run)
    console().print(f"side by side: {page}", markup=False, soft_wrap=True)
    return next((worst for worst in (*WORSE, *codes) if worst in codes), 0)
