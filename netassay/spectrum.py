"""The spectral gap of a graph that is a union of permutations: how well it holds together, as a lower bound.

For each node, `way[node]` is where a permutation leads; d permutations make a graph with 2d edges at each node. If its
gap is g, then between any s of n nodes and all the others there are at least g·s·(n-s)/n edges, since for every
vector x that sums to zero, the sum of squared differences over all edges is at least g·|x|².
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

EXACT_UP_TO: Final = 400
"""Nodes up to which all eigenvalues are computed; beyond, the largest is bounded by Lanczos' method."""

STEPS: Final = 120
ERROR: Final = 0.02
"""Relative error that is taken off.

That the method is further off than this, after these steps from a random start, has a probability of less than
1.648·√n·exp(-√ERROR·(2·STEPS-1)), which is 3e-13 for 5,000 nodes (Kuczyński and Woźniakowski, "Estimating the
largest eigenvalue by the power and Lanczos algorithms with a random start", SIAM J. Matrix Anal. Appl. 13, 1992).
"""

START: Final = 20261126
"""Seed of the random start: the bound is to be the same each time."""


def least_gap(ways: Sequence[Sequence[int]]) -> float:
    """The gap between the degree and the second largest eigenvalue of the adjacency matrix: at least so much, or 0.

    Exact up to rounding for small graphs, a lower bound for large ones.
    """
    there = np.array(ways, dtype=np.int64)
    count, degree = int(there.shape[1]), 2 * len(ways)
    if count <= EXACT_UP_TO:
        matrix = np.zeros((count, count))
        for way in there:
            np.add.at(matrix, (np.arange(count), way), 1.0)
        second = float(np.linalg.eigvalsh(matrix + matrix.T)[-2])
        return max(0.0, degree - second)
    # All eigenvalues of the matrix plus its degree are at least zero, as the method's bound wants it.
    largest = _largest(there) / (1.0 - ERROR)
    return max(0.0, 2 * degree - largest)


def _largest(there: NDArray[np.int64]) -> float:
    """The largest eigenvalue of (adjacency + degree) among vectors that sum to zero, from below, by Lanczos."""
    count, degree = int(there.shape[1]), 2.0 * len(there)
    back = np.argsort(there, axis=1)
    vector: NDArray[np.float64] = np.random.default_rng(START).standard_normal(count)
    vector -= vector.mean()
    vector /= np.linalg.norm(vector)
    steps = min(STEPS, count - 1)
    basis = np.zeros((steps, count))
    diagonal, beside = np.zeros(steps), np.zeros(steps)
    for step in range(steps):
        basis[step] = vector
        image = degree * vector + vector[there].sum(axis=0) + vector[back].sum(axis=0)
        diagonal[step] = vector @ image
        # Against all earlier ones, and twice: rounding would else bring back what was found already.
        for _ in range(2):
            image -= basis[: step + 1].T @ (basis[: step + 1] @ image)
            image -= image.mean()
        beside[step] = np.linalg.norm(image)
        if math.isclose(beside[step], 0.0, abs_tol=1e-9):
            steps = step + 1
            break
        vector = image / beside[step]
    tridiagonal = np.diag(diagonal[:steps]) + np.diag(beside[: steps - 1], 1) + np.diag(beside[: steps - 1], -1)
    return float(np.linalg.eigvalsh(tridiagonal)[-1])
