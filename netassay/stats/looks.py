"""Looking more than once: the chance of error is spent over the looks that were declared beforehand.

Source: Lan & DeMets, *Discrete sequential boundaries for clinical trials*, Biometrika 70 (1983), with a spending
function of O'Brien and Fleming's kind. What a look may spend is taken as its level, which by Bonferroni's inequality
holds the total whatever the looks have in common.
"""

from __future__ import annotations

import itertools
import math
from statistics import NormalDist
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def levels(looks: Sequence[int], *, alpha: float = 0.05) -> list[float]:
    """The level of each look, at these numbers of blocks per side; together at most `alpha`.

    Most is left for the last look. ValueError unless `looks` rise.
    """
    if not looks or looks[0] < 1 or any(b <= a for a, b in itertools.pairwise(looks)):
        raise ValueError(f"looks are rising numbers of blocks, such as 10, 15, 20; not {list(looks)}")
    spent = [_spent(look / looks[-1], alpha) for look in looks]
    return [now - before for before, now in itertools.pairwise([0.0, *spent])]


def _spent(fraction: float, alpha: float) -> float:
    """How much of alpha is spent when this fraction of all blocks is in."""
    if fraction >= 1:
        return alpha
    normal = NormalDist()
    return 2 * (1 - normal.cdf(normal.inv_cdf(1 - alpha / 2) / math.sqrt(fraction)))
