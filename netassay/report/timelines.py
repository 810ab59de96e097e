"""What events did to flows, for the page: one strip for each flow, on one scale of time for each event."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from netassay.disruption import Timeline
    from netassay.report.view import CheckView
    from netassay.results.schema import RunRecord

WIDTH: Final = 400.0
"""Of a strip, in its own units."""

THINNEST: Final = 1.5
"""Width of an outage that would else be too short to be seen."""

DRAWN: Final = 300
"""Outages of one flow that are drawn; many short ones look like one."""


@dataclass(frozen=True)
class Strip:
    """One flow: where it was not answered (start and width), where connections ended, and what that was in figures."""

    flow: str
    kept: bool
    begins: float
    ends: float
    outages: list[tuple[float, float]]
    ended: list[float]
    attempts: str
    failed: int
    out: str
    words: str


@dataclass(frozen=True)
class EventView:
    """One event of one check, and the flows around it; `at` is its place on the strips."""

    claim: str
    anchor: str
    event: str
    at: float
    before: str
    after: str
    disturbed: int
    strips: list[Strip]


def event_views(run: RunRecord, checks: Mapping[str, CheckView]) -> list[EventView]:
    """Make the views of all events, in the order of the checks; `checks` are their views by id."""
    order = {check: number for number, check in enumerate(checks)}
    views = []
    for record in sorted(run.timelines, key=lambda one: order.get(one.check, len(order))):
        since = min(one.since for one in record.timelines)
        until = max(one.until for one in record.timelines)
        scale = WIDTH / (until - since)
        made_by = checks.get(record.check)
        views.append(
            EventView(
                claim=made_by.claim if made_by else record.check,
                anchor=made_by.anchor if made_by else "",
                event=record.event,
                at=round(-since * scale, 1),
                before=f"{-since:.1f} s",
                after=f"{until:.1f} s",
                disturbed=sum(bool(one.outages) for one in record.timelines),
                strips=[strip(one, since, scale) for one in record.timelines],
            )
        )
    return views


def strip(one: Timeline, since: float, scale: float) -> Strip:
    """Draw one flow; `since` is the moment at the left end, `scale` how wide a second is."""

    def place(moment: float) -> float:
        return round((moment - since) * scale, 1)

    return Strip(
        flow=str(one.flow),
        kept=one.flow.kept,
        begins=place(one.since),
        ends=place(one.until),
        outages=[
            (place(outage.start), max(THINNEST, round(outage.seconds * scale, 1))) for outage in one.outages[:DRAWN]
        ],
        ended=[place(lost.at) for lost in one.lost[:DRAWN]],
        attempts=f"{one.attempts:,}",
        failed=one.failed,
        out=f"{one.disturbed * 1000:,.0f} ms" if one.outages else "none",
        words=one.describe(),
    )
