"""The page of one bench, or of several modes side by side: one file, no scripts, no requests."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import jinja2
from markupsafe import Markup

import netassay
from netassay import bundle
from netassay.bench.compare import CellView, compare, name_of
from netassay.bench.plots import dots
from netassay.report.words import moment
from netassay.results.files import write_whole
from netassay.results.redact import redact
from netassay.results.schema import lab_name

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from netassay.bench.schema import Bench

BENCH_HTML: Final = "bench.html"


@dataclass(frozen=True)
class Drawn:
    """A cell with its drawing."""

    cell: CellView
    svg: Markup


def write_page(path: Path, benches: Sequence[Bench], missing: Mapping[str, str]) -> None:
    """Write the page of these benches; `missing` are modes without one, and why. HarnessFault if it can't be."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(bundle.templates()),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    # The drawing's only foreign text is stripped of markup where it is made.
    missing = {mode: redact(reason) for mode, reason in missing.items()}
    cells = [Drawn(cell, Markup(dots(cell))) for cell in compare(benches, missing)]  # noqa: S704
    page = {
        "cells": cells,
        "benches": [
            (name_of(bench), bench.header, lab_name(bench.header.cluster), moment(bench.header.started))
            for bench in benches
        ],
        "missing": missing,
        "netassay": netassay.__version__,
    }
    write_whole(path, environment.get_template("bench.html.j2").render(**page))
