"""What all plots by matplotlib share: how they are drawn, and become inline SVG that takes the page's colours."""

from __future__ import annotations

import io
import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import matplotlib as mpl
from matplotlib.figure import Figure

if TYPE_CHECKING:
    from collections.abc import Iterator

    from matplotlib.axes import Axes

INK: Final = "#123456"
"""Stands for the page's own colour of text while matplotlib draws."""


class Drawing:
    """One plot: draw on `axes` in `INK`, then ask for the `svg`. `name` tells it from others of the same page."""

    def __init__(self, name: str, width: float, height: float) -> None:
        """`width` and `height` are in inches."""
        self._name = name
        self._figure = Figure(figsize=(width, height), layout="constrained")
        self._figure.patch.set_alpha(0)
        self.axes: Axes = self._figure.add_subplot()
        self.axes.patch.set_alpha(0)

    def svg(self, label: str) -> str:
        """Give the drawing, with `label` for who can't see it."""
        for name in ("xaxis", "yaxis"):
            getattr(self.axes, name).label.set_color(INK)
        self.axes.tick_params(colors=INK)
        for side, spine in self.axes.spines.items():
            spine.set_visible(side == "bottom")
            spine.set_color(INK)
        out = io.StringIO()
        self._figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None})
        return _inline(out.getvalue(), self._name, label)


@contextmanager
def drawing(name: str, width: float, height: float) -> Iterator[Drawing]:
    """Give a plot to draw on; only within are matplotlib's settings those of our pages."""
    settings: dict[str, Any] = {
        "svg.fonttype": "none",
        "svg.hashsalt": name,
        "font.family": "sans-serif",
        "font.size": 8,
    }
    with mpl.rc_context(settings):  # type: ignore[arg-type]
        yield Drawing(name, width, height)


def plain(text: str) -> str:
    """Without what could end an attribute, or be markup or a formula."""
    return re.sub(r"[<>&\"'$\\]", " ", text)


def _inline(svg: str, name: str, label: str) -> str:
    """Without the XML prolog, metadata and fixed colours; with a name for who can't see it."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL).replace(INK, "currentColor")
    # Identifiers must differ between the drawings of one page.
    prefix = re.sub(r"\W", "-", name)
    svg = re.sub(r'(id="|href="#|url\(#)', rf"\g<1>{prefix}-", svg)
    return svg.replace("<svg ", f'<svg role="img" aria-label="{plain(label)}" ', 1)
