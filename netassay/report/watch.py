"""The page of a watch: one strip for each flow, on one scale of time, with what was done meanwhile."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from netassay.report.environment import environment
from netassay.report.timelines import WIDTH, Strip, strip
from netassay.report.words import duration, moment
from netassay.results.files import write_whole
from netassay.results.redact import redact_record
from netassay.results.schema import lab_name
from netassay.watch import Disturbance, conclude

if TYPE_CHECKING:
    from pathlib import Path

    from netassay.watch import FlowRecord, WatchRecord

WATCH_HTML: Final = "watch.html"
STYLE_OF: Final = {Disturbance.NONE: "holds", Disturbance.SOME: "broken", Disturbance.UNKNOWN: "inconclusive"}
WORDS_OF: Final = {
    Disturbance.NONE: "Nothing lost",
    Disturbance.SOME: "Disturbed",
    Disturbance.UNKNOWN: "Inconclusive",
}
TOLD: Final = 50
"""Outages of one flow that are listed."""


@dataclass(frozen=True)
class FlowView:
    """One flow: its strip, when nobody watched it (start and width), and what happened to it in words."""

    key: str
    path: str
    way: str
    strip: Strip
    unwatched: list[tuple[float, float]]
    lost: int
    ended: int
    outages: int
    longest: str
    disturbed: bool
    lines: list[str]


@dataclass(frozen=True)
class WatchView:
    """The whole page; `marks` are moments in words with what was done, `places` where they are on the strips."""

    run_id: str
    headline: str
    style: str
    word: str
    mode: str
    lab: str
    when: str
    lasted: str
    event: str
    marks: list[tuple[str, str]]
    places: list[float]
    disturbed: list[FlowView]
    quiet: list[FlowView]
    notes: list[str]
    netassay: str


def watch_view(record: WatchRecord) -> WatchView:
    """Make the view of a watch."""
    concluded = conclude(record)
    since = min((flow.timeline.since for flow in record.flows), default=0.0)
    until = max((flow.timeline.until for flow in record.flows), default=1.0)
    scale = WIDTH / max(until - since, 1e-3)
    flows = [_flow(flow, since, scale) for flow in record.flows]
    return WatchView(
        run_id=record.run_id,
        headline=concluded.headline,
        style=STYLE_OF[concluded.disturbance],
        word=WORDS_OF[concluded.disturbance],
        mode=record.mode,
        lab=lab_name(record.cluster),
        when=moment(record.started),
        lasted=duration(record.finished - record.started),
        event=record.event,
        marks=[(f"{mark.at:.2f} s", mark.words) for mark in record.marks],
        places=[round((mark.at - since) * scale, 1) for mark in record.marks],
        disturbed=[flow for flow in flows if flow.disturbed or flow.lines],
        quiet=[flow for flow in flows if not (flow.disturbed or flow.lines)],
        notes=record.notes,
        netassay=record.netassay,
    )


def _flow(flow: FlowRecord, since: float, scale: float) -> FlowView:
    seen = flow.timeline
    lines = [f"its sender missed {seen.unjudged:,} beats: the machine was too busy to tell"] if flow.starved else []
    lines += [str(outage) for outage in seen.outages[:TOLD]]
    lines += [f"kept connection ended: {lost}" for lost in seen.lost[:TOLD]]
    lines += [f"not watched from {one.began:.2f} s to {one.ended:.2f} s: {one.why}" for one in flow.unwatched]
    return FlowView(
        key=flow.key,
        path=flow.path,
        way=flow.way,
        strip=strip(seen, since, scale),
        unwatched=[
            (round((one.began - since) * scale, 1), max(1.0, round((one.ended - one.began) * scale, 1)))
            for one in flow.unwatched
        ],
        lost=flow.lost_attempts,
        ended=len(seen.lost),
        outages=len(seen.outages),
        longest=f"{seen.longest * 1000:,.0f} ms" if seen.outages else "",
        disturbed=flow.disturbed,
        lines=lines,
    )


def render_watch(record: WatchRecord) -> str:
    """Give the page: self-contained, without scripts or secrets, and all that came from a cluster escaped."""
    return environment().get_template("watch.html.j2").render(page=watch_view(redact_record(record)))


def write_watch_page(folder: Path, record: WatchRecord) -> Path:
    """Write the page into the watch's folder. `HarnessFault` if it can't be written."""
    path = folder / WATCH_HTML
    write_whole(path, render_watch(record))
    return path
