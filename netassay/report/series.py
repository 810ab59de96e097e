"""Series of figures over runs as drawings: a spark of each, and a plot of those that drift."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from netassay.history import Drift

SPARK: Final = (160.0, 24.0)
"""Width and height of a spark, in its own units; its line keeps clear of the edges by MARGIN."""

MARGIN: Final = 3.0
PLOT_INCHES: Final = (6.4, 1.7)
FEW: Final = 60
"""Runs up to which each is a dot of a plot; more are a line."""


def spark(values: Sequence[float | None]) -> str:
    """Give the path of a line through the values, from the least to the greatest; runs without one are bridged."""
    there = [(place, value) for place, value in enumerate(values) if value is not None]
    least, greatest = min(value for _, value in there), max(value for _, value in there)
    across = (SPARK[0] - 2 * MARGIN) / max(len(values) - 1, 1)
    up = (SPARK[1] - 2 * MARGIN) / (greatest - least) if greatest > least else 0.0
    base = SPARK[1] - MARGIN if up else SPARK[1] / 2
    points = [f"{MARGIN + place * across:.0f} {base - (value - least) * up:.0f}" for place, value in there]
    return f"M{'L'.join(points)}" if len(points) > 1 else f"M{points[0]}h.1"


def plot(name: str, values: Sequence[float | None], unit: str, drift: Drift, label: str) -> str:
    """Plot a series that drifts, as inline SVG; "" where matplotlib is not installed (the extra `bench` has it)."""
    try:
        from netassay.report.plotting import INK, drawing, plain  # noqa: PLC0415 - matplotlib may not be installed
    except ImportError:
        return ""
    there = [(place + 1, value) for place, value in enumerate(values) if value is not None]
    with drawing(name, *PLOT_INCHES) as made:
        style = "o-" if len(there) <= FEW else "-"
        made.axes.plot(*zip(*there, strict=True), style, color=INK, markersize=3, linewidth=1)
        made.axes.axhline(drift.before, color=INK, linewidth=0.8, linestyle=":")
        made.axes.set_ylim(bottom=min(0.0, *(value for _, value in there)))
        made.axes.set_xlim(0.5, len(values) + 0.5)
        made.axes.set_xlabel("run")
        made.axes.set_ylabel(plain(unit))
        return made.svg(label)
