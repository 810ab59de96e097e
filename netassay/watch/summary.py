"""What a watch adds up to: its sentence and its exit code."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from netassay.watch.record import WatchRecord


class Disturbance(StrEnum):
    """The three ways for a watch to end."""

    NONE = "nothing lost"
    SOME = "disturbed"
    UNKNOWN = "inconclusive"

    @property
    def exit_code(self) -> int:
        """What a process says that watched: 0 nothing lost, 1 something was, 3 that can't be told."""
        return {Disturbance.NONE: 0, Disturbance.SOME: 1, Disturbance.UNKNOWN: 3}[self]


class Conclusion(msgspec.Struct, frozen=True):
    """A watch in one sentence."""

    disturbance: Disturbance
    headline: str


def conclude(record: WatchRecord) -> Conclusion:
    """Conclude: what was lost comes first, then what can't be told; a command that failed makes no good upgrade."""
    disturbed = [flow for flow in record.flows if flow.disturbed and not flow.starved]
    unjudged = [flow for flow in record.flows if not flow.told]
    seconds = record.finished - record.started
    flows = f"{len(record.flows)} flows"
    if disturbed:
        lost = sum(flow.lost_attempts for flow in disturbed)
        ended = sum(len(flow.timeline.lost) for flow in disturbed)
        headline = f"{len(disturbed)} of {flows} were disturbed: {lost} attempts failed, {ended} kept connections ended"
        worst = max(disturbed, key=lambda flow: flow.timeline.longest)
        if worst.timeline.outages:
            longest = max(worst.timeline.outages, key=lambda one: one.seconds)
            headline += f"; the longest outage took {longest.length} ({worst.key})"
        return Conclusion(Disturbance.SOME, headline + _failed(record))
    if unjudged or not record.flows:
        starved = sum(flow.starved for flow in unjudged)
        why = next((gap.why for flow in unjudged for gap in flow.unwatched), "")
        reasons = (
            [f"the machines of {starved} were too busy: try fewer --paths, or a longer --interval"] if starved else []
        )
        headline = f"No conclusion: {len(unjudged)} of {flows} could not be watched all the time"
        headline += f" ({'; '.join([*reasons, *([why] if why else [])]) or 'nothing was watched'})"
        return Conclusion(Disturbance.UNKNOWN, headline + _failed(record))
    headline = f"Nothing was lost: {flows} were answered all the time, for {seconds:.0f} s"
    if record.exit_code:
        return Conclusion(Disturbance.UNKNOWN, headline + _failed(record))
    return Conclusion(Disturbance.NONE, headline)


def _failed(record: WatchRecord) -> str:
    return f"; the command itself failed with exit code {record.exit_code}" if record.exit_code else ""
