"""The view of a run: everything that the templates show, in the order and words of the page, and nothing more."""

from __future__ import annotations

import itertools
import shlex
from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from netassay.claims import CLAIMS, FEATURES
from netassay.modes import load, names
from netassay.modes.limits import bounded, density, meant
from netassay.report.figures import FigureGroup, figure_groups
from netassay.report.grid import Grid, grid
from netassay.report.timelines import EventView, event_views
from netassay.report.words import count, duration, moment
from netassay.results.conclusion import Conclusion, summarize
from netassay.results.naming import alike, claim_title, variant
from netassay.results.rerun import rerun
from netassay.results.schema import CheckRecord, ClusterFacts, Evidence, RunRecord, Verdict, lab_name
from netassay.results.tally import by_tag

if TYPE_CHECKING:
    from collections.abc import Iterable

    from netassay.modes import Detection

SEVERITY: Final = (
    Verdict.BROKEN,
    Verdict.INCONCLUSIVE,
    Verdict.HOLDS,
    Verdict.ABSENT_BY_DESIGN,
    Verdict.NOT_APPLICABLE,
)
"""What the verdict of a claim is, of those of its checks: the first of these that is among them."""

SHOWN: Final = 3
"""Lines of a message that are shown beside its first; the rest is folded."""

MARKS: Final = {
    Verdict.HOLDS: "✓",
    Verdict.BROKEN: "✕",
    Verdict.ABSENT_BY_DESIGN: "∅",
    Verdict.NOT_APPLICABLE: "\N{EN DASH}",
    Verdict.INCONCLUSIVE: "?",
}
"""A sign for each verdict, so that none is told by its colour alone."""


@dataclass(frozen=True)
class VerdictView:
    """A verdict as it is shown: its words, its sign and the name of its style."""

    words: str
    mark: str
    style: str


@dataclass(frozen=True)
class CheckView:
    """One check. `lead` is the first line of its message, `more` the rest; `anchor` is its place on the page."""

    anchor: str
    id: str
    claim: str
    title: str
    meaning: str
    variant: str
    verdict: VerdictView
    lead: str
    next: list[str]
    more: str
    evidence: list[Evidence]
    seconds: str
    phase: str
    worker: str
    again: str
    seen: str
    grids: list[Grid]


@dataclass(frozen=True)
class ClaimRow:
    """One claim beside the verdict of all its checks together."""

    id: str
    title: str
    meaning: str
    expectation: str
    source: str
    verdict: VerdictView
    checks: list[CheckView]


@dataclass(frozen=True)
class FeatureView:
    """The claims of one feature, and how many of them have which verdict; `open` if a reader has to look at them."""

    title: str
    rows: list[ClaimRow]
    counts: list[tuple[VerdictView, int]]
    open: bool


@dataclass(frozen=True)
class TagRow:
    """A feature of an API beside the verdicts of the checks that use it: how many of all hold, and how others ended."""

    title: str
    holds: int
    made: int
    others: list[tuple[VerdictView, int]]


@dataclass(frozen=True)
class Page:
    """The whole page."""

    title: str
    conclusion: str
    headline: str
    run_id: str
    when: str
    took: str
    mode: str
    mode_summary: str
    limits: list[str]
    pods: dict[str, str]
    lab: str
    cluster: ClusterFacts
    detection: Detection | None
    tally: list[tuple[VerdictView, int]]
    broken: list[CheckView]
    inconclusive: list[list[CheckView]]
    by_design: list[CheckView]
    not_applicable: list[CheckView]
    features: list[FeatureView]
    tags: list[TagRow]
    grids: list[Grid]
    figures: list[FigureGroup]
    events: list[EventView]
    checks: list[CheckView]
    faults: list[str]
    notes: list[str]
    observations: str
    again: str
    netassay: str


def view(run: RunRecord) -> Page:
    """Make the view of a run."""
    summary = summarize(run)
    anchors = {record.id: f"check-{number}" for number, record in enumerate(run.checks, 1)}
    grids = [
        grid(matrix, f"matrix-{number}", anchors.get(matrix.check, "")) for number, matrix in enumerate(run.matrices, 1)
    ]
    checks = [_check(run, record, f"check-{number}", grids) for number, record in enumerate(run.checks, 1)]

    shown = {id(record): check for check, record in zip(checks, run.checks, strict=True)}
    unsure = [record for record in run.checks if record.verdict is Verdict.INCONCLUSIVE]

    def of(verdict: Verdict) -> list[CheckView]:
        return [check for check, record in zip(checks, run.checks, strict=True) if record.verdict is verdict]

    return Page(
        title={
            Conclusion.CONFORMS: "Conforms",
            Conclusion.FINDINGS: "Broken",
            Conclusion.INCONCLUSIVE: "No conclusion",
        }[summary.conclusion],
        conclusion=str(summary.conclusion),
        headline=summary.headline,
        run_id=run.run_id,
        when=moment(run.started),
        took=duration(run.finished - run.started),
        mode=run.mode or (run.detection.mode if run.detection else "unknown"),
        mode_summary=load(run.mode).summary if run.mode in names() else "",
        limits=_limits(run),
        pods=_pods(run),
        lab=lab_name(run.cluster),
        cluster=run.cluster,
        detection=run.detection,
        tally=[(verdict_view(verdict), summary.counts[verdict]) for verdict in SEVERITY],
        broken=of(Verdict.BROKEN),
        inconclusive=[[shown[id(record)] for record in group] for group in alike(unsure)],
        by_design=of(Verdict.ABSENT_BY_DESIGN),
        not_applicable=of(Verdict.NOT_APPLICABLE),
        features=_features(run, checks),
        tags=[_tag_row(tag, verdicts) for tag, verdicts in by_tag(run.checks).items()],
        grids=sorted(grids, key=lambda one: not one.different),
        figures=figure_groups(run, {check.id: check for check in checks}),
        events=event_views(run, {check.id: check for check in checks}),
        checks=checks,
        faults=run.faults,
        notes=[*run.notes, *(f"not read: {what}" for what in run.cluster.unread)],
        observations=count(sum(len(seen) for seen in run.observations.values()), "observation"),
        again=shlex.join(run.command),
        netassay=run.netassay,
    )


