"""The A/A noise floor: by how much two equal sets of blocks differ on this cluster, by chance alone."""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING

import numpy as np

from netassay.stats.estimate import logs, shift

if TYPE_CHECKING:
    from collections.abc import Sequence

RESAMPLES = 2000
SEED = 20_261_125
LEAST = 3


def noise_floor(
    runs: Sequence[Sequence[float]], *, blocks: int, confidence: float = 0.95, resamples: int = RESAMPLES
) -> float:
    """The relative difference that two sets of `blocks` blocks of an unchanged network exceed seldom.

    `runs` are values of one cell and metric on the unchanged network, a sequence for each run. Seldom is one in twenty
    for `confidence` 0.95. Differences within runs are found by drawing two sets from one run again and again;
    differences between runs, which blocks do not show, by comparing each pair of runs: the greater counts. As a
    fraction: 0.03 is 3%. Infinite if no run has three values: noise that nobody has looked at is not small.
    """
    enough = [logs(run) for run in runs if len(run) >= LEAST]
    if not enough:
        return math.inf
    random = np.random.default_rng(SEED)
    share = -(-resamples // len(enough))
    chance = []
    for run in enough:
        # Drawing from few values makes too little of their spread: n - 1 of n.
        centred = (np.asarray(run) - np.median(run)) * math.sqrt(len(run) / (len(run) - 1))
        drawn = random.choice(centred, size=(share, 2, blocks))
        differences = drawn[:, 1, :, np.newaxis] - drawn[:, 0, np.newaxis, :]
        chance.append(np.abs(np.median(differences.reshape(share, -1), axis=1)))
    within = float(np.quantile(np.concatenate(chance), confidence))
    between = max((abs(shift(a, b).value) for a, b in itertools.combinations(enough, 2)), default=0.0)
    return math.expm1(max(within, between))
