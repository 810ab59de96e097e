"""The view of several runs side by side: what each network keeps of each promise, cell by cell."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from netassay.claims import CLAIMS, FEATURES
from netassay.report.view import VerdictView, verdict_of, verdict_view
from netassay.report.words import moment
from netassay.results.conclusion import summarize
from netassay.results.naming import claim_title
from netassay.results.schema import Verdict, stand_in

if TYPE_CHECKING:
    from collections.abc import Sequence

    from netassay.results.schema import CheckRecord, RunRecord


@dataclass(frozen=True)
class Column:
    """One run: its heading, what it came to, and where its own page is ("" if it has none)."""

    title: str
    mode: str
    stand_in: str
    when: str
    conclusion: str
    headline: str
    link: str


@dataclass(frozen=True)
class CompareCell:
    """What one run found of one claim; None for the verdict if it made no check of it. `why` is the first reason."""

    verdict: VerdictView | None
    checks: str
    why: str
    link: str


@dataclass(frozen=True)
class CompareRow:
    """One claim in all runs; `differs` if those that checked it do not agree."""

    title: str
    meaning: str
    cells: list[CompareCell]
    differs: bool


@dataclass(frozen=True)
class CompareFeature:
    """The claims of one feature."""

    title: str
    rows: list[CompareRow]


@dataclass(frozen=True)
class Comparison:
    """The whole page."""

    columns: list[Column]
    features: list[CompareFeature]
    different: list[CompareRow]
    netassay: str


def compare(runs: Sequence[tuple[RunRecord, str]]) -> Comparison:
    """Put runs side by side, in this order, each with the address of its own page, as seen from the comparison's."""
    made = [_by_claim(run) for run, _ in runs]
    known = [claim for claim in CLAIMS if any(claim in each for each in made)]
    features = []
    for feature, title in FEATURES.items():
        rows = [_row(claim, made, [link for _, link in runs]) for claim in known if CLAIMS[claim].feature == feature]
        if rows:
            features.append(CompareFeature(title, rows))
    return Comparison(
        columns=[_column(run, link) for run, link in runs],
        features=features,
        different=[row for feature in features for row in feature.rows if row.differs],
        netassay=runs[0][0].netassay,
    )


def _column(run: RunRecord, link: str) -> Column:
    summary = summarize(run)
    return Column(
        title=run.run_id,
        mode=run.mode,
        stand_in=stand_in(run.cluster),
        when=moment(run.started),
        conclusion=str(summary.conclusion),
        headline=summary.headline,
        link=link,
    )


def _by_claim(run: RunRecord) -> dict[str, list[CheckRecord]]:
    found: dict[str, list[CheckRecord]] = defaultdict(list)
    for record in run.checks:
        found[record.claim].append(record)
    return found


def _row(claim: str, made: Sequence[dict[str, list[CheckRecord]]], links: Sequence[str]) -> CompareRow:
    cells = [_cell(claim, each.get(claim, []), link) for each, link in zip(made, links, strict=True)]
    return CompareRow(
        title=claim_title(claim),
        meaning=CLAIMS[claim].meaning,
        cells=cells,
        differs=len({cell.verdict for cell in cells if cell.verdict}) > 1,
    )


def _cell(claim: str, records: Sequence[CheckRecord], link: str) -> CompareCell:
    if not records:
        return CompareCell(None, "", "", "")
    verdict = verdict_of(records)
    told = [record for record in records if record.verdict is verdict]
    return CompareCell(
        verdict=verdict_view(verdict),
        checks=f"{len(told)} of {len(records)}",
        why="" if verdict is Verdict.HOLDS else told[0].message.partition("\n")[0],
        link=f"{link}#claim-{claim}" if link else "",
    )