def verdict_of(records: Iterable[CheckRecord]) -> Verdict:
    """The verdict of several checks together, of which there is one at least."""
    verdicts = {record.verdict for record in records}
    return next(verdict for verdict in SEVERITY if verdict in verdicts)


def verdict_view(verdict: Verdict) -> VerdictView:
    """A verdict as it is shown."""
    return VerdictView(str(verdict), MARKS[verdict], str(verdict).replace(" ", "-"))


def _check(run: RunRecord, record: CheckRecord, anchor: str, grids: Iterable[Grid]) -> CheckView:
    claim = CLAIMS.get(record.claim)
    lead, _, more = record.message.partition("\n")
    return CheckView(
        anchor=anchor,
        id=record.id,
        claim=claim_title(record.claim),
        title=(record.title or record.id).rstrip("."),
        meaning=claim.meaning if claim and claim.meaning.rstrip(".") != record.title.rstrip(".") else "",
        variant=variant(record),
        verdict=verdict_view(record.verdict),
        lead=lead,
        next=_next(more),
        more=more,
        evidence=record.evidence,
        seconds=duration(record.seconds),
        phase=record.phase,
        worker=record.worker,
        again=shlex.join(rerun(run, record)),
        seen=_seen(run, record.id),
        grids=[one for one in grids if one.check == record.id],
    )


def _next(more: str) -> list[str]:
    """Give the lines that follow the first and stand indented under it (wrong cells, say): a few are shown at once."""
    indented = list(itertools.takewhile(lambda line: line.startswith("  ") and line[2:3].strip(), more.splitlines()))
    shown = [line.strip() for line in indented[:SHOWN]]
    return shown if len(indented) <= SHOWN else [*shown, f"and {len(indented) - SHOWN} more"]


def _seen(run: RunRecord, check_id: str) -> str:
    """Count a check's observations by outcome."""
    outcomes: dict[str, int] = defaultdict(int)
    for observation in run.observations.get(check_id, ()):
        outcomes[str(observation.outcome)] += 1
    return ", ".join(f"{number:,} {outcome}" for outcome, number in sorted(outcomes.items(), key=lambda item: -item[1]))


def _features(run: RunRecord, checks: list[CheckView]) -> list[FeatureView]:
    """Group the checks by claim and the claims by feature; claims that the register does not know come last."""
    of_claim: dict[str, list[tuple[CheckRecord, CheckView]]] = defaultdict(list)
    for record, shown in zip(run.checks, checks, strict=True):
        of_claim[record.claim].append((record, shown))
    features = []
    for feature, title in [*FEATURES.items(), ("", "Other")]:
        ids = [id_ for id_ in of_claim if (CLAIMS[id_].feature if id_ in CLAIMS else "") == feature]
        if ids:
            counts = Counter(verdict_of(record for record, _ in of_claim[id_]) for id_ in ids)
            features.append(
                FeatureView(
                    title,
                    [_claim_row(run, id_, of_claim[id_]) for id_ in ids],
                    [(verdict_view(verdict), counts[verdict]) for verdict in SEVERITY if counts[verdict]],
                    open=bool(counts[Verdict.BROKEN]),
                )
            )
    return features


def _limits(run: RunRecord) -> list[str]:
    """Say how far the mode is meant to go, in nodes and in pods of a node."""
    if run.mode not in names():
        return []
    mode = load(run.mode)
    of_node = [bounded(mode.density)] if mode.density else []
    return [*(f"up to {meant(what, limit)}" for what, limit in mode.limits.items()), *of_node]


def _pods(run: RunRecord) -> dict[str, str]:
    """Say how many pods each node takes, in the mode that it is in."""
    nodes = run.detection.nodes if run.detection else []
    return {node.node: density(load(node.mode), node.room) for node in nodes if node.mode in names()}


def _tag_row(tag: str, verdicts: Counter[Verdict]) -> TagRow:
    others = [(verdict_view(each), verdicts[each]) for each in SEVERITY if each is not Verdict.HOLDS and verdicts[each]]
    return TagRow(tag, verdicts[Verdict.HOLDS], verdicts.total(), others)


def _claim_row(run: RunRecord, id_: str, made: list[tuple[CheckRecord, CheckView]]) -> ClaimRow:
    stance = load(run.mode).stance(id_) if run.mode in names() and id_ in CLAIMS else None
    claim = CLAIMS.get(id_)
    return ClaimRow(
        id=id_,
        title=claim_title(id_),
        meaning=claim.meaning if claim else "",
        expectation=str(stance.expect) if stance else "",
        source=stance.source if stance else "",
        verdict=verdict_view(verdict_of(record for record, _ in made)),
        checks=[shown for _, shown in made],
    )
