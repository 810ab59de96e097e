"""Measured figures for the page: each kind in one row, with all its values drawn as dots."""

from __future__ import annotations

import statistics
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from netassay.claims import FEATURES
from netassay.report.words import figure

if TYPE_CHECKING:
    from collections.abc import Mapping

    from netassay.report.view import CheckView
    from netassay.results.schema import RunRecord

WIDTH: Final = 160.0
"""Of the drawing, in its own units; dots keep clear of its ends by MARGIN."""

MARGIN: Final = 5.0

DRAWN: Final = 200
"""Dots from which on only every so many-th value is drawn."""


@dataclass(frozen=True)
class FigureRow:
    """One kind of figure, of one check. `dots` are the values' places on a line from zero to the greatest."""

    claim: str
    anchor: str
    key: str
    number: int
    least: str
    median: str
    greatest: str
    dots: list[float]


@dataclass(frozen=True)
class FigureGroup:
    """The figures of one feature."""

    title: str
    rows: list[FigureRow]


def figure_groups(run: RunRecord, checks: Mapping[str, CheckView]) -> list[FigureGroup]:
    """Group the run's figures by feature, check and key, in the order of the checks; `checks` are their views by id."""
    features = {record.id: record.feature for record in run.checks}
    rows: dict[str, list[FigureRow]] = defaultdict(list)
    for check, row in _rows(run, checks):
        rows[FEATURES.get(features.get(check, ""), "Other")].append(row)
    return [FigureGroup(title, rows[title]) for title in [*FEATURES.values(), "Other"] if title in rows]


def _rows(run: RunRecord, checks: Mapping[str, CheckView]) -> list[tuple[str, FigureRow]]:
    values: dict[tuple[str, str, str], list[float]] = defaultdict(list)
    for one in run.figures:
        values[one.check, one.key, one.unit].append(one.value)
    order = {check: number for number, check in enumerate(checks)}
    rows = []
    for check, key, unit in sorted(values, key=lambda kind: order.get(kind[0], len(order))):
        found = values[check, key, unit]
        made_by = checks.get(check)
        row = FigureRow(
            claim=_named(made_by) if made_by else check,
            anchor=made_by.anchor if made_by else "",
            key=key,
            number=len(found),
            least=figure(min(found), unit),
            median=figure(statistics.median(found), unit),
            greatest=figure(max(found), unit),
            dots=_dots(found),
        )
        rows.append((check, row))
    return rows


def _named(check: CheckView) -> str:
    return f"{check.claim} ({check.variant})" if check.variant else check.claim


def _dots(values: list[float]) -> list[float]:
    """Place values on the drawing; none for a single one, or where there are negative ones."""
    top = max(values)
    if len(values) < 2 or min(values) < 0 or top <= 0:  # noqa: PLR2004 - one dot shows nothing
        return []
    drawn = sorted(values)[:: max(1, len(values) // DRAWN)]
    return [round(MARGIN + value / top * (WIDTH - 2 * MARGIN), 1) for value in drawn]
