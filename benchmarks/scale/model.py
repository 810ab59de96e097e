"""What was measured at some sizes, computed for others: straight lines, and how far off these are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Row = dict[str, Any]


@dataclass(frozen=True)
class Line:
    """A figure as `constant + per_probe * probes + per_pair * pairs`; `off` is its worst relative error."""

    constant: float
    per_probe: float
    per_pair: float
    off: float

    def at(self, probes: int, pairs: int) -> float:
        """The figure for so many probes and pairs."""
        return self.constant + self.per_probe * probes + self.per_pair * pairs


def fit(rows: Sequence[Row], figure: Callable[[Row], float], *, by: Sequence[str] = ("probes", "pairs")) -> Line:
    """Fit the line that is least off, relatively: a second at a thousand probes counts no more than one at ten."""
    wanted = np.array([figure(row) for row in rows])
    terms = np.array([[1.0, *(float(row[name]) for name in by)] for row in rows])
    weights = 1.0 / np.maximum(wanted, 1e-3)
    found, *_ = np.linalg.lstsq(terms * weights[:, None], wanted * weights, rcond=None)
    slopes = dict(zip(by, found[1:], strict=True))
    off = float(np.max(np.abs(terms @ found - wanted) * weights))
    return Line(float(found[0]), float(slopes.get("probes", 0.0)), float(slopes.get("pairs", 0.0)), off)
