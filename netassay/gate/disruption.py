"""Disruption: what the upgrade did to flows that were watched, and what the suite's events did, within limits."""

from __future__ import annotations

from collections import defaultdict
from operator import attrgetter
from typing import TYPE_CHECKING

from netassay.gate.schema import Item, Ruling

if TYPE_CHECKING:
    from collections.abc import Iterator

    from netassay.gate.policy import DisruptionPolicy
    from netassay.results.schema import RunRecord
    from netassay.watch import FlowRecord, WatchRecord


def judge_watch(watch: WatchRecord, policy: DisruptionPolicy) -> Iterator[Item]:
    """Compare each flow that was watched with its limits."""
    if watch.exit_code:
        text = f"The upgrade itself failed: {watch.event} ended with exit code {watch.exit_code}."
        yield Item(key="disruption/event", ruling=Ruling.NO_GO, text=text)
    if not watch.flows:
        yield Item(key="disruption/flows", ruling=Ruling.UNDECIDED, text="No flow was watched.")
    for flow in watch.flows:
        ruling, text = _flow(flow, policy)
        yield Item(key=f"disruption/{flow.key}", ruling=ruling, text=f"{flow.key}: {text}.")


def _flow(flow: FlowRecord, policy: DisruptionPolicy) -> tuple[Ruling, str]:
    limits, seen = policy.limits_of(flow.key), flow.timeline
    outages = [one for one in seen.outages if not seen.flow.kept or one.least > seen.flow.timeout]
    longest = max(outages, key=lambda one: one.seconds, default=None)
    beyond: list[str] = []
    unsure: list[str] = []
    # The one that surely was the longest, and the one that may have been.
    worst = dict.fromkeys(max(outages, key=attrgetter(bound)) for bound in ("least", "most") if outages)
    for one in worst:
        if one.most * 1000 > limits.outage_ms:
            told = f"out for {one.length} from {one.start:.1f} s on (limit {limits.outage_ms:g} ms)"
            (beyond if one.least * 1000 > limits.outage_ms else unsure).append(told)
    if flow.lost_attempts > limits.lost:
        beyond.append(f"{flow.lost_attempts} attempts failed (limit {limits.lost})")
    if len(seen.lost) > limits.ended:
        beyond.append(f"{len(seen.lost)} kept connections ended (limit {limits.ended}): {seen.lost[0]}")
    if not seen.recovered and outages:
        beyond.append("not answered any more at the end")
    if beyond and not flow.starved:
        return Ruling.NO_GO, "; ".join(beyond)
    if beyond or unsure or flow.starved:
        said = "; ".join([*beyond, *unsure]) or "nothing was seen to be lost"
        return (
            Ruling.UNDECIDED,
            f"{said}, but its sender stood still, or was between two beats, which tells nothing of the network",
        )
    if flow.unwatched:
        gap = flow.unwatched[0]
        return Ruling.UNDECIDED, f"not watched from {gap.began:.1f} s to {gap.ended:.1f} s: {gap.why}"
    if flow.disturbed:
        parts = [f"{flow.lost_attempts} attempts failed, {len(seen.lost)} kept connections ended"]
        parts += [f"longest outage {longest.length}"] if longest else []
        return Ruling.FINE, f"within its limits ({', '.join(parts)})"
    return Ruling.FINE, "nothing lost"


def judge_figures(run: RunRecord, policy: DisruptionPolicy) -> Iterator[Item]:
    """Compare the candidate's figures with the limits that the policy sets for them."""
    seen: dict[tuple[str, str, str], list[float]] = defaultdict(list)
    for figure in run.figures:
        if figure.key in policy.figures:
            seen[figure.check, figure.key, figure.unit].append(figure.value)
    for (check, key, unit), values in seen.items():
        limit = policy.figures[key]
        text = f"{check}: {key} {max(values):g} {unit} (limit {limit:g} {unit})."
        ruling = Ruling.NO_GO if max(values) > limit else Ruling.FINE
        yield Item(key=f"disruption/{check} {key}", ruling=ruling, text=text)
    for key in policy.figures.keys() - {key for _, key, _ in seen}:
        text = f"The policy limits the figure “{key}”, which the candidate does not have."
        yield Item(key=f"disruption/{key}", ruling=Ruling.UNDECIDED, text=text)
