"""Rendering: the view of a run, poured into the templates."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from netassay.report.compare import compare
from netassay.report.environment import environment
from netassay.report.view import view
from netassay.results.files import write_whole
from netassay.results.redact import redact

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from netassay.results.schema import RunRecord

REPORT_HTML: Final = "report.html"
COMPARISON_HTML: Final = "comparison.html"


def render(run: RunRecord) -> str:
    """Give the run's page: self-contained, without scripts, and with everything that came from a cluster escaped."""
    return environment().get_template("report.html.j2").render(page=view(run))


def render_comparison(runs: Sequence[tuple[RunRecord, str]], not_run: Mapping[str, str] | None = None) -> str:
    """Give the page of several runs side by side, each with the address of its own page; as self-contained.

    `not_run` are modes that were to be run beside them, and why they were not.
    """
    reasons = {mode: redact(reason) for mode, reason in (not_run or {}).items()}
    return environment().get_template("compare.html.j2").render(page=compare(runs, reasons))


def write_comparison(
    path: Path, runs: Sequence[tuple[RunRecord, Path]], not_run: Mapping[str, str] | None = None
) -> None:
    """Write the page of `render_comparison` to `path`, each run with its folder.

    `HarnessFault` if it can't be written.
    """
    there = path.absolute().parent
    links = [(run, f"{os.path.relpath(folder.absolute(), there)}/{REPORT_HTML}") for run, folder in runs]
    write_whole(path, render_comparison([(run, quote(link)) for run, link in links], not_run))


def write_report(folder: Path, run: RunRecord) -> Path:
    """Write the run's page into its folder. `HarnessFault` if it can't be written."""
    path = folder / REPORT_HTML
    write_whole(path, render(run))
    return path
