"""Truth tables for the page: whole if they are small, only what differs if they are large."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from netassay.matrix import State
from netassay.report.words import count

if TYPE_CHECKING:
    from collections.abc import Sequence

    from netassay.results.schema import MatrixCell, MatrixRecord

LARGEST: Final = 40
"""Rows and columns up to which a table is shown whole."""

STYLES: Final = {
    State.OPEN: ("open", "open"),
    State.CLOSED: ("closed", "closed"),
    State.WRONG: ("wrong", ""),
    State.NO_VERDICT: ("unknown", ""),
}
"""A cell's state → the name of its style, and its words if those of the outcome would say no more."""


@dataclass(frozen=True)
class GridCell:
    """One cell: its style's name, its words, the whole line about it, and where more is said of it ("": nowhere)."""

    style: str
    words: str
    detail: str
    link: str = ""


@dataclass(frozen=True)
class Grid:
    """One table. `left_out` says what of it is not shown, and `details` lists the lines of cells that differ."""

    anchor: str
    check: str
    title: str
    summary: str
    different: bool
    targets: list[str]
    rows: list[tuple[str, list[GridCell]]]
    details: list[str]
    left_out: str


def grid(matrix: MatrixRecord, anchor: str, finding: str = "") -> Grid:
    """Make the view of a matrix; `anchor` is its place on the page, `finding` that of its check ("": none)."""
    cells = [cell for row in matrix.cells for cell in row if cell is not None]
    wrong = [cell for cell in cells if cell.state == State.WRONG]
    unknown = [cell for cell in cells if cell.state == State.NO_VERDICT]
    parts = [f"{len(wrong)} wrong"] * bool(wrong) + [f"{len(unknown)} without a verdict"] * bool(unknown)
    rows: Sequence[int] = range(len(matrix.sources))
    columns: Sequence[int] = range(len(matrix.targets))
    left_out = ""
    if max(len(rows), len(columns), 0) > LARGEST:
        rows, columns, left_out = _differing(matrix)
    return Grid(
        anchor=anchor,
        check=matrix.check,
        title=matrix.title,
        summary=f"{' and '.join(parts)} of {count(len(cells), 'cell')}"
        if parts
        else f"all {count(len(cells), 'cell')} as expected",
        different=bool(parts),
        targets=[matrix.targets[column] for column in columns],
        rows=[(matrix.sources[row], [_cell(matrix.cells[row][column], finding) for column in columns]) for row in rows],
        details=[cell.detail for cell in [*wrong, *unknown] if cell.detail][:LARGEST],
        left_out=left_out,
    )


def _differing(matrix: MatrixRecord) -> tuple[Sequence[int], Sequence[int], str]:
    """Pick the rows and columns in which something differs."""
    differ = [
        (row, column)
        for row, cells in enumerate(matrix.cells)
        for column, cell in enumerate(cells)
        if cell is not None and cell.state in (State.WRONG, State.NO_VERDICT)
    ]
    rows, columns = sorted({row for row, _ in differ})[:LARGEST], sorted({column for _, column in differ})[:LARGEST]
    shown = f"{len(matrix.sources)} × {len(matrix.targets)} is too large to show whole"  # noqa: RUF001
    return (
        rows,
        columns,
        f"{shown}: here are up to {LARGEST} rows and columns in which something differs; run.json has all.",
    )


def _cell(cell: MatrixCell | None, finding: str) -> GridCell:
    if cell is None:
        return GridCell("none", "", "not part of it")
    style, words = STYLES[State(cell.state)]
    link = finding if cell.state in (State.WRONG, State.NO_VERDICT) else ""
    return GridCell(style, words or cell.outcome, cell.detail or cell.state, link)
