"""The same network, day after day: runs in which one check breaks, one can't make up its mind, and a figure drifts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import samples

from netassay.results.schema import Figure, Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

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


def week() -> list[RunRecord]:
    """Seven days: from the fifth on one check is broken, another every other day, and an outage grows by half."""
    return [
        day(
            number,
            broken=[*([BREAKS] if number >= 4 else []), *([FLIPS] if number % 2 else [])],
            outage=(900.0 if number < 4 else 1350.0) + 7 * (number % 3),
        )
        for number in range(7)
    ]
