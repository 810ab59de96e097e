"""Dots of all blocks with median and interval, as inline SVG that takes the page's colours."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING, Any, Final

import matplotlib as mpl
from matplotlib.figure import Figure

if TYPE_CHECKING:
    from netassay.bench.compare import CellView

INK: Final = "#123456"
"""Stands for the page's own colour of text while matplotlib draws."""
ROW_INCHES: Final = 0.32
WIDTH_INCHES: Final = 6.4


def dots(cell: CellView) -> str:
    """The cell's blocks: shares of the control where there are, else values. "" if there is nothing to draw."""
    drawn = [entry for entry in cell.entries if entry.values]
    if not drawn:
        return ""
    shares = all(entry.shares for entry in drawn)
    settings: dict[str, Any] = {
        "svg.fonttype": "none",
        "svg.hashsalt": cell.id,
        "font.family": "sans-serif",
        "font.size": 8,
    }
    with mpl.rc_context(settings):  # type: ignore[arg-type]
        figure = Figure(figsize=(WIDTH_INCHES, 0.5 + ROW_INCHES * len(drawn)), layout="constrained")
        figure.patch.set_alpha(0)
        axes = figure.add_subplot()
        axes.patch.set_alpha(0)
        for row, entry in enumerate(drawn):
            values = entry.shares if shares else entry.values
            axes.plot(values, [row] * len(values), "o", color=INK, alpha=0.45, markersize=4)
            middle = sorted(values)[len(values) // 2] if len(values) % 2 else _middle(values)
            axes.plot([middle], [row], "|", color=INK, markersize=14, markeredgewidth=2)
            if shares and entry.interval and max(map(abs, entry.interval)) < float("inf"):
                axes.plot(entry.interval, [row, row], "-", color=INK, linewidth=1)
        axes.set_yticks(range(len(drawn)), [_plain(entry.mode) for entry in drawn])
        axes.set_ylim(len(drawn) - 0.5, -0.5)
        axes.set_xlim(left=0)
        axes.set_xlabel("% of the host control of the same block" if shares else cell.unit)
        axes.tick_params(colors=INK)
        axes.xaxis.label.set_color(INK)
        for side, spine in axes.spines.items():
            spine.set_visible(side == "bottom")
            spine.set_color(INK)
        out = io.StringIO()
        figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None})
    return _inline(out.getvalue(), cell)


def _inline(svg: str, cell: CellView) -> str:
    """Without the XML prolog, metadata and fixed colours; with a name for who can't see it."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL).replace(INK, "currentColor")
    # Identifiers must differ between the drawings of one page.
    prefix = re.sub(r"\W", "-", cell.id)
    svg = re.sub(r'(id="|href="#|url\(#)', rf"\g<1>{prefix}-", svg)
    label = _plain(f"{cell.title}: {', '.join(e.mode for e in cell.entries if e.values)}")
    return svg.replace("<svg ", f'<svg role="img" aria-label="{label}" ', 1)


def _middle(values: list[float]) -> float:
    ordered = sorted(values)
    half = len(ordered) // 2
    return (ordered[half - 1] + ordered[half]) / 2


def _plain(text: str) -> str:
    """Without what could end an attribute, or be markup or a formula."""
    return re.sub(r"[<>&\"'$\\]", " ", text)
