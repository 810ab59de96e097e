"""The view of several runs side by side: what each network keeps of each promise, cell by cell."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Final

import netassay
from netassay.claims import CLAIMS, FEATURES
from netassay.modes import load, names
from netassay.modes.mode import GENERIC
from netassay.report.view import VerdictView, verdict_of, verdict_view
from netassay.report.words import count, figure, moment
from netassay.results.conclusion import summarize
from netassay.results.naming import claim_title, first_line
from netassay.results.schema import Verdict, lab_name

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from netassay.modes import Mode
    from netassay.results.schema import CheckRecord, RunRecord

MOST_FIGURES: Final = 2
"""Measured values in a cell: more are on the run's own page."""


@dataclass(frozen=True)
class Column:
    """One run: its heading, what it came to, and where its own page is ("" if it has none).

    One of a mode that could not be run has no title, and the reason for a headline.
    """

    mode: str
    headline: str
    title: str = ""
    lab: str = ""
    when: str = ""
    conclusion: str = ""
    link: str = ""


@dataclass(frozen=True)
class CompareCell:
    """What one run found of one claim; None for the verdict if it made no check of it.

    `why` is the first reason, or what was seen where the claim holds.
    """

    verdict: VerdictView | None
    checks: str
    why: str
    link: str


NOTHING: Final = CompareCell(None, "", "", "")


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
    """The whole page; `absent` are all other modes that there are."""

    columns: list[Column]
    features: list[CompareFeature]
    different: list[CompareRow]
    absent: list[Mode]
    netassay: str


def compare(runs: Sequence[tuple[RunRecord, str]], not_run: Mapping[str, str]) -> Comparison:
    """Put runs side by side, in this order, each with the address of its own page, as seen from the comparison's.

    `not_run` are modes that were to be run, and why they were not: they have columns too.
    """
    made = [_by_claim(run) for run, _ in runs]
    known = [claim for claim in CLAIMS if any(claim in each for each in made)]
    features = []
    for feature, title in FEATURES.items():
        rows = [_row(claim, made, runs, len(not_run)) for claim in known if CLAIMS[claim].feature == feature]
        if rows:
            features.append(CompareFeature(title, rows))
    return Comparison(
        columns=[
            *(_column(run, link) for run, link in runs),
            *(Column(mode, f"not run: {reason}") for mode, reason in not_run.items()),
        ],
        features=features,
        different=[row for feature in features for row in feature.rows if row.differs],
        absent=_absent({run.mode for run, _ in runs}),
        netassay=netassay.__version__,
    )


def _absent(modes: set[str]) -> list[Mode]:
    """Give the modes that there are, other than these, by plug-in."""
    others = [load(name) for name in names() if name not in modes and name != GENERIC]
    return sorted(others, key=lambda mode: (mode.plug_in, mode.name))


def _column(run: RunRecord, link: str) -> Column:
    summary = summarize(run)
    return Column(
        title=run.run_id,
        mode=run.mode,
        lab=lab_name(run.cluster),
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


def _row(
    claim: str,
    made: Sequence[dict[str, list[CheckRecord]]],
    runs: Sequence[tuple[RunRecord, str]],
    not_run: int,
) -> CompareRow:
    cells = [_cell(claim, each.get(claim, []), *run) for each, run in zip(made, runs, strict=True)]
    return CompareRow(
        title=claim_title(claim),
        meaning=CLAIMS[claim].meaning,
        cells=[*cells, *[NOTHING] * not_run],
        differs=len({cell.verdict for cell in cells if cell.verdict}) > 1,
    )


def _cell(claim: str, records: Sequence[CheckRecord], run: RunRecord, link: str) -> CompareCell:
    if not records:
        return NOTHING
    verdict = verdict_of(records)
    told = [record for record in records if record.verdict is verdict]
    return CompareCell(
        verdict=verdict_view(verdict),
        checks=f"{len(told)} of {len(records)}",
        why=_seen(told, run) if verdict is Verdict.HOLDS else first_line(told[0].message),
        link=f"{link}#claim-{claim}" if link else "",
    )


def _seen(records: Sequence[CheckRecord], run: RunRecord) -> str:
    """Say by what a claim was seen to hold: what was measured, and how many attempts went as they should.

    What was looked at in words, if there is neither.
    """
    checks = {record.id for record in records}
    values: dict[tuple[str, str], list[float]] = defaultdict(list)
    for one in run.figures:
        if one.check in checks:
            values[one.key, one.unit].append(one.value)
    measured = [f"{key}: {figure(median(found), unit)}" for (key, unit), found in values.items()]
    attempts = sum(len(run.observations.get(check, [])) for check in checks)
    seen = "; ".join([*measured[:MOST_FIGURES], *([count(attempts, "attempt")] if attempts else [])])
    return seen or records[0].title
