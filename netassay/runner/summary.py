"""The end of a run on the terminal: the verdict first, then what broke, then where everything is."""

from __future__ import annotations

import os
import shlex
from typing import TYPE_CHECKING, Final

from rich.text import Text

from netassay.results.collect import RUN_JSON
from netassay.results.conclusion import Conclusion, Summary
from netassay.results.naming import alike, first_line, name_of
from netassay.results.rerun import rerun
from netassay.results.schema import CheckRecord, RunRecord, Verdict
from netassay.runner.progress import STYLES

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console

STYLE_OF: Final = {
    Conclusion.CONFORMS: "bold green",
    Conclusion.FINDINGS: "bold red",
    Conclusion.INCONCLUSIVE: "bold yellow",
}

LISTED: Final = 20
"""Entries for one verdict on the terminal; the report has them all."""


def print_summary(console: Console, run: RunRecord, summary: Summary, folder: Path) -> None:
    """Print it; lines are never wrapped, so that they can be copied and searched."""

    def line(text: str, style: str = "") -> None:
        console.print(Text(text, style), soft_wrap=True)

    console.print()
    line(summary.headline, STYLE_OF[summary.conclusion])
    counts = ", ".join(f"{summary.counts[verdict]} {verdict}" for verdict in Verdict if summary.counts[verdict])
    line(f"{counts or 'no checks'}; {run.finished - run.started:.0f} s; mode {run.mode}", "dim")
    for verdict in (Verdict.BROKEN, Verdict.INCONCLUSIVE):
        for records in alike([record for record in run.checks if record.verdict is verdict])[:LISTED]:
            if len(records) > 1:
                line(f"{verdict:<13} {len(records)} checks: {first_line(records[0].message)}", STYLES[verdict])
            else:
                _print_check(console, run, records[0])
    for fault in run.faults:
        line(f"harness: {fault}", STYLES[Verdict.INCONCLUSIVE])
    for note in run.notes:
        line(f"note: {note}")
    for what, name in (
        ("report", "report.html"),
        ("record", RUN_JSON),
        ("JUnit", "junit.xml"),
        ("Allure", "allure-results"),
    ):
        line(f"{what:<7} {os.path.relpath(folder / name)}")


def _print_check(console: Console, run: RunRecord, record: CheckRecord) -> None:
    text = Text()
    text.append(f"{record.verdict:<13}", STYLES[record.verdict])
    text.append(f" {name_of(record)}\n{'':14}{first_line(record.message)}\n{'':14}again: ")
    text.append(shlex.join(rerun(run, record)), "dim")
    console.print(text, soft_wrap=True)
