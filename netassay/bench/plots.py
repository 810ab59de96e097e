"""Dots of all blocks with median and interval, as inline SVG that takes the page's colours."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING, Final

from netassay.report.plotting import INK, drawing, plain

if TYPE_CHECKING:
    from netassay.bench.compare import CellView

ROW_INCHES: Final = 0.32
WIDTH_INCHES: Final = 6.4


def dots(cell: CellView) -> str:
    """The cell's blocks: shares of the control where there are, else values. "" if there is nothing to draw."""
    drawn = [entry for entry in cell.entries if entry.values]
    if not drawn:
        return ""
    shares = all(entry.shares for entry in drawn)
    with drawing(cell.id, WIDTH_INCHES, 0.5 + ROW_INCHES * len(drawn)) as plot:
        axes = plot.axes
        for row, entry in enumerate(drawn):
            values = entry.shares if shares else entry.values
            axes.plot(values, [row] * len(values), "o", color=INK, alpha=0.45, markersize=4)
            axes.plot([statistics.median(values)], [row], "|", color=INK, markersize=14, markeredgewidth=2)
            if shares and entry.interval and max(map(abs, entry.interval)) < float("inf"):
                axes.plot(entry.interval, [row, row], "-", color=INK, linewidth=1)
        axes.set_yticks(range(len(drawn)), [plain(entry.mode) for entry in drawn])
        axes.set_ylim(len(drawn) - 0.5, -0.5)
        axes.set_xlim(left=0)
        axes.set_xlabel("% of the host control of the same block" if shares else cell.unit)
        return plot.svg(f"{cell.title}: {', '.join(entry.mode for entry in drawn)}")
