"""The same network, day after day: runs in which one check breaks, one can't make up its mind, and a figure drifts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import samples

from netassay.report.history import write_history_page
from netassay.results.collect import write_run_json
from netassay.results.schema import Figure, Verdict
from netassay.results.shelf import read_shelf

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from netassay.results.schema import RunRecord

DAY = 86_400.0
BREAKS, FLIPS = "dns-srv", "load-balancer"


def day(number: int, *, broken: Sequence[str] = (), outage: float = 900.0) -> RunRecord:
    """The run of that day, in which these claims are broken."""
    run = samples.healthy()
    run.run_id = f"day{number:03}"
    run.started += number * DAY
    run.finished += number * DAY
    run.checks = [
        msgspec.structs.replace(
            record,
            started=record.started + number * DAY,
            verdict=Verdict.BROKEN if record.claim in broken else record.verdict,
            message=f"broken for {samples.HOSTILE}" if record.claim in broken else record.message,
        )
        for record in run.checks
    ]
    run.figures = [Figure(samples.check_id("failover-killed"), "outage, new TCP connections", outage, "ms")]
    return run


def fortnight() -> list[RunRecord]:
    """Two weeks: from the tenth day on one check is broken, another every third day, and an outage grows by half."""
    return [
        day(
            number,
            broken=[*([BREAKS] if number >= 9 else []), *([FLIPS] if number % 3 == 1 else [])],
            outage=(900.0 if number < 11 else 1350.0) + 7 * (number % 3),
        )
        for number in range(14)
    ]


def history(folder: Path) -> Path:
    """The page of these two weeks, of a broken run of another network, and of a record that can't be read."""
    for run in fortnight():
        write_run_json(folder / run.run_id, run)
    other = samples.broken()
    other.mode = "flannel-hostgw"
    write_run_json(folder / "other", other)
    (folder / "torn").mkdir()
    (folder / "torn" / "run.json").write_text('{"run_id":')
    page = folder / "history.html"
    write_history_page(page, read_shelf([folder]))
    return page
