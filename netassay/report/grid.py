"""Truth tables for the page: whole if they are small, only what differs if they are large."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from netassay.cell import State
from netassay.report.words import count
from netassay.results.tables import LARGEST

if TYPE_CHECKING:
    from netassay.results.schema import MatrixBlock, MatrixCell, MatrixRecord

LISTED: Final = 40
"""Lines about single cells."""

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
    """One table. `left_out` says what of it is not shown, and `details` lists the lines of cells that differ.

    `sample` says how its cells were chosen, and `whole` counts all of a table of which this is an excerpt.
    """

    anchor: str
    check: str
    title: str
    summary: str
    different: bool
    targets: list[str]
    rows: list[tuple[str, list[GridCell]]]
    details: list[str]
    left_out: str
    sample: str = ""
    whole: Grid | None = None


def grid(matrix: MatrixRecord, anchor: str, finding: str = "") -> Grid:
    """Make the view of a matrix; `anchor` is its place on the page, `finding` that of its check ("": none)."""
    cells = [cell for row in matrix.cells for cell in row if cell is not None]
    different = [cell for state in (State.WRONG, State.NO_VERDICT) for cell in cells if cell.state == state]
    states = matrix.states or Counter(cell.state for cell in cells)
    wrong, unknown, number = states.get(State.WRONG, 0), states.get(State.NO_VERDICT, 0), sum(states.values())
    parts = [f"{wrong:,} wrong"] * bool(wrong) + [f"{unknown:,} without a verdict"] * bool(unknown)
    if parts:
        summary = f"{' and '.join(parts)} of {count(number, 'cell')}"
    else:
        summary = f"all {count(number, 'cell')} as expected"
    untried = GridCell("none", "", "not tried" if matrix.sample else "not part of it")
    rows = [
        (source, [untried if cell is None else _cell(cell, finding, brief=bool(matrix.blocks)) for cell in row])
        for source, row in zip(matrix.sources, matrix.cells, strict=True)
    ]
    return Grid(
        anchor=anchor,
        check=matrix.check,
        title=matrix.title,
        summary=summary,
        different=bool(parts),
        targets=matrix.targets,
        rows=rows,
        details=[cell.detail for cell in different if cell.detail][:LISTED],
        left_out=_left_out(matrix) if matrix.blocks else "",
        sample=matrix.sample,
        whole=_whole(matrix, summary) if matrix.blocks else None,
    )


def _left_out(matrix: MatrixRecord) -> str:
    """Say of what the cells are an excerpt."""
    rows, columns = matrix.size
    shown = f"{rows:,} × {columns:,} is too large to show whole"  # noqa: RUF001
    if not matrix.cells:
        return f"{shown}, and nothing differs in it; run.json has all observations."
    return (
        f"{shown}: here are up to {LARGEST} rows and columns in which something differs; run.json has all observations."
    )


def _whole(matrix: MatrixRecord, summary: str) -> Grid:
    """Make the view of the counts by group of nodes."""
    return Grid(
        anchor="",
        check=matrix.check,
        title=f"{matrix.title}, by group of nodes",
        summary=summary,
        different=False,
        targets=matrix.groups,
        rows=[
            (source, [_block(block, bool(matrix.sample)) for block in row])
            for source, row in zip(matrix.groups, matrix.blocks, strict=True)
        ],
        details=[],
        left_out="",
    )


def _block(block: MatrixBlock, sampled: bool) -> GridCell:
    if not block.tried:
        return GridCell("none", "", "none was tried" if sampled else "not part of it")
    told = f"{block.wrong:,} of {block.tried:,} wrong, {block.unknown:,} without a verdict"
    if block.wrong:
        return GridCell("wrong", f"{block.wrong:,} of {block.tried:,} wrong", told)
    if block.unknown:
        return GridCell("unknown", f"{block.unknown:,} of {block.tried:,} unknown", told)
    return GridCell("open", f"{block.tried:,} right", told)


def _cell(cell: MatrixCell, finding: str, *, brief: bool) -> GridCell:
    style, words = STYLES[State(cell.state)]
    link = finding if cell.state in (State.WRONG, State.NO_VERDICT) else ""
    return GridCell(style, words or cell.outcome, cell.state if brief else cell.detail or cell.state, link)
