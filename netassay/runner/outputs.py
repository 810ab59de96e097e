"""The files of a finished run: run.json, junit.xml, Allure's results and the page for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from netassay.allure import write_results
from netassay.allure.results import ALLURE_RESULTS
from netassay.report import write_report
from netassay.results.collect import write_run_json
from netassay.results.junit import merge_junit
from netassay.runner.plan import PARALLEL, SERIAL

if TYPE_CHECKING:
    from pathlib import Path

    from netassay.results.schema import RunRecord


def write_outputs(folder: Path, run: RunRecord) -> None:
    """Write all of them, the record first, as the others can be made from it again. `HarnessFault` if one fails."""
    write_run_json(folder, run)
    write_report(folder, run)
    merge_junit({name: folder / "logs" / f"{name}.junit.xml" for name in (PARALLEL, SERIAL)}, folder / "junit.xml")
    write_results(folder / ALLURE_RESULTS, run)
