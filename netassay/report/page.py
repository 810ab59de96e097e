"""Rendering: the view of a run, poured into the templates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import jinja2

from netassay import bundle
from netassay.report.view import view
from netassay.results.files import write_whole

if TYPE_CHECKING:
    from pathlib import Path

    from netassay.results.schema import RunRecord

REPORT_HTML: Final = "report.html"


def render(run: RunRecord) -> str:
    """Give the run's page: self-contained, without scripts, and with everything that came from a cluster escaped."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(bundle.templates()),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("report.html.j2").render(page=view(run))


def write_report(folder: Path, run: RunRecord) -> Path:
    """Write the run's page into its folder. `HarnessFault` if it can't be written."""
    path = folder / REPORT_HTML
    write_whole(path, render(run))
    return path
