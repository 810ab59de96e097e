"""Truth tables as pictures that stand by themselves, for where there is no page around them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from netassay.report.environment import environment

if TYPE_CHECKING:
    from netassay.report.grid import Grid

CELL: Final = (76, 26)
"""Width and height of a cell."""

LETTER: Final = 6.7
"""Width of a letter at the size of the names, on average and a little more."""


def grid_svg(grid: Grid) -> str:
    """Draw a truth table as SVG of its own, in colours that can be told apart on light and on dark."""
    return (
        environment()
        .get_template("grid.svg.j2")
        .render(
            grid=grid,
            cell_width=CELL[0],
            cell_height=CELL[1],
            left=round(LETTER * max((len(source) for source, _ in grid.rows), default=0)) + 24,
            top=round(LETTER * max(map(len, grid.targets), default=0)) + 48,
        )
    )
